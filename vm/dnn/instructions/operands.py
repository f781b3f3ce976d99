"""Checks that several instructions share: operands in range, Buffer lengths, weight blocks."""

from __future__ import annotations

from smartvm.vm.dnn.weights.blocks import WeightBlock
from smartvm.vm.extension import InstructionContext

#: Counts, sizes, sides, strides and paddings are below this.
SIZE_LIMIT = 1 << 32


def require_size(context: InstructionContext, name: str, value: int, least: int = 0) -> int:
    """``value`` when it is a size, at least ``least``; halts otherwise."""
    if not least <= value < SIZE_LIMIT:
        raise context.halt(f"{name} from {least} to 2^32 - 1", str(value))
    return value


def require_length(context: InstructionContext, length: int, meaning: str) -> None:
    """Halt unless the Buffer holds exactly ``length`` items."""
    if len(context.buffer) != length:
        raise context.halt(f"a Buffer of {meaning} = {length} items", f"{len(context.buffer)} items")


def require_available(context: InstructionContext, count: int) -> None:
    """Halt unless the Buffer holds at least ``count`` items."""
    if count > len(context.buffer):
        raise context.halt(f"a Buffer of at least {count} items", f"{len(context.buffer)} items")


def require_block(context: InstructionContext, block_id: int) -> WeightBlock:
    """The weight block; halts when there is none. Charges its access and its stored words."""
    cold = context.blocks.touch(block_id)
    context.gas.charge(context.constant("block_cold_access" if cold else "block_warm_access"))
    block = context.blocks.load(block_id)
    if block is None:
        raise context.halt(f"weight block {block_id:#x}", "no such block")
    words = (block.stored_bytes + 31) // 32
    context.gas.charge(words * context.constant("block_read_word"))
    return block


def require_block_length(context: InstructionContext, block: WeightBlock, count: int, meaning: str) -> None:
    """Halt unless the block holds exactly ``count`` items."""
    if block.count != count:
        raise context.halt(f"a weight block of {meaning} = {count} items", f"{block.count} items")
