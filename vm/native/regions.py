"""The compiled tier: a region of basic blocks becomes one native function.

A region starts at a block (its head) and follows jumps whose destination is known, also those whose
destination was pushed blocks before (the return address of an internal function), by carrying such constants
along: the same block may be in a region several times, with different constants or at different stack
heights. Stack words are SSA values inside of the region and are written to the frame's stack where it is
left. The function has the interpreter's handler type: it stands in the head's BEGIN_BLOCK cell, and it goes
on with the interpreter's cells (of an unfused stream, so that there is one for every instruction) wherever it
does not know better. So results and gas are the interpreter's own.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import llvmlite.ir as ir
from smartvm.vm.native.bodies import BODIES
from smartvm.vm.native.emit import I64, I256, Value, Variable
from smartvm.vm.native.instruction import HANDLER_CONVENTION, HANDLER_TYPE, InstructionEmitter, Support
from smartvm.vm.native.layout import STACK_BYTES, WORD_BYTES, Reason, Shape

#: Instructions that are looked at for the way back to a head; that a loop may have; and that a region without
#: a loop has. Each copy counts.
EXPLORATION_LIMIT = 6000
REGION_LIMIT = 1200
ENTRY_LIMIT = 300


@dataclass(frozen=True, slots=True)
class CodeInstruction:
    """An instruction in code: ``body`` implements it, ``cell`` is the address of its cell in the unfused
    stream."""

    counter: int
    body: str
    shape: Shape
    operands: int
    results: int
    immediate: int
    cell: int


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """A basic block. ``begin`` is the address of its BEGIN_BLOCK cell; ``need`` and ``growth`` are stack
    words."""

    counter: int
    begin: int
    instructions: tuple[CodeInstruction, ...]
    following: int  # program counter behind it
    gas: int
    need: int
    growth: int


class BlockSource:
    """Where regions get code from: blocks by program counter."""

    def block(self, counter: int) -> CodeBlock | None:
        """The block that starts there; None when none does (the end of the code)."""
        raise NotImplementedError

    def is_target(self, counter: int) -> bool:
        """Whether a jump may go there."""
        raise NotImplementedError

    def cell_of_block(self, counter: int) -> int:
        """Address of the cell to go on at for the code at a block's start."""
        raise NotImplementedError


#: Program counter, stack height relative to the region's start, return addresses known on the stack.
_Key = tuple[int, int, frozenset[tuple[int, int]]]


@dataclass(slots=True)
class _Node:
    key: _Key
    block: CodeBlock
    llvm: ir.Block | None = None
    #: what the destination operand of the last instruction is known to be
    destination: int | None = None
    taken: _Key | None = None
    following: _Key | None = None
    lowest_written: int = 0

    @property
    def pushes_destination(self) -> bool:
        """Whether the last instruction is a jump to what was pushed right before: one cell in the stream."""
        return len(self.block.instructions) > 1 and self.block.instructions[-2].shape == Shape.PUSH


class _Constants:
    """Which stack words are known to be addresses of jump destinations, through one block."""

    def __init__(self, height: int, known: frozenset[tuple[int, int]]) -> None:
        self.height = height
        self.known = dict(known)
        self.lowest_written = height

    def push(self, value: int | None) -> None:
        self.lowest_written = min(self.lowest_written, self.height)
        self.known.pop(self.height, None)
        if value is not None:
            self.known[self.height] = value
        self.height += 1

    def pop(self) -> int | None:
        self.height -= 1
        return self.known.pop(self.height, None)

    def step(self, instruction: CodeInstruction, source: BlockSource) -> None:
        body = instruction.body
        if body.startswith("DUP"):
            self.push(self.known.get(self.height - int(body[3:])))
        elif body.startswith("SWAP"):
            depth = int(body[4:])
            top, other = self.height - 1, self.height - 1 - depth
            a, b = self.known.pop(top, None), self.known.pop(other, None)
            if a is not None:
                self.known[other] = a
            if b is not None:
                self.known[top] = b
            self.lowest_written = min(self.lowest_written, other)
        elif instruction.shape == Shape.PUSH:
            self.push(instruction.immediate if source.is_target(instruction.immediate) else None)
        else:
            for _ in range(instruction.operands):
                self.pop()
            for _ in range(instruction.results):
                self.push(None)


