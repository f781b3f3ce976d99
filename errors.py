"""The root of every error that smartvm reports to its user.

A layer derives its own classes (``TableError``, ``CompileError``, ``ExceptionalHalt`` ...); the command
line catches ``SmartVMError`` alone, prints it without a traceback and exits with its ``exit_code``.
"""

from __future__ import annotations

from smartvm.records import dataclass


@dataclass(frozen=True, slots=True)
class TextPosition:
    """Where in a text file something stands: ``line`` and ``column`` count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class SmartVMError(Exception):
    """A mistake in what the user gave (a source, a table, an artifact, an argument), told in one message.

    ``position`` and ``line_text`` say where and show the offending text; ``hint`` says what would be right.
    """

    exit_code = 2

    def __init__(
        self,
        message: str,
        *,
        position: TextPosition | None = None,
        line_text: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.position = position
        self.line_text = line_text
        self.hint = hint

    def __str__(self) -> str:
        lines = [f"{self.position}: {self.message}" if self.position else self.message]
        if self.line_text is not None:
            lines.append(f"    {self.line_text.rstrip()}")
            if self.position is not None:
                lines.append("    " + " " * (self.position.column - 1) + "^")
        if self.hint:
            lines.append(f"  hint: {self.hint}")
        return "\n".join(lines)


class InternalError(SmartVMError):
    """A bug of smartvm itself: never the user's mistake."""

    exit_code = 70
