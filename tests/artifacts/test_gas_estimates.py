"""Gas estimates are bounds that executions keep to, and say ``infinite`` where there is none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smartvm.abi import Signature, parse_signature
from smartvm.compiler.artifacts.intervals import OPERATIONS, Interval
from smartvm.compiler.backend.arithmetic import FOLDING
from smartvm.compiler.pipeline import CompilationUnit, CompiledContract
from smartvm.compiler.settings import CompilerSettings
from smartvm.compiler.standard_json import compile_standard
from smartvm.vm.machine import Machine
from smartvm.vm.messages import BlockEnvironment, Message, TransactionEnvironment
from smartvm.vm.state import MemoryStore
from smartvm.vm.world import WorldState

SENDER = bytes.fromhex("12" * 20)
GAS = 10_000_000
HEAD = "// SPDX-License-Identifier: MIT\npragma solidity ^0.8.0;\n"
WORDS = [0, 1, 2, 255, 256, 2**128, 2**255, 2**256 - 1]

TEXT = (
    HEAD
    + """
contract Base { function inherited() external virtual returns (uint) { return 1; } }
contract C is Base {
    struct Point { uint128 x; uint128 y; }
    event Moved(address indexed who, uint amount);
    error Refused(uint why);
    uint public x = 5;
    mapping(address => uint) public balance;
    Point point;
    uint[4] fixedArray;
    uint immutable born = block.number;
    function set(uint v) external { x = v; }
    function add(uint a, uint b) external pure returns (uint) { return a + b; }
    function power(uint a, uint b) external pure returns (uint) { unchecked { return a ** b; } }
    function branch(uint a) external returns (uint) {
        if (a > 10) { x = a; return 1; } else if (a == 3) { revert Refused(a); }
        return triple(a) + triple(a + 1) + born;
    }
    function triple(uint a) internal pure returns (uint) { require(a < 1000, "too much"); return a * 3; }
    function move(address to, uint v) external {
        require(balance[msg.sender] >= v, "short");
        unchecked { balance[msg.sender] -= v; balance[to] += v; }
        emit Moved(to, v);
    }
    function mint(uint v) external { balance[msg.sender] += v; point = Point(uint128(v), 7); }
    function at(uint i) external returns (uint) { fixedArray[i] = i; return fixedArray[3 - i]; }
    function hash(bytes32 a) external pure returns (bytes32) { return keccak256(abi.encode(a, uint(1))); }
    function word() external pure returns (string memory) { return "hello"; }
    function inherited() external override returns (uint) { x++; return x; }
    function loop(uint n) external view returns (uint y) { for (uint i; i < n; i++) y += x; }
    function text(string calldata s) external { x = bytes(s).length; }
    fallback() external { x = 9; }
    receive() external payable { x = 3; }
}"""
)


def compiled(text: str, optimize: bool) -> CompiledContract:
    return CompilationUnit({"a.sol": text}, CompilerSettings(optimize=optimize)).contracts["a.sol", "C"]


def estimates_of(contract: CompiledContract) -> dict[str, Any]:
    from smartvm.compiler.artifacts.gas_estimates import gas_estimates

    return gas_estimates(contract)


class Account:
    """A deployed contract; ``gas`` is what a message to it uses."""

    def __init__(self, code: bytes) -> None:
        state = WorldState(MemoryStore())
        state.set_balance(SENDER, 10**24)
        self.machine = _machine(state)
        self.machine.begin_transaction(TransactionEnvironment(origin=SENDER))
        result = self.machine.create(Message(SENDER, bytes(20), GAS, code, 0))
        assert result.success
        self.creation_gas = result.gas_used
        self.address = result.created_address
        self.machine.finish_transaction()

    def gas(self, data: bytes, value: int = 0) -> int:
        self.machine.begin_transaction(TransactionEnvironment(origin=SENDER))
        result = self.machine.call(Message(SENDER, self.address, GAS, data, value))
        assert result.error is None
        self.machine.finish_transaction()
        return result.gas_used


def _machine(state: WorldState) -> Machine:
    from smartvm.instructions.loader import load_table

    return Machine(load_table("evm"), "osaka", state, BlockEnvironment(), engine="interpreter")


def inputs(signature: Signature) -> Iterator[bytes]:
    """Calldata for a function of words: each edge value in each place, and too little of it."""
    selector = signature.selector
    count = len(signature.types)
    yield selector
    for i in range(len(WORDS)):
        words = [WORDS[(i + j) % len(WORDS)] for j in range(count)]
        yield selector + b"".join(word.to_bytes(32, "big") for word in words)
        yield selector + b"".join(word.to_bytes(32, "big") for word in words) + b"\1" * 100


@pytest.mark.parametrize("optimize", [True, False], ids=["optimized", "plain"])
def test_executions_keep_to_the_bounds(optimize: bool) -> None:
    contract = compiled(TEXT, optimize)
    estimates = estimates_of(contract)
    account = Account(contract.assembled.bytecode)
    total = int(estimates["creation"]["totalCost"])
    assert int(estimates["creation"]["codeDepositCost"]) == 200 * len(contract.deployed.bytecode)
    assert account.creation_gas <= total
    bounded = 0
    for text, selector in contract.method_identifiers.items():
        bound = estimates["external"][text]
        if bound == "infinite":
            continue
        bounded += 1
        dearest = 0
        for _ in range(2):
            for data in inputs(parse_signature(text)):
                dearest = max(dearest, account.gas(data))
        assert data[:4].hex() == selector
        assert dearest <= int(bound)
        assert int(bound) <= 2 * dearest + 45_000, text  # a bound that says something
    assert bounded >= 11
    other = max(account.gas(b""), account.gas(b"\xff" * 4), account.gas(b"", 5), account.gas(b"\xff" * 40))
    assert other <= int(estimates["external"][""])


def test_loops_and_outside_sizes_have_no_bound() -> None:
    external = estimates_of(compiled(TEXT, True))["external"]
    assert external["loop(uint256)"] == "infinite"
    text = (
        HEAD
        + "contract C { string s; function f(string calldata t) external { s = t; } uint[] a; "
        + ("function g(address t) external { C(t).f('x'); } constructor(uint[] memory n) { a = n; } }")
    )
    estimates = estimates_of(compiled(text, True))
    assert set(estimates["external"].values()) == {"infinite"}
    assert estimates["creation"]["executionCost"] == estimates["creation"]["totalCost"] == "infinite"


@pytest.mark.parametrize("optimize", [False, True])
def test_functions_that_call_themselves_have_no_bound(optimize: bool) -> None:
    text = HEAD + (
        "contract C { function f(uint a) external pure returns (uint b) { assembly { "
        "function fac(n) -> r { switch n case 0 { r := 1 } default { r := mul(n, fac(sub(n, 1))) } } b := fac(a) } } "
        "function g(uint a) public pure returns (uint) { return a == 0 ? 1 : g(a - 1) + g(a / 2); } }"
    )
    assert set(estimates_of(compiled(text, optimize))["external"].values()) == {"infinite"}


def test_internal_functions_are_listed_by_signature() -> None:
    text = HEAD + (
        "contract C { uint s; function a(uint x) internal returns (uint) { s = x; return x + 1; } "
        "function b(uint n) private returns (uint r) { while (n-- > 0) r += a(n); } "
        "function c() external returns (uint) { return a(1) + a(2) + b(3); } }"
    )
    estimates = estimates_of(compiled(text, False))
    assert set(estimates["internal"]) == {"a(uint256)", "b(uint256)"}
    assert 20_000 < int(estimates["internal"]["a(uint256)"]) < 25_000
    assert estimates["internal"]["b(uint256)"] == "infinite"
    assert estimates["external"] == {"c()": "infinite"}


def test_internal_functions_are_listed_with_types_that_have_no_external_signature() -> None:
    text = HEAD + (
        "struct S { uint a; } contract C { S s; function look(bytes memory) internal view {} "
        "function f(function(bytes memory) internal view g, S storage p) internal view { g(''); p; } "
        "function c() external view { f(look, s); } }"
    )
    assert set(estimates_of(compiled(text, False))["internal"]) == {
        "look(bytes memory)", "f(function (bytes memory) view,struct S storage pointer)",
    }  # fmt: skip


def test_contract_without_functions_has_creation_alone_and_interfaces_have_none() -> None:
    text = HEAD + "contract C { uint z = 1; } interface I { function f() external; }"
    request = {
        "language": "Solidity",
        "sources": {"a.sol": {"content": text}},
        "settings": {"outputSelection": {"*": {"*": ["evm.gasEstimates"]}}},
    }
    contracts = compile_standard(request)["contracts"]["a.sol"]
    assert set(contracts["C"]["evm"]["gasEstimates"]) == {"creation"}
    assert 22_100 < int(contracts["C"]["evm"]["gasEstimates"]["creation"]["executionCost"]) < 22_300
    assert contracts["I"]["evm"]["gasEstimates"] is None


def intervals() -> st.SearchStrategy[Interval]:
    near = st.sampled_from([0, 1, 31, 32, 255, 256, 2**128, 2**255 - 1, 2**255, 2**256 - 1])
    word = st.one_of(near, st.integers(0, 2**256 - 1), st.integers(0, 300))
    return st.tuples(word, word).map(lambda pair: (min(pair), max(pair)))


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(sorted(OPERATIONS)), st.lists(intervals(), min_size=2, max_size=2), st.data())
def test_interval_of_a_result_holds_every_result(name: str, operands: list[Interval], data: st.DataObject) -> None:
    used = operands[:1] if name in ("NOT", "ISZERO") else operands
    values = [data.draw(st.one_of(st.sampled_from(pair), st.integers(*pair))) for pair in used]
    low, high = OPERATIONS[name](*used)
    assert 0 <= low <= FOLDING[name](*values) <= high < 2**256
