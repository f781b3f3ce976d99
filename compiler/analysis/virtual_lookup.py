"""Which function, modifier or constructor is meant for a most derived contract
(docs/contracts/inheritance.rst)."""

from __future__ import annotations

from smartvm.compiler.analysis import types as t
from smartvm.compiler.analysis.model import SemanticModel
from smartvm.compiler.ast import nodes


def resolve_virtual_function(
    function: nodes.FunctionDefinition,
    most_derived: nodes.ContractDefinition,
    model: SemanticModel,
    search_start: nodes.ContractDefinition | None = None,
) -> nodes.FunctionDefinition:
    """The function that a call of ``function`` by its plain name reaches in ``most_derived``; with
    ``search_start`` (``super``) the first implemented one from that base on."""
    home = model.scope_of(function)
    if search_start is None:
        is_interface = isinstance(home, nodes.ContractDefinition) and home.contract_kind == "interface"
        if not function.virtual and not is_interface:
            return function
    parameters = t.function_type(function, model).as_externally_callable_function(False).parameter_types
    started = search_start is None
    for contract in model.linearized_base_contracts(most_derived):
        started = started or contract is search_start
        if not started:
            continue
        for candidate in contract.nodes:
            if (
                isinstance(candidate, nodes.FunctionDefinition)
                and candidate.name == function.name
                and candidate.kind == "function"
                and (candidate.body is not None or search_start is None)
                and t.function_type(candidate, model).as_externally_callable_function(False).parameter_types
                == parameters
            ):
                return candidate
    return function


def resolve_virtual_modifier(
    modifier: nodes.ModifierDefinition, most_derived: nodes.ContractDefinition, model: SemanticModel
) -> nodes.ModifierDefinition:
    """The modifier that the plain name means in ``most_derived``."""
    if not modifier.virtual:
        return modifier
    for contract in model.linearized_base_contracts(most_derived):
        for candidate in contract.nodes:
            if isinstance(candidate, nodes.ModifierDefinition) and candidate.name == modifier.name:
                return candidate
    return modifier


def super_contract(
    contract: nodes.ContractDefinition, most_derived: nodes.ContractDefinition, model: SemanticModel
) -> nodes.ContractDefinition | None:
    """The base that follows ``contract`` in the order of ``most_derived``."""
    bases = model.linearized_base_contracts(most_derived)
    position = bases.index(contract) + 1
    return bases[position] if position < len(bases) else None


def resolve_function_call(
    call: nodes.FunctionCall, most_derived: nodes.ContractDefinition | None, model: SemanticModel
) -> nodes.FunctionDefinition | None:
    """The function that a direct call reaches; None when that is known only when running."""
    callee = call.expression
    function = model.referenced_declaration.get(callee.id)
    if not isinstance(function, nodes.FunctionDefinition):
        return None
    if isinstance(callee, nodes.MemberAccess):
        if model.required_lookup.get(callee.id) != "super" or most_derived is None:
            return function
        type_ = model.expression_types[callee.expression.id]
        if isinstance(type_, t.TypeType) and isinstance(type_.actual_type, t.ContractType):
            start = super_contract(type_.actual_type.definition, most_derived, model)
            return (
                resolve_virtual_function(function, most_derived, model, start)
                if start is not None
                else function
            )
        return function
    if isinstance(callee, nodes.Identifier) and most_derived is not None:
        return resolve_virtual_function(function, most_derived, model)
    return function
