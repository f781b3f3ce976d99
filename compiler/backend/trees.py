"""Expression trees from SSA: an operation whose only result is used once, later in the same block, is
evaluated where it is used, when nothing between the two places conflicts with it.

The stack coder then emits operands in evaluation order, as a person would write the code, and only what is
left (values used several times or across blocks) lives on the stack under a name."""

from __future__ import annotations

from smartvm.compiler.backend.effects import EffectFacts, Mask
from smartvm.compiler.backend.items import InstructionSet
from smartvm.compiler.backend.ssa import BRANCH, Block, Function, Operation

#: How far back an operand's operation is looked for, and how deep trees get.
_LOOK_BACK = 8
_MAX_DEPTH = 60


class Trees:
    """``nested``: value to the operation that is evaluated where the value is used. ``roots``: block number
    to the operations that are emitted in order. Values of ``repeated`` are evaluated anew at each use.
    ``uses``: how often values are used."""

    def __init__(
        self,
        function: Function,
        facts: EffectFacts,
        instructions: InstructionSet,
        max_depth: int = _MAX_DEPTH,
    ) -> None:
        self.max_depth = max_depth
        self.nested: dict[int, Operation] = {}
        self.repeated: set[int] = set()
        self.roots: dict[int, list[Operation]] = {}
        self._facts = facts
        self.uses = _count_uses(function)
        self._find_repeated(function, instructions)
        for block in function.blocks:
            self.roots[block.number] = self._build(block)

    def _find_repeated(self, function: Function, instructions: InstructionSet) -> None:
        """What costs no more than a copy (ADDRESS, CALLVALUE ...) needs no place on the stack."""
        for block in function.blocks:
            for operation in block.operations:
                builtin = operation.builtin
                if (
                    builtin is not None
                    and not operation.inputs
                    and len(operation.outputs) == 1
                    and builtin.effects.pure
                    and builtin.instruction is not None
                    and builtin.instruction.immediate_bytes == 0
                ):
                    gas = instructions.gas.get(builtin.instruction.opcode)
                    if gas is not None and gas.base <= 2 and gas.dynamic is None:
                        self.repeated.add(operation.outputs[0])
                        self.nested[operation.outputs[0]] = operation

    def _build(self, block: Block) -> list[Operation]:
        uses, nested, repeated = self.uses, self.nested, self.repeated
        pending: list[Operation] = []
        masks: list[Mask] = []
        depths: list[int] = []
        for operation in block.operations:
            if operation.outputs and operation.outputs[0] in repeated:
                continue
            reads, writes = self._facts.mask(operation)
            depth = 0
            for value in operation.inputs:
                if uses.get(value) != 1 or value in repeated:
                    continue
                position = self._find(value, pending, masks)
                if position < 0 or depths[position] >= self.max_depth:
                    continue
                nested[value] = pending.pop(position)
                mask = masks.pop(position)
                reads |= mask.reads
                writes |= mask.writes
                depth = max(depth, depths.pop(position) + 1)
            pending.append(operation)
            masks.append(Mask(reads, writes))
            depths.append(depth)
        if block.kind == BRANCH and uses.get(block.condition) == 1 and block.condition not in repeated:
            position = self._find(block.condition, pending, masks)
            if position >= 0:
                nested[block.condition] = pending.pop(position)
        return pending

    def _find(self, value: int, pending: list[Operation], masks: list[Mask]) -> int:
        """Position of the pending operation that gives ``value``, if it may be evaluated last of all; else
        -1."""
        reads = writes = 0
        for position in range(len(pending) - 1, max(len(pending) - 1 - _LOOK_BACK, -1), -1):
            mask = masks[position]
            outputs = pending[position].outputs
            if len(outputs) == 1 and outputs[0] == value:
                if mask.writes & (reads | writes) or mask.reads & writes:
                    return -1
                return position
            reads |= mask.reads
            writes |= mask.writes
        return -1


def _count_uses(function: Function) -> dict[int, int]:
    uses: dict[int, int] = {}
    for block in function.blocks:
        for operation in block.operations:
            for value in operation.inputs:
                uses[value] = uses.get(value, 0) + 1
        for value in block.arguments:
            uses[value] = uses.get(value, 0) + 1
        if block.kind == BRANCH:
            uses[block.condition] = uses.get(block.condition, 0) + 1
    return uses
