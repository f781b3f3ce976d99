"""Arrays, ``bytes`` and ``string`` in storage: length, elements, push, pop, resizing, deletion.

docs/internals/layout_in_storage.rst, "Mappings and Dynamic Arrays" and "bytes and string".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from smartvm.compiler.analysis import types
from smartvm.compiler.lowering.memory import LARGEST_SIZE
from smartvm.compiler.lowering.notation import TEXT
from smartvm.compiler.lowering.reverts import (
    EMPTY_ARRAY_POP,
    INDEX_OUT_OF_BOUNDS,
    RESOURCE,
    STORAGE_ENCODING,
)
from smartvm.compiler.lowering.type_facts import (
    is_byte_array,
    is_value_type,
    items_per_slot,
    key,
    storage_bytes,
    storage_size,
    variable_names,
)

if TYPE_CHECKING:
    from smartvm.compiler.lowering.utilities import Utilities


class StorageArrays:
    """Utility functions on storage arrays."""

    def __init__(self, utilities: Utilities) -> None:
        self.utilities = utilities

    # --- length and place ----------------------------------------------------------------------------

    def byte_array_length(self) -> str:
        """``(word) -> length`` from the main slot of ``bytes``; Panic(0x22) when it is encoded wrongly."""

        def text() -> str:
            panic = self.utilities.reverts.panic(STORAGE_ENCODING)
            half = self.utilities.text.shifts.right(1, "word")
            return f"""function byte_array_length(word) -> length {{
                length := {half}
                let in_data_area := and(word, 1)
                if iszero(in_data_area) {{ length := and(length, 0x7f) }}
                if eq(in_data_area, lt(length, 32)) {{ {panic}() }}
            }}"""

        return self.utilities.define("byte_array_length", text)

    def length_of(self, type_: types.ArrayType, slot: str) -> str:
        """Text of the length."""
        if type_.length is not None:
            return TEXT.number(type_.length)
        word = f"sload({slot})"
        return f"{self.byte_array_length()}({word})" if is_byte_array(type_) else word

    def data_area(self, type_: types.ArrayType, slot: str) -> str:
        """Text of the slot at which the elements start."""
        if type_.length is not None:
            return slot
        name = self.utilities.define(
            "storage_data_area",
            lambda: "function storage_data_area(slot) -> data { mstore(0, slot) data := keccak256(0, 32) }",
        )
        return f"{name}({slot})"

    def slot_count(self, type_: types.ArrayType, length: str) -> str:
        """Text of the number of slots that ``length`` elements take."""
        per_slot = items_per_slot(type_)
        if per_slot > 1:
            return f"div(add({length}, {per_slot - 1}), {per_slot})"
        size = storage_size(type_.base_type)
        return length if size == 1 else f"mul({length}, {TEXT.number(size)})"

    def _element(self, type_: types.ArrayType, data: str, index: str) -> tuple[str, str]:
        """Texts of slot and byte offset of an element of an array that is no byte array."""
        per_slot = items_per_slot(type_)
        if per_slot > 1:
            offset = f"mul(mod({index}, {per_slot}), {storage_bytes(type_.base_type)})"
            return f"add({data}, div({index}, {per_slot}))", offset
        size = storage_size(type_.base_type)
        return f"add({data}, {index if size == 1 else f'mul({index}, {TEXT.number(size)})'})", "0"

    def index_access(self, type_: types.ArrayType) -> str:
        """``(array, index) -> slot, offset`` of an element; Panic(0x32) out of bounds."""
        name = f"storage_index_{key(type_)}"

        def text() -> str:
            panic = self.utilities.reverts.panic(INDEX_OUT_OF_BOUNDS)
            data = self.data_area(type_, "array")
            if is_byte_array(type_):
                word_index = self.utilities.text.shifts.right(5, "index")
                return f"""function {name}(array, index) -> slot, offset {{
                    let length := {self.length_of(type_, "array")}
                    if iszero(lt(index, length)) {{ {panic}() }}
                    slot := array
                    offset := sub(31, and(index, 31))
                    if gt(length, 31) {{ slot := add({data}, {word_index}) }}
                }}"""
            slot, offset = self._element(type_, data, "index")
            return f"""function {name}(array, index) -> slot, offset {{
                if iszero(lt(index, {self.length_of(type_, "array")})) {{ {panic}() }}
                slot := {slot}
                offset := {offset}
            }}"""

        return self.utilities.define(name, text)

    # --- push and pop ----------------------------------------------------------------------------------

    def _grow(self, type_: types.ArrayType) -> str:
        """Statements that add one element, leaving its place in ``slot`` and ``offset``."""
        panic = self.utilities.reverts.panic(RESOURCE)
        data = self.data_area(type_, "array")
        slot, offset = self._element(type_, data, "length")
        return f"""
            let length := sload(array)
            if gt(length, {hex(LARGEST_SIZE - 1)}) {{ {panic}() }}
            sstore(array, add(length, 1))
            slot := {slot}
            offset := {offset}
        """

    def push(self, type_: types.ArrayType) -> str:
        """``(array, value)`` for elements of value types in their clean form."""
        name = f"storage_push_{key(type_)}"

        def text() -> str:
            values = variable_names("value", type_.base_type)
            parameters = ", ".join(("array", *values))
            if is_byte_array(type_):
                return self._push_byte(name)
            place = "let slot let offset " + self._grow(type_)
            if items_per_slot(type_) > 1:
                store = f"{self.utilities.storage.write(type_.base_type, None)}(slot, offset, value)"
            else:
                # The length is below 2**64 and old elements are cleared: nothing else lives in the new slot.
                store = f"{self.utilities.storage.write(type_.base_type, 0)}(slot, {', '.join(values)})"
            return f"function {name}({parameters}) {{ {place} {store} }}"

        return self.utilities.define(name, text)

    def _push_byte(self, name: str) -> str:
        panic = self.utilities.reverts.panic(RESOURCE)
        shifts = self.utilities.text.shifts
        byte_value = shifts.right(248, "value")
        data = self.data_area(_BYTES_STORAGE, "array")
        replace = self.utilities.storage.replace_bytes
        return f"""function {name}(array, value) {{
            let word := sload(array)
            let length := {self.byte_array_length()}(word)
            if gt(length, {hex(LARGEST_SIZE - 1)}) {{ {panic}() }}
            switch gt(length, 31)
            case 0 {{
                let byte_value := {byte_value}
                switch length
                case 31 {{
                    // The 32nd byte moves everything to the data area.
                    sstore({data}, or(and(word, not(0xff)), byte_value))
                    sstore(array, 65)
                }}
                default {{ sstore(array, add({replace("word", 1, "sub(31, length)", "byte_value")}, 2)) }}
            }}
            default {{
                sstore(array, add(word, 2))
                let slot := add({data}, {shifts.right(5, "length")})
                sstore(slot, {replace("sload(slot)", 1, "sub(31, and(length, 31))", byte_value)})
            }}
        }}"""

    def push_default(self, type_: types.ArrayType) -> str:
        """``(array) -> slot, offset``: adds an element that keeps its default value."""
        name = f"storage_push_default_{key(type_)}"

        def text() -> str:
            if is_byte_array(type_):
                return f"""function {name}(array) -> slot, offset {{
                    {self.push(type_)}(array, 0)
                    slot, offset := {self.index_access(type_)}(array, sub({self.length_of(type_, "array")},
                    1)) }}"""
            return f"function {name}(array) -> slot, offset {{ {self._grow(type_)} }}"

        return self.utilities.define(name, text)

    def pop(self, type_: types.ArrayType) -> str:
        """``(array)``: removes and deletes the last element; Panic(0x31) on an empty array."""
        name = f"storage_pop_{key(type_)}"

        def text() -> str:
            panic = self.utilities.reverts.panic(EMPTY_ARRAY_POP)
            data = self.data_area(type_, "array")
            if is_byte_array(type_):
                shifts = self.utilities.text.shifts
                replace = self.utilities.storage.replace_bytes
                return f"""function {name}(array) {{
                    let word := sload(array)
                    let length := {self.byte_array_length()}(word)
                    if iszero(length) {{ {panic}() }}
                    switch gt(length, 31)
                    case 0 {{ sstore(array, sub({replace("word", 1, "sub(32, length)", "0")}, 2)) }}
                    default {{
                        length := sub(length, 1)
                        let slot := add({data}, {shifts.right(5, "length")})
                        switch length
                        case 31 {{
                            // 31 bytes fit the main slot again.
                            sstore(array, or(and(sload(slot), not(0xff)), 62))
                            sstore(slot, 0)
                        }}
                        default {{
                            sstore(slot, {replace("sload(slot)", 1, "sub(31, and(length, 31))", "0")})
                            sstore(array, sub(word, 2))
                        }}
                    }}
                }}"""
            slot, offset = self._element(type_, data, "length")
            if isinstance(type_.base_type, types.MappingType):
                clear = ""
            elif is_value_type(type_.base_type) and items_per_slot(type_) > 1:
                clear = f"{self.utilities.storage.clear(type_.base_type, None)}({slot}, {offset})"
            else:
                clear = f"{self.utilities.storage.clear(type_.base_type)}({slot})"
            return f"""function {name}(array) {{
                let length := sload(array)
                if iszero(length) {{ {panic}() }}
                length := sub(length, 1)
                {clear}
                sstore(array, length)
            }}"""

        return self.utilities.define(name, text)

    # --- resizing and deletion -----------------------------------------------------------------------

    def clear_range(self, type_: types.Type) -> str:
        """``(start, end)``: deletes all elements in a range of slots."""
        step = storage_size(type_)
        simple = is_value_type(type_)
        name = "clear_storage_range" if simple else f"clear_storage_range_{key(type_)}"

        def text() -> str:
            clear = "sstore(start, 0)" if simple else f"{self.utilities.storage.clear(type_)}(start)"
            return f"""function {name}(start, end) {{
                for {{ }} lt(start, end) {{ start := add(start, {TEXT.number(step)}) }} {{ {clear} }}
            }}"""

        return self.utilities.define(name, text)

    def clear_after(self, type_: types.ArrayType) -> str:
        """``(data, old_length, new_length)``: deletes the elements from ``new_length`` on (no byte
        arrays)."""
        name = f"clear_after_{key(type_)}"

        def text() -> str:
            if isinstance(type_.base_type, types.MappingType):
                return f"function {name}(data, old_length, new_length) {{ }}"
            per_slot = items_per_slot(type_)
            partial = ""
            if per_slot > 1:
                used = f"mul(mod(new_length, {per_slot}), {storage_bytes(type_.base_type)})"
                keep = (
                    "sub(shl(shl(3, used), 1), 1)"
                    if self.utilities.settings.has_bitwise_shifting
                    else "sub(exp(256, used), 1)"
                )
                partial = f"""
                    let used := {used}
                    if used {{
                        let last := sub(start, 1)
                        sstore(last, and(sload(last), {keep}))
                    }}
                """
            return f"""function {name}(data, old_length, new_length) {{
                if lt(new_length, old_length) {{
                    let start := add(data, {self.slot_count(type_, "new_length")})
                    let end := add(data, {self.slot_count(type_, "old_length")})
                    {partial}
                    {self.clear_range(type_.base_type)}(start, end)
                }}
            }}"""

        return self.utilities.define(name, text)

    def resize(self, type_: types.ArrayType) -> str:
        """``(array, new_length)`` of a dynamic array: stores the length, deletes what falls away (no byte
        arrays)."""
        name = f"resize_{key(type_)}"

        def text() -> str:
            panic = self.utilities.reverts.panic(RESOURCE)
            return f"""function {name}(array, new_length) {{
                if gt(new_length, {hex(LARGEST_SIZE)}) {{ {panic}() }}
                let old_length := sload(array)
                sstore(array, new_length)
                {self.clear_after(type_)}({self.data_area(type_, "array")}, old_length, new_length)
            }}"""

        return self.utilities.define(name, text)

    def clear_bytes_after(self) -> str:
        """``(array, old_length, new_length)``: clears the slots of the data area that ``new_length`` does
        not need."""

        def text() -> str:
            shifts = self.utilities.text.shifts
            data = self.data_area(_BYTES_STORAGE, "array")
            return f"""function clear_bytes_after(array, old_length, new_length) {{
                if gt(old_length, 31) {{
                    let data := {data}
                    let start := data
                    if gt(new_length, 31) {{ start := add(data, {shifts.right(5, "add(new_length, 31)")}) }}
                    {self.clear_range(types.IntegerType(256, False))}(
                        start, add(data, {shifts.right(5, "add(old_length, 31)")})
                    )
                }}
            }}"""

        return self.utilities.define("clear_bytes_after", text)

    def clear(self, type_: types.ArrayType) -> str:
        """``(slot)``: deletes an array."""
        name = f"clear_storage_{key(type_)}"

        def text() -> str:
            if is_byte_array(type_):
                body = f"{self.clear_bytes_after()}(slot, {self.length_of(type_, 'slot')}, 0) sstore(slot, 0)"
            elif type_.length is None:
                body = f"{self.resize(type_)}(slot, 0)"
            elif isinstance(type_.base_type, types.MappingType):
                body = ""
            else:
                slots = TEXT.number(storage_size(type_))
                body = f"{self.clear_range(type_.base_type)}(slot, add(slot, {slots}))"
            return f"function {name}(slot) {{ {body} }}"

        return self.utilities.define(name, text)


_BYTES_STORAGE = types.ArrayType(types.FixedBytesType(1), "storage", None, "bytes")
