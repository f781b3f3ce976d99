"""What the Yul checker refuses, with solc's codes; and the dialect that it goes by."""

from __future__ import annotations

import pytest
from smartvm.compiler.diagnostics import DiagnosticSink
from smartvm.compiler.source import SourceText
from smartvm.compiler.yul import ast
from smartvm.compiler.yul.checker import check_block, check_object
from smartvm.compiler.yul.dialect import dialect_for
from smartvm.compiler.yul.parser import parse_yul, parse_yul_text
from smartvm.instructions.loader import load_table


def problems(text: str, *, table: str = "default", fork: str = "osaka", objects: bool = True):
    source, sink = SourceText("a.yul", text, 0), DiagnosticSink()
    parsed = parse_yul(source, sink)
    assert sink.items == []
    check_object(parsed, dialect_for(load_table(table), fork, objects), sink, source)
    return [(item.code, source.slice(item.source)) for item in sink.items]


@pytest.mark.parametrize(
    "text",
    [
        "{ let x := 1 { let y := x } let y := 2 }",
        "{ function f(a) -> b { b := g(a) } function g(a) -> b { b := f(a) } pop(f(1)) }",
        "{ for { let i := 0 } lt(i, 3) { i := add(i, 1) } { let j := i } let j := 1 }",
        "{ { function f() { } f() } function g() { } g() }",
        "{ let a, b := btos0(0, 2) let c := btos0(a, 1) sstore(b, c) }",
        "{ conv_mul(1, 3, 6, 28, 28, 5, 1, 0) buf_bias(2) act_rl(0) mstore(0, buf_size()) }",
        'object "a" { code { sstore(datasize("b"), dataoffset("b.c")) pop(datasize("a")) } '
        'object "b" { code { } data "c" "x" } }',
        '{ verbatim_0i_0o(hex"5b") let x, y := verbatim_1i_2o("ab", 1) pop(add(x, y)) }',
        '{ setimmutable(0, "long name that exceeds thirty-two bytes", 5) pop(loadimmutable("x")) }',
        "{ let x := memoryguard(128) let basefees := 1 }",
    ],
)
def test_right_code_is_accepted(text):
    assert problems(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{ f() }", [(4619, "f")]),
        ("{ pop(x) }", [(8198, "x")]),
        ("{ x := 1 }", [(4634, "x")]),
        ("{ pop(x) let x }", [(4990, "x")]),
        ("{ x := 1 let x }", [(1133, "x")]),
        ("{ let x let x }", [(1395, "let x")]),
        ("{ let x { let x } }", [(1395, "let x")]),
        ("{ let f function f() { } }", [(1395, "let f")]),
        ("{ function f() { } { function f() { } } }", [(6052, "function f() { }")]),
        ("{ let x function f() { pop(x) } }", [(8198, "x")]),
        ("{ function f() { } pop(f) }", [(6041, "f")]),
        ("{ function f() { } f := 1 }", [(2657, "f")]),
        ("{ let x x() }", [(4202, "x")]),
        ("{ let add }", [(5568, "add")]),
        ("{ add := 1 }", [(6272, ":=")]),
        ("{ let x, x := btos0(0, 2) }", [(1395, "let x, x := btos0(0, 2)")]),
        ("{ function f(mul) -> mod { } }", [(5568, "mul"), (5568, "mod")]),
        ("{ let verbatims }", [(5017, "verbatims")]),
        ("{ function add() { } add() }", [(5568, "add")]),
        ("{ /* é add */ let é }".replace("é }", "add }"), [(5568, "add")]),
        ("{ pop(add) }", [(7104, "add")]),
        ("{ let x := add(1) }", [(7000, "add")]),
        ("{ let x := conv_mul(1) }", [(90012, "conv_mul")]),
        ("{ add(1, 2) }", [(3083, "add(1, 2)")]),
        ("{ let x, y := add(1, 2) }", [(3812, "let x, y := add(1, 2)")]),
        ("{ let x x := stop() }", [(8678, "x := stop()")]),
        ("{ let x x, x := btos0(0, 2) }", [(9005, "x, x := btos0(0, 2)")]),
        ("{ if btos0(0, 2) { } }", [(3950, "btos0(0, 2)")]),
        ("{ let x := btos0(0, 17) }", [(90011, "17")]),
        ("{ let x := btos0(0, 0) }", [(90011, "0")]),
        ("{ let n := 1 let x := btos0(0, n) }", [(9114, "btos0")]),
        ("{ let x := btos0(0, true) }", [(5859, "true")]),
        ("{ switch 1 case 1 { } case 0x01 { } }", [(6792, "case 0x01 { }")]),
        ("{ switch 1 default { } }", [(9592, "switch 1 default { }")]),
        ('{ let x := "' + "a" * 33 + '" }', [(3069, '"' + "a" * 33 + '"')]),
        ("{ let x := 0x1" + "0" * 64 + " }", [(6708, "0x1" + "0" * 64)]),
        ('{ pop(datasize("x")) }', [(3517, '"x"')]),
        ("{ let s pop(datasize(s)) }", [(9114, "datasize")]),
        ('{ verbatim_0i_0o("") }', [(1844, '""')]),
        ('{ verbatim_0i_100o("x") }', [(4619, "verbatim_0i_100o")]),
        ("{ let datasize }", [(5568, "datasize")]),
        ("{ let dup1 }", [(5017, "dup1")]),
        ("{ let a. }", [(3384, "a.")]),
        ("{ let a..b }", [(7771, "a..b")]),
        ("{ pop(pc()) }", [(2450, "pc")]),
        ("{ jump(1) }", [(4619, "jump")]),
        ("{ selfdestruct(1) }", [(1699, "selfdestruct")]),
        ("{ tstore(1, 1) tstore(2, 2) }", [(2394, "tstore")]),
        ("{ pop(difficulty()) }", [(4619, "difficulty")]),
    ],
)
def test_wrong_code_is_refused_with_solcs_code_and_place(text, expected):
    assert problems(text)[: len(expected)] == expected


