// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

// Operands from left to right, the right side of an assignment first, tuples from right to left.
contract Order {
    uint[] trace;
    uint x = 1;
    function note(uint v) internal returns (uint) { trace.push(v); return v; }
    function take() internal returns (uint[] memory t) { t = trace; delete trace; }
    function operands() public returns (uint[] memory) {
        note(1) + note(2) * note(3);
        uint[3] memory a;
        a[note(4) - 4] = note(5);
        (a[note(6) - 6], a[note(7) - 6]) = (note(8), note(9));
        return take();
    }
    function readsBeforeWrites(uint a) public pure returns (uint, uint, uint) {
        uint first = a + (a = 10) + a;
        uint second = a++ + a + ++a;
        uint third = a;
        third += (third = 3);
        return (first, second, third);
    }
    function swap(uint a, uint b) public pure returns (uint, uint) { (a, b) = (b, a); return (a, b); }
    function swapReturns() public pure returns (uint a, uint b) { a = 1; b = 2; return (b, a); }
    function swapElements() public pure returns (uint[3] memory a) { a = [uint(1), 2, 3]; (a[0], a[2], a[1]) = (a[2], a[1], a[0]); }
    function gaps() public pure returns (uint a, uint b) { (a, , b) = (1, 2, 3); (, a) = (4, 5); }
    function shortCircuit(uint n) public returns (bool, uint[] memory) {
        bool r = (note(n) > 1 && note(n + 1) > 2) || note(n + 2) > 100;
        return (r, take());
    }
    function ternary(bool c) public returns (uint, uint[] memory) {
        uint r = c ? note(1) : note(2);
        return (r, take());
    }
    function stateInExpression() public returns (uint, uint) { uint r = x + setX(5) + x; return (r, x); }
    function setX(uint v) internal returns (uint) { x = v; return v; }
    function arguments(uint a) public pure returns (uint) { return sub3(a, a++, ++a); }
    function sub3(uint a, uint b, uint c) internal pure returns (uint) { return a * 100 + b * 10 + c; }

    // Named arguments are evaluated in the order in which they are written.
    struct Named { uint a; uint b; uint c; }
    event Three(uint a, uint b, uint c);
    error Refused(uint a, uint b, uint c);
    function named() public returns (uint, uint[] memory) { uint r = sub3({c: note(1), a: note(2), b: note(3)}); return (r, take()); }
    function namedOutside() public returns (uint, uint[] memory) {
        uint r = this.three{gas: 50000 + note(0)}({c: note(1), a: note(2), b: note(3)});
        return (r, take());
    }
    function three(uint a, uint b, uint c) external pure returns (uint) { return sub3(a, b, c); }
    function namedStruct() public returns (uint, uint[] memory) {
        Named memory n = Named({b: note(1), c: note(2), a: note(3)});
        return (sub3(n.a, n.b, n.c), take());
    }
    function namedEvent() public returns (uint[] memory) { emit Three({b: note(4), c: note(5), a: note(6)}); return take(); }
    function namedError(uint v) public { revert Refused({c: v++, a: v++, b: v++}); }
}
// ----
// operands() -> [1, 2, 3, 5, 4, 8, 9, 6, 7]
// readsBeforeWrites(1) -> 21, 33, 6
// swap(1, 2) -> 2, 1
// swapReturns() -> 2, 1
// swapElements() -> [3, 1, 2]
// gaps() -> 5, 3
// shortCircuit(1) -> false, [1, 3]
// shortCircuit(2) -> true, [2, 3]
// ternary(True) -> 1, [1]
// ternary(False) -> 2, [2]
// stateInExpression() -> 11, 5
// arguments(3) -> 335
// named() -> 231, [1, 2, 3]
// namedOutside() -> 231, [0, 1, 2, 3]
// namedStruct() -> 312, [1, 2, 3]
// namedEvent() -> [4, 5, 6]; Three(a: 6, b: 4, c: 5)
// namedError(7) -> ! Refused(a: 8, b: 9, c: 7)
