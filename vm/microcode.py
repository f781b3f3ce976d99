"""Instructions given in Yul: their microcode runs as one instruction, in a frame that shares the executing frame's
memory, storage, input and Buffers but has a stack of its own.

The operands are on that stack at the start, the first on top; what is on it at STOP are the results. The table's gas is
all it costs, besides growth of memory. So that it cannot run forever it has a budget of its own, and what spends or shows
gas that the frame would have to pay (calls, creations, GAS) is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from smartvm.errors import SmartVMError
from smartvm.instructions.model import Instruction
from smartvm.vm.frame import Frame
from smartvm.vm.halts import ExceptionalHalt
from smartvm.vm.messages import HaltKind
from smartvm.vm.outcome import Outcome
from smartvm.vm.plan import ExecutionPlan

if TYPE_CHECKING:
    from smartvm.vm.machine import Machine

#: Gas that microcode may use by the ordinary prices before it counts as endless.
BUDGET = 10_000_000

_REFUSED_FAMILIES = {"call"}
_REFUSED = {"GAS"}

MICROCODE = "MICROCODE"


class MicrocodeError(SmartVMError):
    """Microcode that cannot be run as one instruction."""


def check_microcode(plan: ExecutionPlan, instruction: Instruction, code: bytes) -> None:
    """Raise ``MicrocodeError`` for code with an instruction that microcode may not have."""
    counter = 0
    while counter < len(code):
        part = plan.instructions.get(code[counter])
        if part is not None:
            if part.family in _REFUSED_FAMILIES or part.name in _REFUSED:
                raise MicrocodeError(f"the microcode of {instruction.name} uses {part.name}, which it must not")
            counter += part.immediate_bytes
        counter += 1


def enter_microcode(
    machine: Machine, parent: Frame, instruction: Instruction, code: bytes, operands: list[int]
) -> Frame:
    """The frame that executes an instruction's microcode."""
    frame = machine.new_frame(
        MICROCODE,
        parent.depth + 1,
        code,
        parent.caller,
        parent.address,
        parent.code_address,
        parent.value,
        parent.data,
        BUDGET,
        parent.is_static,
        parent.memory_start,
    )
    frame.microcode_of = instruction
    frame.set_field("memory_size", parent.memory_size)
    frame.set_return_data(parent.return_data)
    frame.buffer, frame.saved_buffers = parent.buffer, parent.saved_buffers
    for operand in reversed(operands):
        frame.push(operand)
    return frame


def leave_microcode(parent: Frame, frame: Frame, outcome: Outcome, *, stopped: bool) -> Outcome | None:
    """Give the results to the executing frame; or the outcome that it ends with too. Raises ``ExceptionalHalt``."""
    instruction = frame.microcode_of
    assert instruction is not None
    parent.buffer = frame.buffer
    if outcome.halt is not None:
        if outcome.halt.kind is HaltKind.OUT_OF_GAS:
            raise ExceptionalHalt(
                HaltKind.INSTRUCTION_FAILURE, f"expected an end within {BUDGET} gas of microcode, found none"
            )
        raise ExceptionalHalt(outcome.halt.kind, f"in its microcode: {outcome.halt.message}")
    parent.expand((0, frame.memory_size), keep=True)
    if not stopped:
        return Outcome(outcome.success, outcome.output, parent.gas)
    results = frame.stack()
    if len(results) != len(instruction.results):
        raise MicrocodeError(
            f"the microcode of {instruction.name} left {len(results)} words, expected {len(instruction.results)}"
        )
    for value in results:
        parent.push(value)
    return None
