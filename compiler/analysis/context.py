"""What the passes of one analysis share: the model being filled, the sink, and how errors are reported."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from smartvm.compiler.analysis.model import MagicVariable, SemanticModel, Symbol
from smartvm.compiler.analysis.settings import AnalysisSettings
from smartvm.compiler.ast import nodes
from smartvm.compiler.diagnostics import DiagnosticSink, FatalDiagnostic
from smartvm.compiler.source import NO_SOURCE, SourceRange
from smartvm.records import dataclass, field

Note = tuple[str, SourceRange]


@dataclass
class AnalysisContext:
    """Shared by all passes. ``fatal`` returns an exception to raise, which ends the whole analysis (as in
    solc)."""

    model: SemanticModel
    sink: DiagnosticSink
    settings: AnalysisSettings
    #: identifiers for which several declarations stand until the arguments are known
    candidates: dict[int, tuple[Symbol, ...]] = field(default_factory=dict)

    def turns(self, order: Iterable[nodes.SourceUnit]) -> Iterator[nodes.SourceUnit]:
        """The units, one after the other, in a phase of their own: what is reported belongs to the unit whose turn it
        is."""
        self.sink.next_phase()
        for unit in order:
            self.sink.turn(unit.absolute_path)
            yield unit
        self.sink.next_phase()

    @property
    def error_count(self) -> int:
        """How many errors were reported so far."""
        return self.sink.error_count

    def type_error(
        self, code: int, where: nodes.Node | SourceRange, message: str, notes: Iterable[Note] = ()
    ) -> None:
        """Report a TypeError."""
        self.sink.error("TypeError", code, _range(where), message, notes)

    def declaration_error(
        self, code: int, where: nodes.Node | SourceRange, message: str, notes: Iterable[Note] = ()
    ) -> None:
        """Report a DeclarationError."""
        self.sink.error("DeclarationError", code, _range(where), message, notes)

    def syntax_error(self, code: int, where: nodes.Node | SourceRange, message: str) -> None:
        """Report a SyntaxError."""
        self.sink.error("SyntaxError", code, _range(where), message)

    def warning(
        self, code: int, where: nodes.Node | SourceRange, message: str, notes: Iterable[Note] = ()
    ) -> None:
        """Report a warning."""
        self.sink.warning(code, _range(where), message, notes)

    def fatal_type_error(
        self, code: int, where: nodes.Node | SourceRange, message: str, notes: Iterable[Note] = ()
    ) -> FatalDiagnostic:
        """Report a TypeError from which analysis cannot go on; raise the result."""
        return self.sink.fatal("TypeError", code, _range(where), message, notes)

    def fatal_declaration_error(
        self, code: int, where: nodes.Node | SourceRange, message: str, notes: Iterable[Note] = ()
    ) -> FatalDiagnostic:
        """Report a DeclarationError from which analysis cannot go on; raise the result."""
        return self.sink.fatal("DeclarationError", code, _range(where), message, notes)


def _range(where: nodes.Node | SourceRange) -> SourceRange:
    return where.src if isinstance(where, nodes.Node) else where


def symbol_name(symbol: Symbol) -> str:
    """The name under which a symbol is declared."""
    return symbol.unit_alias if isinstance(symbol, nodes.ImportDirective) else symbol.name


def symbol_range(symbol: Symbol) -> SourceRange:
    """Where a symbol is declared; nowhere for builtins."""
    return NO_SOURCE if isinstance(symbol, MagicVariable) else symbol.src
