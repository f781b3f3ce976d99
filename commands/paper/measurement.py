"""What an experiment gives, and how time is taken."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Measurement:
    """One number: ``quantity`` of a ``network`` for a ``figure`` of the paper. ``definition`` says what was measured,
    the same for all networks. ``value`` None: not measured, ``definition`` or ``note`` says why. ``estimated``:
    computed from other measurements."""

    figure: str
    network: str
    quantity: str
    value: float | None
    unit: str
    definition: str
    note: str = ""
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class Duration:
    """Milliseconds of wall time, and of the calling thread's processor time."""

    wall: float
    processor: float

    def __sub__(self, other: Duration) -> Duration:
        return Duration(max(0.0, self.wall - other.wall), max(0.0, self.processor - other.processor))

    def __add__(self, other: Duration) -> Duration:
        return Duration(self.wall + other.wall, self.processor + other.processor)

    def times(self, factor: float) -> Duration:
        """So much for ``factor`` times the work."""
        return Duration(self.wall * factor, self.processor * factor)


def least_duration(run: Callable[[], Any], repetitions: int) -> Duration:
    """The least of some runs, wall and processor time apart: a shared machine only ever adds to them."""
    wall = processor = float("inf")
    for _ in range(repetitions):
        began, thread_began = time.perf_counter_ns(), time.thread_time_ns()
        run()
        processor = min(processor, (time.thread_time_ns() - thread_began) / 1e6)
        wall = min(wall, (time.perf_counter_ns() - began) / 1e6)
    return Duration(wall, processor)


def process_milliseconds(runs: dict[str, Callable[[], Any]], repetitions: int) -> dict[str, float]:
    """Milliseconds of the process's CPU time of each of some runs: the fastest of some, taken turn by turn; short
    ones are timed several together."""
    counts = {}
    for name, run in runs.items():
        run()
        began = time.process_time_ns()
        run()
        counts[name] = max(1, min(100, 5_000_000 // max(1, time.process_time_ns() - began)))
    best = dict.fromkeys(runs, float("inf"))
    for _ in range(repetitions):
        for name, run in runs.items():
            began = time.process_time_ns()
            for _ in range(counts[name]):
                run()
            best[name] = min(best[name], (time.process_time_ns() - began) / counts[name] / 1e6)
    return best
