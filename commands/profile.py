"""Gas by source line, for ``smartvm run --profile``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from smartvm.vm.tracing import FrameEndEvent, FrameEvent, StepEvent, Tracer

#: A source's name and a line in it (from 1); line 0 for code that no line stands behind.
Line = tuple[str, int]

NO_LINE: Line = ("code before any source line", 0)


@dataclass
class LineCost:
    """Gas and instructions of a line."""

    gas: int = 0
    instructions: int = 0


@dataclass
class _Frame:
    line: Line = NO_LINE
    gas_before: int | None = None
    passed: int = 0


class LineProfiler:
    """A tracer that adds up gas by line of one contract.

    Code without a line of its own (the compiler's utility functions) counts for the line that executed last
    in the same frame: it is what that line needed. Code of other accounts counts under their address. Gas
    that a call passes on is counted where it is spent.
    """

    def __init__(self) -> None:
        self.target = b""
        self.lines: Mapping[int, Line] = {}
        self.costs: dict[Line, LineCost] = {}
        self._frames: list[_Frame] = []

    def watch(self, target: bytes, lines: Mapping[int, Line]) -> None:
        """Start anew: profile the contract at ``target``, whose instructions at these offsets have these
        lines."""
        self.target, self.lines = target, lines
        self.costs.clear()

    def step(self, event: StepEvent) -> None:
        """Close the instruction before, open this one."""
        frame = self._frames[-1]
        self._close(frame, event.gas)
        if event.code_address != self.target:
            frame.line = (f"code of 0x{event.code_address.hex()}", 0)
        else:
            frame.line = self.lines.get(event.program_counter, frame.line)
        frame.gas_before = event.gas

    def enter(self, event: FrameEvent) -> None:
        """What goes along into a frame is not its caller's cost."""
        if self._frames:
            self._frames[-1].passed += event.gas
        self._frames.append(_Frame())

    def exit(self, event: FrameEndEvent) -> None:
        """What comes back was not spent."""
        self._close(self._frames.pop(), event.gas_left)
        if self._frames:
            self._frames[-1].passed -= event.gas_left

    def _close(self, frame: _Frame, gas_now: int) -> None:
        if frame.gas_before is None:
            return
        cost = self.costs.setdefault(frame.line, LineCost())
        cost.gas += frame.gas_before - gas_now - frame.passed
        cost.instructions += 1
        frame.gas_before, frame.passed = None, 0


class Tracers:
    """Several tracers as one."""

    def __init__(self, *tracers: Tracer) -> None:
        self._tracers = tracers

    def step(self, event: StepEvent) -> None:
        """Tell all of them."""
        for tracer in self._tracers:
            tracer.step(event)

    def enter(self, event: FrameEvent) -> None:
        """Tell all of them."""
        for tracer in self._tracers:
            tracer.enter(event)

    def exit(self, event: FrameEndEvent) -> None:
        """Tell all of them."""
        for tracer in self._tracers:
            tracer.exit(event)
