"""Analysing code, in compiled code: bytes become the stream of cells that the interpreter executes.

A cell is the address of its handler and that handler's fields, 64 bits each. Basic blocks start with a
BEGIN_BLOCK cell, which charges the constant gas of the whole block and checks the stack for all of it: a
block's instructions are all executed or the frame halts, and then it does not matter where. What must see
exact gas therefore ends a block. Jumps whose destination is pushed right before hold its address; other jumps
look it up by program counter.
"""

from __future__ import annotations

import llvmlite.ir as ir
from smartvm.vm.native.emit import I8, I16, I32, I64, I256, POINTER, Emitter, Value, define
from smartvm.vm.native.layout import (
    DESCRIPTOR,
    STACK_BYTES,
    TRACED,
    TRANSITION_WIDTH,
    PseudoOpcode,
    Shape,
    Structure,
)

_DESTINATION_LIMIT = 0xFFFFFFFF

#: A bound that no stack satisfies.
_EXCESSIVE_WORDS = 2048

_STATE = Structure(
    "out",  # stream index of the next cell
    "cell",  # of the cell last added
    "sequence",  # its sequence, 0 when it may not be extended
    "block",  # of the block's BEGIN_BLOCK cell, 0 outside of a block
    "gas",
    "height",  # relative to the block's start, in words
    "need",
    "highest",
    "unresolved",  # stream index of the last field that holds a destination still to be resolved
)


class _Analysis:
    """Names for the functions' arguments and the state that they share."""

    def __init__(self, e: Emitter, values: list[Value]) -> None:
        self.e = e
        self.state, self.transitions, self.handlers, self.stream, self.counters, self.mode = values

    @property
    def arguments(self) -> list[Value]:
        return [self.state, self.transitions, self.handlers, self.stream, self.counters, self.mode]

    def get(self, name: str) -> Value:
        return self.e.load(self.state, I64, _STATE[name])

    def set(self, name: str, value: Value | int) -> None:
        self.e.store(value, self.state, I64, _STATE[name])

    def append(self, value: Value) -> None:
        out = self.get("out")
        self.e.store(value, self.stream, I64, out)
        self.set("out", out + 1)


_ARGUMENTS = [POINTER, POINTER, POINTER, POINTER, POINTER, I64]


def _define_add_cell(module: ir.Module) -> ir.Function:
    """void (…, symbol, program counter): extend the last cell by a symbol or add a new cell."""
    e = define(module, "add_cell", ir.VoidType(), [*_ARGUMENTS, I64, I64])
    a = _Analysis(e, e.arguments[:6])
    symbol, counter = e.arguments[6:]

    def transition(sequence: Value) -> Value:
        return e.load(a.transitions, I16, sequence * TRANSITION_WIDTH + symbol, align=2).extend(I64)

    sequence = a.get("sequence")
    extended = transition(sequence)
    with e.when(extended.differs(0) & sequence.differs(0) & (a.mode).equals(0)):
        e.store(e.load(a.handlers, I64, extended), a.stream, I64, a.get("cell"))
        a.set("sequence", extended)
        e.give()
    single = transition(e.i64(0))
    out = a.get("out")
    a.set("cell", out)
    a.set("sequence", single)
    e.store(counter.truncate(I32), a.counters, I32, out, align=4)
    a.append(e.load(a.handlers, I64, single))
    e.give()
    return e.function


def _define_begin_block(module: ir.Module, add_cell: ir.Function) -> ir.Function:
    e = define(module, "begin_block", ir.VoidType(), [*_ARGUMENTS, I64])
    a = _Analysis(e, e.arguments[:6])
    a.set("sequence", 0)
    a.set("block", a.get("out"))
    e.call(add_cell, *a.arguments, int(PseudoOpcode.BEGIN_BLOCK), e.arguments[6])
    a.append(e.i64(0))
    a.append(e.i64(0))
    for name in ("gas", "height", "need", "highest"):
        a.set(name, 0)
    e.give()
    return e.function


