"""The order in which the SSA passes run over a program."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from smartvm.compiler.backend.constant_calls import CallEvaluator
from smartvm.compiler.backend.control_flow import (
    drop_redundant_parameters,
    drop_unreachable,
    merge_straight_runs,
)
from smartvm.compiler.backend.dead_code import drop_dead_operations
from smartvm.compiler.backend.dead_stores import DeadStores
from smartvm.compiler.backend.effects import EffectFacts, call_order, settle_returns
from smartvm.compiler.backend.free_pointer import pointer_is_private
from smartvm.compiler.backend.inlining import Inliner
from smartvm.compiler.backend.simplification import Simplifier
from smartvm.compiler.backend.ssa import Function, Program, Symbol
from smartvm.compiler.backend.threading import thread_jumps

if TYPE_CHECKING:
    from smartvm.compiler.backend.result import BackendSettings
    from smartvm.compiler.yul.dialect import BuiltinFunction

_ROUNDS = 3


def prepare_program(program: Program) -> None:
    """What every program needs: no unreachable blocks, no needless parameters, no uncalled functions."""
    for function in program.functions:
        drop_unreachable(function)
        drop_redundant_parameters(function)
    settle_returns(program)
    drop_uncalled(program)
    for function in program.functions:
        drop_unreachable(function)
        merge_straight_runs(function)


def optimize_program(
    program: Program,
    builtins: Mapping[str, BuiltinFunction],
    settings: BackendSettings,
    inline: bool = True,
) -> None:
    """Inline and simplify all functions of a prepared program, callees first."""
    facts = EffectFacts(program)
    guarded = uses_memory_guard(program) and pointer_is_private(program)
    evaluator = CallEvaluator(facts)
    inliner = Inliner(program, settings.runs)
    for component in call_order(program):
        group = {function.number for function in component}
        for function in component:
            inlined = inline and inliner.inline_calls(function, group)
            if inlined:
                tidy(function)
            simplify_function(function, builtins, facts, guarded, evaluator)
    settle_returns(program)
    drop_uncalled(program)
    for function in program.functions:
        tidy(function)


def simplify_function(
    function: Function,
    builtins: Mapping[str, BuiltinFunction],
    facts: EffectFacts,
    guarded: bool,
    evaluator: CallEvaluator,
) -> None:
    """Simplify until nothing changes, or for some rounds."""
    for _ in range(_ROUNDS):
        changed = Simplifier(function, builtins, facts, guarded, evaluator).run()
        changed |= DeadStores(function, facts, guarded).run()
        changed |= drop_dead_operations(function, facts)
        drop_unreachable(function)
        changed |= thread_jumps(function)
        tidy(function)
        if not changed:
            return


def tidy(function: Function) -> None:
    """Restore the plain form of the graph after a pass."""
    drop_unreachable(function)
    drop_redundant_parameters(function)
    merge_straight_runs(function)


def uses_memory_guard(program: Program) -> bool:
    """Whether the code keeps to Solidity's memory model and leaves the memory below the guard to the
    compiler."""
    return any(
        isinstance(constant, Symbol) and constant.kind == "memoryguard"
        for function in program.functions
        for constant in function.constants.values()
    )


def drop_uncalled(program: Program) -> None:
    """Forget the functions that the object's code does not call, directly or through others."""
    reached = {program.main.number}
    work: list[Function] = [program.main]
    while work:
        for block in work.pop().blocks:
            for operation in block.operations:
                callee = operation.callee
                if callee is not None and callee.number not in reached:
                    reached.add(callee.number)
                    work.append(callee)
    program.functions = [function for function in program.functions if function.number in reached]
