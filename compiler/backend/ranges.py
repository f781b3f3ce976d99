"""Source ranges of utility functions (ABI coding, checked arithmetic, storage access), which have none of their own.

Where one is inlined, its code takes the call's range (``inlining``). One that is left, and is called for a single
range of the source, stands for that range. One that several ranges share keeps the explicit -1 of source maps:
debuggers and profilers then stay at the line that called it, which is the one it works for. (solc gives such code
the range of the whole contract.)
"""

from __future__ import annotations

from smartvm.compiler.backend.effects import call_order
from smartvm.compiler.backend.ssa import Function, Program
from smartvm.compiler.source import SourceRange


def settle_ranges(program: Program) -> None:
    """Give utility functions that serve one range that range, callers before callees."""
    callers: dict[int, dict[SourceRange, None]] = {}
    for component in reversed(call_order(program)):
        members = {function.number for function in component}
        for function in component:
            if function.source.start < 0 and not function.is_main:
                ranges = list(callers.get(function.number, ()))
                if len(ranges) == 1 and ranges[0].start >= 0:
                    _give(function, ranges[0])
        for function in component:
            for block in function.blocks:
                for operation in block.operations:
                    callee = operation.callee
                    if callee is not None and callee.number not in members:
                        callers.setdefault(callee.number, {})[operation.source] = None


def _give(function: Function, source: SourceRange) -> None:
    function.source = source
    for block in function.blocks:
        if block.source.start < 0:
            block.source = source
        for operation in block.operations:
            if operation.source.start < 0:
                operation.source = source
