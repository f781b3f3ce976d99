"""What an installed smartvm holds: every package of the tree is listed in pyproject.toml."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OUTSIDE = {"tests", "examples", "benchmarks", "docs", "build", "dist", ".venv", ".ci"}


def test_every_package_of_the_tree_is_listed() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    listed = set(settings["tool"]["setuptools"]["packages"])
    found = {"smartvm"}
    for init in ROOT.rglob("__init__.py"):
        parts = init.parent.relative_to(ROOT).parts
        if parts and parts[0] not in OUTSIDE and not parts[0].startswith("."):
            found.add(".".join(("smartvm", *parts)))
    assert found == listed


def test_every_package_says_its_job() -> None:
    silent = [
        str(init.relative_to(ROOT))
        for init in ROOT.rglob("__init__.py")
        if not (set(init.relative_to(ROOT).parts) & OUTSIDE or init.relative_to(ROOT).parts[0].startswith("."))
        and not init.read_text().lstrip().startswith('"""')
    ]
    assert not silent
