"""Loads relocatable objects into this process: the whole of what a linker and a loader do for machine code that LLVM
made here, without LLVM in the process.

An object's sections stand in one mapping of their own, first what is executed, then what is read, then what is
written, each on pages of its own: no page is ever writable and executable. The mapping lives as long as its
``LoadedObject``.
"""

from __future__ import annotations

import ctypes
import mmap
import sys
from collections.abc import Callable, Mapping
from functools import cache

from smartvm.vm.native.elf import AARCH64, X86_64, Access, ObjectCodeError, ObjectFile, read_object
from smartvm.vm.native.host import machine_name
from smartvm.vm.native.relocations import ENTRY_BYTES, KINDS, STUB_BYTES, Kind, stub

__all__ = ["Layout", "LoadedObject", "ObjectCodeError", "can_load", "process_symbol"]

_MACHINES = {"x86_64": X86_64, "amd64": X86_64, "aarch64": AARCH64, "arm64": AARCH64}

#: Libraries that hold what compiled code calls: C's functions, mathematics, the compiler's own.
_LIBRARIES = (None, "libm.so.6", "libgcc_s.so.1")


@cache
def _this_machine() -> int | None:
    """e_machine of the process; None where objects are not loaded here."""
    if sys.platform != "linux" or sys.byteorder != "little" or sys.maxsize < 1 << 32:
        return None
    return _MACHINES.get(machine_name().lower())


def can_load() -> bool:
    """Whether this process can load objects: on Linux, on x86-64 and AArch64."""
    return _this_machine() is not None


@cache
def _library(name: str | None) -> ctypes.CDLL | None:
    try:
        return ctypes.CDLL(name)
    except (OSError, TypeError):  # the second where a process cannot be asked as a whole
        return None


def process_symbol(name: str) -> int:
    """Where a function of C's libraries is; 0 when none of them has it."""
    for library in _LIBRARIES:
        found = _library(library)
        if found is not None and hasattr(found, name):
            return ctypes.cast(getattr(found, name), ctypes.c_void_p).value or 0
    return 0


def _up(value: int, alignment: int) -> int:
    return (value + alignment - 1) & -alignment


