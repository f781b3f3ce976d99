"""Where names stand in inline assembly: declarations, assignments and functions carry one range for the
whole."""

from __future__ import annotations

import re
from collections.abc import Iterator

from smartvm.compiler.source import SourceRange, SourceText
from smartvm.compiler.yul import ast as yul

_TOKEN = re.compile(rb"//[^\n\r]*|/\*.*?\*/|[A-Za-z_$][A-Za-z0-9_$.]*|->|\S", re.DOTALL)


def _words(source: SourceRange, text: SourceText) -> Iterator[tuple[str, SourceRange]]:
    for match in _TOKEN.finditer(text.utf8, source.start, source.end):
        word = match[0]
        if word[:2] in (b"//", b"/*"):
            continue
        yield word.decode("utf-8"), SourceRange(match.start(), len(word), source.file)


def name_ranges(names: tuple[str, ...], source: SourceRange, text: SourceText | None) -> list[SourceRange]:
    """The ranges of ``names``, which stand in this order in the statement's text; keywords before are passed
    over."""
    if source.start < 0 or text is None:
        return [source] * len(names)
    result: list[SourceRange] = []
    for word, place in _words(source, text):
        if len(result) == len(names):
            break
        if word == names[len(result)]:
            result.append(place)
    return result + [source] * (len(names) - len(result))


def function_name_ranges(function: yul.FunctionDefinition, text: SourceText | None) -> list[SourceRange]:
    """The ranges of a function's name, parameters and returned variables."""
    source = function.source
    if source.start < 0:
        return [source] * (1 + len(function.parameters) + len(function.returns))
    after_keyword = SourceRange(source.start + 8, max(source.length - 8, 0), source.file)
    return name_ranges((function.name, *function.parameters, *function.returns), after_keyword, text)