class Region:
    """The blocks of a region and how they follow each other: the loop that its head begins, or else what
    comes first."""

    def __init__(self, source: BlockSource, head: int) -> None:
        self.source = source
        self.nodes: dict[_Key, _Node] = {}
        self.head: _Key = (head, 0, frozenset())
        self.need = 0
        self.growth = 0
        self.lowest_written = 0
        self._explore(EXPLORATION_LIMIT)
        loop = self._nodes_on_the_way_back()
        if not loop or sum(len(self.nodes[key].block.instructions) for key in loop) > REGION_LIMIT:
            self.nodes.clear()
            self._explore(ENTRY_LIMIT)
        else:
            self.nodes = {key: node for key, node in self.nodes.items() if key in loop}
        for node in self.nodes.values():
            height = node.key[1]
            self.need = max(self.need, node.block.need - height)
            self.growth = max(self.growth, height + node.block.growth)
            self.lowest_written = min(self.lowest_written, node.lowest_written)

    @property
    def size(self) -> int:
        """Instructions, counting each copy."""
        return sum(len(node.block.instructions) for node in self.nodes.values())

    def _explore(self, limit: int) -> None:
        waiting = deque([self.head])
        while waiting:
            key = waiting.popleft()
            if key in self.nodes:
                continue
            block = self.source.block(key[0])
            if block is None or (self.nodes and len(block.instructions) > limit):
                continue
            limit -= len(block.instructions) + 1
            node = self.nodes[key] = _Node(key, block)
            waiting.extend(self._successors(node))

    def _nodes_on_the_way_back(self) -> set[_Key]:
        """The nodes from which the head is reached again."""
        before: dict[_Key, list[_Key]] = {}
        for key, node in self.nodes.items():
            for successor in (node.taken, node.following):
                if successor is not None and successor in self.nodes:
                    before.setdefault(successor, []).append(key)
        found: set[_Key] = set()
        waiting = deque(before.get(self.head, ()))
        while waiting:
            key = waiting.popleft()
            if key not in found:
                found.add(key)
                waiting.extend(before.get(key, ()))
        return found

    def _key(self, counter: int, state: _Constants) -> _Key:
        if (counter, state.height) == self.head[:2]:
            return self.head  # what is known besides is forgotten, so that the loop closes
        return (counter, state.height, frozenset(state.known.items()))

    def _successors(self, node: _Node) -> list[_Key]:
        block, height = node.block, node.key[1]
        state = _Constants(height, node.key[2])
        *front, last = block.instructions if block.instructions else (None,)
        for instruction in front:
            assert instruction is not None
            state.step(instruction, self.source)
        result: list[_Key] = []
        following = True
        if last is not None:
            if last.shape in (Shape.JUMP, Shape.CONDITIONAL_JUMP):
                node.destination = state.pop()
                if last.shape == Shape.CONDITIONAL_JUMP:
                    state.pop()
                if node.destination is not None:
                    node.taken = self._key(node.destination, state)
                    result.append(node.taken)
                following = last.shape == Shape.CONDITIONAL_JUMP
            else:
                following = last.shape not in _LEAVING
                if following:
                    state.step(last, self.source)
        if following:
            node.following = self._key(block.following, state)
            result.append(node.following)
        node.lowest_written = state.lowest_written
        return result


_LEAVING = (Shape.TERMINATOR, Shape.UNDEFINED, Shape.HOST, Shape.MAYBE_HOST, Shape.HOST_TERMINATOR)

#: Reasons that end the frame: nothing of its stack is looked at afterwards.
_HALTS = {
    Reason.OUT_OF_GAS,
    Reason.INVALID_INSTRUCTION,
    Reason.INVALID_JUMP,
    Reason.STATIC_VIOLATION,
    Reason.RETURNDATA_OUT_OF_BOUNDS,
    Reason.STOP,
    Reason.RETURN,
    Reason.REVERT,
}


