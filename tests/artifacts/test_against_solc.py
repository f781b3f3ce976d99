"""Artifacts of a real package equal solc's (the whole comparison: benchmarks/artifacts/compare.py)."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path
from types import ModuleType

import pytest

pytestmark = pytest.mark.solc

MODULES = os.environ.get("SMARTVM_NODE_MODULES", "")


def load_comparison() -> ModuleType:
    path = Path(__file__).parents[2] / "benchmarks" / "artifacts" / "compare.py"
    specification = importlib.util.spec_from_file_location("artifact_comparison", path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.mark.skipif(
    not (Path(MODULES) / "solmate").is_dir() or not shutil.which("node"),
    reason="needs node, and SMARTVM_NODE_MODULES with solc and solmate",
)
def test_every_artifact_of_solmate_equals_solcs() -> None:
    comparison = load_comparison()
    solc = os.environ.get("SMARTVM_SOLC", str(Path(MODULES) / "solc"))
    counts = comparison.compare("solmate", list(comparison.OUTPUTS), Path(MODULES), solc, 3)
    assert counts
    assert [output for output, verdict in counts if verdict == "different"] == []
