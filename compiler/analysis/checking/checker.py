"""The type checker, put together."""

from __future__ import annotations

from smartvm.compiler.analysis.checking.assembly import AssemblyChecks
from smartvm.compiler.analysis.checking.definitions import DefinitionChecks
from smartvm.compiler.analysis.checking.using import UsingChecks
from smartvm.compiler.ast import nodes


class TypeChecker(DefinitionChecks, UsingChecks, AssemblyChecks):
    """Checks source units and fills the model's facts about expressions."""

    def check_unit(self, unit: nodes.SourceUnit) -> None:
        """Check everything in a unit."""
        self.unit = unit
        self.contract = None
        for node in unit.nodes:
            self.visit(node)
        self.unit = None
