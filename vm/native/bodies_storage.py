"""Storage, transient storage, what is known of accounts, and logs."""

from __future__ import annotations

from smartvm.vm.native.bodies import BODIES, body
from smartvm.vm.native.emit import I1, I64, I256, POINTER, Value
from smartvm.vm.native.instruction import InstructionEmitter
from smartvm.vm.native.layout import (
    ACCOUNT_FACTS,
    FRAME,
    JOURNAL_VALUE,
    JOURNAL_WARMED,
    LOG_HEADER_FIELDS,
    MACHINE,
    SLOT,
    SLOT_WARM,
    TRANSIENT,
    WORD_BYTES,
    Reason,
)
from smartvm.vm.native.storage import word_field

#: Journal records that one instruction writes at most.
_JOURNAL_ROOM = 2


def _require_journal_room(f: InstructionEmitter) -> None:
    full = f.machine_field("journal_count") + _JOURNAL_ROOM > f.machine_field("journal_capacity")
    f.leave_if(full, Reason.GROW_JOURNAL)


def _is_null(pointer: Value) -> Value:
    return pointer.to_integer().equals(0)


def _slot(f: InstructionEmitter, tag: Value, key: Value, *, transient: bool) -> Value:
    """The slot's entry; leaves for a slot that only the host can load."""
    entry = f.variable(POINTER, f.call(f.support.slots.find, f.machine, tag, key))
    with f.when(_is_null(entry.value), likely=False):
        if not transient:
            missing = f.frame.offset(8 * FRAME["missing_key"])
            f.store(key, missing)
            f.leave_if(f.frame_field("storage_empty").equals(0), Reason.LOAD_SLOT)
        entry.value = f.call(f.support.slots.insert, f.machine, tag, key, f.word(0))
        f.leave_if(_is_null(entry.value), Reason.GROW_SLOTS)
    return entry.value


def _warm(f: InstructionEmitter, entry: Value, surcharge: Value) -> None:
    """Charge for and journal a first access."""
    flags = f.load(entry, I64, SLOT["flags"])
    with f.when((flags & SLOT_WARM).equals(0)):
        f.charge(surcharge)
        f.store(flags | SLOT_WARM, entry, I64, SLOT["flags"])
        f.call(f.support.slots.journal, f.machine, entry, JOURNAL_WARMED, f.word(0))


@body("SLOAD")
def _storage_load(f: InstructionEmitter) -> None:
    _require_journal_room(f)
    entry = _slot(f, f.frame_field("storage_tag"), f.pop(), transient=False)
    _warm(f, entry, f.parameter("SLOAD", "cold_surcharge"))
    f.push(word_field(f, entry, SLOT["current"]))


def _write(f: InstructionEmitter, entry: Value, value: Value) -> None:
    f.call(f.support.slots.journal, f.machine, entry, JOURNAL_VALUE, word_field(f, entry, SLOT["current"]))
    f.store(value, entry.offset(8 * SLOT["current"]))


def _refund(f: InstructionEmitter, amount: Value) -> None:
    f.store(f.machine_field("refund") + amount, f.machine, I64, MACHINE["refund"])


def _constant(f: InstructionEmitter, name: str) -> Value:
    return f.parameter("SSTORE", name)


@body("SSTORE_GROSS")
def _storage_store_gross(f: InstructionEmitter) -> None:
    """The rule before EIP-1283, and in Petersburg: by the present value alone."""
    f.require_no_static_call()
    _require_journal_room(f)
    key, value = f.pop(), f.pop()
    entry = _slot(f, f.frame_field("storage_tag"), key, transient=False)
    current = word_field(f, entry, SLOT["current"])
    sets = current.equals(0) & value.differs(0)
    f.charge(sets.choose(_constant(f, "set"), _constant(f, "reset")))
    with f.when(current.differs(0) & value.equals(0)):
        _refund(f, _constant(f, "clear_refund"))
    _write(f, entry, value)


