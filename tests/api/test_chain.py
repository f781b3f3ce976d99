"""Chains and contracts for Python users."""

from __future__ import annotations

from pathlib import Path

import pytest
import smartvm
from smartvm.api.chain import Chain
from smartvm.api.contract import Contract, ContractError

SOURCE = """// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;
contract Token {
    error TooLittle(uint256 have, uint256 want);
    event Transfer(address indexed from, address indexed to, uint256 value);
    struct Pair { uint8 a; string b; }
    string public name = "A name that is longer than thirty-two bytes";
    mapping(address => mapping(uint => uint256)) private balances;
    uint8 small = 7; bool flag = true; int16 negative = -5; address owner; bytes4 four = 0x01020304;
    uint16[] list; Pair pair; uint8[3] bytes_;
    constructor(uint256 supply) payable {
        balances[msg.sender][1] = supply; list.push(3); list.push(4); owner = msg.sender; pair = Pair(9,
        "nine"); bytes_[1] = 2; } function balanceOf(address a) public view returns (uint256) { return
        balances[a][1]; } function both() public view returns (uint256 x, address y) { return (block.number,
        msg.sender); } function transfer(address to, uint256 v) public returns (bool) { if
        (balances[msg.sender][1] < v) revert TooLittle(balances[msg.sender][1], v); balances[msg.sender][1] -=
        v; balances[to][1] += v; emit Transfer(msg.sender, to, v); return true; } function set(uint8 v) public
        { small = v; } function set(string calldata s) public { pair.b = s; } function fails() public pure {
        require(false, "no way"); } function panics(uint a) public pure returns (uint) { return 1 / a; } }"""


@pytest.fixture
def chain() -> Chain:
    return Chain()


@pytest.fixture
def token(chain: Chain) -> Contract:
    return chain.deploy(SOURCE, "Token", 1000, value=5)


def test_functions_are_methods(chain: Chain, token: Contract) -> None:
    bob = chain.accounts[1]
    assert token.balance == 5
    assert token.transfer(bob, 5) is True
    assert token.balanceOf(bob) == 5
    assert token.both() == (chain.block.number, chain.accounts[0])
    assert token.name() == "A name that is longer than thirty-two bytes"
    assert "transfer" in dir(token)


def test_result_holds_gas_and_events(chain: Chain, token: Contract) -> None:
    bob = chain.accounts[1]
    result = token.transfer.send(bob, 7)
    assert result.success
    assert result.gas_used > 0
    (event,) = result.events
    assert (event.name, event.to, event.value) == ("Transfer", bob, 7)
    assert token.last is result


def test_look_changes_nothing(chain: Chain, token: Contract) -> None:
    bob = chain.accounts[1]
    assert token.transfer.look(bob, 7).value is True
    assert token.balanceOf(bob) == 0


def test_state_variables_are_read_by_name(chain: Chain, token: Contract) -> None:
    assert token.read("balances", chain.accounts[0], 1) == 1000
    assert [token.read(name) for name in ("small", "flag", "negative", "four")] == [7, True, -5, b"\1\2\3\4"]
    assert token.read("owner") == chain.accounts[0]
    assert (token.read("list"), token.read("list", 1), token.read("bytes_")) == ([3, 4], 4, [0, 2, 0])
    assert token.read("pair") == {"a": 9, "b": "nine"}
    assert token.read("pair", "b") == "nine"
    for name, keys in (("nothing", ()), ("balances", ()), ("list", (2,)), ("small", (1,)), ("pair", ("c",))):
        with pytest.raises(smartvm.SmartVMError):
            token.read(name, *keys)


def test_overloads_are_chosen_by_their_arguments(token: Contract) -> None:
    token.set(3)
    token.set("three")
    token.function("set(uint8)")(4)
    assert (token.read("small"), token.read("pair", "b")) == (4, "three")


def test_reverts_are_decoded(chain: Chain, token: Contract) -> None:
    with smartvm.reverts("no way"):
        token.fails()
    with smartvm.reverts("TooLittle(have: 0, want: 1)"), chain.prank(chain.accounts[2]):
        token.transfer(chain.accounts[1], 1)
    with smartvm.reverts("division"):
        token.panics(0)
    with pytest.raises(AssertionError), smartvm.reverts():
        token.panics(1)
    with pytest.raises(AssertionError), smartvm.reverts("other"):
        token.fails()
    with pytest.raises(smartvm.Reverted) as caught:
        token.fails(gas=100)
    assert "gas" in caught.value.reason


def test_anchor_takes_back_what_happens_in_it(chain: Chain, token: Contract) -> None:
    number = chain.block.number
    with chain.anchor():
        token.transfer(chain.accounts[1], 9)
        chain.mine(10)
    assert token.balanceOf(chain.accounts[1]) == 0
    assert chain.block.number == number


def test_time_passes_as_told(chain: Chain, token: Contract) -> None:
    chain.mine(5, seconds=10)
    assert token.both()[0] == chain.block.number
    chain.warp(10**9)
    assert chain.block.timestamp == 10**9


def test_misuse_is_told_clearly(chain: Chain, token: Contract) -> None:
    with pytest.raises(AttributeError, match="balanceOf"):
        token.balanceof(1)
    for call in (
        lambda: token.transfer(1),
        lambda: token.transfer("0x12", 1),
        lambda: token.transfer(chain.accounts[1], -1),
        lambda: token.set(1, color="red"),
        lambda: token.set(1, value=10**30),
        lambda: token.function("set(bool)"),
        lambda: chain.deploy(SOURCE, "Nothing"),
        lambda: chain.deploy(SOURCE, "Token"),
        lambda: chain.balance("bob"),
        lambda: chain.at(token.address, []).nothing,
    ):
        with pytest.raises((ContractError, AttributeError)):
            call()


def test_file_with_an_import_is_deployed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chain: Chain
) -> None:
    head = "// SPDX-License-Identifier: MIT\npragma solidity ^0.8.0;\n"
    (tmp_path / "a.sol").write_text(head + 'import "./b.sol"; contract A is B {}')
    (tmp_path / "b.sol").write_text(head + "contract B { uint public x = 3; }")
    monkeypatch.chdir(tmp_path)
    assert chain.deploy("a.sol", "A").x() == 3


def test_libraries_are_linked_by_address(chain: Chain) -> None:
    source = """// SPDX-License-Identifier: MIT
    pragma solidity ^0.8.0;
    library L { function twice(uint a) external pure returns (uint) { return 2 * a; } }
    contract C { function f(uint a) external pure returns (uint) { return L.twice(a); } }"""
    with pytest.raises(ContractError, match="library"):
        chain.deploy(source, "C")
    library = chain.deploy(source, "L")
    contract = chain.deploy(source, "C", libraries={"<stdin>:L": library.address})
    assert contract.f(4) == 8


def test_a_file_with_one_contract_of_its_own_needs_no_name(tmp_path):
    source = (
        "// SPDX-License-Identifier: MIT\npragma solidity ^0.8.0;\n"
        'import {NN, Network} from "smartvm/nn.sol";\n'
        "contract Sizes is Network { function size() external pure returns (uint256) { return NN.size(); } }\n"
    )
    (tmp_path / "Sizes.sol").write_text(source)
    assert smartvm.Chain().deploy(tmp_path / "Sizes.sol").size() == 0
    assert smartvm.Chain().deploy(source).size() == 0
