"""Folding at compile time computes what the instructions compute."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from machine import OPERATIONS, State
from smartvm.compiler.backend.arithmetic import FOLDING, MIRRORED

WORDS = st.one_of(
    st.integers(0, 300),
    st.integers(0, 2**256 - 1),
    st.sampled_from([2**255, 2**255 - 1, 2**256 - 1, 2**160 - 1, 2**128]),
)


@pytest.mark.parametrize("name", sorted(FOLDING.keys() - {"CLZ"}))
@given(data=st.data())
def test_folding_equals_execution(name, data):
    count = OPERATIONS[name].__code__.co_argcount - 1
    operands = [data.draw(WORDS) for _ in range(count)]
    assert FOLDING[name](*operands) == OPERATIONS[name](State(), *operands) % 2**256


@given(word=WORDS)
def test_leading_zeros_are_counted(word):
    assert FOLDING["CLZ"](word) == len(f"{word:0256b}".split("1")[0])


@pytest.mark.parametrize("name", sorted(MIRRORED))
@given(a=WORDS, b=WORDS)
def test_mirrored_instruction_gives_the_same_for_exchanged_operands(name, a, b):
    assert FOLDING[name](a, b) == FOLDING[MIRRORED[name]](b, a)
