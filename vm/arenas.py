"""The arrays that Python and compiled code share: the machine's and the frames' structures, stacks, memory,
slots, journal and logs. They grow on demand; addresses in the structures are kept up to date here."""

from __future__ import annotations

import secrets
import struct
from collections.abc import Sequence
from functools import cached_property
from typing import overload

import numpy as np
from smartvm.vm.messages import Log
from smartvm.vm.native.layout import (
    CALL_DEPTH_LIMIT,
    DIGEST,
    DIGEST_TABLE_BITS,
    FRAME,
    JOURNAL,
    JOURNAL_WARMED,
    LOG_HEADER_FIELDS,
    MACHINE,
    SLOT,
    SLOT_WARM,
    STACK_BYTES,
    WORD_BYTES,
)
from smartvm.vm.native.library import Interpreter

#: An entry of the slot table: key, tag, present word.
_CHANGED = struct.Struct(f"<32sQ{8 * (SLOT['current'] - SLOT['tag'] - 1)}x32s")
_JOURNAL_COUNT, _SLOT_COUNT = MACHINE["journal_count"], MACHINE["slot_count"]
_LOGS_USED = MACHINE["logs_used"]

_FIRST_MEMORY = 1 << 20
_FIRST_SLOTS = 1 << 10
_FIRST_JOURNAL = 1 << 10
_FIRST_LOGS = 1 << 16


