"""Facts about whole contracts, for lowering and artifacts, and the checks that need call graphs."""

from __future__ import annotations

from smartvm.compiler.analysis import types as t
from smartvm.compiler.analysis.call_graph import CallGraph, CallGraphBuilder, RelevantNodes
from smartvm.compiler.analysis.context import AnalysisContext
from smartvm.compiler.analysis.contract_level import ContractLevelChecker
from smartvm.compiler.analysis.model import ContractFacts
from smartvm.compiler.analysis.storage_layout import storage_base
from smartvm.compiler.ast import nodes


def fill_contract_facts(
    context: AnalysisContext, order: list[nodes.SourceUnit], level: ContractLevelChecker
) -> None:
    """Fill ``model.contracts`` and report contracts that need each other's code."""
    model = context.model
    relevant = RelevantNodes(model)
    graphs: dict[int, tuple[CallGraph, CallGraph]] = {}
    contracts = [node for unit in order for node in unit.nodes if isinstance(node, nodes.ContractDefinition)]
    for contract in contracts:
        creation = CallGraphBuilder(contract, model, relevant).creation()
        deployed = CallGraphBuilder(contract, model, relevant).deployed(creation)
        graphs[contract.id] = (creation, deployed)
        bases = model.linearized_base_contracts(contract)
        events = {e.id: e for b in bases for e in b.nodes if isinstance(e, nodes.EventDefinition)}
        errors = {e.id: e for b in bases for e in b.nodes if isinstance(e, nodes.ErrorDefinition)}
        dependencies: dict[int, nodes.ContractDefinition] = {}
        for graph in (creation, deployed):
            events.update(graph.events)
            errors.update(graph.errors)
            dependencies.update({key: needed for key, (needed, _) in graph.dependencies.items()})
        model.contracts[contract.id] = ContractFacts(
            linearized_base_contracts=bases,
            base_constructor_arguments=level.base_arguments.get(contract.id, {}),
            creation_dependencies=tuple(dependencies[key] for key in sorted(dependencies)),
            is_deployable=not contract.abstract and contract.contract_kind != "interface",
            used_events=tuple(events[key] for key in sorted(events)),
            used_errors=tuple(errors[key] for key in sorted(errors)),
            storage_base=storage_base(contract, context, level.constants),
            unimplemented=level.unimplemented.get(contract.id, ()),
        )
    _check_cycles(context, contracts, graphs)


def _check_cycles(
    context: AnalysisContext,
    contracts: list[nodes.ContractDefinition],
    graphs: dict[int, tuple[CallGraph, CallGraph]],
) -> None:
    """Report contracts that contain their own code (solc 7813)."""
    needs: dict[int, dict[int, tuple[nodes.ContractDefinition, nodes.Expression]]] = {}
    for contract in contracts:
        creation, deployed = graphs[contract.id]
        merged = dict(deployed.dependencies)
        merged.update(creation.dependencies)
        needs[contract.id] = merged
    reported: set[int] = set()
    for contract in contracts:
        cycle = _find_cycle(context, contract, needs)
        if cycle is None:
            continue
        found = needs[contract.id].get(cycle)
        if found is None or found[1].id in reported:
            continue
        reported.add(found[1].id)
        context.type_error(
            7813,
            found[1],
            f'"{contract.name}" needs the code of a contract that needs its own: this is a cycle.',
            [("The contract:", found[0].src)],
        )


def _find_cycle(
    context: AnalysisContext,
    start: nodes.ContractDefinition,
    needs: dict[int, dict[int, tuple[nodes.ContractDefinition, nodes.Expression]]],
) -> int | None:
    """The contract directly below ``start`` through which a contract is reached that is being searched
    already."""
    done: set[int] = set()
    open_: set[int] = set()

    def search(current: nodes.ContractDefinition, depth: int) -> int | None:
        if current.id in open_:
            return current.id
        if current.id in done:
            return None
        if depth >= 256:
            raise context.fatal_type_error(7864, current, "The contracts need each other's code too deeply.")
        open_.add(current.id)
        for key, (following, _) in sorted(needs.get(current.id, {}).items()):
            found = search(following, depth + 1)
            if found is not None:
                return key if current is start else found
        open_.discard(current.id)
        done.add(current.id)
        return None

    return search(start, 1)


def check_error_selectors(context: AnalysisContext, order: list[nodes.SourceUnit]) -> None:
    """Report errors of one contract that share a selector but not the signature (solc 4883)."""
    model = context.model
    for unit in order:
        for contract in unit.nodes:
            if not isinstance(contract, nodes.ContractDefinition):
                continue
            seen: dict[int, tuple[str, nodes.ErrorDefinition]] = {}
            for error in model.contracts[contract.id].used_errors:
                function = t.error_type(error, model)
                signature, selector = function.external_signature(), function.selector()
                other = seen.get(selector)
                if other is not None and other[0] != signature:
                    context.type_error(
                        4883,
                        error.name_location,
                        f"The error {signature} has the selector of another.",
                        [("The other error:", other[1].src)],
                    )
                else:
                    seen[selector] = (signature, error)
