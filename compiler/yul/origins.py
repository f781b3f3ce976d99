"""What ``/// @src`` and ``/// @use-src`` comments say: which Solidity range the Yul that follows stands for.

docs/yul.rst, "Specification of Yul Object", and solc's printed IR: ``@use-src 0:"a.sol"`` before an object
gives numbers to sources, ``@src 0:10:25  "snippet"`` gives the range from byte 10 to byte 25 of source 0 to
what follows.
"""

from __future__ import annotations

import re

from smartvm.compiler.diagnostics import DiagnosticSink
from smartvm.compiler.source import NO_SOURCE, SourceRange, SourceText
from smartvm.compiler.yul.tokens import DOCUMENTATION, Tokens, byte_offsets

_SRC_TAG = re.compile(r"(?:^|\s)@src(?=\s|$)")
_SRC = re.compile(r"\s*(-?\d+):(-?\d+):(-?\d+)(?=\s|$)")
_USE_SRC_TAG = re.compile(r"(?:^|\s)@use-src\b")
_USE_SRC = re.compile(r'\s*(\d+)\s*:\s*"((?:[^"\\]|\\.)*)"\s*(,|$|(?=\s))')


def _documentation(source: SourceText) -> list[tuple[int, int, str]]:
    """Start and end (bytes) and text of every comment that documents, in order."""
    offsets = None if source.is_ascii else byte_offsets(source.text)
    comments = []
    for match in _COMMENTS_AND_STRINGS.finditer(source.text):
        if match.lastgroup != "documentation":
            continue
        inner = DOCUMENTATION.fullmatch(match.group())
        if inner is None:
            continue
        text = inner["line"] if inner["line"] is not None else inner["block"]
        start, end = match.span()
        if offsets is not None:
            start, end = offsets[start], offsets[end]
        comments.append((start, end, text))
    return comments


_COMMENTS_AND_STRINGS = re.compile(
    r"(?P<documentation>///[^\r\n]*|/\*\*(?!/)(?:[^*]|\*(?!/))*\*/)"
    r"|//[^\r\n]*|/\*(?:[^*]|\*(?!/))*\*/"
    r"|\"(?:[^\"\\\r\n]|\\[\s\S])*\"|'(?:[^'\\\r\n]|\\[\s\S])*'"
)


def token_origins(source: SourceText, tokens: Tokens, sink: DiagnosticSink) -> list[SourceRange]:
    """For each token the range that the last ``@src`` before it gives."""
    changes: list[tuple[int, SourceRange]] = []
    for start, end, text in _documentation(source):
        for tag in _SRC_TAG.finditer(text):
            values = _SRC.match(text, tag.end())
            if values is None:
                message = "Invalid values in source location mapping. Could not parse location specification."
                sink.error("SyntaxError", 8387, SourceRange(start, end - start, source.index), message)
                break
            file, first, last = int(values[1]), int(values[2]), int(values[3])
            if file < -1 or first < -1 or last < -1:
                message = (
                    "Invalid value in source location mapping. "
                    "Expected non-negative integer values or -1 for source index and location."
                )
                sink.error("SyntaxError", 6367, SourceRange(start, end - start, source.index), message)
                break
            origin = SourceRange(first, last - first, file) if file >= 0 and first >= 0 else NO_SOURCE
            changes.append((end, origin))
    origins = []
    current, following = NO_SOURCE, 0
    for text, start in zip(tokens.texts, tokens.starts, strict=True):
        while following < len(changes) and changes[following][0] <= start:
            current = changes[following][1]
            following += 1
        if text == "code":
            current = NO_SOURCE
        origins.append(current)
    return origins


def source_names_before(
    source: SourceText, tokens: Tokens | None, position: int, sink: DiagnosticSink
) -> tuple[tuple[int, str], ...]:
    """The sources that a ``@use-src`` in the comment before token ``position`` names."""
    if tokens is None or "@use-src" not in source.text:
        return ()
    after = tokens.ends[position - 1] if position else 0
    before = tokens.starts[position]
    names: dict[int, str] = {}
    for start, end, text in _documentation(source):
        if not after <= start < before or not (tag := _USE_SRC_TAG.search(text)):
            continue
        cursor = tag.end()
        while text[cursor:].strip():
            entry = _USE_SRC.match(text, cursor)
            if entry is None:
                message = 'Error parsing arguments to @use-src. Expected: <number> ":" "<filename>", ...'
                sink.error("SyntaxError", 9804, SourceRange(start, end - start, source.index), message)
                return ()
            names[int(entry[1])] = re.sub(r"\\(.)", r"\1", entry[2])
            cursor = entry.end()
            if entry[3] != ",":
                break
    return tuple(names.items())
