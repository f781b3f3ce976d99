// SPDX-License-Identifier: MIT
pragma solidity ^0.8.29;

// `layout at`, packing, deletes of parts, and transient storage.
struct Mixed { uint8 a; uint16 b; bytes3 c; bool d; address e; uint8[5] f; mapping(uint => uint8) m; }
contract Below { uint8 low; uint16 high; function below() external view returns (uint8, uint16) { return (low, high); } }

contract Layout is Below layout at 0x10 {
    bool one;
    int8 two;
    enum Colour { Red, Green, Blue }
    Colour colour;
    uint128 wide;
    Mixed mixed;
    Mixed[2] pair;
    uint8[33] bytewise;
    int24[] list;
    uint transient passing;
    uint8 transient narrow;
    address payable transient whom;
    bool transient flag;

    function places() external pure returns (uint a, uint b, uint c, uint d, uint e, uint f, uint g) {
        assembly { a := low.slot b := one.slot c := one.offset d := wide.slot e := pair.slot f := flag.slot g := flag.offset }
    }
    function set(bool x, int8 y, uint8 z, uint128 w) external { (low, high) = (7, 0x1234); one = x; two = y; colour = Colour(z); wide = w; }
    function get() external view returns (bool, int8, Colour, uint128) { return (one, two, colour, wide); }
    function word(uint slot) external view returns (bytes32 r) { assembly { r := sload(slot) } }
    function setMixed(uint8 a, uint16 b, uint8[5] calldata f) external { Mixed storage q = mixed; q.a = a; q.b = b; q.c = 0x010203; q.d = true; q.e = address(this); q.f = f; q.m[a] = a; pair[1].f = q.f; }
    function getMixed(uint8 k) external view returns (uint8, uint16, bytes3, bool, uint8[5] memory, uint8) { Mixed storage q = mixed; return (q.a, q.b, q.c, q.d, q.f, q.m[k]); }
    function deleteMixed() external { delete mixed; }
    function deletePart() external returns (uint8[5] memory, uint8[5] memory) { pair[0].f = pair[1].f; delete pair[1].f; delete pair[0].f[2]; return (pair[0].f, pair[1].f); }
    function step(uint8 i) external returns (uint8, uint8) { bytewise[i]--; bytewise[0]++; return (bytewise[i], bytewise[0]); }
    function wrap(uint8 i) external returns (uint8) { unchecked { bytewise[i] -= 3; } return bytewise[i]; }
    function push(int24 v) external returns (int24[] memory) { list.push(v); list.push() = v / 2; return list; }
    function pop() external returns (uint) { list.pop(); return list.length; }
    function transients(uint x, uint8 y, bool z) external returns (uint, uint8, address, bool, uint) {
        passing = x; narrow = y; whom = payable(msg.sender); flag = z;
        this.change();
        uint seen = passing;
        delete passing;
        return (seen, narrow, whom, flag, passing);
    }
    function change() external { unchecked { passing += 1; narrow += 1; } flag = !flag; }
    function left() external view returns (uint, uint8, bool) { return (passing, narrow, flag); }
}
// ----
// places() -> 16, 16, 3, 16, 20, 1, 21
// set(True, -3, 2, 2**127) ->
// get() -> true, -3, 2, 170141183460469231731687303715884105728
// below() -> 7, 4660
// word(16) -> 0x000000000000000000008000000000000000000000000000000002fd01123407
// set(True, 0, 3, 0) -> ! panic 0x21
// setMixed(9, 300, [1, 2, 3, 4, 5]) ->
// getMixed(9) -> 9, 300, 0x010203, true, [1, 2, 3, 4, 5], 9
// deletePart() -> [1, 2, 0, 4, 5], [0, 0, 0, 0, 0]
// deleteMixed() ->
// getMixed(9) -> 0, 0, 0x000000, false, [0, 0, 0, 0, 0], 9
// step(32) -> ! panic 0x11
// wrap(32) -> 253
// step(32) -> 252, 1
// step(33) -> ! panic 0x32
// push(-7) -> [-7, -3]
// push(8388607) -> [-7, -3, 8388607, 4194303]
// pop() -> 3
// transients(41, 255, True) -> 42, 0, 0x1212121212121212121212121212120000000012, false, 0
// left() -> 0, 0, false
