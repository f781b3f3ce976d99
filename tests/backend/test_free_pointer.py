"""Stores that may hit the free memory pointer are not passed over."""

from __future__ import annotations

import pytest
from machine import evaluate, execute


def check(parse, assemble, code):
    tree = parse(f'object "t" {{ code {{ mstore(64, memoryguard(128)) {code} }} }}')
    expected = evaluate(tree).observed()
    assert execute(assemble(tree).bytecode).observed() == expected


def test_address_given_as_a_constant_argument(parse, assemble):
    check(
        parse,
        assemble,
        """function set(p, v) -> r { let before := mload(64) mstore(p, v)
             r := sub(mload(64), before) sstore(v, r)
             if v { r := set(p, sub(v, 1)) } }
        sstore(99, set(64, 9))""",
    )


def test_address_given_with_an_offset(parse, assemble):
    check(
        parse,
        assemble,
        """function set(p, v) { mstore(add(p, 32), v) if sload(v) { set(p, add(v, 1)) } }
        set(32, 1000) sstore(0, mload(64)) set(0, 7) sstore(1, mload(64))""",
    )


def test_address_chosen_on_two_paths(parse, assemble):
    check(
        parse,
        assemble,
        "let p := 96 if iszero(calldatasize()) { p := 64 } mstore(p, 4096) sstore(0, mload(64))",
    )


def test_address_given_back_by_a_function(parse, assemble):
    check(
        parse,
        assemble,
        """function place(x) -> p { p := 64 if x { p := place(sub(x, 1)) } }
        mstore(place(calldatasize()), 4096) sstore(0, mload(64))""",
    )


@pytest.mark.parametrize(
    "address",
    [
        "shl(6, iszero(calldatasize()))",
        "mul(64, lt(calldatasize(), 1))",
        "and(64, not(calldatasize()))",
        "sub(96, shl(5, iszero(calldatasize())))",
        "add(32, shl(5, iszero(calldatasize())))",
        "xor(128, mul(xor(128, 64), iszero(calldatasize())))",
    ],
)
def test_address_that_is_computed(parse, assemble, address):
    code = f"let before := mload(64) mstore({address}, 4096) sstore(0, mload(64)) sstore(1, before)"
    check(parse, assemble, code)
