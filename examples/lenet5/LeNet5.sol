// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

/// LeNet-5 for handwritten digits: each layer is one instruction on the frame's Buffer.
///
/// Integers stand for reals: weights and activations times 1,000, hence sums of products times 1,000,000. A bias is added
/// to the sum at that scale, then `buf_scl1` brings the layer's result back to 1,000.
contract LeNet5 {
    address public immutable owner;

    constructor() {
        owner = msg.sender;
    }

    /// Stores a weight block: `items` of `width` bytes each, big-endian two's complement, without gaps.
    /// Weights of a layer are block 2n, its bias is block 2n + 1.
    function upload(uint256 id, uint256 width, bytes calldata items) external {
        require(msg.sender == owner, "only the owner uploads");
        require(width > 0 && items.length % width == 0, "items of another width");
        uint256 count = items.length / width;
        assembly {
            let data := mload(0x40)
            calldatacopy(data, items.offset, items.length)
            mtob_pack(data, count, width)
            btos1(id, count)
        }
    }

    /// The digit in a picture of 28 x 28 gray values (0 is the background, 255 is ink).
    function classify(int256[] calldata image) external view returns (uint256 digit) {
        int256[10] memory scores = logits(image);
        for (uint256 i = 1; i < 10; i++) {
            if (scores[i] > scores[digit]) digit = i;
        }
    }

    /// The ten digits' scores (times 1,000) for a picture.
    function logits(int256[] calldata image) public view returns (int256[10] memory scores) {
        require(image.length == 784, "a picture of 28 x 28");
        assembly {
            let data := mload(0x40)
            calldatacopy(data, image.offset, 25088)
            mtob(data, 784)
            buf_scl0(1000)
            buf_scl1(255)

            conv_mul(2, 1, 6, 28, 28, 5, 1, 0) // 1x28x28 -> 6x24x24
            buf_bias(3)
            buf_scl1(1000)
            act_rl(0)
            pool_max(6, 24, 24, 2, 2) // -> 6x12x12

            conv_mul(4, 6, 16, 12, 12, 5, 1, 0) // -> 16x8x8
            buf_bias(5)
            buf_scl1(1000)
            act_rl(0)
            pool_max(16, 8, 8, 2, 2) // -> 16x4x4

            conv_mul(6, 16, 120, 4, 4, 4, 1, 0) // -> 120x1x1
            buf_bias(7)
            buf_scl1(1000)
            act_rl(0)

            full_con(8, 120, 1, 1, 84) // -> 84
            buf_bias(9)
            buf_scl1(1000)
            act_rl(0)

            full_con(10, 84, 1, 1, 10) // -> 10
            buf_bias(11)
            buf_scl1(1000)
            btom(scores, 10)
        }
    }
}
