"""Blocks, declarations, branches, loops, returns (docs/control-structures.rst)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smartvm.compiler.analysis import types
from smartvm.compiler.ast import nodes
from smartvm.compiler.lowering.handlers import statement
from smartvm.compiler.lowering.raw_words import declare_as_returned, keep_raw_word
from smartvm.compiler.lowering.type_facts import location_of
from smartvm.compiler.lowering.value_conversion import function_slots
from smartvm.compiler.lowering.values import Value
from smartvm.compiler.yul import ast as yul
from smartvm.errors import InternalError

if TYPE_CHECKING:
    from smartvm.compiler.lowering.function_lowering import FunctionLowering


def block_contents(f: FunctionLowering, node: nodes.Block) -> None:
    """The statements of a block, without a scope of their own."""
    with f.arithmetic(f.checked and not node.unchecked):
        for part in node.statements:
            f.statement(part)


@statement(nodes.Block)
def block(f: FunctionLowering, node: nodes.Block) -> None:
    """``{ ... }`` and ``unchecked { ... }``."""
    with f.writer.nested() as contents:
        block_contents(f, node)
    f.writer.append(f.writer.block(contents))


def body_of(f: FunctionLowering, node: nodes.Statement) -> yul.Block:
    """A statement as the body of a Yul statement."""
    with f.writer.nested() as contents:
        if isinstance(node, nodes.Block):
            block_contents(f, node)
        else:
            f.statement(node)
    return yul.Block(tuple(contents), node.src)


@statement(nodes.ExpressionStatement)
def expression_statement(f: FunctionLowering, node: nodes.ExpressionStatement) -> None:
    """An expression whose value is dropped."""
    with f.full_expression(node.expression):
        f.discarded = frozenset((node.expression.id,))
        f.value(node.expression)
        f.discarded = frozenset()


@statement(nodes.VariableDeclarationStatement)
def variable_declaration(f: FunctionLowering, node: nodes.VariableDeclarationStatement) -> None:
    """``T x;``, ``T x = e;``, ``(T x, , U y) = e;``."""
    if node.initial_value is None:
        for declaration in node.declarations:
            if declaration is not None:
                declare_default(f, declaration)
        return
    with f.full_expression(node.initial_value):
        if len(node.declarations) == 1:
            (declaration,) = node.declarations
            assert declaration is not None
            if not declare_as_returned(f, declaration, node.initial_value):
                declare(f, declaration, f.value(node.initial_value))
            return
        value = f.value(node.initial_value)
        for declaration, component in zip(node.declarations, f.split(value), strict=True):
            if declaration is not None and component is not None:
                declare(f, declaration, component)


def declare(f: FunctionLowering, declaration: nodes.VariableDeclaration, value: Value) -> None:
    """Declare a local variable with a value."""
    slots = function_slots(f, f.convert(value, f.model.type_of_declaration(declaration)))
    for name, slot in zip(f.new_local(declaration), slots, strict=True):
        f.writer.let([name], slot)
    keep_raw_word(f, declaration)


def declare_default(f: FunctionLowering, declaration: nodes.VariableDeclaration) -> None:
    """Declare a local variable with its default value. Storage pointers have none: they are assigned
    before use."""
    type_ = f.model.type_of_declaration(declaration)
    names = f.new_local(declaration)
    if location_of(type_) == "storage":
        f.writer.let(names, None)
        return
    for name, slot in zip(names, f.zero(type_), strict=True):
        f.writer.let([name], slot)
    keep_raw_word(f, declaration)


@statement(nodes.IfStatement)
def if_statement(f: FunctionLowering, node: nodes.IfStatement) -> None:
    """``if (c) a else b``."""
    with f.full_expression(node.condition):
        condition = f.word_as(node.condition, types.BOOL)
    true_body = body_of(f, node.true_body)
    if node.false_body is None:
        f.writer.append(yul.If(condition, true_body, f.source))
        return
    false_body = body_of(f, node.false_body)
    cases = (yul.Case(f.number(0), false_body, f.source), yul.Case(None, true_body, f.source))
    f.writer.append(yul.Switch(condition, cases, f.source))


# --- loops -----------------------------------------------------------------------------------------


@statement(nodes.WhileStatement)
def while_statement(f: FunctionLowering, node: nodes.WhileStatement) -> None:
    """``while`` and ``do ... while``."""
    if not node.is_do_while:
        _loop(f, None, node.condition, None, node.body)
        return
    # ``continue`` has to reach the condition: that is what the post block is for.
    again = f.writer.fresh("again")
    declaration = yul.VariableDeclaration((again,), f.number(1), f.source)
    with f.writer.nested() as post, f.full_expression(node.condition):
        f.writer.assign([again], f.word_as(node.condition, types.BOOL))
    f.writer.append(
        yul.ForLoop(
            f.writer.block([declaration]),
            yul.Identifier(again, f.source),
            f.writer.block(post),
            body_of(f, node.body),
            f.source,
        )
    )


@statement(nodes.ForStatement)
def for_statement(f: FunctionLowering, node: nodes.ForStatement) -> None:
    """``for``."""
    _loop(f, node.initialization_expression, node.condition, node.loop_expression, node.body)


def _loop(
    f: FunctionLowering,
    initialization: nodes.Statement | None,
    condition: nodes.Expression | None,
    post_statement: nodes.Statement | None,
    body: nodes.Statement,
) -> None:
    with f.writer.nested() as pre:
        if initialization is not None:
            f.statement(initialization)
    with f.writer.nested() as before:
        test: yul.Expression = f.number(1)
        if condition is not None:
            with f.full_expression(condition):
                test = f.word_as(condition, types.BOOL)
    with f.writer.nested() as post:
        if post_statement is not None:
            f.statement(post_statement)
    body_block = body_of(f, body)
    if before:
        # The condition needs statements: it is tested at the start of the body.
        exit_ = yul.If(f.call("iszero", test), f.writer.block([yul.Break(f.source)]), f.source)
        body_block = yul.Block((*before, exit_, *body_block.statements), body_block.source)
        test = f.number(1)
    f.writer.append(yul.ForLoop(f.writer.block(pre), test, f.writer.block(post), body_block, f.source))


@statement(nodes.Break)
def break_statement(f: FunctionLowering, node: nodes.Break) -> None:
    """``break``."""
    f.writer.append(yul.Break(f.source))


@statement(nodes.Continue)
def continue_statement(f: FunctionLowering, node: nodes.Continue) -> None:
    """``continue``."""
    f.writer.append(yul.Continue(f.source))


# --- leaving ---------------------------------------------------------------------------------------


@statement(nodes.Return)
def return_statement(f: FunctionLowering, node: nodes.Return) -> None:
    """``return``, with values assigned to the return variables."""
    places = f.return_places
    if node.expression is not None:
        with f.full_expression(node.expression):
            value = f.value(node.expression)
            components = [value] if len(places) == 1 else f.split(value)
            if places:
                names = [name for place in places for name in place.names]
                slots: list[yul.Expression] = []
                for component, place in zip(components, places, strict=True):
                    assert component is not None
                    slots += function_slots(f, f.convert(component, place.type))
                if len(names) > 1:
                    # A value may be made from a return variable that is assigned before it.
                    slots = [s if _is_independent(s, names) else f.writer.bind(s) for s in slots]
                for name, slot in zip(names, slots, strict=True):
                    if not (isinstance(slot, yul.Identifier) and slot.name == name):
                        f.writer.assign([name], slot)
    f.writer.append(yul.Leave(f.source))


def _is_independent(slot: yul.Expression, names: list[str]) -> bool:
    return isinstance(slot, yul.Literal) or (isinstance(slot, yul.Identifier) and slot.name not in names)


@statement(nodes.PlaceholderStatement)
def placeholder(f: FunctionLowering, node: nodes.PlaceholderStatement) -> None:
    """``_;``: what the modifier modifies."""
    if f.placeholder is None:
        raise InternalError("a placeholder outside of a modifier")
    f.placeholder()
