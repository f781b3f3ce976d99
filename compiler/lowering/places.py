"""Reading and writing places: local variables, storage, memory, immutables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smartvm.compiler.analysis import types
from smartvm.compiler.lowering.storage import load_instruction, store_instruction
from smartvm.compiler.lowering.type_facts import (
    bare,
    is_external_function,
    is_value_type,
    value_bytes,
    variable_names,
)
from smartvm.compiler.lowering.unimplemented import unimplemented
from smartvm.compiler.lowering.value_conversion import function_slots
from smartvm.compiler.lowering.values import (
    ImmutablePlace,
    LocalPlace,
    MemoryPlace,
    Place,
    StoragePlace,
    TuplePlace,
    Value,
)
from smartvm.compiler.lowering.yul_nodes import string
from smartvm.compiler.yul import ast as yul
from smartvm.errors import InternalError

if TYPE_CHECKING:
    from smartvm.compiler.lowering.function_lowering import FunctionLowering


def read(f: FunctionLowering, place: Place) -> Value:
    """The value at a place, in variables of its own where the place may change."""
    match place:
        case LocalPlace():
            return Value(place.type, f.names(place.names))
        case StoragePlace():
            return _read_storage(f, place)
        case MemoryPlace():
            return _read_memory(f, place)
        case ImmutablePlace():
            return _read_immutable(f, place)
    raise InternalError(f"cannot read {place!r}")


def _read_storage(f: FunctionLowering, place: StoragePlace) -> Value:
    if not is_value_type(place.type):
        return Value(place.type, (place.slot,))
    if value_bytes(place.type) == 32:
        return f.result(place.type, f.call(load_instruction(place.space), place.slot))
    if isinstance(place.offset, int):
        function = f.utilities.storage.read(place.type, place.offset, place.space)
        return f.result(place.type, f.call(function, place.slot))
    function = f.utilities.storage.read(place.type, None, place.space)
    return f.result(place.type, f.call(function, place.slot, place.offset))


def split_word(f: FunctionLowering, type_: types.Type, word: yul.Expression) -> Value:
    """A value of a value type from its word in memory, which is clean."""
    if is_external_function(bare(type_)):
        return f.result(type_, f.call(f.utilities.conversions.split_external_function(), word))
    return f.result(type_, word)


def _read_memory(f: FunctionLowering, place: MemoryPlace) -> Value:
    if place.is_byte:
        return f.result(place.type, f.clean(place.type, f.call("mload", place.address)))
    word: yul.Expression = f.call("mload", place.address)
    if not is_value_type(place.type):
        return f.result(place.type, word)
    if not f.utilities.memory_is_clean:
        word = f.clean(place.type, word)
    return split_word(f, place.type, word)


def _read_immutable(f: FunctionLowering, place: ImmutablePlace) -> Value:
    address = f.context.immutable_addresses.get(place.variable.id)
    if address is not None:
        return split_word(f, place.type, f.call("mload", f.number(address)))
    return split_word(f, place.type, f.call("loadimmutable", string(str(place.variable.id), f.source)))


def write(f: FunctionLowering, place: Place, value: Value) -> None:
    """Store a value at a place."""
    match place:
        case LocalPlace():
            converted = f.convert(value, place.type)
            _assign(f, place.names, function_slots(f, converted))
            if place.raw is not None:
                f.writer.assign([place.raw], yul.Identifier(place.names[0], f.source))
        case StoragePlace():
            _write_storage(f, place, value)
        case MemoryPlace():
            converted = f.convert(value, place.type)
            if place.is_byte:
                f.writer.do(f.call("mstore8", place.address, f.call("byte", f.number(0), converted.slot)))
            elif is_value_type(place.type):
                f.writer.do(f.call("mstore", place.address, f.one_word(converted)))
            else:
                f.writer.do(f.call("mstore", place.address, converted.slot))
        case ImmutablePlace():
            address = f.context.immutable_addresses.get(place.variable.id)
            if address is None:
                raise InternalError("an immutable is assigned outside of creation")
            f.writer.do(f.call("mstore", f.number(address), f.one_word(f.convert(value, place.type))))
        case TuplePlace():
            components = f.split(value)
            for target, component in reversed(list(zip(place.places, components, strict=True))):
                if target is not None and component is not None:
                    write(f, target, component)
        case _:
            raise InternalError(f"cannot write {place!r}")


def _assign(f: FunctionLowering, names: tuple[str, ...], slots: tuple[yul.Expression, ...]) -> None:
    if len(names) > 1:
        # The second may be made from the variable that the first assignment changes.
        slots = tuple(s if isinstance(s, yul.Literal) else f.writer.bind(s) for s in slots)
    for name, slot in zip(names, slots, strict=True):
        f.writer.assign([name], slot)


def _write_storage(f: FunctionLowering, place: StoragePlace, value: Value) -> None:
    storage = f.utilities.storage
    if is_value_type(place.type):
        converted = f.convert(value, place.type)
        slots = function_slots(f, converted)
        if value_bytes(place.type) == 32:
            f.writer.do(f.call(store_instruction(place.space), place.slot, *slots))
        elif isinstance(place.offset, int):
            f.writer.do(f.call(storage.write(place.type, place.offset, place.space), place.slot, *slots))
        else:
            function = storage.write(place.type, None, place.space)
            f.writer.do(f.call(function, place.slot, place.offset, *slots))
        return
    if isinstance(place.type, types.MappingType):
        return
    if place.space != "storage":
        raise unimplemented("Transient data location is only supported for value types.", f.source)
    f.writer.do(f.call(f.utilities.copies.to_storage(value.type, place.type), place.slot, *value.slots))


def clear(f: FunctionLowering, place: Place) -> None:
    """``delete``."""
    if isinstance(place, StoragePlace) and not isinstance(place.type, types.TupleType):
        if is_value_type(place.type):
            zeros = tuple(f.number(0) for _ in variable_names("", place.type))
            write(f, place, Value(place.type, zeros))
        else:
            f.writer.do(f.call(f.utilities.storage.clear(place.type), place.slot))
        return
    write(f, place, Value(place.type, f.zero(place.type)))
