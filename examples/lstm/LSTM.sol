// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

import {NN, Network} from "smartvm/nn.sol";

/// A long short-term memory that reads handwritten digits row by row: 28 steps of 48 inputs, 96 hidden cells, 55,296 weights.
///
/// Integers stand for reals times 1,000, sums of products times 1,000,000. Block 2 holds the weights of the four gates, as
/// rows of 96 hidden and 48 input weights; block 3 their biases; blocks 4 and 5 are the layer that names the digit.
contract LSTM is Network {
    uint256 constant SCALE = 1000;

    /// The digit in a picture of 28 x 28 gray values (0 is the background, 255 is ink).
    function classify(int256[] calldata image) external view returns (uint256 digit) {
        return NN.argmax(logits(image));
    }

    /// The ten digits' scores (times 1,000) for a picture.
    function logits(int256[] calldata image) public view returns (int256[] memory) {
        require(image.length == 784, "a picture of 28 x 28");
        int256[] memory cells = new int256[](28 + 784); // one empty row above the picture
        uint256 row;
        assembly {
            row := add(cells, 928) // the first row of the picture: a length word and 28 words on
        }
        NN.load(image); NN.scaleUp(SCALE); NN.scaleDown(255);
        NN.storeMemory(row, 784);

        NN.reset(96); NN.save(0, 96); // hidden state 0; saved: cell state 0
        for (uint256 end = row + 784 * 32; row < end; row += 28 * 32) {
            NN.loadMemory(row, 28); // the row ...
            NN.loadMemory(row - 24 * 32, 20); // ... and the 20 cells in the middle of the one above
            step();
        }

        NN.dense(4, 96, 10); NN.biasAndScale(5, SCALE); // -> 10
        return NN.output(10);
    }

    /// One step: Buffer [hidden, input] -> [hidden]; the cell state c stays saved.
    function step() private view {
        NN.dense(2, 144, 384); NN.biasAndScale(3, SCALE); // [g f i o]
        NN.save(96, 384); NN.dropLast(288); NN.tanh(SCALE); // g = tanh; saved c, [f i o]
        NN.swap(); NN.sigmoid(SCALE); // f, i, o = sigmoid; saved c, g
        NN.prependSaved(); NN.prependSaved(); // [c g f i o]
        NN.save(384, 480); NN.save(192, 384); NN.dropLast(288); // [c g]; saved o, [f i]
        NN.multiplySaved(); // [f*c i*g]
        NN.save(96, 192); NN.dropLast(96); NN.addSaved(); NN.scaleDown(SCALE); // c = f*c + i*g; saved o
        NN.swap(); NN.prependSaved(); // [c o]
        NN.save(0, 96); NN.save(96, 192); NN.dropLast(96); // c; saved c, o
        NN.tanh(SCALE); NN.multiplySaved(); NN.scaleDown(SCALE); // hidden = o * tanh(c); saved c
    }
}
