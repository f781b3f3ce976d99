"""Errors and warnings about a source text, in solc's shape, collected over a compilation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from smartvm.compiler.source import NO_SOURCE, SourceRange, SourceText
from smartvm.errors import SmartVMError
from smartvm.records import dataclass, field

Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One message. ``type`` is solc's (``TypeError``, ``ParserError``, ``Warning`` ...), ``code`` solc's number
    where the meaning is solc's; codes 90000 and up are smartvm's own
    (``diagnostic_codes``; forge reads the code as an integer)."""

    severity: Severity
    type: str
    code: int | None
    message: str
    source: SourceRange = NO_SOURCE
    secondary: tuple[tuple[str, SourceRange], ...] = ()


#: Codes of warnings that a compilation reports once, wherever they come from: of transient storage.
ONCE_A_COMPILATION = frozenset({2394})

#: Codes of warnings that are reported once for a place, though several contracts may lead to it.
ONCE_A_PLACE = frozenset({5740, 6321})

#: How the passes of a phase go over the sources: as they were parsed, each after what it imports, by name.
SourceOrder = Literal["parsed", "imported", "named"]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a diagnostic comes from: the phase of compilation (they count up), the source in whose turn it was
    reported (None: that of its place), how the phase goes over the sources, and a group within the phase that comes
    before or after others whatever their source."""

    phase: int = 0
    unit: str | None = None
    order: SourceOrder = "imported"
    group: int = 0


@dataclass
class DiagnosticSink:
    """Collects diagnostics in the order in which they are found, with where they come from."""

    items: list[Diagnostic] = field(default_factory=list)
    #: Of each item.
    origins: list[Origin] = field(default_factory=list)
    #: Left out because another said it already, with how many items there were: (place, origin, diagnostic).
    repeated: list[tuple[int, Origin, Diagnostic]] = field(default_factory=list)
    #: Of what is reported next.
    origin: Origin = Origin()
    #: How many items were looked at, and the errors among them.
    _counted: int = field(default=0, repr=False)
    _errors: int = field(default=0, repr=False)

    def next_phase(self) -> None:
        """What is reported from now on belongs to a later phase, and to the source of its place."""
        self.origin = Origin(self.origin.phase + 1)

    def turn(self, unit: str, order: SourceOrder = "imported", group: int = 0) -> None:
        """What is reported from now on is reported in a source's turn."""
        self.origin = Origin(self.origin.phase, unit, order, group)

    def add(self, diagnostic: Diagnostic) -> None:
        """Report a diagnostic."""
        self.items.append(diagnostic)
        self.origins.append(self.origin)

    def repeat(self, diagnostic: Diagnostic) -> None:
        """Note a diagnostic that is left out because it was reported in another source's turn."""
        self.repeated.append((len(self.items), self.origin, diagnostic))

    def error(
        self,
        type_: str,
        code: int | None,
        source: SourceRange,
        message: str,
        secondary: Iterable[tuple[str, SourceRange]] = (),
    ) -> None:
        """Report an error and go on."""
        self.add(Diagnostic("error", type_, code, message, source, tuple(secondary)))

    def warning(
        self, code: int, source: SourceRange, message: str, secondary: Iterable[tuple[str, SourceRange]] = ()
    ) -> None:
        """Report a warning."""
        self.add(Diagnostic("warning", "Warning", code, message, source, tuple(secondary)))

    def fatal(
        self,
        type_: str,
        code: int | None,
        source: SourceRange,
        message: str,
        secondary: Iterable[tuple[str, SourceRange]] = (),
    ) -> FatalDiagnostic:
        """Report an error; the caller raises what is returned to give up the current pass."""
        self.error(type_, code, source, message, secondary)
        return FatalDiagnostic(self.items[-1])

    @property
    def has_errors(self) -> bool:
        """Whether any error (not warning) was reported."""
        return self.error_count > 0

    @property
    def error_count(self) -> int:
        """How many errors were reported so far."""
        if self._counted > len(self.items):
            self._counted = self._errors = 0
        for index in range(self._counted, len(self.items)):
            self._errors += self.items[index].severity == "error"
        self._counted = len(self.items)
        return self._errors


class FatalDiagnostic(Exception):
    """Ends a pass after a diagnostic from which it cannot go on. The sink has the diagnostic already."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


class CompileError(SmartVMError):
    """Compilation ended with errors; ``diagnostics`` holds everything that was reported."""

    exit_code = 1

    def __init__(self, diagnostics: list[Diagnostic], sources: Mapping[int, SourceText]) -> None:
        self.diagnostics = diagnostics
        self.sources = sources
        super().__init__("\n".join(format_diagnostic(d, sources) for d in diagnostics))


def _frame(source: SourceRange, sources: Mapping[int, SourceText]) -> list[str]:
    text = sources.get(source.file)
    if text is None:
        return []
    if source.start < 0:
        return [f"--> {text.name}"] if text.name else []
    line, column = text.line_column(source.start)
    end_line, end_column = text.line_column(source.end)
    shown = text.line_text(line)
    margin = " " * len(str(line))
    carets = (end_column - column) if end_line == line else (len(shown) - column + 1)
    indent = "".join("\t" if c == "\t" else " " for c in shown[: column - 1])
    return [
        f"{margin}--> {text.name}:{line}:{column}:",
        f"{margin} |",
        f"{line} | {shown}",
        f"{margin} | {indent}{'^' * max(carets, 1)}{' ...' if end_line != line else ''}".rstrip(),
    ]


def format_diagnostic(diagnostic: Diagnostic, sources: Mapping[int, SourceText]) -> str:
    """The message with its source line and carets, in solc's layout, ending with a blank line."""
    lines = [f"{diagnostic.type}: {diagnostic.message}", *_frame(diagnostic.source, sources)]
    for note, source in diagnostic.secondary:
        lines.append(f"Note: {note}")
        lines.extend(_frame(source, sources))
    return "\n".join(lines) + "\n\n"


def diagnostic_to_json(diagnostic: Diagnostic, sources: Mapping[int, SourceText]) -> dict[str, Any]:
    """An entry of Standard JSON's ``errors``."""
    entry: dict[str, Any] = {
        "component": "general",
        "formattedMessage": format_diagnostic(diagnostic, sources),
        "message": diagnostic.message,
        "severity": diagnostic.severity,
        "type": diagnostic.type,
    }
    if diagnostic.code is not None:
        entry["errorCode"] = str(diagnostic.code)

    def location(source: SourceRange) -> dict[str, Any]:
        end = source.end if source.start >= 0 else -1
        return {"file": sources[source.file].name, "start": source.start, "end": end}

    if diagnostic.source.file in sources:
        entry["sourceLocation"] = location(diagnostic.source)
    secondary = [
        {**(location(source) if source.file in sources else {}), "message": note}
        for note, source in diagnostic.secondary
    ]
    if secondary:
        entry["secondarySourceLocations"] = secondary
    return entry
