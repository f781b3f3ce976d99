"""Copies of arrays and structs between storage, memory and call data (docs/types.rst, "Data location and
assignment")."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from smartvm.compiler.analysis import types
from smartvm.compiler.lowering.memory import LARGEST_SIZE
from smartvm.compiler.lowering.notation import TEXT
from smartvm.compiler.lowering.reverts import RESOURCE
from smartvm.compiler.lowering.type_facts import (
    bare,
    calldata_offset_of_member,
    calldata_stride,
    is_byte_array,
    is_value_type,
    items_per_slot,
    key,
    literal_key,
    memory_offset_of_member,
    relocate,
    storage_bytes,
    storage_size,
    struct_layout,
    struct_members,
    variable_names,
)
from smartvm.errors import InternalError

if TYPE_CHECKING:
    from smartvm.compiler.lowering.utilities import Utilities


def _add(base: str, offset: int) -> str:
    return f"add({base}, {TEXT.number(offset)})" if offset else base


class Copies:
    """Utility functions that copy reference types."""

    def __init__(self, utilities: Utilities) -> None:
        self.utilities = utilities

    # --- storage to memory ---------------------------------------------------------------------------

    def to_memory(self, type_: types.Type) -> str:
        """``(slot) -> start``: a copy in memory of what stands in storage."""
        if is_byte_array(type_):
            assert isinstance(type_, types.ArrayType)
            return self._bytes_to_memory(type_)
        if isinstance(type_, types.ArrayType):
            return self._array_to_memory(type_)
        if isinstance(type_, types.StructType):
            return self._struct_to_memory(type_)
        raise InternalError(f"{type_!r} cannot be copied to memory")

    def _bytes_to_memory(self, type_: types.ArrayType) -> str:
        def text() -> str:
            arrays = self.utilities.storage_arrays
            allocate = self.utilities.memory.allocate_array(_located(type_, "memory"))
            return f"""function copy_bytes_from_storage_to_memory(slot) -> start {{
                let word := sload(slot)
                let length := {arrays.byte_array_length()}(word)
                start := {allocate}(length)
                switch and(word, 1)
                case 0 {{ if length {{ mstore(add(start, 32), and(word, not(0xff))) }} }}
                default {{
                    let target := add(start, 32)
                    let end := add(target, length)
                    let data := {arrays.data_area(type_, "slot")}
                    for {{ }} lt(target, end) {{ target := add(target, 32) }} {{
                        mstore(target, sload(data))
                        data := add(data, 1)
                    }}
                }}
            }}"""

        return self.utilities.define("copy_bytes_from_storage_to_memory", text)

    def _array_to_memory(self, type_: types.ArrayType) -> str:
        name = f"copy_{key(type_)}_to_memory"

        def text() -> str:
            arrays, memory = self.utilities.storage_arrays, self.utilities.memory
            base = type_.base_type
            target = "add(start, 32)" if type_.length is None else "start"
            head = f"""
                let length := {arrays.length_of(type_, "slot")}
                start := {memory.allocate_array(_located(type_, "memory"))}(length)
                let target := {target}
                let end := add(target, mul(length, 32))
                let source := {arrays.data_area(type_, "slot")}
            """
            if items_per_slot(type_) > 1:
                size = storage_bytes(base)
                value = self.utilities.storage.extract(base, "word", "offset")
                body = f"""
                    let offset := 0
                    let word := 0
                    for {{ }} lt(target, end) {{ target := add(target, 32) }} {{
                        if iszero(offset) {{ word := sload(source) }}
                        mstore(target, {value})
                        offset := add(offset, {size})
                        if gt(offset, {32 - size}) {{ offset := 0 source := add(source, 1) }}
                    }}
                """
            else:
                read = self.utilities.storage.read_any(base, 0)
                values = variable_names("element", base)
                word = self.utilities.conversions.as_one_word(base, values)
                body = f"""
                    for {{ }} lt(target, end) {{ target := add(target, 32) }} {{
                        let {", ".join(values)} := {read}(source)
                        mstore(target, {word})
                        source := {_add("source", storage_size(base))}
                    }}
                """
            return f"function {name}(slot) -> start {{ {head} {body} }}"

        return self.utilities.define(name, text)

    def _struct_to_memory(self, type_: types.StructType) -> str:
        name = f"copy_{key(type_)}_to_memory"

        def text() -> str:
            in_memory = relocate(type_, "memory")
            assert isinstance(in_memory, types.StructType)
            layout = struct_layout(type_)
            statements: list[str] = []
            for index, (member_name, member) in enumerate(struct_members(type_)):
                slot, offset = layout[member_name]
                values = variable_names(f"member_{index}", member)
                read = self.utilities.storage.read_any(member, offset)
                statements.append(f"let {', '.join(values)} := {read}({_add('slot', slot)})")
                address = _add("start", memory_offset_of_member(in_memory, member_name))
                statements.append(self.utilities.memory.write(member, address, values))
            body = " ".join(f"{{ {a} {b} }}" for a, b in zip(statements[::2], statements[1::2], strict=True))
            allocate = self.utilities.memory.allocate_struct(in_memory)
            return f"function {name}(slot) -> start {{ start := {allocate}() {body} }}"

        return self.utilities.define(name, text)

    # --- to storage ------------------------------------------------------------------------------------

    def to_storage(self, from_type: types.Type, to_type: types.Type) -> str:
        """``(slot, value...)``: overwrites an array or struct in storage with a value from any location."""
        if isinstance(from_type, types.StringLiteralType):
            return self._literal_to_storage(from_type.value)
        from_type = bare(from_type)
        if isinstance(to_type, types.ArrayType) and isinstance(from_type, types.ArrayType):
            if is_byte_array(to_type):
                return self._bytes_to_storage(from_type)
            return self._array_to_storage(from_type, to_type)
        if isinstance(to_type, types.StructType) and isinstance(from_type, types.StructType):
            return self._struct_to_storage(from_type, to_type)
        raise InternalError(f"{from_type!r} cannot be copied to {to_type!r}")

    def _literal_to_storage(self, value: bytes) -> str:
        if len(value) > 31:
            name = f"copy_literal_to_storage_{literal_key(value)}"

            def through_memory() -> str:
                copy, literal = (
                    self._bytes_to_storage(_BYTES_MEMORY),
                    self.utilities.memory.copy_literal(value),
                )
                return f"function {name}(slot) {{ {copy}(slot, {literal}()) }}"

            return self.utilities.define(name, through_memory)
        name = f"copy_literal_to_storage_{value.hex()}"

        def text() -> str:
            arrays = self.utilities.storage_arrays
            word = value.ljust(31, b"\0").hex() + f"{2 * len(value):02x}"
            return f"""function {name}(slot) {{
                {arrays.clear_bytes_after()}(slot, {arrays.byte_array_length()}(sload(slot)), 0)
                sstore(slot, 0x{word})
            }}"""

        return self.utilities.define(name, text)

    def _bytes_to_storage(self, from_type: types.ArrayType) -> str:
        location = from_type.location
        name = f"copy_bytes_from_{location}_to_storage"

        def text() -> str:
            arrays, shifts = self.utilities.storage_arrays, self.utilities.text.shifts
            source = variable_names("source", from_type)
            data, load, length = {
                "memory": ("add(source, 32)", "mload(add(data, i))", "mload(source)"),
                "calldata": ("source_offset", "calldataload(add(data, i))", "source_length"),
                "storage": (
                    arrays.data_area(from_type, "source"),
                    f"sload(add(data, {shifts.right(5, 'i')}))",
                    f"{arrays.byte_array_length()}(sload(source))",
                ),
            }[location]
            # Keeps the first (length mod 32) bytes of a word.
            keep = (
                "not(shr(shl(3, and(length, 31)), not(0)))"
                if self.utilities.settings.has_bitwise_shifting
                else "not(div(not(0), exp(256, and(length, 31))))"
            )
            same = "if eq(slot, source) { leave }" if location == "storage" else ""
            short = (
                "sstore(slot, sload(source))"
                if location == "storage"
                else f"""
                    let i := 0
                    let word := 0
                    if length {{ word := and({load}, {keep}) }}
                    sstore(slot, or(word, mul(2, length)))
                """
            )
            data_statement = "" if location == "storage" else f"let data := {data}"
            long_data = f"let data := {data}" if location == "storage" else ""
            panic = self.utilities.reverts.panic(RESOURCE)
            return f"""function {name}(slot, {", ".join(source)}) {{
                {same}
                let length := {length}
                if gt(length, {hex(LARGEST_SIZE)}) {{ {panic}() }}
                {arrays.clear_bytes_after()}(slot, {arrays.byte_array_length()}(sload(slot)), length)
                {data_statement}
                switch gt(length, 31)
                case 0 {{ {short} }}
                default {{
                    {long_data}
                    let target := {arrays.data_area(_BYTES_STORAGE, "slot")}
                    let whole := and(length, not(31))
                    let i := 0
                    for {{ }} lt(i, whole) {{ i := add(i, 32) }} {{
                        sstore(target, {load})
                        target := add(target, 1)
                    }}
                    if lt(whole, length) {{ sstore(target, and({load}, {keep})) }}
                    sstore(slot, add(mul(2, length), 1))
                }}
            }}"""

        return self.utilities.define(name, text)

    def read_element(
        self, from_type: types.ArrayType, within: Literal["tail", "access"] = "tail"
    ) -> tuple[str, str]:
        """A statement that reads the element at ``source`` into its variables, and one that moves
        ``source`` on; ``within`` as for ``Calldata.tail``."""
        base = from_type.base_type
        values = ", ".join(variable_names("element", base))
        if from_type.location == "memory":
            value = self.utilities.memory.read(base, "source") if is_value_type(base) else "mload(source)"
            return f"let {values} := {value}", "source := add(source, 32)"
        if from_type.location == "calldata":
            value = self.utilities.calldata.read_at(base, "container", "source", within)
            return (
                f"let {values} := {value}",
                f"source := add(source, {TEXT.number(calldata_stride(from_type))})",
            )
        if not is_value_type(base):
            return f"let {values} := source", f"source := {_add('source', storage_size(base))}"
        if items_per_slot(from_type) == 1:
            value = self.utilities.storage.extract(base, "sload(source)", 0)
            return f"let {values} := {value}", "source := add(source, 1)"
        size = storage_bytes(base)
        value = self.utilities.storage.extract(base, "source_word", "source_byte")
        return (
            f"if iszero(source_byte) {{ source_word := sload(source) }} let {values} := {value}",
            f"source_byte := add(source_byte, {size})"
            f" if gt(source_byte, {32 - size}) {{ source_byte := 0 source := add(source, 1) }}",
        )

    def loop_variables(self, from_type: types.ArrayType) -> str:
        """Declarations that ``read_element`` needs before the loop, besides ``source``."""
        if from_type.location == "calldata":
            return "let container := source"
        if from_type.location == "storage" and items_per_slot(from_type) > 1:
            return "let source_byte := 0 let source_word := 0"
        return ""

    def length_of(self, type_: types.ArrayType, value: str) -> str:
        """Text of the length of an array in any location, held by variables with the prefix ``value``."""
        if type_.length is not None:
            return TEXT.number(type_.length)
        if type_.location == "calldata":
            return f"{value}_length"
        if type_.location == "memory":
            return f"mload({value})"
        return self.utilities.storage_arrays.length_of(type_, value)

    def data_of(self, type_: types.ArrayType, value: str) -> str:
        """Text of the place (address, position or slot) of an array's first element."""
        if type_.location == "calldata":
            return variable_names(value, type_)[0]
        if type_.location == "memory":
            return f"add({value}, 32)" if type_.length is None else value
        return self.utilities.storage_arrays.data_area(type_, value)

    def _array_to_storage(self, from_type: types.ArrayType, to_type: types.ArrayType) -> str:
        name = f"copy_{key(from_type)}_to_{key(to_type)}"

        def text() -> str:
            arrays = self.utilities.storage_arrays
            parameters = ", ".join(("slot", *variable_names("value", from_type)))
            length = self.length_of(from_type, "value")
            source = self.data_of(from_type, "value")
            same = "if eq(slot, value) { leave }" if from_type.location == "storage" else ""
            if to_type.length is None:
                shrink = f"{arrays.resize(to_type)}(slot, length)"
            elif from_type.length is not None and from_type.length < to_type.length:
                shrink = f"{arrays.clear_after(to_type)}(slot, {TEXT.number(to_type.length)}, length)"
            else:
                shrink = ""
            read, advance = self.read_element(from_type)
            loop = self._packed_loop if items_per_slot(to_type) > 1 else self._whole_slot_loop
            return f"""function {name}({parameters}) {{
                {same}
                let length := {length}
                {shrink}
                let source := {source}
                {self.loop_variables(from_type)}
                let target := {arrays.data_area(to_type, "slot")}
                {loop(from_type.base_type, to_type.base_type, read, advance)}
            }}"""

        return self.utilities.define(name, text)

    def _whole_slot_loop(self, from_base: types.Type, to_base: types.Type, read: str, advance: str) -> str:
        store = self.store_member(from_base, to_base, 0, "target", variable_names("element", from_base))
        return f"""for {{ let i := 0 }} lt(i, length) {{ i := add(i, 1) }} {{
            {read}
            {store}
            {advance}
            target := {_add("target", storage_size(to_base))}
        }}"""

    def _packed_loop(self, from_base: types.Type, to_base: types.Type, read: str, advance: str) -> str:
        size = storage_bytes(to_base)
        text = self.utilities.text
        value = text.align_right(to_base, text.convert(from_base, to_base, "element"))
        placed = (
            f"shl(shl(3, byte_offset), {value})"
            if self.utilities.settings.has_bitwise_shifting
            else f"mul(exp(256, byte_offset), {value})"
        )
        return f"""let byte_offset := 0
        let word := 0
        for {{ let i := 0 }} lt(i, length) {{ i := add(i, 1) }} {{
            {read}
            word := or(word, {placed})
            byte_offset := add(byte_offset, {size})
            if gt(byte_offset, {32 - size}) {{
                sstore(target, word)
                target := add(target, 1)
                byte_offset := 0
                word := 0
            }}
            {advance}
        }}
        if byte_offset {{ sstore(target, word) }}"""

    def store_member(
        self, from_type: types.Type, to_type: types.Type, offset: int, slot: str, values: tuple[str, ...]
    ) -> str:
        """Text of a statement that stores any value at a place in storage; nothing for mappings."""
        if isinstance(to_type, types.MappingType):
            return ""
        arguments = ", ".join((slot, *values))
        if not is_value_type(to_type):
            return f"{self.to_storage(from_type, to_type)}({arguments})"
        if len(values) == 1:
            arguments = f"{slot}, {self.utilities.text.convert(from_type, to_type, values[0])}"
        return f"{self.utilities.storage.write(to_type, offset)}({arguments})"

    def _struct_to_storage(self, from_type: types.StructType, to_type: types.StructType) -> str:
        name = f"copy_{key(from_type)}_to_storage"

        def text() -> str:
            layout = struct_layout(to_type)
            source_layout = struct_layout(_struct(relocate(from_type, "storage")))
            statements: list[str] = []
            for member_name, member in struct_members(from_type):
                if isinstance(member, types.MappingType):
                    continue
                values = variable_names("member", member)
                if from_type.location == "memory":
                    place = _add("value", memory_offset_of_member(from_type, member_name))
                    read = self.utilities.memory.read(member, place)
                elif from_type.location == "calldata":
                    place = _add("value", calldata_offset_of_member(from_type, member_name))
                    read = self.utilities.calldata.read_at(member, "value", place, "tail")
                else:
                    source_slot, source_offset = source_layout[member_name]
                    place = _add("value", source_slot)
                    read = (
                        f"{self.utilities.storage.read(member, source_offset)}({place})"
                        if is_value_type(member)
                        else place
                    )
                slot, offset = layout[member_name]
                store = self.store_member(
                    member, relocate(member, "storage"), offset, _add("slot", slot), values
                )
                statements.append(f"{{ let {', '.join(values)} := {read} {store} }}")
            same = "if eq(slot, value) { leave }" if from_type.location == "storage" else ""
            return f"function {name}(slot, value) {{ {same} {' '.join(statements)} }}"

        return self.utilities.define(name, text)


def _located(type_: types.ArrayType, location: types.Location) -> types.ArrayType:
    moved = relocate(type_, location)
    assert isinstance(moved, types.ArrayType)
    return moved


def _struct(type_: types.Type) -> types.StructType:
    assert isinstance(type_, types.StructType)
    return type_


_BYTES_STORAGE = types.ArrayType(types.FixedBytesType(1), "storage", None, "bytes")
_BYTES_MEMORY = types.ArrayType(types.FixedBytesType(1), "memory", None, "bytes")
