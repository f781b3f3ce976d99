"""The ABI decoder (docs/abi-spec.rst; "strict" as docs/080-breaking-changes.rst describes the v2 coder).

Every value is validated: words that are not clean values of their type, offsets and lengths that leave the
data revert without data (with a reason under debug revert strings).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from smartvm.compiler.analysis import types
from smartvm.compiler.lowering.notation import TEXT
from smartvm.compiler.lowering.type_facts import (
    bare,
    calldata_head_size,
    calldata_stride,
    is_byte_array,
    is_dynamically_encoded,
    is_external_function,
    is_value_type,
    key,
    location_of,
    memory_offset_of_member,
    relocate,
    struct_members,
    variable_names,
)

if TYPE_CHECKING:
    from smartvm.compiler.lowering.utilities import Utilities


class Decoding:
    """Utility functions that decode ABI-encoded data in call data or memory."""

    def __init__(self, utilities: Utilities) -> None:
        self.utilities = utilities

    @staticmethod
    def _load(from_memory: bool) -> str:
        return "mload" if from_memory else "calldataload"

    @staticmethod
    def _suffix(from_memory: bool) -> str:
        return "_from_memory" if from_memory else ""

    # --- tuples --------------------------------------------------------------------------------------

    def decode_tuple(self, listed: Sequence[types.Type], from_memory: bool = False) -> str:
        """``(start, end) -> values``: decodes the arguments of a call or ``abi.decode``."""
        name = "abi_decode_tuple_" + "_".join(key(t) for t in listed) + self._suffix(from_memory)

        def text() -> str:
            reverts = self.utilities.reverts
            minimum = sum(calldata_head_size(t) for t in listed)
            results: list[str] = []
            statements: list[str] = []
            position = 0
            for index, type_ in enumerate(listed):
                values = variable_names(f"value_{index}", type_)
                results += values
                statements.append(self._component(type_, "start", position, "end", values, from_memory))
                position += calldata_head_size(type_)
            arrow = f"-> {', '.join(results)}" if results else ""
            # The end of data is never close to 2**255, so a signed comparison also catches a start beyond it.
            short = reverts.statement("ABI decoding: tuple data too short")
            check = f"if slt(sub(end, start), {minimum}) {{ {short} }}"
            return (
                f"function {name}(start, end) {arrow} {{ {check if minimum else ''} {' '.join(statements)} }}"
            )

        return self.utilities.define(name, text)

    def _component(
        self,
        type_: types.Type,
        base: str,
        position: int,
        end: str,
        values: Sequence[str],
        from_memory: bool,
        offset_reason: str = "ABI decoding: invalid tuple offset",
    ) -> str:
        """A block that decodes a component whose head stands ``position`` bytes after ``base``."""
        head = f"add({base}, {position})" if position else base
        targets = ", ".join(values)
        if not _is_raw_slot(type_) and is_dynamically_encoded(type_):
            bad = self.utilities.reverts.statement(offset_reason)
            return f"""{{
                let offset := {self._load(from_memory)}({head})
                if gt(offset, 0xffffffffffffffff) {{ {bad} }}
                {targets} := {self.decode(type_, from_memory)}(add({base}, offset), {end})
            }}"""
        return f"{targets} := {self.decode(type_, from_memory)}({head}, {end})"

    # --- single values ---------------------------------------------------------------------------------

    def decode(self, type_: types.Type, from_memory: bool) -> str:
        """``(offset, end) -> value`` of any type, into the location that the type names."""
        if _is_raw_slot(type_):
            return self._value(types.IntegerType(256, False), from_memory)
        if is_value_type(type_):
            return self._value(type_, from_memory)
        if location_of(type_) == "calldata":
            return self._in_calldata(bare(type_))
        return self.decode_in_memory(bare(type_), from_memory)

    def _value(self, type_: types.Type, from_memory: bool) -> str:
        name = f"abi_decode_{key(type_)}{self._suffix(from_memory)}"

        def text() -> str:
            calldata = self.utilities.calldata
            load = self._load(from_memory)
            if is_external_function(bare(type_)):
                split = self.utilities.conversions.split_external_function()
                return f"""function {name}(offset, end) -> account, selector {{
                    let word := {load}(offset)
                    {calldata.validate(types.FixedBytesType(24), "word")}
                    account, selector := {split}(word)
                }}"""
            return f"""function {name}(offset, end) -> value {{
                value := {load}(offset) {calldata.validate(type_, "value")}
            }}"""

        return self.utilities.define(name, text)

    def _in_calldata(self, type_: types.Type) -> str:
        name = f"abi_decode_{key(type_)}"

        def text() -> str:
            reverts = self.utilities.reverts
            if isinstance(type_, types.ArrayType):
                stride = calldata_stride(type_)
                beyond = reverts.statement("ABI decoding: invalid calldata array stride")
                if type_.length is not None:
                    size = TEXT.number(type_.length * stride)
                    return f"""function {name}(offset, end) -> position {{
                        position := offset
                        if gt(add(position, {size}), end) {{ {beyond} }}
                    }}"""
                size = "length" if stride == 1 else f"mul(length, {TEXT.number(stride)})"
                bad_offset = reverts.statement("ABI decoding: invalid calldata array offset")
                bad_length = reverts.statement("ABI decoding: invalid calldata array length")
                return f"""function {name}(offset, end) -> position, length {{
                    if iszero(slt(add(offset, 31), end)) {{ {bad_offset} }}
                    length := calldataload(offset)
                    if gt(length, 0xffffffffffffffff) {{ {bad_length} }}
                    position := add(offset, 32)
                    if gt(add(position, {size}), end) {{ {beyond} }}
                }}"""
            assert isinstance(type_, types.StructType)
            minimum = sum(calldata_head_size(member) for _, member in struct_members(type_))
            short = reverts.statement("ABI decoding: struct calldata too short")
            return f"""function {name}(offset, end) -> position {{
                if slt(sub(end, offset), {TEXT.number(minimum)}) {{ {short} }}
                position := offset
            }}"""

        return self.utilities.define(name, text)

    def decode_in_memory(self, type_: types.Type, from_memory: bool) -> str:
        """``(offset, end) -> start``: decodes an array or struct into new memory."""
        type_ = relocate(type_, "memory")
        name = f"abi_decode_{key(type_)}{self._suffix(from_memory)}"

        def text() -> str:
            if isinstance(type_, types.StructType):
                return self._struct_in_memory(name, type_, from_memory)
            assert isinstance(type_, types.ArrayType)
            bad = self.utilities.reverts.statement("ABI decoding: invalid calldata array offset")
            check = f"if iszero(slt(add(offset, 31), end)) {{ {bad} }}"
            if is_byte_array(type_):
                decode = self.bytes_with_length(from_memory)
            else:
                decode = self.array_with_length(type_, from_memory)
            if type_.length is not None:
                return f"""function {name}(offset, end) -> start {{
                    {check} start := {decode}(offset, {TEXT.number(type_.length)}, end)
                }}"""
            return f"""function {name}(offset, end) -> start {{
                {check}
                start := {decode}(add(offset, 32), {self._load(from_memory)}(offset), end)
            }}"""

        return self.utilities.define(name, text)

    def bytes_with_length(self, from_memory: bool) -> str:
        """``(source, length, end) -> start`` of ``bytes`` or ``string`` whose data stands at ``source``."""
        name = f"abi_decode_bytes_with_length{self._suffix(from_memory)}"

        def text() -> str:
            memory = self.utilities.memory
            allocate = memory.allocate_array(
                types.ArrayType(types.FixedBytesType(1), "memory", None, "bytes")
            )
            copy = memory.copy() if from_memory else memory.copy_calldata()
            bad = self.utilities.reverts.statement("ABI decoding: invalid byte array length")
            return f"""function {name}(source, length, end) -> start {{
                start := {allocate}(length)
                if gt(add(source, length), end) {{ {bad} }}
                {copy}(source, add(start, 32), length)
            }}"""

        return self.utilities.define(name, text)

    def array_with_length(self, type_: types.ArrayType, from_memory: bool) -> str:
        """``(source, length, end) -> start`` of an array whose elements stand at ``source``."""
        in_memory = relocate(type_, "memory")
        assert isinstance(in_memory, types.ArrayType)
        name = f"abi_decode_elements_{key(in_memory)}{self._suffix(from_memory)}"

        def text() -> str:
            base = in_memory.base_type
            stride = calldata_head_size(base)
            bad = self.utilities.reverts.statement("ABI decoding: invalid calldata array stride")
            values = variable_names("element", base)
            target = "add(start, 32)" if in_memory.length is None else "start"
            if is_dynamically_encoded(base):
                wrong = self.utilities.reverts.statement("ABI decoding: invalid calldata array offset")
                position = f"""
                    let inner := {self._load(from_memory)}(head)
                    if gt(inner, 0xffffffffffffffff) {{ {wrong} }}
                    let position := add(source, inner)
                """
            else:
                position = "let position := head"
            decode = self.decode(base, from_memory)
            store = self.utilities.memory.write(base, "target", values)
            head = f"""
                start := {self.utilities.memory.allocate_array(in_memory)}(length)
                let target := {target}
                let source_end := add(source, mul(length, {TEXT.number(stride)}))
                if gt(source_end, end) {{ {bad} }}
            """
            if not from_memory and self._copies_words(base):
                return f"""function {name}(source, length, end) -> start {{
                    {head} calldatacopy(target, source, sub(source_end, source))
                }}"""
            return f"""function {name}(source, length, end) -> start {{
                {head}
                let head := source
                for {{ }} lt(head, source_end) {{ head := add(head, {TEXT.number(stride)}) }} {{
                    {position}
                    let {", ".join(values)} := {decode}(position, end)
                    {store}
                    target := add(target, 32)
                }}
            }}"""

        return self.utilities.define(name, text)

    def _copies_words(self, type_: types.Type) -> bool:
        """Whether any word is a clean value of the type."""
        return (
            is_value_type(type_)
            and not is_external_function(bare(type_))
            and self.utilities.text.is_valid(type_, "x") is None
        )

    def _struct_in_memory(self, name: str, type_: types.StructType, from_memory: bool) -> str:
        reverts = self.utilities.reverts
        minimum = sum(calldata_head_size(member) for _, member in struct_members(type_))
        short = reverts.statement("ABI decoding: struct data too short")
        statements: list[str] = []
        position = 0
        for index, (member_name, member) in enumerate(struct_members(type_)):
            values = variable_names(f"member_{index}", member)
            address = f"add(start, {memory_offset_of_member(type_, member_name)})"
            decode = self._component(
                member, "offset_", position, "end", values, from_memory, "ABI decoding: invalid struct offset"
            )
            store = self.utilities.memory.write(member, address, values)
            statements.append(f"{{ let {', '.join(values)} {decode} {store} }}")
            position += calldata_head_size(member)
        return f"""function {name}(offset_, end) -> start {{
            if slt(sub(end, offset_), {TEXT.number(minimum)}) {{ {short} }}
            start := {self.utilities.memory.allocate_struct(type_)}()
            {" ".join(statements)}
        }}"""


def _is_raw_slot(type_: types.Type) -> bool:
    """Storage pointers and mappings travel as slot numbers (parameters of library functions)."""
    return location_of(type_) == "storage"
