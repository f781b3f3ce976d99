"""Makes the helpers beside the tests importable and offers what every test of the back end starts from."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from smartvm.compiler.backend import AssembledObject, BackendSettings, assemble_object
from smartvm.compiler.diagnostics import DiagnosticSink
from smartvm.compiler.source import SourceText
from smartvm.compiler.yul import ast as yul
from smartvm.compiler.yul.dialect import dialect_for
from smartvm.compiler.yul.parser import parse_yul
from smartvm.instructions.loader import load_table


def parse_object(text: str) -> yul.Object:
    """A Yul text's tree; nodes carry their ranges in the text."""
    sink = DiagnosticSink()
    parsed = parse_yul(SourceText("test.yul", text, 0), sink)
    assert not sink.has_errors, sink.items
    return parsed


@pytest.fixture(scope="session")
def parse() -> Callable[[str], yul.Object]:
    """``parse(text)``."""
    return parse_object


@pytest.fixture(scope="session")
def assemble() -> Callable[..., AssembledObject]:
    """``assemble(text or tree, optimize=True, runs=200, fork="osaka", table="evm")``."""

    def call(
        source: str | yul.Object,
        optimize: bool = True,
        runs: int = 200,
        fork: str = "osaka",
        table: str = "evm",
    ) -> AssembledObject:
        tree = parse_object(source) if isinstance(source, str) else source
        return assemble_object(tree, dialect_for(load_table(table), fork), BackendSettings(optimize, runs))

    return call


@pytest.fixture(params=[False, True], ids=["plain", "optimized"])
def optimize(request: pytest.FixtureRequest) -> bool:
    """Both modes."""
    return bool(request.param)
