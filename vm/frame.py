"""A call frame as Python sees it: a view of the structure that compiled code executes on."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from smartvm.vm.arenas import Arenas
from smartvm.vm.code import AnalysedCode
from smartvm.vm.halts import OutOfGas
from smartvm.vm.native.layout import FRAME, MEMORY_LIMIT_BITS, STACK_BYTES, WORD_BYTES
from smartvm.vm.native.library import address_of_bytes

if TYPE_CHECKING:
    from smartvm.instructions.model import Instruction
    from smartvm.vm.dnn.buffer import Buffer
    from smartvm.vm.dnn.items import ItemArray

#: Of the state, the slots' journal, the logs, the refund counter, the blocks that became warm: moments to revert to.
Marks = tuple[int, int, int, int, int]

#: The fields from ``machine`` to ``value``, in the structure's order.
_START = struct.Struct(f"<{FRAME['address']}Q32s32s32s")
_POSITION, _TOP, _GAS = FRAME["position"], FRAME["stack_top"], FRAME["gas"]
_MEMORY, _MEMORY_SIZE = FRAME["memory"], FRAME["memory_size"]

#: The kind of a frame that executes an instruction's microcode.
MICROCODE = "MICROCODE"


class Frame:
    """An executing call or creation.

    ``kind`` is the mnemonic that made it. ``address`` is the executing account, ``code_address`` where the
    code is from. ``output_area`` is where in the caller's memory its output goes.
    """

    __slots__ = (
        "_arenas",
        "_base",
        "_machine_constants",
        "address",
        "buffer",
        "caller",
        "code",
        "code_address",
        "data",
        "depth",
        "is_static",
        "kept_items",
        "kind",
        "marks",
        "memory_start",
        "microcode_of",
        "new_account",
        "output_area",
        "return_data",
        "saved_buffers",
        "stack_start",
        "value",
    )

    def __init__(
        self,
        arenas: Arenas,
        constants: tuple[int, int],
        kind: str,
        depth: int,
        code: AnalysedCode,
        caller: bytes,
        address: bytes,
        code_address: bytes,
        value: int,
        data: bytes,
        gas: int,
        is_static: bool,
        memory_start: int,
        storage_tag: int,
        storage_empty: bool,
    ) -> None:
        self._arenas = arenas
        self._machine_constants = constants
        self.kind = kind
        self.depth = depth
        self.code = code
        self.caller = caller
        self.address = address
        self.code_address = code_address
        self.value = value
        self.data = data
        self.is_static = is_static
        self.memory_start = memory_start
        self.stack_start = depth * STACK_BYTES
        self.output_area = (0, 0)
        self.return_data = b""
        self.marks: Marks = (0, 0, 0, 0, 0)
        self.new_account: bytes | None = None
        self.microcode_of: Instruction | None = None
        self.buffer: Buffer | None = None
        self.saved_buffers: list[Buffer] = []
        #: Arrays of items that the frame's state of Buffers refers to, by their address.
        self.kept_items: dict[int, ItemArray] | None = None
        self._base = depth * FRAME.size
        stack = arenas.stacks_address + self.stack_start
        _START.pack_into(
            arenas.frames_bytes,
            8 * self._base,
            arenas.machine_address,
            code.first,
            stack,
            gas,
            arenas.memory_address + memory_start,
            0,
            stack,
            0,
            code.code,
            code.size,
            code.targets,
            code.stream,
            address_of_bytes(data),
            len(data),
            0,
            0,
            0,
            0,
            is_static,
            storage_tag,
            storage_empty,
            0,
            0,
            address[::-1],
            caller[::-1],
            value.to_bytes(WORD_BYTES, "little"),
        )

    # -- the structure

    @property
    def structure_address(self) -> int:
        """Where compiled code finds the frame."""
        return self._arenas.frames_address + 8 * self._base

    def field(self, name: str) -> int:
        """A field of the structure."""
        return self._arenas.frames[self._base + FRAME[name]]

    def set_field(self, name: str, value: int) -> None:
        """Write a field of the structure."""
        self._arenas.frames[self._base + FRAME[name]] = value

    def word(self, name: str) -> int:
        """A word of the structure."""
        place = 8 * (self._base + FRAME[name])
        return int.from_bytes(self._arenas.frames_bytes[place : place + WORD_BYTES], "little")

    @property
    def position(self) -> int:
        """Address of the cell to go on at."""
        return self._arenas.frames[self._base + _POSITION]

    # -- gas

    @property
    def gas(self) -> int:
        """Gas left."""
        return self._arenas.frames[self._base + _GAS]

    @gas.setter
    def gas(self, gas: int) -> None:
        self._arenas.frames[self._base + _GAS] = gas

    def charge(self, amount: int) -> None:
        """Take gas; raises ``OutOfGas``."""
        left = self._arenas.frames[self._base + _GAS] - amount
        if left < 0:
            raise OutOfGas
        self._arenas.frames[self._base + _GAS] = left

    # -- stack

    @property
    def _stack_end(self) -> int:
        return self._arenas.frames[self._base + _TOP] - self._arenas.stacks_address

    @_stack_end.setter
    def _stack_end(self, end: int) -> None:
        self._arenas.frames[self._base + _TOP] = end + self._arenas.stacks_address

    @property
    def stack_size(self) -> int:
        """Words on the stack."""
        return (self._stack_end - self.stack_start) // WORD_BYTES

    def stack(self) -> tuple[int, ...]:
        """All words, bottom first."""
        data = bytes(self._arenas.stacks[self.stack_start : self._stack_end])
        return tuple(
            int.from_bytes(data[i : i + WORD_BYTES], "little") for i in range(0, len(data), WORD_BYTES)
        )

    def pop(self, count: int) -> list[int]:
        """Take ``count`` words, top first. They must be there."""
        end = self._stack_end
        start = end - WORD_BYTES * count
        data = bytes(self._arenas.stacks[start:end])
        self._stack_end = start
        return [
            int.from_bytes(data[i : i + WORD_BYTES], "little")
            for i in range(WORD_BYTES * (count - 1), -1, -WORD_BYTES)
        ]

    def push(self, value: int) -> None:
        """Put a word on top. There must be room."""
        end = self._stack_end
        self._arenas.stacks[end : end + WORD_BYTES] = value.to_bytes(WORD_BYTES, "little")
        self._stack_end = end + WORD_BYTES

    # -- memory

    @property
    def memory_size(self) -> int:
        """Bytes, a multiple of 32."""
        return self._arenas.frames[self._base + _MEMORY_SIZE]

    def expand(self, *areas: tuple[int, int], keep: bool = False) -> None:
        """Expand memory to hold (offset, size) areas, and pay for that. What is new is zero, or with ``keep``
        what another frame on the same memory wrote there."""
        end = 0
        for offset, size in areas:
            if size:
                end = max(end, offset + size)
        old = self.memory_size
        if end <= old:
            return
        if end >> MEMORY_LIMIT_BITS:
            raise OutOfGas
        linear, divisor = self._machine_constants
        old_words, words = old // WORD_BYTES, (end + WORD_BYTES - 1) // WORD_BYTES
        price = words * linear + words * words // divisor
        self.charge(price - (old_words * linear + old_words * old_words // divisor))
        size = words * WORD_BYTES
        arenas = self._arenas
        arenas.require_memory(self.memory_start + size, self.memory_start + old, self.depth)
        if not keep:
            arenas.zero_memory(self.memory_start + old, self.memory_start + size)
        arenas.frames[self._base + _MEMORY_SIZE] = size

    def read_memory(self, offset: int, size: int) -> bytes:
        """Bytes of memory, which must be expanded."""
        start = self.memory_start + offset
        return bytes(self._arenas.memory[start : start + size]) if size else b""

    def write_memory(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        """Write to memory, which must be expanded."""
        if len(data):
            start = self.memory_start + offset
            self._arenas.memory[start : start + len(data)] = data

    # -- output of calls

    def set_return_data(self, data: bytes) -> None:
        """What RETURNDATACOPY reads from here on."""
        self.return_data = data
        frames = self._arenas.frames
        frames[self._base + FRAME["return_data"]] = address_of_bytes(data)
        frames[self._base + FRAME["return_data_size"]] = len(data)
