"""Diagnostics equal solc's, code by code and range by range, for the cases of ``test_diagnostics.py`` and for
mutations of the project's own Solidity sources."""

from __future__ import annotations

import importlib.util
import json
import os
import random
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
MODULES = os.environ.get("SMARTVM_NODE_MODULES", "")
SOLC = os.environ.get("SMARTVM_SOLC", str(Path(MODULES) / "solc"))

pytestmark = [
    pytest.mark.solc,
    pytest.mark.skipif(
        not Path(SOLC).is_dir() or not shutil.which("node"),
        reason="needs node, and SMARTVM_SOLC or its modules",
    ),
]

#: Reads one Standard JSON input a line, writes the errors of each as a line.
_WORKER = """
const solc = require(process.argv[1]);
require('readline').createInterface({input: process.stdin}).on('line', line => {
  const output = JSON.parse(solc.compile(line));
  console.log(JSON.stringify(output.errors || []));
});
"""

#: Codes that differ on purpose or belong to other phases: parsing, licence and version notes.
_OTHER_PHASES = {1878, 3420}

_Found = Counter[tuple[str, int, int]]


def _solc(sources: list[str]) -> list[list[dict[str, Any]]]:
    inputs = "".join(
        json.dumps(
            {
                "language": "Solidity",
                "sources": {"A.sol": {"content": source}},
                "settings": {"evmVersion": "osaka", "outputSelection": {"*": {"*": ["abi"]}}},
            }
        )
        + "\n"
        for source in sources
    )
    ran = subprocess.run(
        ["node", "--stack-size=8000", "-e", _WORKER, SOLC],
        input=inputs,
        capture_output=True,
        text=True,
        check=True,
    )
    return [json.loads(line) for line in ran.stdout.splitlines()]


def _expected(errors: list[dict[str, Any]]) -> _Found | None:
    """What solc found; None when parsing already failed."""
    if any(error["type"] == "ParserError" for error in errors):
        return None
    found: _Found = Counter()
    for error in errors:
        code = int(error.get("errorCode") or 0)
        place = error.get("sourceLocation", {})
        if code not in _OTHER_PHASES:
            found[error["severity"], code, place.get("start", -1)] += 1
    return found


def _compare(analyse: Callable[..., Any], sources: list[str]) -> tuple[int, list[str]]:
    """How many sources both could parse, and those with different diagnostics."""
    compared = 0
    different = []
    for source, errors in zip(sources, _solc(sources), strict=True):
        expected = _expected(errors)
        if expected is None:
            continue
        compared += 1
        diagnostics = analyse(source).diagnostics
        found = Counter((d.severity, d.code or 0, d.source.start) for d in diagnostics)
        if found != expected:
            different.append(f"{source}\nmissing {expected - found}\nsurplus {found - expected}")
    return compared, different


def _cases() -> ModuleType:
    path = Path(__file__).with_name("test_diagnostics.py")
    specification = importlib.util.spec_from_file_location("diagnostic_cases", path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_every_case_is_reported_as_solc_reports_it(analyse: Callable[..., Any]) -> None:
    cases = _cases()
    sources = [source for source, _, _ in (*cases.ERRORS, *cases.WARNINGS)]
    compared, different = _compare(analyse, sources)
    assert compared > 60
    assert different == []


_TOKEN = re.compile(r'//[^\n]*|/\*.*?\*/|"[^"\n]*"|[A-Za-z_$][\w$]*|\d[\w.]*|\S', re.DOTALL)
_EXCHANGEABLE = [
    ("public", "private", "internal", "external"),
    ("pure", "view", "payable", ""),
    ("memory", "storage", "calldata", ""),
    ("constant", "immutable", ""),
    ("virtual", "override", ""),
    ("uint256", "int8", "bytes32", "bool", "address", "string"),
    ("contract", "interface", "library"),
    ("+", "*", "/", "<", "&", "|"),
]


def _mutations(source: str, count: int, random_: random.Random) -> Iterator[str]:
    tokens = [m for m in _TOKEN.finditer(source) if not m[0].startswith(("//", "/*"))]
    words = [m for m in tokens if m[0][0].isalpha()]
    for _ in range(count):
        token = random_.choice(words if random_.random() < 0.6 else tokens)
        group = next((g for g in _EXCHANGEABLE if token[0] in g), None)
        new = random_.choice(group) if group else random_.choice(words)[0]
        yield source[: token.start()] + new + source[token.end() :]


@pytest.mark.slow
def test_mutated_sources_are_refused_as_solc_refuses_them(analyse: Callable[..., Any]) -> None:
    random_ = random.Random(7)
    originals = [path.read_text() for path in sorted((ROOT / "examples" / "erc20").glob("*.sol"))]
    originals += [source for source, _, _ in _cases().ERRORS]
    sources = [mutation for original in originals for mutation in _mutations(original, 8, random_)]
    compared, different = _compare(analyse, sources)
    assert compared > 100
    assert different == []
