"""Small Yul programs whose result is known: each stores what it finds and is run compiled, in both modes."""

from __future__ import annotations

import pytest
from machine import evaluate, execute

CASES = {
    "arguments_are_evaluated_from_right_to_left": (
        """function f(x) -> y { sstore(0, add(mul(sload(0), 10), x)) y := x }
        function g(a, b, c) -> r { r := add(a, add(mul(b, 10), mul(c, 100))) }
        sstore(1, g(f(1), f(2), f(3)))""",
        {0: 321, 1: 321},
    ),
    "results_start_as_zero": (
        "function f() -> a, b { b := 1 } let x, y := f() sstore(0, add(x, 5)) sstore(1, y)",
        {0: 5, 1: 1},
    ),
    "functions_are_visible_before_their_definition": ("sstore(0, f()) function f() -> x { x := 7 }", {0: 7}),
    "functions_of_disjoint_blocks_may_share_a_name": (
        "{ function f() -> x { x := 1 } sstore(0, f()) } { function f() -> x { x := 2 } sstore(1, f()) }",
        {0: 1, 1: 2},
    ),
    "variables_of_disjoint_blocks_may_share_a_name": (
        "{ let a := 1 sstore(0, a) } { let a sstore(1, add(a, 3)) }",
        {0: 1, 1: 3},
    ),
    "for_runs_post_after_continue": (
        """let n for { let i := 0 } lt(i, 6) { i := add(i, 1) }
        { if and(i, 1) { continue } n := add(mul(n, 10), i) }
        sstore(0, n)""",
        {0: 24},
    ),
    "break_skips_post": (
        "let i := 0 for {} 1 { i := add(i, 1) } { if eq(i, 4) { break } } sstore(0, i)",
        {0: 4},
    ),
    "break_leaves_the_innermost_loop_only": (
        """let n for { let i := 0 } lt(i, 3) { i := add(i, 1) } {
             for { let j := 0 } lt(j, 9) { j := add(j, 1) } { if eq(j, i) { break } n := add(n, 1) } }
        sstore(0, n)""",
        {0: 3},
    ),
    "variables_of_the_init_block_keep_their_last_value_in_post": (
        "for { let i := 1 let s := 0 } lt(i, 5) { i := add(i, 1) sstore(0, s) } { s := add(s, i) }",
        {0: 10},
    ),
    "leave_returns_the_present_results": (
        "function f(x) -> r { r := 1 if x { r := 2 leave } r := 3 } sstore(0, f(0)) sstore(1, f(9))",
        {0: 3, 1: 2},
    ),
    "leave_from_a_loop_in_a_switch": (
        """function f(x) -> r { for { let i := 0 } 1 { i := add(i, 1) }
        { switch eq(i, x) case 1 { r := i leave } default { } } }
        sstore(0, f(5))""",
        {0: 5},
    ),
    "switch_takes_one_case": (
        """function f(x) -> r { switch x case 1 { r := 10 } case 2 { r := 20 } default { r := 30 } }
        sstore(0, f(1)) sstore(1, f(2)) sstore(2, f(3))""",
        {0: 10, 1: 20, 2: 30},
    ),
    "switch_without_default_does_nothing_else": (
        "function f(x) -> r { r := 5 switch x case 0 { r := 1 } } sstore(0, f(0)) sstore(1, f(1))",
        {0: 1, 1: 5},
    ),
    "switch_with_many_cases_is_decided_by_halves": (
        "function f(x) -> r { switch x "
        + " ".join(f"case {17 * i} {{ r := {i + 1} }}" for i in range(20))
        + " default { r := 99 } } "
        + " ".join(f"sstore({i}, f({17 * i}))" for i in range(20))
        + " sstore(20, f(1)) sstore(21, f(not(0)))",
        {**{i: i + 1 for i in range(20)}, 20: 99, 21: 99},
    ),
    "only_a_default_is_taken": ("switch sload(9) default { sstore(0, 1) }", {0: 1}),
    "code_after_the_end_is_not_run": ("sstore(0, 1) stop() sstore(0, 2)", {0: 1}),
    "a_function_that_never_returns_ends_it": (
        "function end() { sstore(1, 2) stop() } sstore(0, 1) end() sstore(0, 2)",
        {0: 1, 1: 2},
    ),
    "recursion": (
        "function f(n) -> r { r := 1 if n { r := mul(n, f(sub(n, 1))) } } sstore(0, f(10))",
        {0: 3628800},
    ),
    "mutual_recursion": (
        """function even(n) -> r { r := 1 if n { r := odd(sub(n, 1)) } }
        function odd(n) -> r { if n { r := even(sub(n, 1)) } }
        sstore(0, add(even(10), 1)) sstore(1, add(odd(10), 1))""",
        {0: 2, 1: 1},
    ),
    "swapped_variables_in_a_loop": (
        "let a := 1 let b := 1 for { let i := 0 } lt(i, 10) { i := add(i, 1) } { let c := add(a, b) a "
        ":= b b := c } sstore(0, a)",
        {0: 89},
    ),
    "loads_see_stores_through_other_addresses": (
        """let p := add(64, mul(32, calldatasize())) mstore(p, 1) mstore(64, 2) sstore(0, mload(p))
        mstore8(95, 7) sstore(1, mload(64))""",
        {0: 2, 1: 7},
    ),
    "storage_reads_see_writes_of_other_keys": (
        "let k := calldatasize() sstore(k, 5) sstore(0, 6) sstore(1, sload(k)) sstore(2, sload(0))",
        {0: 6, 1: 6, 2: 6},
    ),
    "calls_forget_what_memory_held": (
        "function f() { mstore(0, 9) } mstore(0, 1) f() sstore(0, mload(0))",
        {0: 9},
    ),
    "division_by_zero_is_zero": (
        "let z := calldatasize() sstore(0, add(1, div(5, z))) sstore(1, add(1, mod(5, z))) sstore(2, "
        "add(1, sdiv(5, 0)))",
        {0: 1, 1: 1, 2: 1},
    ),
    "signed_arithmetic_folds_as_it_runs": (
        "sstore(0, sdiv(sub(0, 7), 2)) sstore(1, smod(sub(0, 7), 2)) sstore(2, sar(1, sub(0, 7))) "
        "sstore(3, signextend(0, 0xff))",
        {0: (1 << 256) - 3, 1: (1 << 256) - 1, 2: (1 << 256) - 4, 3: (1 << 256) - 1},
    ),
    "wide_literals": (
        "sstore(0, 0xffffffff00000000000000000000000000000000000000000000000000000000) sstore(1, "
        "sub(shl(160, 1), 1)) "
        "sstore(2, not(31)) sstore(3, 0x7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff)",
        {0: 0xFFFFFFFF << 224, 1: (1 << 160) - 1, 2: (1 << 256) - 32, 3: (1 << 255) - 1},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_program_stores_what_yul_specifies(name, parse, assemble, optimize):
    code, expected = CASES[name]
    tree = parse(f'object "t" {{ code {{ {code} }} }}')
    state = execute(assemble(tree, optimize=optimize).bytecode)
    assert state.status == "stop"
    assert {k: v for k, v in state.storage.items() if v} == expected
    assert evaluate(tree).observed() == state.observed()


def test_without_push0_zero_is_pushed_with_push1(assemble, optimize):
    code = assemble("{ sstore(0, 0) }", optimize=optimize, fork="paris").bytecode
    assert code == bytes.fromhex("600080550060"[:10]) or 0x5F not in code


def test_result_does_not_depend_on_earlier_compilations(assemble, parse):
    text = (
        "{ function f(a, b) -> c { c := sdiv(a, b) sstore(a, c) } let x := f(1, 2) let y := f(x, "
        "3) sstore(y, f(y, x)) }"
    )
    assert assemble(text).bytecode == assemble(parse(text)).bytecode
