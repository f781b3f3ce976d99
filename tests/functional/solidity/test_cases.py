"""Every case file, with and without the optimizer, on smartvm's machine and on an independent one."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from case_evms import RevmEvm, SmartvmEvm
from case_files import read_case, run_case

#: Cases that use what came with Byzantium or later: data of failed calls, transient storage.
NOT_BEFORE_BYZANTIUM = {"external_calls", "getters_and_constants", "layout_and_transient"}
CASES = sorted((Path(__file__).parent / "cases").glob("*.sol"))


@pytest.mark.parametrize("optimize", [True, False], ids=["optimized", "plain"])
@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_case_on_smartvm(path: Path, optimize: bool) -> None:
    run_case(read_case(path), SmartvmEvm(), optimize)


@pytest.mark.parametrize(
    ("version", "optimize"), [("homestead", True), ("spuriousDragon", True), ("spuriousDragon", False)]
)
@pytest.mark.parametrize("path", [p for p in CASES if p.stem not in NOT_BEFORE_BYZANTIUM], ids=lambda path: path.stem)
def test_case_on_versions_without_revert(path: Path, version: str, optimize: bool) -> None:
    run_case(read_case(path), SmartvmEvm(version), optimize, version)


@pytest.mark.peer
@pytest.mark.skipif(importlib.util.find_spec("pyrevm") is None, reason="pyrevm is not installed")
@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_case_on_revm(path: Path) -> None:
    run_case(read_case(path), RevmEvm(), True)
