"""Function inlining on SSA graphs, callees before callers.

A call costs about 30 gas and a dozen bytes (return label, two jumps, their targets, moving the results),
so small bodies are copied to each call, and a function that is called from one place only goes there.
Copied operations keep their own source ranges; those of utility functions, which have none, get the call's.
"""

from __future__ import annotations

from collections.abc import Mapping

from smartvm.compiler.backend.ssa import JUMP, RETURN, STOP, Block, Constant, Function, Operation, Program
from smartvm.compiler.source import SourceRange

#: Sizes are operations and constant operands, about what the code takes in bytes divided by two.
_MAX_SINGLE_CALL = 600
#: Room for the dispatch of a contract with hundreds of functions, each of which is called from there alone.
_MAX_CALLER = 40_000


class Inliner:
    """Inlines calls in the functions of one program. ``runs`` weighs speed against size."""

    def __init__(self, program: Program, runs: int) -> None:
        self.limit = 10 if runs < 50 else 14 if runs < 1000 else 20
        self.constant_bonus = 3
        self.sizes: dict[int, int] = {}
        self.calls: dict[int, int] = {}
        for function in program.functions:
            for block in function.blocks:
                for operation in block.operations:
                    if operation.callee is not None:
                        number = operation.callee.number
                        self.calls[number] = self.calls.get(number, 0) + 1

    def inline_calls(self, caller: Function, group: set[int]) -> bool:
        """Inline what pays off in ``caller``; functions of ``group`` (its own recursive group) stay."""
        size = self.size(caller)
        changed = False
        position = 0
        while position < len(caller.blocks):
            block = caller.blocks[position]
            position += 1
            for i, operation in enumerate(block.operations):
                callee = operation.callee
                if callee is None or callee.number in group or not self._pays(operation, callee, size):
                    continue
                size += self.size(callee)
                _inline(caller, block, i, callee)
                changed = True
                # The block ends with the callee's code now; what follows the call is in a new block.
                position -= 1
                break
        self.sizes.pop(caller.number, None)
        return changed

    def size(self, function: Function) -> int:
        """Operations and constant operands of a function."""
        known = self.sizes.get(function.number)
        if known is None:
            constants = function.constants
            known = 0
            for block in function.blocks:
                if _is_shared_end(block, constants):
                    continue
                known += len(block.parameters)
                for operation in block.operations:
                    known += 1 + sum(value in constants for value in operation.inputs)
                    if operation.callee is not None:
                        known += 4
                known += 2 * len(block.targets)
            self.sizes[function.number] = known
        return known

    def _pays(self, operation: Operation, callee: Function, caller_size: int) -> bool:
        size = self.size(callee)
        if self.calls.get(callee.number) == 1:
            return size <= _MAX_SINGLE_CALL and caller_size <= _MAX_CALLER
        return size <= self.limit + len(operation.inputs) and caller_size <= _MAX_CALLER


def _is_shared_end(block: Block, constants: Mapping[int, Constant]) -> bool:
    """Whether a block only reverts with constants: its copies become one in the code (``placement``)."""
    if block.kind != STOP or block.parameters or not block.operations:
        return False
    builtin = block.operations[-1].builtin
    if builtin is None or not builtin.effects.reverts:
        return False
    return all(value in constants for operation in block.operations for value in operation.inputs)


def _inline(caller: Function, block: Block, position: int, callee: Function) -> None:
    """Replace the call at ``position`` of ``block`` by a copy of the callee."""
    call = block.operations[position]
    values: dict[int, int] = dict(zip(callee.parameters, call.inputs, strict=True))
    constants = callee.constants

    def copy_of(value: int) -> int:
        known = values.get(value)
        if known is None:
            constant = constants.get(value)
            known = caller.constant(constant) if constant is not None else caller.new_value()
            values[value] = known
        return known

    def range_of(source: SourceRange) -> SourceRange:
        return call.source if source.start < 0 else source

    def copies(operations: list[Operation]) -> list[Operation]:
        return [
            Operation(
                o.builtin,
                o.callee,
                [copy_of(v) for v in o.inputs],
                [copy_of(v) for v in o.outputs],
                range_of(o.source),
                o.payload,
            )
            for o in operations
        ]

    rest = caller.new_block()
    rest.operations = block.operations[position + 1 :]
    rest.kind, rest.targets, rest.arguments = block.kind, block.targets, block.arguments
    rest.condition, rest.source = block.condition, block.source
    rest.parameters = call.outputs
    blocks: dict[int, Block] = {callee.blocks[0].number: block}
    for original in callee.blocks[1:]:
        blocks[original.number] = caller.new_block()
    block.operations = block.operations[:position]
    for original in callee.blocks:
        copy = blocks[original.number]
        if copy is not block:
            copy.parameters = [copy_of(v) for v in original.parameters]
        copy.operations.extend(copies(original.operations))
        if original.kind == RETURN:
            copy.jump(rest, [copy_of(v) for v in original.arguments], range_of(original.source))
        else:
            copy.kind = original.kind
            copy.targets = [blocks[t.number] for t in original.targets]
            copy.arguments = [copy_of(v) for v in original.arguments] if original.kind == JUMP else []
            copy.condition = copy_of(original.condition) if original.condition >= 0 else -1
            copy.source = range_of(original.source)
    for value, name in callee.names.items():
        if value in values:
            caller.names.setdefault(values[value], name)
