// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

// Linearised constructors, base arguments, virtual and super calls, modifiers.
abstract contract Log { string public log; function note(string memory s) internal { log = string.concat(log, s, ";"); } }
contract A is Log {
    uint public a = start();
    constructor(uint v) { note("A"); a += v; }
    function start() internal virtual returns (uint) { note("A.start"); return 1; }
    function f() public virtual returns (string memory) { return "A"; }
    modifier around(string memory name) virtual { note(string.concat("+", name)); _; note(string.concat("-", name)); }
}
contract B is A {
    uint public b = 20;
    constructor(uint v) A(v * 2) { note("B"); b += a; }
    function f() public virtual override returns (string memory) { return string.concat("B", super.f()); }
}
abstract contract C is A {
    constructor() { note("C"); }
    function f() public virtual override returns (string memory) { return string.concat("C", super.f()); }
    function start() internal virtual override returns (uint) { note("C.start"); return 100 + super.start(); }
}
contract D is B, C {
    constructor(uint v) B(v + 1) C() around("D") { note("D"); }
    function f() public override(B, C) returns (string memory) { return string.concat("D", super.f()); }
    function start() internal override(A, C) returns (uint) { return super.start(); }
    function direct() public returns (string memory) { return string.concat(A.f(), B.f()); }
    modifier twice(uint n) { if (n > 0) _; _; if (n > 1) return; note("end"); }
    modifier around(string memory name) override { note(string.concat("<", name)); _; note(">"); }
    function many(uint n) public twice(n) around("many") returns (uint r) { r += n; note("many"); if (n == 1) return 7; r++; }
    function reset() public { delete log; }
}
// ----
// constructor(4)
// log() -> 'C.start;A.start;A;B;C;<D;D;>;'
// a() -> 111
// b() -> 131
// f() -> 'DCBA'
// direct() -> 'ABA'
// reset() ->
// many(0) -> 1
// log() -> '<many;many;>;end;'
// many(1) -> 7
// many(2) -> 3
