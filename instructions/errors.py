"""The error that every mistake in an instruction table ends in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from smartvm.errors import SmartVMError, TextPosition
from smartvm.instructions.positions import find_key, find_text


class TableError(SmartVMError):
    """A mistake in an instruction table: where it stands and, where there is one, what would be right."""


def table_error(
    path: str | Path,
    keys: Sequence[str],
    message: str,
    *,
    hint: str | None = None,
    needle: str | None = None,
    offset: int = 0,
) -> TableError:
    """A ``TableError`` at the key ``keys`` of the file ``path``, or ``offset`` characters after the start of
    ``needle`` inside that key's value.

    Reads the file again: nothing about positions is kept while tables load without a mistake.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        text = ""
    place = find_text(text, keys, needle) if needle else find_key(text, keys)
    if place is None:
        return TableError(message, position=TextPosition(str(path), 1, 1), hint=hint)
    line, column = place
    shown = text.split("\n")[line - 1]
    if needle and shown.startswith(needle, column - 1):
        column += offset
    return TableError(
        message,
        position=TextPosition(str(path), line, column),
        line_text=shown,
        hint=hint,
    )
