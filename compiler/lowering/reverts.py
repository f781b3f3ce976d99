"""Panics, reverts with a reason and forwarded reverts (docs/control-structures.rst)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smartvm.compiler.analysis.types import keccak256, selector_of_signature

if TYPE_CHECKING:
    from smartvm.compiler.lowering.utilities import Utilities

ERROR_SELECTOR = selector_of_signature("Error(string)")
PANIC_SELECTOR = selector_of_signature("Panic(uint256)")

GENERIC_PANIC = 0x00
ASSERT_FAILED = 0x01
ARITHMETIC_OVERFLOW = 0x11
DIVISION_BY_ZERO = 0x12
ENUM_OUT_OF_RANGE = 0x21
STORAGE_ENCODING = 0x22
EMPTY_ARRAY_POP = 0x31
INDEX_OUT_OF_BOUNDS = 0x32
RESOURCE = 0x41
INVALID_FUNCTION_POINTER = 0x51


def word_literals(data: bytes) -> list[str]:
    """The data as hexadecimal words, the last filled up with zeros."""
    return ["0x" + data[i : i + 32].ljust(32, b"\0").hex() for i in range(0, len(data), 32)]


class Reverts:
    """Functions that end the call with a revert."""

    def __init__(self, utilities: Utilities) -> None:
        self.utilities = utilities

    def panic(self, code: int) -> str:
        """``()``: reverts with ``Panic(code)``."""
        name = f"panic_error_0x{code:02x}"
        return self.utilities.define(
            name,
            lambda: (
                f"function {name}() {{ mstore(0, {hex(PANIC_SELECTOR << 224)})"
                f" mstore(4, {hex(code)}) revert(0, 0x24) }}"
            ),
        )

    def with_reason(self, reason: bytes) -> str:
        """``()``: reverts with ``Error(reason)``."""
        name = f"revert_error_{keccak256(reason).hex()[:16]}_{len(reason)}"

        def text() -> str:
            stores = " ".join(
                f"mstore({68 + 32 * i}, {word})" for i, word in enumerate(word_literals(reason))
            )
            size = 68 + -(-len(reason) // 32) * 32
            # The call ends here: the free memory pointer and whatever memory holds may be overwritten.
            return (
                f"function {name}() {{ mstore(0, {hex(ERROR_SELECTOR << 224)}) mstore(4, 32)"
                f" mstore(36, {len(reason)}) {stores} revert(0, {size}) }}"
            )

        return self.utilities.define(name, text)

    def statement(self, debug_reason: str) -> str:
        """Text of a revert by the compiler: without data, or with a reason where debug strings are wanted."""
        if not self.utilities.settings.debug_revert_strings:
            return "revert(0, 0)"
        return f"{self.with_reason(debug_reason.encode())}()"

    def forward(self) -> str:
        """``()``: reverts with the data that the last call returned."""
        if not self.utilities.settings.has_return_data:
            return self.utilities.define(
                "revert_forward", lambda: "function revert_forward() { revert(0, 0) }"
            )
        return self.utilities.define(
            "revert_forward",
            lambda: (
                "function revert_forward() { let pos := mload(64)"
                " returndatacopy(pos, 0, returndatasize()) revert(pos, returndatasize()) }"
            ),
        )