def _define_end_block(module: ir.Module) -> ir.Function:
    """Write the block's gas and bounds; nothing outside of a block."""
    e = define(module, "end_block", ir.VoidType(), _ARGUMENTS)
    a = _Analysis(e, e.arguments)
    block = a.get("block")
    a.set("sequence", 0)
    with e.when(block.differs(0)):
        need = a.get("need").minimum(_EXCESSIVE_WORDS)
        highest = a.get("highest").minimum(_EXCESSIVE_WORDS)
        e.store(a.get("gas"), a.stream, I64, block + 1)
        room = e.i64(STACK_BYTES) - (highest << 5)
        e.store((need << 5) | (room << 32), a.stream, I64, block + 2)
        a.set("block", 0)
    e.give()
    return e.function


def _define_account(module: ir.Module) -> ir.Function:
    """void (…, descriptor*): add an instruction's gas and stack use to the block."""
    e = define(module, "account_instruction", ir.VoidType(), [*_ARGUMENTS, POINTER])
    a = _Analysis(e, e.arguments[:6])
    descriptor = e.arguments[6]
    a.set("gas", a.get("gas") + e.load(descriptor, I64, DESCRIPTOR["gas"]))
    height, operands = a.get("height"), e.load(descriptor, I64, DESCRIPTOR["operands"])
    need = operands - height
    a.set("need", need.signed_greater(a.get("need")).choose(need, a.get("need")))
    height = height - operands + e.load(descriptor, I64, DESCRIPTOR["results"])
    a.set("height", height)
    a.set("highest", height.signed_greater(a.get("highest")).choose(height, a.get("highest")))
    e.give()
    return e.function


def _resolve_destinations(a: _Analysis, size: Value, targets: Value) -> None:
    """Put addresses where destinations of static jumps were kept; a bad one leads to a cell of its own."""
    e = a.e
    place = e.variable(I64, a.get("unresolved"))
    with e.loop() as loop:
        loop.break_if(place.value.equals(0))
        kept = e.load(a.stream, I64, place.value)
        destination = kept & _DESTINATION_LIMIT
        index = e.variable(I64, 0)
        with e.when(destination < size):
            index.value = e.load(targets, I32, destination, align=4).extend(I64)
        with e.when(index.value.equals(0)):
            out = a.get("out")
            index.value = out
            e.store(e.load(a.counters, I32, place.value, align=4), a.counters, I32, out, align=4)
            bad = e.load(a.transitions, I16, e.i64(int(PseudoOpcode.BAD_JUMP)), align=2).extend(I64)
            a.append(e.load(a.handlers, I64, bad))
        e.store(a.stream.offset(index.value << 3).to_integer(), a.stream, I64, place.value)
        place.value = kept >> 32


