"""What the machine makes of an instruction table, and when it may be shared."""

from __future__ import annotations

from pathlib import Path

from smartvm.instructions.loader import load_table
from smartvm.vm.forks import LATEST_FORK
from smartvm.vm.plan import execution_plan

TWICE = """
extends = "default"
[instructions.TWICE]
opcode = 0xb0
operands = ["x"]
results = ["y"]
gas = {gas}
pure = true
description = "x and x again."
yul = "y := add(x, x)"
"""


def test_tables_that_differ_in_gas_alone_share_no_plan(tmp_path: Path) -> None:
    tables = []
    for gas in (5, 7):
        file = tmp_path / f"gas{gas}.toml"
        file.write_text(TWICE.format(gas=gas))
        tables.append(load_table(file))
    assert tables[0].digest == tables[1].digest
    assert execution_plan(tables[0], LATEST_FORK) is not execution_plan(tables[1], LATEST_FORK)
    assert execution_plan(tables[0], LATEST_FORK) is execution_plan(tables[0], LATEST_FORK)
