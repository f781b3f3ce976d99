"""The types of builtin unary and binary operations (docs/types/value-types.rst)."""

from __future__ import annotations

from smartvm.compiler.analysis.types import rationals
from smartvm.compiler.analysis.types.base import Type
from smartvm.compiler.analysis.types.conversions import common_type
from smartvm.compiler.analysis.types.elementary import (
    INT256,
    UINT256,
    AddressType,
    BoolType,
    FixedBytesType,
    FixedPointType,
    IntegerType,
    RationalNumberType,
    StringLiteralType,
)
from smartvm.compiler.analysis.types.functions import FunctionType, ModifierType
from smartvm.compiler.analysis.types.others import (
    EMPTY_TUPLE,
    InaccessibleDynamicType,
    MagicType,
    ModuleType,
    TupleType,
    TypeType,
)
from smartvm.compiler.analysis.types.reference import ArraySliceType, ArrayType, StructType
from smartvm.compiler.analysis.types.user_defined import ContractType, EnumType, UserDefinedValueType

COMPARISONS = frozenset({"==", "!=", "<", ">", "<=", ">="})
EQUALITIES = frozenset({"==", "!="})
BOOLEAN_OPERATORS = frozenset({"&&", "||"})
BIT_OPERATORS = frozenset({"&", "|", "^", "~"})
SHIFTS = frozenset({"<<", ">>", ">>>"})

#: Types without any binary operator of their own.
_WITHOUT_BINARY = (
    StringLiteralType, ArrayType, ArraySliceType, StructType, TupleType, TypeType, ModifierType, ModuleType,
    MagicType, InaccessibleDynamicType, UserDefinedValueType,
)  # fmt: skip


def unary_operator_result(operator: str, operand: Type) -> Type | None:
    """The type of ``operator operand`` (``delete`` gives the empty tuple); None when it is not defined."""
    if operator == "delete":
        match operand:
            case ArrayType() | StructType() | ArraySliceType():
                if operand.location == "calldata":
                    return None
                if operand.location == "storage" and getattr(operand, "is_pointer", True):
                    return None
                return EMPTY_TUPLE
            case ContractType():
                return None if operand.is_super else EMPTY_TUPLE
            case (
                AddressType()
                | IntegerType()
                | FixedPointType()
                | FixedBytesType()
                | BoolType()
                | EnumType()
                | FunctionType()
                | UserDefinedValueType()
            ):
                if isinstance(operand, UserDefinedValueType):
                    return EMPTY_TUPLE
                return EMPTY_TUPLE
        return None
    match operand:
        case IntegerType():
            if operator == "-":
                return operand if operand.signed else None
            return operand if operator in ("++", "--", "~") else None
        case FixedPointType():
            return operand if operator in ("-", "++", "--") else None
        case FixedBytesType():
            return operand if operator == "~" else None
        case BoolType():
            return operand if operator == "!" else None
        case RationalNumberType():
            value = rationals.evaluate_unary(operator, operand.value)
            return None if value is None else RationalNumberType(value)
    return None


def _is_valid_shift(operator: str, amount: Type) -> bool:
    if operator == ">>>":
        return False
    if isinstance(amount, IntegerType):
        return not amount.signed
    if isinstance(amount, RationalNumberType) and not amount.is_fractional:
        whole = amount.integer_type()
        return whole is not None and not whole.signed
    return False


def _integer_binary(operator: str, left: IntegerType, right: Type) -> Type | None:
    if not isinstance(right, RationalNumberType | FixedPointType | IntegerType):
        return None
    if operator in SHIFTS:
        return left if _is_valid_shift(operator, right) else None
    if operator == "**":
        if isinstance(right, IntegerType):
            return None if right.signed else left
        if isinstance(right, RationalNumberType):
            if right.is_fractional or right.value < 0 or right.integer_type() is None:
                return None
            return left
        return None
    common = common_type(left, right)
    return None if operator in BOOLEAN_OPERATORS else common


def _rational_binary(operator: str, left: RationalNumberType, right: Type) -> Type | None:
    if isinstance(right, IntegerType | FixedPointType):
        if left.is_fractional or left.integer_type() is None:
            return None
        if operator in SHIFTS or operator == "**":
            if operator in SHIFTS and not _is_valid_shift(operator, right):
                return None
            if operator == "**" and (isinstance(right, FixedPointType) or right.signed):
                return None
            return INT256 if left.value < 0 else UINT256
        common = common_type(left, right)
        return None if common is None else binary_operator_result(operator, common, right)
    if not isinstance(right, RationalNumberType):
        return None
    if operator in COMPARISONS:
        left_mobile, right_mobile = left.mobile_type(), right.mobile_type()
        if left_mobile is None or right_mobile is None:
            return None
        return binary_operator_result(operator, left_mobile, right_mobile)
    value = rationals.evaluate_binary(operator, left.value, right.value)
    if value is None or not rationals.fits_precision(value):
        return None
    return RationalNumberType(value)


def _function_binary(operator: str, left: FunctionType, right: Type) -> Type | None:
    if not isinstance(right, FunctionType) or operator not in EQUALITIES or left.kind != right.kind:
        return None
    if left.kind == "internal" and left.size_on_stack() == 1 and right.size_on_stack() == 1:
        return common_type(left, right)
    if left.kind == "external" and left.size_on_stack() == 2 and right.size_on_stack() == 2:
        return None if left.bound or right.bound else common_type(left, right)
    return None


def binary_operator_result(operator: str, left: Type, right: Type) -> Type | None:
    """The type in which ``left operator right`` is computed (for comparisons the operands' common type, not
    bool); None when the operation is not defined."""
    match left:
        case AddressType():
            return common_type(left, right) if operator in COMPARISONS else None
        case IntegerType():
            return _integer_binary(operator, left, right)
        case RationalNumberType():
            return _rational_binary(operator, left, right)
        case FixedPointType():
            common = common_type(left, right)
            if operator in BIT_OPERATORS or operator in BOOLEAN_OPERATORS or operator == "**":
                return None
            return common
        case FixedBytesType():
            if operator in SHIFTS:
                return left if _is_valid_shift(operator, right) else None
            common = common_type(left, right)
            if isinstance(common, FixedBytesType) and (operator in COMPARISONS or operator in BIT_OPERATORS):
                return common
            return None
        case BoolType():
            if isinstance(right, BoolType) and (operator in EQUALITIES or operator in BOOLEAN_OPERATORS):
                return right
            return None
        case FunctionType():
            return _function_binary(operator, left, right)
    if isinstance(left, _WITHOUT_BINARY):
        return None
    return common_type(left, right) if operator in COMPARISONS else None
