"""Executes instructions that the table adds: DNN kernels, users' kernels, and Yul compiled to microcode.

All are reached through the door as one instruction: operands popped and constant gas charged; see
``extension``.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from smartvm.errors import SmartVMError
from smartvm.instructions.model import Gas, Instruction
from smartvm.vm.diagnosis import HOST_CELL_BYTES
from smartvm.vm.dnn.buffer import Buffer
from smartvm.vm.dnn.weights.blocks import WeightBlock
from smartvm.vm.extension import BlocksView, GasMeter, Kernel, MemoryView, StorageView
from smartvm.vm.frame import Frame
from smartvm.vm.halts import ExceptionalHalt
from smartvm.vm.messages import HaltKind
from smartvm.vm.microcode import check_microcode, enter_microcode
from smartvm.vm.native.layout import BUFFERS_WITHHELD, STACK_LIMIT
from smartvm.vm.plan import ExecutionPlan
from smartvm.vm.slot_blocks import SlotBlocks
from smartvm.vm.tracing import KernelEvent

if TYPE_CHECKING:
    from smartvm.vm.dnn.weights.prefetch import Prefetcher
    from smartvm.vm.machine import Machine
    from smartvm.vm.outcome import Outcome

_WORD_MASK = (1 << 256) - 1


class ExtensionError(SmartVMError):
    """An instruction that the table adds cannot be executed: its kernel is missing or gave what it must
    not."""


class _Gas:
    __slots__ = ("_frame", "_prefetcher")

    def __init__(self, frame: Frame, prefetcher: Prefetcher | None) -> None:
        self._frame = frame
        self._prefetcher = prefetcher

    @property
    def remaining(self) -> int:
        return self._frame.gas

    def charge(self, amount: int) -> None:
        self._frame.charge(amount)
        if self._prefetcher is not None:
            self._prefetcher.credit += amount


class _Memory:
    __slots__ = ("_frame",)

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def read(self, offset: int, length: int) -> bytes:
        self._frame.expand((offset, length))
        return self._frame.read_memory(offset, length)

    def write(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        self._frame.expand((offset, len(data)))
        self._frame.write_memory(offset, data)

    def expand(self, offset: int, length: int) -> None:
        self._frame.expand((offset, length))

    @property
    def size(self) -> int:
        return self._frame.memory_size


class _Storage:
    __slots__ = ("_frame", "_machine")

    def __init__(self, machine: Machine, frame: Frame) -> None:
        self._machine = machine
        self._frame = frame

    def get(self, slot: int) -> int:
        return self._machine.storage(self._frame.address, slot & _WORD_MASK)

    def set(self, slot: int, value: int) -> None:
        if self._frame.is_static:
            raise ExceptionalHalt(HaltKind.STATIC_VIOLATION)
        entry = self._machine.slot_entry(self._frame.address, slot & _WORD_MASK)
        self._machine.arenas.set_slot(entry, value & _WORD_MASK)


class _Blocks:
    __slots__ = ("_frame", "_machine")

    def __init__(self, machine: Machine, frame: Frame) -> None:
        self._machine = machine
        self._frame = frame

    def touch(self, block_id: int) -> bool:
        return self._machine.block_directory.touch(self._frame.address, block_id)

    def load(self, block_id: int) -> WeightBlock | None:
        machine, frame = self._machine, self._frame
        entry = machine.state.block_entry(frame.address, block_id)
        if entry is None:
            return None
        block = machine.blocks.block(entry)
        prefetcher = machine.prefetcher
        if prefetcher is not None and (not block.is_ready or prefetcher.follows(frame)):
            if frame.buffer is not None and frame.buffer.deferred is None:
                prefetcher.ends = frame.buffer.extremes  # which gas will depend on in any case
            prefetcher.reached(frame, block_id, partial(machine.state.block_entry, frame.address), self._position)
        return block

    def _position(self) -> tuple[bytes, int, tuple[int, ...]]:
        """Code, program counter and stack behind the instruction, which leaves no results."""
        code = self._frame.code
        counter = code.program_counter(self._frame.position - HOST_CELL_BYTES)
        return code.code_bytes, counter + 1, self._frame.stack()

    def store(self, block_id: int, block: WeightBlock | None) -> None:
        if self._frame.is_static:
            raise ExceptionalHalt(HaltKind.STATIC_VIOLATION)
        if block is not None:
            self._machine.blocks.keep(block)
        self._machine.state.set_block(self._frame.address, block_id, None if block is None else block.entry)


class FrameContext:
    """``InstructionContext`` over a frame."""

    def __init__(
        self, machine: Machine, frame: Frame, instruction: Instruction, rule: Gas, operands: tuple[int, ...]
    ) -> None:
        self._machine = machine
        self._frame = frame
        self._instruction = instruction
        self.operands = operands
        self.gas_rule = rule
        self.gas: GasMeter = _Gas(frame, machine.prefetcher)
        self.memory: MemoryView = _Memory(frame)
        self.storage: StorageView = _Storage(machine, frame)
        self.blocks: BlocksView = SlotBlocks(machine, frame) if machine.weights_as_slots else _Blocks(machine, frame)
        if frame.buffer is None:
            frame.buffer = Buffer()
        self.buffer = frame.buffer
        self.saved_buffers = frame.saved_buffers
        self.is_static = frame.is_static

    def constant(self, name: str) -> int:
        """A named constant of the table."""
        return self._machine.plan.constants[name]

    def stack_room(self) -> int:
        """Words that may still be pushed."""
        return STACK_LIMIT - self._frame.stack_size

    def halt(self, expected: str, found: str) -> Exception:
        """The exceptional halt to raise."""
        return ExceptionalHalt(HaltKind.INSTRUCTION_FAILURE, f"expected {expected}, found {found}")


def _import_kernel(instruction: Instruction, text: str) -> Kernel:
    module_name, _, function_name = text.partition(":")
    try:
        kernel = getattr(importlib.import_module(module_name), function_name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ExtensionError(
            f"the kernel `{text}` of {instruction.name} cannot be imported: {error}"
        ) from error
    if not callable(kernel):
        raise ExtensionError(f"the kernel `{text}` of {instruction.name} is not callable")
    return kernel  # type: ignore[no-any-return]


def _results(instruction: Instruction, given: object) -> tuple[int, ...]:
    if given is None:
        results: tuple[int, ...] = ()
    elif isinstance(given, tuple):
        results = given
    else:
        results = (given,)  # type: ignore[assignment]
    if instruction.result_count is None and len(results) != len(instruction.results):
        expected = len(instruction.results)
        raise ExtensionError(f"the kernel of {instruction.name} gave {len(results)} results, not {expected}")
    for value in results:
        if not isinstance(value, int) or not 0 <= value <= _WORD_MASK:
            raise ExtensionError(
                f"the kernel of {instruction.name} gave {value!r}",
                hint="a result is an integer from 0 to 2^256 - 1",
            )
    return results


def _kernel_executor(plan: ExecutionPlan, instruction: Instruction, kernel: Kernel | None) -> HostExecutor:
    rule = plan.gas_rules[instruction.opcode]
    operand_count = len(instruction.operands)
    only_reads = kernel is None and "buffer" not in instruction.effects.writes

    def execute(machine: Machine, frame: Frame) -> None:
        nonlocal kernel
        if kernel is None:
            kernel = native_kernel(instruction)
        operands = tuple(frame.pop(operand_count)) if operand_count else ()
        executor = machine.dnn_executor(instruction)
        lent = executor is not None and only_reads and executor.lend(frame)
        if executor is None:
            frame.set_field("buffers", BUFFERS_WITHHELD)
        elif not lent:
            executor.take(frame)
        context = FrameContext(machine, frame, instruction, rule, operands)
        gas_before = frame.gas
        began = time.thread_time_ns() if machine.observer is not None else 0
        try:
            given = kernel(context)
        except (ExceptionalHalt, SmartVMError):
            raise
        except Exception as error:
            raise ExtensionError(
                f"the kernel of {instruction.name} failed: {type(error).__name__}: {error}"
            ) from error
        finally:
            if lent:
                frame.buffer = None  # it is still where it was
        if machine.observer is not None:
            context.buffer.settle()  # what was put off is this instruction's own work to who watches
            spent = rule.base + gas_before - frame.gas
            machine.observer(KernelEvent(instruction.name, operands, spent, time.thread_time_ns() - began))
        if not lent:
            frame.buffer = context.buffer
        results = _results(instruction, given)
        if len(results) > context.stack_room():
            raise ExceptionalHalt(HaltKind.STACK_OVERFLOW)
        for value in reversed(results):
            frame.push(value)
        if executor is not None:
            executor.executed(machine, frame, instruction.name, operands)
            if not lent:
                executor.give(frame)

    return execute


HostExecutor = Callable[["Machine", Frame], "Frame | Outcome | None"]


def native_kernel(instruction: Instruction) -> Kernel:
    """The DNN engine's kernel; imported at first use, since it takes time that other programs need not
    spend."""
    from smartvm.vm.dnn import KERNELS

    kernel = KERNELS.get(instruction.name)
    if kernel is None:
        raise ExtensionError(f"no native kernel implements {instruction.name}")
    return kernel


def extension_executor(
    plan: ExecutionPlan, instruction: Instruction, microcode: Mapping[str, bytes]
) -> HostExecutor:
    """What executes an instruction that is not the EVM's own."""
    implementation = instruction.implementation
    assert implementation is not None
    if implementation.kind == "native":
        return _kernel_executor(plan, instruction, None)
    if implementation.kind == "kernel":
        return _kernel_executor(plan, instruction, _import_kernel(instruction, implementation.text))
    code = microcode.get(instruction.name)
    if code is not None:
        check_microcode(plan, instruction, code)

    def execute(machine: Machine, frame: Frame) -> Frame:
        if code is None:
            raise ExtensionError(
                f"{instruction.name} is defined in Yul, but this machine was given no microcode for it"
            )
        operands = frame.pop(len(instruction.operands)) if instruction.operands else []
        return enter_microcode(machine, frame, instruction, code, operands)

    return execute