def define_analyse(module: ir.Module) -> ir.Function:
    """stream length (descriptors*, transitions*, handlers*, code*, size, stream*, targets*, counters*, mode,
    patience): see the module. ``targets`` (32 bits a byte of code) must hold zeros. Static jumps back are
    counted when ``patience`` is not 0: after so many the destination is hot."""
    add_cell = _define_add_cell(module)
    begin_block = _define_begin_block(module, add_cell)
    end_block = _define_end_block(module)
    account = _define_account(module)
    e = define(
        module,
        "analyse",
        I64,
        [POINTER, POINTER, POINTER, POINTER, I64, POINTER, POINTER, POINTER, I64, I64],
        exported=True,
    )
    descriptors, transitions, handlers, code, size, stream, targets, counters, mode, patience = e.arguments
    state = e.stack_slot(I64, _STATE.size)
    a = _Analysis(e, [state, transitions, handlers, stream, counters, mode])
    e.zero_memory(state, e.i64(8 * _STATE.size))
    a.set("out", 1)
    counter = e.variable(I64, 0)
    reachable = e.variable(I64, 1)
    traced = (mode & TRACED).differs(0)

    def descriptor_at(place: Value) -> Value:
        opcode = e.load(code, I8, place, align=1).extend(I64)
        return descriptors.offset(opcode * (8 * DESCRIPTOR.size))

    def add(symbol: Value | int, place: Value) -> None:
        e.call(add_cell, *a.arguments, symbol, place)

    def add_static_jump(jumps: Value, destination: Value, place: Value) -> None:
        """A jump whose destination is known; kept in a chain until all are."""
        counts = patience.differs(0) & (destination <= place.extend(I256))
        forward = jumps.choose(e.i64(PseudoOpcode.JUMP_TO), int(PseudoOpcode.CONDITIONAL_JUMP_TO))
        back = jumps.choose(e.i64(PseudoOpcode.JUMP_BACK_TO), int(PseudoOpcode.CONDITIONAL_JUMP_BACK_TO))
        add(counts.choose(back, forward), place)
        out = a.get("out")
        limited = (destination >> 32).equals(0).choose(destination.truncate(I64), _DESTINATION_LIMIT)
        e.store(place.truncate(I32), counters, I32, out, align=4)
        a.append(limited | (a.get("unresolved") << 32))
        a.set("unresolved", out)
        with e.when(counts):
            a.append(patience)

    with e.loop() as loop:
        loop.break_if(counter.value >= size)
        here = counter.value
        descriptor = descriptor_at(here)
        opcode = e.load(code, I8, here, align=1).extend(I64)
        shape = e.load(descriptor, I64, DESCRIPTOR["shape"])
        immediate = e.load(descriptor, I64, DESCRIPTOR["immediate"])
        is_target = shape.equals(int(Shape.JUMP_TARGET))
        counter.value = here + immediate + 1
        loop.continue_if(reachable.value.equals(0) & ~is_target)
        reachable.value = 1
        with e.when(traced | is_target):
            e.call(end_block, *a.arguments)
        with e.when(is_target):
            e.store(a.get("out").truncate(I32), targets, I32, here, align=4)
        with e.when(traced):
            add(int(PseudoOpcode.TRACE), here)
        with e.when(a.get("block").equals(0)):
            e.call(begin_block, *a.arguments, here)
        e.call(account, *a.arguments, descriptor)
        loop.continue_if(is_target)

        with e.when(shape.equals(int(Shape.PUSH))):
            bits = (immediate << 3).extend(I256)
            value = e.byte_swap(e.load(code.offset(here + 1), I256, align=1))
            value = immediate.equals(0).choose(0, value >> ((e.word(256) - bits) & 255))
            small = (value >> 64).equals(0)
            following = counter.value
            next_descriptor = descriptor_at(following)
            next_shape = e.load(next_descriptor, I64, DESCRIPTOR["shape"])
            jumps = next_shape.equals(int(Shape.JUMP))
            branches = next_shape.equals(int(Shape.CONDITIONAL_JUMP))
            with e.when((jumps | branches) & (following < size) & ~traced):
                e.call(account, *a.arguments, next_descriptor)
                add_static_jump(jumps, value, following)
                e.call(end_block, *a.arguments)
                counter.value = following + 1
                reachable.value = branches.extend(I64)
                e.builder.branch(loop.header)
                e.builder.position_at_end(e.block("unreachable"))
            symbol = small.choose(e.i64(PseudoOpcode.PUSH_SMALL), int(PseudoOpcode.PUSH_WIDE))
            add(symbol, here)
            a.append(value.truncate(I64))
            with e.when(~small):
                for i in range(1, 4):
                    a.append((value >> (64 * i)).truncate(I64))
            e.builder.branch(loop.header)
            e.builder.position_at_end(e.block("unreachable"))

        add(opcode, here)
        with e.when(shape.equals(int(Shape.PROGRAM_COUNTER))):
            a.append(here)
        host_terminates = shape.equals(int(Shape.HOST_TERMINATOR))
        to_host = shape.equals(int(Shape.HOST)) | shape.equals(int(Shape.MAYBE_HOST)) | host_terminates
        with e.when(to_host):
            a.append(opcode)
        terminates = (
            shape.equals(int(Shape.TERMINATOR))
            | shape.equals(int(Shape.JUMP))
            | shape.equals(int(Shape.UNDEFINED))
            | host_terminates
        )
        ends = (
            terminates
            | to_host
            | shape.equals(int(Shape.BLOCK_END))
            | shape.equals(int(Shape.CONDITIONAL_JUMP))
        )
        with e.when(ends):
            e.call(end_block, *a.arguments)
            reachable.value = (~terminates).extend(I64)
    with e.when(reachable.value.differs(0)):
        with e.when(traced):
            e.call(end_block, *a.arguments)
            add(int(PseudoOpcode.TRACE), size)
        add(int(PseudoOpcode.STOP), size)
        e.call(end_block, *a.arguments)
    _resolve_destinations(a, size, targets)
    e.give(a.get("out"))
    return e.function
