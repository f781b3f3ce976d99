"""Where the memory slots of functions lie: frames that are never in use at the same time share memory."""

from __future__ import annotations

from collections.abc import Mapping

from smartvm.compiler.backend.effects import call_order
from smartvm.compiler.backend.ssa import Program


def frame_offsets(program: Program, sizes: Mapping[int, int]) -> tuple[dict[int, int], int]:
    """First slot of each function's frame, by function number, and the slots used in all.

    A function's frame lies above the frames of all functions it may call. Functions that call each other lie
    side by side (what a recursive call overwrites, its caller saves on the stack)."""
    offsets: dict[int, int] = {}
    ends: dict[int, int] = {}
    total = 0
    for component in call_order(program):
        members = {function.number for function in component}
        start = 0
        for function in component:
            for block in function.blocks:
                for operation in block.operations:
                    callee = operation.callee
                    if callee is not None and callee.number not in members:
                        start = max(start, ends[callee.number])
        for function in component:
            offsets[function.number] = start
            start += sizes[function.number]
        for number in members:
            ends[number] = start
        total = max(total, start)
    return offsets, total
