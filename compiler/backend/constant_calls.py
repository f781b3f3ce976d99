"""Calls with known arguments to functions that only compute: evaluated at compile time."""

from __future__ import annotations

from smartvm.compiler.backend.algebra import fold
from smartvm.compiler.backend.effects import ENDING, EffectFacts
from smartvm.compiler.backend.ssa import BRANCH, JUMP, RETURN, Function

#: Operations that one evaluation may take, and how deep calls may nest in it.
_MAX_STEPS = 300
_MAX_DEPTH = 12


class CallEvaluator:
    """Evaluates calls; results are kept, since utility functions are called with the same numbers often."""

    def __init__(self, facts: EffectFacts) -> None:
        self._facts = facts
        self._results: dict[tuple[int, ...], list[int] | None] = {}
        self._steps = 0

    def results(self, function: Function, arguments: list[int]) -> list[int] | None:
        """What the function returns for these numbers; None when it does more than compute, does not return,
        or takes too long."""
        mask = self._facts.of_function.get(function.number)
        if mask is None or mask.reads or mask.writes & ~ENDING or not function.can_return:
            return None
        key = (function.number, *arguments)
        if key not in self._results:
            self._steps = 0
            self._results[key] = self._run(function, arguments, 0)
        return self._results[key]

    def _run(self, function: Function, arguments: list[int], depth: int) -> list[int] | None:
        constants = function.constants
        known: dict[int, int] = dict(zip(function.parameters, arguments, strict=True))
        block = function.blocks[0]

        def number(value: int) -> int | None:
            found = known.get(value)
            if found is not None:
                return found
            constant = constants.get(value)
            return constant if type(constant) is int else None

        while True:
            self._steps += 1
            for operation in block.operations:
                self._steps += 1
                if self._steps > _MAX_STEPS:
                    return None
                inputs: list[int] = []
                for value in operation.inputs:
                    found = number(value)
                    if found is None:
                        return None
                    inputs.append(found)
                outputs: list[int] | None = None
                if operation.callee is not None:
                    if depth < _MAX_DEPTH and operation.callee.can_return:
                        outputs = self._run(operation.callee, inputs, depth + 1)
                elif operation.builtin is not None and operation.builtin.instruction is not None and inputs:
                    result = fold(operation.builtin.instruction.name, inputs)
                    outputs = None if result is None else [result]
                if outputs is None:
                    return None
                known.update(zip(operation.outputs, outputs, strict=True))
            if block.kind == JUMP:
                passed = [number(value) for value in block.arguments]
                block = block.targets[0]
                for parameter, argument in zip(block.parameters, passed, strict=True):
                    if argument is None:
                        return None
                    known[parameter] = argument
            elif block.kind == BRANCH:
                condition = number(block.condition)
                if condition is None:
                    return None
                block = block.targets[0 if condition else 1]
            elif block.kind == RETURN:
                results = [number(value) for value in block.arguments]
                return None if None in results else [r for r in results if r is not None]
            else:
                return None
            if self._steps > _MAX_STEPS:
                return None
