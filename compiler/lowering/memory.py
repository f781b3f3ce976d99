"""Memory: allocation, zero values, literals and copies (docs/internals/layout_in_memory.rst)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smartvm.compiler.analysis import types
from smartvm.compiler.lowering.notation import TEXT
from smartvm.compiler.lowering.reverts import RESOURCE, word_literals
from smartvm.compiler.lowering.type_facts import (
    bare,
    is_byte_array,
    is_external_function,
    is_value_type,
    key,
    literal_key,
    memory_size,
    memory_stride,
    stack_size,
    struct_members,
)
from smartvm.errors import InternalError

if TYPE_CHECKING:
    from smartvm.compiler.lowering.utilities import Utilities

#: Where the free memory pointer is, the word that stays zero, and where allocation starts.
FREE_MEMORY_POINTER = 0x40
ZERO_WORD = 0x60
FIRST_FREE_MEMORY = 0x80
#: Allocations and lengths beyond this panic with 0x41.
LARGEST_SIZE = 0xFFFFFFFFFFFFFFFF


class Memory:
    """Utility functions on memory."""

    def __init__(self, utilities: Utilities) -> None:
        self.utilities = utilities

    # --- allocation --------------------------------------------------------------------------------

    def finalize_allocation(self) -> str:
        """``(start, size)``: moves the free memory pointer behind ``size`` bytes from ``start``, in whole
        words."""

        def text() -> str:
            panic = self.utilities.reverts.panic(RESOURCE)
            return f"""function finalize_allocation(start, size) {{
                let end := add(start, and(add(size, 31), not(31)))
                if or(gt(end, {hex(LARGEST_SIZE)}), lt(end, start)) {{ {panic}() }}
                mstore(64, end)
            }}"""

        return self.utilities.define("finalize_allocation", text)

    def allocate(self) -> str:
        """``(size) -> start``."""

        def text() -> str:
            return f"""function allocate_memory(size) -> start {{
                start := mload(64) {self.finalize_allocation()}(start, size)
            }}"""

        return self.utilities.define("allocate_memory", text)

    def array_size(self, type_: types.ArrayType) -> str:
        """``(length) -> size``: bytes of a memory array with its length word; panics on absurd lengths."""
        name = f"allocation_size_{key(type_)}"

        def text() -> str:
            panic = self.utilities.reverts.panic(RESOURCE)
            elements = (
                "and(add(length, 31), not(31))"
                if is_byte_array(type_)
                else self.utilities.text.shifts.left(5, "length")
            )
            size = f"add({elements}, 32)" if type_.length is None else elements
            return f"""function {name}(length) -> size {{
                if gt(length, {hex(LARGEST_SIZE)}) {{ {panic}() }}
                size := {size}
            }}"""

        return self.utilities.define(name, text)

    def allocate_array(self, type_: types.ArrayType) -> str:
        """``(length) -> start``: memory for an array, its length stored, its elements not set."""
        name = f"allocate_{key(type_)}"

        def text() -> str:
            store = "mstore(start, length)" if type_.length is None else ""
            return f"""function {name}(length) -> start {{
                start := {self.allocate()}({self.array_size(type_)}(length)) {store}
            }}"""

        return self.utilities.define(name, text)

    def allocate_zeroed_array(self, type_: types.ArrayType) -> str:
        """``(length) -> start``: the same with zero values in it."""
        name = f"allocate_zeroed_{key(type_)}"

        def text() -> str:
            header = 32 if type_.length is None else 0
            data = f"add(start, {header})" if header else "start"
            size = f"{self.array_size(type_)}(length)"
            if header:
                size = f"sub({size}, {header})"
            return f"""function {name}(length) -> start {{
                start := {self.allocate_array(type_)}(length)
                {self.zero_memory(type_.base_type)}({data}, {size})
            }}"""

        return self.utilities.define(name, text)

    def zero_memory(self, element_type: types.Type) -> str:
        """``(start, size)``: fills memory with the element type's zero value."""
        if is_value_type(element_type):
            return self.utilities.define(
                "zero_memory",
                # Reading call data beyond its end gives zeros.
                lambda: "function zero_memory(start, size) { calldatacopy(start, calldatasize(), size) }",
            )
        name = f"zero_memory_{key(element_type)}"

        def text() -> str:
            (zero,) = self.zero_value(element_type)
            return f"""function {name}(start, size) {{
                for {{ let end := add(start, size) }} lt(start, end) {{ start := add(start, 32) }} {{
                    mstore(start, {zero})
                }}
            }}"""

        return self.utilities.define(name, text)

    def allocate_struct(self, type_: types.StructType) -> str:
        """``() -> start``: memory for a struct, members not set."""
        name = f"allocate_{key(type_)}"
        return self.utilities.define(
            name,
            lambda: f"function {name}() -> start {{ start := {self.allocate()}({memory_size(type_)}) }}",
        )

    def allocate_zeroed_struct(self, type_: types.StructType) -> str:
        """``() -> start``: the same with zero values in it."""
        name = f"allocate_zeroed_{key(type_)}"

        def text() -> str:
            stores = " ".join(
                f"mstore(add(start, {32 * index}), {self.zero_value(member)[0]})"
                for index, (_, member) in enumerate(struct_members(type_))
            )
            return f"function {name}() -> start {{ start := {self.allocate_struct(type_)}() {stores} }}"

        return self.utilities.define(name, text)

    def zero_value(self, type_: types.Type) -> tuple[str, ...]:
        """Texts of the default value, one for each of its variables."""
        type_ = bare(type_)
        if isinstance(type_, types.ArrayType):
            if type_.location == "memory":
                if type_.length is None:
                    return (str(ZERO_WORD),)
                return (f"{self.allocate_zeroed_array(type_)}({TEXT.number(type_.length)})",)
            if type_.location == "calldata":
                return ("calldatasize()", "0")[: stack_size(type_)]
        if isinstance(type_, types.StructType):
            if type_.location == "memory":
                return (f"{self.allocate_zeroed_struct(type_)}()",)
            if type_.location == "calldata":
                return ("calldatasize()",)
        return ("0",) * stack_size(type_)

    # --- elements ----------------------------------------------------------------------------------

    def read(self, type_: types.Type, address: str) -> str:
        """Text that reads a value from its word in memory (an external function gives two values)."""
        type_ = bare(type_)
        if is_external_function(type_):
            return f"{self.utilities.conversions.split_external_function()}(mload({address}))"
        word = f"mload({address})"
        if not is_value_type(type_) or self.utilities.memory_is_clean:
            return word
        return self.utilities.text.clean(type_, word)

    def write(self, type_: types.Type, address: str, values: tuple[str, ...]) -> str:
        """Text of a statement that stores a value in its word."""
        return f"mstore({address}, {self.utilities.conversions.as_one_word(type_, values)})"

    def index_access(self, type_: types.ArrayType) -> str:
        """``(array, index) -> address`` of an element; Panic(0x32) out of bounds."""
        name = f"memory_index_{key(type_)}"

        def text() -> str:
            from smartvm.compiler.lowering.reverts import INDEX_OUT_OF_BOUNDS

            panic = self.utilities.reverts.panic(INDEX_OUT_OF_BOUNDS)
            length = "mload(array)" if type_.length is None else TEXT.number(type_.length)
            offset = "index" if memory_stride(type_) == 1 else self.utilities.text.shifts.left(5, "index")
            start = "add(array, 32)" if type_.length is None else "array"
            return f"""function {name}(array, index) -> address_ {{
                if iszero(lt(index, {length})) {{ {panic}() }}
                address_ := add({start}, {offset})
            }}"""

        return self.utilities.define(name, text)

    # --- copies and literals -------------------------------------------------------------------------

    def copy(self) -> str:
        """``(source, target, length)``: copies within memory and sets the word behind the target to zero."""

        def text() -> str:
            if self.utilities.settings.has_memory_copy:
                return """function copy_memory(source, target, length) {
                    mcopy(target, source, length)
                    mstore(add(target, length), 0)
                }"""
            return """function copy_memory(source, target, length) {
                for { let i := 0 } lt(i, length) { i := add(i, 32) } {
                    mstore(add(target, i), mload(add(source, i)))
                }
                mstore(add(target, length), 0)
            }"""

        return self.utilities.define("copy_memory", text)

    def copy_calldata(self) -> str:
        """``(source, target, length)``: copies call data and sets the word behind the target to zero."""
        return self.utilities.define(
            "copy_calldata_to_memory",
            lambda: (
                """function copy_calldata_to_memory(source, target, length) {
                calldatacopy(target, source, length)
                mstore(add(target, length), 0)
            }"""
            ),
        )

    def store_literal(self, value: bytes) -> str:
        """``(start)``: stores a literal's bytes, filled up to a word with zeros."""
        name = f"store_literal_{literal_key(value)}"
        stores = " ".join(
            f"mstore(add(start, {32 * index}), {word})" for index, word in enumerate(word_literals(value))
        )
        return self.utilities.define(name, lambda: f"function {name}(start) {{ {stores} }}")

    def copy_literal(self, value: bytes) -> str:
        """``() -> start``: a new ``bytes`` or ``string`` in memory with a literal's bytes."""
        name = f"copy_literal_{literal_key(value)}"

        def text() -> str:
            size = 32 + -(-len(value) // 32) * 32
            return f"""function {name}() -> start {{
                start := {self.allocate()}({size})
                mstore(start, {len(value)})
                {self.store_literal(value)}(add(start, 32))
            }}"""

        return self.utilities.define(name, text)

    def return_data(self) -> str:
        """``() -> data``: the data that the last call returned, as ``bytes``."""

        def text() -> str:
            if not self.utilities.settings.has_return_data:
                return f"function return_data() -> data {{ data := {ZERO_WORD} }}"
            return f"""function return_data() -> data {{
                data := {ZERO_WORD}
                if returndatasize() {{
                    data := {self.allocate()}(add(returndatasize(), 32))
                    mstore(data, returndatasize())
                    returndatacopy(add(data, 32), 0, returndatasize())
                }}
            }}"""

        return self.utilities.define("return_data", text)

    def external_code(self) -> str:
        """``(account) -> code``: an account's code as ``bytes``."""

        def text() -> str:
            return f"""function external_code(account) -> code {{
                let size := extcodesize(account)
                code := {self.allocate()}(add(size, 32))
                mstore(code, size)
                extcodecopy(account, add(code, 32), 0, size)
            }}"""

        return self.utilities.define("external_code", text)

    def length_of(self, type_: types.ArrayType, value: str) -> str:
        """Text of a memory array's length."""
        if type_.location != "memory":
            raise InternalError("not a memory array")
        return f"mload({value})" if type_.length is None else TEXT.number(type_.length)
