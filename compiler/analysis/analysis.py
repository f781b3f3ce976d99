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
    """All passes. Each goes over all units; most need that those before them found no error."""
    model = context.model
    syntax = SyntaxChecker(context)
    for unit in order:
        syntax.check_unit(unit)
    scopes = ScopeTable(context)
    for unit in order:
        scopes.register_unit(unit)
    for unit in order:
        if not scopes.perform_imports(unit, model.units):
            return
    scopes.warn_of_homonyms()
    documentation = DocumentationChecker(context)
    for unit in order:
        documentation.read_unit(unit)
    references = ReferenceResolver(context, scopes)
    for unit in order:
        if not references.resolve_unit(unit):
            return
        errors = context.error_count
        documentation.resolve_inheritdoc(unit, references)
        if context.error_count != errors:
            return
    type_names = TypeNameResolver(context)
    for unit in order:
        if not type_names.resolve_unit(unit):
            return
    for unit in order:
        documentation.check_returns(unit)
    contract_level = ContractLevelChecker(context, type_names.constants)
    for unit in order:
        contract_level.check_unit(unit)
    checker = TypeChecker(context, references.assembly_names)
    for unit in order:
        checker.check_unit(unit)
    if context.sink.has_errors:
        return
    for unit in order:
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
    for unit in order:
        post.check_unit(unit)
    post.finish()
    if context.sink.has_errors:
        return
    fill_contract_facts(context, order, contract_level)
    check_error_selectors(context, order)
    check_immutables(context, order)
    if context.sink.has_errors:
        return
    ControlFlowChecker(context, checker.dialect()).check(order)
    if context.sink.has_errors:
        return
    static = StaticAnalyzer(context, type_names.constants)
    for unit in order:
        static.check_unit(unit)
    if context.sink.has_errors:
        return
    mutability = MutabilityChecker(context, checker.dialect())
    for unit in order:
        mutability.check_unit(unit)
    if context.model.buffer_assembly:
        from smartvm.compiler.analysis.buffer_shapes import BufferChecker

        BufferChecker(context, checker.dialect()).check(order)
