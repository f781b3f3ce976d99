// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

// Arrays, structs and slices in memory and call data.
contract Data {
    struct Point { int8 x; uint16 y; }
    struct Path { string name; Point[] points; uint8[2] weights; }

    function sum(uint[] calldata values) public pure returns (uint total) {
        for (uint i = 0; i < values.length; i++) total += values[i];
    }
    function make(uint n) public pure returns (uint8[] memory result) {
        result = new uint8[](n);
        for (uint8 i = 0; i < n; i++) result[i] = i * 2;
    }
    function aliasing() public pure returns (uint) {
        uint[] memory a = new uint[](2);
        uint[] memory b = a;
        b[0] = 5;
        Point memory p;
        Point memory q = p;
        q.y = 7;
        return a[0] * p.y;
    }
    function path(Path calldata p) public pure returns (string memory, int8, uint16, uint8) {
        return (p.name, p.points[1].x, p.points[0].y, p.weights[1]);
    }
    function copied(Path calldata p) public pure returns (Path memory) {
        Path memory q = p;
        q.points[0].x--;
        q.weights[0] = 77;
        return q;
    }
    function slice(bytes calldata data, uint from, uint to) public pure returns (bytes memory, uint, bytes4) {
        bytes calldata part = data[from:to];
        return (part, part.length, bytes4(part));
    }
    function nested(uint[][] calldata values, uint i, uint j) public pure returns (uint, uint[] memory) {
        return (values[i][j], values[i]);
    }
    function inline_() public pure returns (uint8[3] memory, string memory) {
        uint8[3] memory three = [1, 2, 3];
        string[2] memory words = ["left", "right"];
        return (three, words[1]);
    }
    function characters(string memory text) public pure returns (bytes memory) {
        bytes memory raw = bytes(text);
        for (uint i = 0; i < raw.length; i++) if (raw[i] >= "a" && raw[i] <= "z") raw[i] = bytes1(uint8(raw[i]) - 32);
        return raw;
    }
    function concatenated(bytes calldata a, string memory b, bytes3 c) public pure returns (bytes memory, string memory) {
        return (bytes.concat(a, "-", bytes(b), c), string.concat(b, unicode"é", b));
    }
    function defaults() public pure returns (Path memory p, uint[2][] memory a, uint[2] memory b) {}
    function tooLong() public pure returns (uint) { return new uint[](2**64).length; }
}
// ----
// sum([1, 2, 3, 2**200]) -> 1606938044258990275541962092341162602522202993782792835301382
// sum([]) -> 0
// make(4) -> [0, 2, 4, 6]
// aliasing() -> 35
// path(("way", [(-1, 2), (-3, 4)], [5, 6])) -> 'way', -3, 2, 6
// path(("way", [(-1, 2)], [5, 6])) -> ! panic 0x32
// copied(("way", [(-1, 2), (-3, 4)], [5, 6])) -> ('way', [(-2, 2), (-3, 4)], [77, 6])
// slice(b"abcdefgh", 2, 7) -> 0x6364656667, 5, 0x63646566
// slice(b"abcdefgh", 2, 4) -> 0x6364, 2, 0x63640000
// slice(b"abcdefgh", 5, 4) -> !
// slice(b"abcdefgh", 5, 9) -> !
// nested([[1], [2, 3]], 1, 1) -> 3, [2, 3]
// nested([[1], [2, 3]], 0, 1) -> ! panic 0x32
// inline_() -> [1, 2, 3], 'right'
// characters("Hello, World") -> 0x48454c4c4f2c20574f524c44
// concatenated(b"ab", "cd", b"\x01\x02\x03") -> 0x61622d6364010203, 'cdécd'
// defaults() -> ('', [], [0, 0]), [], [0, 0]
// tooLong() -> ! panic 0x41
