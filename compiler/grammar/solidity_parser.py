"""Solidity text to syntax tree."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import cache

from smartvm.compiler.ast import nodes
from smartvm.compiler.diagnostics import DiagnosticSink
from smartvm.compiler.grammar import lalr
from smartvm.compiler.grammar.build_yul import YulActions
from smartvm.compiler.grammar.builder import NodeIds
from smartvm.compiler.grammar.quoted import decode_string
from smartvm.compiler.grammar.syntax_errors import report_nesting, report_unexpected
from smartvm.compiler.grammar.tokens import SOFT_KEYWORDS, TokenList, Vocabulary, tokenize
from smartvm.compiler.source import SourceText
from smartvm.compiler.yul.dialect import Dialect

#: Greatest height of the parse stack: an ``else if`` takes six entries. (Brackets are counted by the
#: tokenizer.)
STACK_LIMIT = 4000

#: Greatest depth of the tree, which chains such as ``a + b + c ...`` and ``f()()()...`` make without a deep
#: stack.
TREE_DEPTH_LIMIT = 1000

#: A source with no run of tokens longer than this between ``;``, ``{`` and ``}`` cannot reach the limit by
#: chains.
_SHORT_RUN = 900


@cache
def tables() -> lalr.Tables:
    """The parse tables of solidity.lark."""
    return lalr.load_tables(
        "smartvm.compiler.grammar",
        "solidity.lark",
        start="source_unit",
        identifier="IDENTIFIER",
        soft_keywords=SOFT_KEYWORDS,
        refused=("ILLEGAL", "RESERVED", "TOO_DEEP"),
    )


@cache
def vocabulary() -> Vocabulary:
    """The words and operators of solidity.lark."""
    return Vocabulary.from_literals(tables().terminals, tables().literals)


@cache
def _parser() -> lalr.Parser:
    return lalr.Parser(tables(), YulActions, stack_limit=STACK_LIMIT)


def tokenize_solidity(data: bytes) -> TokenList:
    """The tokens of a source in UTF-8."""
    return tokenize(data, vocabulary())


def import_paths(tokens: TokenList) -> list[str]:
    """The paths that a source imports, by its tokens alone: known before indices are given out and trees are
    made."""
    kinds = vocabulary().kinds
    import_, string, semicolon = kinds["IMPORT"], kinds["STRING"], kinds["SEMICOLON"]
    paths: list[str] = []
    position = -1
    try:
        while True:
            position = tokens.kinds.index(import_, position + 1)
            while tokens.kinds[position] not in (string, semicolon, kinds["$END"]):
                position += 1
            if tokens.kinds[position] == string:
                paths.append(decode_string(tokens.spelling(position)).decode("utf-8", "replace"))
    except ValueError:
        return paths


def parse_solidity(
    source: SourceText,
    ids: NodeIds,
    sink: DiagnosticSink,
    *,
    resolve_import: Callable[[str], str] = lambda path: path,
    tokens: TokenList | None = None,
    dialect: Callable[[], Dialect] | None = None,
) -> nodes.SourceUnit:
    """The syntax tree of a source. ``resolve_import`` turns the path of an import into a source unit name;
    ``tokens`` are the source's if they were made before; with ``dialect`` the names of builtins are refused
    where inline assembly does not call them.

    Errors that leave the structure clear (a visibility given twice) are reported to ``sink`` and parsing goes
    on; at the first that does not, FatalDiagnostic is raised, its diagnostic already in ``sink``.
    """
    tokens = tokens or tokenize_solidity(source.utf8)
    builder = YulActions(source, tokens, ids, sink, resolve_import, dialect)
    try:
        unit: nodes.SourceUnit = _parser().parse(tokens.kinds, builder)
    except lalr.UnexpectedToken as error:
        builder.abandoned(error.values)
        raise report_unexpected(error, tables(), builder) from None
    except lalr.NestedTooDeeply as error:
        raise report_nesting(error.index, builder) from None
    _check_depth(unit, tokens, builder)
    return unit


def _check_depth(unit: nodes.SourceUnit, tokens: TokenList, builder: YulActions) -> None:
    kinds = vocabulary().kinds
    stops = {kinds["SEMICOLON"], kinds["LBRACE"], kinds["RBRACE"]}
    run = longest = 0
    for kind in tokens.kinds:
        if kind in stops:
            if run > longest:
                longest = run
            run = 0
        else:
            run += 1
    if longest <= _SHORT_RUN:
        return
    pending: list[tuple[object, int]] = [(unit, 0)]
    while pending:
        thing, depth = pending.pop()
        if isinstance(thing, tuple):
            pending.extend((item, depth) for item in thing)
        elif isinstance(thing, nodes.Node):
            if depth > TREE_DEPTH_LIMIT:
                raise report_nesting(tokens.starts.index(thing.src.start), builder)
            pending.extend((getattr(thing, field.name), depth + 1) for field in dataclasses.fields(thing))


__all__ = ["NodeIds", "import_paths", "parse_solidity", "tokenize_solidity"]
