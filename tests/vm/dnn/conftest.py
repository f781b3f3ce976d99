"""A frame for DNN instructions without an interpreter: operands, gas, memory, blocks and Buffers."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import settings
from smartvm.instructions.loader import load_table
from smartvm.vm.dnn import KERNELS, Buffer, WeightBlock

# Helpers beside the tests are imported by name.
sys.path.insert(0, str(Path(__file__).parent))

# The first call of a kernel compiles it.
settings.register_profile("dnn", deadline=None)
settings.load_profile("dnn")


class Halted(Exception):
    """The frame's exceptional halt, or its gas is spent."""


@dataclass
class Meter:
    remaining: int

    def charge(self, amount: int) -> None:
        assert amount >= 0
        if amount > self.remaining:
            raise Halted(f"out of gas: {amount} of {self.remaining}")
        self.remaining -= amount


@dataclass
class Memory:
    gas: Meter
    data: bytearray = field(default_factory=bytearray)

    @property
    def size(self) -> int:
        return len(self.data)

    def expand(self, offset: int, length: int) -> None:
        if length == 0:
            return
        words = -(-(offset + length) // 32)
        before = len(self.data) // 32
        if words > before:
            price = 3 * words + words * words // 512 - 3 * before - before * before // 512
            self.gas.charge(price)
            self.data.extend(bytes(32 * (words - before)))

    def read(self, offset: int, length: int) -> bytes:
        self.expand(offset, length)
        return bytes(self.data[offset : offset + length])

    def write(self, offset: int, data: bytes) -> None:
        self.expand(offset, len(data))
        self.data[offset : offset + len(data)] = data


@dataclass
class Blocks:
    stored: dict[int, WeightBlock] = field(default_factory=dict)
    warm: set[int] = field(default_factory=set)

    def touch(self, block_id: int) -> bool:
        cold = block_id not in self.warm
        self.warm.add(block_id)
        return cold

    def load(self, block_id: int) -> WeightBlock | None:
        return self.stored.get(block_id)

    def store(self, block_id: int, block: WeightBlock | None) -> None:
        if block is None:
            self.stored.pop(block_id, None)
        else:
            self.stored[block_id] = block


class Frame:
    """An ``InstructionContext``; ``run`` executes one instruction by name and reports its dynamic gas."""

    def __init__(self, gas: int = 10**15) -> None:
        self.table = load_table()
        self.constants = dict(self.table.constants)
        self.gas = Meter(gas)
        self.memory = Memory(self.gas)
        self.blocks = Blocks()
        self.buffer = Buffer()
        self.saved_buffers: list[Buffer] = []
        self.is_static = False
        self.room = 1000
        self.operands: tuple[int, ...] = ()

    def constant(self, name: str) -> int:
        return self.constants[name]

    def stack_room(self) -> int:
        return self.room

    def halt(self, expected: str, found: str) -> Exception:
        return Halted(f"expected {expected}, found {found}")

    def fill(self, items: Sequence[int]) -> None:
        self.buffer.replace(Buffer(items).array.copy())

    def put_block(self, block_id: int, items: Sequence[int]) -> None:
        self.blocks.stored[block_id] = WeightBlock.of_integers(items)

    def put_words(self, offset: int, words: Sequence[int]) -> None:
        self.memory.write(offset, b"".join((word % (1 << 256)).to_bytes(32, "big") for word in words))

    def run(self, name: str, *operands: int) -> int | tuple[int, ...] | None:
        instruction = self.table.by_name[name]
        assert len(operands) == len(instruction.operands)
        self.operands = tuple(operand % (1 << 256) for operand in operands)
        self.gas_rule = self.table.gas(instruction, "osaka")
        results = KERNELS[name](self)
        kept = self.buffer.extremes  # gas depends on them: what instructions claim to know must be so
        items = self.items()
        assert kept == ((min(items), max(items)) if items else (0, 0)), (name, kept, items)
        return results

    def items(self) -> list[int]:
        return self.buffer.to_integers()


@pytest.fixture
def frame() -> Frame:
    return Frame()


@pytest.fixture(scope="session")
def new_frame() -> Callable[..., Frame]:
    return Frame


@pytest.fixture(scope="session")
def halted() -> type[Exception]:
    return Halted
