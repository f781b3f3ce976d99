"""Reads relocatable objects in the Executable and Linkable Format, as LLVM writes them for 64-bit machines: which
sections to load, which symbols they define and need, which places depend on addresses.

Everything is checked against the object's length before it is used; whatever is not as it should be raises
``ObjectCodeError``. Facts: System V ABI, "Object Files".
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

#: e_machine of the machines whose relocations are known.
X86_64, AARCH64 = 62, 183

_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SECTION = struct.Struct("<IIQQQQIIQQ")
_SYMBOL = struct.Struct("<IBBHQQ")
_RELOCATION = struct.Struct("<QQq")

_IDENTIFICATION = b"\x7fELF\x02\x01\x01"  # 64 bits, little-endian, version 1
_RELOCATABLE = 1

_SYMBOL_TABLE, _RELOCATIONS, _NO_BITS, _SHORT_RELOCATIONS = 2, 4, 8, 9
_WRITE, _ALLOCATE, _EXECUTE, _THREAD_LOCAL = 1, 2, 4, 0x400
_ABSOLUTE, _COMMON, _RESERVED = 0xFFF1, 0xFFF2, 0xFF00
_LOCAL, _WEAK = 0, 2
_INDIRECT = 10  # a symbol's type: its value is a function that chooses

_MOST_SECTIONS = 1 << 14
_MOST_ALIGNMENT = 4096
#: What an object may ask for in all: a limit against damaged ones.
_MOST_BYTES = 1 << 28


class ObjectCodeError(Exception):
    """An object that cannot be loaded: damaged, or with something that the loader does not know."""


class Access(IntEnum):
    """What may be done with a section besides reading it."""

    EXECUTE = 0
    READ = 1
    WRITE = 2


@dataclass(frozen=True, slots=True)
class Section:
    """A section to load: ``content``, followed by zeros up to ``size``."""

    content: bytes
    size: int
    alignment: int
    access: Access


class Symbol(NamedTuple):
    """Its ``name`` is "" where nobody outside of the object asks for it. ``value`` is within the section (None: an
    absolute value). ``section`` is -1 where the object needs the symbol from elsewhere; if it is ``optional`` there,
    it is 0 where nobody has it."""

    name: str
    section: int | None
    value: int
    exported: bool
    optional: bool


class Relocation(NamedTuple):
    """A place in a section that depends on a symbol's address."""

    section: int
    offset: int
    kind: int
    symbol: int
    addend: int


@dataclass(frozen=True, slots=True)
class ObjectFile:
    """What an object says. Sections have the numbers that symbols and relocations use."""

    machine: int
    sections: dict[int, Section]
    symbols: list[Symbol]
    relocations: list[Relocation]


def _part(data: bytes, offset: int, size: int, what: str) -> bytes:
    if offset + size > len(data):
        raise ObjectCodeError(f"{what} ends at byte {offset + size} of {len(data)}")
    return data[offset : offset + size]


def _records(layout: struct.Struct, data: bytes, what: str) -> Iterator[tuple[int, ...]]:
    if len(data) % layout.size:
        raise ObjectCodeError(f"{what} has {len(data)} bytes, not whole entries of {layout.size}")
    return layout.iter_unpack(data)


def _access(flags: int) -> Access:
    if flags & _EXECUTE:
        if flags & _WRITE:
            raise ObjectCodeError("a section is both writable and executable")
        return Access.EXECUTE
    return Access.WRITE if flags & _WRITE else Access.READ


