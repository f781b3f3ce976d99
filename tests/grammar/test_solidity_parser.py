"""Solidity text to syntax tree: shapes, ranges, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smartvm.compiler.ast import nodes
from smartvm.compiler.diagnostics import DiagnosticSink, FatalDiagnostic
from smartvm.compiler.grammar.solidity_parser import NodeIds, parse_solidity
from smartvm.compiler.source import SourceText
from smartvm.compiler.yul import ast as yul

HEAD = "// SPDX-License-Identifier: MIT\n"


def parse(text: str) -> nodes.SourceUnit:
    sink = DiagnosticSink()
    unit = parse_solidity(SourceText("a.sol", HEAD + text, 0), NodeIds(), sink)
    assert sink.items == []
    return unit


def problems(text: str) -> list[tuple[str, int | None, str]]:
    """Type, code and covered text of every diagnostic."""
    source = SourceText("a.sol", HEAD + text, 0)
    sink = DiagnosticSink()
    try:
        parse_solidity(source, NodeIds(), sink)
    except FatalDiagnostic:
        assert sink.has_errors
    return [(item.type, item.code, source.slice(item.source)) for item in sink.items]


def statement(text: str) -> nodes.Statement:
    function = parse(f"function f() {{ {text} }}").nodes[0]
    assert isinstance(function, nodes.FunctionDefinition)
    assert function.body is not None
    return function.body.statements[0]


def expression(text: str) -> nodes.Expression:
    found = statement(text + ";")
    assert isinstance(found, nodes.ExpressionStatement)
    return found.expression


def shown(node: nodes.Expression | None) -> str:
    """An expression with a parenthesis for each operation."""
    match node:
        case nodes.BinaryOperation(operator=operator, left_expression=left, right_expression=right):
            return f"({shown(left)} {operator} {shown(right)})"
        case nodes.Assignment(operator=operator, left_hand_side=left, right_hand_side=right):
            return f"({shown(left)} {operator} {shown(right)})"
        case nodes.UnaryOperation(operator=operator, prefix=prefix, sub_expression=operand):
            return f"({operator}{shown(operand)})" if prefix else f"({shown(operand)}{operator})"
        case nodes.Conditional(condition=condition, true_expression=true, false_expression=false):
            return f"({shown(condition)} ? {shown(true)} : {shown(false)})"
        case nodes.TupleExpression(components=components):
            return "<" + ", ".join(shown(component) for component in components) + ">"
        case nodes.Identifier(name=name):
            return name
        case None:
            return ""
    return type(node).__name__


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a + b * c", "(a + (b * c))"),
        ("a - b - c", "((a - b) - c)"),
        ("a ** b ** c", "(a ** (b ** c))"),
        ("-a ** b", "((-a) ** b)"),
        (
            "a == b < c | d ^ e & f << g + h * i ** j",
            "(a == (b < (c | (d ^ (e & (f << (g + (h * (i ** j)))))))))",
        ),
        ("a || b && c || d", "((a || (b && c)) || d)"),
        ("a = b += c ? d : e", "(a = (b += (c ? d : e)))"),
        ("a ? b : c ? d : e", "(a ? b : (c ? d : e))"),
        ("(a, , b) = (c, d)", "(<a, , b> = <c, d>)"),
        ("!a++", "(!(a++))"),
        ("delete a", "(deletea)"),
    ],
)
def test_operators_bind_as_documented(text: str, tree: str) -> None:
    assert shown(expression(text)) == tree


@pytest.mark.parametrize(
    "text",
    ["uint x", "a.b x", "a.b[3][] memory x", "mapping(uint => a) storage x", "address payable x",
     "uint[] memory x",
     "function(uint) external returns (uint) x", "bytes[2 * n] calldata x"],
)  # fmt: skip
def test_statement_that_starts_with_a_type_declares(text: str) -> None:
    declared = statement(text + ";")
    assert isinstance(declared, nodes.VariableDeclarationStatement)
    assert declared.declarations[0] is not None
    assert declared.declarations[0].name == "x"
    assert declared.src.length == len(text)


@pytest.mark.parametrize(
    "text", ["a.b[3] = x", "a[1] = x", "a[1:2]", "f{value: 1}(2)", "f({a: 1, b: 2})", "uint(x)"]
)
def test_statement_that_starts_alike_is_an_expression(text: str) -> None:
    assert isinstance(expression(text), nodes.Expression)


def test_tuple_declaration_keeps_gaps() -> None:
    declared = statement("(, uint a, , b.c memory d, ) = f();")
    assert isinstance(declared, nodes.VariableDeclarationStatement)
    names = [None if variable is None else variable.name for variable in declared.declarations]
    assert names == [None, "a", None, "d", None]


def test_soft_keywords_are_names_where_they_mean_nothing() -> None:
    unit = parse(
        "import {from as error} from 'b.sol';\n"
        "struct layout { uint at; uint transient; }\n"
        "contract revert layout at 5 {\n"
        "  error global(uint error);\n"
        "  uint transient transient;\n"
        "  function from(uint revert) public { "
        "error = revert; revert global(error); revert(); transient.at; }\n"
        "}\n"
        "using {global} for layout global;"
    )
    contract = unit.nodes[2]
    assert isinstance(contract, nodes.ContractDefinition)
    assert contract.name == "revert"
    assert contract.storage_layout is not None
    assert isinstance(contract.nodes[0], nodes.ErrorDefinition)
    variable, function = contract.nodes[1:]
    assert isinstance(variable, nodes.VariableDeclaration)
    assert (variable.name, variable.storage_location) == ("transient", "transient")
    assert isinstance(function, nodes.FunctionDefinition)
    assert function.body is not None
    kinds = [type(item).__name__ for item in function.body.statements]
    assert kinds == ["ExpressionStatement", "RevertStatement", "ExpressionStatement", "ExpressionStatement"]


def test_underscore_is_a_placeholder_only_in_modifiers() -> None:
    unit = parse("contract C { modifier m { if (true) _; _; } function f(uint _) public { _; } }")
    modifier, function = unit.nodes[0].nodes  # type: ignore[attr-defined]
    assert isinstance(modifier.body.statements[1], nodes.PlaceholderStatement)
    assert isinstance(function.body.statements[0], nodes.ExpressionStatement)


def test_try_statement_tells_call_options_from_its_block() -> None:
    found = statement("try a.f{value: 1}(2) returns (uint x) { } catch Error(string memory) { } catch { }")
    assert isinstance(found, nodes.TryStatement)
    assert [clause.error_name for clause in found.clauses] == ["", "Error", ""]


def test_function_type_takes_the_first_visibility_and_the_variable_the_second() -> None:
    unit = parse("contract C { function(uint) external internal x; }")
    variable = unit.nodes[0].nodes[0]  # type: ignore[attr-defined]
    assert (variable.type_name.visibility, variable.visibility) == ("external", "internal")


def test_ranges_count_bytes() -> None:
    text = '/* äöü */ contract C { string s = unicode"ä"; }'
    unit = parse(text)
    source = SourceText("a.sol", HEAD + text, 0)
    contract = unit.nodes[0]
    assert source.slice(contract.src).startswith("contract C {")
    assert source.slice(contract.nodes[0].src) == 'string s = unicode"ä"'  # type: ignore[attr-defined]


def test_documentation_loses_its_marks() -> None:
    unit = parse(
        "/// first\n///second\n///\n///  third\ncontract C {\n"
        "  /**\n   * @dev one\n   *\n   *  two\n   */\n  function f() external {}\n}"
    )
    contract = unit.nodes[0]
    assert isinstance(contract, nodes.ContractDefinition)
    assert contract.documentation is not None
    assert contract.documentation.text == "first\nsecond\n  third"
    assert contract.nodes[0].documentation.text == " @dev one\n  two"  # type: ignore[attr-defined]


def test_inline_assembly_becomes_a_yul_tree() -> None:
    found = statement(
        'assembly "evmasm" ("memory-safe") { let a, b := f(0x10, "x") for {} lt(a, s.slot) {} { break } }'
    )
    assert isinstance(found, nodes.InlineAssembly)
    assert found.flags == ("memory-safe",)
    declaration, loop = found.operations.statements
    assert isinstance(declaration, yul.VariableDeclaration)
    assert declaration.names == ("a", "b")
    assert isinstance(loop, yul.ForLoop)
    assert isinstance(loop.body.statements[0], yul.Break)


def test_ids_of_children_come_before_those_of_parents() -> None:
    unit = parse("contract C { function f(uint a) public returns (uint) { return a + 1; } }")
    contract = unit.nodes[0]
    function = contract.nodes[0]  # type: ignore[attr-defined]
    assert function.parameters.parameters[0].id < function.parameters.id < function.id < contract.id < unit.id


@pytest.mark.parametrize(
    ("text", "code", "covered"),
    [
        ("contract C { uint a }", 2314, "}"),
        ("contract C { 5 }", 9182, "5"),
        ("uint x = ;", 6933, ";"),
        ("hello", 7858, "hello"),
        ("function f() { +a; }", 9636, "+"),
        ("function f(uint a,) {}", 7591, ","),
        ("function f() { uint[1:2] memory x; }", 5464, "uint[1:2]"),
        ("function f() { a.b() x; }", 2314, "x"),
        ("function f() { (uint a) + 1; }", 2314, "+"),
        ("function f() returns () {}", 3546, ")"),
        ("abstract A {}", 3515, "A"),
        ("import 5;", 9478, "5"),
        ('import {a} of "b";', 8208, "of"),
        ('import "";', 6326, ";"),
        ("enum E { a, }", 1612, "}"),
        ("enum E {}", 3147, "}"),
        ("contract C { mapping(mapping(a => b) => c) x; }", 1005, "mapping"),
        ("function f() { emit 5; }", 5620, "5"),
        ("uint x = 01;", 8936, "0"),
        ('string x = "a\x01";', 8936, '"a\x01'),
        ("function f() { if (a) unchecked {} }", 5296, "unchecked"),
        ("function f() { [1, , 2]; }", 4799, ","),
        ("function f() { f({a: 1,}); }", 2074, ","),
        ("contract C { function f() public public {} }", 9439, "public"),
        ("contract C { uint public public x; }", 4110, "public"),
        ("function f() view pure {}", 9680, "pure"),
        ("using {f as ++} for T;", 4403, "++"),
        ("pragma solidity ^0.7.0;", 5333, "pragma solidity ^0.7.0;"),
        ("pragma solidity hello;", 1684, "pragma solidity hello;"),
        ('function f() { assembly "x" {} }', 4531, '"x"'),
        ("function f() { assembly { x } }", 6913, "}"),
        ("function f() { assembly { x := } }", 1856, "}"),
        ("function f() { assembly { switch 1 } }", 2418, "}"),
        ("function f() { assembly { switch 1 case x {} } }", 4805, "x"),
        ("function f() { assembly { let x := 1.5 } }", 4828, "1.5"),
        ("function f() { assembly { let x : u256 } }", 5473, "x : u256"),
        ("function f() { assembly { 1 := 2 } }", 2856, ":="),
        ("/* open", 7858, "/* open"),
    ],
)
def test_mistake_is_told_by_solcs_code(text: str, code: int, covered: str) -> None:
    found = problems(text)
    assert (code, covered) in [(item[1], item[2]) for item in found]
    assert all(item[0] == "ParserError" for item in found)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("break", 2592),
        ("for { break } 1 {} {}", 9615),
        ("for {} 1 { continue } {}", 2461),
        ("leave", 8149),
        ("for { function f() {} } 1 {} {}", 3441),
    ],
)
def test_misplaced_statement_of_assembly_is_refused(text: str, code: int) -> None:
    assert [item[1] for item in problems(f"function f() {{ assembly {{ {text} }} }}")] == [code]


def test_several_mistakes_are_reported_at_once() -> None:
    found = problems("contract C { function f() public public virtual virtual {} uint constant constant x; }")
    assert [item[1] for item in found] == [9439, 6879, 3109]


def test_licence_is_read_outside_of_the_items() -> None:
    sink = DiagnosticSink()
    text = "/* SPDX-License-Identifier: MIT */ contract C { /* SPDX-License-Identifier: Other */ }"
    assert parse_solidity(SourceText("a", text, 0), NodeIds(), sink).license == "MIT"
    assert sink.items == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("contract C {}", 1878),
        (HEAD + HEAD + "contract C {}", 3716),
        ("// SPDX-License-Identifier: !\ncontract C {}", 1114),
    ],
)
def test_missing_repeated_or_malformed_licence_is_reported(text: str, code: int) -> None:
    sink = DiagnosticSink()
    parse_solidity(SourceText("a", text, 0), NodeIds(), sink)
    assert [item.code for item in sink.items] == [code]


@pytest.mark.parametrize(
    "text",
    [
        "uint x = " + "(" * 10_000 + "1" + ")" * 10_000 + ";",
        "uint x = " + "[" * 10_000 + ";",
        "function f() " + "{" * 10_000,
        "uint x = " + "!" * 10_000 + "true;",
        "uint x = 1" + " + 1" * 10_000 + ";",
        "uint x = f" + "()" * 10_000 + ";",
        "uint x = a" + ".a" * 10_000 + ";",
        "function f() { " + "if (a) {} else " * 10_000 + "{} }",
        "function f() { assembly { " + "{" * 10_000 + " } }",
        "function f() { assembly { x := " + "f(" * 10_000 + " } }",
    ],
)
def test_deep_nesting_is_an_error_not_a_crash(text: str) -> None:
    assert [item[1] for item in problems(text)] == [7319]


_SEED = (
    HEAD
    + """
