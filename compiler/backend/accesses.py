"""How instructions use memory and storage: which operand is the address, how much they touch.

Like ``arithmetic``, this knows instructions by name; one that is not listed counts with its table row's areas
alone. Sources: Yellow Paper, appendix H.2; EIP-1153 (transient storage); EIP-5656 (MCOPY).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

WORD_BYTES = 32
#: Where Solidity keeps the free memory pointer (docs, "Layout in Memory").
FREE_POINTER = 0x40
#: The base of an address that is a mere number.
NO_BASE = -1


class WordAccess(NamedTuple):
    """How an instruction uses a kind of store: ``area``, whether it loads or stores a word, the width of a
    key (32 for byte addresses, 1 for numbered slots)."""

    area: str
    store: bool
    width: int


WORD_ACCESSES: Mapping[str, WordAccess] = {
    "MLOAD": WordAccess("memory", False, WORD_BYTES),
    "MSTORE": WordAccess("memory", True, WORD_BYTES),
    "SLOAD": WordAccess("storage", False, 1),
    "SSTORE": WordAccess("storage", True, 1),
    "TLOAD": WordAccess("transient", False, 1),
    "TSTORE": WordAccess("transient", True, 1),
}

#: Instructions that write one range of memory: the operands that say where it starts and how long it is
#: (-1: a byte).
RANGE_WRITERS: Mapping[str, tuple[int, int]] = {
    "MSTORE8": (0, -1),
    "CALLDATACOPY": (0, 2),
    "CODECOPY": (0, 2),
    "RETURNDATACOPY": (0, 2),
    "EXTCODECOPY": (1, 3),
    "MCOPY": (0, 2),
    "CALL": (5, 6),
    "CALLCODE": (5, 6),
    "DELEGATECALL": (4, 5),
    "STATICCALL": (4, 5),
}

#: Instructions that read one range of memory: the operands that say where it starts and how long it is.
RANGE_READERS: Mapping[str, tuple[int, int]] = {
    "KECCAK256": (0, 1),
    "LOG0": (0, 1),
    "LOG1": (0, 1),
    "LOG2": (0, 1),
    "LOG3": (0, 1),
    "LOG4": (0, 1),
    "RETURN": (0, 1),
    "REVERT": (0, 1),
    "CREATE": (1, 2),
    "CREATE2": (1, 2),
    "CALL": (3, 4),
    "CALLCODE": (3, 4),
    "DELEGATECALL": (2, 3),
    "STATICCALL": (2, 3),
    "MCOPY": (1, 2),
}


class ValueView(Protocol):
    """What is asked about values."""

    def number(self, value: int) -> int | None:
        """The number that a value is, if it is known."""

    def definition(self, value: int) -> tuple[str, list[int]] | None:
        """Name and operands of the pure instruction that gives the value."""


def address_of(value: int, view: ValueView) -> tuple[int, int]:
    """A value as base and number."""
    number = view.number(value)
    if number is not None:
        return NO_BASE, number
    made = view.definition(value)
    if made is not None and made[0] == "ADD":
        first, second = made[1]
        number = view.number(second)
        if number is not None:
            return first, number
        number = view.number(first)
        if number is not None:
            return second, number
    return value, 0