class Layout:
    """Where an object's sections, stubs and entries will stand, in bytes from the mapping's start."""

    def __init__(self, code: ObjectFile, page: int = mmap.PAGESIZE) -> None:
        """Raises ``ObjectCodeError`` for machines and relocations that are not known."""
        kinds = KINDS.get(code.machine)
        if kinds is None:
            raise ObjectCodeError(f"an object for machine {code.machine}")
        self._code = code
        self.places: dict[int, int] = {}
        self._stubs: dict[int, int] = {}
        self._entries: dict[int, int] = {}
        calls, by_entry = self._needs(code, kinds)
        #: First and last byte of what is executed, read and written.
        self.ranges: dict[Access, tuple[int, int]] = {}
        end = 0
        for access in Access:
            start = end = _up(end, page)
            for number, section in code.sections.items():
                if section.access == access:
                    end = _up(end, section.alignment)
                    self.places[number] = end
                    end += section.size
            if access == Access.EXECUTE:
                end = self._reserve(self._stubs, calls, end, STUB_BYTES)
            elif access == Access.READ:
                end = self._reserve(self._entries, by_entry, end, ENTRY_BYTES)
            self.ranges[access] = (start, end)
        self.size = max(page, _up(end, page))

    @staticmethod
    def _reserve(places: dict[int, int], symbols: list[int], end: int, size: int) -> int:
        end = _up(end, size)
        for symbol in symbols:
            places[symbol] = end
            end += size
        return end

    @staticmethod
    def _needs(code: ObjectFile, kinds: Mapping[int, Kind]) -> tuple[list[int], list[int]]:
        """Symbols that may need a stub, and symbols that need an entry."""
        calls: dict[int, None] = {}
        by_entry: dict[int, None] = {}
        for relocation in code.relocations:
            kind = kinds.get(relocation.kind)
            if kind is None:
                raise ObjectCodeError(f"a relocation of kind {relocation.kind}")
            if kind.is_call and code.symbols[relocation.symbol].section == -1:
                calls[relocation.symbol] = None
            elif kind.by_entry:
                by_entry[relocation.symbol] = None
        return list(calls), list(by_entry)

    def write(self, memory: memoryview, base: int, find: Callable[[str], int]) -> dict[str, int]:
        """Fill the mapping, which stands at ``base``; the addresses of the exported symbols.

        ``find`` gives the address of what the object needs, 0 where nobody has it. Raises ``ObjectCodeError``."""
        code = self._code
        for number, place in self.places.items():
            content = code.sections[number].content
            memory[place : place + len(content)] = content
        addresses, exported = self._addresses(base, find)
        for number, place in self._stubs.items():
            memory[place : place + STUB_BYTES] = stub(code.machine, addresses[number])
        for number, place in self._entries.items():
            memory[place : place + ENTRY_BYTES] = addresses[number].to_bytes(ENTRY_BYTES, "little")
        self._relocate(memory, base, KINDS[code.machine], addresses)
        return exported

    def _addresses(self, base: int, find: Callable[[str], int]) -> tuple[list[int], dict[str, int]]:
        """Of all symbols by number, and of the exported ones by name."""
        code = self._code
        addresses = [0] * len(code.symbols)
        exported: dict[str, int] = {}
        used = {relocation.symbol for relocation in code.relocations}
        for number, symbol in enumerate(code.symbols):
            if symbol.section is None:
                addresses[number] = symbol.value
            elif symbol.section in self.places:
                addresses[number] = base + self.places[symbol.section] + symbol.value
            elif number in used and number:  # number 0 means: no symbol
                addresses[number] = find(symbol.name) if symbol.section == -1 else 0
                if not addresses[number] and not symbol.optional:
                    raise ObjectCodeError(f"`{symbol.name}` is nowhere in this process")
            if symbol.exported and addresses[number] and symbol.section != -1:
                exported[symbol.name] = addresses[number]
        return addresses, exported

    def _relocate(self, memory: memoryview, base: int, kinds: Mapping[int, Kind], addresses: list[int]) -> None:
        sizes = {number: section.size for number, section in self._code.sections.items()}
        for section, offset, number_of_kind, symbol, addend in self._code.relocations:
            kind = kinds[number_of_kind]
            if not 0 <= offset <= sizes[section] - kind.size:
                raise ObjectCodeError("a relocation beyond its section")
            place = self.places[section] + offset
            target = base + self._entries[symbol] if kind.by_entry else addresses[symbol]
            (old,) = kind.word.unpack_from(memory, place)
            try:
                new = kind.formula(old, target + addend, base + place)
            except ObjectCodeError:
                if not kind.is_call or symbol not in self._stubs:
                    raise
                new = kind.formula(old, base + self._stubs[symbol] + addend, base + place)
            kind.word.pack_into(memory, place, new)


class LoadedObject:
    """An object in this process' memory."""

    def __init__(self, code: bytes, symbols: Mapping[str, int] = {}) -> None:
        """``symbols`` are addresses of what the object needs besides C's functions. Raises ``ObjectCodeError``."""
        parsed = read_object(code)
        if parsed.machine != _this_machine():
            raise ObjectCodeError(f"an object for machine {parsed.machine}")
        layout = Layout(parsed)
        try:
            self._memory = mmap.mmap(-1, layout.size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        except (OSError, ValueError) as error:
            raise ObjectCodeError(f"no memory for compiled code: {error}") from error
        base = ctypes.addressof(ctypes.c_char.from_buffer(self._memory))

        def find(name: str) -> int:
            return symbols.get(name) or process_symbol(name)

        with memoryview(self._memory) as memory:
            self._symbols = layout.write(memory, base, find)
        self._protect(layout, base)

    def _protect(self, layout: Layout, base: int) -> None:
        library = _library(None)
        assert library is not None
        if _this_machine() == AARCH64:
            start, end = layout.ranges[Access.EXECUTE]
            clear = process_symbol("__clear_cache")
            if not clear:
                raise ObjectCodeError("no way to clear the cache of instructions")
            kind = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)
            kind(clear)(base + start, base + end)
        protect = library.mprotect
        protect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
        for access, allowed in ((Access.EXECUTE, mmap.PROT_READ | mmap.PROT_EXEC), (Access.READ, mmap.PROT_READ)):
            start, end = layout.ranges[access]
            if end > start and protect(base + start, _up(end, mmap.PAGESIZE) - start, allowed) != 0:
                raise ObjectCodeError("this system does not let memory be executed")

    def address(self, name: str) -> int:
        """Where an exported function or variable stands; KeyError when there is none."""
        return self._symbols[name]
