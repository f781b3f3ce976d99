"""What an installed smartvm holds: every package of the tree is listed in pyproject.toml."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OUTSIDE = {"tests", "benchmarks", "docs", "build", "dist", ".venv", ".ci"}


def packages() -> list[Path]:
    """The ``__init__.py`` of every package below the root."""
    found = []
    for init in ROOT.rglob("__init__.py"):
        top = init.relative_to(ROOT).parts[0]
        if top not in OUTSIDE and not top.startswith("."):
            found.append(init)
    return found


def test_every_package_of_the_tree_is_listed() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    listed = set(settings["tool"]["setuptools"]["packages"])
    assert {".".join(("smartvm", *init.parent.relative_to(ROOT).parts)) for init in packages()} == listed


def test_every_package_says_its_job() -> None:
    assert [init for init in packages() if not init.read_text().lstrip().startswith('"""')] == []
