"""The SSA passes as text before and after: Yul goes in, the optimized graph comes out."""

from __future__ import annotations

import pytest
from smartvm.compiler.backend import BackendSettings
from smartvm.compiler.backend.builder import build_program
from smartvm.compiler.backend.pipeline import optimize_program, prepare_program
from smartvm.compiler.backend.ssa import format_function
from smartvm.compiler.diagnostics import DiagnosticSink
from smartvm.compiler.source import SourceText
from smartvm.compiler.yul.dialect import dialect_for
from smartvm.compiler.yul.parser import parse_yul
from smartvm.instructions.loader import load_table


def optimized(text: str) -> str:
    """The graphs of all functions that remain."""
    sink = DiagnosticSink()
    tree = parse_yul(SourceText("test.yul", "{" + text + "}", 0), sink)
    assert not sink.has_errors, sink.items
    dialect = dialect_for(load_table("evm"), "osaka")
    program = build_program(tree.code, dialect, optimize=True)
    prepare_program(program)
    optimize_program(program, dialect.builtins, BackendSettings())
    return "\n".join(format_function(function) for function in program.functions)


CASES = {
    "constants_gather_and_powers_of_two_become_shifts": (
        """
        let x := calldataload(0)
        sstore(0, add(add(x, 3), 4))
        sstore(1, mul(x, 8))
        sstore(2, div(x, 16))
        sstore(3, sub(add(x, 5), x))
        """,
        """
        function :
        b0():
            v0 = calldataload(0)
            v1 = add(v0, 7)
            sstore(0, v1)
            v2 = shl(3, v0)
            sstore(1, v2)
            v3 = shr(4, v0)
            sstore(2, v3)
            sstore(3, 5)
            stop()
        """,
    ),
    # Foundry's cheat codes change them by calls: tests expect what they read afterwards.
    "values_of_the_block_are_read_again_after_a_call": (
        """
        let before := timestamp()
        sstore(0, timestamp())
        pop(call(gas(), 1, 0, 0, 0, 0, 0))
        sstore(1, before)
        sstore(2, timestamp())
        """,
        """
        function :
        b0():
            v0 = timestamp()
            sstore(0, v0)
            v1 = gas()
            v2 = call(v1, 1, 0, 0, 0, 0, 0)
            sstore(1, v0)
            v3 = timestamp()
            sstore(2, v3)
            stop()
        """,
    ),
    "a_range_check_becomes_a_shift_and_frees_what_follows_of_masks": (
        """
        let x := calldataload(0)
        let y := and(x, 0xff)
        if iszero(eq(x, y)) { revert(0, 0) }
        sstore(0, y)
        sstore(1, and(y, 0xffff))
        """,
        """
        function :
        b0():
            v0 = calldataload(0)
            v1 = shr(8, v0)
            branch v1 b1 b2
        b1():
            revert(0, 0)
        b2():
            sstore(0, v0)
            sstore(1, v0)
            stop()
        """,
    ),
    "equal_computations_merge_where_one_dominates": (
        """
        let x := calldataload(0)
        let y := add(x, 1)
        if y { sstore(0, add(x, 1)) }
        sstore(1, add(x, 1))
        """,
        """
        function :
        b0():
            v0 = calldataload(0)
            v1 = add(v0, 1)
            branch v1 b1 b2
        b1():
            sstore(0, v1)
            jump b3()
        b2():
            jump b3()
        b3():
            sstore(1, v1)
            stop()
        """,
    ),
    "equal_computations_on_one_path_only_stay": (
        """
        let x := calldataload(0)
        if x { sstore(0, add(x, 1)) }
        sstore(1, add(x, 1))
        """,
        """
        function :
        b0():
            v0 = calldataload(0)
            branch v0 b1 b2
        b1():
            v1 = add(v0, 1)
            sstore(0, v1)
            jump b3()
        b2():
            jump b3()
        b3():
            v2 = add(v0, 1)
            sstore(1, v2)
            stop()
        """,
    ),
    "a_known_condition_is_not_tested_again": (
        """
        let c := calldataload(0)
        if c { c := calldataload(32) }
        if c { sstore(0, 1) }
        """,
        """
        function :
        b0():
            v0 = calldataload(0)
            branch v0 b1 b4
        b1():
            v1 = calldataload(32)
            branch v1 b2 b3
        b2():
            sstore(0, 1)
            jump b6()
        b3():
            jump b5()
        b4():
            jump b5()
        b5():
            jump b6()
        b6():
            stop()
        """,
    ),
    "an_overwritten_store_goes": (
        """
        sstore(0, 1)
        sstore(1, 2)
        sstore(0, 3)
        """,
        """
        function :
        b0():
            sstore(1, 2)
            sstore(0, 3)
            stop()
        """,
    ),
    "a_store_that_only_a_revert_follows_before_the_next_goes": (
        """
        sstore(0, 1)
        if calldataload(0) { revert(0, 0) }
        sstore(0, 2)
        """,
        """
        function :
        b0():
            v0 = calldataload(0)
            branch v0 b1 b2
        b1():
            revert(0, 0)
        b2():
            sstore(0, 2)
            stop()
        """,
    ),
    "a_store_that_an_unknown_load_may_see_stays": (
        """
        sstore(0, 1)
        sstore(0, sload(calldataload(1)))
        """,
        """
        function :
        b0():
            sstore(0, 1)
            v0 = calldataload(1)
            v1 = sload(v0)
            sstore(0, v1)
            stop()
        """,
    ),
    "a_store_before_a_successful_end_stays": (
        """
        sstore(0, 1)
        if calldataload(0) { stop() }
        sstore(0, 2)
        """,
        """
        function :
        b0():
            sstore(0, 1)
            v0 = calldataload(0)
            branch v0 b1 b2
        b1():
            stop()
        b2():
            sstore(0, 2)
            stop()
        """,
    ),
    "a_load_gets_what_was_stored_unless_it_was_touched": (
        """
        mstore(0, 5)
        sstore(0, mload(0))
        mstore(16, 6)
        sstore(1, mload(0))
        """,
        """
        function :
        b0():
            mstore(0, 5)
            sstore(0, 5)
            mstore(16, 6)
            v0 = mload(0)
            sstore(1, v0)
            stop()
        """,
    ),
    "small_functions_are_inlined": (
        """
        function f(x) -> y { y := add(x, 1) }
        sstore(0, f(calldataload(0)))
        """,
        """
        function :
        b0():
            v0 = calldataload(0)
            v1 = add(v0, 1)
            sstore(0, v1)
            stop()
        """,
    ),
    "calls_with_known_arguments_are_evaluated": (
        """
        function f(n) -> r { r := 1 if n { r := mul(n, f(sub(n, 1))) } }
        sstore(0, f(6))
        """,
        """
        function :
        b0():
            sstore(0, 720)
            stop()
        """,
    ),
    "a_repeated_call_that_only_may_revert_is_made_once": (
        """
        function f(x) -> y { if gt(x, 9) { mstore(0, 17) revert(0, 32) } y := mul(x, x) }
        let a := calldataload(0)
        sstore(0, f(a))
        sstore(1, f(a))
        """,
        """
        function :
        b0():
            v0 = calldataload(0)
            v1 = gt(v0, 9)
            branch v1 b1 b2
        b1():
            mstore(0, 17)
            revert(0, 32)
        b2():
            v2 = mul(v0, v0)
            sstore(0, v2)
            sstore(1, v2)
            stop()
        """,
    ),
    "unused_loads_go_but_not_where_msize_is_used": (
        """
        pop(mload(calldataload(0)))
        sstore(0, msize())
        """,
        """
        function :
        b0():
            v0 = calldataload(0)
            v1 = mload(v0)
            v2 = msize()
            sstore(0, v2)
            stop()
        """,
    ),
}


def lines(text: str) -> list[str]:
    """The lines without indentation and blanks."""
    return [line.strip() for line in text.splitlines() if line.strip()]


@pytest.mark.parametrize("name", CASES)
def test_passes_give(name):
    before, after = CASES[name]
    assert lines(optimized(before)) == lines(after)


def test_functions_with_one_call_go_there_however_many_there_are() -> None:
    """As in a contract's dispatch: what stays apart costs a jump there and back."""
    body = " ".join(f"sstore(calldataload({i}), {i} )" for i in range(1, 12))
    cases = " ".join(f"case {i} {{ f{i}(calldataload({i})) }}" for i in range(300))
    functions = " ".join(f"function f{i}(x) {{ sstore(x, {i}) {body} sstore(add(x, {i}), x) }}" for i in range(300))
    graph = optimized(f"switch calldataload(0) {cases} {functions}")
    assert graph.count("function ") == 1
