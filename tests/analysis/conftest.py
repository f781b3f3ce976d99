"""Analyses source texts for the tests of analysis."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from smartvm.compiler.analysis.model import SemanticModel
from smartvm.compiler.ast import nodes
from smartvm.compiler.diagnostics import Diagnostic
from smartvm.compiler.pipeline import CompilationFailed, CompilationUnit, deep_recursion
from smartvm.compiler.settings import CompilerSettings

#: Warnings about what test sources leave out on purpose.
_UNWANTED = {1878, 3420}


@dataclass
class Analysis:
    """What came of a source: the model (None after errors) and the diagnostics."""

    unit: CompilationUnit
    model: SemanticModel | None
    diagnostics: list[Diagnostic]

    def found(self, severity: str | None = None) -> list[tuple[int | None, str]]:
        """Codes with the text that they point at."""
        return [
            (d.code, self.text(d)) for d in self.diagnostics if severity is None or d.severity == severity
        ]

    def text(self, diagnostic: Diagnostic) -> str:
        """The source text of a diagnostic."""
        source = self.unit.sources_by_index.get(diagnostic.source.file)
        return "" if source is None or diagnostic.source.start < 0 else source.slice(diagnostic.source)

    @property
    def facts(self) -> SemanticModel:
        """The model of a source without errors."""
        assert self.model is not None, [(d.code, d.message) for d in self.diagnostics]
        return self.model

    def named(self, kind: type[nodes.Declaration], name: str) -> nodes.Declaration:
        """The declaration of a kind and name."""
        return next(n for n in self.facts.node_by_id.values() if isinstance(n, kind) and n.name == name)

    def contract(self, name: str) -> nodes.ContractDefinition:
        """The contract of a name."""
        found = self.named(nodes.ContractDefinition, name)
        assert isinstance(found, nodes.ContractDefinition)
        return found


@pytest.fixture(scope="session")
def analyse() -> Callable[..., Analysis]:
    """A function from sources (one text, or texts by name) to their analysis."""

    def run(sources: str | dict[str, str], evm_version: str = "osaka", optimize: bool = False) -> Analysis:
        given = {"A.sol": sources} if isinstance(sources, str) else sources
        unit = CompilationUnit(given, CompilerSettings(evm_version=evm_version, optimize=optimize))
        model = None
        with deep_recursion():
            try:
                model = unit.model
            except CompilationFailed:
                model = None
        return Analysis(unit, model, [d for d in unit.sink.items if d.code not in _UNWANTED])

    return run
