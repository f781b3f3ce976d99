// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

// Modifiers with several placeholders, with none, with early returns, overridden, in constructors; order of construction.
contract Root {
    uint public steps;
    uint immutable given;
    event At(string where, uint value);
    constructor(uint x) { steps = steps * 10 + 1; given = x; }
    modifier around(uint a) virtual { emit At("in", a); if (a > 3) _; a++; emit At("between", a); _; emit At("out", a); }
    modifier counted() { _; steps++; }
    modifier unless(uint a) { if (a == 7) return; _; }
    modifier never() { if (false) _; }
    function visit(uint x) public virtual around(x) counted returns (uint r) { r = r + x + 1; }
    function skipped(uint x) public virtual unless(x) returns (uint r) { return x + 1; }
    function nothing() public never returns (uint r) { r = 5; steps = 0; }
    function immutableValue() external view returns (uint) { return given; }
}
contract Left is Root {
    uint public second = first(2);
    constructor(uint y) Root(y + 1) { steps = steps * 10 + 2; }
    function first(uint k) internal returns (uint) { steps = steps * 10 + 7; return k; }
    function skipped(uint x) public virtual override returns (uint) { return super.skipped(x) + 100; }
}
abstract contract Right is Root {
    constructor() { steps = steps * 10 + 3; }
    function skipped(uint x) public virtual override returns (uint) { return super.skipped(x) + 1000; }
}
contract Modifiers is Left, Right {
    uint third = second + 3;
    constructor(uint z) Left(z * 2) counted around(z) { steps = steps * 10 + 4; }
    modifier around(uint a) override { emit At("mine", a); for (uint i = 0; i < a % 3; i++) { _; } if (a == 9) { _; return; } emit At("end", a); }
    modifier repeated(uint n) { for (uint i = 0; ; i++) { if (i > n) break; if (i == 2) continue; _; } }
    function skipped(uint x) public override(Left, Right) returns (uint) { return super.skipped(x); }
    function twice(uint x) public around(2) unless(x) returns (uint a, string memory s) { a += x; s = string.concat(s, "z"); if (x > 3) return (a, "early"); }
    function loop(uint n) external repeated(n) returns (uint r) { r = n + third; steps++; }
    function values(uint x) external around(x) returns (uint[] memory r) { r = new uint[](r.length + 1); r[r.length - 1] = x; }
}
// ----
// constructor(5)
// steps() -> 172345
// second() -> 2
// immutableValue() -> 11
// visit(4) -> 5; At(where: 'mine', value: 4); At(where: 'end', value: 4)
// visit(5) -> 6; At(where: 'mine', value: 5); At(where: 'end', value: 5)
// visit(9) -> 10; At(where: 'mine', value: 9)
// steps() -> 172349
// skipped(1) -> 1102
// skipped(7) -> 1100
// nothing() -> 0
// twice(2) -> 2, 'z'; At(where: 'mine', value: 2); At(where: 'end', value: 2)
// twice(5) -> 5, 'early'; At(where: 'mine', value: 2); At(where: 'end', value: 2)
// twice(7) -> 0, ''; At(where: 'mine', value: 2); At(where: 'end', value: 2)
// loop(4) -> 9
// steps() -> 172353
// values(2) -> [2]; At(where: 'mine', value: 2); At(where: 'end', value: 2)
// values(3) -> []; At(where: 'mine', value: 3); At(where: 'end', value: 3)
