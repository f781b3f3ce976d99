"""Storage and transient storage: packed reads and writes, deletion (docs/internals/layout_in_storage.rst)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from smartvm.compiler.analysis import types
from smartvm.compiler.lowering.conversions import low_mask
from smartvm.compiler.lowering.notation import TEXT
from smartvm.compiler.lowering.type_facts import (
    bare,
    is_byte_array,
    is_external_function,
    is_value_type,
    key,
    storage_bytes,
    struct_layout,
    struct_members,
    value_bytes,
    variable_names,
)
from smartvm.errors import InternalError

if TYPE_CHECKING:
    from smartvm.compiler.lowering.utilities import Utilities

Space = Literal["storage", "transient"]


def load_instruction(space: Space) -> str:
    """``sload`` or ``tload``."""
    return "sload" if space == "storage" else "tload"


def store_instruction(space: Space) -> str:
    """``sstore`` or ``tstore``."""
    return "sstore" if space == "storage" else "tstore"


class Storage:
    """Utility functions on single values in storage; arrays are in ``storage_arrays``."""

    def __init__(self, utilities: Utilities) -> None:
        self.utilities = utilities

    # --- reading -----------------------------------------------------------------------------------

    def extract(self, type_: types.Type, word: str, offset: int | str) -> str:
        """Text of a value type's clean value out of a slot's word, ``offset`` bytes from its low end."""
        text = self.utilities.text
        if isinstance(offset, int):
            shifted = text.shifts.right(8 * offset, word)
        elif self.utilities.settings.has_bitwise_shifting:
            shifted = f"shr(shl(3, {offset}), {word})"
        else:
            shifted = f"div({word}, exp(256, {offset}))"
        if is_external_function(bare(type_)):
            return f"{self._split_packed_function()}({shifted})"
        return text.from_packed(type_, shifted)

    def _split_packed_function(self) -> str:
        right = self.utilities.text.shifts.right(32, "packed")
        return self.utilities.define(
            "split_packed_external_function",
            lambda: (
                "function split_packed_external_function(packed) -> account, selector {"
                f" account := and({right}, {hex((1 << 160) - 1)}) selector := and(packed, 0xffffffff) }}"
            ),
        )

    def pack(self, type_: types.Type, values: tuple[str, ...]) -> str:
        """Text of a clean value as the lowest bytes of a word, all other bytes zero."""
        if is_external_function(bare(type_)):
            return f"or({self.utilities.text.shifts.left(32, values[0])}, {values[1]})"
        return self.utilities.text.align_right(type_, values[0])

    def read(self, type_: types.Type, offset: int | None, space: Space = "storage") -> str:
        """``(slot[, offset]) -> value`` for a value type; ``offset`` None: given at run time."""
        place = "dynamic" if offset is None else f"offset_{offset}"
        name = f"read_from_{space}_{place}_{key(type_)}"

        def text() -> str:
            parameters = "slot, offset" if offset is None else "slot"
            results = ", ".join(variable_names("value", type_))
            word = f"{load_instruction(space)}(slot)"
            value = self.extract(type_, word, "offset" if offset is None else offset)
            return f"function {name}({parameters}) -> {results} {{ {results} := {value} }}"

        return self.utilities.define(name, text)

    def read_any(self, type_: types.Type, offset: int) -> str:
        """``(slot) -> value`` for a value type, or a copy in memory of a reference type."""
        if is_value_type(type_):
            return self.read(type_, offset)
        return self.utilities.copies.to_memory(type_)

    # --- writing -----------------------------------------------------------------------------------

    def replace_bytes(self, word: str, size: int, offset: int | str, value: str) -> str:
        """Text of ``word`` with ``size`` bytes from ``offset`` replaced by the lowest bytes of ``value``."""
        if size == 32:
            return value
        if isinstance(offset, int):
            mask = TEXT.number(((1 << 256) - 1) ^ (low_mask(size) << (8 * offset)))
            return f"or(and({word}, {mask}), {self.utilities.text.shifts.left(8 * offset, value)})"
        low = TEXT.number(low_mask(size))
        if self.utilities.settings.has_bitwise_shifting:
            return f"or(and({word}, not(shl(shl(3, {offset}), {low}))), shl(shl(3, {offset}), {value}))"
        return f"or(and({word}, not(mul(exp(256, {offset}), {low}))), mul(exp(256, {offset}), {value}))"

    def write(self, type_: types.Type, offset: int | None, space: Space = "storage") -> str:
        """``(slot[, offset], value)`` for a value type."""
        place = "dynamic" if offset is None else f"offset_{offset}"
        name = f"update_{space}_{place}_{key(type_)}"

        def text() -> str:
            values = variable_names("value", type_)
            parameters = ", ".join(("slot", "offset", *values) if offset is None else ("slot", *values))
            word = self.replace_bytes(
                f"{load_instruction(space)}(slot)",
                value_bytes(type_),
                "offset" if offset is None else offset,
                self.pack(type_, values),
            )
            return f"function {name}({parameters}) {{ {store_instruction(space)}(slot, {word}) }}"

        return self.utilities.define(name, text)

    # --- deletion ----------------------------------------------------------------------------------

    def clear(self, type_: types.Type, offset: int | None = 0, space: Space = "storage") -> str:
        """``(slot[, offset])``: sets a variable to its default value. Mappings stay as they are."""
        if is_value_type(type_):
            place = "dynamic" if offset is None else f"offset_{offset}"
            name = f"clear_{space}_{place}_{key(type_)}"

            def text() -> str:
                zeros = ", 0" * len(variable_names("value", type_))
                where = "slot, offset" if offset is None else "slot"
                return f"function {name}({where}) {{ {self.write(type_, offset, space)}({where}{zeros}) }}"

            return self.utilities.define(name, text)
        if isinstance(type_, types.ArrayType):
            return self.utilities.storage_arrays.clear(type_)
        if isinstance(type_, types.StructType):
            return self.clear_struct(type_)
        if isinstance(type_, types.MappingType):
            return self.utilities.define("clear_mapping", lambda: "function clear_mapping(slot) { }")
        raise InternalError(f"{type_!r} cannot be deleted in storage")

    def clear_struct(self, type_: types.StructType) -> str:
        """``(slot)``: deletes a struct, padding included."""
        name = f"clear_storage_{key(type_)}"

        def text() -> str:
            layout = struct_layout(type_)
            statements: list[str] = []
            zeroed: set[int] = set()
            for member_name, member in struct_members(type_):
                slot, _offset = layout[member_name]
                where = f"add(slot, {TEXT.number(slot)})" if slot else "slot"
                if storage_bytes(member) < 32:
                    if slot not in zeroed:
                        zeroed.add(slot)
                        statements.append(f"sstore({where}, 0)")
                elif not isinstance(member, types.MappingType):
                    statements.append(f"{self.clear(member)}({where})")
            return f"function {name}(slot) {{ {' '.join(statements)} }}"

        return self.utilities.define(name, text)

    # --- mappings ----------------------------------------------------------------------------------

    def mapping_slot(self, key_type: types.Type) -> str:
        """``(slot, key) -> element slot`` for a key of a value type in its clean form."""
        name = f"mapping_index_{key(key_type)}"

        def text() -> str:
            keys = variable_names("key", key_type)
            word = self.utilities.conversions.as_one_word(key_type, keys)
            return (
                f"function {name}(slot, {', '.join(keys)}) -> element {{ mstore(0, {word}) mstore(32, slot)"
                " element := keccak256(0, 64) }"
            )

        return self.utilities.define(name, text)

    def mapping_slot_of_bytes(self, key_type: types.Type) -> str:
        """``(slot, key...) -> element slot`` for a ``bytes`` or ``string`` key in any location, or a
        literal."""
        name = f"mapping_index_{key(key_type)}"

        def text() -> str:
            keys = variable_names("key", key_type)
            encode = self.utilities.encoding.encode_packed((key_type,), (_bytes_like(key_type),))
            parameters = ", ".join(("slot", *keys))
            return f"""function {name}({parameters}) -> element {{
                let start := mload(64)
                let end := {encode}({", ".join(("start", *keys))})
                mstore(end, slot)
                element := keccak256(start, sub(add(end, 32), start))
            }}"""

        return self.utilities.define(name, text)


def _bytes_like(type_: types.Type) -> types.Type:
    from smartvm.compiler.lowering.type_facts import BYTES_MEMORY, STRING_MEMORY

    if isinstance(type_, types.StringLiteralType):
        return STRING_MEMORY
    if not is_byte_array(bare(type_)):
        raise InternalError(f"{type_!r} is no byte array")
    return BYTES_MEMORY
