"""Types, purity and lvalues of expressions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from smartvm.compiler.analysis import types as t
from smartvm.compiler.ast import nodes

_FRAME = """
type Price is uint128;
using {{add as +}} for Price global;
function add(Price a, Price b) pure returns (Price) {{
    return Price.wrap(Price.unwrap(a) + Price.unwrap(b));
}}
library Words {{ function twice(uint x) internal pure returns (uint) {{ return 2 * x; }} }}
interface I {{ function f(uint x) external view returns (bytes32); error Bad(uint); event Done(uint); }}
contract C {{
    using Words for uint;
    enum Color {{ Red, Green }}
    struct Pair {{ uint a; uint[] b; }}
    uint constant LIMIT = 3;
    uint public x; uint8 small; int16 signed; address payable owner; I other; Pair pair; Color color;
    bytes data; uint[] list; mapping(address => Pair) pairs; Price price;
    function() external callback;
    function g(uint a) internal pure returns (uint, bool) {{ return (a, true); }}
    function probe(uint[] calldata input, bytes memory m) external payable {{ {expression}; }}
}}
"""


def _probed(analyse: Callable[..., Any], expression: str) -> tuple[Any, nodes.Expression]:
    analysis = analyse(_FRAME.format(expression=expression))
    probe = analysis.named(nodes.FunctionDefinition, "probe")
    statement = probe.body.statements[0]  # type: ignore[attr-defined]
    return analysis, statement.expression


@pytest.mark.parametrize(
    ("expression", "type_"),
    [
        ("1 + 2", "int_const 3"),
        ("7 / 2", "rational_const 7 / 2"),
        ("small + 1", "uint8"),
        ("small + 300", "uint16"),
        ("2 ** small", "uint256"),
        ("-signed", "int16"),
        ("x << 2", "uint256"),
        ("1 << x", "uint256"),
        ("x == 1", "bool"),
        ("true ? small : x", "uint256"),
        ("true ? 1 : 2", "uint8"),
        ("[1, 2, 300]", "uint16[3] memory"),
        ("(1, true)", "tuple(int_const 1,bool)"),
        ('"abc"', 'literal_string "abc"'),
        ("owner.balance", "uint256"),
        ('owner.call("")', "tuple(bool,bytes memory)"),
        ("address(this)", "address"),
        ("payable(msg.sender)", "address payable"),
        ("msg.data[4:]", "bytes calldata slice"),
        ("input[1:][0]", "uint256"),
        ("pair", "struct C.Pair storage ref"),
        ("pair.b", "uint256[] storage ref"),
        ("pairs[owner].a", "uint256"),
        ("Pair(1, new uint[](2))", "struct C.Pair memory"),
        ("Pair({b: new uint[](2), a: 1}).b", "uint256[] memory"),
        ("list.push()", "uint256"),
        ("list.pop", "function (uint256[] storage pointer)"),
        ("data[0]", "bytes1"),
        ("bytes4(m)", "bytes4"),
        ("x.twice()", "uint256"),
        ("x.twice", "function (uint256) pure returns (uint256)"),
        ("price + price", "Price"),
        ("Price.unwrap(price)", "uint128"),
        ("Color.Green", "enum C.Color"),
        ("type(Color).max", "enum C.Color"),
        ("type(int8).min", "int8"),
        ("type(I).interfaceId", "bytes4"),
        ("g(1)", "tuple(uint256,bool)"),
        ("other.f", "function (uint256) view external returns (bytes32)"),
        ("other.f{gas: 5}(1)", "bytes32"),
        ("I.f.selector", "bytes4"),
        ("I.Done.selector", "bytes32"),
        ("this.x", "function () view external returns (uint256)"),
        ("abi.encode(1, owner)", "bytes memory"),
        ("abi.decode(m, (uint, Pair, address))", "tuple(uint256,struct C.Pair memory,address payable)"),
        ("abi.encodeCall(other.f, (1))", "bytes memory"),
        ("keccak256(m)", "bytes32"),
        ("bytes.concat(m, bytes2(0x1234))", "bytes memory"),
        ("new I[](3)", "contract I[] memory"),
        ("callback.address", "address"),
        ("uint8", "type(uint8)"),
        ("uint[2][]", "type(uint256[2] memory[] memory)"),
        ("(x, small) = (1, 2)", "tuple()"),
        ("delete x", "tuple()"),
        ("block.prevrandao", "uint256"),
        ("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "address"),
        ("1 ether", "int_const 1000000000000000000"),
        ("1.5 days", "int_const 129600"),
        ("I.Bad(1)", "error"),
    ],
)
def test_expressions_have_the_types_of_solc(analyse: Callable[..., Any], expression: str, type_: str) -> None:
    if expression == "I.Bad(1)":
        analysis, call = _probed(analyse, "require(true, I.Bad(1))")
        probed = call.arguments[1]  # type: ignore[attr-defined]
    else:
        analysis, probed = _probed(analyse, expression)
    assert analysis.facts.type_of(probed).text() == type_


@pytest.mark.parametrize(
    ("expression", "pure"),
    [
        ("1 + 2", True),
        ("LIMIT * 2", True),
        ('keccak256("a")', True),
        ("I.f.selector", True),
        ("this.probe.selector", True),
        ("type(I).interfaceId", True),
        ("new uint[](2)", True),
        ("x", False),
        ("msg.sender", False),
        ("g(1)", False),
        ("x = 1", False),
    ],
)
def test_pure_expressions_are_those_known_when_compiling(
    analyse: Callable[..., Any], expression: str, pure: bool
) -> None:
    analysis, probed = _probed(analyse, expression)
    assert analysis.facts.is_pure[probed.id] is pure


def test_named_arguments_are_sorted_by_parameter(analyse: Callable[..., Any]) -> None:
    analysis, call = _probed(analyse, "Pair({b: new uint[](2), a: 1})")
    first, second = analysis.facts.sorted_arguments[call.id]
    assert analysis.facts.type_of(first).text() == "int_const 1"
    assert analysis.facts.type_of(second).text() == "uint256[] memory"
    assert analysis.facts.call_kind[call.id] == "struct_constructor_call"


def test_overloads_are_resolved_by_arguments(analyse: Callable[..., Any]) -> None:
    analysis = analyse(
        """contract C {
            function f(uint8 a) internal pure returns (uint) { return a; }
            function f(bool a) internal pure returns (uint) { return a ? 1 : 0; }
            function g() external pure returns (uint) { return f(true); }
        }"""
    )
    call = next(n for n in analysis.facts.node_by_id.values() if isinstance(n, nodes.FunctionCall))
    chosen = analysis.facts.referenced_declaration[call.expression.id]
    assert analysis.facts.type_of_declaration(chosen).parameter_types == (t.BOOL,)
    assert len(analysis.facts.overloaded_declarations[call.expression.id]) == 2


def test_super_and_virtual_calls_are_told_apart(analyse: Callable[..., Any]) -> None:
    analysis = analyse(
        """contract A { function f() public virtual {} }
        contract B is A {
            function f() public override { super.f(); A.f(); g(); }
            function g() internal virtual {}
        }"""
    )
    lookups = [
        analysis.facts.required_lookup[n.expression.id]
        for n in sorted(analysis.facts.node_by_id.values(), key=lambda node: node.src.start)
        if isinstance(n, nodes.FunctionCall)
    ]
    assert lookups == ["super", "static", "virtual"]


def test_long_sums_do_not_exhaust_the_stack(analyse: Callable[..., Any]) -> None:
    total = " + ".join(["x"] * 900)
    assert analyse(
        f"contract C {{ uint x; function f() public view returns (uint) {{ return {total}; }} }}"
    ).model
