// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

contract Argmax {
    /// The greatest score's index, found by the instruction.
    function byInstruction(int256[] calldata scores) external pure returns (uint256 index) {
        assembly {
            let data := mload(0x40)
            calldatacopy(data, scores.offset, mul(scores.length, 32))
            mtob(data, scores.length)
            index := buf_argmax()
        }
    }

    /// The same, found by a loop.
    function byLoop(int256[] calldata scores) external pure returns (uint256 index) {
        for (uint256 i = 1; i < scores.length; i++) {
            if (scores[i] > scores[index]) index = i;
        }
    }
}
