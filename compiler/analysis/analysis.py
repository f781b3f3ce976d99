"""The passes of analysis in order."""

from __future__ import annotations

from collections.abc import Sequence

from smartvm.compiler.analysis.checking.checker import TypeChecker
from smartvm.compiler.analysis.context import AnalysisContext
from smartvm.compiler.analysis.contract_facts import base_constructor_arguments
from smartvm.compiler.analysis.model import ContractFacts, SemanticModel
from smartvm.compiler.analysis.references import ReferenceResolver
from smartvm.compiler.analysis.registration import ScopeTable
from smartvm.compiler.analysis.settings import AnalysisSettings
from smartvm.compiler.analysis.type_names import TypeNameResolver
from smartvm.compiler.ast import nodes
from smartvm.compiler.diagnostics import DiagnosticSink, FatalDiagnostic
from smartvm.compiler.source import SourceText


def analyze(
    units: Sequence[nodes.SourceUnit],
    sources: Sequence[SourceText],
    settings: AnalysisSettings,
    sink: DiagnosticSink,
) -> SemanticModel:
    """Find out everything about the units of one compilation (imported ones included).

    Mistakes in the sources are reported to ``sink``; the model is complete only when there are none.
    """
    model = SemanticModel(sources, {unit.absolute_path: unit for unit in units}, settings.evm_version)
    context = AnalysisContext(model, sink, settings)
    order = _import_order(model)
    model.source_order = tuple(order)
    try:
        _run(context, order)
    except FatalDiagnostic:
        return model
    return model


def _import_order(model: SemanticModel) -> list[nodes.SourceUnit]:
    """The units by name, each after what it imports."""
    done: set[str] = set()
    order: list[nodes.SourceUnit] = []
    for start in sorted(model.units):
        stack: list[tuple[str, bool]] = [(start, False)]
        while stack:
            name, finished = stack.pop()
            if finished:
                order.append(model.units[name])
                continue
            if name in done or name not in model.units:
                continue
            done.add(name)
            stack.append((name, True))
            imports = [
                n.absolute_path for n in model.units[name].nodes if isinstance(n, nodes.ImportDirective)
            ]
            stack.extend((imported, False) for imported in reversed(imports))
    return order


def _run(context: AnalysisContext, order: list[nodes.SourceUnit]) -> None:
    model = context.model
    for unit in order:
        _read_pragmas(unit, model)
    scopes = ScopeTable(context)
    for unit in order:
        scopes.register_unit(unit)
    for unit in order:
        if not scopes.perform_imports(unit, model.units):
            return
    scopes.warn_of_homonyms()
    references = ReferenceResolver(context, scopes)
    for unit in order:
        if not references.resolve_unit(unit):
            return
    type_names = TypeNameResolver(context)
    for unit in order:
        if not type_names.resolve_unit(unit):
            return
    checker = TypeChecker(context, references.assembly_names)
    for unit in order:
        checker.check_unit(unit)
    for unit in order:
        for node in unit.nodes:
            if isinstance(node, nodes.ContractDefinition):
                bases = model.linearized_bases[node.id]
                model.contracts[node.id] = ContractFacts(
                    bases,
                    base_constructor_arguments(node, model),
                    (),
                    not node.abstract and node.contract_kind != "interface",
                    (),
                    (),
                    0,
                )


def _read_pragmas(unit: nodes.SourceUnit, model: SemanticModel) -> None:
    model.abi_coder[unit.id] = 2
    for node in unit.nodes:
        if isinstance(node, nodes.PragmaDirective) and node.literals[:1] == ("abicoder",):
            model.abi_coder[unit.id] = 1 if node.literals[1:] == ("v1",) else 2
