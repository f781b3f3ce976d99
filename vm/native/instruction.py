"""How an instruction's body is emitted: operands and results on a virtual stack, gas, memory, ways out.

A body pops and pushes SSA values. Several bodies emitted one after another share the virtual stack, so that
what one pushes and the next pops never reaches memory: that is what a fused cell of the interpreter and a
block of the compiled tier are made of.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import llvmlite.binding as llvm
import llvmlite.ir as ir
from smartvm.vm.native.division import Arithmetic
from smartvm.vm.native.emit import I64, I256, POINTER, Emitter, Value
from smartvm.vm.native.layout import (
    FRAME,
    MACHINE,
    MEMORY_LIMIT_BITS,
    PARAMETERS,
    WORD_BYTES,
    Reason,
)
from smartvm.vm.native.storage import SlotTable

#: frame*, position*, top of the stack*, gas, memory*, memory size
HANDLER_TYPE = ir.FunctionType(I64, [POINTER, POINTER, POINTER, I64, POINTER, I64])

#: Arguments stay in registers from cell to cell; nothing is saved. Older LLVMs have no such convention.
HANDLER_CONVENTION = "preserve_nonecc" if llvm.llvm_version_info[0] >= 19 else "tailcc"


@dataclass(frozen=True, slots=True)
class Support:
    """The functions that bodies call."""

    arithmetic: Arithmetic
    keccak: ir.Function
    remembered_keccak: ir.Function
    slots: SlotTable
    expand_memory: ir.Function
    load_padded: ir.Function
    copy_padded: ir.Function


def declare_in(module: ir.Module, functions: Any) -> Any:
    """Like ``functions`` (``Support``, or what it consists of), as declarations in another module."""
    if isinstance(functions, ir.Function):
        declared = ir.Function(module, functions.function_type, functions.name)
        declared.calling_convention = functions.calling_convention
        return declared
    return type(functions)(*(declare_in(module, getattr(functions, f.name)) for f in fields(functions)))


class InstructionEmitter(Emitter):
    """Emits one handler: a function of ``HANDLER_TYPE`` for one or several instructions."""

    def __init__(self, function: ir.Function, support: Support) -> None:
        super().__init__(function)
        self.support = support
        self.frame, self.position, self.top, self.entry_gas, self.memory, self.entry_size = self.arguments
        self._gas = self.variable(I64, self.entry_gas)
        self._size = self.variable(I64, self.entry_size)
        self.component = 0  # which instruction of the cell is being emitted
        self.finished = False
        self._pending: list[Value] = []  # pushed and not yet in memory, top last
        self._origins: list[int | None] = []  # of each: the depth it was loaded from and unchanged, if so
        self._consumed = 0  # words of the real stack that were taken
        self._arguments = 0

    # -- operands and results

    def pop(self) -> Value:
        """Take the word on top."""
        self._materialize(1)
        self._origins.pop()
        return self._pending.pop()

    def push(self, value: Value) -> None:
        """Put a word (or an ``i1`` or ``i64``, zero-extended) on top."""
        self._pending.append(value.extend(I256))
        self._origins.append(None)

    def duplicate(self, depth: int) -> None:
        """Push a copy of word ``depth`` (1: the top)."""
        if depth <= len(self._pending):
            self.push(self._pending[-depth])
        else:
            self.push(self._real(self._consumed + depth - len(self._pending)))

    def swap(self, depth: int) -> None:
        """Exchange the top with the word ``depth`` below it."""
        self._materialize(depth + 1)
        pending, origins = self._pending, self._origins
        pending[-1], pending[-1 - depth] = pending[-1 - depth], pending[-1]
        origins[-1], origins[-1 - depth] = origins[-1 - depth], origins[-1]

    def _real(self, depth: int) -> Value:
        return self.load(self.top.offset(-WORD_BYTES * depth), I256)

    def _materialize(self, count: int) -> None:
        while len(self._pending) < count:
            self._consumed += 1
            self._pending.insert(0, self._real(self._consumed))
            self._origins.insert(0, self._consumed)

    def _flushed_top(self) -> Value:
        """Write what is pending; the stack's new top."""
        for i, (value, origin) in enumerate(zip(self._pending, self._origins, strict=True)):
            depth = self._consumed - i
            if origin != depth:
                self.store(value, self.top.offset(-WORD_BYTES * depth))
        return self.top.offset(WORD_BYTES * (len(self._pending) - self._consumed))

    # -- the cell

    def argument(self) -> Value:
        """The cell's next field."""
        self._arguments += 1
        return self.load(self.position, I64, self._arguments)

    def wide_argument(self) -> Value:
        """The cell's next four fields, a word."""
        self._arguments += 4
        return self.load(self.position.offset(8 * (self._arguments - 3)), I256)

    def skip_argument(self) -> None:
        """Leave a field to ``counter_argument``."""
        self._arguments += 1

    def counter_argument(self) -> tuple[Value, Value]:
        """The cell's last field, which is counted down: where it is, and what it was."""
        place = self.position.offset(8 * self._arguments)
        left = self.load(place)
        self.store(left - 1, place)
        return place, left

    def next_position(self) -> Value:
        """The cell behind this one; call it when all arguments were taken."""
        return self.position.offset(8 * (self._arguments + 1))

    def go_on(self) -> None:
        """End with the cell behind this one."""
        self.jump(self.next_position())

    def jump(self, position: Value, top: Value | None = None) -> None:
        """End with the cell at ``position``."""
        top = top or self._flushed_top()
        handler = self.builder.load(position.ir, typ=HANDLER_TYPE.as_pointer())
        state = [self.frame, position, top, self.gas, self.memory, self.memory_size]
        result = self.builder.call(handler, [v.ir for v in state], cconv=HANDLER_CONVENTION, tail="musttail")
        self.builder.ret(result)
        self.finished = True

    def jump_if(self, condition: Value, position: Value, before: Callable[[], None] | None = None) -> None:
        """End with the cell at ``position``, ``before`` being emitted ahead of that, or with the one behind
        this."""
        top = self._flushed_top()
        with self.when(condition):
            if before is not None:
                before()
            self.jump(position, top)
        self.jump(self.next_position(), top)

    # -- leaving

    def _leave(self, reason: Reason, position: Value, top: Value, gas: Value, memory_size: Value) -> None:
        self._spill(position, top, gas, memory_size)
        self.give(int(reason) | self.component << 8)

    def _spill(self, position: Value, top: Value, gas: Value, memory_size: Value) -> None:
        for name, value in (
            ("position", position),
            ("stack_top", top),
            ("gas", gas),
            ("memory_size", memory_size),
        ):
            self.store(value, self.frame, index=FRAME[name])

    def leave(self, reason: Reason) -> None:
        """Return to Python; the frame's position is this cell, its stack, gas and memory as they are now."""
        self._leave(reason, self.position, self._flushed_top(), self.gas, self.memory_size)
        self.finished = True

    def leave_behind(self, reason: Reason) -> None:
        """Return to Python; the frame's position is the cell behind this."""
        self._leave(reason, self.next_position(), self._flushed_top(), self.gas, self.memory_size)
        self.finished = True

    def call_out(self, opcode: Value, functions: Value) -> None:
        """Call the function of an opcode in a table of addresses (0: no table, or no function) with the frame's
        address, and go on behind this cell if it gives 1, having changed the frame's stack, gas and memory size as
        the instruction does. Else return to Python, to execute the instruction. No memory that handlers keep in
        registers moves."""
        self.store(opcode, self.frame, index=FRAME["detail"])
        following = self.next_position()
        self._spill(following, self._flushed_top(), self.gas, self.memory_size)
        with self.when(functions.differs(0)):
            function = self.load(functions.to_pointer(), I64, opcode)
            with self.when(function.differs(0)):
                kind = ir.FunctionType(I64, [I64])
                pointer = self.builder.inttoptr(function.ir, kind.as_pointer())
                done = Value(self, self.builder.call(pointer, [self.frame.to_integer().ir]))
                with self.when(done.differs(0)):
                    self._gas.value = self.frame_field("gas")
                    self._size.value = self.frame_field("memory_size")
                    self.jump(following, self.load(self.frame, POINTER, FRAME["stack_top"]))
        self.give(int(Reason.HOST) | self.component << 8)

    def leave_if(self, condition: Value, reason: Reason) -> None:
        """Where ``condition`` holds: return to Python with everything as it was before this cell, so that the
        cell can be executed again (or, when the reason is a halt, not at all)."""
        with self.when(condition, likely=False):
            self._leave(reason, self.position, self.top, self.entry_gas, self.entry_size)

    def to_host_if(self, condition: Value) -> None:
        """Where ``condition`` holds: let Python execute the instruction, whose opcode is the cell's field."""
        opcode = self.argument()
        with self.when(condition, likely=False):
            self.store(opcode, self.frame, index=FRAME["detail"])
            self._leave(Reason.HOST, self.next_position(), self.top, self.entry_gas, self.entry_size)

    # -- gas and memory

    @property
    def gas(self) -> Value:
        """Gas left."""
        return self._gas.value

    def charge(self, amount: Value) -> None:
        """Take gas (below 2**62), or halt."""
        left = self.gas - amount
        self.leave_if(left.signed_less(0), Reason.OUT_OF_GAS)
        self._gas.value = left

    def set_gas(self, gas: Value) -> None:
        """Gas left from here on."""
        self._gas.value = gas

    @property
    def memory_size(self) -> Value:
        """Bytes of memory, a multiple of 32."""
        return self._size.value

    def memory_at(self, offset: Value, size: int) -> Value:
        """A pointer to ``size`` bytes of memory at a word's offset, expanded and paid for."""
        self.leave_if((offset >> MEMORY_LIMIT_BITS).differs(0), Reason.OUT_OF_GAS)
        start = offset.truncate(I64)
        self._expand(start + size)
        return self.memory.offset(start)

    def memory_range(self, offset: Value, size: Value) -> tuple[Value, Value]:
        """(offset, size) of a memory area in 64 bits, expanded and paid for; an empty area is nowhere."""
        empty = size.equals(0)
        offset = empty.choose(0, offset)
        self.leave_if(((offset | size) >> MEMORY_LIMIT_BITS).differs(0), Reason.OUT_OF_GAS)
        start, length = offset.truncate(I64), size.truncate(I64)
        self._expand(start + length)
        return start, length

    def _expand(self, end: Value) -> None:
        with self.when(end > self.memory_size, likely=False):
            left = self.call(
                self.support.expand_memory, self.frame, self.gas, self.memory, self.memory_size, end
            )
            self.leave_if(left.equals(EXPAND_NEEDS_ARENA), Reason.GROW_MEMORY)
            self.leave_if(left.signed_less(0), Reason.OUT_OF_GAS)
            self._gas.value = left
            self._size.value = (end + (WORD_BYTES - 1)) & -WORD_BYTES

    # -- the frame and the machine

    @property
    def machine(self) -> Value:
        """The machine's structure."""
        return self.load(self.frame, POINTER, FRAME["machine"])

    def frame_field(self, name: str) -> Value:
        """A field of the frame."""
        return self.load(self.frame, I64, FRAME[name])

    def frame_word(self, name: str) -> Value:
        """A word of the frame."""
        return self.load(self.frame.offset(8 * FRAME[name]), I256)

    def machine_field(self, name: str) -> Value:
        """A field of the machine."""
        return self.load(self.machine, I64, MACHINE[name])

    def machine_word(self, name: str) -> Value:
        """A word of the machine."""
        return self.load(self.machine.offset(8 * MACHINE[name]), I256)

    def parameter(self, instruction: str | None, constant: str) -> Value:
        """A gas constant of the table."""
        return parameter(self, self.machine, instruction, constant)

    def require_no_static_call(self) -> None:
        """Halt in a static call."""
        self.leave_if(self.frame_field("is_static").differs(0), Reason.STATIC_VIOLATION)


#: What ``expand_memory`` gives instead of the gas left.
EXPAND_OUT_OF_GAS = -1
EXPAND_NEEDS_ARENA = -2


def parameter(e: Emitter, machine: Value, instruction: str | None, constant: str) -> Value:
    """A gas constant of the table, from the machine's structure."""
    return e.load(machine, I64, MACHINE["parameters"] + PARAMETERS.index((instruction, constant)))
