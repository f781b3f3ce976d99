"""The reference EVM: executes bytecode by the instruction table. Never imports smartvm.compiler."""

from smartvm.vm.forks import LATEST_FORK, Fork, fork_named
from smartvm.vm.machine import Machine
from smartvm.vm.messages import (
    BlockEnvironment,
    ExecutionResult,
    HaltInformation,
    HaltKind,
    Log,
    Message,
    TransactionEnvironment,
)
from smartvm.vm.tracing import FrameEndEvent, FrameEvent, KernelEvent, StepEvent, Tracer
from smartvm.vm.world import WorldState

__all__ = [
    "LATEST_FORK",
    "BlockEnvironment",
    "ExecutionResult",
    "Fork",
    "FrameEndEvent",
    "FrameEvent",
    "HaltInformation",
    "HaltKind",
    "KernelEvent",
    "Log",
    "Machine",
    "Message",
    "StepEvent",
    "Tracer",
    "TransactionEnvironment",
    "WorldState",
    "fork_named",
]
