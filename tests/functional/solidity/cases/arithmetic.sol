// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

// Checked and unchecked arithmetic of every width, at the limits.
contract Arithmetic {
    function add8(uint8 a, uint8 b) public pure returns (uint8) { return a + b; }
    function sub8(uint8 a, uint8 b) public pure returns (uint8) { return a - b; }
    function mul8(uint8 a, uint8 b) public pure returns (uint8) { return a * b; }
    function addSigned8(int8 a, int8 b) public pure returns (int8) { return a + b; }
    function divSigned8(int8 a, int8 b) public pure returns (int8) { return a / b; }
    function modSigned(int a, int b) public pure returns (int) { return a % b; }
    function addSigned(int a, int b) public pure returns (int) { return a + b; }
    function subSigned(int a, int b) public pure returns (int) { return a - b; }
    function mulSigned(int a, int b) public pure returns (int) { return a * b; }
    function mulSigned200(int200 a, int200 b) public pure returns (int200) { return a * b; }
    function mul(uint a, uint b) public pure returns (uint) { return a * b; }
    function negate(int a) public pure returns (int) { return -a; }
    function power(uint a, uint b) public pure returns (uint) { return a ** b; }
    function powerSigned8(int8 a, uint8 b) public pure returns (int8) { return a ** b; }
    function powerOfTen(uint8 b) public pure returns (uint64) { return uint64(10) ** b; }
    function wrapping(uint8 a, uint8 b) public pure returns (uint8, uint8, uint8) {
        unchecked { return (a + b, a - b, a * b); }
    }
    function wrappingSigned(int8 a, int8 b) public pure returns (int8, int8, int8) {
        unchecked { return (a / b, -a, a ** 3); }
    }
    function shifts(uint8 a, int8 b, bytes2 c) public pure returns (uint8, int8, bytes2, bytes2) {
        return (a << 4, b >> 1, c << 4, c >> 12);
    }
    function step(uint8 a) public pure returns (uint8 before, uint8 after_) {
        before = a++;
        after_ = --a;
        ++a;
        return (before, after_ + a--);
    }
    function modular(uint a, uint b, uint m) public pure returns (uint, uint) {
        return (addmod(a, b, m), mulmod(a, b, m));
    }
    function limits() public pure returns (int24, int24, uint136) {
        return (type(int24).min, type(int24).max, type(uint136).max);
    }
}
// ----
// add8(200, 55) -> 255
// add8(200, 56) -> ! panic 0x11
// sub8(3, 3) -> 0
// sub8(3, 4) -> ! panic 0x11
// mul8(17, 15) -> 255
// mul8(16, 16) -> ! panic 0x11
// addSigned8(-100, -28) -> -128
// addSigned8(-100, -29) -> ! panic 0x11
// addSigned8(100, 28) -> ! panic 0x11
// divSigned8(-128, -1) -> ! panic 0x11
// divSigned8(-7, 2) -> -3
// divSigned8(1, 0) -> ! panic 0x12
// modSigned(-7, 3) -> -1
// modSigned(1, 0) -> ! panic 0x12
// addSigned(2**255 - 1, 1) -> ! panic 0x11
// addSigned(-2**255, -1) -> ! panic 0x11
// addSigned(-2**255, 2**255 - 1) -> -1
// subSigned(-2**255, 1) -> ! panic 0x11
// subSigned(0, -2**255) -> ! panic 0x11
// subSigned(-1, -2**255) -> 57896044618658097711785492504343953926634992332820282019728792003956564819967
// mulSigned(-1, -2**255) -> ! panic 0x11
// mulSigned(-2**255, -1) -> ! panic 0x11
// mulSigned(-2**254, 2) -> -57896044618658097711785492504343953926634992332820282019728792003956564819968
// mulSigned200(2**100, 2**99) -> ! panic 0x11
// mulSigned200(-2**100, 2**99) -> -803469022129495137770981046170581301261101496891396417650688
// mulSigned200(-1, -2**199) -> ! panic 0x11
// mul(2**128, 2**128) -> ! panic 0x11
// mul(2**255, 1) -> 57896044618658097711785492504343953926634992332820282019728792003956564819968
// negate(-2**255) -> ! panic 0x11
// negate(5) -> -5
// power(0, 0) -> 1
// power(0, 5) -> 0
// power(2, 255) -> 57896044618658097711785492504343953926634992332820282019728792003956564819968
// power(2, 256) -> ! panic 0x11
// power(3, 161) -> 65542350158517637872691969508970705427701150314738255642438471845988797065603
// power(3, 162) -> ! panic 0x11
// power(2**128, 2) -> ! panic 0x11
// powerSigned8(-2, 7) -> -128
// powerSigned8(2, 7) -> ! panic 0x11
// powerSigned8(-128, 1) -> -128
// powerSigned8(-128, 2) -> ! panic 0x11
// powerSigned8(-1, 255) -> -1
// powerOfTen(19) -> 10000000000000000000
// powerOfTen(20) -> ! panic 0x11
// wrapping(200, 100) -> 44, 100, 32
// wrappingSigned(-128, -1) -> -128, -128, 0
// shifts(255, -3, b"\x12\x34") -> 240, -2, 0x2340, 0x0001
// step(7) -> 7, 15
// modular(2**256 - 1, 2, 10) -> 7, 0
// modular(1, 2, 0) -> ! panic 0x12
// limits() -> -8388608, 8388607, 87112285931760246646623899502532662132735
