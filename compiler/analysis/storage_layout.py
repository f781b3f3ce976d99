"""Where a contract's state variables lie (docs/internals/layout_in_storage.rst), and ``layout at``."""

from __future__ import annotations

from typing import Literal as OneOf

from smartvm.compiler.analysis import types as t
from smartvm.compiler.analysis.constant_evaluation import ConstantEvaluator
from smartvm.compiler.analysis.context import AnalysisContext
from smartvm.compiler.analysis.model import SemanticModel
from smartvm.compiler.ast import nodes

#: So few slots before the end of storage deserve a warning.
_CLOSE_TO_END = 1 << 64


def state_variables_in(
    contract: nodes.ContractDefinition,
    model: SemanticModel,
    location: OneOf["storage", "transient"] = "storage",
) -> tuple[list[tuple[nodes.VariableDeclaration, int, int]], int]:
    """Every mutable state variable of the contract and its bases with slot (from the first one, without
    ``layout at``) and byte, most basic contract first; and how many slots there are in all."""
    variables = [
        node
        for base in reversed(model.linearized_base_contracts(contract))
        for node in base.nodes
        if isinstance(node, nodes.VariableDeclaration)
        and node.mutability == "mutable"
        and (node.storage_location == "transient") == (location == "transient")
    ]
    offsets, size = t.storage_offsets(model.variable_types[v.id] for v in variables)
    placed = [(v, *offset) for v, offset in zip(variables, offsets, strict=True) if offset is not None]
    return placed, size


def storage_base(
    contract: nodes.ContractDefinition, context: AnalysisContext, constants: ConstantEvaluator
) -> int:
    """The first slot of a contract; 0 when ``layout at`` is missing or (after a report) wrong."""
    specifier = contract.storage_layout
    if specifier is None:
        return 0
    expression = specifier.base_slot_expression
    model = context.model
    if not model.is_pure.get(expression.id, False):
        context.type_error(1139, expression, "The first slot has to be known at compile time.")
        return 0
    type_ = model.expression_types[expression.id]
    is_integer = isinstance(type_, t.IntegerType) or (
        isinstance(type_, t.RationalNumberType) and not type_.is_fractional
    )
    if not is_integer:
        context.type_error(
            1763, expression, f"The first slot is an integer, not {type_.human_readable_name()}."
        )
        return 0
    if isinstance(type_, t.RationalNumberType):
        base = type_.value.numerator
    else:
        evaluated = constants.evaluate(expression)
        if evaluated is None:
            context.type_error(
                1505, expression, "This expression is not one that is computed at compile time."
            )
            return 0
        base = evaluated.value.numerator
    if not 0 <= base < 1 << 256:
        context.type_error(6753, expression, f"The first slot is {base}; slots are of type uint256.")
        return 0
    model.constant_values[expression.id] = base
    end = base + state_variables_in(contract, model)[1]
    if end >= 1 << 256:
        context.type_error(5015, expression, "The contract reaches beyond the end of storage.")
    elif (1 << 256) - 1 - end <= _CLOSE_TO_END:
        context.warning(
            3495,
            specifier,
            "The contract is very close to the end of storage, so later versions can hardly grow.",
        )
    return base
