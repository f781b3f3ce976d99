// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

// Calls that every EVM version can compile: no data of failed calls, results of known size alone.

contract Callee {
    uint public count;
    constructor(uint start) payable { require(start < 100); count = start; }
    function bump(uint by) external payable returns (uint before, uint[2] memory both) {
        before = count;
        count += by;
        both = [before, count];
    }
    function text() external pure returns (string memory) { return "not seen by old callers"; }
    function fail(bool how) external pure returns (uint) { require(how, "no"); assert(!how); return 1; }
    function sender() external view returns (address) { return msg.sender; }
    receive() external payable {}
}

contract Writer {
    uint first;
    uint second;
    function write(uint x) external { second = x; }
}

contract Caller {
    Callee callee = new Callee(5);
    uint borrowed;
    constructor() payable {}
    function results(uint by) external returns (uint a, uint b, uint c) {
        uint[2] memory both;
        (a, both) = callee.bump(by);
        (b, c) = (both[0], both[1]);
    }
    function dynamicResultIsLeft() external view returns (bool) { callee.text(); return true; }
    function sent(uint amount) external returns (uint, uint) {
        payable(address(callee)).transfer(amount);
        (bool ok, ) = address(callee).call{value: amount, gas: 60000}("");
        return (ok ? 1 : 0, address(callee).balance);
    }
    function failed(bool how) external returns (string memory) {
        try callee.fail{gas: 50000}(how) returns (uint) { return "returned"; } catch { return "caught"; }
    }
    function bare() external returns (bool, bool) {
        (bool a, ) = address(callee).call{gas: 50000}(abi.encodeCall(Callee.bump, (1)));
        (bool b, ) = address(callee).call{gas: 50000}(abi.encodeCall(Callee.fail, (true)));
        return (a, b);
    }
    function noCode() external view returns (uint) { return Callee(payable(address(99))).count(); }
    function created(uint start) external returns (uint) {
        try new Callee{value: 3}(start) returns (Callee made) { return made.count() + address(made).balance; }
        catch { return 0; }
    }
    function lent() external returns (bool, bool) {
        (bool ok, ) = address(new Writer()).delegatecall(abi.encodeCall(Writer.write, (9)));
        return (ok, borrowed == 9);
    }
    function sender() external view returns (bool) { return callee.sender() == address(this); }
    function hashes() external pure returns (bytes32, bytes20) { return (sha256("abc"), ripemd160("abc")); }
    function recovered() external pure returns (address) { return ecrecover(bytes32(0), 27, bytes32(uint(1)), bytes32(uint(1))); }
}
// ----
// constructor(){100000}
// results(4) -> 5, 5, 9
// dynamicResultIsLeft() -> true
// sent(7) -> 1, 14
// failed(False) -> 'caught'
// failed(True) -> 'caught'
// bare() -> true, false
// noCode() -> !
// created(8) -> 11
// lent() -> true, true
// sender() -> true
// hashes() -> 0xba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad, 0x8eb208f7e05d987a9b044a8e98c6b087f15a0bfc
// recovered() -> 0x3344c6f6eeCA588be132142DB0a32C71ABFAAe7B
