"""EIP-3155: one JSON object per instruction, and a summary."""

from __future__ import annotations

import json
from typing import Any, TextIO

from smartvm.vm.messages import ExecutionResult
from smartvm.vm.tracing import FrameEndEvent, FrameEvent, StepEvent


class StandardTracer:
    """Writes EIP-3155 lines to ``output``; with ``memory`` each line holds the frame's whole memory."""

    def __init__(self, output: TextIO, *, memory: bool = False) -> None:
        self._output = output
        self._with_memory = memory
        self._waiting: tuple[StepEvent, dict[str, Any]] | None = None

    def step(self, event: StepEvent) -> None:
        """An instruction about to execute. It is written when its cost is known: at the next event."""
        self._write_waiting(event.gas if self._waiting and self._waiting[0].depth == event.depth else None)
        line: dict[str, Any] = {
            "pc": event.program_counter,
            "op": event.opcode,
            "gas": hex(event.gas),
            "gasCost": "0x0",
            "memSize": len(event.memory),
            "stack": [hex(word) for word in event.stack],
            "depth": event.depth,
            "returnData": "0x" + event.return_data.hex(),
            "refund": hex(max(event.refund, 0)),
            "opName": event.name,
        }
        if self._with_memory:
            line["memory"] = "0x" + event.memory.hex()
        self._waiting = (event, line)

    def enter(self, event: FrameEvent) -> None:
        """A frame starts: what its caller's instruction has cost includes the gas that goes along."""
        self._write_waiting(event.caller_gas)

    def exit(self, event: FrameEndEvent) -> None:
        """A frame ended."""
        self._write_waiting(event.gas_left if event.error is None else None, error=event.error)

    def finish(self, result: ExecutionResult) -> None:
        """Write the summary."""
        line = {
            "output": "0x" + result.output.hex(),
            "gasUsed": hex(result.gas_used),
            "pass": result.success,
        }
        if result.error is not None:
            line["error"] = result.error.message
        print(json.dumps(line), file=self._output)

    def _write_waiting(self, gas_after: int | None, *, error: str | None = None) -> None:
        if self._waiting is None:
            return
        event, line = self._waiting
        self._waiting = None
        cost = event.gas - gas_after if gas_after is not None else 0
        line["gasCost"] = hex(max(cost, 0))
        if error is not None:
            line["error"] = error
        print(json.dumps(line), file=self._output)


class GasProfiler:
    """Adds up gas by code address and program counter; a call's gas is counted where it is spent."""

    def __init__(self) -> None:
        #: (code address, program counter) to (times executed, gas).
        self.by_instruction: dict[tuple[bytes, int], tuple[int, int]] = {}
        self._open: list[tuple[StepEvent | None, int]] = []

    def step(self, event: StepEvent) -> None:
        """Close the frame's instruction before, open this one."""
        self._close(event.gas)
        self._open[-1] = (event, 0)

    def enter(self, event: FrameEvent) -> None:
        """What goes along into a frame is not its caller's cost."""
        if self._open:
            step, passed = self._open[-1]
            self._open[-1] = (step, passed + event.gas)
        self._open.append((None, 0))

    def exit(self, event: FrameEndEvent) -> None:
        """What comes back was not spent."""
        self._close(event.gas_left)
        self._open.pop()
        if self._open:
            step, passed = self._open[-1]
            self._open[-1] = (step, passed - event.gas_left)

    def _close(self, gas_now: int) -> None:
        step, passed_and_not_returned = self._open[-1]
        if step is None:
            return
        key = (step.code_address, step.program_counter)
        times, gas = self.by_instruction.get(key, (0, 0))
        self.by_instruction[key] = (times + 1, gas + step.gas - gas_now - passed_and_not_returned)
        self._open[-1] = (None, 0)
