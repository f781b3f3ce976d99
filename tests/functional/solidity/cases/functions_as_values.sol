// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

// Internal function pointers through storage, memory and constructors; libraries, using for, user-defined operators.
library Bits {
    function set(uint self, uint8 bit) internal pure returns (uint) { return self | (1 << bit); }
    function fold(uint[] memory self, function(uint, uint) internal pure returns (uint) f) internal pure returns (uint r) {
        r = self[0];
        for (uint i = 1; i < self.length; i++) r = f(r, self[i]);
    }
    function bump(uint[] storage self, uint i) internal returns (uint[] storage) { self[i]++; return self; }
}
type Fixed is int64;
function addFixed(Fixed a, Fixed b) pure returns (Fixed) { return Fixed.wrap(Fixed.unwrap(a) + Fixed.unwrap(b)); }
function negateFixed(Fixed a) pure returns (Fixed) { return Fixed.wrap(-Fixed.unwrap(a)); }
function equalFixed(Fixed a, Fixed b) pure returns (bool) { return Fixed.unwrap(a) == Fixed.unwrap(b); }
using {addFixed as +, negateFixed as -, equalFixed as ==} for Fixed global;
function free(uint a) pure returns (uint) { return a + 1000; }

contract Functions {
    using Bits for uint;
    using Bits for uint[];
    using {free} for uint;
    function(uint, uint) internal pure returns (uint) chosen = multiply;
    function() internal returns (uint) never;
    uint[] list = [uint(1), 2, 3];
    constructor() { if (list.length == 3) chosen = Functions.power; }
    function multiply(uint a, uint b) internal pure returns (uint) { return a * b; }
    function power(uint a, uint b) internal pure virtual returns (uint) { return a ** b; }
    function useChosen(uint a, uint b) public view returns (uint) { return chosen(a, b); }
    function choose(bool m) public { chosen = m ? multiply : power; }
    function callNever() public returns (uint) { return never(); }
    function folds(uint[] memory values) public pure returns (uint, uint) { return (values.fold(multiply), values.fold(power)); }
    function table(uint i) public pure returns (uint) {
        function(uint) pure returns (uint)[2] memory fs = [free, double];
        return fs[i](5);
    }
    function double(uint a) internal pure returns (uint) { return 2 * a; }
    function bound(uint a) public returns (uint, uint, uint[] memory) {
        return (a.set(3).set(0), a.free(), list.bump(1).bump(1));
    }
    function operators(int64 a, int64 b) public pure returns (int64, bool) {
        Fixed x = Fixed.wrap(a);
        Fixed y = Fixed.wrap(b);
        return (Fixed.unwrap(-(x + y)), x + y == y + x);
    }
    function compare() public view returns (bool, bool) { return (chosen == power, chosen != multiply); }
    function named(uint a, uint b) public pure returns (uint) { return power({b: a, a: b}); }
    function recursion(uint n) public pure returns (uint) { return n < 2 ? n : recursion(n - 1) + recursion(n - 2); }
}
// ----
// useChosen(2, 10) -> 1024
// compare() -> true, true
// choose(True) ->
// useChosen(2, 10) -> 20
// compare() -> false, false
// callNever() -> ! panic 0x51
// folds([2, 3, 2]) -> 12, 64
// table(0) -> 1005
// table(1) -> 10
// table(2) -> ! panic 0x32
// bound(6) -> 15, 1006, [1, 4, 3]
// operators(3, 4) -> -7, true
// operators(-2**63, 0) -> ! panic 0x11
// named(3, 2) -> 8
// recursion(15) -> 610
