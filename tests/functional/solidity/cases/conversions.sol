// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

// Implicit and explicit conversions between value types, and of literals.
contract Conversions {
    enum Level { Low, Middle, High }
    type Price is uint64;
    function integers(uint256 a, int16 b) public pure returns (uint8, int8, uint256, int256, uint16) {
        return (uint8(a), int8(b), uint256(int256(b)), int256(a), uint16(b));
    }
    function bytesAndNumbers(bytes4 a, uint32 b) public pure returns (uint32, bytes4, bytes2, bytes8, uint8) {
        return (uint32(a), bytes4(b), bytes2(a), bytes8(a), uint8(bytes1(a)));
    }
    function addresses(address a, uint160 b) public view returns (uint160, address, bytes20, address, bool) {
        return (uint160(a), address(b), bytes20(a), address(bytes20(a)), address(this) != a);
    }
    function level(uint8 v) public pure returns (Level, uint8) { return (Level(v), uint8(Level(v))); }
    function price(uint64 v) public pure returns (Price, uint64) { Price p = Price.wrap(v); return (p, Price.unwrap(p) + 1); }
    function literals() public pure returns (bytes3, bytes4, int, uint, bytes32, bytes1, address) {
        return ("abc", hex"0102", -5, 2.5 ether / 5, "text", 0x7f, 0x00000000000000000000000000000000DeaDBeef);
    }
    function rational() public pure returns (uint, int, uint) { return (7 / 2 * 2, -(2 ** 255), 1e18 * 5 gwei / 1 ether); }
    function fromBytes(bytes memory a) public pure returns (bytes4, bytes32) { return (bytes4(a), bytes32(a)); }
    function ternary(bool c) public pure returns (uint16, int8) { return (c ? 300 : 5, c ? int8(-1) : int8(1)); }
    function mixed(uint8 a, uint16 b, int32 c) public pure returns (uint16, bool, int32) { return (a + b, a < b, c * int8(-2)); }
}
// ----
// integers(2**256 - 2, -129) -> 254, 127, 115792089237316195423570985008687907853269984665640564039457584007913129639807, -2, 65407
// bytesAndNumbers(b"\x01\x02\x03\x04", 0xa0b0c0d) -> 16909060, 0x0a0b0c0d, 0x0102, 0x0102030400000000, 1
// addresses("0x00000000000000000000000000000000000000ff", 2**159) -> 255, 0x8000000000000000000000000000000000000000, 0x00000000000000000000000000000000000000ff, 0x00000000000000000000000000000000000000ff, true
// level(2) -> 2, 2
// level(3) -> ! panic 0x21
// price(9) -> 9, 10
// literals() -> 0x616263, 0x01020000, -5, 500000000000000000, 0x7465787400000000000000000000000000000000000000000000000000000000, 0x7f, 0x00000000000000000000000000000000DeaDBeef
// rational() -> 7, -57896044618658097711785492504343953926634992332820282019728792003956564819968, 5000000000
// fromBytes(b"\x01\x02") -> 0x01020000, 0x0102000000000000000000000000000000000000000000000000000000000000
// fromBytes(b"0123456789012345678901234567890123456789") -> 0x30313233, 0x3031323334353637383930313233343536373839303132333435363738393031
// ternary(True) -> 300, -1
// ternary(False) -> 5, 1
// mixed(200, 100, -7) -> 300, false, 14
