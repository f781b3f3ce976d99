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


def load_comparison(name: str = "compare") -> ModuleType:
    path = Path(__file__).parents[2] / "benchmarks" / "artifacts" / f"{name}.py"
    specification = importlib.util.spec_from_file_location(f"artifact_{name}", path)
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


@pytest.mark.skipif(
    not (Path(MODULES) / "solc").is_dir() or not shutil.which("node"),
    reason="needs node, and SMARTVM_NODE_MODULES with solc",
)
@pytest.mark.parametrize("group", ["t:*", "src:*", "yul*", "sel*", "stop*", "steps*", "mc*", "checker*", "debug*"])
def test_standard_json_answers_as_solc_does(group: str) -> None:
    comparison = load_comparison("standard_json")
    solc = os.environ.get("SMARTVM_SOLC", str(Path(MODULES) / "solc"))
    count, unknown = comparison.compare(solc, [group])
    assert count
    assert unknown == []