class Arenas:
    """Shared arrays. ``machine`` and ``frames`` are views of 64-bit fields, the rest are views of bytes."""

    def __init__(self, interpreter: Interpreter) -> None:
        self._interpreter = interpreter
        self._machine = np.zeros(MACHINE.size, np.uint64)
        self.machine = self._machine.data
        self.machine_bytes = self.machine.cast("B")
        self.machine_address = self._machine.ctypes.data
        # One structure and one stack per depth: untouched pages take no memory.
        self._frames = np.zeros((CALL_DEPTH_LIMIT + 2) * FRAME.size, np.uint64)
        self.frames = self._frames.data
        self.frames_bytes = self.frames.cast("B")
        self.frames_address = self._frames.ctypes.data
        self._stacks = np.empty((CALL_DEPTH_LIMIT + 2) * STACK_BYTES, np.uint8)
        self.stacks = self._stacks.data
        self.stacks_address = self._stacks.ctypes.data
        self._memory = np.empty(_FIRST_MEMORY, np.uint8)
        self._scratch = np.zeros(2 * WORD_BYTES, np.uint8)
        self._scratch_view = self._scratch.data
        self._scratch_address = self._scratch.ctypes.data
        self._digests = np.zeros((1 << DIGEST_TABLE_BITS, DIGEST.size), np.uint64)
        self.machine[MACHINE["digests"]] = self._digests.ctypes.data
        for i in range(8):
            self.machine[MACHINE["hash_keys"] + i] = secrets.randbits(64) | 1
        self._memory_changed()
        self._new_slots(_FIRST_SLOTS)
        self._journal = np.empty((_FIRST_JOURNAL, JOURNAL.size), np.uint64)
        self._journal_changed()
        self._logs = np.empty(_FIRST_LOGS, np.uint8)
        self._logs_changed()

    def forget_digests(self) -> None:
        """Empty the table of digests, for measurements: their results do not depend on it, their time
        does."""
        self._digests[:] = 0

    # -- words of the machine

    def set_word(self, name: str, value: int) -> None:
        """Write a word of the machine's structure."""
        place = 8 * MACHINE[name]
        self.machine_bytes[place : place + WORD_BYTES] = value.to_bytes(WORD_BYTES, "little")

    # -- memory

    def _memory_changed(self) -> None:
        self.memory = self._memory.data
        self.memory_address = self._memory.ctypes.data
        self.machine[MACHINE["memory_end"]] = self.memory_address + len(self._memory)

    def require_memory(self, end: int, live: int, depth: int) -> None:
        """Make the arena hold ``end`` bytes, of which the first ``live`` are in use; frames 0 to ``depth``
        move along."""
        if end <= len(self._memory):
            return
        old_address = self.memory_address
        grown = np.empty(max(end, 2 * len(self._memory)), np.uint8)
        grown[:live] = self._memory[:live]
        self._memory = grown
        self._memory_changed()
        for i in range(depth + 1):
            self.frames[i * FRAME.size + FRAME["memory"]] += self.memory_address - old_address

    def zero_memory(self, start: int, end: int) -> None:
        """Set bytes of the memory arena to 0."""
        self._memory[start:end] = 0

    def shrink(self) -> None:
        """Give a large memory arena back between transactions."""
        if len(self._memory) > 64 * _FIRST_MEMORY:
            self._memory = np.empty(_FIRST_MEMORY, np.uint8)
            self._memory_changed()

    # -- slots

    def _new_slots(self, capacity: int) -> None:
        self._entries = np.empty((capacity, SLOT.size), np.uint64)
        self._index = np.zeros(2 * capacity, np.uint32)
        self._slots_changed()
        self.machine[MACHINE["slot_count"]] = 0

    def _slots_changed(self) -> None:
        self.entries = self._entries.data.cast("B")
        self.entries_address = self._entries.ctypes.data
        self.machine[MACHINE["slot_entries"]] = self.entries_address
        self.machine[MACHINE["slot_index"]] = self._index.ctypes.data
        self.machine[MACHINE["slot_mask"]] = len(self._index) - 1
        self.machine[MACHINE["slot_capacity"]] = len(self._entries)

    def grow_slots(self) -> None:
        """Double the slot table; entries keep their numbers."""
        capacity = 2 * len(self._entries)
        grown = np.empty((capacity, SLOT.size), np.uint64)
        grown[: len(self._entries)] = self._entries
        self._entries = grown
        self._index = np.zeros(2 * capacity, np.uint32)
        self._slots_changed()
        self._interpreter.rebuild_slot_index(self.machine_address)

    def clear_slots(self) -> None:
        """Forget all slots and their journal."""
        if len(self._entries) > 64 * _FIRST_SLOTS:
            self._new_slots(_FIRST_SLOTS)
        elif self.machine[MACHINE["slot_count"]]:
            self._index[:] = 0
            self.machine[MACHINE["slot_count"]] = 0
        self.machine[MACHINE["journal_count"]] = 0

    def find_slot(self, tag: int, key: int) -> int | None:
        """The byte offset of a slot's entry in ``entries``."""
        self._scratch_view[:WORD_BYTES] = key.to_bytes(WORD_BYTES, "little")
        address = self._interpreter.find_slot(self.machine_address, tag, self._scratch_address)
        return address - self.entries_address if address else None

    def insert_slot(self, tag: int, key: int, value: int) -> int:
        """Add a slot that is not there; the byte offset of its entry."""
        self._scratch_view[:WORD_BYTES] = key.to_bytes(WORD_BYTES, "little")
        return self.load_slot(tag, self._scratch_address, value)

    def load_slot(self, tag: int, key_address: int, value: int) -> int:
        """The same for a key that stands at an address."""
        self._scratch_view[WORD_BYTES:] = value.to_bytes(WORD_BYTES, "little")
        value_address = self._scratch_address + WORD_BYTES
        while not (address := self._interpreter.insert_slot(self.machine_address, tag, key_address, value_address)):
            self.grow_slots()
        return address - self.entries_address

    def slot_word(self, entry: int, name: str) -> int:
        """A word of a slot's entry."""
        place = entry + 8 * SLOT[name]
        return int.from_bytes(self.entries[place : place + WORD_BYTES], "little")

    def set_slot(self, entry: int, value: int) -> None:
        """Set a slot's present word; journalled."""
        self._journal_slot(entry, 0, self.slot_word(entry, "current"))
        place = entry + 8 * SLOT["current"]
        self.entries[place : place + WORD_BYTES] = value.to_bytes(WORD_BYTES, "little")

    def set_account_facts(
        self, entry: int, version: int, balance: int, code_hash: int, code_size: int
    ) -> None:
        """Fill an entry of what is known of an account."""
        for name, number, size in (
            ("flags", version, 8),
            ("current", balance, WORD_BYTES),
            ("original", code_hash, WORD_BYTES),
            ("extra", code_size, 8),
        ):
            place = entry + 8 * SLOT[name]
            self.entries[place : place + size] = number.to_bytes(size, "little")

    def slot_is_warm(self, entry: int) -> bool:
        """Whether the transaction has accessed the slot."""
        return bool(self.entries[entry + 8 * SLOT["flags"]] & SLOT_WARM)

    def warm_slot(self, entry: int) -> bool:
        """Mark a slot as accessed; True when it was cold. Journalled."""
        if self.slot_is_warm(entry):
            return False
        self._journal_slot(entry, JOURNAL_WARMED, 0)
        self.entries[entry + 8 * SLOT["flags"]] |= SLOT_WARM
        return True

    def set_slot_flags(self, entry: int, flags: int) -> None:
        """Set a slot's flags; not journalled."""
        place = entry + 8 * SLOT["flags"]
        self.entries[place : place + 8] = flags.to_bytes(8, "little")

    def _journal_slot(self, entry: int, kind: int, previous: int) -> None:
        if self.machine[MACHINE["journal_count"]] + 1 >= len(self._journal):
            self.grow_journal()
        self._scratch_view[:WORD_BYTES] = previous.to_bytes(WORD_BYTES, "little")
        self._interpreter.journal_slot(
            self.machine_address, self.entries_address + entry, kind, self._scratch_address
        )

    def changed_slots(self) -> list[tuple[int, int, int]]:
        """(tag, key, word) of every storage slot that differs from its word at the transaction's start."""
        machine = self.machine
        if not machine[_JOURNAL_COUNT]:
            return []
        result = []
        entries, count = self.entries, machine[_SLOT_COUNT]
        following = self._interpreter.next_changed_slot
        number = following(self.machine_address, 0)
        while number < count:
            key, tag, current = _CHANGED.unpack_from(entries, number * 8 * SLOT.size)
            result.append((tag, int.from_bytes(key, "little"), int.from_bytes(current, "little")))
            number = following(self.machine_address, number + 1)
        return result

    # -- journal of slots

    def _journal_changed(self) -> None:
        self.machine[MACHINE["journal"]] = self._journal.ctypes.data
        self.machine[MACHINE["journal_capacity"]] = len(self._journal)

    def grow_journal(self) -> None:
        """Double the journal."""
        grown = np.empty((2 * len(self._journal), JOURNAL.size), np.uint64)
        grown[: len(self._journal)] = self._journal
        self._journal = grown
        self._journal_changed()

    # -- logs

    def _logs_changed(self) -> None:
        self.machine[MACHINE["logs"]] = self._logs.ctypes.data
        self.machine[MACHINE["logs_capacity"]] = len(self._logs)

    def grow_logs(self, needed: int) -> None:
        """Make the log arena hold ``needed`` bytes."""
        grown = np.empty(max(needed, 2 * len(self._logs)), np.uint8)
        grown[: len(self._logs)] = self._logs
        self._logs = grown
        self._logs_changed()

    def logs(self, start: int = 0) -> RecordedLogs:
        """The logs recorded from byte ``start`` of the arena on."""
        end = self.machine[_LOGS_USED]
        return _NO_LOGS if start == end else RecordedLogs(self._logs[start:end].tobytes())


class RecordedLogs(Sequence[Log]):
    """Logs as compiled code recorded them, decoded when first read."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    @overload
    def __getitem__(self, index: int) -> Log: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Log, ...]: ...

    def __getitem__(self, index: int | slice) -> Log | tuple[Log, ...]:
        return self._decoded[index]

    def __len__(self) -> int:
        return len(self._decoded)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self._decoded == tuple(other)

    def __hash__(self) -> int:
        return hash(self._decoded)

    def __repr__(self) -> str:
        return repr(self._decoded)

    @cached_property
    def _decoded(self) -> tuple[Log, ...]:
        data = self._data
        result = []
        place = 0
        while place < len(data):
            size = int.from_bytes(data[place : place + 8], "little")
            count = int.from_bytes(data[place + 8 : place + 16], "little")
            address = data[place + 16 : place + 36][::-1]
            place += 8 * LOG_HEADER_FIELDS
            topics = tuple(
                data[place + WORD_BYTES * i : place + WORD_BYTES * (i + 1)][::-1] for i in range(count)
            )
            place += WORD_BYTES * count
            result.append(Log(address, topics, data[place : place + size]))
            place += (size + 7) & -8
        return tuple(result)


_NO_LOGS = RecordedLogs(b"")
