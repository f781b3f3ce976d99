"""The house's walls: which package may import which (docs/architecture.md)."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

#: parts that stand below everything
FOUNDATION = {"disk_cache", "keccak", "records"}

#: top-level part -> the parts it may import (besides itself)
ALLOWED = {
    "disk_cache": set(),
    "keccak": set(),
    "records": set(),
    "errors": FOUNDATION,
    "instructions": FOUNDATION | {"errors"},
    "abi": FOUNDATION | {"errors"},
    "compiler": FOUNDATION | {"errors", "instructions"},
    "vm": FOUNDATION | {"errors", "instructions"},
    "disassembler": FOUNDATION | {"errors", "instructions"},
    "extensions": FOUNDATION | {"errors", "instructions", "compiler", "vm"},
    "api": FOUNDATION | {"errors", "instructions", "compiler", "vm", "abi", "disassembler", "extensions"},
    "examples": FOUNDATION | {"errors", "api", "vm"},
    "commands": FOUNDATION
    | {"errors", "instructions", "compiler", "vm", "abi", "disassembler", "extensions", "api", "examples"},
    "cli": FOUNDATION | {"errors", "commands"},
}

#: inside the compiler, the way of the text: a part may import only what stands before it
COMPILER_ORDER = ("yul", "ast", "grammar", "analysis", "lowering", "backend", "artifacts")


def imports_of(path: Path) -> set[str]:
    """The ``smartvm...`` modules that a file imports, type-checking imports included."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in found if name.startswith("smartvm.")}


def files_of(part: str) -> list[Path]:
    folder = ROOT / part
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [ROOT / f"{part}.py"]


@pytest.mark.parametrize("part", ALLOWED)
def test_a_part_imports_only_what_stands_below_it(part: str) -> None:
    allowed = ALLOWED[part] | {part}
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in files_of(part)
        for name in imports_of(path)
        if name.split(".")[1] in ALLOWED and name.split(".")[1] not in allowed
    ]
    assert not wrong


@pytest.mark.parametrize("index", range(len(COMPILER_ORDER)), ids=COMPILER_ORDER)
def test_the_compilers_text_flows_one_way(index: int) -> None:
    later = set(COMPILER_ORDER[index + 1 :])
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in files_of(f"compiler/{COMPILER_ORDER[index]}")
        for name in imports_of(path)
        if name.startswith("smartvm.compiler.") and name.split(".")[2] in later
    ]
    assert not wrong
