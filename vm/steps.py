"""Step events from a frame that stands at a TRACE cell."""

from __future__ import annotations

from smartvm.vm.frame import Frame
from smartvm.vm.plan import ExecutionPlan
from smartvm.vm.tracing import StepEvent

#: A TRACE cell has no fields; the frame's position is behind it.
_TRACE_CELL_BYTES = 8


def step_event(plan: ExecutionPlan, frame: Frame, refund: int) -> StepEvent:
    """The event of the instruction that the frame is about to execute."""
    counter = frame.code.program_counter(frame.position - _TRACE_CELL_BYTES)
    code = frame.code.code_bytes
    opcode = code[counter] if counter < len(code) else 0
    return StepEvent(
        program_counter=counter,
        opcode=opcode,
        name=plan.name(opcode),
        gas=frame.gas,
        depth=frame.depth + 1,
        stack=frame.stack(),
        memory=frame.read_memory(0, frame.memory_size),
        return_data=frame.return_data,
        refund=refund,
        code_address=frame.code_address,
    )
