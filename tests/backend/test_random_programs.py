"""Compiled random programs do what their tree says."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from machine import OutOfSteps, evaluate, execute
from random_yul import ProgramWriter

CALLDATA = bytes(range(7, 70))


@pytest.mark.parametrize("width", [6, 25])
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 10**9))
def test_compiled_program_behaves_as_its_tree(seed, width, parse, assemble):
    tree = parse(ProgramWriter(seed, width).program())
    try:
        expected = evaluate(tree, CALLDATA).observed()
    except OutOfSteps:
        return
    for optimize in (False, True):
        assert execute(assemble(tree, optimize=optimize).bytecode, CALLDATA).observed() == expected
