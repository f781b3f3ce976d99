"""Events that a traced execution sends. The machine knows no trace format: see ``trace`` for EIP-3155."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class StepEvent:
    """An instruction about to execute. ``gas`` is what is left before it; ``stack`` bottom first;
    ``memory_size`` in bytes; ``refund`` the transaction's counter; ``depth`` 1 for the outermost frame."""

    program_counter: int
    opcode: int
    name: str
    gas: int
    depth: int
    stack: tuple[int, ...]
    memory: bytes
    return_data: bytes
    refund: int
    code_address: bytes


@dataclass(frozen=True, slots=True)
class FrameEvent:
    """A frame about to start: ``kind`` is the mnemonic that makes it (CALL for the outermost one),
    ``caller_gas`` what its caller has left meanwhile (None for the outermost one)."""

    kind: str
    depth: int
    caller: bytes
    target: bytes
    code_address: bytes
    value: int
    data: bytes
    gas: int
    caller_gas: int | None = None


@dataclass(frozen=True, slots=True)
class FrameEndEvent:
    """A frame that ended; ``error`` names an exceptional halt or a revert, None is success."""

    depth: int
    output: bytes
    gas_left: int
    error: str | None


@dataclass(frozen=True, slots=True)
class KernelEvent:
    """A DNN instruction or a user's kernel that was executed: its ``gas`` (constant and dynamic) and the CPU
    time of this thread that the kernel took. Unlike steps these are observed without slowing the rest down."""

    name: str
    operands: tuple[int, ...]
    gas: int
    nanoseconds: int


class Tracer(Protocol):
    """Receives events while a machine executes; must not change anything."""

    def step(self, event: StepEvent) -> None:
        """Before each instruction."""
        ...

    def enter(self, event: FrameEvent) -> None:
        """Before each frame."""
        ...

    def exit(self, event: FrameEndEvent) -> None:
        """After each frame."""
        ...
