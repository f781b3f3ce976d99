"""``base[index]`` and ``base[start:end]`` in storage, memory and call data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smartvm.compiler.analysis import types
from smartvm.compiler.ast import nodes
from smartvm.compiler.lowering.handlers import place_of, value_of
from smartvm.compiler.lowering.reverts import INDEX_OUT_OF_BOUNDS
from smartvm.compiler.lowering.type_facts import bare, is_byte_array, is_value_type, items_per_slot
from smartvm.compiler.lowering.unimplemented import unimplemented
from smartvm.compiler.lowering.values import MemoryPlace, Place, StoragePlace, Value
from smartvm.compiler.lowering.yul_nodes import literal_value
from smartvm.compiler.yul import ast as yul

if TYPE_CHECKING:
    from smartvm.compiler.lowering.function_lowering import FunctionLowering


@value_of(nodes.IndexAccess)
def index_access(f: FunctionLowering, node: nodes.IndexAccess) -> Value:
    """The element, or a type such as ``uint[]``."""
    base_type = f.model.type_of(node.base_expression)
    if isinstance(base_type, types.TypeType) or node.index_expression is None:
        return Value(f.model.type_of(node))
    inner = bare(base_type)
    if isinstance(inner, types.FixedBytesType):
        return _fixed_bytes_element(f, node, inner)
    if isinstance(inner, types.ArrayType) and inner.location == "calldata":
        return _calldata_element(f, node, inner)
    return f.read(index_place(f, node))


@place_of(nodes.IndexAccess)
def index_place(f: FunctionLowering, node: nodes.IndexAccess) -> Place:
    """The place of an element of a mapping, or of an array in storage or memory."""
    assert node.index_expression is not None
    base_type = f.model.type_of(node.base_expression)
    base = f.value(node.base_expression)
    if isinstance(base_type, types.MappingType):
        return _mapping_place(f, node.index_expression, base_type, base)
    assert isinstance(base_type, types.ArrayType)
    base = f.bound(base)
    index = f.word_as(node.index_expression, types.UINT256)
    if base_type.location == "memory":
        return _memory_element(f, base_type, base.slot, index)
    return _storage_element(f, base_type, base.slot, index)


def _mapping_place(
    f: FunctionLowering, key: nodes.Expression, mapping: types.MappingType, base: Value
) -> Place:
    storage = f.utilities.storage
    key_type = mapping.key_type
    if is_value_type(key_type):
        value = f.value_as(key, key_type)
        if isinstance(bare(key_type), types.EnumType) and f.context.enums_in_assembly:
            value = Value(key_type, (f.clean(key_type, value.slot),))
        function = storage.mapping_slot(key_type)
    else:
        value = f.value(key)
        function = storage.mapping_slot_of_bytes(value.type)
    slot = f.writer.bind(f.call(function, base.slot, *value.slots), "slot")
    return StoragePlace(mapping.value_type, slot, 0)


def _storage_element(
    f: FunctionLowering, array: types.ArrayType, base: yul.Expression, index: yul.Expression
) -> Place:
    slot, offset = f.writer.fresh("slot"), f.writer.fresh("offset")
    function = f.utilities.storage_arrays.index_access(array)
    f.writer.let([slot, offset], f.call(function, base, index))
    packed = is_byte_array(array) or items_per_slot(array) > 1
    place_offset: int | yul.Expression = yul.Identifier(offset, f.source) if packed else 0
    return StoragePlace(array.base_type, yul.Identifier(slot, f.source), place_offset)


def _memory_element(
    f: FunctionLowering, array: types.ArrayType, base: yul.Expression, index: yul.Expression
) -> Place:
    known = literal_value(index)
    if array.length is not None and known is not None and known < array.length:
        # Analysis has checked a constant index into a static array.
        address: yul.Expression = f.call("add", base, f.number(32 * known)) if known else base
    else:
        address = f.writer.bind(f.call(f.utilities.memory.index_access(array), base, index), "element")
    return MemoryPlace(array.base_type, address, is_byte=is_byte_array(array))


def _calldata_element(f: FunctionLowering, node: nodes.IndexAccess, array: types.ArrayType) -> Value:
    assert node.index_expression is not None
    type_ = f.model.type_of(node)
    base = f.bound(f.value(node.base_expression))
    index = f.word_as(node.index_expression, types.UINT256)
    position = f.call(f.utilities.calldata.index_access(array), *base.slots, index)
    if is_byte_array(array):
        return f.result(type_, f.clean(array.base_type, f.call("calldataload", position)))
    if is_value_type(array.base_type):
        return f.result(type_, f.call(f.utilities.calldata.read_value(array.base_type), position))
    return f.result(type_, position)


def _fixed_bytes_element(f: FunctionLowering, node: nodes.IndexAccess, array: types.FixedBytesType) -> Value:
    assert node.index_expression is not None
    base = f.bound(f.value(node.base_expression))
    index = f.writer.atom(f.word_as(node.index_expression, types.UINT256))
    f.panic_if(f.call("iszero", f.call("lt", index, f.number(array.size))), INDEX_OUT_OF_BOUNDS)
    element = f.forms.shifts.left(248, f.call("byte", index, base.slot))
    return f.result(f.model.type_of(node), element)


@value_of(nodes.IndexRangeAccess)
def index_range_access(f: FunctionLowering, node: nodes.IndexRangeAccess) -> Value:
    """A slice of a call data array."""
    base = f.bound(f.value(node.base_expression))
    array = bare(base.type)
    if not isinstance(array, types.ArrayType) or array.location != "calldata":
        raise unimplemented("Index range access is only supported for dynamic calldata arrays.", node.src)
    offset, length = base.slots
    start: yul.Expression = f.number(0)
    if node.start_expression is not None:
        start = f.word_as(node.start_expression, types.UINT256)
    end = length
    if node.end_expression is not None:
        end = f.word_as(node.end_expression, types.UINT256)
    slice_call = f.call(f.utilities.calldata.slice(array), offset, length, start, end)
    return f.result(f.model.type_of(node), slice_call)
