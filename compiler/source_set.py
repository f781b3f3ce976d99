"""All sources of one compilation: those given, and those found through their imports."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING

from smartvm.compiler.diagnostics import Diagnostic, DiagnosticSink, FatalDiagnostic
from smartvm.compiler.imports import ImportRules, SourceNotFound, SourceReader, no_reader
from smartvm.compiler.source import SourceText
from smartvm.records import dataclass

if TYPE_CHECKING:
    from smartvm.compiler.ast import nodes
    from smartvm.compiler.grammar.tokens import TokenList
    from smartvm.compiler.yul.dialect import Dialect


@dataclass(frozen=True, slots=True)
class ParsedSource:
    """A source's syntax tree (None: it has errors), how many node ids it took, and what was reported."""

    unit: nodes.SourceUnit | None
    node_count: int
    diagnostics: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True)
class SourceSetState:
    """See ``SourceSet.state``."""

    texts: Mapping[str, str]
    imported: dict[str, list[str]]
    first_ids: dict[str, int]
    node_counts: dict[str, int]


class SourceSet:
    """Texts, tokens and trees by source name, each made when it is first asked for.

    ``known_imports`` may tell the paths that a text imports (as written) without a look at its tokens. ``dialect``
    is that of inline assembly, where the parser is to refuse what solc's refuses.
    """

    def __init__(
        self,
        given: Mapping[str, str],
        imports: ImportRules,
        reader: SourceReader,
        known_imports: Callable[[str], Sequence[str] | None] = lambda text: None,
        dialect: Callable[[], Dialect] | None = None,
    ) -> None:
        self._given = given
        self._imports = imports
        self._reader = reader
        self._known_imports = known_imports
        self._dialect = dialect
        #: Imported names for which there is no source, and why.
        self.missing: dict[str, str] = {}
        #: The names that each source imports.
        self.imported: dict[str, list[str]] = {}
        #: Where the node ids of sources start, as far as it is known.
        self.first_ids: dict[str, int] = {}
        #: How many nodes their trees have.
        self.node_counts: dict[str, int] = {}
        self._tokens: dict[str, TokenList] = {}
        self._parsed: dict[str, ParsedSource] = {}

    def state(self) -> SourceSetState:
        """What another process needs to go on from here: texts, imports, and where node ids start."""
        return SourceSetState(dict(self.texts), self.imported, self.first_ids, self.node_counts)

    @classmethod
    def restored(cls, state: SourceSetState, imports: ImportRules) -> SourceSet:
        """The set of which this is the state."""
        made = cls({}, imports, no_reader)
        made.texts, made.imported = state.texts, state.imported
        made.first_ids, made.node_counts = state.first_ids, state.node_counts
        return made

    @cached_property
    def texts(self) -> Mapping[str, str]:
        """All texts, in the order in which they are found: which is that of their node ids."""
        texts = dict(sorted(self._given.items()))
        pending = list(texts)
        for name in pending:
            self.imported[name] = []
            for path in self._import_paths(name, texts[name]):
                imported = self.resolve(path, name)
                self.imported[name].append(imported)
                if imported in texts or imported in self.missing:
                    continue
                try:
                    texts[imported] = self._reader(imported)
                    pending.append(imported)
                except SourceNotFound as problem:
                    self.missing[imported] = str(problem)
        return texts

    def _import_paths(self, name: str, text: str) -> Sequence[str]:
        known = self._known_imports(text)
        if known is not None:
            return known
        from smartvm.compiler.grammar.solidity_parser import import_paths, tokenize_solidity

        self._tokens[name] = tokenize_solidity(text.encode("utf-8", "surrogatepass"))
        return import_paths(self._tokens[name])

    def resolve(self, path: str, importing: str) -> str:
        """The source name that an import's path means."""
        return self._imports.resolve(path, importing)

    @cached_property
    def by_name(self) -> Mapping[str, SourceText]:
        """All sources by name; their index is their place in the order of names."""
        return {name: SourceText(name, self.texts[name], index) for index, name in enumerate(sorted(self.texts))}

    @cached_property
    def by_index(self) -> Mapping[int, SourceText]:
        """Sources as diagnostics and printers look them up."""
        return {source.index: source for source in self.by_name.values()}

    def tokens(self, name: str) -> TokenList:
        """A source's tokens."""
        if name not in self._tokens:
            from smartvm.compiler.grammar.solidity_parser import tokenize_solidity

            self._tokens[name] = tokenize_solidity(self.by_name[name].utf8)
        return self._tokens[name]

    def parse(self, name: str, first_id: int) -> ParsedSource:
        """A source's tree, its nodes numbered from ``first_id`` on. A source is parsed once."""
        parsed = self._parsed.get(name)
        if parsed is not None and self.first_ids[name] == first_id:
            return parsed
        from smartvm.compiler.grammar.solidity_parser import NodeIds, parse_solidity

        ids, sink = NodeIds(first_id), DiagnosticSink()
        unit: nodes.SourceUnit | None = None
        with suppress(FatalDiagnostic):  # the sink has it
            unit = parse_solidity(
                self.by_name[name],
                ids,
                sink,
                resolve_import=lambda path: self.resolve(path, name),
                tokens=self.tokens(name),
                dialect=self._dialect,
            )
        if unit is not None:
            self._report_missing(unit, sink)
        parsed = ParsedSource(unit, ids.next() - first_id, tuple(sink.items))
        self.first_ids[name], self.node_counts[name] = first_id, parsed.node_count
        self._parsed[name] = parsed
        return parsed

    def _report_missing(self, unit: nodes.SourceUnit, sink: DiagnosticSink) -> None:
        from smartvm.compiler.ast import nodes

        for node in unit.nodes:
            if isinstance(node, nodes.ImportDirective) and node.absolute_path in self.missing:
                message = f'Source "{node.absolute_path}" not found: {self.missing[node.absolute_path]}'
                sink.error("ParserError", 6275, node.src, message)

    def is_parsed(self, name: str) -> bool:
        """Whether there is a tree of a source already."""
        return name in self._parsed

    def closure(self, names: Sequence[str]) -> set[str]:
        """Sources and all that they import, directly or not."""
        found: set[str] = set()
        pending = list(names)
        while pending:
            name = pending.pop()
            if name not in found and name in self.texts:
                found.add(name)
                pending.extend(self.imported[name])
        return found


def import_order(imported: Mapping[str, Sequence[str]]) -> list[str]:
    """Source names in order, each after what it imports. ``imported`` holds the imports of each; others are left
    out."""
    done: set[str] = set()
    order: list[str] = []
    for start in sorted(imported):
        stack: list[tuple[str, bool]] = [(start, False)]
        while stack:
            name, finished = stack.pop()
            if finished:
                order.append(name)
                continue
            if name in done or name not in imported:
                continue
            done.add(name)
            stack.append((name, True))
            stack.extend((following, False) for following in reversed(imported[name]))
    return order
