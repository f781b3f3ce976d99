"""What relocations mean on x86-64 and on AArch64: how the bytes at a place follow from addresses.

``S`` is the symbol's address, ``A`` the addend, ``P`` the place. A call whose destination is too far goes by a stub,
code in reach that jumps to any address. Facts: System V ABI, AMD64 supplement; ELF for the Arm 64-bit architecture.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from types import MappingProxyType

from smartvm.vm.native.elf import AARCH64, X86_64, ObjectCodeError

#: Bytes of a stub and of an entry of the table of addresses.
STUB_BYTES = 16
ENTRY_BYTES = 8

_X86_STUB = b"\xff\x25\x02\0\0\0\x0f\x0b"  # jmp [rip + 2]; ud2; the address
_ARM_STUB = struct.pack("<II", 0x58000050, 0xD61F0200)  # ldr x16, #8; br x16; the address


def stub(machine: int, destination: int) -> bytes:
    """Code that jumps to an address, 8-byte aligned."""
    return (_X86_STUB if machine == X86_64 else _ARM_STUB) + destination.to_bytes(8, "little")


#: From the bytes that are there, the address that is meant, and P to the bytes to be written.
_Formula = Callable[[int, int, int], int]


class Kind:
    """A kind of relocation: ``size`` bytes at P become ``formula``'s of S + A. ``by_entry``: the address of an entry
    that holds S stands for S. ``is_call``: a stub may stand for S."""

    __slots__ = ("by_entry", "formula", "is_call", "size", "word")

    def __init__(self, size: int, formula: _Formula, *, by_entry: bool = False, is_call: bool = False) -> None:
        self.size = size
        self.word = struct.Struct("<I" if size == 4 else "<Q")
        self.formula = formula
        self.by_entry = by_entry
        self.is_call = is_call


def _signed(value: int, bits: int) -> int:
    """``value`` in two's complement; ``ObjectCodeError`` where it does not fit."""
    if not -(1 << (bits - 1)) <= value < 1 << (bits - 1):
        raise ObjectCodeError(f"a distance of {value} bytes, which {bits} bits do not hold")
    return value & ((1 << bits) - 1)


def _absolute64(old: int, target: int, place: int) -> int:
    return target & 0xFFFFFFFFFFFFFFFF


def _relative64(old: int, target: int, place: int) -> int:
    return (target - place) & 0xFFFFFFFFFFFFFFFF


def _relative32(old: int, target: int, place: int) -> int:
    return _signed(target - place, 32)


def _arm_page(old: int, target: int, place: int) -> int:
    """ADRP: the distance in pages of 4,096 bytes, 21 bits."""
    pages = _signed((target >> 12) - (place >> 12), 21)
    return (old & 0x9F00001F) | (pages & 3) << 29 | (pages >> 2) << 5


def _arm_page_offset(scale: int) -> _Formula:
    """ADD, LDR, STR: the place within the page in units of 2^scale bytes, 12 bits."""

    def formula(old: int, target: int, place: int) -> int:
        offset = target & 0xFFF
        if offset & ((1 << scale) - 1):
            raise ObjectCodeError(f"an address that is no multiple of {1 << scale}")
        return (old & 0xFFC003FF) | (offset >> scale) << 10

    return formula


def _arm_branch(old: int, target: int, place: int) -> int:
    """B, BL: the distance in instructions, 26 bits."""
    if (target - place) & 3:
        raise ObjectCodeError("a branch between instructions")
    return (old & 0xFC000000) | _signed((target - place) >> 2, 26)


_X86_KINDS = {
    1: Kind(8, _absolute64),  # R_X86_64_64
    2: Kind(4, _relative32),  # R_X86_64_PC32
    4: Kind(4, _relative32, is_call=True),  # R_X86_64_PLT32
    9: Kind(4, _relative32, by_entry=True),  # R_X86_64_GOTPCREL
    24: Kind(8, _relative64),  # R_X86_64_PC64
    41: Kind(4, _relative32, by_entry=True),  # R_X86_64_GOTPCRELX
    42: Kind(4, _relative32, by_entry=True),  # R_X86_64_REX_GOTPCRELX
}

_ARM_KINDS = {
    257: Kind(8, _absolute64),  # R_AARCH64_ABS64
    260: Kind(8, _relative64),  # R_AARCH64_PREL64
    261: Kind(4, _relative32),  # R_AARCH64_PREL32
    275: Kind(4, _arm_page),  # R_AARCH64_ADR_PREL_PG_HI21
    277: Kind(4, _arm_page_offset(0)),  # R_AARCH64_ADD_ABS_LO12_NC
    278: Kind(4, _arm_page_offset(0)),  # R_AARCH64_LDST8_ABS_LO12_NC
    282: Kind(4, _arm_branch, is_call=True),  # R_AARCH64_JUMP26
    283: Kind(4, _arm_branch, is_call=True),  # R_AARCH64_CALL26
    284: Kind(4, _arm_page_offset(1)),  # R_AARCH64_LDST16_ABS_LO12_NC
    285: Kind(4, _arm_page_offset(2)),  # R_AARCH64_LDST32_ABS_LO12_NC
    286: Kind(4, _arm_page_offset(3)),  # R_AARCH64_LDST64_ABS_LO12_NC
    299: Kind(4, _arm_page_offset(4)),  # R_AARCH64_LDST128_ABS_LO12_NC
    311: Kind(4, _arm_page, by_entry=True),  # R_AARCH64_ADR_GOT_PAGE
    312: Kind(4, _arm_page_offset(3), by_entry=True),  # R_AARCH64_LD64_GOT_LO12_NC
}

#: The relocations of each machine, by number.
KINDS: Mapping[int, Mapping[int, Kind]] = MappingProxyType({X86_64: _X86_KINDS, AARCH64: _ARM_KINDS})
