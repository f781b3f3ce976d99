"""Values beyond the stack's reach go to memory where the code allows it."""

from __future__ import annotations

import pytest
from machine import evaluate, execute
from smartvm.compiler.backend import StackTooDeepError


def _many(count: int, guard: bool) -> str:
    declare = " ".join(f"let v{i} := calldataload({i})" for i in range(count))
    again = " ".join(f"sstore({i}, add(v{i}, v{count - 1 - i}))" for i in range(count))
    return f"{'mstore(64, memoryguard(128))' if guard else ''} {declare} {again}"


def test_forty_variables_live_at_once(parse, assemble, optimize):
    tree = parse(f'object "t" {{ code {{ {_many(40, True)} }} }}')
    data = bytes(range(1, 80))
    assert (
        execute(assemble(tree, optimize=optimize).bytecode, data).observed()
        == evaluate(tree, data).observed()
    )


def test_without_a_memory_guard_it_is_an_error(assemble, optimize):
    with pytest.raises(StackTooDeepError, match="Stack too deep"):
        assemble(f"{{ {_many(40, False)} }}", optimize=optimize)


def test_the_guard_gives_the_end_of_the_reserved_memory(assemble):
    code = assemble(f'object "t" {{ code {{ {_many(40, True)} return(64, 32) }} }}').bytecode
    assert int.from_bytes(execute(code, bytes(range(80))).output, "big") > 128


def test_the_guard_gives_its_argument_when_nothing_is_spilled(assemble, optimize):
    code = assemble(
        'object "t" { code { mstore(0, memoryguard(0x80)) return(0, 32) } }', optimize=optimize
    ).bytecode
    assert int.from_bytes(execute(code).output, "big") == 0x80


def test_recursive_functions_keep_spilled_values_of_each_call(parse, assemble, optimize):
    names = [f"a{i}" for i in range(24)]
    body = " ".join(f"let {n} := add(x, {i})" for i, n in enumerate(names))
    total = "0"
    for name in names:
        total = f"add(mul({total}, 3), {name})"
    text = f"""mstore(64, memoryguard(128))
    function f(x) -> r {{ {body} if lt(x, 5) {{ r := f(add(x, 1)) }} r := add(mul(r, 7), {total}) }}
    sstore(0, f(0))"""
    tree = parse(f'object "t" {{ code {{ {text} }} }}')
    assert execute(assemble(tree, optimize=optimize).bytecode).observed() == evaluate(tree).observed()


def test_functions_with_more_than_sixteen_arguments_and_results(parse, assemble, optimize):
    names = [f"a{i}" for i in range(20)]
    results = [f"r{i}" for i in range(20)]
    assign = " ".join(
        f"{r} := add({a}, {i})" for i, (r, a) in enumerate(zip(results, reversed(names), strict=True))
    )
    calls = ", ".join(f"calldataload({i})" for i in range(20))
    stores = " ".join(f"sstore({i}, {r})" for i, r in enumerate(results))
    text = f"""mstore(64, memoryguard(128))
    function f({", ".join(names)}) -> {", ".join(results)} {{ if sload(99) {{ leave }} {assign} }}
    {{ let {", ".join(results)} := f({calls}) {stores} }}
    {{ let {", ".join(results)} := f({calls}) {stores} }}"""
    tree = parse(f'object "t" {{ code {{ {text} }} }}')
    data = bytes(range(3, 90))
    assert (
        execute(assemble(tree, optimize=optimize).bytecode, data).observed()
        == evaluate(tree, data).observed()
    )
