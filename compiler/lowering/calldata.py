"""Values that stay in call data: validated reads, nested dynamic values, elements, slices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from smartvm.compiler.analysis import types
from smartvm.compiler.lowering.notation import TEXT
from smartvm.compiler.lowering.reverts import INDEX_OUT_OF_BOUNDS
from smartvm.compiler.lowering.type_facts import (
    bare,
    calldata_stride,
    calldata_tail_size,
    is_byte_array,
    is_dynamically_encoded,
    is_external_function,
    is_value_type,
    key,
    variable_names,
)

if TYPE_CHECKING:
    from smartvm.compiler.lowering.utilities import Utilities


class Calldata:
    """Utility functions on call data."""

    def __init__(self, utilities: Utilities) -> None:
        self.utilities = utilities

    def validate(self, type_: types.Type, value: str) -> str:
        """Text of a statement that reverts unless a word from outside is a clean value of the type."""
        valid = self.utilities.text.is_valid(type_, value)
        if valid is None:
            return ""
        return f"if iszero({valid}) {{ revert(0, 0) }}"

    def read_value(self, type_: types.Type) -> str:
        """``(position) -> value`` of a value type; reverts when the word is not clean."""
        name = f"read_calldata_{key(type_)}"

        def text() -> str:
            if is_external_function(bare(type_)):
                split = self.utilities.conversions.split_external_function()
                return f"""function {name}(position) -> account, selector {{
                    let word := calldataload(position)
                    {self.validate(types.FixedBytesType(24), "word")}
                    account, selector := {split}(word)
                }}"""
            return f"""function {name}(position) -> value {{
                value := calldataload(position)
                {self.validate(type_, "value")}
            }}"""

        return self.utilities.define(name, text)

    def read_at(
        self, type_: types.Type, base: str, position: str, within: Literal["tail", "access"]
    ) -> str:
        """Text of the value whose head stands at ``position`` in the struct or array at ``base``; ``within`` as for
        ``tail``."""
        if is_value_type(type_):
            return f"{self.read_value(type_)}({position})"
        if is_dynamically_encoded(type_):
            return f"{self.tail(type_, within)}({base}, {position})"
        return position

    def tail(self, type_: types.Type, within: Literal["tail", "access"] = "tail") -> str:
        """``(base, position) -> offset[, length]`` of a dynamically encoded value whose head is at
        ``position``.

        ``within`` chooses solc's words for what the program did: select a member or copy it to storage ("tail"), or
        encode a whole value ("access").
        """
        name = f"calldata_{within if self.utilities.settings.debug_revert_strings else 'tail'}_{key(type_)}"

        def text() -> str:
            reverts = self.utilities.reverts
            needed = calldata_tail_size(type_)
            bare_type = bare(type_)
            bad_offset = reverts.statement(f"Invalid calldata {within} offset")
            head = f"""
                let relative := calldataload(position)
                let available := sub(sub(calldatasize(), base), {TEXT.number(needed - 1)})
                if iszero(slt(relative, available)) {{ {bad_offset} }}
                value := add(base, relative)
            """
            if isinstance(bare_type, types.ArrayType) and bare_type.length is None:
                bad_length = reverts.statement(f"Invalid calldata {within} length")
                too_short = reverts.statement(
                    "Calldata tail too short" if within == "tail" else "Invalid calldata access stride"
                )
                stride = calldata_stride(bare_type)
                size = "length" if stride == 1 else f"mul(length, {TEXT.number(stride)})"
                return f"""function {name}(base, position) -> value, length {{
                    {head}
                    length := calldataload(value)
                    value := add(value, 32)
                    if gt(length, 0xffffffffffffffff) {{ {bad_length} }}
                    if sgt(value, sub(calldatasize(), {size})) {{ {too_short} }}
                }}"""
            return f"function {name}(base, position) -> value {{ {head} }}"

        return self.utilities.define(name, text)

    def index_access(self, type_: types.ArrayType) -> str:
        """``(array[, length], index) -> element``: its position, or offset and length; Panic(0x32) out of
        bounds.

        For elements of value types the result is the position of the word (of the byte) to read.
        """
        name = f"calldata_index_{key(type_)}"

        def text() -> str:
            panic = self.utilities.reverts.panic(INDEX_OUT_OF_BOUNDS)
            dynamic = type_.length is None
            parameters = "array, length, index" if dynamic else "array, index"
            length = "length" if dynamic else TEXT.number(type_.length or 0)
            stride = calldata_stride(type_)
            offset = "index" if stride == 1 else f"mul(index, {TEXT.number(stride)})"
            check = f"if iszero(lt(index, {length})) {{ {panic}() }}"
            position = f"add(array, {offset})"
            if is_value_type(type_.base_type) or not is_dynamically_encoded(type_.base_type):
                return f"function {name}({parameters}) -> position {{ {check} position := {position} }}"
            results = ", ".join(variable_names("element", type_.base_type))
            return f"""function {name}({parameters}) -> {results} {{
                {check} {results} := {self.tail(type_.base_type)}(array, {position})
            }}"""

        return self.utilities.define(name, text)

    def slice(self, type_: types.ArrayType) -> str:
        """``(offset, length, start, end) -> offset, length`` of ``array[start:end]``; reverts unless
        ``start <= end <= length``."""
        stride = calldata_stride(type_)
        name = f"calldata_slice_{stride}"

        def text() -> str:
            reverts = self.utilities.reverts
            wrong_start = reverts.statement("Slice starts after end")
            wrong_end = reverts.statement("Slice is greater than length")
            distance = "start" if stride == 1 else f"mul(start, {TEXT.number(stride)})"
            return f"""function {name}(offset, length, start, end) -> slice_offset, slice_length {{
                if gt(start, end) {{ {wrong_start} }}
                if gt(end, length) {{ {wrong_end} }}
                slice_offset := add(offset, {distance})
                slice_length := sub(end, start)
            }}"""

        return self.utilities.define(name, text)

    def to_memory(self, type_: types.Type) -> str:
        """``(offset[, length]) -> start``: a validated copy in memory."""
        bare_type = bare(type_)
        name = f"copy_{key(bare_type)}_to_memory"

        def text() -> str:
            decoding = self.utilities.decoding
            values = variable_names("value", bare_type)
            if isinstance(bare_type, types.ArrayType):
                first = values[0]
                length = "value_length" if bare_type.length is None else TEXT.number(bare_type.length)
                if is_byte_array(bare_type):
                    decode = decoding.bytes_with_length(from_memory=False)
                else:
                    decode = decoding.array_with_length(bare_type, from_memory=False)
                return f"""function {name}({", ".join(values)}) -> start {{
                    start := {decode}({first}, {length}, calldatasize())
                }}"""
            decode = decoding.decode_in_memory(bare_type, from_memory=False)
            return f"function {name}(value) -> start {{ start := {decode}(value, calldatasize()) }}"

        return self.utilities.define(name, text)
