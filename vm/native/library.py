"""The interpreter's functions as Python callables."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from pathlib import Path

from smartvm.vm.native.machine_code import NativeCode, load_or_compile

_ADDRESS = ctypes.c_uint64


class Interpreter:
    """The compiled interpreter. All arguments and results are integers; addresses and 64-bit numbers."""

    def __init__(self, code: NativeCode, compile_ns: int) -> None:
        self.code = code
        self.compile_ns = compile_ns
        self.handlers = code.address("handlers")
        #: The bodies that each cell executes, by the number of its handler. Number 0 is no sequence.
        self.sequences = _sequences(code.address("sequences"))
        self.run = self._function("run", 1)
        self.analyse = self._function("analyse", 10)
        self.find_slot = self._function("host_find_slot", 3)
        self.insert_slot = self._function("host_insert_slot", 4)
        self.journal_slot = self._function("host_journal_slot", 4, has_result=False)
        self.next_changed_slot = self._function("next_changed_slot", 2)
        self.rebuild_slot_index = self._function("rebuild_slot_index", 1, has_result=False)
        self.revert_slots = self._function("revert_slots", 2, has_result=False)

    def handler_address(self, sequence: int) -> int:
        """The handler of the cell with this sequence number."""
        return ctypes.c_uint64.from_address(self.handlers + 8 * sequence).value

    def _function(self, name: str, count: int, *, has_result: bool = True) -> Callable[..., int]:
        kind = ctypes.CFUNCTYPE(_ADDRESS if has_result else None, *[_ADDRESS] * count)
        return kind(self.code.address(name))


def _sequences(address: int) -> list[tuple[str, ...]]:
    """What ``build`` writes: a line for each sequence, names between spaces."""
    return [tuple(line.split()) for line in ctypes.string_at(address).decode().split("\n")]


def _make_module() -> str:
    from smartvm.vm.native.build import make_module  # imported late: it needs LLVM

    return make_module()


@cache
def interpreter() -> Interpreter:
    """The interpreter, from the cache or compiled now. Kept for the process' life: machine code is never
    unloaded."""
    code, compile_ns = load_or_compile(Path(__file__).parent, _make_module)
    return Interpreter(code, compile_ns)


def address_of_bytes(data: bytes) -> int:
    """Where the object keeps its bytes; valid while it lives. CPython puts them behind the object's
    header."""
    return id(data) + bytes.__basicsize__ - 1
