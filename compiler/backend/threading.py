"""Jump threading: a block that only branches on what it is passed is skipped by those who pass a constant."""

from __future__ import annotations

from smartvm.compiler.backend.control_flow import predecessors, split_critical_edges
from smartvm.compiler.backend.ssa import BRANCH, JUMP, Function


def thread_jumps(function: Function) -> bool:
    """Let jumps with a constant go where the branch would go; whether any did."""
    changed = _drop_idle_branches(function)
    before = predecessors(function.blocks)
    candidates = [
        block
        for block in function.blocks[1:]
        if block.kind == BRANCH
        and not block.operations
        and len(before[block.number]) > 1
        and block.condition in block.parameters
    ]
    if not candidates:
        return changed
    own = {parameter for block in candidates for parameter in block.parameters}
    uses: dict[int, int] = {}
    for block in function.blocks:
        for operation in block.operations:
            for value in operation.inputs:
                if value in own:
                    uses[value] = uses.get(value, 0) + 1
        for value in block.arguments:
            if value in own:
                uses[value] = uses.get(value, 0) + 1
        if block.kind == BRANCH and block.condition in own:
            uses[block.condition] = uses.get(block.condition, 0) + 1
    for block in candidates:
        if len(block.parameters) != 1 or uses.get(block.condition) != 1:
            continue
        for source in before[block.number]:
            constant = function.constants.get(source.arguments[0])
            if type(constant) is int and source.targets[0] is block:
                source.jump(block.targets[0 if constant else 1], [], source.source)
                changed = True
    if changed:
        split_critical_edges(function)
    return changed


def _drop_idle_branches(function: Function) -> bool:
    """Jump where both ways of a branch do nothing but go on to the same place with the same values."""
    changed = False
    for block in function.blocks:
        if block.kind != BRANCH:
            continue
        nonzero, zero = block.targets
        if (
            nonzero.kind == JUMP
            and zero.kind == JUMP
            and not nonzero.operations
            and not zero.operations
            and nonzero.targets[0] is zero.targets[0]
            and nonzero.arguments == zero.arguments
        ):
            block.jump(nonzero.targets[0], list(nonzero.arguments), block.source)
            changed = True
    return changed
