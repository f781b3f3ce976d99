"""Emits the native function of a region (``regions``): each of its blocks, with the stack's words in registers."""

from __future__ import annotations

import llvmlite.ir as ir
from smartvm.vm.native.bodies import BODIES
from smartvm.vm.native.build import support_names, support_prototypes
from smartvm.vm.native.emit import I64, I256, Value, Variable
from smartvm.vm.native.instruction import HANDLER_CONVENTION, HANDLER_TYPE, InstructionEmitter, Support, declare_in
from smartvm.vm.native.layout import STACK_BYTES, WORD_BYTES, Reason, Shape
from smartvm.vm.native.regions import CodeInstruction, Key, Node, Region

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
        self._starts: dict[Key, ir.Block] = {}
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
            self._starts[node.key] = self.block(f"at_{node.block.counter}_{node.key[1]}")
        self.builder.branch(self._starts[region.head])

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

    def _emit_node(self, node: Node) -> None:
        block = node.block
        self.builder.position_at_end(self._starts[node.key])
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

    def _emit_instruction(self, node: Node, instruction: CodeInstruction) -> None:
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

    def _follow(self, key: Key | None, counter: int) -> None:
        """Go on with a node of the region, or with the interpreter."""
        node = self._region.nodes.get(key) if key is not None else None
        if node is None:
            self._go_to_interpreter(self._region.source.cell_of_block(counter))
        else:
            self._keep_in_slots()
            self.builder.branch(self._starts[node.key])
        self.finished = True

    def _emit_jump(self, node: Node) -> None:
        if node.destination is None:
            BODIES["JUMP"](self)
        else:
            self.pop()
            self._follow(node.taken, node.destination)

    def _emit_conditional_jump(self, node: Node) -> None:
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


#: The name of a region's function.
FUNCTION = "region"


def make_region(region: Region, plain_begin: int) -> str:
    """A module with the region's function, as LLVM assembly. ``plain_begin`` is the address of BEGIN_BLOCK's
    handler."""
    module = ir.Module(f"region_{region.head[0]}")
    support = declare_in(module, support_prototypes())
    function = ir.Function(module, HANDLER_TYPE, FUNCTION)
    function.calling_convention = HANDLER_CONVENTION
    RegionEmitter(function, support, region, plain_begin)
    return str(module)


def needed_names() -> list[str]:
    """The interpreter's functions that regions call."""
    return support_names(support_prototypes())
