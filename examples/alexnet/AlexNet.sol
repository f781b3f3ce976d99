// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

import {NN, Network} from "smartvm/nn.sol";

/// AlexNet for pictures of 3x227x227, as the SmartVM paper has it: one tower (no groups), 62,367,776 weights.
///
/// Integers stand for reals times 1,000. A sum of products has the scale 1,000,000: the bias is added at that scale, then
/// the sum is divided. A layer's weights are the block named first, its biases the block named in `biasAndScale`.
contract AlexNet is Network {
    uint256 constant SCALE = 1000;

    /// The class of a picture.
    function classify(bytes calldata picture) external view returns (uint256) {
        return NN.argmax(logits(picture));
    }

    /// The scores (times 1,000) of 1,000 classes for a picture: red, green and blue map, normalised, items of two bytes.
    function logits(bytes calldata picture) public view returns (int256[] memory) {
        NN.load(picture, 2);

        NN.conv2d(2, 3, 96, 227, 227, 11, 4, 0); NN.biasAndScale(3, SCALE); NN.relu(); // -> 96x55x55
        NN.overlappingMaxPool(96, 55, 3, 2, 0); // -> 96x27x27
        NN.conv2d(4, 96, 256, 27, 27, 5, 1, 2); NN.biasAndScale(5, SCALE); NN.relu(); // -> 256x27x27
        NN.overlappingMaxPool(256, 27, 3, 2, 0); // -> 256x13x13
        NN.conv2d(6, 256, 384, 13, 13, 3, 1, 1); NN.biasAndScale(7, SCALE); NN.relu(); // -> 384x13x13
        NN.conv2d(8, 384, 384, 13, 13, 3, 1, 1); NN.biasAndScale(9, SCALE); NN.relu(); // -> 384x13x13
        NN.conv2d(10, 384, 256, 13, 13, 3, 1, 1); NN.biasAndScale(11, SCALE); NN.relu(); // -> 256x13x13
        NN.overlappingMaxPool(256, 13, 3, 2, 0); // -> 256x6x6
        NN.denseInParts(12, 9216, 4096, 16); NN.biasAndScale(28, SCALE); NN.relu(); // -> 4096
        NN.denseInParts(29, 4096, 4096, 8); NN.biasAndScale(37, SCALE); NN.relu(); // -> 4096
        NN.dense(38, 4096, 1000); NN.biasAndScale(39, SCALE); // -> 1000

        return NN.output(1000);
    }
}