pragma solidity ^0.8.0;
import {A as B} from "b.sol";
library L { function f(uint[] storage s, bytes calldata b) internal pure returns (uint) { unchecked { return
s[0]++; } } } abstract contract C is B(1), D layout at 0x10 { using L for *; event E(uint indexed a)
anonymous; error X(string); struct S { mapping(uint k => S v) m; } modifier m(uint a) virtual { _; } function
g() external payable override(B, D) m(1) returns (function(uint) view external h) { try this.g{value: 1
ether}() returns (uint) {} catch Error(string memory s) { emit E(1); } catch { revert X("a"); } for (uint i =
0; i < 10; ++i) { if (a) continue; else break; } do { (a, , b) = (1, , 2); } while (x ? y : z); assembly
("memory-safe") { let z := add(1, 0x20) switch z case 0 { leave } default { mstore(0, "x") } } } }
"""
)


@settings(max_examples=300, deadline=None)
@given(
    start=st.integers(0, len(_SEED)),
    length=st.integers(0, 40),
    inserted=st.one_of(
        st.text(max_size=5),
        st.sampled_from(
            ["(", ")", "{", "}", ";", '"', "/*", "unicode'", "0x", "1_", "modifier", "_", "assembly {", "as"]
        ),
    ),
)
def test_mutated_source_ends_in_a_tree_or_in_diagnostics(start: int, length: int, inserted: str) -> None:
    text = _SEED[:start] + inserted + _SEED[start + length :]
    sink = DiagnosticSink()
    source = SourceText("a.sol", text, 0)
    try:
        unit = parse_solidity(source, NodeIds(), sink)
    except FatalDiagnostic:
        assert sink.has_errors
    else:
        assert unit.src.end == len(source.utf8)
