"""What is known of weight blocks, where handlers find it: a hash table by account and block id.

It also holds which blocks are warm: an entry's ``warm`` is the number of the transaction that accessed it, and the
list of those that became warm lets a revert take that back.
"""

from __future__ import annotations

import secrets
from collections import deque
from typing import TYPE_CHECKING, cast

import numpy as np
from smartvm.vm.dnn.executor.layout import ADDENDS_TOGETHER, BLOCK, BOUND_LIMIT, EXECUTOR
from smartvm.vm.dnn.weights.blocks import WeightBlock
from smartvm.vm.native.layout import WORD_BYTES

if TYPE_CHECKING:
    from smartvm.vm.dnn.executor.convolutions import Convolution

_FIRST_ENTRIES = 256
#: Entries, and bytes of prepared items, beyond which the next transaction starts with an empty table.
_MOST_ENTRIES = 1 << 16
_MOST_BYTES = 256 << 20

#: Rows whose magnitudes are summed at a time: their copy takes memory.
_ROWS_TOGETHER = 64

_MASK64 = (1 << 64) - 1
_INT32_MAX = (1 << 31) - 1


class BlockDirectory:
    """The table; ``fields`` is the machine's executor structure, which is told where its arrays are."""

    def __init__(self, fields: memoryview) -> None:
        self._fields = fields
        self._hash_keys = [secrets.randbits(64) | 1 for _ in range(8)]
        for place, key in enumerate(self._hash_keys):
            fields[EXECUTOR["hash_keys"] + place] = key
        self._numbers: dict[bytes, int] = {}
        self._kept: dict[int, dict[str, object]] = {}  # so that handlers may use its memory
        self._number_of_block: dict[int, int] = {}  # by id(block), which is kept
        self._dropped: deque[WeightBlock] = deque()
        self._transaction = 1
        fields[EXECUTOR["transaction"]] = 1
        self._make(_FIRST_ENTRIES)

    def _make(self, capacity: int) -> None:
        self._entries = np.zeros((capacity, BLOCK.size), np.uint64)
        self._index = np.zeros(4 * capacity, np.int32)
        self._warmed = np.zeros(capacity, np.uint64)
        self._publish()
        self._fields[EXECUTOR["warmed_count"]] = 0

    def _publish(self) -> None:
        fields = self._fields
        self._view = self._entries.reshape(-1).data
        self._warmed_view = self._warmed.data
        fields[EXECUTOR["blocks"]] = self._entries.ctypes.data
        fields[EXECUTOR["block_index"]] = self._index.ctypes.data
        fields[EXECUTOR["block_mask"]] = len(self._index) - 1
        fields[EXECUTOR["warmed"]] = self._warmed.ctypes.data
        fields[EXECUTOR["warmed_capacity"]] = len(self._warmed)

    def _grow(self) -> None:
        capacity = 2 * len(self._entries)
        entries = np.zeros((capacity, BLOCK.size), np.uint64)
        entries[: len(self._entries)] = self._entries
        warmed = np.zeros(capacity, np.uint64)
        warmed[: len(self._warmed)] = self._warmed
        self._entries, self._warmed = entries, warmed
        self._index = np.zeros(4 * capacity, np.int32)
        self._publish()
        for number in self._numbers.values():
            self._place(number)

    def _place(self, number: int) -> None:
        mask = len(self._index) - 1
        place = int(self._entries[number, BLOCK["hash"]]) & mask
        while self._index[place]:
            place = (place + 1) & mask
        self._index[place] = number + 1

    def _number(self, address: bytes, block_id: int) -> int:
        key = address + block_id.to_bytes(WORD_BYTES, "big")
        number = self._numbers.get(key)
        if number is not None:
            return number
        if len(self._numbers) == len(self._entries):
            self._grow()
        number = self._numbers[key] = len(self._numbers)
        words = address[::-1].ljust(WORD_BYTES, b"\0") + block_id.to_bytes(WORD_BYTES, "little")
        parts = [int.from_bytes(words[i : i + 8], "little") for i in range(0, 2 * WORD_BYTES, 8)]
        total = sum(part * key for part, key in zip(parts, self._hash_keys, strict=True)) & _MASK64
        row = self._entries[number]
        row[:] = 0
        row[:8] = parts
        row[BLOCK["hash"]] = total ^ (total >> 32)
        self._place(number)
        return number

    # -- warmth

    def begin_transaction(self) -> None:
        """No block is warm."""
        self._collect()
        if len(self._numbers) > _MOST_ENTRIES:
            self._numbers.clear()
            self._kept.clear()
            self._number_of_block.clear()
            self._make(_FIRST_ENTRIES)
        self._transaction += 1
        self._fields[EXECUTOR["transaction"]] = self._transaction
        self._fields[EXECUTOR["warmed_count"]] = 0

    def touch(self, address: bytes, block_id: int) -> bool:
        """Mark a block as accessed; whether it was cold."""
        number = self._number(address, block_id)
        place = number * BLOCK.size + BLOCK["warm"]
        if self._view[place] == self._transaction:
            return False
        self._view[place] = self._transaction
        count = self._fields[EXECUTOR["warmed_count"]]
        self._warmed_view[count] = number
        self._fields[EXECUTOR["warmed_count"]] = count + 1
        return True

    @property
    def mark(self) -> int:
        """A moment to ``revert`` to."""
        return self._fields[EXECUTOR["warmed_count"]]

    def revert(self, mark: int) -> None:
        """Make cold what became warm since ``mark``."""
        for place in range(mark, self._fields[EXECUTOR["warmed_count"]]):
            self._view[self._warmed_view[place] * BLOCK.size + BLOCK["warm"]] = 0
        self._fields[EXECUTOR["warmed_count"]] = mark

    # -- uses

    def count_use(self) -> int:
        """The number of a use of a block that is made now by a kernel."""
        self._fields[EXECUTOR["uses"]] += 1
        return self._fields[EXECUTOR["uses"]]

    def used_since(self, use: int) -> list[tuple[int, WeightBlock]]:
        """The blocks that handlers used after a use of some number, with the number of the last use of each."""
        if self._fields[EXECUTOR["uses"]] == use:
            return []
        used = self._entries[:, BLOCK["used"]]
        found = ((int(used[number]), self._kept.get(int(number))) for number in np.flatnonzero(used > use))
        return [(last, cast(WeightBlock, kept["block"])) for last, kept in found if kept is not None]

    # -- facts

    def learn(
        self,
        address: bytes,
        block_id: int,
        block: WeightBlock,
        version: int,
        convolution: Convolution | None = None,
    ) -> None:
        """Note what handlers need to know of a block that is there in this version of the state's blocks: to add it,
        or, given a ``convolution``, to multiply by it. No Buffer may stand for work with what was known before."""
        self._collect()
        if block.bound >= BOUND_LIMIT:
            return
        number = self._number(address, block_id)
        row = self._entries[number]
        kept = self._kept.get(number)
        if kept is None or kept["block"] is not block:
            row[BLOCK["items"] :] = 0
            kept = self._kept[number] = {"block": block}
            self._number_of_block[id(block)] = number
            row[BLOCK["words"]] = (block.stored_bytes + WORD_BYTES - 1) // WORD_BYTES
            row[BLOCK["count"]] = block.count
            row[BLOCK["bound"]] = block.bound
        row[BLOCK["fresh"]] = version
        if convolution is not None:
            kept["convolution"] = convolution
            row[BLOCK["convolution"]] = convolution.address
        elif not row[BLOCK["items"]]:
            items = kept["items"] = np.ascontiguousarray(block.array, np.int64)
            row[BLOCK["items"]] = items.ctypes.data
            if block.bound <= _INT32_MAX:
                more = -block.count % ADDENDS_TOGETHER
                addends = kept["addends"] = np.pad(items.astype(np.int32), (0, more), "edge")
                row[BLOCK["addends"]] = addends.ctypes.data

    def convolution(self, address: bytes, block_id: int) -> Convolution | None:
        """The convolution that was learnt last of a block."""
        found = self._kept.get(self._number(address, block_id), {}).get("convolution")
        return cast("Convolution | None", found)

    def forget(self, block: WeightBlock) -> None:
        """What was kept of a block is no longer to take memory. May be called from any thread: it is done when no
        handler runs."""
        self._dropped.append(block)

    def _collect(self) -> None:
        while self._dropped:
            number = self._number_of_block.pop(id(self._dropped.popleft()), None)
            if number is not None:
                self._kept.pop(number, None)
                self._entries[number, BLOCK["fresh"]] = 0
