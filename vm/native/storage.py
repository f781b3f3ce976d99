"""The slot table: storage and transient slots of a transaction in one open-addressing hash table, and its
journal.

Entries are only appended while a transaction runs, so that an entry's number names it in the journal. The
hash is multilinear with random multipliers: nobody can choose keys that collide.
"""

from __future__ import annotations

from dataclasses import dataclass

import llvmlite.ir as ir
from smartvm.vm.native.emit import I32, I64, I256, POINTER, Emitter, Value, define
from smartvm.vm.native.layout import JOURNAL, JOURNAL_WARMED, MACHINE, SLOT, SLOT_WARM, TRANSIENT

_SLOT_BYTES = 8 * SLOT.size
_JOURNAL_BYTES = 8 * JOURNAL.size


@dataclass(frozen=True, slots=True)
class SlotTable:
    """Functions on a machine's slot table; ``tag`` names the account (and whether the slot is transient)."""

    find: ir.Function  # entry* (machine*, tag, key): null when absent
    insert: ir.Function  # entry* (machine*, tag, key, value): null when full
    journal: ir.Function  # void (machine*, entry*, kind, previous word): room must be there


def field(e: Emitter, structure: Value, index: int) -> Value:
    """A 64-bit field."""
    return e.load(structure, I64, index)


def word_field(e: Emitter, structure: Value, index: int) -> Value:
    """A field of four: a word."""
    return e.load(structure.offset(8 * index), I256)


def _hash(e: Emitter, machine: Value, tag: Value, key: Value) -> Value:
    keys = [field(e, machine, MACHINE["hash_keys"] + i) for i in range(5)]
    total = tag * keys[4]
    for i in range(4):
        total = total + (key >> (64 * i)).truncate(I64) * keys[i]
    return total ^ (total >> 32)


def _define_find(module: ir.Module) -> ir.Function:
    e = define(module, "find_slot", POINTER, [POINTER, I64, I256])
    machine, tag, key = e.arguments
    index = field(e, machine, MACHINE["slot_index"]).to_pointer()
    entries = field(e, machine, MACHINE["slot_entries"]).to_pointer()
    mask = field(e, machine, MACHINE["slot_mask"])
    place = e.variable(I64, _hash(e, machine, tag, key) & mask)
    with e.loop():
        number = e.load(index, I32, place.value, align=4).extend(I64)
        with e.when(number.equals(0)):
            e.give(e.null())
        entry = entries.offset((number - 1) * _SLOT_BYTES)
        same = e.load(entry, I256).equals(key) & field(e, entry, SLOT["tag"]).equals(tag)
        with e.when(same):
            e.give(entry)
        place.value = (place.value + 1) & mask
    e.builder.unreachable()
    return e.function


def _place_entry(e: Emitter, machine: Value, number: Value, hash_: Value) -> None:
    """Write ``number`` + 1 to the first free place for ``hash_``."""
    index = field(e, machine, MACHINE["slot_index"]).to_pointer()
    mask = field(e, machine, MACHINE["slot_mask"])
    place = e.variable(I64, hash_ & mask)
    with e.loop() as loop:
        loop.break_if(e.load(index, I32, place.value, align=4).equals(0))
        place.value = (place.value + 1) & mask
    e.store((number + 1).truncate(I32), index, I32, place.value, align=4)


def _define_insert(module: ir.Module) -> ir.Function:
    e = define(module, "insert_slot", POINTER, [POINTER, I64, I256, I256])
    machine, tag, key, value = e.arguments
    count = field(e, machine, MACHINE["slot_count"])
    with e.when(count >= field(e, machine, MACHINE["slot_capacity"])):
        e.give(e.null())
    hash_ = _hash(e, machine, tag, key)
    _place_entry(e, machine, count, hash_)
    entry = field(e, machine, MACHINE["slot_entries"]).to_pointer().offset(count * _SLOT_BYTES)
    e.store(key, entry)
    e.store(tag, entry, I64, SLOT["tag"])
    e.store(0, entry, I64, SLOT["flags"])
    e.store(value, entry.offset(8 * SLOT["current"]))
    e.store(value, entry.offset(8 * SLOT["original"]))
    e.store(hash_, entry, I64, SLOT["hash"])
    e.store(count + 1, machine, I64, MACHINE["slot_count"])
    e.give(entry)
    return e.function


