"""Where in a statement's text its names stand: the tree holds names without ranges, and errors point at
them."""

from __future__ import annotations

from collections.abc import Sequence

from smartvm.compiler.source import SourceRange, SourceText
from smartvm.compiler.yul.tokens import tokenize


def name_places(names: Sequence[str], source: SourceRange, text: SourceText | None) -> list[SourceRange]:
    """The ranges of ``names``, which stand in this order in the statement at ``source``; ``source`` itself
    for what is not found (and without the text)."""
    return [place for place, _ in _places(names, source, text)]


def place_after(name: str, source: SourceRange, text: SourceText | None) -> SourceRange:
    """The range of the token after the first ``name`` in the statement."""
    return _places((name,), source, text)[0][1]


def _places(
    names: Sequence[str], source: SourceRange, text: SourceText | None
) -> list[tuple[SourceRange, SourceRange]]:
    """For each name its range and that of the token after it."""
    found: list[tuple[SourceRange, SourceRange]] = []
    if text is not None and source.start >= 0 and names:
        tokens = tokenize(SourceText(text.name, text.slice(source), source.file))
        # A definition's own keyword is no name, even where something is called as the keyword would be.
        for index in range(len(tokens.texts) - 1):
            if len(found) < len(names) and tokens.texts[index] == names[len(found)]:
                ranges = [
                    SourceRange(
                        source.start + tokens.starts[i], tokens.ends[i] - tokens.starts[i], source.file
                    )
                    for i in (index, index + 1)
                ]
                found.append((ranges[0], ranges[1]))
    return found + [(source, source)] * (len(names) - len(found))
