"""Finds where in a TOML file a key stands: ``tomllib`` forgets it, and an error message needs it.

Used on the error path alone, on text that ``tomllib`` has accepted; so it need not check, only count.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_HEADER = re.compile(r"\s*\[\[?\s*(?P<path>[^\]]+?)\s*\]\]?")
_KEY = re.compile(r"\s*(?P<path>(?:[\w-]+|\"[^\"]*\"|'[^']*')(?:\s*\.\s*(?:[\w-]+|\"[^\"]*\"|'[^']*'))*)\s*=")
_PART = re.compile(r"[\w-]+|\"[^\"]*\"|'[^']*'")
_STRINGS = re.compile(r'"""|\'\'\'|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'|#')


def _parts(path: str) -> list[str]:
    return [part.strip("\"'") for part in _PART.findall(path)]


def _blank_strings(text: str) -> str:
    """The text with comments and the insides of strings blanked, every position kept."""
    characters = list(text)
    position = 0
    while match := _STRINGS.search(text, position):
        start, token = match.start(), match.group()
        if token == "#":
            end = text.find("\n", start)
            end = len(text) if end < 0 else end
        elif token in ('"""', "'''"):
            end = text.find(token, start + 3)
            end = len(text) if end < 0 else end + 3
        else:
            # A quoted key stays readable; a value is blanked.
            position = match.end()
            if not re.match(r"\s*[=.\]]", text[position:]):
                for index in range(start + 1, position - 1):
                    characters[index] = " "
            continue
        for index in range(start, end):
            if characters[index] != "\n":
                characters[index] = " "
        position = end
    return "".join(characters)


def find_key(text: str, path: Sequence[str]) -> tuple[int, int] | None:
    """Line and column (from 1) of the key ``path``; of the longest part of it that has a place of its own
    when the rest stands in an inline table or is missing. None when not even the first part is found."""
    blanked = _blank_strings(text).split("\n")
    wanted = list(path)
    best: tuple[int, tuple[int, int]] | None = None
    section: list[str] = []

    def offer(length: int, line: int, column: int) -> None:
        nonlocal best
        if best is None or length > best[0]:
            best = (length, (line, column))

    owner: list[str] = []
    for number, line in enumerate(blanked, 1):
        if line.lstrip().startswith("[") and (header := _HEADER.fullmatch(line.rstrip())) and "=" not in line:
            section = _parts(header["path"])
            owner = section
            if section == wanted[: len(section)]:
                offer(len(section), number, header.start("path") + 1)
            continue
        inline_from = 0
        if key := _KEY.match(line):
            owner = section + _parts(key["path"])
            inline_from = key.end()
            if owner == wanted[: len(owner)]:
                offer(len(owner), number, key.start("path") + 1)
        # Keys of inline tables, on this line or on a later line of the same value.
        if owner and owner == wanted[: len(owner)] and len(owner) < len(wanted):
            for depth in range(len(owner), len(wanted)):
                inner = re.search(rf"(?<![\w-]){re.escape(wanted[depth])}\s*=", line[inline_from:])
                if inner:
                    offer(depth + 1, number, inline_from + inner.start() + 1)
    return best[1] if best else None


def find_text(text: str, path: Sequence[str], needle: str) -> tuple[int, int] | None:
    """Line and column of ``needle`` in the value of the key ``path``; of the key when it is not found
    there."""
    place = find_key(text, path)
    if place is None:
        return None
    lines = text.split("\n")
    line, column = place
    first = lines[line - 1].find(needle, column - 1)
    if first >= 0:
        return line, first + 1
    for number in range(line + 1, len(lines) + 1):
        if _HEADER.fullmatch(lines[number - 1].rstrip()) or _KEY.match(lines[number - 1]):
            break
        first = lines[number - 1].find(needle)
        if first >= 0:
            return number, first + 1
    return place
