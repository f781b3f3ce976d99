"""The ABI encoder (docs/abi-spec.rst): standard, packed ("Non-standard Packed Mode") and for indexed event
parameters.

Values stand on the stack in their own type and are encoded as another: ``from`` and ``to``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from smartvm.compiler.analysis import types
from smartvm.compiler.lowering.memory import FREE_MEMORY_POINTER
from smartvm.compiler.lowering.notation import TEXT
from smartvm.compiler.lowering.type_facts import (
    bare,
    calldata_head_size,
    calldata_offset_of_member,
    is_byte_array,
    is_dynamically_encoded,
    is_external_function,
    is_left_aligned,
    is_value_type,
    key,
    literal_key,
    location_of,
    memory_offset_of_member,
    relocate,
    struct_layout,
    struct_members,
    value_bytes,
    variable_names,
)
from smartvm.errors import InternalError

if TYPE_CHECKING:
    from smartvm.compiler.lowering.utilities import Utilities


def _add(base: str, offset: int) -> str:
    return f"add({base}, {TEXT.number(offset)})" if offset else base


def _round_up(length: str) -> str:
    return f"and(add({length}, 31), not(31))"


class Encoding:
    """Utility functions that write ABI-encoded data to memory."""

    def __init__(self, utilities: Utilities) -> None:
        self.utilities = utilities

    # --- tuples --------------------------------------------------------------------------------------

    def encode_tuple(self, from_types: Sequence[types.Type], to_types: Sequence[types.Type]) -> str:
        """``(start, values...) -> end``. Storage references as ``to`` types are encoded as slot numbers."""
        name = f"abi_encode_tuple_{'_'.join(map(_key, from_types))}_to_{'_'.join(map(key, to_types))}"

        def text() -> str:
            head_size = sum(calldata_head_size(t) for t in to_types)
            parameters, statements = ["start"], [f"end := {_add('start', head_size)}"]
            position = 0
            for index, (from_type, to_type) in enumerate(zip(from_types, to_types, strict=True)):
                values = variable_names(f"value_{index}", from_type)
                parameters += values
                place = _add("start", position)
                if _is_dynamic(to_type):
                    statements.append(f"mstore({place}, sub(end, start))")
                    statements.append(
                        f"end := {self._dynamic(from_type, to_type)}({', '.join((*values, 'end'))})"
                    )
                else:
                    statements.append(self._static(from_type, to_type, values, place))
                position += calldata_head_size(to_type)
            return f"function {name}({', '.join(parameters)}) -> end {{ {' '.join(statements)} }}"

        return self.utilities.define(name, text)

    def encode_packed(self, from_types: Sequence[types.Type], to_types: Sequence[types.Type]) -> str:
        """``(position, values...) -> end``: packed, without padding of single values."""
        name = f"abi_encode_packed_{'_'.join(map(_key, from_types))}_to_{'_'.join(map(key, to_types))}"

        def text() -> str:
            parameters, statements = ["position"], []
            for index, (from_type, to_type) in enumerate(zip(from_types, to_types, strict=True)):
                values = variable_names(f"value_{index}", from_type)
                parameters += values
                statements.append(self._in_place(from_type, to_type, values, padded=False))
            statements.append("end := position")
            return f"function {name}({', '.join(parameters)}) -> end {{ {' '.join(statements)} }}"

        return self.utilities.define(name, text)

    def packed_hash(self, from_types: Sequence[types.Type], to_types: Sequence[types.Type]) -> str:
        """``(values...) -> hash`` of the packed encoding: the topic of indexed reference types."""
        name = f"packed_hash_{'_'.join(map(_key, from_types))}_to_{'_'.join(map(key, to_types))}"

        def text() -> str:
            values = [v for index, t in enumerate(from_types) for v in variable_names(f"value_{index}", t)]
            encode = self.encode_packed(from_types, to_types)
            return f"""function {name}({", ".join(values)}) -> hash {{
                let start := mload({FREE_MEMORY_POINTER})
                hash := keccak256(start, sub({encode}({", ".join(("start", *values))}), start))
            }}"""

        return self.utilities.define(name, text)

    # --- single values ---------------------------------------------------------------------------------

    def _value_word(self, from_type: types.Type, to_type: types.Type, values: Sequence[str]) -> str:
        """Text of a value type as a whole word."""
        if is_external_function(bare(to_type)):
            return f"{self.utilities.conversions.combine_external_function()}({', '.join(values)})"
        return self.utilities.text.convert(from_type, to_type, values[0] if values else "0")

    def _static(
        self, from_type: types.Type, to_type: types.Type, values: Sequence[str], position: str
    ) -> str:
        """A statement that writes a statically encoded value."""
        if location_of(to_type) == "storage":
            return f"mstore({position}, {values[0]})"
        if is_value_type(to_type):
            return f"mstore({position}, {self._value_word(from_type, to_type, values)})"
        return f"{self._reference(from_type, to_type)}({', '.join((*values, position))})"

    def _dynamic(self, from_type: types.Type, to_type: types.Type) -> str:
        """``(values..., position) -> end`` of a dynamically encoded value."""
        if isinstance(from_type, types.StringLiteralType):
            return self._literal(from_type.value)
        return self._reference(from_type, to_type)

    def _literal(self, value: bytes) -> str:
        name = f"abi_encode_literal_{literal_key(value)}"

        def text() -> str:
            size = 32 + -(-len(value) // 32) * 32
            return f"""function {name}(position) -> end {{
                mstore(position, {len(value)})
                {self.utilities.memory.store_literal(value)}(add(position, 32))
                end := add(position, {size})
            }}"""

        return self.utilities.define(name, text)

    def _reference(self, from_type: types.Type, to_type: types.Type) -> str:
        """``(values..., position) [-> end]`` of an array or struct; ``end`` only if it is encoded
        dynamically."""
        source, target = bare(from_type), bare(to_type)
        name = f"abi_encode_{_key(source)}_to_{key(target)}"
        if isinstance(source, types.ArrayType) and isinstance(target, types.ArrayType):
            if is_byte_array(target):
                return self.utilities.define(name, lambda: self._bytes(name, source))
            return self.utilities.define(name, lambda: self._array(name, source, target))
        if isinstance(source, types.StructType) and isinstance(target, types.StructType):
            return self.utilities.define(name, lambda: self._struct(name, source, target))
        raise InternalError(f"{from_type!r} cannot be encoded as {to_type!r}")

    def _bytes(self, name: str, source: types.ArrayType) -> str:
        values = variable_names("value", source)
        if source.location == "storage":
            return f"""function {name}(value, position) -> end {{
                end := {self._stored_bytes(padded=True, with_length=True)}(value, position)
            }}"""
        if source.location == "memory":
            length, data, copy = "mload(value)", "add(value, 32)", self.utilities.memory.copy()
        else:
            length, data, copy = "value_length", "value_offset", self.utilities.memory.copy_calldata()
        return f"""function {name}({", ".join(values)}, position) -> end {{
            let length := {length}
            mstore(position, length)
            position := add(position, 32)
            {copy}({data}, position, length)
            end := add(position, {_round_up("length")})
        }}"""

    def _stored_bytes(self, padded: bool, with_length: bool) -> str:
        """``(slot, position) -> end`` of ``bytes`` in storage."""
        name = f"encode_stored_bytes{'_padded' if padded else ''}{'_with_length' if with_length else ''}"

        def text() -> str:
            arrays = self.utilities.storage_arrays
            data = arrays.data_area(
                types.ArrayType(types.FixedBytesType(1), "storage", None, "bytes"), "slot"
            )
            size = _round_up("length") if padded else "length"
            header = "mstore(position, length) position := add(position, 32)" if with_length else ""
            return f"""function {name}(slot, position) -> end {{
                let word := sload(slot)
                let length := {arrays.byte_array_length()}(word)
                {header}
                end := add(position, {size})
                switch and(word, 1)
                case 0 {{ mstore(position, and(word, not(0xff))) }}
                default {{
                    let stop_at := add(position, length)
                    for {{ let data := {data} }} lt(position, stop_at) {{ position := add(position, 32) }} {{
                        mstore(position, sload(data))
                        data := add(data, 1)
                    }}
                }}
            }}"""

        return self.utilities.define(name, text)

    # --- arrays ------------------------------------------------------------------------------------------

    def _source(self, source: types.ArrayType) -> tuple[str, str]:
        """Texts of the length and of the place of the first element of an array in ``value``."""
        copies = self.utilities.copies
        return copies.length_of(source, "value"), copies.data_of(source, "value")

    def _array(self, name: str, source: types.ArrayType, target: types.ArrayType) -> str:
        parameters = ", ".join((*variable_names("value", source), "position"))
        length, data = self._source(source)
        dynamic = is_dynamically_encoded(target)
        header = "mstore(position, length) position := add(position, 32)" if target.length is None else ""
        head = f"let length := {length} {header} let source := {data}"
        result = "-> end" if dynamic else ""
        base, target_base = source.base_type, target.base_type
        if self._copies_words(source, target):
            copy = "calldatacopy" if source.location == "calldata" else "mcopy"
            end = "end := add(position, size)" if dynamic else ""
            return f"""function {name}({parameters}) {result} {{
                {head}
                let size := mul(length, 32)
                {copy}(position, source, size)
                {end}
            }}"""
        read, advance = self.utilities.copies.read_element(source, "access")
        elements = variable_names("element", base)
        if is_dynamically_encoded(target_base):
            encode = self._dynamic(base, target_base)
            return f"""function {name}({parameters}) {result} {{
                {head}
                {self.utilities.copies.loop_variables(source)}
                let start := position
                end := add(position, mul(length, 32))
                for {{ let i := 0 }} lt(i, length) {{ i := add(i, 1) }} {{
                    mstore(position, sub(end, start))
                    {read}
                    end := {encode}({", ".join((*elements, "end"))})
                    {advance}
                    position := add(position, 32)
                }}
            }}"""
        end = "end := position" if dynamic else ""
        return f"""function {name}({parameters}) {result} {{
            {head}
            {self.utilities.copies.loop_variables(source)}
            for {{ let i := 0 }} lt(i, length) {{ i := add(i, 1) }} {{
                {read}
                {self._static(base, target_base, elements, "position")}
                {advance}
                position := add(position, {TEXT.number(calldata_head_size(target_base))})
            }}
            {end}
        }}"""

    def _copies_words(self, source: types.ArrayType, target: types.ArrayType) -> bool:
        """Whether the elements' words can be copied as they stand."""
        base = bare(source.base_type)
        if not is_value_type(base) or base != bare(target.base_type):
            return False
        any_word = self.utilities.text.is_valid(base, "x") is None and not is_external_function(base)
        if source.location == "calldata":
            return any_word
        if source.location == "memory":
            return self.utilities.settings.has_memory_copy and (any_word or self.utilities.memory_is_clean)
        return False

    # --- structs -----------------------------------------------------------------------------------------

    def _members(self, source: types.StructType) -> list[tuple[types.Type, str]]:
        """For each member of a struct in ``value``: its type and a text that reads it."""
        members: list[tuple[types.Type, str]] = []
        storage = relocate(source, "storage")
        assert isinstance(storage, types.StructType)
        layout = struct_layout(storage)
        for member_name, member in struct_members(source):
            if source.location == "memory":
                place = _add("value", memory_offset_of_member(source, member_name))
                read = self.utilities.memory.read(member, place)
            elif source.location == "calldata":
                place = _add("value", calldata_offset_of_member(source, member_name))
                read = self.utilities.calldata.read_at(member, "value", place, "access")
            else:
                slot, offset = layout[member_name]
                place = _add("value", slot)
                read = place
                if is_value_type(member):
                    read = f"{self.utilities.storage.read(member, offset)}({place})"
            members.append((member, read))
        return members

    def _struct(self, name: str, source: types.StructType, target: types.StructType) -> str:
        dynamic = is_dynamically_encoded(target)
        targets = [t for _, t in struct_members(target)]
        statements: list[str] = []
        if dynamic:
            statements.append(f"end := {_add('position', sum(calldata_head_size(t) for t in targets))}")
        offset = 0
        for (member, read), to_type in zip(self._members(source), targets, strict=True):
            values = variable_names("member", member)
            place = _add("position", offset)
            if is_dynamically_encoded(to_type):
                store = f"""mstore({place}, sub(end, position))
                    end := {self._dynamic(member, to_type)}({", ".join((*values, "end"))})"""
            else:
                store = self._static(member, to_type, values, place)
            statements.append(f"{{ let {', '.join(values)} := {read} {store} }}")
            offset += calldata_head_size(to_type)
        return f"function {name}(value, position) {'-> end' if dynamic else ''} {{ {' '.join(statements)} }}"

    # --- in place (packed) -------------------------------------------------------------------------------

    def _in_place(
        self, from_type: types.Type, to_type: types.Type, values: Sequence[str], padded: bool
    ) -> str:
        """A statement that writes a value at ``position`` without heads and lengths and moves ``position``
        on."""
        if isinstance(from_type, types.StringLiteralType) and not is_value_type(to_type):
            size = len(from_type.value)
            store = self.utilities.memory.store_literal(from_type.value)
            return f"{store}(position) position := add(position, {size})"
        if is_value_type(to_type):
            word = self._value_word(from_type, to_type, values)
            size = 32 if padded else value_bytes(to_type)
            if not padded and not is_left_aligned(to_type) and not is_external_function(bare(to_type)):
                word = self.utilities.text.shifts.left(256 - 8 * size, word)
            return f"mstore(position, {word}) position := add(position, {size})"
        encode = self._reference_in_place(from_type, to_type, padded)
        return f"position := {encode}({', '.join((*values, 'position'))})"

    def _reference_in_place(self, from_type: types.Type, to_type: types.Type, padded: bool) -> str:
        source, target = bare(from_type), bare(to_type)
        suffix = "_padded" if padded and is_byte_array(target) else ""
        name = f"encode_in_place_{_key(source)}_to_{key(target)}{suffix}"

        def text() -> str:
            if isinstance(source, types.StructType) and isinstance(target, types.StructType):
                statements = []
                for (member, read), (_, to_member) in zip(
                    self._members(source), struct_members(target), strict=True
                ):
                    members = variable_names("member", member)
                    statements.append(
                        f"{{ let {', '.join(members)} := {read}"
                        f" {self._in_place(member, to_member, members, padded=True)} }}"
                    )
                return f"function {name}(value, position) -> end {{ {' '.join(statements)} end := position }}"
            assert isinstance(source, types.ArrayType)
            assert isinstance(target, types.ArrayType)
            if is_byte_array(target):
                return self._bytes_in_place(name, source, padded)
            return self._array_in_place(name, source, target)

        return self.utilities.define(name, text)

    def _bytes_in_place(self, name: str, source: types.ArrayType, padded: bool) -> str:
        if source.location == "storage":
            encode = self._stored_bytes(padded=padded, with_length=False)
            return f"function {name}(value, position) -> end {{ end := {encode}(value, position) }}"
        if source.location == "memory":
            length, data, copy = "mload(value)", "add(value, 32)", self.utilities.memory.copy()
        else:
            length, data, copy = "value_length", "value_offset", self.utilities.memory.copy_calldata()
        size = _round_up("length") if padded else "length"
        parameters = ", ".join((*variable_names("value", source), "position"))
        return f"""function {name}({parameters}) -> end {{
            let length := {length}
            {copy}({data}, position, length)
            end := add(position, {size})
        }}"""

    def _array_in_place(self, name: str, source: types.ArrayType, target: types.ArrayType) -> str:
        parameters = ", ".join((*variable_names("value", source), "position"))
        length, data = self._source(source)
        read, advance = self.utilities.copies.read_element(source, "access")
        elements = variable_names("element", source.base_type)
        return f"""function {name}({parameters}) -> end {{
            let length := {length}
            let source := {data}
            {self.utilities.copies.loop_variables(source)}
            for {{ let i := 0 }} lt(i, length) {{ i := add(i, 1) }} {{
                {read}
                {self._in_place(source.base_type, target.base_type, elements, padded=True)}
                {advance}
            }}
            end := position
        }}"""

    # --- concatenation -----------------------------------------------------------------------------------

    def concatenate(self, from_types: Sequence[types.Type]) -> str:
        """``(values...) -> start``: ``bytes.concat`` and ``string.concat`` into new memory."""
        from smartvm.compiler.lowering.type_facts import BYTES_MEMORY

        name = f"concatenate_{'_'.join(map(_key, from_types))}"

        def text() -> str:
            values = [v for index, t in enumerate(from_types) for v in variable_names(f"value_{index}", t)]
            to_types = [t if is_value_type(t) else BYTES_MEMORY for t in from_types]
            encode = self.encode_packed(from_types, to_types)
            return f"""function {name}({", ".join(values)}) -> start {{
                start := mload({FREE_MEMORY_POINTER})
                let data := add(start, 32)
                let end := {encode}({", ".join(("data", *values))})
                mstore(start, sub(end, data))
                {self.utilities.memory.finalize_allocation()}(start, sub(end, start))
            }}"""

        return self.utilities.define(name, text)


def _key(type_: types.Type) -> str:
    """Names must tell different literals apart, which ``key`` does for strings but not for numbers."""
    if isinstance(type_, types.RationalNumberType):
        value = int(type_.value)
        return f"t_rational_{'minus_' if value < 0 else ''}{abs(value)}"
    return key(type_)


def _is_dynamic(type_: types.Type) -> bool:
    return location_of(type_) != "storage" and is_dynamically_encoded(type_)
