"""The syntax tree as solc's AST JSON, with what analysis found out about it.

Keys whose value would be null are left out, as in solc. Follows solc 0.8.37's ``--ast-compact-json``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from smartvm.compiler.artifacts.ast_json_bodies import BODY_VISITORS, BodyExporter
from smartvm.compiler.artifacts.ast_json_declarations import DECLARATION_VISITORS, DeclarationExporter
from smartvm.compiler.artifacts.ast_json_nodes import Json, Visitors
from smartvm.compiler.artifacts.yul_ast_json import YulExporter

if TYPE_CHECKING:
    from smartvm.compiler.pipeline import CompilationUnit


class _Exporter(DeclarationExporter, BodyExporter):
    visitors: ClassVar[Visitors] = {**DECLARATION_VISITORS, **BODY_VISITORS}


def source_unit_json(unit: CompilationUnit, name: str, *, analysed: bool) -> Json:
    """The tree of a source. ``analysed`` False: of its text alone (``stopAfter: parsing``)."""
    model = unit.model if analysed else None
    exporter = _Exporter(
        model,
        unit.documentation_comments(name),
        YulExporter(unit.sources[name].utf8, unit.settings.table),
        unit.settings.evm_version,
    )
    if model is None:
        exporter.units = {path: parsed.id for path, parsed in unit.units.items()}
    else:
        exporter.units = {path: parsed.id for path, parsed in model.units.items()}
    return exporter.node(unit.units[name])
