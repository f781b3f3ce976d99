// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

// User-defined value types, their operators, and `using` in all its forms.
type Fixed is int128;
type Small is uint8;
using { plus as +, minus as -, times as *, over as /, rest as %, negated as - } for Fixed global;
using { same as ==, differs as !=, less as <, lessOrSame as <=, more as >, moreOrSame as >= } for Fixed global;
using { both as &, either as |, oneOf as ^, flipped as ~ } for Fixed global;
using { Smalls.next, wrapping as + } for Small global;

function plus(Fixed a, Fixed b) pure returns (Fixed) { return Fixed.wrap(Fixed.unwrap(a) + Fixed.unwrap(b)); }
function minus(Fixed a, Fixed b) pure returns (Fixed) { return Fixed.wrap(Fixed.unwrap(a) - Fixed.unwrap(b)); }
function times(Fixed a, Fixed b) pure returns (Fixed) { return Fixed.wrap(Fixed.unwrap(a) * Fixed.unwrap(b)); }
function over(Fixed a, Fixed b) pure returns (Fixed) { return Fixed.wrap(Fixed.unwrap(a) / Fixed.unwrap(b)); }
function rest(Fixed a, Fixed b) pure returns (Fixed) { return Fixed.wrap(Fixed.unwrap(a) % Fixed.unwrap(b)); }
function negated(Fixed a) pure returns (Fixed) { return Fixed.wrap(-Fixed.unwrap(a)); }
function same(Fixed a, Fixed b) pure returns (bool) { return Fixed.unwrap(a) == Fixed.unwrap(b); }
function differs(Fixed a, Fixed b) pure returns (bool) { return Fixed.unwrap(a) != Fixed.unwrap(b); }
function less(Fixed a, Fixed b) pure returns (bool) { return Fixed.unwrap(a) < Fixed.unwrap(b); }
function lessOrSame(Fixed a, Fixed b) pure returns (bool) { return Fixed.unwrap(a) <= Fixed.unwrap(b); }
function more(Fixed a, Fixed b) pure returns (bool) { return Fixed.unwrap(a) > Fixed.unwrap(b); }
function moreOrSame(Fixed a, Fixed b) pure returns (bool) { return Fixed.unwrap(a) >= Fixed.unwrap(b); }
function both(Fixed a, Fixed b) pure returns (Fixed) { return Fixed.wrap(Fixed.unwrap(a) & Fixed.unwrap(b)); }
function either(Fixed a, Fixed b) pure returns (Fixed) { return Fixed.wrap(Fixed.unwrap(a) | Fixed.unwrap(b)); }
function oneOf(Fixed a, Fixed b) pure returns (Fixed) { return Fixed.wrap(Fixed.unwrap(a) ^ Fixed.unwrap(b)); }
function flipped(Fixed a) pure returns (Fixed) { return Fixed.wrap(~Fixed.unwrap(a)); }
function wrapping(Small a, Small b) pure returns (Small) { unchecked { return Small.wrap(Small.unwrap(a) + Small.unwrap(b)); } }
function parity(uint a) pure returns (uint) { return a % 2; }

library Smalls { function next(Small a) internal pure returns (Small) { return a + Small.wrap(1); } }
library Lists {
    function sum(uint[] memory a) internal pure returns (uint s) { for (uint i = 0; i < a.length; i++) s += a[i]; }
    function join(uint a, uint b) internal pure returns (uint) { return a * 10 + b; }
    function join(int a) internal pure returns (int) { return -a; }
}

contract Types {
    using Lists for *;
    using { parity } for uint;
    Fixed total;
    mapping(Fixed => Small) counts;
    Small[] smalls;
    Fixed constant SEVEN = Fixed.wrap(7);
    Fixed immutable sixteen = Fixed.wrap(9) + SEVEN;

    function compute(Fixed a, Fixed b) external pure returns (Fixed, Fixed, Fixed, Fixed) { return (a + b * SEVEN, a - b, a / b, a % b); }
    function unary(Fixed a) external pure returns (Fixed, Fixed, Fixed) { return (-a, ~a, -(-a)); }
    function bits(Fixed a, Fixed b) external pure returns (Fixed, Fixed, Fixed) { return (a & b, a | b, a ^ b); }
    function compare(Fixed a, Fixed b) external pure returns (bool, bool, bool, bool, bool, bool) {
        return (a == b, a != b, a < b, a <= b, a > b, a >= b);
    }
    function leftToRight(Fixed a) external pure returns (Fixed) { Fixed x = a; return (x = x + SEVEN) * (x = x + SEVEN) - x; }
    function stored(Fixed a, Small b) external returns (Fixed, Small, Fixed) {
        total = total + a;
        counts[total] = b.next() + b;
        return (total, counts[total], total + sixteen);
    }
    function pushed(Small a) external returns (Small[] memory) { smalls.push(a); smalls.push(smalls[0].next()); return smalls; }
    function encoded(Fixed a) external pure returns (bytes memory) { return abi.encodePacked(a, Small.wrap(3)); }
    function attached(uint a, uint b) external pure returns (uint, uint) { return (a.join(b), a.parity()); }
    function attachedToLists(uint[] memory a) external pure returns (uint) { return a.sum(); }
    function attachedByType(int a) external pure returns (int) { return a.join(); }
}
// ----
// compute(5, 2) -> 19, 3, 2, 1
// compute(-7, 2) -> 7, -9, -3, -1
// compute(1, 0) -> ! panic 0x12
// compute(2**127 - 1, 1) -> ! panic 0x11
// unary(5) -> -5, -6, 5
// unary(-2**127) -> ! panic 0x11
// bits(12, 10) -> 8, 14, 6
// compare(1, 2) -> false, true, true, true, false, false
// compare(2, 2) -> true, false, false, true, false, true
// compare(-1, -2) -> false, true, false, false, true, true
// leftToRight(1) -> 105
// stored(5, 3) -> 5, 7, 21
// stored(-9, 255) -> -4, 255, 12
// pushed(255) -> [255, 0]
// encoded(-2) -> 0xfffffffffffffffffffffffffffffffe03
// attached(3, 4) -> 34, 1
// attachedToLists([1, 2, 3]) -> 6
// attachedByType(6) -> -6
