"""Exceptional halts, raised by what Python executes for a frame."""

from __future__ import annotations

from smartvm.vm.messages import HaltKind


class ExceptionalHalt(Exception):
    """The frame ends, all its gas is used and its changes are undone. Reported in
    ``ExecutionResult.error``."""

    def __init__(self, kind: HaltKind, message: str = "") -> None:
        super().__init__(message or kind.value)
        self.kind = kind


class OutOfGas(ExceptionalHalt):
    """Less gas is left than the instruction costs."""

    def __init__(self, message: str = "") -> None:
        super().__init__(HaltKind.OUT_OF_GAS, message)
