// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

// Calls of other contracts, creation, try and catch, low-level calls.
interface Target { function echo(uint v) external returns (uint); function missing() external; }
error Custom(uint code, string text);
contract Callee {
    uint public immutable seed;
    uint public received;
    constructor(uint s) payable { require(s != 13, "unlucky"); seed = s; received = msg.value; }
    function echo(uint v) external view returns (uint) { return v + seed; }
    function several(string calldata s) external payable returns (string memory, uint[] memory, uint) {
        uint[] memory a = new uint[](2);
        a[1] = msg.value;
        return (string.concat(s, s), a, bytes(s).length);
    }
    function fail(uint how) external pure returns (uint) {
        if (how == 0) revert("reason");
        if (how == 1) assert(false);
        if (how == 2) revert Custom(42, "custom");
        if (how == 3) revert();
        uint zero;
        return 1 / zero;
    }
    fallback(bytes calldata data) external returns (bytes memory) { return abi.encodePacked(data.length, data); }
    receive() external payable { received += msg.value; }
}
contract Caller {
    Callee callee = new Callee{value: 3}(100);
    constructor() payable {}
    function simple(uint v) public returns (uint, uint, uint) { return (callee.echo(v), callee.received(), Target(address(callee)).echo(1)); }
    function withValue() public returns (string memory, uint[] memory, uint) { return callee.several{value: 5, gas: 100000}("ab"); }
    function caught(uint how) public view returns (string memory) {
        try callee.fail(how) returns (uint) { return "success"; }
        catch Error(string memory r) { return string.concat("Error ", r); }
        catch Panic(uint code) { return code == 1 ? "Panic 1" : code == 18 ? "Panic 18" : "Panic"; }
        catch (bytes memory data) { return data.length == 0 ? "empty" : bytes4(data) == Custom.selector ? "Custom" : "other"; }
    }
    function uncaught(uint how) public view returns (uint) { return callee.fail(how); }
    function onlyError(uint how) public view returns (string memory) {
        try callee.fail(how) { return ""; } catch Error(string memory r) { return r; }
    }
    function creation(uint s) public returns (uint) {
        try new Callee{salt: bytes32(s)}(s) returns (Callee c) { return c.seed(); } catch Error(string memory) { return 999; }
    }
    function noCode() public { Target(address(0x1234)).missing(); }
    function lowLevel() public returns (bool, bytes memory, bool, bytes memory) {
        (bool a, bytes memory x) = address(callee).call(hex"aabb");
        (bool b, bytes memory y) = address(callee).staticcall(abi.encodeCall(Callee.echo, (7)));
        return (a, x, b, y);
    }
    function send(uint amount) public returns (bool, uint) { bool ok = payable(address(callee)).send(amount); return (ok, address(callee).balance); }
    function pointer() public returns (uint) { function(uint) external view returns (uint) f = callee.echo; return f(11) + uint32(f.selector) - uint32(Callee.echo.selector); }
}
// ----
// constructor(){1000}
// simple(5) -> 105, 3, 101
// withValue() -> 'abab', [0, 5], 2
// caught(0) -> 'Error reason'
// caught(1) -> 'Panic 1'
// caught(2) -> 'Custom'
// caught(3) -> 'empty'
// caught(4) -> 'Panic 18'
// uncaught(0) -> ! reason
// uncaught(3) -> !
// onlyError(0) -> 'reason'
// onlyError(1) -> ! panic 0x01
// creation(5) -> 5
// creation(13) -> 999
// noCode() -> !
// lowLevel() -> true, 0x0000000000000000000000000000000000000000000000000000000000000002aabb, true, 0x000000000000000000000000000000000000000000000000000000000000006b
// pointer() -> 111
// simple(5){1} -> !
