"""The functions of public state variables (docs/contracts/visibility-and-getters.rst, "Getter Functions")."""

from __future__ import annotations

from smartvm.compiler.analysis import types
from smartvm.compiler.ast import nodes
from smartvm.compiler.lowering.constants import constant_value
from smartvm.compiler.lowering.function_lowering import FunctionLowering
from smartvm.compiler.lowering.object_context import ObjectContext
from smartvm.compiler.lowering.type_facts import (
    bare,
    declared_name,
    is_byte_array,
    is_value_type,
    items_per_slot,
    location_of,
    relocate,
    struct_layout,
    struct_members,
    variable_names,
)
from smartvm.compiler.lowering.value_conversion import function_slots
from smartvm.compiler.lowering.values import ImmutablePlace, StoragePlace, Value
from smartvm.compiler.lowering.yul_nodes import name
from smartvm.compiler.yul import ast as yul


def request_getter(context: ObjectContext, variable: nodes.VariableDeclaration) -> str:
    """The Yul function of a public state variable. Returns its name."""
    yul_name = f"getter_{declared_name(variable)}"
    return context.request(yul_name, lambda: _make_getter(context, yul_name, variable))


def getter_types(
    context: ObjectContext, variable: nodes.VariableDeclaration
) -> tuple[list[types.Type], list[types.Type]]:
    """Parameter and return types: keys and indices, then what is read (in memory)."""
    parameters: list[types.Type] = []
    type_ = context.model.type_of_declaration(variable)
    while True:
        if isinstance(type_, types.MappingType):
            parameters.append(_in_memory(type_.key_type))
            type_ = type_.value_type
        elif isinstance(type_, types.ArrayType) and not is_byte_array(type_):
            parameters.append(types.UINT256)
            type_ = type_.base_type
        else:
            break
    if isinstance(type_, types.StructType):
        return parameters, [_in_memory(member) for _, member in _returned_members(type_)]
    return parameters, [_in_memory(type_)]


def _in_memory(type_: types.Type) -> types.Type:
    return relocate(bare(type_), "memory") if location_of(type_) is not None else type_


def _returned_members(struct: types.StructType) -> list[tuple[str, types.Type]]:
    """Members that a getter returns: all but mappings and arrays (``bytes`` and ``string`` are returned)."""
    return [
        (member_name, member)
        for member_name, member in struct_members(struct)
        if not isinstance(member, types.MappingType)
        and not (isinstance(member, types.ArrayType) and not is_byte_array(member))
    ]


def _make_getter(
    context: ObjectContext, yul_name: str, variable: nodes.VariableDeclaration
) -> yul.FunctionDefinition:
    f = FunctionLowering(context)
    parameters, returns = getter_types(context, variable)
    with f.at(variable):
        keys = [
            Value(t, tuple(map(name, variable_names(f"key_{index}", t))))
            for index, t in enumerate(parameters)
        ]
        results = [n for index, t in enumerate(returns) for n in variable_names(f"result_{index}", t)]
        values = _read(f, variable, keys)
        slots = [
            slot
            for value, type_ in zip(values, returns, strict=True)
            for slot in function_slots(f, f.convert(value, type_))
        ]
        for result, slot in zip(results, slots, strict=True):
            f.writer.assign([result], slot)
        body = f.writer.block(f.writer.statements())
    arguments = tuple(s.name for key in keys for s in key.slots if isinstance(s, yul.Identifier))
    return yul.FunctionDefinition(yul_name, arguments, tuple(results), body, variable.src)


def _read(f: FunctionLowering, variable: nodes.VariableDeclaration, keys: list[Value]) -> list[Value]:
    type_ = f.model.type_of_declaration(variable)
    if variable.mutability == "constant":
        return [constant_value(f, variable)]
    if variable.mutability == "immutable":
        return [f.read(ImmutablePlace(type_, variable))]
    slot, offset, space = f.context.state_places[variable.id]
    place = StoragePlace(type_, f.number(slot), offset, space)
    for key in keys:
        place = _element(f, place, key)
    if not isinstance(place.type, types.StructType):
        return [f.read(place)]
    layout = struct_layout(place.type)
    base = f.writer.atom(place.slot)
    values: list[Value] = []
    for member_name, member in _returned_members(place.type):
        member_slot, member_offset = layout[member_name]
        where = f.writer.bind(f.call("add", base, f.number(member_slot))) if member_slot else base
        value = f.read(StoragePlace(member, where, member_offset))
        if not is_value_type(member):
            value = f.convert(value, relocate(member, "memory"))
        values.append(value)
    return values


def _element(f: FunctionLowering, place: StoragePlace, key: Value) -> StoragePlace:
    if isinstance(place.type, types.MappingType):
        key_type = place.type.key_type
        storage = f.utilities.storage
        function = (
            storage.mapping_slot(key_type)
            if is_value_type(key_type)
            else storage.mapping_slot_of_bytes(key.type)
        )
        slot = f.writer.bind(f.call(function, place.slot, *key.slots), "slot")
        return StoragePlace(place.type.value_type, slot, 0)
    array = place.type
    assert isinstance(array, types.ArrayType)
    length: yul.Expression
    length = f.call("sload", place.slot) if array.length is None else f.number(array.length)
    # Out of bounds is the caller's mistake: no panic, an empty revert.
    revert = yul.ExpressionStatement(f.call("revert", f.number(0), f.number(0)), f.source)
    f.writer.if_(f.call("iszero", f.call("lt", key.slot, length)), [revert])
    new_slot, offset = f.writer.fresh("slot"), f.writer.fresh("offset")
    access = f.utilities.storage_arrays.index_access(array)
    f.writer.let([new_slot, offset], f.call(access, place.slot, key.slot))
    where: int | yul.Expression = yul.Identifier(offset, f.source) if items_per_slot(array) > 1 else 0
    return StoragePlace(array.base_type, yul.Identifier(new_slot, f.source), where)
