"""From an SSA function to its items: schedule the stack, and where that fails, spill and schedule again."""

from __future__ import annotations

from smartvm.compiler.backend.coding_context import CodingContext, FunctionCode
from smartvm.compiler.backend.effects import EffectFacts
from smartvm.compiler.backend.liveness import Liveness
from smartvm.compiler.backend.result import StackTooDeepError
from smartvm.compiler.backend.ssa import Function
from smartvm.compiler.backend.stack_coder import StackCoder
from smartvm.compiler.backend.trees import Trees
from smartvm.errors import InternalError


def code_function(
    function: Function, context: CodingContext, facts: EffectFacts, may_spill: bool
) -> FunctionCode:
    """Code a function, first with dead values left in place, then compactly, then with ever more values in
    memory.

    Raises ``StackTooDeepError`` when values would have to go to memory and ``may_spill`` forbids it.
    """
    trees = Trees(function, facts, context.instructions)
    return_address = function.new_value() if function.can_return else -1
    liveness = Liveness(function, trees.repeated, return_address)
    spilled: dict[int, int] = {}
    compact = False
    while True:
        coder = StackCoder(function, context, trees, liveness, return_address, spilled, compact)
        code = coder.code()
        if not coder.unreachable:
            return code
        if not compact:
            compact = True
            continue
        if not may_spill:
            raise StackTooDeepError(function.name, function.source)
        new = [value for value in coder.unreachable if value not in spilled]
        if not new:
            raise InternalError(
                f"function `{function.name}` cannot be scheduled with {len(spilled)} spilled values"
            )
        spilled = {**spilled, **{value: len(spilled) + i for i, value in enumerate(new)}}
