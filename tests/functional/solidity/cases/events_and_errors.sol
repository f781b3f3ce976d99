// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

// Events with indexed values and data, custom errors, require and revert.
contract EventsAndErrors {
    event Plain(uint a, string b);
    event Mixed(address indexed who, uint8 value, bytes4 indexed tag, bool indexed on);
    event Hashed(string indexed text, uint16[] indexed list, bytes data);
    event Empty();
    error Nothing();
    error Much(uint code, string text, uint[] list);
    struct Pair { uint8 a; bytes b; }
    event Structured(Pair indexed pair);
    string stored = "stored";
    uint calls;
    function plain() public { emit Plain(5, stored); }
    function mixed(uint8 v) public { emit Mixed(address(9), v + 1, 0x01020304, v > 1); }
    function hashed(uint16[] calldata list) public { emit Hashed({data: hex"aa", list: list, text: "abc"}); }
    function structured() public { emit Structured(Pair(1, "xyz")); }
    function two() public { emit Empty(); emit Empty(); }
    function nothing() public pure { revert Nothing(); }
    function much(uint[] calldata list) public view { revert Much({list: list, code: 3, text: stored}); }
    function requires(uint how) public returns (uint) {
        require(how != 1);
        require(how != 2, "two");
        require(how != 3, string.concat("thr", "ee"));
        require(how != 4, Much(4, "four", new uint[](1)));
        if (how == 5) revert(stored);
        if (how == 6) revert("six");
        if (how == 7) revert();
        assert(how != 8);
        require(how != 9, Much(count(), "nine", new uint[](0)));
        return calls;
    }
    function count() internal returns (uint) { return ++calls; }
}
// ----
// plain() -> ; Plain(a: 5, b: 'stored')
// mixed(1) -> ; Mixed(who: 0x0000000000000000000000000000000000000009, value: 2, tag: 0x01020304, on: false)
// mixed(255) -> ! panic 0x11
// hashed([1, 2]) -> ; Hashed(text: 0x4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45, list: 0xe90b7bceb6e7df5418fb78d8ee546e97c83a08bbccc01a0644d599ccd2a7c2e0, data: 0xaa)
// structured() -> ; Structured(pair: 0x4330ebdc2634e55fdec24543fe16d906b5ba9224084503419cc4fa796824ab2e)
// two() -> ; Empty(); Empty()
// nothing() -> ! Nothing()
// much([7]) -> ! Much(code: 3, text: 'stored', list: [7])
// requires(1) -> !
// requires(2) -> ! two
// requires(3) -> ! three
// requires(4) -> ! Much(code: 4, text: 'four', list: [0])
// requires(5) -> ! stored
// requires(6) -> ! six
// requires(7) -> !
// requires(8) -> ! panic 0x01
// requires(0) -> 1
// requires(0) -> 2
// requires(9) -> ! Much(code: 3, text: 'nine', list: [])
