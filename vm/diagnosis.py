"""Says which instruction halted a frame, and why, in words."""

from __future__ import annotations

from smartvm.vm.frame import Frame
from smartvm.vm.halts import ExceptionalHalt
from smartvm.vm.messages import HaltInformation, HaltKind
from smartvm.vm.native.layout import STACK_LIMIT, Reason, Shape
from smartvm.vm.plan import ExecutionPlan

_KINDS = {
    Reason.OUT_OF_GAS: HaltKind.OUT_OF_GAS,
    Reason.INVALID_INSTRUCTION: HaltKind.INVALID_INSTRUCTION,
    Reason.INVALID_JUMP: HaltKind.INVALID_JUMP,
    Reason.STATIC_VIOLATION: HaltKind.STATIC_VIOLATION,
    Reason.RETURNDATA_OUT_OF_BOUNDS: HaltKind.RETURNDATA_OUT_OF_BOUNDS,
}

#: A HOST cell and its field; the frame's position is behind them.
HOST_CELL_BYTES = 16


def _information(
    plan: ExecutionPlan, frame: Frame, kind: HaltKind, counter: int, more: str
) -> HaltInformation:
    code = frame.code.code_bytes
    name = plan.name(code[counter]) if counter < len(code) else "STOP"
    text = f"{name} at {counter}: {more or kind.value}"
    return HaltInformation(kind, name, counter, text)


def halt_of_host(plan: ExecutionPlan, frame: Frame, halt: ExceptionalHalt) -> HaltInformation:
    """An instruction that Python executed raised ``halt``."""
    counter = frame.code.program_counter(frame.position - HOST_CELL_BYTES)
    return _information(plan, frame, halt.kind, counter, str(halt))


def halt_of_reason(plan: ExecutionPlan, frame: Frame, reason: Reason, component: int) -> HaltInformation:
    """Compiled code left for ``reason`` at instruction ``component`` of the frame's cell."""
    counter = frame.code.program_counter(frame.position)
    if reason == Reason.BLOCK_REFUSED:
        return _refused_block(plan, frame, counter)
    code = frame.code.code_bytes
    for _ in range(component):
        instruction = plan.instructions.get(code[counter]) if counter < len(code) else None
        counter += 1 + (instruction.immediate_bytes if instruction else 0)
    return _information(plan, frame, _KINDS[reason], counter, "")


def _refused_block(plan: ExecutionPlan, frame: Frame, counter: int) -> HaltInformation:
    """Walk the block by its constant gas and stack use to the instruction that cannot be executed."""
    gas, height = frame.gas, frame.stack_size
    code = frame.code.code_bytes
    while counter < len(code):
        instruction = plan.instructions.get(code[counter])
        if instruction is None:
            break
        base = plan.gas_rules[code[counter]].base
        if height < len(instruction.operands):
            expected = f"expected {len(instruction.operands)} words on the stack, found {height}"
            return _information(
                plan, frame, HaltKind.STACK_UNDERFLOW, counter, f"stack underflow: {expected}"
            )
        height += len(instruction.results) - len(instruction.operands)
        if height > STACK_LIMIT:
            return _information(plan, frame, HaltKind.STACK_OVERFLOW, counter, "")
        gas -= base
        if gas < 0:
            more = f"out of gas: costs {base}, {gas + base} left"
            return _information(plan, frame, HaltKind.OUT_OF_GAS, counter, more)
        if plan.shape(instruction) not in (Shape.PLAIN, Shape.PUSH, Shape.JUMP_TARGET, Shape.PROGRAM_COUNTER):
            break
        counter += 1 + instruction.immediate_bytes
    return _information(plan, frame, HaltKind.OUT_OF_GAS, min(counter, len(code)), "")