class RegionEmitter(InstructionEmitter):
    """Emits a region's function. The virtual stack's words below a block are variables, which LLVM makes
    registers."""

    def __init__(self, function: ir.Function, support: Support, region: Region, plain_begin: int) -> None:
        super().__init__(function, support)
        for argument in (self.frame, self.top, self.memory):
            argument.ir.add_attribute("noalias")
        self._region = region
        self._slots: dict[int, Variable] = {}
        self._block_height = 0
        self._cell = region.nodes[region.head].block.begin
        self._saved: tuple[list[Value], int, Value, Value] | None = None
        self._enter(plain_begin)
        for node in region.nodes.values():
            self._emit_node(node)

    # -- the way in

    def _enter(self, plain_begin: int) -> None:
        """Check the stack for the whole region; where it will not do, the interpreter finds out where."""
        region = self._region
        head = region.nodes[region.head].block
        height = self.top.to_integer() - self.frame_field("stack")
        room = STACK_BYTES - region.growth * WORD_BYTES
        refused = (height < region.need * WORD_BYTES) | height.signed_greater(room)
        with self.when(refused, likely=False):
            handler = self.builder.inttoptr(ir.Constant(I64, plain_begin), HANDLER_TYPE.as_pointer())
            position = self.i64(head.begin).to_pointer()
            state = [self.frame, position, self.top, self.entry_gas, self.memory, self.entry_size]
            result = self.builder.call(
                handler, [v.ir for v in state], cconv=HANDLER_CONVENTION, tail="musttail"
            )
            self.builder.ret(result)
        for slot in range(-region.need, 0):
            self._slot(slot).value = self.load(self.top.offset(WORD_BYTES * slot), I256)
        for node in region.nodes.values():
            node.llvm = self.block(f"at_{node.block.counter}_{node.key[1]}")
        self.builder.branch(region.nodes[region.head].llvm)

    def _slot(self, index: int) -> Variable:
        slot = self._slots.get(index)
        if slot is None:
            slot = self._slots[index] = Variable(self, I256)
        return slot

    # -- the virtual stack over variables

    def _real(self, depth: int) -> Value:
        return self._slot(self._block_height - depth).value

    @property
    def _height(self) -> int:
        return self._block_height - self._consumed + len(self._pending)

    def _keep_in_slots(self) -> None:
        """Write the block's words to the variables."""
        low = self._block_height - self._consumed
        for i, (value, origin) in enumerate(zip(self._pending, self._origins, strict=True)):
            if origin != self._consumed - i:
                self._slot(low + i).value = value

    def _write_stack(self, pending: list[Value], consumed: int) -> Value:
        """Write all words that may have changed to the frame's stack; its new top."""
        low = self._block_height - consumed
        for slot in range(self._region.lowest_written, low):
            self.store(self._slot(slot).value, self.top.offset(WORD_BYTES * slot))
        for i, value in enumerate(pending):
            if low + i >= self._region.lowest_written:
                self.store(value, self.top.offset(WORD_BYTES * (low + i)))
        return self.top.offset(WORD_BYTES * (low + len(pending)))

    def _flushed_top(self) -> Value:
        return self._write_stack(self._pending, self._consumed)

    # -- ways out

    def leave_if(self, condition: Value, reason: Reason) -> None:
        with self.when(condition, likely=False):
            assert self._saved is not None
            pending, consumed, gas, size = self._saved
            position = self.i64(self._cell).to_pointer()
            top = self.top if reason in _HALTS else self._write_stack(pending, consumed)
            self._leave(reason, position, top, gas, size)

    def leave(self, reason: Reason) -> None:
        self._leave(reason, self.i64(self._cell).to_pointer(), self.top, self.gas, self.memory_size)
        self.finished = True

    def argument(self) -> Value:
        raise AssertionError("a region's instruction has no fields")

    def _go_to_interpreter(self, cell: int) -> None:
        self.jump(self.i64(cell).to_pointer())

    # -- nodes

    def _emit_node(self, node: _Node) -> None:
        block = node.block
        self.builder.position_at_end(node.llvm)
        self._block_height = node.key[1]
        self._pending, self._origins, self._consumed = [], [], 0
        self.finished = False
        if block.gas:
            self._cell = block.begin
            left = self.gas - block.gas
            with self.when(left.signed_less(0), likely=False):
                top = self.top.offset(WORD_BYTES * self._block_height)
                position = self.i64(block.begin).to_pointer()
                self._leave(Reason.BLOCK_REFUSED, position, top, self.gas, self.memory_size)
            self.set_gas(left)
        for instruction in block.instructions:
            self._cell = instruction.cell
            self._saved = (list(self._pending), self._consumed, self.gas, self.memory_size)
            self._emit_instruction(node, instruction)
        if not self.finished:
            self._follow(node.following, block.following)

    def _emit_instruction(self, node: _Node, instruction: CodeInstruction) -> None:
        shape = instruction.shape
        if shape == Shape.PUSH:
            self.push(self.word(instruction.immediate))
        elif shape == Shape.PROGRAM_COUNTER:
            self.push(self.word(instruction.counter))
        elif shape == Shape.JUMP:
            self._emit_jump(node)
        elif shape == Shape.CONDITIONAL_JUMP:
            self._emit_conditional_jump(node)
        elif shape in (Shape.HOST, Shape.MAYBE_HOST, Shape.HOST_TERMINATOR):
            self._go_to_interpreter(instruction.cell)
        elif shape != Shape.JUMP_TARGET:
            BODIES[instruction.body](self)

    def _follow(self, key: _Key | None, counter: int) -> None:
        """Go on with a node of the region, or with the interpreter."""
        node = self._region.nodes.get(key) if key is not None else None
        if node is None:
            self._go_to_interpreter(self._region.source.cell_of_block(counter))
        else:
            self._keep_in_slots()
            self.builder.branch(node.llvm)
        self.finished = True

    def _emit_jump(self, node: _Node) -> None:
        if node.destination is None:
            BODIES["JUMP"](self)
        else:
            self.pop()
            self._follow(node.taken, node.destination)

    def _emit_conditional_jump(self, node: _Node) -> None:
        if node.destination is None and not node.pushes_destination:
            # whatever the destination is, the interpreter's cell for this instruction finds it
            self._go_to_interpreter(self._cell)
            return
        self.pop()
        condition = self.pop().differs(0)
        if node.destination is None:
            self.leave_if(condition, Reason.INVALID_JUMP)
            self._follow(node.following, node.block.following)
            return
        state = list(self._pending), list(self._origins), self._consumed
        with self.when(condition):
            self._follow(node.taken, node.destination)
        self._pending, self._origins, self._consumed = state
        self._follow(node.following, node.block.following)


def emit_region(module: ir.Module, name: str, region: Region, support: Support, plain_begin: int) -> None:
    """Define the region's function in ``module``. ``plain_begin`` is the address of BEGIN_BLOCK's handler."""
    function = ir.Function(module, HANDLER_TYPE, name)
    function.calling_convention = HANDLER_CONVENTION
    RegionEmitter(function, support, region, plain_begin)
