// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

import {NN, Network} from "smartvm/nn.sol";

/// LeNet-5 for handwritten digits: each layer is one instruction on the frame's Buffer.
///
/// Integers stand for reals: weights and activations times 1,000, hence sums of products times 1,000,000. A bias is added
/// to the sum at that scale, then the sum is divided by 1,000. Weights of layer n are block 2n, its biases block 2n + 1.
contract LeNet5 is Network {
    uint256 constant SCALE = 1000;

    /// The digit in a picture of 28 x 28 gray values (0 is the background, 255 is ink).
    function classify(int256[] calldata image) external view returns (uint256 digit) {
        return NN.argmax(logits(image));
    }

    /// The ten digits' scores (times 1,000) for a picture.
    function logits(int256[] calldata image) public view returns (int256[] memory) {
        require(image.length == 784, "a picture of 28 x 28");
        NN.load(image); NN.scaleUp(SCALE); NN.scaleDown(255); // gray values 0 ... 255 -> 0 ... 1,000

        NN.conv2d(2, 1, 6, 28, 28, 5, 1, 0); NN.biasAndScale(3, SCALE); NN.relu(); // -> 6x24x24
        NN.maxPool(6, 24, 24, 2, 2); // -> 6x12x12
        NN.conv2d(4, 6, 16, 12, 12, 5, 1, 0); NN.biasAndScale(5, SCALE); NN.relu(); // -> 16x8x8
        NN.maxPool(16, 8, 8, 2, 2); // -> 16x4x4
        NN.conv2d(6, 16, 120, 4, 4, 4, 1, 0); NN.biasAndScale(7, SCALE); NN.relu(); // -> 120
        NN.dense(8, 120, 84); NN.biasAndScale(9, SCALE); NN.relu(); // -> 84
        NN.dense(10, 84, 10); NN.biasAndScale(11, SCALE); // -> 10

        return NN.output(10);
    }
}
