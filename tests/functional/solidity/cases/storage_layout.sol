// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

// Variables that share slots keep their neighbours when written.
contract Packing {
    enum Colour { Red, Green, Blue }
    struct Pair { uint64 a; int32 b; bool c; address d; }
    uint8 a = 1;
    int16 b = -2;
    bool c = true;
    address d = address(0x1234);
    bytes4 e = 0xdeadbeef;
    Colour f = Colour.Blue;
    uint128 g = 7;
    uint128 h = 8;
    Pair pair = Pair(5, -6, true, address(0x99));
    uint24[5] small;
    function() external returns (uint) callback = this.count;

    function all() public view returns (uint8, int16, bool, address, bytes4, Colour, uint128, uint128) {
        return (a, b, c, d, e, f, g, h);
    }
    function count() external pure returns (uint) { return 3; }
    function change() public {
        b = 1000;
        e = 0x01020304;
        c = false;
        h -= 1;
        a += 2;
        pair.b = 17;
        pair.c = !pair.c;
        for (uint i = 0; i < 5; ++i) small[i] = uint24(i * 1000000);
        small[3]--;
    }
    function thePair() public view returns (Pair memory) { return pair; }
    function theSmall() public view returns (uint24[5] memory, uint24) { return (small, small[4]); }
    function slots() public view returns (uint first, uint second, uint pairSlot) {
        assembly { first := sload(0) second := sload(1) pairSlot := pair.slot }
    }
    function clear() public { delete pair; delete b; delete small; delete f; }
    function call() public returns (uint) { return callback(); }
}
// ----
// all() -> 1, -2, true, 0x0000000000000000000000000000000000001234, 0xdeadbeef, 2, 7, 8
// slots() -> 77370696975280841163164090266510919698936256017223469967311621848577, 2722258935367507707706996859454145691655, 2
// call() -> 3
// change() ->
// all() -> 3, 1000, false, 0x0000000000000000000000000000000000001234, 0x01020304, 2, 7, 7
// thePair() -> (5, 17, false, 0x0000000000000000000000000000000000000099)
// theSmall() -> [0, 1000000, 2000000, 2999999, 4000000], 4000000
// clear() ->
// all() -> 3, 0, false, 0x0000000000000000000000000000000000001234, 0x01020304, 0, 7, 7
// thePair() -> (0, 0, false, 0x0000000000000000000000000000000000000000)
// theSmall() -> [0, 0, 0, 0, 0], 0
