"""Source maps read back: which source line an instruction came from (docs/internals/source_mappings.rst)."""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Mapping

from smartvm.disassembler.linear import Disassembly


def source_ranges(source_map: str) -> Iterator[tuple[int, int, int]]:
    """Start, length and file of each instruction, in order; a field left out repeats the one before."""
    fields = [-1, -1, -1]
    if not source_map:
        return
    for entry in source_map.split(";"):
        for position, text in enumerate(entry.split(":")[:3]):
            if text and text.lstrip("-").isdigit():
                fields[position] = int(text)
        yield fields[0], fields[1], fields[2]


def source_lines(
    disassembly: Disassembly, source_map: str, sources: Mapping[int, tuple[str, str]]
) -> dict[int, tuple[str, int]]:
    """For each instruction's offset the name and line (from 1) of the source it came from, where there is
    one."""
    starts = {index: _line_starts(text) for index, (_, text) in sources.items()}
    lines: dict[int, tuple[str, int]] = {}
    for item, (start, _, file) in zip(disassembly.instructions, source_ranges(source_map), strict=False):
        if start >= 0 and file in starts:
            lines[item.offset] = (sources[file][0], bisect.bisect_right(starts[file], start))
    return lines


def line_notes(
    lines: Mapping[int, tuple[str, int]], sources: Mapping[int, tuple[str, str]]
) -> dict[int, str]:
    """The same as text, ``file:line: what stands there``."""
    texts = {name: text.splitlines() for name, text in sources.values()}
    notes = {}
    for offset, (name, line) in lines.items():
        content = texts[name][line - 1].strip() if line <= len(texts[name]) else ""
        notes[offset] = f"{name}:{line}: {content}"
    return notes


def _line_starts(text: str) -> list[int]:
    starts = [0]
    starts.extend(i + 1 for i, byte in enumerate(text.encode("utf-8", "surrogatepass")) if byte == 10)
    return starts
