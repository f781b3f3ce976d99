"""Computes constant expressions before their types are checked: array lengths, ``layout at``, constants."""

from __future__ import annotations

from fractions import Fraction

from smartvm.compiler.analysis import types as t
from smartvm.compiler.analysis.context import AnalysisContext
from smartvm.compiler.analysis.model import MagicVariable
from smartvm.compiler.analysis.tree import children
from smartvm.compiler.analysis.types import rationals
from smartvm.compiler.ast import nodes
from smartvm.records import dataclass, field

_MAXIMUM_DEPTH = 32


@dataclass(frozen=True, slots=True)
class TypedValue:
    """A number with the type in which it is computed on."""

    type: t.Type
    value: Fraction


def erc7201(name: bytes) -> int:
    """The storage location of a namespace (ERC-7201)."""
    inner = (int.from_bytes(t.keccak256(name), "big") - 1) % (1 << 256)
    location = int.from_bytes(t.keccak256(inner.to_bytes(32, "big")), "big")
    return location & ~0xFF


def convert(value: Fraction, type_: t.Type) -> TypedValue | None:
    """The value in a type; None when it does not fit or the type is no number type."""
    if isinstance(type_, t.RationalNumberType):
        return TypedValue(t.RationalNumberType(value), value)
    if isinstance(type_, t.IntegerType):
        if value > type_.maximum or value < type_.minimum:
            return None
        whole = abs(value.numerator) // value.denominator
        return TypedValue(type_, Fraction(whole if value >= 0 else -whole))
    return None


@dataclass
class ConstantEvaluator:
    """Evaluates expressions of literals, operators and constants; reports what cannot be computed."""

    context: AnalysisContext
    _values: dict[int, TypedValue | None] = field(default_factory=dict)
    _depth: int = 0

    def evaluate(self, node: nodes.Expression) -> TypedValue | None:
        """The value; None when the expression is not one that is computed at compile time."""
        if node.id not in self._values:
            self._values[node.id] = self._compute(node)
        return self._values[node.id]

    def _compute(self, node: nodes.Expression) -> TypedValue | None:
        match node:
            case nodes.Literal(kind="number"):
                value = rationals.literal_value(node)
                return None if value is None else TypedValue(t.RationalNumberType(value), value)
            case nodes.Literal(value=bytes() as text):
                # No number, but operators say what is wrong with it.
                return TypedValue(t.StringLiteralType(text), Fraction(0))
            case nodes.Identifier():
                declaration = self.context.model.referenced_declaration.get(node.id)
                if (
                    isinstance(declaration, nodes.VariableDeclaration)
                    and declaration.mutability == "constant"
                ):
                    return self._constant(declaration)
            case nodes.MemberAccess():
                declaration = self.context.model.referenced_declaration.get(node.id)
                if (
                    isinstance(declaration, nodes.VariableDeclaration)
                    and declaration.mutability == "constant"
                ):
                    return self._constant(declaration)
            case nodes.TupleExpression(components=(nodes.Expression() as only,), is_inline_array=False):
                return self.evaluate(only)
            case nodes.UnaryOperation():
                return self._unary(node)
            case nodes.BinaryOperation():
                return self._binary(node)
            case nodes.FunctionCall(expression=nodes.Identifier() as callee, arguments=(argument,)):
                magic = self.context.model.referenced_declaration.get(callee.id)
                name = self.evaluate(argument)
                if (
                    isinstance(magic, MagicVariable)
                    and magic.name == "erc7201"
                    and name is not None
                    and isinstance(name.type, t.StringLiteralType)
                ):
                    return convert(Fraction(erc7201(name.type.value)), t.UINT256)
        # Mistakes within what cannot be evaluated are reported all the same.
        for child in children(node):
            if isinstance(child, nodes.Expression):
                self.evaluate(child)
        return None

    def _constant(self, variable: nodes.VariableDeclaration) -> TypedValue | None:
        type_ = self.context.model.variable_types.get(variable.id)
        if variable.value is None or type_ is None:
            return None
        if variable.id in self._values:
            return self._values[variable.id]
        self._depth += 1
        if self._depth > _MAXIMUM_DEPTH:
            raise self.context.fatal_type_error(
                5210,
                variable,
                f'The constant "{variable.name}" is defined by itself, or too deeply by others.',
            )
        value = self.evaluate(variable.value)
        self._depth -= 1
        if value is not None and isinstance(value.type, t.StringLiteralType):
            result = value if isinstance(type_, t.ArrayType) else None
        else:
            result = None if value is None else convert(value.value, type_)
        self._values[variable.id] = result
        return result

    def _unary(self, node: nodes.UnaryOperation) -> TypedValue | None:
        operand = self.evaluate(node.sub_expression)
        if operand is None:
            return None
        type_ = t.unary_operator_result(node.operator, operand.type)
        converted = None if type_ is None else convert(operand.value, type_)
        if isinstance(type_, t.RationalNumberType):
            converted = operand
        if type_ is None or converted is None:
            return None
        value = rationals.evaluate_unary(node.operator, converted.value)
        if value is None:
            return None
        result = convert(value, type_)
        if result is None:
            raise self.context.fatal_type_error(
                3667, node, "This constant expression has no value in its type."
            )
        return result

    def _binary(self, node: nodes.BinaryOperation) -> TypedValue | None:
        left, right = self.evaluate(node.left_expression), self.evaluate(node.right_expression)
        if left is None or right is None or node.operator in t.COMPARISONS:
            return None
        type_ = t.binary_operator_result(node.operator, left.type, right.type)
        if type_ is None:
            raise self.context.fatal_type_error(
                6020,
                node,
                f"Operator {node.operator} cannot be applied to {left.type.text()} and {right.type.text()}.",
            )
        converted_left, converted_right = convert(left.value, type_), convert(right.value, type_)
        if isinstance(type_, t.RationalNumberType):
            converted_left, converted_right = left, right
        if converted_left is None or converted_right is None:
            return None
        value = rationals.evaluate_binary(node.operator, converted_left.value, converted_right.value)
        if value is None:
            return None
        if isinstance(type_, t.IntegerType) and value.denominator != 1:
            whole = abs(value.numerator) // value.denominator
            value = Fraction(whole if value >= 0 else -whole)
        result = convert(value, type_)
        if result is None:
            raise self.context.fatal_type_error(
                2643, node, "This constant expression has no value in its type."
            )
        return result
