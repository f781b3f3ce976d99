"""Finds ``for (...; i < n; ++i)`` whose counter nothing else writes: ``isSimpleCounterLoop`` of the AST."""

from __future__ import annotations

import dataclasses

from smartvm.compiler.analysis.model import SemanticModel
from smartvm.compiler.analysis.types import IntegerType
from smartvm.compiler.ast import nodes
from smartvm.compiler.yul import ast as yul


def is_simple_counter_loop(loop: nodes.ForStatement, model: SemanticModel) -> bool:
    """Whether the increment of the loop's counter cannot overflow: the counter is a local integer, compared
    by ``<`` in its own type, incremented by ``++`` and written nowhere else."""
    condition = loop.condition
    if not isinstance(condition, nodes.BinaryOperation) or condition.operator != "<":
        return False
    increment = None if loop.loop_expression is None else loop.loop_expression.expression
    if not isinstance(increment, nodes.UnaryOperation) or increment.operator != "++":
        return False
    if condition.id in model.user_defined_function or increment.id in model.user_defined_function:
        return False
    counter, counted = condition.left_expression, increment.sub_expression
    if not isinstance(counter, nodes.Identifier) or not isinstance(counted, nodes.Identifier):
        return False
    type_ = model.expression_types.get(counter.id)
    if not isinstance(type_, IntegerType) or type_ != model.common_type.get(condition.id):
        return False
    variable = model.referenced_declaration.get(counter.id)
    if variable is None or variable is not model.referenced_declaration.get(counted.id):
        return False
    if not isinstance(variable, nodes.VariableDeclaration) or variable.state_variable:
        return False
    if isinstance(model.scope_of(variable), nodes.SourceUnit):
        return False
    return not (_writes(condition.right_expression, variable, model) or _writes(loop.body, variable, model))


def _writes(root: nodes.Node, variable: nodes.VariableDeclaration, model: SemanticModel) -> bool:
    pending: list[object] = [root]
    while pending:
        thing = pending.pop()
        if isinstance(thing, tuple):
            pending.extend(thing)
        elif isinstance(thing, nodes.Identifier):
            if (
                thing.id in model.will_be_written_to
                and model.referenced_declaration.get(thing.id) is variable
            ):
                return True
        elif isinstance(thing, yul.Assignment):
            if variable.name in thing.names:
                return True
        elif dataclasses.is_dataclass(thing) and not isinstance(thing, type):
            pending.extend(getattr(thing, field.name) for field in dataclasses.fields(thing))
    return False
