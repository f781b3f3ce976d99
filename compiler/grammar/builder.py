"""The base of the actions that make AST nodes while the parser reads: tokens, ranges, ids, diagnostics."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from smartvm.compiler.ast import nodes
from smartvm.compiler.diagnostics import DiagnosticSink, FatalDiagnostic
from smartvm.compiler.grammar.tokens import TokenList
from smartvm.compiler.source import NO_SOURCE, SourceRange, SourceText
from smartvm.compiler.yul.dialect import Dialect

_new_range = tuple.__new__


class NodeIds:
    """Hands out node ids: unique over all sources of a compilation, in the order in which nodes are made."""

    def __init__(self, first: int = 1) -> None:
        self.next: Callable[[], int] = itertools.count(first).__next__


class Builder:
    """State and helpers shared by the families of actions. A token's value is its index."""

    def __init__(
        self,
        source: SourceText,
        tokens: TokenList,
        ids: NodeIds,
        sink: DiagnosticSink,
        resolve_import: Callable[[str], str],
        dialect: Callable[[], Dialect] | None = None,
    ) -> None:
        self.source = source
        self.file = source.index
        self.tokens = tokens
        self.text = tokens.text
        self.starts = tokens.starts
        self.ends = tokens.ends
        self.next_id = ids.next
        self.sink = sink
        self.resolve_import = resolve_import
        #: Of inline assembly; made when the first is met.
        self.dialect = dialect
        #: Kinds of the Yul keywords that not every place allows.
        self.position_bound = frozenset(
            kind
            for kind, name in enumerate(tokens.names)
            if name in ("BREAK", "CONTINUE", "LEAVE", "FUNCTION")
        )

    def spelling(self, token: int) -> str:
        """A token as written."""
        return self.text[self.starts[token] : self.ends[token]]

    def keyword(self, token: int) -> Any:
        """A token as written, where the grammar lets only certain keywords stand."""
        return self.text[self.starts[token] : self.ends[token]]

    def span(self, start: int, end: int) -> SourceRange:
        """The range between two offsets."""
        return _new_range(SourceRange, (start, end - start, self.file))

    def at(self, token: int) -> SourceRange:
        """The range of a token."""
        start = self.starts[token]
        return _new_range(SourceRange, (start, self.ends[token] - start, self.file))

    def covering(self, first: int, last: int) -> SourceRange:
        """The range from one token to another."""
        start = self.starts[first]
        return _new_range(SourceRange, (start, self.ends[last] - start, self.file))

    def documentation(self, start: int) -> nodes.StructuredDocumentation | None:
        """The documentation comment before the token that starts at an offset, as a node."""
        comment = self.tokens.documentation.get(start)
        if comment is None or not comment.text:
            return None
        return nodes.StructuredDocumentation(
            self.next_id(), self.span(comment.start, comment.end), comment.text
        )

    def name(self, token: int | None) -> tuple[str, SourceRange]:
        """A declared name and its range ("" and NO_SOURCE when there is none)."""
        if token is None:
            return "", NO_SOURCE
        return self.spelling(token), self.at(token)

    def error(self, code: int, token: int, message: str) -> None:
        """Report an error at a token and go on."""
        self.sink.error("ParserError", code, self.at(token), message)

    def fatal(self, code: int, token: int, message: str) -> FatalDiagnostic:
        """Report an error at a token; raise what is returned."""
        return self.sink.fatal("ParserError", code, self.at(token), message)

    def describe(self, token: int) -> str:
        """A token in an error message."""
        name = self.tokens.names[self.tokens.kinds[token]]
        if name == "$END":
            return "the end of the source"
        if name == "IDENTIFIER":
            return f"the name `{self.spelling(token)}`"
        if name == "RESERVED":
            return f"the reserved word `{self.spelling(token)}`"
        return f"`{self.spelling(token)}`"
