// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

import {NN, Network} from "smartvm/nn.sol";

/// ResNet-18 for pictures of 3x224x224: 11,678,912 weights, batch normalisation folded into weights and biases.
///
/// Integers stand for reals times 1,000. A sum of products has the scale 1,000,000: the bias is added at that scale, then
/// the sum is divided. A layer's weights are the block named first, its biases the block named in `biasAndScale`.
contract ResNet18 is Network {
    uint256 constant SCALE = 1000;

    /// The class of a picture.
    function classify(bytes calldata picture) external view returns (uint256) {
        return NN.argmax(logits(picture));
    }

    /// The scores (times 1,000) of 1,000 classes for a picture: red, green and blue map, normalised, items of two bytes.
    function logits(bytes calldata picture) public view returns (int256[] memory) {
        NN.load(picture, 2);

        NN.conv2d(2, 3, 64, 224, 224, 7, 2, 3); NN.biasAndScale(3, SCALE); NN.relu(); // -> 64x112x112
        NN.overlappingMaxPool(64, 112, 3, 2, 1); // -> 64x56x56

        NN.save(0, 64 * 56 * 56);
        NN.conv2d(4, 64, 64, 56, 56, 3, 1, 1); NN.biasAndScale(5, SCALE); NN.relu(); // -> 64x56x56
        NN.conv2d(6, 64, 64, 56, 56, 3, 1, 1); NN.biasAndScale(7, SCALE); // -> 64x56x56
        NN.addSaved(); NN.relu(); // -> 64x56x56

        NN.save(0, 64 * 56 * 56);
        NN.conv2d(8, 64, 64, 56, 56, 3, 1, 1); NN.biasAndScale(9, SCALE); NN.relu(); // -> 64x56x56
        NN.conv2d(10, 64, 64, 56, 56, 3, 1, 1); NN.biasAndScale(11, SCALE); // -> 64x56x56
        NN.addSaved(); NN.relu(); // -> 64x56x56

        NN.save(0, 64 * 56 * 56);
        NN.conv2d(12, 64, 128, 56, 56, 3, 2, 1); NN.biasAndScale(13, SCALE); NN.relu(); // -> 128x28x28
        NN.conv2d(14, 128, 128, 28, 28, 3, 1, 1); NN.biasAndScale(15, SCALE); // -> 128x28x28
        NN.swap();
        NN.conv2d(16, 64, 128, 56, 56, 1, 2, 0); NN.biasAndScale(17, SCALE); // -> 128x28x28
        NN.addSaved(); NN.relu(); // -> 128x28x28

        NN.save(0, 128 * 28 * 28);
        NN.conv2d(18, 128, 128, 28, 28, 3, 1, 1); NN.biasAndScale(19, SCALE); NN.relu(); // -> 128x28x28
        NN.conv2d(20, 128, 128, 28, 28, 3, 1, 1); NN.biasAndScale(21, SCALE); // -> 128x28x28
        NN.addSaved(); NN.relu(); // -> 128x28x28

        NN.save(0, 128 * 28 * 28);
        NN.conv2d(22, 128, 256, 28, 28, 3, 2, 1); NN.biasAndScale(23, SCALE); NN.relu(); // -> 256x14x14
        NN.conv2d(24, 256, 256, 14, 14, 3, 1, 1); NN.biasAndScale(25, SCALE); // -> 256x14x14
        NN.swap();
        NN.conv2d(26, 128, 256, 28, 28, 1, 2, 0); NN.biasAndScale(27, SCALE); // -> 256x14x14
        NN.addSaved(); NN.relu(); // -> 256x14x14

        NN.save(0, 256 * 14 * 14);
        NN.conv2d(28, 256, 256, 14, 14, 3, 1, 1); NN.biasAndScale(29, SCALE); NN.relu(); // -> 256x14x14
        NN.conv2d(30, 256, 256, 14, 14, 3, 1, 1); NN.biasAndScale(31, SCALE); // -> 256x14x14
        NN.addSaved(); NN.relu(); // -> 256x14x14

        NN.save(0, 256 * 14 * 14);
        NN.conv2d(32, 256, 512, 14, 14, 3, 2, 1); NN.biasAndScale(33, SCALE); NN.relu(); // -> 512x7x7
        NN.conv2d(34, 512, 512, 7, 7, 3, 1, 1); NN.biasAndScale(35, SCALE); // -> 512x7x7
        NN.swap();
        NN.conv2d(36, 256, 512, 14, 14, 1, 2, 0); NN.biasAndScale(37, SCALE); // -> 512x7x7
        NN.addSaved(); NN.relu(); // -> 512x7x7

        NN.save(0, 512 * 7 * 7);
        NN.conv2d(38, 512, 512, 7, 7, 3, 1, 1); NN.biasAndScale(39, SCALE); NN.relu(); // -> 512x7x7
        NN.conv2d(40, 512, 512, 7, 7, 3, 1, 1); NN.biasAndScale(41, SCALE); // -> 512x7x7
        NN.addSaved(); NN.relu();

        NN.globalAveragePool(512, 7); // -> 512
        NN.dense(42, 512, 1000); NN.biasAndScale(43, SCALE); // -> 1000

        return NN.output(1000);
    }
}
