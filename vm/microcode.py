"""Instructions given in Yul: their microcode runs as one instruction, in a frame that shares the executing
frame's memory, storage, input and Buffers but has a stack of its own.

At the start that stack holds a zero word and above it the operands, the first on top; at STOP the results are
on its top, the first uppermost. The table's gas is all it costs, besides growth of memory; under the gas rule
`microcode` the frame pays `percent` / 100 of what the code costs by the ordinary prices as well. So that it
cannot run forever it has a budget of its own, and what spends or shows gas that the frame would have to pay
(calls, creations, GAS) is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from smartvm.errors import SmartVMError
from smartvm.instructions.model import Instruction
from smartvm.vm.entering import new_frame
from smartvm.vm.frame import MICROCODE, Frame
from smartvm.vm.halts import ExceptionalHalt, OutOfGas
from smartvm.vm.messages import HaltKind
from smartvm.vm.native.layout import BUFFERS_WITHHELD
from smartvm.vm.outcome import Outcome
from smartvm.vm.plan import ExecutionPlan

if TYPE_CHECKING:
    from smartvm.vm.machine import Machine

#: Gas that microcode may use by the ordinary prices before it counts as endless.
BUDGET = 10_000_000

_REFUSED_FAMILIES = {"call"}
_REFUSED = {"GAS"}


class MicrocodeError(SmartVMError):
    """Microcode that cannot be run as one instruction."""


def check_microcode(plan: ExecutionPlan, instruction: Instruction, code: bytes) -> None:
    """Raise ``MicrocodeError`` for code with an instruction that microcode may not have."""
    counter = 0
    while counter < len(code):
        part = plan.instructions.get(code[counter])
        if part is not None:
            if part.family in _REFUSED_FAMILIES or part.name in _REFUSED:
                raise MicrocodeError(
                    f"the microcode of {instruction.name} uses {part.name}, which it must not"
                )
            counter += part.immediate_bytes
        counter += 1


def enter_microcode(
    machine: Machine, parent: Frame, instruction: Instruction, code: bytes, operands: list[int]
) -> Frame:
    """The frame that executes an instruction's microcode."""
    machine.withhold_buffers(parent)
    frame = new_frame(
        machine,
        MICROCODE,
        parent.depth + 1,
        code,
        parent.caller,
        parent.address,
        parent.code_address,
        parent.value,
        parent.data,
        _budget(machine.plan, parent, instruction),
        parent.is_static,
        parent.memory_start,
    )
    frame.microcode_of = instruction
    frame.set_field("buffers", BUFFERS_WITHHELD)
    frame.set_field("memory_size", parent.memory_size)
    frame.set_return_data(parent.return_data)
    frame.buffer, frame.saved_buffers = parent.buffer, parent.saved_buffers
    frame.push(0)
    for operand in reversed(operands):
        frame.push(operand)
    return frame


def _percent(plan: ExecutionPlan, instruction: Instruction) -> int:
    """How much of the code's own gas the frame pays."""
    rule = plan.gas_rules[instruction.opcode]
    return rule.constant("percent") if rule.dynamic == "microcode" else 0


def _budget(plan: ExecutionPlan, parent: Frame, instruction: Instruction) -> int:
    percent = _percent(plan, instruction)
    return min(BUDGET, parent.gas * 100 // percent) if percent else BUDGET


def leave_microcode(
    machine: Machine, parent: Frame, frame: Frame, outcome: Outcome, *, stopped: bool
) -> Outcome | None:
    """Give the results to the executing frame; or the outcome that it ends with too. Raises
    ``ExceptionalHalt``."""
    instruction = frame.microcode_of
    assert instruction is not None
    parent.buffer = frame.buffer
    if outcome.halt is not None:
        if outcome.halt.kind is HaltKind.OUT_OF_GAS:
            if _budget(machine.plan, parent, instruction) < BUDGET:
                raise OutOfGas
            raise ExceptionalHalt(
                HaltKind.INSTRUCTION_FAILURE, f"expected an end within {BUDGET} gas of microcode, found none"
            )
        raise ExceptionalHalt(outcome.halt.kind, f"in its microcode: {outcome.halt.message}")
    percent = _percent(machine.plan, instruction)
    if percent:
        spent = _budget(machine.plan, parent, instruction) - outcome.gas_left
        parent.charge((spent * percent + 99) // 100)
    parent.expand((0, frame.memory_size), keep=True)
    if not stopped:
        return Outcome(outcome.success, outcome.output, parent.gas)
    results = frame.stack()
    count = len(instruction.results)
    if len(results) < count:
        raise MicrocodeError(
            f"the microcode of {instruction.name} left {len(results)} words, expected {count}"
        )
    for value in results[len(results) - count :]:
        parent.push(value)
    return None
