// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

// Getters of every shape, constants, immutables, transient variables, mappings.
uint constant FILE_LEVEL = 7 * SECOND;
uint constant SECOND = 6;
contract State {
    enum Kind { None, Some }
    struct Entry { uint8 small; mapping(uint => uint) hidden; string name; uint[] list; bytes4 tag; Kind kind; Sub sub; }
    struct Sub { uint a; bool b; }
    uint public constant FIXED = FILE_LEVEL + 1;
    string public constant TEXT = "a text that is longer than thirty-two bytes";
    bytes32 public constant HASH = keccak256("hash");
    uint8 public immutable narrow;
    address public immutable maker = msg.sender;
    bytes3 public immutable tag;
    uint public transient fleeting;
    bool transient flag;
    mapping(address => mapping(uint8 => Entry)) public entries;
    mapping(string key => uint[2][] value) public byText;
    mapping(bytes4 => mapping(bool => int8)) public deep;
    mapping(Kind => string) public byKind;
    Entry public entry;
    bytes public data = hex"010203";
    int8[3] public triple = [int8(-1), 2, -3];
    constructor(uint8 n) { narrow = n + 1; tag = "abc"; entry.small = narrow; }
    function fill(string calldata key) public {
        Entry storage e = entries[address(1)][2];
        e.small = 3;
        e.name = "entry";
        e.list.push(1);
        e.tag = 0x01020304;
        e.kind = Kind.Some;
        e.sub = Sub(9, true);
        e.hidden[5] = 6;
        byText[key].push([uint(10), 11]);
        byText[key].push([uint(12), 13]);
        deep[0x00000001][true] = -5;
        byKind[Kind.Some] = "some";
    }
    function hidden() public view returns (uint) { return entries[address(1)][2].hidden[5]; }
    function short() public returns (uint, bool) { fleeting += 5; flag = !flag; return (fleeting, flag); }
    function readTwice() public view returns (uint) { return narrow + uint(narrow); }
    function wipe() public { delete entries[address(1)][2]; }
}
// ----
// constructor(41)
// FIXED() -> 43
// TEXT() -> 'a text that is longer than thirty-two bytes'
// narrow() -> 42
// readTwice() -> 84
// tag() -> 0x616263
// maker() -> 0x1212121212121212121212121212120000000012
// fleeting() -> 0
// short() -> 5, true
// short() -> 5, true
// fill("key") ->
// entries("0x0000000000000000000000000000000000000001", 2) -> 3, 'entry', 0x01020304, 1, (9, true)
// entries("0x0000000000000000000000000000000000000002", 2) -> 0, '', 0x00000000, 0, (0, false)
// hidden() -> 6
// byText("key", 1, 0) -> 12
// byText("key", 2, 0) -> !
// byText("key", 1, 2) -> !
// byText("other", 0, 0) -> !
// deep(b"\x00\x00\x00\x01", True) -> -5
// byKind(1) -> 'some'
// byKind(2) -> !
// data() -> 0x010203
// triple(2) -> -3
// triple(3) -> !
// wipe() ->
// entries("0x0000000000000000000000000000000000000001", 2) -> 0, '', 0x00000000, 0, (0, false)
// hidden() -> 6
