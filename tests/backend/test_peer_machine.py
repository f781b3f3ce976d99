"""Compiled random programs on an independent EVM (revm) store what their tree says."""

from __future__ import annotations

import pytest
from machine import OutOfSteps, evaluate
from random_yul import ProgramWriter

CALLDATA = bytes(range(7, 70))
ADDRESS = f"0x{0xADD7E55:040x}"
CALLER = f"0x{0xCA11E7:040x}"
SLOTS = [0, 1, 2, 3, 100, 101, 102]


@pytest.mark.peer
@pytest.mark.parametrize("seed", range(900, 930))
def test_storage_on_revm_equals_the_trees(seed, parse, assemble, optimize):
    pyrevm = pytest.importorskip("pyrevm")
    tree = parse(ProgramWriter(seed, 5 + seed % 20).program())
    try:
        expected = evaluate(tree, CALLDATA)
    except OutOfSteps:
        pytest.skip("the program runs too long for the evaluator")
    machine = pyrevm.EVM(gas_limit=2**40, spec_id="PRAGUE")
    machine.insert_account_info(ADDRESS, pyrevm.AccountInfo(code=assemble(tree, optimize=optimize).bytecode))
    if expected.status == "revert":
        with pytest.raises(RuntimeError, match="Revert"):
            machine.message_call(caller=CALLER, to=ADDRESS, calldata=CALLDATA)
        return
    output = machine.message_call(caller=CALLER, to=ADDRESS, calldata=CALLDATA)
    assert bytes(output) == expected.output
    stored = {slot: machine.storage(ADDRESS, slot) for slot in SLOTS}
    assert stored == {slot: expected.storage.get(slot, 0) for slot in SLOTS}
