"""Facts about whole contracts, for lowering and artifacts."""

from __future__ import annotations

from smartvm.compiler.analysis import types as t
from smartvm.compiler.analysis.model import SemanticModel
from smartvm.compiler.ast import nodes


def base_constructor_arguments(
    contract: nodes.ContractDefinition, model: SemanticModel
) -> dict[int, tuple[nodes.Node, tuple[nodes.Expression, ...]]]:
    """For each base, where the arguments of its constructor are given first, from the most derived contract on."""
    result: dict[int, tuple[nodes.Node, tuple[nodes.Expression, ...]]] = {}
    for base in model.linearized_base_contracts(contract):
        constructor = t.constructor_of(base)
        if constructor is not None:
            for modifier in constructor.modifiers:
                target = model.referenced_declaration.get(modifier.modifier_name.id)
                if isinstance(target, nodes.ContractDefinition) and modifier.arguments is not None:
                    result.setdefault(target.id, (modifier, modifier.arguments))
        for specifier in base.base_contracts:
            target = model.referenced_declaration.get(specifier.base_name.id)
            if isinstance(target, nodes.ContractDefinition) and specifier.arguments:
                result.setdefault(target.id, (specifier, specifier.arguments))
    return result