def _define_journal(module: ir.Module) -> ir.Function:
    e = define(module, "journal_slot", ir.VoidType(), [POINTER, POINTER, I64, I256])
    machine, entry, kind, previous = e.arguments
    entries = field(e, machine, MACHINE["slot_entries"])
    number = (entry.to_integer() - entries) // _SLOT_BYTES
    count = field(e, machine, MACHINE["journal_count"])
    record = field(e, machine, MACHINE["journal"]).to_pointer().offset(count * _JOURNAL_BYTES)
    e.store(number | kind, record)
    e.store(previous, record.offset(8 * JOURNAL["previous"]))
    e.store(count + 1, machine, I64, MACHINE["journal_count"])
    e.give()
    return e.function


def _define_exports(module: ir.Module, table: SlotTable) -> None:
    """What Python calls: with words behind pointers."""
    e = define(module, "host_find_slot", POINTER, [POINTER, I64, POINTER], exported=True)
    machine, tag, key = e.arguments
    e.give(e.call(table.find, machine, tag, e.load(key, I256)))

    e = define(module, "host_insert_slot", POINTER, [POINTER, I64, POINTER, POINTER], exported=True)
    machine, tag, key, value = e.arguments
    e.give(e.call(table.insert, machine, tag, e.load(key, I256), e.load(value, I256)))

    e = define(module, "host_journal_slot", ir.VoidType(), [POINTER, POINTER, I64, POINTER], exported=True)
    machine, entry, kind, previous = e.arguments
    e.call(table.journal, machine, entry, kind, e.load(previous, I256))
    e.give()

    e = define(module, "rebuild_slot_index", ir.VoidType(), [POINTER], exported=True)
    (machine,) = e.arguments
    entries = field(e, machine, MACHINE["slot_entries"]).to_pointer()
    number = e.variable(I64, 0)
    with e.loop() as loop:
        loop.break_if(number.value >= field(e, machine, MACHINE["slot_count"]))
        entry = entries.offset(number.value * _SLOT_BYTES)
        _place_entry(e, machine, number.value, field(e, entry, SLOT["hash"]))
        number.value = number.value + 1
    e.give()

    e = define(module, "next_changed_slot", I64, [POINTER, I64], exported=True)
    machine, first = e.arguments
    entries = field(e, machine, MACHINE["slot_entries"]).to_pointer()
    last = field(e, machine, MACHINE["slot_count"])
    place = e.variable(I64, first)
    with e.loop() as loop:
        loop.break_if(place.value >= last)
        entry = entries.offset(place.value * _SLOT_BYTES)
        changed = word_field(e, entry, SLOT["current"]).differs(word_field(e, entry, SLOT["original"]))
        with e.when(changed & (field(e, entry, SLOT["tag"]) < TRANSIENT)):
            e.give(place.value)
        place.value = place.value + 1
    e.give(last)

    e = define(module, "revert_slots", ir.VoidType(), [POINTER, I64], exported=True)
    machine, keep = e.arguments
    entries = field(e, machine, MACHINE["slot_entries"]).to_pointer()
    journal = field(e, machine, MACHINE["journal"]).to_pointer()
    count = e.variable(I64, field(e, machine, MACHINE["journal_count"]))
    with e.loop() as loop:
        loop.break_if(count.value <= keep)
        count.value = count.value - 1
        record = journal.offset(count.value * _JOURNAL_BYTES)
        what = e.load(record)
        warmed = (what & JOURNAL_WARMED).differs(0)
        entry = entries.offset((what & (JOURNAL_WARMED - 1)) * _SLOT_BYTES)
        flags = field(e, entry, SLOT["flags"])
        e.store(warmed.choose(flags & ~SLOT_WARM, flags), entry, I64, SLOT["flags"])
        current = word_field(e, entry, SLOT["current"])
        previous = word_field(e, record, JOURNAL["previous"])
        e.store(warmed.choose(current, previous), entry.offset(8 * SLOT["current"]))
    e.store(keep, machine, I64, MACHINE["journal_count"])
    e.give()


def define_slot_table(module: ir.Module) -> SlotTable:
    """Define the functions in ``module``."""
    table = SlotTable(_define_find(module), _define_insert(module), _define_journal(module))
    _define_exports(module, table)
    return table