def read_object(data: bytes) -> ObjectFile:
    """Raises ``ObjectCodeError``."""
    header = _HEADER.unpack(_part(data, 0, _HEADER.size, "the header"))
    identification, kind, machine, table, entry, count, names = (header[i] for i in (0, 1, 2, 6, 11, 12, 13))
    if not identification.startswith(_IDENTIFICATION) or kind != _RELOCATABLE:
        raise ObjectCodeError("no relocatable 64-bit ELF object")
    if entry != _SECTION.size or not 0 < count <= _MOST_SECTIONS or names >= count:
        raise ObjectCodeError("an unusual table of sections")
    headers = list(_records(_SECTION, _part(data, table, count * entry, "the table of sections"), "sections"))

    def content(number: int) -> bytes:
        if number >= count:
            raise ObjectCodeError(f"section {number} of {count}")
        return _part(data, headers[number][4], headers[number][5], f"section {number}")

    section_names = content(names)
    sections: dict[int, Section] = {}
    for number, (name, kind, flags, _, _, size, _, _, alignment, _) in enumerate(headers):
        if not flags & _ALLOCATE or _text(section_names, name) == ".eh_frame":  # no exception passes compiled code
            continue
        if flags & _THREAD_LOCAL:
            raise ObjectCodeError("thread-local variables")
        alignment = max(1, alignment)
        if alignment > _MOST_ALIGNMENT or alignment & (alignment - 1) or size > _MOST_BYTES:
            raise ObjectCodeError(f"section {number} has {size} bytes, aligned to {alignment}")
        found = b"" if kind == _NO_BITS else content(number)
        # relocated once, then only read
        relocated_only = _text(section_names, name).startswith(".data.rel.ro")
        sections[number] = Section(found, size, alignment, Access.READ if relocated_only else _access(flags))
    tables = [number for number, header in enumerate(headers) if header[1] == _SYMBOL_TABLE]
    if len(tables) != 1:
        raise ObjectCodeError(f"{len(tables)} tables of symbols")
    symbols = _symbols(content(tables[0]), content(headers[tables[0]][6]), sections)
    relocations: list[Relocation] = []
    for number, header in enumerate(headers):
        if header[1] == _SHORT_RELOCATIONS and header[7] in sections:
            raise ObjectCodeError("relocations without addends")
        if header[1] == _RELOCATIONS and header[7] in sections:
            relocations += _relocations(content(number), header[7], len(symbols))
    if sum(section.size for section in sections.values()) > _MOST_BYTES:
        raise ObjectCodeError("sections of too many bytes")
    return ObjectFile(machine, sections, symbols, relocations)


def _text(names: bytes, start: int) -> str:
    end = names.find(b"\0", start)
    if end < 0:
        raise ObjectCodeError("a name without an end")
    return names[start:end].decode("latin-1")


def _symbols(table: bytes, names: bytes, sections: dict[int, Section]) -> list[Symbol]:
    """The symbols; those without a place of their own (common ones) get a section each."""
    result: list[Symbol] = []
    for name, information, _, section, value, size in _records(_SYMBOL, table, "the table of symbols"):
        binding = information >> 4
        place: int | None = section or -1
        if information & 15 == _INDIRECT:
            raise ObjectCodeError("a symbol that is chosen when it is loaded")
        if section == _ABSOLUTE:
            place = None
        elif section == _COMMON:
            if not 0 < value <= _MOST_ALIGNMENT or value & (value - 1) or size > _MOST_BYTES:
                raise ObjectCodeError("an unusual common symbol")
            place = _RESERVED + len(result)
            sections[place] = Section(b"", size, value, Access.WRITE)
            value = 0
        elif section >= _RESERVED:
            raise ObjectCodeError(f"a symbol of section {section}")
        elif section in sections and value > sections[section].size:
            raise ObjectCodeError("a symbol beyond its section")
        text = _text(names, name) if place == -1 or binding != _LOCAL else ""
        result.append(Symbol(text, place, value, binding != _LOCAL, binding == _WEAK))
    return result


def _relocations(table: bytes, section: int, symbols: int) -> Iterator[Relocation]:
    for offset, information, addend in _records(_RELOCATION, table, "a table of relocations"):
        symbol = information >> 32
        if symbol >= symbols:
            raise ObjectCodeError(f"a relocation by symbol {symbol} of {symbols}")
        yield Relocation(section, offset, information & 0xFFFFFFFF, symbol, addend)
