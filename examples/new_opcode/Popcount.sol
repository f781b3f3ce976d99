// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

contract Popcount {
    /// How many of 256 signers have signed.
    function signatures(uint256 bitmap) external pure returns (uint256 count) {
        assembly {
            count := popcount(bitmap)
        }
    }
}
