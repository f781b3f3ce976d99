"""Source texts and ranges in them: what every AST node, Yul node and diagnostic points to."""

from __future__ import annotations

import bisect
from functools import cached_property
from typing import NamedTuple

from smartvm.records import dataclass


class SourceRange(NamedTuple):
    """``length`` bytes from byte ``start`` of the source with index ``file``; UTF-8 offsets, as solc's ``src``.

    All three are -1 for what no source text stands behind.
    """

    start: int
    length: int
    file: int

    @property
    def end(self) -> int:
        """The offset after the last byte."""
        return self.start + self.length

    def __str__(self) -> str:
        return f"{self.start}:{self.length}:{self.file}"


NO_SOURCE = SourceRange(-1, -1, -1)


@dataclass(frozen=True)
class SourceText:
    """One source unit's text under its name (the "source unit name" of solc's documentation)."""

    name: str
    text: str
    index: int

    @cached_property
    def utf8(self) -> bytes:
        """The text as UTF-8, the unit of every offset."""
        return self.text.encode("utf-8", "surrogatepass")

    @cached_property
    def line_starts(self) -> list[int]:
        """Byte offsets at which lines start."""
        starts = [0]
        starts.extend(i + 1 for i, byte in enumerate(self.utf8) if byte == 10)
        return starts

    @cached_property
    def is_ascii(self) -> bool:
        """True when character and byte offsets agree."""
        return len(self.utf8) == len(self.text)

    def line_column(self, offset: int) -> tuple[int, int]:
        """Line and column (from 1, columns in characters) of a byte offset."""
        line = bisect.bisect_right(self.line_starts, offset)
        start = self.line_starts[line - 1]
        return line, len(self.utf8[start:offset].decode("utf-8", "replace")) + 1

    def line_text(self, line: int) -> str:
        """The text of a line (from 1) without its end."""
        start = self.line_starts[line - 1]
        end = self.line_starts[line] if line < len(self.line_starts) else len(self.utf8)
        return self.utf8[start:end].decode("utf-8", "replace").rstrip("\r\n")

    def slice(self, source: SourceRange) -> str:
        """The text that a range covers."""
        return self.utf8[source.start : source.end].decode("utf-8", "replace")
