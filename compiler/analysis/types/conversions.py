"""Implicit and explicit conversions (docs/types/conversion.rst)."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from smartvm.compiler.analysis.types.base import Type
from smartvm.compiler.analysis.types.elementary import (
    AddressType,
    FixedBytesType,
    FixedPointType,
    IntegerType,
    RationalNumberType,
    StringLiteralType,
)
from smartvm.compiler.analysis.types.functions import FunctionType
from smartvm.compiler.analysis.types.others import InaccessibleDynamicType, TupleType, TypeType
from smartvm.compiler.analysis.types.reference import (
    ArraySliceType,
    ArrayType,
    StructType,
    with_location_if_reference,
)
from smartvm.compiler.analysis.types.user_defined import ContractType, EnumType

_MUTABILITY_ORDER = {"pure": 0, "view": 1, "nonpayable": 2, "payable": 3}


def _rational_fits_fixed(value: Fraction, target: FixedPointType) -> bool:
    if value < 0 and not target.signed:
        return False
    if value.denominator == 1:
        return target.minimum_integer <= value <= target.maximum_integer
    scaled = value * 10**target.fractional_digits
    if scaled.denominator != 1:
        return False
    whole = IntegerType(target.bits, target.signed)
    return bool(whole.minimum <= scaled <= whole.maximum)


def _array_to_array(source: ArrayType, target: ArrayType) -> bool:
    if source.is_byte_array != target.is_byte_array or source.is_string != target.is_string:
        return False
    # From memory or calldata only what is copied into storage, not a pointer to it.
    if target.location == "storage" and source.location != "storage" and target.is_pointer:
        return False
    if target.location == "calldata" and source.location != "calldata":
        return False
    if target.location == "storage" and not target.is_pointer:
        if not is_implicitly_convertible_to(source.base_type, target.base_type):
            return False
        if target.length is None:
            return True
        return source.length is not None and target.length >= source.length
    if source.kind == "array" and with_location_if_reference(
        source.location, source.base_type
    ) != with_location_if_reference(source.location, target.base_type):
        return False
    return source.length == target.length


def _function_to_function(source: FunctionType, target: FunctionType) -> bool:
    if source.bound != target.bound or source.kind != target.kind:
        return False
    if source.kind == "declaration" and source.declaration is not target.declaration:
        return False
    if not source.equal_excluding_state_mutability(target):
        return False
    if source.state_mutability != "payable" and target.state_mutability == "payable":
        return False
    if source.state_mutability == "payable" and target.state_mutability == "nonpayable":
        return True
    return _MUTABILITY_ORDER[source.state_mutability] <= _MUTABILITY_ORDER[target.state_mutability]


def _tuple_to_tuple(source: TupleType, target: TupleType) -> bool:
    if not target.components:
        return not source.components
    if len(source.components) != len(target.components):
        return False
    for from_, to in zip(source.components, target.components, strict=True):
        if to is None:
            continue
        if from_ is None or not is_implicitly_convertible_to(from_, to):
            return False
    return True


def is_implicitly_convertible_to(source: Type, target: Type) -> bool:
    """Whether a value of ``source`` may be given where ``target`` is wanted."""
    match source:
        case AddressType():
            return isinstance(target, AddressType) and (source.payable or not target.payable)
        case IntegerType():
            if isinstance(target, IntegerType):
                return source.signed == target.signed and target.bits >= source.bits
            if isinstance(target, FixedPointType):
                return source.maximum <= target.maximum_integer and source.minimum >= target.minimum_integer
            return False
        case FixedPointType():
            return (
                isinstance(target, FixedPointType)
                and target.fractional_digits >= source.fractional_digits
                and target.bits >= source.bits
                and target.maximum_integer >= source.maximum_integer
                and target.minimum_integer <= source.minimum_integer
            )
        case RationalNumberType():
            if isinstance(target, IntegerType):
                return not source.is_fractional and target.minimum <= source.value <= target.maximum
            if isinstance(target, FixedPointType):
                return _rational_fits_fixed(source.value, target)
            if isinstance(target, FixedBytesType):
                return source.value == 0 or source.compatible_bytes == target.size
            return False
        case StringLiteralType():
            if isinstance(target, FixedBytesType):
                return target.size >= len(source.value)
            if isinstance(target, ArrayType):
                if target.is_string and not source.is_valid_utf8():
                    return False
                return (
                    target.location != "calldata"
                    and target.is_byte_array_or_string
                    and not (target.location == "storage" and target.is_pointer)
                )
            return False
        case FixedBytesType():
            return isinstance(target, FixedBytesType) and target.size >= source.size
        case ContractType():
            if source.is_super:
                return False
            if source == target:
                return True
            if not isinstance(target, ContractType) or target.is_super:
                return False
            return target.definition in source.declared.linearized_base_contracts(source.definition)
        case ArrayType():
            return isinstance(target, ArrayType) and _array_to_array(source, target)
        case ArraySliceType():
            return source == target or (
                source.array_type.location == "calldata"
                and source.array_type.length is None
                and is_implicitly_convertible_to(source.array_type, target)
            )
        case StructType():
            if not isinstance(target, StructType):
                return False
            if target.location == "storage" and source.location != "storage" and target.is_pointer:
                return False
            if target.location == "calldata" and source.location != "calldata":
                return False
            return source.definition is target.definition
        case FunctionType():
            return isinstance(target, FunctionType) and _function_to_function(source, target)
        case TupleType():
            return isinstance(target, TupleType) and _tuple_to_tuple(source, target)
        case InaccessibleDynamicType():
            return False
    return source == target


def _rational_explicitly(source: RationalNumberType, target: Type) -> bool:
    if isinstance(target, FixedBytesType | IntegerType):
        return False
    whole = None if source.is_fractional else source.integer_type()
    if isinstance(target, AddressType):
        if source.value == 0:
            return True
        return not target.payable and source.value >= 0 and whole is not None and whole.bits <= 160
    if isinstance(target, EnumType) and (
        source.value < 0 or source.is_fractional or source.value >= target.number_of_members
    ):
        return False
    mobile = source.mobile_type()
    return mobile is not None and is_explicitly_convertible_to(mobile, target)


def is_explicitly_convertible_to(source: Type, target: Type) -> bool:
    """Whether ``target(value)`` is allowed."""
    if is_implicitly_convertible_to(source, target):
        return True
    match source:
        case AddressType():
            if isinstance(target, AddressType):
                return True
            if isinstance(target, ContractType):
                return source.payable or not target.is_payable
            if source.payable:
                return False
            if isinstance(target, IntegerType):
                return not target.signed and target.bits == 160
            return isinstance(target, FixedBytesType) and target.size == 20
        case IntegerType():
            if isinstance(target, IntegerType):
                return source.bits == target.bits or source.signed == target.signed
            if isinstance(target, AddressType):
                return not target.payable and not source.signed and source.bits == 160
            if isinstance(target, FixedBytesType):
                return not source.signed and source.bits == target.size * 8
            if isinstance(target, EnumType):
                return True
            if isinstance(target, FixedPointType):
                return source.signed == target.signed and source.bits == target.bits
            return False
        case FixedPointType():
            return isinstance(target, FixedPointType | IntegerType)
        case RationalNumberType():
            return _rational_explicitly(source, target)
        case FixedBytesType():
            if isinstance(target, FixedBytesType):
                return True
            if isinstance(target, IntegerType):
                return not target.signed and target.bits == source.size * 8
            if isinstance(target, AddressType):
                return not target.payable and source.size == 20
            return isinstance(target, FixedPointType) and target.bits == source.size * 8
        case ContractType():
            return (
                isinstance(target, AddressType)
                and not source.is_super
                and (not target.payable or source.is_payable)
            )
        case ArrayType():
            if not isinstance(target, ArrayType):
                return source.is_byte_array and isinstance(target, FixedBytesType)
            return (
                target.location == source.location
                and source.is_byte_array_or_string
                and target.is_byte_array_or_string
            )
        case ArraySliceType():
            return is_explicitly_convertible_to(source.array_type, target)
        case EnumType():
            return isinstance(target, IntegerType) and not target.signed
        case FunctionType():
            return isinstance(target, FunctionType) and (source.kind == "declaration") == (
                target.kind == "declaration"
            )
        case TypeType():
            return (
                isinstance(target, AddressType)
                and not target.payable
                and isinstance(source.actual_type, ContractType)
                and source.actual_type.definition.contract_kind == "library"
            )
    return False


def common_type(a: Type | None, b: Type | None) -> Type | None:
    """The type to which both can be converted implicitly, None when there is none."""
    if a is None or b is None:
        return None
    mobile = a.mobile_type()
    if mobile is not None and is_implicitly_convertible_to(b, mobile):
        return mobile
    mobile = b.mobile_type()
    if mobile is not None and is_implicitly_convertible_to(a, mobile):
        return mobile
    return None


def can_take_arguments(
    function: FunctionType,
    arguments: Sequence[Type],
    names: Sequence[str] = (),
    self_type: Type | None = None,
) -> bool:
    """Whether the function can be called with arguments of these types (and names, when given)."""
    if function.bound and (
        self_type is None or not is_implicitly_convertible_to(self_type, function.self_type)
    ):
        return False
    if function.arbitrary_parameters:
        return True
    parameters = function.argument_types
    if len(arguments) != len(parameters):
        return False
    if not names:
        return all(is_implicitly_convertible_to(a, p) for a, p in zip(arguments, parameters, strict=True))
    parameter_names = function.argument_names
    if len(names) != len(parameter_names):
        return False
    matched = 0
    for argument, name in zip(arguments, names, strict=True):
        for parameter, parameter_name in zip(parameters, parameter_names, strict=True):
            if name == parameter_name:
                matched += 1
                if not is_implicitly_convertible_to(argument, parameter):
                    return False
    return matched == len(names)
