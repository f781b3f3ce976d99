"""Analysed code, and the machine's cache of it."""

from __future__ import annotations

from collections import OrderedDict
from functools import lru_cache

import numpy as np
from smartvm.vm.native.layout import (
    CODE_PADDING,
    STREAM_FIELDS_EXTRA,
    STREAM_FIELDS_PER_BYTE,
    TRACED,
    UNFUSED,
)
from smartvm.vm.native.library import Interpreter
from smartvm.vm.plan import ExecutionPlan

#: Of a stream's field that is no cell.
NO_COUNTER = 0xFFFFFFFF


class AnalysedCode:
    """Code and its stream of cells. ``code``, ``targets`` and ``stream`` are addresses."""

    __slots__ = (
        "_arrays",
        "blocks",
        "code",
        "code_bytes",
        "compiled",
        "counters",
        "entries",
        "first",
        "kept",
        "length",
        "plain",
        "size",
        "stream",
        "stream_fields",
        "target_indexes",
        "targets",
    )

    def __init__(
        self, interpreter: Interpreter, plan: ExecutionPlan, code: bytes, mode: int, patience: int
    ) -> None:
        self.code_bytes = code
        self.size = len(code)
        padded = np.zeros(self.size + CODE_PADDING, np.uint8)
        padded[: self.size] = np.frombuffer(code, np.uint8)
        targets = np.zeros(self.size + 1, np.uint32)
        fields = STREAM_FIELDS_PER_BYTE * self.size + STREAM_FIELDS_EXTRA
        stream = np.empty(fields, np.uint64)
        self.counters = (
            np.full(fields, NO_COUNTER, np.uint32) if mode == UNFUSED else np.empty(fields, np.uint32)
        )
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
            patience,
        )
        self.first = self.stream + 8
        self._arrays = (padded, targets, stream)
        self.stream_fields, self.target_indexes = stream, targets
        self.length = length
        self.entries = 0  # how often it was executed from its start
        self.plain: AnalysedCode | None = None  # the unfused stream that compiled regions go on with
        self.blocks: object = None  # of the unfused stream
        self.compiled: set[int] = set()  # heads of compiled regions
        self.kept: list[object] = []  # machine code that the streams refer to

    def program_counter(self, position: int) -> int:
        """The program counter of the cell at an address of its stream or its unfused stream."""
        if self.plain is not None and not 0 <= position - self.stream < 8 * self.length:
            return self.plain.program_counter(position)
        return int(self.counters[(position - self.stream) // 8])


class CodeCache:
    """A plan's analysed code by content, the least recently used leaving when there is too much."""

    def __init__(
        self, interpreter: Interpreter, plan: ExecutionPlan, *, traced: bool = False, patience: int = 0
    ) -> None:
        self._interpreter = interpreter
        self._plan = plan
        self._patience = 0 if traced else patience
        self._mode = TRACED | UNFUSED if traced else 0
        self._codes: OrderedDict[bytes, AnalysedCode] = OrderedDict()
        self._bytes = 0
        self._limit = 2 << 20

    def get(self, code: bytes) -> AnalysedCode:
        """The analysed code."""
        found = self._codes.get(code)
        if found is not None:
            return found
        analysed = AnalysedCode(self._interpreter, self._plan, code, self._mode, self._patience)
        self._codes[code] = analysed
        self._bytes += len(code)
        while self._bytes > self._limit and len(self._codes) > 1:
            _, old = self._codes.popitem(last=False)
            self._bytes -= old.size
        return analysed


@lru_cache(maxsize=64)
def code_cache(
    interpreter: Interpreter, plan: ExecutionPlan, *, traced: bool = False, patience: int = 0
) -> CodeCache:
    """The cache that all machines with this plan share: code is analysed, and compiled, once in a process."""
    return CodeCache(interpreter, plan, traced=traced, patience=patience)
