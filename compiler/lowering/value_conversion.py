"""Conversion of values of every type (docs/types.rst, "Conversions between Elementary Types", "Data
location")."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smartvm.compiler.analysis import types
from smartvm.compiler.lowering.conversions import high_mask, literal_word
from smartvm.compiler.lowering.notation import TEXT
from smartvm.compiler.lowering.type_facts import (
    bare,
    is_byte_array,
    is_external_function,
    is_value_type,
    key,
    location_of,
    variable_names,
)
from smartvm.compiler.lowering.values import FunctionValue, Value
from smartvm.compiler.yul import ast as yul

if TYPE_CHECKING:
    from smartvm.compiler.lowering.function_lowering import FunctionLowering


def convert(f: FunctionLowering, value: Value, to: types.Type) -> Value:
    """The value as type ``to``, after a conversion that analysis has allowed."""
    if isinstance(to, types.TupleType):
        return _tuple(f, value, to)
    if isinstance(value, FunctionValue):
        return _function(f, value, to)
    source, target = bare(value.type), bare(to)
    if isinstance(source, types.TypeType):
        # The name of a library, as the address at which it is deployed.
        return Value(to, value.slots)
    if isinstance(source, types.TupleType) and len(source.components) == 1:
        (only,) = f.split(value)
        assert only is not None
        return convert(f, only, to)
    if is_value_type(target):
        return _value_type(f, value, source, target, to)
    if isinstance(source, types.StringLiteralType):
        if location_of(target) == "memory":
            return f.result(to, f.call(f.utilities.memory.copy_literal(source.value)))
        return value
    if location_of(target) == "memory":
        if location_of(source) == "storage":
            return f.result(to, f.call(f.utilities.copies.to_memory(source), *value.slots))
        if location_of(source) == "calldata":
            return f.result(to, f.call(f.utilities.calldata.to_memory(source), *value.slots))
    return Value(to, value.slots)


def _tuple(f: FunctionLowering, value: Value, to: types.TupleType) -> Value:
    components = [
        component if component is None or wanted is None else convert(f, component, wanted)
        for component, wanted in zip(f.split(value), to.components, strict=True)
    ]
    return f.tuple_value(components)


def _function(f: FunctionLowering, value: FunctionValue, to: types.Type) -> Value:
    if is_value_type(to) and isinstance(bare(to), types.FunctionType):
        return Value(to, function_slots(f, value))
    return value


def function_slots(f: FunctionLowering, value: Value) -> tuple[yul.Expression, ...]:
    """The slots of a function as a value: an internal function named directly becomes its id."""
    if isinstance(value, FunctionValue) and value.definition is not None and not value.slots:
        return (f.number(f.context.function_pointer(value.definition)),)
    return value.slots


def _value_type(
    f: FunctionLowering, value: Value, source: types.Type, target: types.Type, to: types.Type
) -> Value:
    word = literal_word(source, target)
    if word is not None:
        if isinstance(target, types.EnumType) and word >= target.number_of_members:
            # The conversion is allowed, and panics.
            return f.result(to, f.clean(target, f.number(word)))
        return Value(to, (f.number(word),))
    if is_external_function(target) or isinstance(target, types.FunctionType):
        return Value(to, value.slots)
    if isinstance(source, types.ArrayType) and isinstance(target, types.FixedBytesType):
        return f.result(to, f.call(_bytes_to_fixed(f, source, target), *value.slots))
    if (
        isinstance(source, types.EnumType)
        and f.context.enums_in_assembly
        and isinstance(target, types.IntegerType | types.EnumType)
    ):
        checked = f.result(source, f.clean(source, value.slot))
        return Value(to, (f.forms.convert(source, target, checked.slot),))
    converted = f.forms.convert(source, target, value.slot)
    if isinstance(target, types.EnumType) and source != target:
        # A value out of range panics: that is an effect, and belongs here in the order of evaluation.
        return f.result(to, converted)
    return Value(to, (converted,))


def _bytes_to_fixed(f: FunctionLowering, source: types.ArrayType, target: types.FixedBytesType) -> str:
    """``(bytes) -> word``: the first bytes, filled up with zeros when there are fewer."""
    utilities = f.utilities
    name = f"convert_{key(source)}_to_{key(target)}"
    assert is_byte_array(source)

    def text() -> str:
        values = variable_names("value", source)
        arrays = utilities.storage_arrays
        if source.location == "memory":
            head = "let length := mload(value) word := mload(add(value, 32))"
        elif source.location == "calldata":
            head = "let length := value_length word := calldataload(value_offset)"
        else:
            data = arrays.data_area(source, "value")
            head = f"""word := sload(value)
                let length := {arrays.byte_array_length()}(word)
                if gt(length, 31) {{ word := sload({data}) }}"""
        size = target.size
        missing = f"mul(8, sub({size}, length))"
        mask = (
            f"shl({missing}, not(0))"
            if utilities.settings.has_bitwise_shifting
            else f"mul(not(0), exp(2, {missing}))"
        )
        # Ones in the first ``length`` of the 32 bytes: the mask counts from the end of the type's bytes.
        mask = utilities.text.shifts.left(256 - 8 * size, mask)
        return f"""function {name}({", ".join(values)}) -> word {{
            {head}
            word := and(word, {TEXT.number(high_mask(size))})
            if lt(length, {size}) {{ word := and(word, {mask}) }}
        }}"""

    return utilities.define(name, text)
