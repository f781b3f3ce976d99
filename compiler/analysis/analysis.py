"""The passes of analysis in order."""

from __future__ import annotations

from collections.abc import Sequence

from smartvm.compiler.analysis.checking.checker import TypeChecker
from smartvm.compiler.analysis.context import AnalysisContext
from smartvm.compiler.analysis.contract_facts import check_error_selectors, fill_contract_facts
from smartvm.compiler.analysis.contract_level import ContractLevelChecker
from smartvm.compiler.analysis.control_flow import ControlFlowChecker
from smartvm.compiler.analysis.documentation import DocumentationChecker
from smartvm.compiler.analysis.model import SemanticModel
from smartvm.compiler.analysis.post_type_checks import PostTypeChecker, check_immutables
from smartvm.compiler.analysis.references import ReferenceResolver
from smartvm.compiler.analysis.registration import ScopeTable
from smartvm.compiler.analysis.settings import AnalysisSettings
from smartvm.compiler.analysis.state_mutability import MutabilityChecker
from smartvm.compiler.analysis.static_analysis import StaticAnalyzer
from smartvm.compiler.analysis.syntax_checks import SyntaxChecker
from smartvm.compiler.analysis.type_names import TypeNameResolver
from smartvm.compiler.ast import nodes
from smartvm.compiler.diagnostics import DiagnosticSink, FatalDiagnostic
from smartvm.compiler.source import SourceText
from smartvm.compiler.source_set import import_order


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
    imported = {
        name: [node.absolute_path for node in unit.nodes if isinstance(node, nodes.ImportDirective)]
        for name, unit in model.units.items()
    }
    return [model.units[name] for name in import_order(imported)]


def _run(context: AnalysisContext, order: list[nodes.SourceUnit]) -> None:
    """All passes. Each goes over all units; most need that those before them found no error."""
    model = context.model
    syntax = SyntaxChecker(context)
    for unit in context.turns(order):
        syntax.check_unit(unit)
    scopes = ScopeTable(context)
    for unit in context.turns(order):
        scopes.register_unit(unit)
    for unit in context.turns(order):
        if not scopes.perform_imports(unit, model.units):
            return
    scopes.warn_of_homonyms()
    documentation = DocumentationChecker(context)
    for unit in context.turns(order):
        documentation.read_unit(unit)
    references = ReferenceResolver(context, scopes)
    for unit in context.turns(order):
        if not references.resolve_unit(unit):
            return
        errors = context.error_count
        documentation.resolve_inheritdoc(unit, references)
        if context.error_count != errors:
            return
    type_names = TypeNameResolver(context)
    for unit in context.turns(order):
        if not type_names.resolve_unit(unit):
            return
    for unit in context.turns(order):
        documentation.check_returns(unit)
    contract_level = ContractLevelChecker(context, type_names.constants)
    for unit in context.turns(order):
        contract_level.check_unit(unit)
    checker = TypeChecker(context, references.assembly_names)
    for unit in context.turns(order):
        checker.check_unit(unit)
    if context.sink.has_errors:
        return
    for unit in context.turns(order):
        documentation.check_inherited(unit)
    if not context.sink.has_errors:
        _check_typed(context, order, contract_level, checker, type_names)


def _check_typed(
    context: AnalysisContext,
    order: list[nodes.SourceUnit],
    contract_level: ContractLevelChecker,
    checker: TypeChecker,
    type_names: TypeNameResolver,
) -> None:
    """The passes that need correct types."""
    post = PostTypeChecker(context)
    for unit in context.turns(order):
        post.check_unit(unit)
    post.finish()
    if context.sink.has_errors:
        return
    fill_contract_facts(context, order, contract_level)
    check_error_selectors(context, order)
    check_immutables(context, order)
    if context.sink.has_errors:
        return
    context.sink.next_phase()
    ControlFlowChecker(context, checker.dialect()).check(order)
    if context.sink.has_errors:
        return
    static = StaticAnalyzer(context, type_names.constants)
    for unit in context.turns(order):
        static.check_unit(unit)
    if context.sink.has_errors:
        return
    mutability = MutabilityChecker(context, checker.dialect())
    for unit in context.turns(order):
        mutability.check_unit(unit)
    if context.model.buffer_assembly:
        from smartvm.compiler.analysis.buffer_shapes import BufferChecker

        context.sink.next_phase()
        BufferChecker(context, checker.dialect()).check(order)
