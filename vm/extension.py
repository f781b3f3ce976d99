"""The one signature that every instruction outside the compiled loop has: DNN instructions and users' kernels.

A kernel is ``def instruction(context: InstructionContext) -> int | tuple[int, ...] | None``. It gets its operands
popped and its table row's constant gas charged; it charges dynamic gas *before* it does the work, and returns its
results (unsigned 256-bit words, the first ends on top of the stack).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from smartvm.instructions.model import Gas
    from smartvm.vm.dnn.buffer import Buffer
    from smartvm.vm.dnn.weights.blocks import WeightBlock


class GasMeter(Protocol):
    """The frame's gas."""

    @property
    def remaining(self) -> int:
        """Gas left in the frame."""
        ...

    def charge(self, amount: int) -> None:
        """Take ``amount``; raises ``OutOfGas`` when less is left. ``amount`` may be any size."""
        ...


class MemoryView(Protocol):
    """The frame's memory. Both calls first expand it, and pay for that, as MLOAD and MSTORE do; a length of 0 does
    nothing."""

    def read(self, offset: int, length: int) -> bytes:
        """``length`` bytes from ``offset``."""
        ...

    def write(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        """Write ``data`` at ``offset``."""
        ...

    def expand(self, offset: int, length: int) -> None:
        """Expand and pay only: call before costly work whose result is then written."""
        ...

    @property
    def size(self) -> int:
        """Current size in bytes, a multiple of 32."""
        ...


class StorageView(Protocol):
    """The executing account's storage slots. Gas is the kernel's own matter."""

    def get(self, slot: int) -> int:
        """The slot's word."""
        ...

    def set(self, slot: int, value: int) -> None:
        """Set the slot; journalled. Halts in a static call."""
        ...


class BlocksView(Protocol):
    """The executing account's weight blocks, with their access list."""

    def touch(self, block_id: int) -> bool:
        """Mark the block as accessed; True when it was cold before (EIP-2929's rule; journalled)."""
        ...

    def load(self, block_id: int) -> WeightBlock | None:
        """The block, or None."""
        ...

    def store(self, block_id: int, block: WeightBlock | None) -> None:
        """Set or (None) delete the block; journalled."""
        ...


class InstructionContext(Protocol):
    """What an instruction sees of its frame."""

    operands: tuple[int, ...]
    gas: GasMeter
    gas_rule: Gas
    memory: MemoryView
    storage: StorageView
    blocks: BlocksView
    buffer: Buffer
    saved_buffers: list[Buffer]
    is_static: bool

    def constant(self, name: str) -> int:
        """A named constant of the table (``InstructionTable.constants``)."""
        ...

    def stack_room(self) -> int:
        """How many words may still be pushed, the operands being popped."""
        ...

    def halt(self, expected: str, found: str) -> Exception:
        """The exceptional halt to raise: ``raise context.halt("6*24*24 items", "3456 items")``. The VM adds the
        mnemonic and the program counter."""
        ...


Kernel = Callable[[InstructionContext], "int | tuple[int, ...] | None"]
