"""The Yul of a contract, before and after the optimizer, as text and as syntax trees (``ir``, ``irOptimized``,
``irAst``, ``irOptimizedAst``)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from smartvm.compiler.artifacts.yul_ast_json import YulExporter
from smartvm.compiler.backend import BackendSettings, optimized_object
from smartvm.compiler.diagnostics import DiagnosticSink
from smartvm.compiler.source import NO_SOURCE, SourceRange, SourceText
from smartvm.compiler.yul import ast as yul
from smartvm.compiler.yul.extensions import ExtensionExpander
from smartvm.compiler.yul.origins import token_origins
from smartvm.compiler.yul.parser import parse_yul
from smartvm.compiler.yul.printer import print_object
from smartvm.compiler.yul.tokens import tokenize

if TYPE_CHECKING:
    from smartvm.compiler.yul.dialect import Dialect

Json = dict[str, Any]


def ir_json(
    yul_object: Callable[[], yul.Object],
    dialect: Dialect,
    settings: BackendSettings,
    expand_extensions: bool,
    sources: Mapping[int, SourceText],
    wants: Callable[[str], bool],
) -> Json:
    """Those of the four outputs for which ``wants`` holds. ``sources`` are what the object's ranges refer to."""
    entry: Json = {}
    for text_output, tree_output, is_optimized in (
        ("ir", "irAst", False),
        ("irOptimized", "irOptimizedAst", True),
    ):
        if not wants(text_output) and not wants(tree_output):
            continue
        printed = yul_object()
        if is_optimized:
            expanded = ExtensionExpander(dialect).object(printed) if expand_extensions else printed
            printed = optimized_object(expanded, dialect, settings)
        text = print_object(printed, sources)
        if wants(text_output):
            entry[text_output] = text
        if wants(tree_output):
            entry[tree_output] = object_ast_json(text, dialect)
    return entry


def object_ast_json(text: str, dialect: Dialect) -> Json:
    """solc's JSON of a printed object's tree: ``nativeSrc`` are places in the text, ``src`` what its ``@src``
    comments say."""
    source = SourceText("", text, 0)
    sink = DiagnosticSink()
    tokens = tokenize(source)
    origins = dict(zip(tokens.starts, token_origins(source, tokens, sink), strict=True))
    entry = _object(parse_yul(source, sink), YulExporter(text.encode(), dialect.table))
    for node in _nodes(entry):
        start = int(node["nativeSrc"].partition(":")[0])
        place: SourceRange = origins.get(start, NO_SOURCE)
        node["src"] = f"{place.start}:{place.length if place.start >= 0 else -1}:{max(place.file, 0)}"
    return entry


def _object(part: yul.Object | yul.Data, exporter: YulExporter) -> Json:
    if isinstance(part, yul.Data):
        return {"nodeType": "YulData", "value": part.data.hex()}
    return {
        "code": {"block": exporter.block(part.code), "nodeType": "YulCode"},
        "name": part.name,
        "nodeType": "YulObject",
        "subObjects": [_object(inner, exporter) for inner in part.sub_objects],
    }


def _nodes(entry: Any) -> Iterator[Json]:
    work = [entry]
    while work:
        part = work.pop()
        if isinstance(part, dict):
            if "nativeSrc" in part:
                yield part
            work += part.values()
        elif isinstance(part, list):
            work += part
