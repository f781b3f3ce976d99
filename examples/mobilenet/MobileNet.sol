// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

import {NN, Network} from "smartvm/nn.sol";

/// MobileNet v1 for pictures of 3x224x224: 4,209,088 weights, batch normalisation folded into weights and biases.
///
/// Integers stand for reals times 1,000. A sum of products has the scale 1,000,000: the bias is added at that scale, then
/// the sum is divided. A layer's weights are the block named first, its biases the block named in `biasAndScale`.
contract MobileNet is Network {
    uint256 constant SCALE = 1000;

    /// The class of a picture.
    function classify(bytes calldata picture) external view returns (uint256) {
        return NN.argmax(logits(picture));
    }

    /// The scores (times 1,000) of 1,000 classes for a picture: red, green and blue map, normalised, items of two bytes.
    function logits(bytes calldata picture) public view returns (int256[] memory) {
        NN.load(picture, 2);

        NN.conv2d(2, 3, 32, 224, 224, 3, 2, 1); NN.biasAndScale(3, SCALE); NN.relu6(SCALE); // -> 32x112x112
        NN.depthwiseConv2d(4, 32, 112, 112, 3, 1, 1); NN.biasAndScale(5, SCALE); NN.relu6(SCALE); // -> 32x112x112
        NN.conv2d(6, 32, 64, 112, 112, 1, 1, 0); NN.biasAndScale(7, SCALE); NN.relu6(SCALE); // -> 64x112x112
        NN.depthwiseConv2d(8, 64, 112, 112, 3, 2, 1); NN.biasAndScale(9, SCALE); NN.relu6(SCALE); // -> 64x56x56
        NN.conv2d(10, 64, 128, 56, 56, 1, 1, 0); NN.biasAndScale(11, SCALE); NN.relu6(SCALE); // -> 128x56x56
        NN.depthwiseConv2d(12, 128, 56, 56, 3, 1, 1); NN.biasAndScale(13, SCALE); NN.relu6(SCALE); // -> 128x56x56
        NN.conv2d(14, 128, 128, 56, 56, 1, 1, 0); NN.biasAndScale(15, SCALE); NN.relu6(SCALE); // -> 128x56x56
        NN.depthwiseConv2d(16, 128, 56, 56, 3, 2, 1); NN.biasAndScale(17, SCALE); NN.relu6(SCALE); // -> 128x28x28
        NN.conv2d(18, 128, 256, 28, 28, 1, 1, 0); NN.biasAndScale(19, SCALE); NN.relu6(SCALE); // -> 256x28x28
        NN.depthwiseConv2d(20, 256, 28, 28, 3, 1, 1); NN.biasAndScale(21, SCALE); NN.relu6(SCALE); // -> 256x28x28
        NN.conv2d(22, 256, 256, 28, 28, 1, 1, 0); NN.biasAndScale(23, SCALE); NN.relu6(SCALE); // -> 256x28x28
        NN.depthwiseConv2d(24, 256, 28, 28, 3, 2, 1); NN.biasAndScale(25, SCALE); NN.relu6(SCALE); // -> 256x14x14
        NN.conv2d(26, 256, 512, 14, 14, 1, 1, 0); NN.biasAndScale(27, SCALE); NN.relu6(SCALE); // -> 512x14x14
        NN.depthwiseConv2d(28, 512, 14, 14, 3, 1, 1); NN.biasAndScale(29, SCALE); NN.relu6(SCALE); // -> 512x14x14
        NN.conv2d(30, 512, 512, 14, 14, 1, 1, 0); NN.biasAndScale(31, SCALE); NN.relu6(SCALE); // -> 512x14x14
        NN.depthwiseConv2d(32, 512, 14, 14, 3, 1, 1); NN.biasAndScale(33, SCALE); NN.relu6(SCALE); // -> 512x14x14
        NN.conv2d(34, 512, 512, 14, 14, 1, 1, 0); NN.biasAndScale(35, SCALE); NN.relu6(SCALE); // -> 512x14x14
        NN.depthwiseConv2d(36, 512, 14, 14, 3, 1, 1); NN.biasAndScale(37, SCALE); NN.relu6(SCALE); // -> 512x14x14
        NN.conv2d(38, 512, 512, 14, 14, 1, 1, 0); NN.biasAndScale(39, SCALE); NN.relu6(SCALE); // -> 512x14x14
        NN.depthwiseConv2d(40, 512, 14, 14, 3, 1, 1); NN.biasAndScale(41, SCALE); NN.relu6(SCALE); // -> 512x14x14
        NN.conv2d(42, 512, 512, 14, 14, 1, 1, 0); NN.biasAndScale(43, SCALE); NN.relu6(SCALE); // -> 512x14x14
        NN.depthwiseConv2d(44, 512, 14, 14, 3, 1, 1); NN.biasAndScale(45, SCALE); NN.relu6(SCALE); // -> 512x14x14
        NN.conv2d(46, 512, 512, 14, 14, 1, 1, 0); NN.biasAndScale(47, SCALE); NN.relu6(SCALE); // -> 512x14x14
        NN.depthwiseConv2d(48, 512, 14, 14, 3, 2, 1); NN.biasAndScale(49, SCALE); NN.relu6(SCALE); // -> 512x7x7
        NN.conv2d(50, 512, 1024, 7, 7, 1, 1, 0); NN.biasAndScale(51, SCALE); NN.relu6(SCALE); // -> 1024x7x7
        NN.depthwiseConv2d(52, 1024, 7, 7, 3, 1, 1); NN.biasAndScale(53, SCALE); NN.relu6(SCALE); // -> 1024x7x7
        NN.conv2d(54, 1024, 1024, 7, 7, 1, 1, 0); NN.biasAndScale(55, SCALE); NN.relu6(SCALE); // -> 1024x7x7

        NN.globalAveragePool(1024, 7); // -> 1024
        NN.dense(56, 1024, 1000); NN.biasAndScale(57, SCALE); // -> 1000

        return NN.output(1000);
    }
}