@pytest.mark.parametrize(
    ("name", "call", "fork", "code"),
    [
        ("shl", "pop(shl(1, 2))", "byzantium", 6612),
        ("mcopy", "mcopy(0, 0, 0)", "shanghai", 7755),
        ("basefee", "pop(basefee())", "berlin", 5430),
        ("tload", "pop(tload(0))", "shanghai", 6243),
        ("clz", "pop(clz(1))", "prague", 90010),
        ("prevrandao", "pop(prevrandao())", "london", 90010),
    ],
)
def test_instruction_that_the_evm_version_lacks_is_refused(name, call, fork, code):
    # The values that the call should have given may be missed in a second report, as in solc.
    assert problems("{ " + call + " }", fork=fork)[0] == (code, name)
    assert problems("{ " + call + " }") == []


def test_names_of_new_instructions_are_free_in_old_forks():
    assert problems("{ let mcopy := 1 }", fork="shanghai") == []
    assert problems("{ let shl := 1 }", fork="byzantium") == [(5017, "shl")]
    assert problems("{ let conv_mul := 1 }", table="evm") == []


def test_dnn_instructions_exist_only_in_tables_that_have_them():
    assert problems("{ buf_free(1) }", table="evm") == [(4619, "buf_free")]
    assert problems("{ buf_free(1) }", table="paper") == []


def test_inline_assembly_has_no_object_builtins():
    assert problems('{ pop(datasize("object")) }', objects=False)[0] == (4619, "datasize")
    assert problems("{ let datasize }", objects=False) == [(5017, "datasize")]


class _Outside:
    def __init__(self) -> None:
        self.asked: list[tuple[str, str, bool]] = []

    def resolve(self, name, source, use, inside_function):
        self.asked.append((name, use, inside_function))
        return name.startswith("solidity")

    def is_taken(self, name):
        return name == "taken"


def test_names_of_the_surrounding_solidity_are_asked_for():
    block = parse_yul_text(
        "solidity.slot := solidity_x function f() { pop(solidity_y) } pop(other) let taken := 1"
    )
    outside, sink = _Outside(), DiagnosticSink()
    check_block(block, dialect_for(load_table(), "osaka", False), sink, external=outside)
    assert ("solidity.slot", "assignment", False) in outside.asked
    assert ("solidity_y", "value", True) in outside.asked
    assert [item.code for item in sink.items] == [8198, 3859]


def test_every_instruction_of_a_fork_is_a_builtin_with_its_operands():
    table = load_table()
    for fork in table.forks:
        dialect = dialect_for(table, fork)
        for instruction in table.for_fork(fork).values():
            builtin = dialect.find(instruction.yul_name)
            assert (builtin is not None) == instruction.is_yul_builtin
            if builtin is not None and instruction.result_count is None:
                arguments = tuple(ast.Literal("number", 0) for _ in instruction.operands)
                assert builtin.return_count(ast.FunctionCall(builtin.name, arguments)) == len(
                    instruction.results
                )
