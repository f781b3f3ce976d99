"""Which local variables an expression changes while it is evaluated.

Reading a local variable gives its name, not a copy. That is right as long as nothing changes the variable
between the read and the use; for the variables found here the reader makes a copy.
"""

from __future__ import annotations

from collections.abc import Iterator

from smartvm.compiler.analysis.model import SemanticModel
from smartvm.compiler.ast import nodes

_NOTHING: frozenset[int] = frozenset()


def sub_expressions(expression: nodes.Expression) -> Iterator[nodes.Expression | None]:
    """The direct parts of an expression."""
    match expression:
        case nodes.Conditional():
            yield from (expression.condition, expression.true_expression, expression.false_expression)
        case nodes.Assignment():
            yield from (expression.left_hand_side, expression.right_hand_side)
        case nodes.TupleExpression():
            yield from expression.components
        case nodes.UnaryOperation():
            yield expression.sub_expression
        case nodes.BinaryOperation():
            yield from (expression.left_expression, expression.right_expression)
        case nodes.FunctionCall():
            yield expression.expression
            yield from expression.arguments
        case nodes.FunctionCallOptions():
            yield expression.expression
            yield from expression.options
        case nodes.MemberAccess():
            yield expression.expression
        case nodes.IndexAccess():
            yield from (expression.base_expression, expression.index_expression)
        case nodes.IndexRangeAccess():
            yield from (expression.base_expression, expression.start_expression, expression.end_expression)


def _targets(model: SemanticModel, expression: nodes.Expression | None) -> Iterator[int]:
    if isinstance(expression, nodes.Identifier):
        declaration = model.referenced_declaration.get(expression.id)
        if isinstance(declaration, nodes.VariableDeclaration) and not declaration.state_variable:
            yield declaration.id
    elif isinstance(expression, nodes.TupleExpression):
        for component in expression.components:
            yield from _targets(model, component)


def written_locals(model: SemanticModel, expression: nodes.Expression) -> frozenset[int]:
    """Ids of the local variables that change before the expression's value is complete.

    A single assignment at the top does not count: everything else was evaluated before it.
    """
    written: set[int] = set()
    writes = 0
    only_top = True
    pending: list[nodes.Expression | None] = [expression]
    while pending:
        part = pending.pop()
        if part is None:
            continue
        target: nodes.Expression | None = None
        if isinstance(part, nodes.Assignment):
            target = part.left_hand_side
        elif isinstance(part, nodes.UnaryOperation) and part.operator in ("++", "--", "delete"):
            target = part.sub_expression
        if target is not None:
            found = set(_targets(model, target))
            if found:
                writes += len(found)
                written |= found
                only_top = only_top and part is expression
        pending.extend(sub_expressions(part))
    if not written or (writes == 1 and only_top):
        return _NOTHING
    return frozenset(written)
