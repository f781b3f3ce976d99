"""The optimised program printed as Yul: it reads as one wrote it, and compiles to code of the same behaviour."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from machine import OutOfSteps, evaluate, execute
from random_yul import ProgramWriter
from smartvm.compiler.backend import BackendSettings, optimized_object
from smartvm.compiler.backend.control_flow import drop_unreachable, split_critical_edges
from smartvm.compiler.backend.items import InstructionSet
from smartvm.compiler.backend.ssa import Function, Operation, Program
from smartvm.compiler.backend.yul_form import program_to_yul
from smartvm.compiler.diagnostics import DiagnosticSink
from smartvm.compiler.source import NO_SOURCE
from smartvm.compiler.yul import ast as yul
from smartvm.compiler.yul.checker import check_object
from smartvm.compiler.yul.dialect import dialect_for
from smartvm.compiler.yul.printer import print_object
from smartvm.instructions.loader import load_table

CALLDATA = bytes(range(7, 70))
DIALECT = dialect_for(load_table("evm"), "osaka")


@pytest.fixture
def optimized(parse):
    """``optimized(text or tree)``: the text of the optimised object."""

    def call(source):
        tree = parse(source) if isinstance(source, str) else source
        return print_object(optimized_object(tree, DIALECT, BackendSettings()), origins=False)

    return call


@pytest.fixture
def checked(parse):
    """``checked(text)``: the text's tree, which has no errors."""

    def call(text):
        tree = parse(text)
        sink = DiagnosticSink()
        check_object(tree, DIALECT, sink)
        assert not sink.has_errors, sink.items
        return tree

    return call


def code(text: str) -> str:
    """The lines between ``code {`` and the end, one blank between words."""
    return " ".join(text.split())


@pytest.mark.parametrize("width", [6, 25])
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 10**9))
def test_printed_program_compiles_to_the_same_behaviour(seed, width, parse, assemble, optimized, checked):
    tree = parse(ProgramWriter(seed, width).program())
    try:
        expected = evaluate(tree, CALLDATA).observed()
    except OutOfSteps:
        return
    again = checked(optimized(tree))
    for optimize in (False, True):
        assert execute(assemble(again, optimize=optimize).bytecode, CALLDATA).observed() == expected


def test_loops_switches_and_names_are_those_of_the_source(optimized):
    text = code(
        optimized(
            """{
            function total(limit) -> sum {
                for { let i := 0 } lt(i, limit) { i := add(i, 1) } {
                    if eq(i, 3) { continue }
                    sum := add(sum, calldataload(i))
                }
            }
            function other(x) -> y {
                switch x
                case 1 { y := sload(1) } case 7 { y := sload(7) } default { sstore(x, 1) y := 5 }
            }
            sstore(0, total(calldataload(0))) sstore(1, total(calldataload(1))) sstore(2, total(calldataload(2)))
            sstore(3, other(calldataload(3))) sstore(4, other(calldataload(4))) sstore(5, other(calldataload(5)))
        }"""
        )
    )
    assert "function total(limit) -> sum {" in text
    assert re.search(r"for \{ \} lt\(i, limit\) \{ i := add\(i, 1\) \}", text)
    assert "add(sum, calldataload(i))" in text
    assert "switch x case 1 { y := sload(1) } case 7 { y := sload(7) } default {" in text


def test_way_out_of_two_loops_is_kept(assemble, optimized, checked):
    source = """{
        let found := 0
        for { let i := 0 } lt(i, 9) { i := add(i, 1) } {
            for { let j := 0 } lt(j, 9) { j := add(j, 1) } {
                sstore(add(mul(i, 10), j), 1)
                if eq(add(i, j), calldataload(0)) { found := add(100, j) break }
                if gt(j, add(i, 2)) { sstore(200, j) return(0, 0) }
            }
            if found { break }
        }
        sstore(300, found)
    }"""
    again = checked(optimized(source))
    for number in range(20):
        data = number.to_bytes(32, "big")
        expected = execute(assemble(source).bytecode, data).observed()
        assert execute(assemble(again).bytecode, data).observed() == expected


def test_guards_are_ifs_without_else(optimized):
    text = code(
        optimized(
            "{ if lt(calldatasize(), 4) { revert(0, 0) } if callvalue() { revert(0, 0) } sstore(0, 1) }"
        )
    )
    assert (
        "{ if lt(calldatasize(), 4) { revert(0, 0) } if callvalue() { revert(0, 0) } sstore(0, 1) stop() }"
        in text
    )


def test_sub_objects_data_and_builtins_of_objects_are_kept(assemble, optimized, checked):
    source = """object "A" {
        code {
            let free := memoryguard(0x80)
            codecopy(free, dataoffset("A_deployed"), datasize("A_deployed"))
            setimmutable(free, "x", calldataload(0))
            return(free, datasize("A_deployed"))
        }
        object "A_deployed" {
            code {
                let size := datasize("text")
                codecopy(0, dataoffset("text"), size)
                mstore(32, loadimmutable("x"))
                mstore(64, linkersymbol("lib.sol:L"))
                mstore(96, verbatim_1i_1o(hex"600101", calldataload(0)))
                return(0, 128)
            }
            data "text" "hello"
            data ".metadata" hex"a164"
        }
    }"""
    again = checked(optimized(source))
    first, second = assemble(source), assemble(again)
    assert second.sub_objects["A_deployed"].link_references.keys() == {"lib.sol:L"}
    assert second.sub_objects["A_deployed"].immutable_references.keys() == {"x"}
    assert first.bytecode == second.bytecode


