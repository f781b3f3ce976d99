"""Executes frames to their end: the loop between compiled code and what Python does for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smartvm.vm.call_instructions import MAX_CODE_SIZE, resume_after_call, resume_after_create
from smartvm.vm.diagnosis import halt_of_host, halt_of_reason
from smartvm.vm.dnn.executor.layout import EXECUTOR
from smartvm.vm.entering import failed, revert, trace_end
from smartvm.vm.forks import Fork
from smartvm.vm.frame import Frame
from smartvm.vm.halts import ExceptionalHalt
from smartvm.vm.messages import HaltKind
from smartvm.vm.microcode import leave_microcode
from smartvm.vm.native.layout import FRAME, MACHINE, Reason
from smartvm.vm.outcome import Outcome
from smartvm.vm.steps import step_event

if TYPE_CHECKING:
    from smartvm.vm.machine import Machine

_MISSING_KEY = 8 * FRAME["missing_key"]
_STATE_VERSION = MACHINE["state_version"]
_BLOCKS_VERSION = EXECUTOR["version"]

#: Reasons by their numbers.
_REASONS = tuple(Reason)


def execute(machine: Machine, first: Frame) -> Outcome:
    """Execute a frame, and all that it calls, to its end."""
    machine.hot_code.starts()
    try:
        return _execute(machine, first)
    finally:
        machine.hot_code.ends()


def _execute(machine: Machine, first: Frame) -> Outcome:
    frames = [first]
    run, state = machine.interpreter.run, machine.state
    machine_fields, dnn_fields = machine.arenas.machine, machine.dnn_fields
    while True:
        frame = frames[-1]
        machine_fields[_STATE_VERSION] = state.version
        dnn_fields[_BLOCKS_VERSION] = state.blocks_version
        code = run(frame.structure_address)
        reason = code & 0xFF
        if reason == Reason.HOST:
            entered = _run_host_instruction(machine, frame)
            if entered is None:
                continue
            if isinstance(entered, Frame):
                if machine.active_dnn_executor is not None:
                    machine.active_dnn_executor.settle(frame)
                frames.append(entered)
                continue
            outcome = entered
        elif reason > Reason.HOST:
            _serve(machine, frame, reason)
            continue
        else:
            outcome = _outcome(machine, frame, _REASONS[reason], code >> 8)
        frames.pop()
        if frame.microcode_of is not None:
            ended = _leave_microcode(machine, frames[-1], frame, outcome, reason)
            if ended is None:
                continue
            frame = frames.pop()
            outcome = ended
        outcome = _end(machine, frame, outcome)
        if not frames:
            return outcome
        if frame.new_account is not None:
            resume_after_create(frames[-1], frame.new_account, outcome)
        else:
            resume_after_call(frames[-1], frame.output_area, outcome)


def _run_host_instruction(machine: Machine, frame: Frame) -> Frame | Outcome | None:
    try:
        return machine.host_instructions[frame.field("detail")](machine, frame)
    except ExceptionalHalt as halt:
        return Outcome(False, b"", 0, halt_of_host(machine.plan, frame, halt))


def _leave_microcode(machine: Machine, parent: Frame, frame: Frame, outcome: Outcome, reason: int) -> Outcome | None:
    try:
        return leave_microcode(machine, parent, frame, outcome, stopped=reason == Reason.STOP)
    except ExceptionalHalt as halt:
        return Outcome(False, b"", 0, halt_of_host(machine.plan, parent, halt))


def _serve(machine: Machine, frame: Frame, reason: int) -> None:
    """Give compiled code what it asks for."""
    arenas = machine.arenas
    if reason == Reason.LOAD_SLOT:
        value = machine.state.storage(frame.address, frame.word("missing_key"))
        arenas.load_slot(frame.field("storage_tag"), frame.structure_address + _MISSING_KEY, value)
    elif reason == Reason.TRACE:
        assert machine.tracer is not None
        machine.tracer.step(step_event(machine.plan, frame, machine.refund))
    elif reason == Reason.HOT:
        machine.hot_code.jumped_back(frame)
    elif reason == Reason.GROW_MEMORY:
        end = frame.memory_start + frame.field("needed")
        arenas.require_memory(end, frame.memory_start + frame.memory_size, frame.depth)
    elif reason == Reason.GROW_SLOTS:
        arenas.grow_slots()
    elif reason == Reason.GROW_JOURNAL:
        arenas.grow_journal()
    else:
        arenas.grow_logs(frame.field("needed"))


def _outcome(machine: Machine, frame: Frame, reason: Reason, component: int) -> Outcome:
    if reason == Reason.STOP:
        return Outcome(True, b"", frame.gas)
    if reason in (Reason.RETURN, Reason.REVERT):
        output = frame.read_memory(frame.field("output_offset"), frame.field("output_size"))
        return Outcome(reason == Reason.RETURN, output, frame.gas)
    return Outcome(False, b"", 0, halt_of_reason(machine.plan, frame, reason, component))


def _end(machine: Machine, frame: Frame, outcome: Outcome) -> Outcome:
    """Keep or undo the frame's changes; a creation's output becomes code."""
    if machine.active_dnn_executor is not None:
        machine.active_dnn_executor.release(frame)
    if outcome.success and frame.new_account is not None:
        outcome = _deposit_code(machine, frame.new_account, outcome)
    if not outcome.success:
        revert(machine, frame.marks)
    trace_end(machine, frame.depth, outcome)
    return outcome


def _deposit_code(machine: Machine, address: bytes, outcome: Outcome) -> Outcome:
    code = outcome.output
    if machine.fork >= Fork.LONDON and code.startswith(b"\xef"):
        return failed(HaltKind.CODE_PREFIX)
    price = len(code) * machine.constant("CREATE", "per_code_byte")
    if price > outcome.gas_left:
        if machine.fork >= Fork.HOMESTEAD:
            return failed(HaltKind.OUT_OF_GAS)
        return Outcome(True, b"", outcome.gas_left)
    if machine.fork >= Fork.SPURIOUS_DRAGON and len(code) > MAX_CODE_SIZE:
        return failed(HaltKind.CODE_SIZE, f"{len(code)} bytes of code, at most {MAX_CODE_SIZE} are allowed")
    machine.state.set_code(address, code)
    return Outcome(True, code, outcome.gas_left - price)
