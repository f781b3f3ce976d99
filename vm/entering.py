"""Enters calls and creations: their frames, or at once the outcome where no code runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smartvm.vm.forks import Fork
from smartvm.vm.frame import MICROCODE, Frame, Marks
from smartvm.vm.messages import HaltInformation, HaltKind
from smartvm.vm.native.layout import MACHINE
from smartvm.vm.outcome import Outcome
from smartvm.vm.precompiles.model import Precompile, PrecompileFailure
from smartvm.vm.state.model import EMPTY_CODE_HASH
from smartvm.vm.tracing import FrameEndEvent, FrameEvent

if TYPE_CHECKING:
    from smartvm.vm.machine import Machine

_LOGS_USED = MACHINE["logs_used"]
_REFUND = MACHINE["refund"]
_JOURNAL_COUNT = MACHINE["journal_count"]


def _marks(machine: Machine) -> Marks:
    fields = machine.arenas.machine
    return (
        machine.state.snapshot(),
        fields[_JOURNAL_COUNT],
        fields[_LOGS_USED],
        fields[_REFUND],
        machine.block_directory.mark,
    )


def revert(machine: Machine, marks: Marks) -> None:
    """Undo what was done since a moment."""
    fields = machine.arenas.machine
    machine.state.revert(marks[0])
    if fields[_JOURNAL_COUNT] > marks[1]:
        machine.interpreter.revert_slots(machine.arenas.machine_address, marks[1])
    fields[_LOGS_USED] = marks[2]
    fields[_REFUND] = marks[3]
    machine.block_directory.revert(marks[4])


def _transfer(machine: Machine, sender: bytes, receiver: bytes, amount: int) -> None:
    machine.touch(receiver)
    if amount and sender != receiver:
        state = machine.state
        state.set_balance(sender, state.balance(sender) - amount)
        state.set_balance(receiver, state.balance(receiver) + amount)


def enter(
    machine: Machine,
    *,
    kind: str,
    depth: int,
    caller: bytes,
    target: bytes,
    code_address: bytes,
    code: bytes,
    value: int,
    transferred: int,
    data: bytes,
    gas: int,
    is_static: bool,
    memory_start: int,
    may_be_precompiled: bool = True,
    caller_gas: int | None = None,
) -> Frame | Outcome:
    """A call's frame, or at once the outcome of a precompiled contract or of no code. The value is
    transferred from ``caller``; the caller has it."""
    if machine.tracer is not None:
        machine.tracer.enter(FrameEvent(kind, depth + 1, caller, target, code_address, value, data, gas, caller_gas))
    marks = _marks(machine)
    if kind != "DELEGATECALL":
        _transfer(machine, caller, target, transferred)
    precompile = machine.precompiles.get(code_address) if may_be_precompiled else None
    if precompile is not None:
        outcome = _run_precompile(machine, precompile, data, gas)
    elif not code or (not may_be_precompiled and code_address in machine.precompiles):
        outcome = Outcome(True, b"", gas)
    else:
        frame = new_frame(
            machine, kind, depth, code, caller, target, code_address, value, data, gas, is_static, memory_start
        )
        frame.marks = marks
        return frame
    if not outcome.success:
        revert(machine, marks)
    trace_end(machine, depth, outcome)
    return outcome


def new_frame(
    machine: Machine,
    kind: str,
    depth: int,
    code: bytes,
    caller: bytes,
    address: bytes,
    code_address: bytes,
    value: int,
    data: bytes,
    gas: int,
    is_static: bool,
    memory_start: int,
) -> Frame:
    """A frame about to start; nothing of the state changes."""
    if kind == MICROCODE:
        analysed = machine.microcodes.get(code)
    else:
        analysed = machine.codes.get(code)
        machine.hot_code.entered(analysed)
    return Frame(
        machine.arenas,
        machine.memory_constants,
        kind,
        depth,
        analysed,
        caller,
        address,
        code_address,
        value,
        data,
        gas,
        is_static,
        memory_start,
        machine.storage_tag(address),
        machine.state.storage_known_empty(address),
    )


def _run_precompile(machine: Machine, precompile: Precompile, data: bytes, gas: int) -> Outcome:
    price = precompile.gas(data)
    if price > gas:
        return failed(HaltKind.OUT_OF_GAS)
    try:
        output = precompile.run(data)
    except PrecompileFailure as failure:
        return failed(HaltKind.PRECOMPILE_FAILURE, str(failure))
    return Outcome(True, output, gas - price)


def enter_creation(
    machine: Machine,
    *,
    kind: str,
    depth: int,
    caller: bytes,
    address: bytes,
    init_code: bytes,
    value: int,
    gas: int,
    memory_start: int,
    caller_gas: int | None = None,
) -> Frame | Outcome:
    """A creation's frame; or its outcome when the address is taken. The creator's nonce is already
    incremented."""
    if machine.tracer is not None:
        machine.tracer.enter(FrameEvent(kind, depth + 1, caller, address, address, value, init_code, gas, caller_gas))
    state = machine.state
    if state.nonce(address) or state.code_hash(address) != EMPTY_CODE_HASH or state.has_storage(address):
        outcome = failed(HaltKind.ADDRESS_COLLISION)
        trace_end(machine, depth, outcome)
        return outcome
    marks = _marks(machine)
    machine.record.created.add(address)
    if state.exists(address):
        state.clear_storage(address)
    if machine.fork >= Fork.SPURIOUS_DRAGON:
        state.set_nonce(address, 1)
    _transfer(machine, caller, address, value)
    frame = new_frame(machine, kind, depth, init_code, caller, address, address, value, b"", gas, False, memory_start)
    frame.marks = marks
    frame.new_account = address
    return frame


def trace_end(machine: Machine, depth: int, outcome: Outcome) -> None:
    """Tell the tracer that a frame ended."""
    if machine.tracer is None:
        return
    error = None
    if outcome.halt is not None:
        error = outcome.halt.message
    elif not outcome.success:
        error = "execution reverted"
    machine.tracer.exit(FrameEndEvent(depth + 1, outcome.output, outcome.gas_left, error))


def failed(kind: HaltKind, message: str = "") -> Outcome:
    """The outcome of a message that fails before or after its code ran."""
    return Outcome(False, b"", 0, HaltInformation(kind, None, None, message or kind.value))
