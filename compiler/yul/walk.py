"""Walking Yul trees of inline assembly."""

from __future__ import annotations

from collections.abc import Iterator

from smartvm.compiler.yul import ast as yul

YulNode = yul.Statement | yul.Literal | yul.Identifier | yul.FunctionCall


def yul_nodes(root: YulNode) -> Iterator[YulNode]:
    """A statement or expression and all within it, parents first, in the order of the text."""
    waiting: list[YulNode] = [root]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(list(_parts(node))))


def _parts(node: YulNode) -> Iterator[YulNode]:
    match node:
        case yul.FunctionCall(_, arguments):
            yield from arguments
        case yul.Block(statements):
            yield from statements
        case yul.ExpressionStatement(expression):
            yield expression
        case yul.VariableDeclaration(_, value) | yul.Assignment(_, value):
            if value is not None:
                yield value
        case yul.FunctionDefinition(body=body):
            yield body
        case yul.If(condition, body):
            yield condition
            yield body
        case yul.Switch(expression, cases):
            yield expression
            for case in cases:
                if case.value is not None:
                    yield case.value
                yield case.body
        case yul.ForLoop(pre, condition, post, body):
            yield pre
            yield condition
            yield body
            yield post
