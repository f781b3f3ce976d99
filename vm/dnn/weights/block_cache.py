"""Decoded weight blocks, kept from one use to the next within a limit of memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Protocol

from smartvm.vm.dnn.weights.blocks import WeightBlock
from smartvm.vm.state.blocks import BlockEntry

#: Bytes that the decoded blocks of a machine may take.
DEFAULT_LIMIT = 1 << 29


class OtherUses(Protocol):
    """Uses of blocks beside this cache's, all numbered one after the other."""

    def count_use(self) -> int:
        """The number of a use of this cache's."""

    def used_since(self, use: int) -> list[tuple[int, WeightBlock]]:
        """The blocks that were used elsewhere after the use of a number, with the number of each one's last use."""


class BlockCache:
    """The least recently used blocks go when all together take more than ``limit`` bytes: their entries in
    memory, decoded items and kernels' layouts. The block used last stays whatever its size, since it is
    in use.

    Keys are the state's entries, as objects: an entry never changes, and the state gives the same one until
    the block is changed. May be used from several threads.
    """

    def __init__(self, limit: int = DEFAULT_LIMIT) -> None:
        self.limit = limit
        self._blocks: OrderedDict[int, WeightBlock] = OrderedDict()  # by id(entry), which the block keeps alive
        self._sizes: dict[int, int] = {}
        self._total = 0
        self._lock = Lock()
        #: Is told of each block that goes, from whatever thread made it go.
        self.on_drop: Callable[[WeightBlock], None] | None = None
        #: Uses by compiled handlers, which know of a block without asking here.
        self.other_uses: OtherUses | None = None
        self._uses: dict[int, int] = {}  # by id(entry): the last use of each block that was used since ``_ordered_at``
        self._ordered_at = 0
        #: Nanoseconds that programs waited for items: reading, decoding, making layouts. For measurements.
        self.waited_ns = 0

    @property
    def held_bytes(self) -> int:
        """Bytes that the blocks take."""
        return self._total

    def __len__(self) -> int:
        return len(self._blocks)

    def __contains__(self, entry: BlockEntry) -> bool:
        return id(entry) in self._blocks

    def block(self, entry: BlockEntry) -> WeightBlock:
        """The block of an entry; it is now the one used last."""
        key = id(entry)
        with self._lock:
            block = self._blocks.get(key)
            if block is not None:
                self._blocks.move_to_end(key)
                self._count_use(key)
                return block
            block = WeightBlock(entry)
            self._add(key, block)
            return block

    def clear(self) -> None:
        """Drop all blocks."""
        with self._lock:
            while self._blocks:
                self._drop_oldest()

    def keep(self, block: WeightBlock) -> None:
        """Keep a block that was made elsewhere."""
        key = id(block.entry)
        with self._lock:
            if key not in self._blocks:
                self._add(key, block)

    def _add(self, key: int, block: WeightBlock) -> None:
        self._blocks[key] = block
        self._sizes[key] = 0
        self._count_use(key)
        block.on_growth(self._grown)
        self._measure(key, block)

    def _grown(self, block: WeightBlock, waited_ns: int) -> None:
        key = id(block.entry)
        with self._lock:
            self.waited_ns += waited_ns
            if self._blocks.get(key) is block:
                self._measure(key, block)

    def _measure(self, key: int, block: WeightBlock) -> None:
        size = block.held_bytes
        self._total += size - self._sizes[key]
        self._sizes[key] = size
        while self._total > self.limit and len(self._blocks) > 1:
            self._drop_oldest()

    def _count_use(self, key: int) -> None:
        if self.other_uses is not None:
            self._uses[key] = self.other_uses.count_use()

    def _order_uses(self) -> None:
        """Let the order of the blocks be that of all uses. What it costs was paid for by as many uses."""
        if self.other_uses is None:
            return
        uses = self._uses
        for use, block in self.other_uses.used_since(self._ordered_at):
            uses[id(block.entry)] = max(use, uses.get(id(block.entry), 0))
        for key in sorted(uses, key=uses.__getitem__):
            if key in self._blocks:
                self._blocks.move_to_end(key)
        self._ordered_at = max(uses.values(), default=self._ordered_at)
        self._uses = {}

    def _drop_oldest(self) -> None:
        self._order_uses()
        oldest, dropped = self._blocks.popitem(last=False)
        self._total -= self._sizes.pop(oldest)
        dropped.on_growth(None)
        if self.on_drop is not None:
            self.on_drop(dropped)
