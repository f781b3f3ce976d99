"""``pragma solidity``: does the version range hold for this compiler (docs/layout-of-source-files.rst)?

A range is a disjunction (``||``) of conjunctions of comparisons, or of ``low - high`` intervals; ``x`` and
``*`` stand for any number, ``^`` and ``~`` as in npm.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from smartvm.compiler.diagnostics import DiagnosticSink
from smartvm.compiler.source import SourceRange
from smartvm.compiler.version import LANGUAGE_VERSION

Version = tuple[int, ...]
#: An operator and the numbers given, None for a wildcard.
Comparison = tuple[str, tuple[int | None, ...]]

_COMPARISON = re.compile(r"\s*(\^|~|<=|>=|<|>|=)?\s*(\d+|[xX*])((?:\.(?:\d+|[xX*])){0,2})\s*")
_HYPHEN = re.compile(r"-(?![-=>])")
_OR = re.compile(r"\|\|\s*")


def check_version(words: Sequence[str], source: SourceRange, sink: DiagnosticSink) -> None:
    """Check a pragma's words (after ``solidity``). Reports 1684 for a malformed range; reports 5333 and
    raises FatalDiagnostic when the range excludes this compiler."""
    text = ""
    for word in words:
        glued = not text or word.startswith(".") or text.endswith(".")
        text += word if glued else f" {word}"
    try:
        ranges = _parse(text)
    except ValueError as error:
        raise sink.fatal("ParserError", 1684, source, f"Invalid version pragma. {error}") from None
    if not any(all(_holds(comparison) for comparison in conjunction) for conjunction in ranges):
        shown = ".".join(map(str, LANGUAGE_VERSION))
        raise sink.fatal(
            "ParserError",
            5333,
            source,
            f"The source requires a different compiler version: this is {shown}, the pragma asks for "
            f"`{text}`.",
        )


def _parse(text: str) -> list[list[Comparison]]:
    if not text.strip():
        raise ValueError("The version is missing.")
    ranges: list[list[Comparison]] = []
    position = 0
    while True:
        first, position = _comparison(text, position)
        conjunction = [first]
        if match := _HYPHEN.match(text, position):
            second, position = _comparison(text, match.end())
            conjunction = [(">=", first[1]), ("<=", second[1])]
        else:
            while position < len(text) and not _OR.match(text, position):
                comparison, position = _comparison(text, position)
                conjunction.append(comparison)
        ranges.append(conjunction)
        if position >= len(text):
            return ranges
        separator = _OR.match(text, position)
        if separator is None:
            raise ValueError("Version ranges can be combined only by `||`.")
        position = separator.end()


def _comparison(text: str, position: int) -> tuple[Comparison, int]:
    match = _COMPARISON.match(text, position)
    if match is None:
        rest = text[position:].strip()
        if not rest:
            raise ValueError("Expected a version number at the end of the pragma.")
        raise ValueError(f"Expected a version number but found `{rest}`.")
    numbers = tuple(None if part in "xX*" else int(part) for part in (match[2] + match[3]).split("."))
    if any(number is not None and number >= 2**32 for number in numbers):
        raise ValueError("A number of the version is too large.")
    return (match[1] or "=", numbers), match.end()


def _holds(comparison: Comparison) -> bool:
    operator, numbers = comparison
    if operator in "^~":
        if not _holds((">=", numbers)):
            return False
        if operator == "~":
            kept = 2 if len(numbers) >= 2 else 1
        else:
            kept = 2 if numbers[0] == 0 and len(numbers) != 1 else 1
        return _holds(("<=", numbers[:kept]))
    order = 0
    for own, wanted in zip(LANGUAGE_VERSION, numbers, strict=False):
        if wanted is not None and own != wanted:
            order = own - wanted
            break
    return {
        "=": order == 0,
        "<": order < 0,
        "<=": order <= 0,
        ">": order > 0,
        ">=": order >= 0,
    }[operator]
