// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

// push, pop, resizing by assignment, nesting, deletion of arrays in storage.
contract StorageArrays {
    struct Item { uint8 tag; uint[] values; string name; }
    uint[] numbers;
    uint16[] narrow;
    uint[][] nested;
    Item[] items;
    uint8[3][] triples;
    bytes data;
    mapping(uint => uint[]) byKey;

    function pushes() public returns (uint, uint) {
        numbers.push(5);
        numbers.push() = 6;
        numbers.push();
        uint[] storage alias_ = numbers;
        alias_.push(8);
        alias_[2] = 7;
        return (numbers.length, numbers[2]);
    }
    function pops() public returns (uint) { numbers.pop(); return numbers.length; }
    function at(uint i) public view returns (uint) { return numbers[i]; }
    function all() public view returns (uint[] memory) { return numbers; }
    function fillNarrow(uint n) public {
        for (uint16 i = 0; i < n; i++) narrow.push(i + 1);
    }
    function shrinkNarrow(uint16[] calldata to) public { narrow = to; }
    function allNarrow() public view returns (uint16[] memory) { return narrow; }
    function rawNarrow(uint i) public view returns (uint r) {
        assembly { mstore(0, narrow.slot) r := sload(add(keccak256(0, 32), i)) }
    }
    function setNested(uint[][] memory to) public returns (uint) { nested = to; nested[0].push(99); return nested.length; }
    function allNested() public view returns (uint[][] memory) { return nested; }
    function addItem(uint8 tag, string calldata name) public {
        Item storage item = items.push();
        item.tag = tag;
        item.name = name;
        item.values.push(tag);
        item.values.push(tag * 2);
    }
    function allItems() public view returns (Item[] memory) { return items; }
    function copyItem() public { items.push(items[0]); items[0].values[0] = 1000; delete items[0].name; }
    function dropItem() public returns (uint) { items.pop(); return items.length; }
    function triple() public returns (uint8[3][] memory) {
        triples.push([1, 2, 3]);
        triples.push([4, 5, 6]);
        triples[1][2] = 60;
        return triples;
    }
    function grow(uint n) public returns (bytes memory) {
        delete data;
        for (uint i = 0; i < n; i++) data.push(bytes1(uint8(i)));
        return data;
    }
    function popData() public returns (uint, bytes memory) { data.pop(); return (data.length, data); }
    function setByte(uint i, bytes1 b) public returns (bytes memory) { data[i] = b; return data; }
    function keyed(uint k) public returns (uint) { byKey[k].push(k); byKey[k].push(k + 1); return byKey[k][1]; }
    function keyedAlias(uint k) public view returns (uint[] memory) { return byKey[k]; }
    function clear() public { delete numbers; delete nested; delete items; }
}
// ----
// pushes() -> 4, 7
// all() -> [5, 6, 7, 8]
// at(3) -> 8
// at(4) -> ! panic 0x32
// pops() -> 3
// pops() -> 2
// pops() -> 1
// pops() -> 0
// pops() -> ! panic 0x31
// fillNarrow(18) ->
// rawNarrow(1) -> 1179665
// shrinkNarrow([7, 8, 9]) ->
// allNarrow() -> [7, 8, 9]
// rawNarrow(0) -> 38655229959
// rawNarrow(1) -> 0
// setNested([[1, 2], [3]]) -> 2
// allNested() -> [[1, 2, 99], [3]]
// addItem(4, "four") ->
// copyItem() ->
// allItems() -> [(4, [1000, 8], ''), (4, [4, 8], 'four')]
// dropItem() -> 1
// triple() -> [[1, 2, 3], [4, 5, 60]]
// grow(3) -> 0x000102
// setByte(2, b"\xff") -> 0x0001ff
// setByte(3, b"\xff") -> ! panic 0x32
// grow(33) -> 0x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20
// setByte(32, b"\xaa") -> 0x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1faa
// popData() -> 32, 0x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
// popData() -> 31, 0x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e
// popData() -> 30, 0x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d
// keyed(7) -> 8
// keyedAlias(7) -> [7, 8]
// clear() ->
// allItems() -> []
