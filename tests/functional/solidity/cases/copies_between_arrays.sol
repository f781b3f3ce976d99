// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

// Copies between arrays of different lengths, element types and locations.
contract Copies {
    uint8[] bytewise;
    uint16[] pairs;
    uint256[] words;
    uint8[4] four;
    uint16[6] six;
    bytes3[] threes;
    bytes7[] sevens;
    uint8[][] nested;
    uint16[3][] triples;
    struct Item { uint8 a; uint16[] b; string c; }
    Item[] items;
    Item item;
    bytes raw;
    string text;
    bool[7] flags;

    function widened(uint8[] calldata x) external returns (uint16[] memory, uint256[] memory) { bytewise = x; pairs = bytewise; words = pairs; return (pairs, words); }
    function shorter(uint8[] calldata x) external returns (uint256[] memory, uint16[] memory) { bytewise = x; words = bytewise; delete pairs; return (words, pairs); }
    function fromFixed(uint8[4] calldata x) external returns (uint16[6] memory, uint16[] memory) { six = [uint16(9), 9, 9, 9, 9, 9]; four = x; six = four; pairs = four; return (six, pairs); }
    function fromMemory(uint8[4] memory x) external returns (uint8[] memory) { x[3] = 77; bytewise = x; return bytewise; }
    function fixedBytes(bytes3[] calldata x) external returns (bytes7[] memory) { threes = x; sevens = threes; return sevens; }
    function inner(uint8[][] calldata x) external returns (uint8[][] memory) { nested = x; nested[0] = nested[1]; delete nested[1]; nested.push(nested[0]); return nested; }
    function rows(uint16[3][] calldata x) external returns (uint16[3][] memory) { triples = x; triples.push(triples[0]); triples[0][1] = 5; triples.pop(); triples.push(); return triples; }
    function structs(Item calldata x) external returns (Item memory, Item memory) {
        item = x;
        items.push(item);
        items.push(x);
        Item memory m = items[0];
        m.a = 77;
        items[1] = m;
        return (items[1], item);
    }
    function cleared() external returns (uint, Item memory) { delete items; delete item; return (items.length, item); }
    function strings(bytes calldata x) external returns (bytes memory, string memory) { raw = x; text = string(raw); bytes(text).push("q"); raw = bytes(text); return (raw, text); }
    function swapped() external returns (uint8[4] memory) { (four[0], four[1], four[2]) = (four[1], four[2], four[0]); return four; }
    function flipped(bool[7] calldata x) external returns (bool[7] memory) { flags = x; flags[3] = !flags[3]; return flags; }
    function references(Item memory x) external pure returns (Item memory, Item memory) { Item memory y = x; y.a = 3; y.b = new uint16[](2); delete x.c; return (x, y); }
}
// ----
// widened([1, 2, 255, 4, 5]) -> [1, 2, 255, 4, 5], [1, 2, 255, 4, 5]
// shorter([9]) -> [9], []
// widened([]) -> [], []
// fromFixed([1, 2, 3, 4]) -> [1, 2, 3, 4, 0, 0], [1, 2, 3, 4]
// fromMemory([5, 6, 7, 8]) -> [5, 6, 7, 77]
// fixedBytes([b"abc", b"xyz"]) -> [0x61626300000000, 0x78797a00000000]
// inner([[1, 2], [3, 4, 5]]) -> [[3, 4, 5], [], [3, 4, 5]]
// inner([[1]]) -> ! panic 0x32
// rows([[1, 2, 3], [4, 5, 6]]) -> [[1, 5, 3], [4, 5, 6], [0, 0, 0]]
// structs((1, [2, 3], "four")) -> (77, [2, 3], 'four'), (1, [2, 3], 'four')
// cleared() -> 0, (0, [], '')
// strings(b"short") -> 0x73686f727471, 'shortq'
// strings(b"thirty-one bytes of text, nearly") -> 0x7468697274792d6f6e65206279746573206f6620746578742c206e6561726c7971, 'thirty-one bytes of text, nearlyq'
// swapped() -> [2, 3, 1, 4]
// flipped([True, False, True, False, True, False, True]) -> [true, false, true, true, true, false, true]
// references((1, [2, 3], "four")) -> (3, [0, 0], ''), (3, [0, 0], '')
