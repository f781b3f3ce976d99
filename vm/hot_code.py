"""Which code of one machine the compiled tier compiles, and when."""

from __future__ import annotations

import ctypes
import math
import time

from smartvm.vm.code import AnalysedCode
from smartvm.vm.frame import Frame
from smartvm.vm.messages import Engine
from smartvm.vm.native.library import Interpreter
from smartvm.vm.plan import ExecutionPlan
from smartvm.vm.tier import PATIENCE, compiled_tier


class HotCode:
    """Has code compiled that is executed often; with the engine ``auto`` only when the machine has executed for as
    long already as compiling will take."""

    def __init__(self, interpreter: Interpreter, plan: ExecutionPlan, engine: Engine, traced: bool) -> None:
        self._tier = compiled_tier(interpreter, plan)
        self._patience = PATIENCE[engine]
        self._compiles = engine != "interpreter" and not traced
        self._is_limited = engine == "auto"
        self._executed_ns = 0  # by all calls until now, compiling included
        self._compiling_ns = 0
        self._started_ns = 0

    @property
    def jumps_back(self) -> int:
        """How often a block is jumped back to before ``jumped_back`` is to be called; 0: never."""
        return self._patience.jumps_back

    def starts(self) -> None:
        """The machine starts executing."""
        self._started_ns = time.perf_counter_ns() - self._executed_ns

    def ends(self) -> None:
        """It is done."""
        self._executed_ns = time.perf_counter_ns() - self._started_ns

    def entered(self, code: AnalysedCode) -> None:
        """Code is about to be executed from its start."""
        if self._compiles:
            code.entries += 1
            if code.entries == self._patience.entries:
                self._compile(code, 0)

    def jumped_back(self, frame: Frame) -> None:
        """The frame asks for a block to be compiled."""
        if not self._compile(frame.code, frame.code.program_counter(frame.field("detail"))):
            # ask again later: the counter starts anew
            ctypes.c_uint64.from_address(frame.field("needed")).value = self._patience.jumps_back

    def _compile(self, code: AnalysedCode, head: int) -> bool:
        """Compile a region, if that pays; whether the matter is settled."""
        affordable = math.inf
        if self._is_limited:
            affordable = time.perf_counter_ns() - self._started_ns - 2 * self._compiling_ns
        spent = self._tier.compile(code, head, affordable)
        if spent is None:
            return False
        self._compiling_ns += spent
        return True
