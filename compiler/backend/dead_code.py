"""Removal of operations whose outputs nothing uses and that touch nothing, and of stores overwritten at
once."""

from __future__ import annotations

from smartvm.compiler.backend.effects import EffectFacts
from smartvm.compiler.backend.ssa import BRANCH, JUMP, Function, Operation


def drop_dead_operations(function: Function, facts: EffectFacts) -> bool:
    """Remove unused operations and block parameters; whether any was removed."""
    makers: dict[int, Operation] = {}
    needed: set[int] = set()
    work: list[int] = []
    passed: dict[int, list[int]] = {}
    alive: set[int] = set()
    for block in function.blocks:
        for operation in block.operations:
            if facts.mask(operation).writes:
                alive.add(id(operation))
                work.extend(operation.inputs)
            for output in operation.outputs:
                makers[output] = operation
        if block.kind == JUMP:
            for parameter, argument in zip(block.targets[0].parameters, block.arguments, strict=True):
                passed.setdefault(parameter, []).append(argument)
        else:
            work.extend(block.arguments)
            if block.kind == BRANCH:
                work.append(block.condition)
    while work:
        value = work.pop()
        if value in needed:
            continue
        needed.add(value)
        maker = makers.get(value)
        if maker is not None:
            if id(maker) not in alive:
                alive.add(id(maker))
                work.extend(maker.inputs)
        elif value in passed:
            work.extend(passed[value])
    changed = False
    for block in function.blocks:
        kept = [operation for operation in block.operations if id(operation) in alive]
        if len(kept) != len(block.operations):
            block.operations = kept
            changed = True
        if block.kind == JUMP:
            target = block.targets[0]
            if any(parameter not in needed for parameter in target.parameters):
                block.arguments = [
                    argument
                    for parameter, argument in zip(target.parameters, block.arguments, strict=True)
                    if parameter in needed
                ]
                changed = True
    for block in function.blocks[1:]:
        block.parameters = [parameter for parameter in block.parameters if parameter in needed]
    return changed
