"""Stack scheduling: one function's SSA graph → assembly items, block by block.

The coder simulates the stack: a list of values, bottom first. Values that are not needed any more stay where
they are until they come to the top or a joining block wants another layout, because that costs least; when
the stack gets deep they are removed at once. A value that cannot be reached is *spilled*: written to a memory
slot where it is defined, read where it is used; the coder reports such values and is run again with them.

A function finds its arguments on the stack (the first on top) and the return address below them, and leaves
its results (the last on top)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smartvm.compiler.backend.arithmetic import MIRRORED
from smartvm.compiler.backend.coding_context import CodingContext, FunctionCode
from smartvm.compiler.backend.control_flow import immediate_dominators, predecessors
from smartvm.compiler.backend.items import (
    LABEL,
    OPCODE,
    PUSH,
    PUSH_LABEL,
    PUSH_SYMBOL,
    RAW,
    Item,
)
from smartvm.compiler.backend.liveness import Liveness
from smartvm.compiler.backend.shuffling import NOTHING, StackCursor
from smartvm.compiler.backend.ssa import BRANCH, JUMP, RETURN, STOP, Block, Function, Operation, Symbol
from smartvm.compiler.backend.trees import Trees
from smartvm.errors import InternalError

if TYPE_CHECKING:
    from smartvm.instructions.model import Instruction

#: How many slots DUP and SWAP reach, and the height from which dead values in the middle are removed.
REACH = 16
_CROWDED = 12


class StackCoder:
    """Codes one function under a given set of spilled values (value to slot)."""

    def __init__(
        self,
        function: Function,
        context: CodingContext,
        trees: Trees,
        liveness: Liveness,
        return_address: int,
        spilled: dict[int, int],
        compact: bool,
    ) -> None:
        self.function = function
        self.context = context
        self.instructions = context.instructions
        self.trees = trees
        self.nested = trees.nested
        self.constants = function.constants
        self.liveness = liveness
        self.return_address = return_address
        self.spilled = spilled
        self.compact = compact
        self.layouts: dict[int, list[int]] = {}
        self.exit_stacks: dict[int, list[int]] = {}
        self.bodies: dict[int, list[Item]] = {}
        self.remaining: dict[int, int] = {}
        self.live_out = 0
        self.saved_slots: dict[int, None] = {}
        self.unreachable: dict[int, None] = {}
        self.cursor = StackCursor(self)
        self.stack: list[int] = []
        self.pending = 0
        self.floor = 0
        self.items: list[Item] = []

    # ------------------------------------------------------------------ driving

    def code(self) -> FunctionCode:
        """Code all blocks. When ``unreachable`` is not empty afterwards the result is void."""
        function = self.function
        order = function.blocks
        before = predecessors(order)
        self.dominators = immediate_dominators(order, before)
        entry = list(reversed(function.parameters))
        if self.return_address >= 0:
            entry.insert(0, self.return_address)
        self.layouts[order[0].number] = entry
        for block in order:
            self.code_block(block)
        labels = {block.number: self.context.new_label() for block in order}
        labels[order[0].number] = self.context.function_label(function)
        return FunctionCode(function, self.bodies, labels, len(self.spilled))

    def code_block(self, block: Block) -> None:
        """The block's operations and what prepares its exit."""
        self.block = block
        self.items = self.bodies[block.number] = []
        self.stack = list(self.layouts[block.number])
        self.source = block.operations[0].source if block.operations else block.source
        self.count_uses(block)
        returning = self.return_address >= 0 and (
            block.kind == RETURN
            or bool((self.liveness.live_in[block.number] | self.live_out) >> self.return_address & 1)
        )
        # Where nothing returns, what was left on the stack may stay there.
        self.floor = 0 if returning or self.compact else len(self.stack)
        is_entry = block is self.function.blocks[0]
        spilled = self.spilled
        if spilled:
            live = self.liveness.live_in[block.number]
            self.saved_slots = {v: None for v in spilled if live >> v & 1}
            for parameter in block.parameters:
                if parameter in spilled:
                    self.saved_slots[parameter] = None
            if is_entry:
                self.store_outputs([v for v in self.stack if v in spilled])
        self.tidy()
        for operation in self.trees.roots[block.number]:
            self.emit_operation(operation)
            self.source = operation.source
            if spilled and operation.callee is None and operation.outputs:
                self.store_outputs([v for v in operation.outputs if v in spilled])
            self.tidy()
        self.source = block.source
        if block.kind == BRANCH:
            self.emit_operand_list([block.condition])
            self.stack.pop()
            self.pending = 0
            for target in block.targets:
                self.layouts[target.number] = list(self.stack)
            self.exit_stacks[block.number] = list(self.stack)
        elif block.kind == JUMP:
            self.exit_stacks[block.number] = list(self.stack)
            self.pass_arguments(block, block.targets[0])
        elif block.kind == RETURN:
            for value in block.arguments:
                self.remaining[value] -= 1
            self.cursor.arrange([*block.arguments, self.return_address])

    def count_uses(self, block: Block) -> None:
        """How often each value is still used in the block."""
        remaining: dict[int, int] = {}
        get = remaining.get
        repeated = self.trees.repeated
        for operation in block.operations:
            if operation.outputs and operation.outputs[0] in repeated:
                continue
            for value in operation.inputs:
                remaining[value] = get(value, 0) + 1
        for value in block.arguments:
            remaining[value] = get(value, 0) + 1
        if block.kind == BRANCH:
            remaining[block.condition] = get(block.condition, 0) + 1
        elif block.kind == RETURN:
            remaining[self.return_address] = 1
        self.remaining = remaining
        self.live_out = self.liveness.live_out[block.number]

    def is_dead(self, value: int) -> bool:
        """Whether nothing needs the value from here on."""
        return value < 0 or (not self.remaining.get(value) and not self.live_out >> value & 1)

    def fail(self, values: list[int]) -> None:
        """Ask for values to be spilled (those that can be)."""
        for value in values:
            if (
                value >= 0
                and value not in self.constants
                and value not in self.spilled
                and value not in self.nested
            ):
                self.unreachable[value] = None

    def fail_here(self, values: list[int]) -> None:
        """A slot out of reach: spill what lies there, or else what lies above."""
        known = len(self.unreachable)
        self.fail(values)
        if len(self.unreachable) == known and not any(v in self.unreachable for v in values):
            self.fail(self.stack[-REACH - 1 :])

    # ------------------------------------------------------------------ tidying

    def tidy(self) -> None:
        """Remove dead values: from the top, and from the middle where the stack is crowded."""
        stack = self.stack
        crowded = len(stack) > _CROWDED
        if self.block.kind != STOP or crowded:
            floor = 0 if crowded else self.floor
            while len(stack) > floor and self.is_dead(stack[-1]):
                self.op(self.instructions.pop)
                stack.pop()
            self.floor = min(self.floor, len(stack))
        if crowded or self.compact:
            self.compact_stack()

    def compact_stack(self) -> None:
        """Fill dead slots with what lies on top, lowest first."""
        stack = self.stack
        limit = 4 if self.compact else _CROWDED
        position = max(len(stack) - REACH - 1, 0)
        while len(stack) > limit and position < len(stack) - 1:
            if self.is_dead(stack[position]):
                self.op(self.instructions.swap[len(stack) - position - 2])
                stack[position] = stack[-1]
                stack.pop()
                self.op(self.instructions.pop)
                while stack and self.is_dead(stack[-1]):
                    self.op(self.instructions.pop)
                    stack.pop()
            position += 1

    # ------------------------------------------------------------------ emitting

    def op(self, instruction: Instruction) -> None:
        """Emit an instruction without touching the simulated stack."""
        self.items.append(Item(OPCODE, instruction, self.source))

    def emit_number(self, number: int) -> None:
        """Emit a push of a number without touching the simulated stack."""
        self.items.append(Item(PUSH, number, self.source))

    def push_constant(self, value: int) -> None:
        """Push the constant that ``value`` is."""
        constant = self.constants[value]
        stack = self.stack
        if constant and value in stack[-REACH:]:
            # A copy costs as much gas as a push and takes one byte.
            depth = 1
            while stack[-depth] != value:
                depth += 1
            self.op(self.instructions.dup[depth - 1])
        elif isinstance(constant, Symbol):
            self.items.append(Item(PUSH_SYMBOL, constant, self.source))
        else:
            self.items.append(Item(PUSH, constant, self.source))
        stack.append(value)

    def push_slot(self, value: int) -> None:
        """Push the address of a spilled value's slot."""
        self.items.append(
            Item(PUSH_SYMBOL, Symbol("spill", str(self.function.number), self.spilled[value]), self.source)
        )

    def push_leaf(self, value: int) -> None:
        """Push a copy of a value that is a constant, is evaluated anew, is spilled, or is on the stack."""
        if value in self.constants:
            self.push_constant(value)
        elif value in self.nested:
            self.emit_operation(self.nested[value])
        elif value in self.spilled:
            self.push_slot(value)
            self.op(self.instructions.mload)
            self.stack.append(value)
        else:
            stack = self.stack
            depth = 1
            for held in reversed(stack):
                if held == value:
                    break
                depth += 1
            else:
                raise InternalError(f"value {value} of function `{self.function.name}` is not on the stack")
            if depth > REACH:
                self.fail_here([value])
                depth = 1
            self.op(self.instructions.dup[depth - 1])
            stack.append(value)

    def emit_operation(self, operation: Operation) -> None:
        """Evaluate an operation with the operations nested in its operands; its outputs end on the stack."""
        builtin = operation.builtin
        if builtin is None:
            self.emit_call(operation)
            return
        inputs = operation.inputs
        instruction = builtin.instruction
        if (
            instruction is not None
            and len(inputs) == 2
            and instruction.name in MIRRORED
            and self.is_better_mirrored(inputs)
        ):
            inputs = [inputs[1], inputs[0]]
            instruction = self.instructions.by_name[MIRRORED[instruction.name]]
        self.emit_operand_list(inputs)
        self.source = operation.source
        stack = self.stack
        if inputs:
            del stack[-len(inputs) :]
            self.pending -= len(inputs)
        if instruction is not None:
            self.items.append(Item(OPCODE, instruction, operation.source))
            stack.extend(reversed(operation.outputs))
        else:
            self.emit_special(operation)

    def emit_call(self, operation: Operation) -> None:
        """Call a function: saved slots (of a recursive one), return address, arguments, jump."""
        callee = operation.callee
        assert callee is not None
        source = operation.source
        stack, inputs = self.stack, operation.inputs
        saved = self.save_slots(callee)
        held = self.pending
        order = inputs[::-1]
        ready = 0
        label = -1
        if callee.can_return:
            ready = self.operands_in_place(order)
            if ready > REACH:
                ready = 0
            label = self.context.new_label()
            self.items.append(Item(PUSH_LABEL, label, source))
            stack.append(NOTHING)
            for depth in range(ready, 0, -1):
                # The return address goes below the arguments that lie ready.
                self.op(self.instructions.swap[depth - 1])
                stack[-1], stack[-1 - depth] = stack[-1 - depth], stack[-1]
            self.pending += ready + 1
            for value in order[:ready]:
                self.remaining[value] -= 1
        self.emit_operand_list(inputs[: len(inputs) - ready])
        self.source = source
        if inputs:
            del stack[-len(inputs) :]
        self.pending = held
        self.items.append(Item(PUSH_LABEL, self.context.function_label(callee), source))
        self.items.append(Item(OPCODE, self.instructions.jump, source, "i"))
        if label >= 0:
            stack.pop()
            self.items.append(Item(LABEL, label, source))
        stack.extend(operation.outputs)
        outputs = operation.outputs
        if self.spilled and outputs:
            self.store_outputs([value for value in outputs if value in self.spilled])
        if saved:
            self.restore_slots(saved, sum(value not in self.spilled for value in outputs))

    def emit_special(self, operation: Operation) -> None:
        """Builtins that are not one instruction."""
        assert operation.builtin is not None
        payload = operation.payload
        if isinstance(payload, bytes):
            self.items.append(Item(RAW, payload, operation.source))
            self.stack.extend(reversed(operation.outputs))
        elif operation.builtin.name == "setimmutable" and isinstance(payload, str):
            self.set_immutable(payload)
        elif operation.builtin.name in ("loadimmutable", "linkersymbol") and isinstance(payload, str):
            symbol = Symbol(operation.builtin.name, payload)
            self.items.append(Item(PUSH_SYMBOL, symbol, operation.source))
            self.stack.extend(operation.outputs)
        else:
            raise InternalError(f"the builtin `{operation.builtin.name}` has no code")

    def set_immutable(self, name: str) -> None:
        """Write the value (below the top) to each use of the immutable in the copy of the code at the top."""
        offsets = self.context.immutable_offsets(name)
        instructions = self.instructions
        for i, offset in enumerate(offsets):
            if i < len(offsets) - 1:
                self.op(instructions.dup[1])
                self.op(instructions.dup[1])
            self.items.append(Item(PUSH, offset, self.source))
            self.op(instructions.add)
            self.op(instructions.mstore)
        if not offsets:
            self.op(instructions.pop)
            self.op(instructions.pop)

    # ------------------------------------------------------------------ operands

    def is_better_mirrored(self, inputs: list[int]) -> bool:
        """Whether a commutative operation of two operands costs less with them exchanged."""
        first, second = inputs
        if first == second:
            return False
        stack = self.stack
        free = not self.pending and bool(stack)
        first_nested, second_nested = first in self.nested, second in self.nested
        if first_nested and second_nested:
            return False
        if first_nested or second_nested:
            leaf = second if first_nested else first
            # The nested operand is evaluated first, unless the other one lies ready on top.
            ready = free and stack[-1] == leaf and self.dies_here(leaf, 1)
            return ready == second_nested
        if free and stack[-1] == first and self.dies_here(first, 1):
            return not (len(stack) > 1 and stack[-2] == second and self.dies_here(second, 1))
        return False

    def dies_here(self, value: int, uses: int) -> bool:
        """Whether the next ``uses`` uses of a value on the stack are its last."""
        return (
            self.remaining.get(value) == uses
            and not self.live_out >> value & 1
            and value not in self.constants
            and value not in self.nested
            and value not in self.spilled
        )

    def emit_operand_list(self, inputs: list[int]) -> None:
        """Bring operands onto the stack, the last one first, using values in place where it is their last
        use.

        ``pending`` slots on top of the stack belong to operations around this one and stay where they are."""
        if not inputs:
            return
        order = inputs[::-1]
        remaining = self.remaining
        stack = self.stack
        free = not self.pending
        ready = 0
        if free:
            ready = self.operands_in_place(order)
            if ready == 0 and self.dies_here(order[0], 1):
                self.swap_up(order[0])
                ready = self.operands_in_place(order)
            for value in order[:ready]:
                remaining[value] -= 1
            self.pending += ready
        for i in range(ready, len(order)):
            value = order[i]
            if (
                free
                and i == 1
                and len(stack) > 1
                and stack[-2] == value
                and self.dies_here(value, 1)
                and value != order[0]
            ):
                self.op(self.instructions.swap[0])
                stack[-2], stack[-1] = stack[-1], stack[-2]
            else:
                self.push_leaf(value)
            remaining[value] -= 1
            self.pending += 1

    def swap_up(self, value: int) -> None:
        """Exchange the top with a value below it, if it is within reach."""
        stack = self.stack
        for depth in range(1, min(REACH, len(stack) - 1) + 1):
            position = len(stack) - 1 - depth
            if stack[position] == value:
                self.op(self.instructions.swap[depth - 1])
                stack[position], stack[-1] = stack[-1], value
                return

    def operands_in_place(self, order: list[int]) -> int:
        """How many of the operands (last one first) lie on top of the stack and die here."""
        if self.pending:
            return 0
        stack = self.stack
        height = len(stack)
        for count in range(min(len(order), height), 0, -1):
            if (
                stack[height - count] == order[0]
                and stack[height - count :] == order[:count]
                and all(self.dies_here(value, 1) for value in order[:count])
            ):
                return count
        return 0

    # ------------------------------------------------------------------ spilled values

    def store_outputs(self, values: list[int]) -> None:
        """Move spilled values from the stack to their slots."""
        wanted = set(values)
        stack = self.stack
        while wanted:
            depth = next(d for d in range(len(stack)) if stack[-1 - d] in wanted)
            if depth > REACH:
                self.fail_here([NOTHING])
                depth = REACH
            if depth:
                self.op(self.instructions.swap[depth - 1])
                stack[-1], stack[-1 - depth] = stack[-1 - depth], stack[-1]
            if stack[-1] not in wanted:
                return  # out of reach: this attempt is void
            self.store_top(stack[-1])
            wanted.discard(stack.pop())

    def store_top(self, value: int) -> None:
        """Emit the write of the top to the slot of ``value``."""
        self.push_slot(value)
        self.op(self.instructions.mstore)
        self.saved_slots[value] = None

    def save_slots(self, callee: Function) -> list[int]:
        """Before a call that may come back into this function, copy the slots it still needs to the stack."""
        if not self.spilled:
            return []
        group = self.context.recursive_group.get(self.function.number)
        if group is None or self.context.recursive_group.get(callee.number) != group:
            return []
        saved = [value for value in self.saved_slots if not self.is_dead(value)]
        for value in saved:
            self.push_slot(value)
            self.op(self.instructions.mload)
            self.stack.append(NOTHING)
        self.pending += len(saved)
        return saved

    def restore_slots(self, saved: list[int], results: int) -> None:
        """After the call, write the copies (below the results) back to their slots."""
        stack = self.stack
        for value in reversed(saved):
            if results > REACH:
                self.fail_here(stack[-results:])
                return
            if results:
                self.op(self.instructions.swap[results - 1])
                stack[-1], stack[-1 - results] = stack[-1 - results], stack[-1]
            self.push_slot(value)
            self.op(self.instructions.mstore)
            stack.pop()
        self.pending -= len(saved)

    # ------------------------------------------------------------------ passing values to other blocks

    def pass_arguments(self, block: Block, target: Block) -> None:
        """Bring the stack into the layout that the target expects, or decide that layout."""
        spilled = self.spilled
        parameters, arguments = target.parameters, block.arguments
        if spilled and any(parameter in spilled for parameter in parameters):
            stored = [(p, a) for p, a in zip(parameters, arguments, strict=True) if p in spilled]
            for parameter, argument in stored:
                if argument != parameter:
                    self.push_leaf(argument)
                    self.pending += 1
            for parameter, argument in reversed(stored):
                self.remaining[argument] -= 1
                if argument != parameter:
                    self.store_top(parameter)
                    self.stack.pop()
            self.pending = 0
        passed = [(p, a) for p, a in zip(parameters, arguments, strict=True) if p not in spilled]
        layout = self.layouts.get(target.number)
        if layout is None:
            self.layouts[target.number] = self.choose_layout(target, passed)
        else:
            given = dict(passed)
            self.cursor.arrange([given.get(value, value) for value in layout])

    def choose_layout(self, target: Block, passed: list[tuple[int, int]]) -> list[int]:
        """The first way into a block decides its layout: what lies on the stack stays where it is."""
        stack = self.stack
        live = self.liveness.live_in[target.number]
        by_argument: dict[int, list[int]] = {}
        for parameter, argument in passed:
            by_argument.setdefault(argument, []).append(parameter)
        common = self.exit_stacks.get(self.dominators[target.number], [])
        layout: list[int] = []
        kept: set[int] = set()
        for value in stack:
            if value >= 0 and live >> value & 1 and value not in kept:
                kept.add(value)
                layout.append(value)
            elif value >= 0 and not live >> value & 1 and by_argument.get(value):
                layout.append(by_argument[value].pop(0))
            else:
                layout.append(NOTHING)
        # Dead slots stay where every way into the block has them, below what the dominator left.
        position = len(layout) - 1
        lowest = len(layout)
        while position >= 0:
            shared = position < len(common) and common[position] == stack[position]
            if layout[position] == NOTHING and (self.compact or not shared):
                lowest = position
            position -= 1
        self.remove_dead_slots(layout, lowest)
        for parameter, argument in passed:
            if parameter in by_argument.get(argument, ()):
                self.push_leaf(argument)
                layout.append(parameter)
                by_argument[argument].remove(parameter)
        return layout

    def remove_dead_slots(self, layout: list[int], lowest: int) -> None:
        """Remove unused slots from ``lowest`` on, filling them with what lies on top."""
        stack = self.stack
        instructions = self.instructions

        def drop_top() -> None:
            while layout and layout[-1] == NOTHING and len(layout) > lowest:
                self.op(instructions.pop)
                layout.pop()
                stack.pop()

        drop_top()
        position = lowest
        while position < len(layout):
            if layout[position] == NOTHING:
                depth = len(layout) - 1 - position
                if depth <= REACH:
                    self.op(instructions.swap[depth - 1])
                    self.op(instructions.pop)
                    layout[position], stack[position] = layout[-1], stack[-1]
                    layout.pop()
                    stack.pop()
                    drop_top()
            position += 1
