"""Unary and binary operators (docs/types/value-types.rst, docs/types/operators.rst)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smartvm.compiler.analysis import types
from smartvm.compiler.ast import nodes
from smartvm.compiler.lowering.expressions import rational_word, stable_place
from smartvm.compiler.lowering.functions import request_function
from smartvm.compiler.lowering.handlers import value_of
from smartvm.compiler.lowering.places import clear
from smartvm.compiler.lowering.type_facts import bare, is_external_function
from smartvm.compiler.lowering.unimplemented import unimplemented
from smartvm.compiler.lowering.value_conversion import function_slots
from smartvm.compiler.lowering.values import Value
from smartvm.compiler.lowering.yul_nodes import literal_value
from smartvm.compiler.yul import ast as yul

if TYPE_CHECKING:
    from smartvm.compiler.lowering.function_lowering import FunctionLowering

_COMPARISONS = ("==", "!=", "<", ">", "<=", ">=")
_BITWISE = {"&": "and", "|": "or", "^": "xor"}


# --- unary -----------------------------------------------------------------------------------------


@value_of(nodes.UnaryOperation)
def unary_operation(f: FunctionLowering, node: nodes.UnaryOperation) -> Value:
    """``!x``, ``~x``, ``-x``, ``++x``, ``x--``, ``delete x``, and operators that users define."""
    type_ = f.model.type_of(node)
    function = f.model.user_defined_function.get(node.id)
    if function is not None:
        parameter = f.model.type_of_declaration(function.parameters.parameters[0])
        argument = f.value_as(node.sub_expression, parameter)
        return f.result(type_, f.call(request_function(f.context, function), *argument.slots))
    if isinstance(type_, types.RationalNumberType):
        return Value(type_, (f.number(rational_word(type_)),))
    match node.operator:
        case "delete":
            clear(f, f.place(node.sub_expression))
            return Value(type_)
        case "++" | "--":
            return _step(f, node, type_)
        case "!":
            return Value(type_, (f.call("iszero", f.word_as(node.sub_expression, types.BOOL)),))
        case "~":
            return Value(type_, (f.clean(type_, f.call("not", f.value(node.sub_expression).slot)),))
        case "-":
            operand = f.value_as(node.sub_expression, type_).slot
            inner = bare(type_)
            assert isinstance(inner, types.IntegerType)
            if f.checked:
                return f.result(type_, f.call(f.utilities.arithmetic.checked_negate(inner), operand))
            return f.result(type_, f.clean(type_, f.call("sub", f.number(0), operand)))
    raise unimplemented(f"The operator {node.operator} is not supported.", node.src)


def _step(f: FunctionLowering, node: nodes.UnaryOperation, type_: types.Type) -> Value:
    place = stable_place(f, f.place(node.sub_expression))
    old = f.read(place)
    inner = bare(type_)
    if not isinstance(inner, types.IntegerType):
        raise unimplemented(f"The operator {node.operator} is not supported for {type_.text()}.", node.src)
    if not node.prefix and node.id not in f.discarded:
        old = f.copied(old)
    if f.checked:
        new_word: yul.Expression = f.call(f.utilities.arithmetic.checked_step(node.operator, inner), old.slot)
    else:
        instruction = "add" if node.operator == "++" else "sub"
        new_word = f.clean(inner, f.call(instruction, old.slot, f.number(1)))
    if node.id in f.discarded:
        f.write(place, Value(type_, (new_word,)))
        return Value(type_, ())
    new = f.result(type_, new_word)
    f.write(place, new)
    return new if node.prefix else old


# --- binary ----------------------------------------------------------------------------------------


@value_of(nodes.BinaryOperation)
def binary(f: FunctionLowering, node: nodes.BinaryOperation) -> Value:
    """Every binary operator, from left to right."""
    type_ = f.model.type_of(node)
    function = f.model.user_defined_function.get(node.id)
    if function is not None:
        return _user_defined(f, node, function, type_)
    if node.operator in ("&&", "||"):
        return _short_circuit(f, node, type_)
    common = f.model.common_type[node.id]
    if isinstance(common, types.RationalNumberType):
        # Both sides are constants: so is the result, a number or (of a comparison) a boolean.
        return _rational(f, node, type_)
    left = f.value(node.left_expression)
    shift_or_power = node.operator in ("<<", ">>", "**")
    with f.at(node):
        left_converted = f.convert(left, common)
    right = f.value(node.right_expression)
    if node.operator in _COMPARISONS:
        return Value(type_, (_compare(f, node.operator, common, left_converted, f.convert(right, common)),))
    if not shift_or_power:
        right = f.convert(right, common)
    result = binary_operation(f, node.operator, common, left_converted, right)
    return Value(type_, result.slots)


def _rational(f: FunctionLowering, node: nodes.BinaryOperation, type_: types.Type) -> Value:
    if isinstance(type_, types.RationalNumberType):
        return Value(type_, (f.number(rational_word(type_)),))
    left, right = f.model.type_of(node.left_expression), f.model.type_of(node.right_expression)
    assert isinstance(left, types.RationalNumberType)
    assert isinstance(right, types.RationalNumberType)
    holds = {
        "==": left.value == right.value,
        "!=": left.value != right.value,
        "<": left.value < right.value,
        ">": left.value > right.value,
        "<=": left.value <= right.value,
        ">=": left.value >= right.value,
    }[node.operator]
    return Value(type_, (f.number(int(holds)),))


def _user_defined(
    f: FunctionLowering, node: nodes.BinaryOperation, function: nodes.FunctionDefinition, type_: types.Type
) -> Value:
    arguments: list[yul.Expression] = []
    operands = (node.left_expression, node.right_expression)
    for operand, parameter in zip(operands, function.parameters.parameters, strict=True):
        arguments += f.value_as(operand, f.model.type_of_declaration(parameter)).slots
    return f.result(type_, f.call(request_function(f.context, function), *arguments))


def _short_circuit(f: FunctionLowering, node: nodes.BinaryOperation, type_: types.Type) -> Value:
    left = f.word_as(node.left_expression, types.BOOL)
    result = f.writer.fresh("expr")
    f.writer.let([result], left)
    with f.writer.nested() as statements:
        f.writer.assign([result], f.word_as(node.right_expression, types.BOOL))
    variable = yul.Identifier(result, f.source)
    condition = variable if node.operator == "&&" else f.call("iszero", variable)
    f.writer.if_(condition, statements)
    return Value(type_, (variable,))


def _compare(
    f: FunctionLowering, operator: str, common: types.Type, left: Value, right: Value
) -> yul.Expression:
    type_ = bare(common)
    if is_external_function(type_):
        a, b = f.bound(left).slots, f.bound(right).slots
        equal: yul.Expression = f.call("and", f.call("eq", a[0], b[0]), f.call("eq", a[1], b[1]))
        return equal if operator == "==" else f.call("iszero", equal)
    a_word, b_word = _operand(f, type_, left), _operand(f, type_, right)
    signed = isinstance(type_, types.IntegerType) and type_.signed
    less, greater = ("slt", "sgt") if signed else ("lt", "gt")
    match operator:
        case "==":
            return f.call("eq", a_word, b_word)
        case "!=":
            return f.call("iszero", f.call("eq", a_word, b_word))
        case "<":
            return f.call(less, a_word, b_word)
        case ">":
            return f.call(greater, a_word, b_word)
        case "<=":
            return f.call("iszero", f.call(greater, a_word, b_word))
        case _:
            return f.call("iszero", f.call(less, a_word, b_word))


def _operand(f: FunctionLowering, type_: types.Type, value: Value) -> yul.Expression:
    (slot,) = function_slots(f, value)
    if isinstance(type_, types.EnumType) and f.context.enums_in_assembly:
        return f.result(type_, f.clean(type_, slot)).slot
    return slot


def binary_operation(
    f: FunctionLowering, operator: str, type_: types.Type, left: Value, right: Value
) -> Value:
    """An arithmetic, bitwise, shift or power operation whose left operand has the type of the result."""
    inner = bare(type_)
    if operator in ("<<", ">>"):
        return f.result(type_, _shift(f, operator, inner, left.slot, _unsigned(f, right)))
    if operator in _BITWISE and isinstance(inner, types.IntegerType | types.FixedBytesType | types.BoolType):
        return f.result(type_, f.call(_BITWISE[operator], left.slot, right.slot))
    if not isinstance(inner, types.IntegerType):
        raise unimplemented(f"The operator {operator} is not supported for {type_.text()}.", f.source)
    if operator == "**":
        exponent = _unsigned(f, right)
        if f.checked:
            known = literal_value(left.slot)
            if known is not None:
                base = known - (1 << 256) if inner.signed and known >> 255 else known
                function = f.utilities.arithmetic.checked_exp_of_literal(base, inner)
                return f.result(type_, f.call(function, exponent))
            function = f.utilities.arithmetic.checked_exp(inner)
            return f.result(type_, f.call(function, left.slot, exponent))
        return f.result(type_, f.clean(inner, f.call("exp", left.slot, exponent)))
    return f.result(type_, _arithmetic(f, operator, inner, left.slot, right.slot))


def _arithmetic(
    f: FunctionLowering, operator: str, type_: types.IntegerType, left: yul.Expression, right: yul.Expression
) -> yul.Expression:
    arithmetic = f.utilities.arithmetic
    if f.checked or operator == "%":
        return f.call(arithmetic.checked(operator, type_), left, right)
    if operator == "/":
        return f.call(arithmetic.wrapping_div(type_), left, right)
    instruction = {"+": "add", "-": "sub", "*": "mul"}[operator]
    return f.clean(type_, f.call(instruction, left, right))


def _unsigned(f: FunctionLowering, value: Value) -> yul.Expression:
    """An exponent or a distance of a shift: unsigned, or a literal."""
    if isinstance(value.type, types.RationalNumberType):
        return f.number(rational_word(value.type))
    return value.slot


def _shift(
    f: FunctionLowering, operator: str, type_: types.Type, value: yul.Expression, distance: yul.Expression
) -> yul.Expression:
    shifting = f.context.settings.has_bitwise_shifting
    signed = isinstance(type_, types.IntegerType) and type_.signed
    if operator == "<<":
        if shifting:
            return f.clean(type_, f.call("shl", distance, value))
        return f.clean(type_, f.call("mul", value, f.call("exp", f.number(2), distance)))
    if signed:
        if shifting:
            return f.call("sar", distance, value)
        return f.call(f.utilities.arithmetic.shift_right_arithmetic(), distance, value)
    if shifting:
        shifted = f.call("shr", distance, value)
    else:
        shifted = f.call("div", value, f.call("exp", f.number(2), distance))
    return f.clean(type_, shifted) if isinstance(type_, types.FixedBytesType) else shifted
