"""Analysed code, and the machine's cache of it."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np

from smartvm.vm.native.analysis import (
    CODE_PADDING,
    STREAM_FIELDS_EXTRA,
    STREAM_FIELDS_PER_BYTE,
    TRACED,
    UNFUSED,
)
from smartvm.vm.native.library import Interpreter
from smartvm.vm.plan import ExecutionPlan


class AnalysedCode:
    """Code and its stream of cells. ``code``, ``targets`` and ``stream`` are addresses."""

    __slots__ = ("_arrays", "code", "code_bytes", "counters", "executed_gas", "first", "size", "stream", "targets")

    def __init__(self, interpreter: Interpreter, plan: ExecutionPlan, code: bytes, mode: int) -> None:
        self.code_bytes = code
        self.size = len(code)
        padded = np.zeros(self.size + CODE_PADDING, np.uint8)
        padded[: self.size] = np.frombuffer(code, np.uint8)
        targets = np.zeros(self.size + 1, np.uint32)
        fields = STREAM_FIELDS_PER_BYTE * self.size + STREAM_FIELDS_EXTRA
        stream = np.empty(fields, np.uint64)
        self.counters = np.empty(fields, np.uint32)
        self.code, self.targets, self.stream = padded.ctypes.data, targets.ctypes.data, stream.ctypes.data
        length = interpreter.analyse(
            plan.descriptors.ctypes.data,
            plan.transitions.ctypes.data,
            interpreter.handlers,
            self.code,
            self.size,
            self.stream,
            self.targets,
            self.counters.ctypes.data,
            mode,
        )
        self.first = self.stream + 8
        self._arrays = (padded, targets, stream)
        self.executed_gas = 0
        assert length <= fields

    def program_counter(self, position: int) -> int:
        """The program counter of the cell at an address."""
        return int(self.counters[(position - self.stream) // 8])


class CodeCache:
    """Analysed code by content, the least recently used leaving when there is too much."""

    def __init__(self, interpreter: Interpreter, plan: ExecutionPlan, *, traced: bool = False) -> None:
        self._interpreter = interpreter
        self._plan = plan
        self._mode = TRACED | UNFUSED if traced else 0
        self._codes: OrderedDict[bytes, AnalysedCode] = OrderedDict()
        self._bytes = 0
        self._limit = 4 << 20

    def get(self, code: bytes) -> AnalysedCode:
        """The analysed code."""
        found = self._codes.get(code)
        if found is not None:
            return found
        analysed = AnalysedCode(self._interpreter, self._plan, code, self._mode)
        self._codes[code] = analysed
        self._bytes += len(code)
        while self._bytes > self._limit and len(self._codes) > 1:
            _, old = self._codes.popitem(last=False)
            self._bytes -= old.size
        return analysed