@body("SSTORE_NET")
def _storage_store_net(f: InstructionEmitter) -> None:
    """EIP-1283, EIP-2200, EIP-2929, EIP-3529: by the value at the transaction's start, the present and the
    new one."""
    f.require_no_static_call()
    guard = _constant(f, "stipend_guard")
    f.leave_if(guard.differs(0) & ~f.gas.signed_greater(guard), Reason.OUT_OF_GAS)
    _require_journal_room(f)
    key, value = f.pop(), f.pop()
    entry = _slot(f, f.frame_field("storage_tag"), key, transient=False)
    current = word_field(f, entry, SLOT["current"])
    original = word_field(f, entry, SLOT["original"])
    noop, sets, reset = _constant(f, "noop"), _constant(f, "set"), _constant(f, "reset")
    first_write = original.equals(current)
    price = original.equals(0).choose(sets, reset)
    price = (first_write & current.differs(value)).choose(price, noop)
    flags = f.load(entry, I64, SLOT["flags"])
    warm = (flags & SLOT_WARM).differs(0)
    f.charge(price + warm.choose(0, _constant(f, "cold_surcharge")))
    with f.when(~warm):
        f.store(flags | SLOT_WARM, entry, I64, SLOT["flags"])
        f.call(f.support.slots.journal, f.machine, entry, JOURNAL_WARMED, f.word(0))
    with f.when(current.differs(value)):
        clear = _constant(f, "clear_refund")
        refund = f.variable(I64, 0)
        with f.when(original.differs(0)):
            with f.when(value.equals(0)):
                refund.value = clear
            with f.when(~first_write & current.equals(0)):
                refund.value = refund.value - clear
        with f.when(~first_write & original.equals(value)):
            refund.value = refund.value + original.equals(0).choose(sets, reset) - noop
        _refund(f, refund.value)
        _write(f, entry, value)


@body("TLOAD")
def _transient_load(f: InstructionEmitter) -> None:
    tag = f.frame_field("storage_tag") | TRANSIENT
    entry = f.call(f.support.slots.find, f.machine, tag, f.pop())
    held = f.variable(I256, 0)
    with f.when(~_is_null(entry)):
        held.value = word_field(f, entry, SLOT["current"])
    f.push(held.value)


@body("TSTORE")
def _transient_store(f: InstructionEmitter) -> None:
    f.require_no_static_call()
    _require_journal_room(f)
    key, value = f.pop(), f.pop()
    tag = f.frame_field("storage_tag") | TRANSIENT
    _write(f, _slot(f, tag, key, transient=True), value)


_ADDRESS_MASK = (1 << 160) - 1


def _account_facts(f: InstructionEmitter, address: Value) -> Value:
    """The entry of what is known of an account; Python executes the instruction when there is none that
    holds."""
    entry = f.call(f.support.slots.find, f.machine, f.i64(ACCOUNT_FACTS), address)
    absent = f.variable(I1, 1)
    with f.when(~_is_null(entry)):
        version = f.load(entry, I64, SLOT["flags"])
        absent.value = version.differs(f.machine_field("state_version"))
    f.to_host_if(absent.value)
    return entry


@body("BALANCE")
def _balance(f: InstructionEmitter) -> None:
    f.push(word_field(f, _account_facts(f, f.pop() & _ADDRESS_MASK), SLOT["current"]))


@body("SELFBALANCE")
def _self_balance(f: InstructionEmitter) -> None:
    f.push(word_field(f, _account_facts(f, f.frame_word("address")), SLOT["current"]))


@body("EXTCODEHASH")
def _external_code_hash(f: InstructionEmitter) -> None:
    f.push(word_field(f, _account_facts(f, f.pop() & _ADDRESS_MASK), SLOT["original"]))


@body("EXTCODESIZE")
def _external_code_size(f: InstructionEmitter) -> None:
    f.push(f.load(_account_facts(f, f.pop() & _ADDRESS_MASK), I64, SLOT["extra"]))


def _log(topic_count: int) -> None:
    def run(f: InstructionEmitter) -> None:
        f.require_no_static_call()
        start, size = f.memory_range(f.pop(), f.pop())
        topics = [f.pop() for _ in range(topic_count)]
        f.charge(size * f.parameter(f"LOG{topic_count}", "per_byte"))
        header = 8 * LOG_HEADER_FIELDS + WORD_BYTES * topic_count
        padded = (size + 7) & -8
        used = f.machine_field("logs_used")
        end = used + padded + header
        f.store(end, f.frame, index=FRAME["needed"])
        f.leave_if(end > f.machine_field("logs_capacity"), Reason.GROW_LOGS)
        record = f.machine_field("logs").to_pointer().offset(used)
        f.store(size, record)
        f.store(topic_count, record, I64, 1)
        f.store(f.frame_word("address"), record.offset(16))
        for i, topic in enumerate(topics):
            f.store(topic, record.offset(8 * LOG_HEADER_FIELDS + WORD_BYTES * i))
        f.copy_memory(record.offset(header), f.memory.offset(start), size)
        f.store(end, f.machine, I64, MACHINE["logs_used"])

    BODIES[f"LOG{topic_count}"] = run


for _count in range(5):
    _log(_count)