def test_code_that_must_leave_memory_alone_still_fits_the_stack(assemble, optimized, checked):
    """A function is not printed as part of another where that would need more stack than there is."""
    names = [f"x{i}" for i in range(12)]
    body = " ".join(f"let {name} := calldataload({i})" for i, name in enumerate(names))
    uses = " ".join(f"sstore({i}, {name})" for i, name in enumerate(names))
    source = f"{{ {body} helper(x0, x1) {uses} function helper(a, b) {{ {_wide_helper()} }} }}"
    expected = execute(assemble(source).bytecode, CALLDATA).observed()
    text = optimized(source)
    assert "function helper(" in text
    assert execute(assemble(checked(text)).bytecode, CALLDATA).observed() == expected


def _wide_helper() -> str:
    lines = [f"let y{i} := add(mul(a, {i + 3}), sload(add(b, {i})))" for i in range(9)]
    lines += [f"sstore(add(y{i}, {i}), y{(i + 4) % 9})" for i in range(9)]
    return " ".join(lines)


def test_same_names_in_separate_scopes_are_told_apart(assemble, optimized, checked):
    source = """{
        { sstore(0, f(calldataload(0))) function f(x) -> y { y := add(x, f_1()) }
          function f_1() -> z { for {} lt(z, 3) {} { z := add(z, calldataload(z)) } } }
        { sstore(1, f(calldataload(1))) sstore(2, f(7)) function f(x) -> y { for {} lt(y, x) {} { y := add(y, 2) } } }
    }"""
    data = bytes(30) + bytes([1, 2, 3, 4, 5]) * 10
    expected = execute(assemble(source, optimize=False).bytecode, data).observed()
    assert execute(assemble(checked(optimized(source))).bytecode, data).observed() == expected


# ---------------------------------------------------------------------- graphs of any shape


class _Graph:
    """A random graph: each block adds itself to a hash in memory and goes on as the hash says; two values pass
    from block to block and change places. After some steps execution ends."""

    def __init__(self, seed: int) -> None:
        choice = random.Random(seed)
        count = choice.randrange(2, 12)
        self.ways = [
            (choice.randrange(count), choice.randrange(count), choice.random() < 0.5, choice.randrange(4))
            for _ in range(count)
        ]

    def expected(self) -> bytes:
        """What the program returns."""
        state, steps, block, a, b = 0, 0, 0, 1, 2
        while steps < 25:
            nonzero, zero, swaps, more = self.ways[block]
            state = (state * 31 + block + a + 7 * b) % (1 << 256)
            steps += 1
            block = nonzero if state >> 3 & 1 else zero
            a, b = (b, a + more) if swaps else (a + more, b)
        return state.to_bytes(32, "big")

    def program(self) -> Program:
        """The graph as a program."""
        function = Function("", 0, 0, NO_SOURCE, is_main=True)
        builtins = DIALECT.builtins

        def op(block, name, *inputs):
            outputs = [function.new_value() for _ in builtins[name].returns]
            block.operations.append(Operation(builtins[name], None, list(inputs), outputs))
            return outputs[0] if outputs else -1

        constant = function.constant
        entry, end = function.new_block(), function.new_block()
        blocks = [function.new_block() for _ in self.ways]
        for block in blocks:
            block.parameters = [function.new_value(), function.new_value()]
        entry.jump(blocks[0], [constant(1), constant(2)])
        op(end, "return", constant(0), constant(32))
        end.stop()
        for i, (nonzero, zero, swaps, more) in enumerate(self.ways):
            block = blocks[i]
            a, b = block.parameters
            state = op(block, "mul", op(block, "mload", constant(0)), constant(31))
            state = op(
                block,
                "add",
                op(block, "add", state, constant(i)),
                op(block, "add", a, op(block, "mul", b, constant(7))),
            )
            op(block, "mstore", constant(0), state)
            steps = op(block, "add", op(block, "mload", constant(32)), constant(1))
            op(block, "mstore", constant(32), steps)
            go_on, ended = function.new_block(), function.new_block()
            block.branch(op(block, "lt", steps, constant(25)), go_on, ended)
            ended.jump(end, [])
            bit = op(go_on, "and", op(go_on, "shr", constant(3), state), constant(1))
            passed = op(go_on, "add", a, constant(more))
            arguments = [b, passed] if swaps else [passed, b]
            ways = [function.new_block(), function.new_block()]
            go_on.branch(bit, *ways)
            ways[0].jump(blocks[nonzero], list(arguments))
            ways[1].jump(blocks[zero], list(arguments))
        drop_unreachable(function)
        split_critical_edges(function)
        drop_unreachable(function)
        return Program([function])


@settings(max_examples=80, deadline=None)
@given(seed=st.integers(0, 10**9))
def test_graphs_of_any_shape_come_out_right(seed):
    graph = _Graph(seed)
    instructions = InstructionSet(DIALECT.table, DIALECT.fork)
    block = program_to_yul(graph.program(), DIALECT, instructions)
    tree = yul.Object("t", block)
    sink = DiagnosticSink()
    check_object(tree, DIALECT, sink)
    assert not sink.has_errors
    assert evaluate(tree, b"").output == graph.expected()


def test_only_graphs_without_structure_become_a_switch_over_their_blocks():
    """Two blocks that go to each other and are both entered from outside are no loop of Yul's kind."""
    dispatched = structured = 0
    instructions = InstructionSet(DIALECT.table, DIALECT.fork)
    for seed in range(30):
        text = print_object(yul.Object("t", program_to_yul(_Graph(seed).program(), DIALECT, instructions)))
        dispatched += "switch next" in text
        structured += "switch next" not in text
    assert dispatched
    assert structured
