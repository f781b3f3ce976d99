"""The tutorial's tables and Python functions are those of the example, and short."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "new_opcode"
TUTORIAL = (ROOT / "docs" / "new-opcode.md").read_text(encoding="utf-8")


def code(text: str) -> list[str]:
    """Lines without comments, blank lines and a module's docstring."""
    text = re.sub(r'\A""".*?"""\n', "", text)
    lines = [re.sub(r"\s+//.*|^#.*", "", line) for line in text.splitlines()]
    return [line for line in lines if line.strip()]


@pytest.mark.parametrize("name", ["popcount.toml", "argmax.toml", "argmax.py"])
def test_tutorial_shows_the_examples_files(name):
    blocks = [code(block) for block in re.findall(r"```\w+\n(.*?)```", TUTORIAL, re.DOTALL)]
    assert code((EXAMPLE / name).read_text(encoding="utf-8")) in blocks


@pytest.mark.parametrize("name", ["popcount.toml", "argmax.toml", "argmax.py", "Popcount.sol", "Argmax.sol"])
def test_example_files_are_under_thirty_lines(name):
    assert len((EXAMPLE / name).read_text(encoding="utf-8").splitlines()) < 30
