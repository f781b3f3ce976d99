// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

// Assembly reads and writes Solidity's variables; what it leaves in narrow variables is cleaned for Solidity code, and
// found again by later assembly.
contract Assembly {
    uint8 a;
    uint16 b = 500;
    uint[] list = [uint(4), 5];
    uint constant TEN = 10;
    function places() public view returns (uint, uint, uint, uint) {
        uint aSlot; uint bOffset; uint lSlot; uint ten;
        assembly { aSlot := a.slot bOffset := b.offset lSlot := list.slot ten := TEN }
        return (aSlot, bOffset, lSlot, ten);
    }
    function cleaned() public pure returns (uint8 x, bool y, bytes2 z, address w, int8 v, uint sum) {
        assembly { x := 0x1ff y := 2 z := not(0) w := not(0) v := 0x80 }
        sum = uint(x) + (y ? 1 : 0);
    }
    function pointer() public view returns (uint r) {
        uint[] storage p = list;
        assembly { mstore(0, p.slot) r := sload(add(keccak256(0, 32), 1)) if p.offset { r := 0 } }
    }
    function calldataParts(bytes calldata d, uint[] calldata n) public pure returns (bytes memory, uint, uint) {
        uint first;
        uint count;
        assembly { first := calldataload(n.offset) count := n.length d.offset := add(d.offset, 1) d.length := 2 }
        return (d, first, count);
    }
    function functions(uint n) public pure returns (uint r) {
        assembly {
            function power(base, e) -> p { p := 1 for { let i := 0 } lt(i, e) { i := add(i, 1) } { p := mul(p, base) if gt(p, 1000) { leave } } }
            let expr_1 := 3
            switch n case 0 { r := expr_1 } case 1 { r := power(2, 8) } default { r := power(expr_1, n) }
        }
    }
    function memoryOf(uint8[] memory values) public pure returns (uint8[] memory, uint) {
        uint length;
        assembly ("memory-safe") { length := mload(values) mstore(add(values, 32), 0x1ff) }
        return (values, uint(values[0]) + length);
    }
    function selectorOf() public view returns (uint s, address t) {
        function() external view returns (uint, uint, uint, uint) f = this.places;
        assembly { s := f.selector t := f.address }
        return (s, t == address(this) ? address(1) : address(2));
    }
    modifier doubling(uint8 x) { assembly { x := mul(2, x) } _; assembly { sstore(9, x) } }
    function dirty(address x) internal pure returns (address r) { assembly { r := or(mul(exp(2, 200), 5), x) } }
    function kept(uint8 v) public pure returns (uint first, uint second, uint8 clean, uint third, uint fourth) {
        assembly { v := add(v, 256) first := v }
        clean = v;
        assembly { second := v }
        v += 0;
        assembly { third := v v := add(v, 512) }
        if (v == 3) { assembly { fourth := v } }
    }
    function keptByModifier(uint8 v) public doubling(v) { }
    function ninth() public view returns (uint r) { assembly { r := sload(9) } }
    function keptByResult(address x) public pure returns (uint high, bool same, uint again) {
        address y = dirty(x);
        same = x == y;
        assembly { high := div(y, exp(2, 200)) }
        y = x;
        for (uint i = 0; i < 2; i++) { assembly { again := add(again, div(y, exp(2, 200))) } y = dirty(y); }
    }
    function scratch() public pure returns (bytes32 r) { assembly { mstore(0, 1) mstore(32, 2) r := keccak256(0, 64) } }
    function stops() public pure returns (uint) { assembly { mstore(0, 77) return(0, 32) } }
}
// ----
// places() -> 0, 1, 1, 10
// cleaned() -> 255, true, 0xffff, 0xFFfFfFffFFfffFFfFFfFFFFFffFFFffffFfFFFfF, -128, 256
// pointer() -> 5
// calldataParts(b"abcd", [7, 8]) -> 0x6263, 7, 2
// functions(0) -> 3
// functions(1) -> 256
// functions(4) -> 81
// functions(9) -> 2187
// memoryOf([1, 2]) -> [255, 2], 257
// kept(3) -> 259, 259, 3, 3, 515
// keptByModifier(200)
// ninth() -> 400
// keptByResult("0x1212121212121212121212121212121212121212") -> 5, true, 5
// stops() -> 77
