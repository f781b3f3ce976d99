"""Constants: their expression is evaluated where they are used, by a function of its own unless it is a
literal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smartvm.compiler.ast import nodes
from smartvm.compiler.lowering.conversions import literal_word
from smartvm.compiler.lowering.type_facts import declared_name, is_value_type, variable_names
from smartvm.compiler.lowering.value_conversion import function_slots
from smartvm.compiler.lowering.values import Value
from smartvm.compiler.yul import ast as yul

if TYPE_CHECKING:
    from smartvm.compiler.lowering.function_lowering import FunctionLowering
    from smartvm.compiler.lowering.object_context import ObjectContext


def constant_value(f: FunctionLowering, declaration: nodes.VariableDeclaration) -> Value:
    """The value of a constant, of its declared type."""
    type_ = f.model.type_of_declaration(declaration)
    assert declaration.value is not None
    value_type = f.model.type_of(declaration.value)
    if is_value_type(type_):
        word = literal_word(value_type, type_)
        if word is not None:
            return Value(type_, (f.number(word),))
    name = f"constant_{declared_name(declaration)}"
    f.context.request(name, lambda: _constant_function(f.context, name, declaration))
    return f.result(type_, f.call(name))


def _constant_function(
    context: ObjectContext, name: str, declaration: nodes.VariableDeclaration
) -> yul.FunctionDefinition:
    from smartvm.compiler.lowering.function_lowering import FunctionLowering

    f = FunctionLowering(context)
    type_ = context.model.type_of_declaration(declaration)
    returns = variable_names("value", type_)
    assert declaration.value is not None
    with f.at(declaration), f.full_expression(declaration.value):
        value = f.value_as(declaration.value, type_)
        for target, slot in zip(returns, function_slots(f, value), strict=True):
            f.writer.assign([target], slot)
        body = f.writer.block(f.writer.statements())
    return yul.FunctionDefinition(name, (), returns, body, declaration.src)
