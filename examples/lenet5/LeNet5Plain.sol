// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

/// LeNet-5 in plain Solidity, without any DNN instruction: the same weights, the same scores as `LeNet5`.
///
/// It is what the SmartVM paper compares with. Weights are packed in ordinary storage slots, feature maps are arrays in
/// memory, arithmetic is checked as Solidity's is.
contract LeNet5Plain {
    int256 constant SCALE = 1000;

    address public immutable owner = msg.sender;

    /// A block's packed items, and how many bytes each takes.
    mapping(uint256 id => bytes) private packedItems;
    mapping(uint256 id => uint256) private widths;

    /// Stores a block: `items` of `width` bytes each, big-endian two's complement, without gaps.
    function upload(uint256 id, uint256 width, bytes calldata items) external {
        require(msg.sender == owner, "only the owner uploads");
        require(width > 0 && items.length % width == 0, "items of another width");
        packedItems[id] = items;
        widths[id] = width;
    }

    /// The digit in a picture of 28 x 28 gray values (0 is the background, 255 is ink).
    function classify(int256[] calldata image) external view returns (uint256 digit) {
        int256[] memory scores = logits(image);
        for (uint256 i = 1; i < scores.length; i++) {
            if (scores[i] > scores[digit]) digit = i;
        }
    }

    /// The ten digits' scores (times 1,000) for a picture.
    function logits(int256[] calldata image) public view returns (int256[] memory) {
        require(image.length == 784, "a picture of 28 x 28");
        int256[] memory x = new int256[](784);
        for (uint256 i = 0; i < 784; i++) x[i] = image[i] * SCALE / 255;

        x = maxPool(relu(conv2d(x, 2, Shape(1, 6, 28, 5))), 6, 24); // -> 6x12x12
        x = maxPool(relu(conv2d(x, 4, Shape(6, 16, 12, 5))), 16, 8); // -> 16x4x4
        x = relu(conv2d(x, 6, Shape(16, 120, 4, 4))); // -> 120
        x = relu(dense(x, 8, 84)); // -> 84
        return dense(x, 10, 10); // -> 10
    }

    /// Square maps and kernels: `inputs` maps of `side` x `side`, `outputs` kernels of `kernel` x `kernel` on each.
    struct Shape {
        uint256 inputs;
        uint256 outputs;
        uint256 side;
        uint256 kernel;
    }

    /// Convolution with the weights of block `weights` and the biases of the next one, brought back to the scale:
    /// `inputs`x`side`x`side` -> `outputs`x`out`x`out`, out = side - kernel + 1.
    function conv2d(int256[] memory x, uint256 weights, Shape memory s) internal view returns (int256[] memory y) {
        int256[] memory w = items(weights);
        int256[] memory biases = items(weights + 1);
        uint256 out = s.side - s.kernel + 1;
        y = new int256[](s.outputs * out * out);
        for (uint256 o = 0; o < s.outputs; o++) {
            for (uint256 row = 0; row < out; row++) {
                for (uint256 column = 0; column < out; column++) {
                    int256 sum = biases[o] + window(x, w, s, o, row * s.side + column);
                    y[(o * out + row) * out + column] = sum / SCALE;
                }
            }
        }
    }

    /// The sum over the window whose first cell in each map is `corner`, with kernel `o`.
    function window(int256[] memory x, int256[] memory w, Shape memory s, uint256 o, uint256 corner)
        internal
        pure
        returns (int256 sum)
    {
        uint256 kernel = s.kernel;
        uint256 weight = o * s.inputs * kernel * kernel;
        for (uint256 c = 0; c < s.inputs; c++) {
            for (uint256 i = 0; i < kernel; i++) {
                uint256 cell = (c * s.side + i) * s.side + corner;
                for (uint256 j = 0; j < kernel; j++) sum += w[weight++] * x[cell + j];
            }
        }
    }

    /// Fully connected layer likewise.
    function dense(int256[] memory x, uint256 weights, uint256 outputs) internal view returns (int256[] memory y) {
        int256[] memory w = items(weights);
        int256[] memory biases = items(weights + 1);
        y = new int256[](outputs);
        for (uint256 o = 0; o < outputs; o++) {
            int256 sum = biases[o];
            for (uint256 i = 0; i < x.length; i++) sum += w[o * x.length + i] * x[i];
            y[o] = sum / SCALE;
        }
    }

    /// max(x, 0), in place.
    function relu(int256[] memory x) internal pure returns (int256[] memory) {
        for (uint256 i = 0; i < x.length; i++) {
            if (x[i] < 0) x[i] = 0;
        }
        return x;
    }

    /// The greatest of each 2x2 cells of square maps.
    function maxPool(int256[] memory x, uint256 channels, uint256 side) internal pure returns (int256[] memory y) {
        uint256 half = side / 2;
        y = new int256[](channels * half * half);
        for (uint256 c = 0; c < channels; c++) {
            for (uint256 row = 0; row < half; row++) {
                for (uint256 column = 0; column < half; column++) {
                    uint256 cell = (c * side + 2 * row) * side + 2 * column;
                    int256 greatest = x[cell];
                    if (x[cell + 1] > greatest) greatest = x[cell + 1];
                    if (x[cell + side] > greatest) greatest = x[cell + side];
                    if (x[cell + side + 1] > greatest) greatest = x[cell + side + 1];
                    y[(c * half + row) * half + column] = greatest;
                }
            }
        }
    }

    /// A block's items.
    function items(uint256 id) private view returns (int256[] memory values) {
        bytes memory packed = packedItems[id];
        uint256 width = widths[id];
        require(width > 0, "no such block");
        values = new int256[](packed.length / width);
        for (uint256 i = 0; i < values.length; i++) {
            int256 value = int8(uint8(packed[i * width]));
            for (uint256 j = 1; j < width; j++) value = (value << 8) | int256(uint256(uint8(packed[i * width + j])));
            values[i] = value;
        }
    }
}
