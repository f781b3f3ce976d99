"""``settings.optimizer`` of Standard JSON. Besides ``enabled`` and ``runs`` the settings steer solc's own
passes; they are checked as solc checks them, and metadata repeats them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smartvm.compiler.input_checks import InputError, boolean, check_keys, is_unsigned, string

_KEYS = frozenset({"details", "enabled", "runs"})
#: In the order in which solc reads them.
_SWITCHES = (
    "peephole",
    "inliner",
    "jumpdestRemover",
    "orderLiterals",
    "deduplicate",
    "cse",
    "constantOptimizer",
    "yul",
    "simpleCounterForLoopUncheckedIncrement",
)
_DETAILS_KEYS = frozenset({*_SWITCHES, "yulDetails"})
_YUL_KEYS = frozenset({"stackAllocation", "optimizerSteps"})
#: The letters of solc's Yul optimizer steps (docs/yul.rst, "Optimization Step Sequence").
_STEPS = frozenset("acdefghijlmnoprstuvxCDEFILMOSTUV \n")


def read_optimizer(value: Any) -> dict[str, Any]:
    """The checked object. Raises InputError."""
    optimizer = check_keys(value, _KEYS, "settings.optimizer")
    enabled = boolean(optimizer, "enabled", 'The "enabled" setting must be a Boolean.', False)
    if not is_unsigned(optimizer.get("runs", 200)):
        raise InputError('The "runs" setting must be an unsigned number.')
    details = check_keys(optimizer.get("details", {}), _DETAILS_KEYS, "settings.optimizer.details")
    for name in _SWITCHES:
        _switch(details, name)
    if "yulDetails" in details:
        _check_yul(details["yulDetails"], details.get("yul", enabled))
    return dict(optimizer)


def _switch(parent: Mapping[str, Any], name: str) -> None:
    boolean(parent, name, f'"settings.optimizer.details.{name}" must be Boolean', True)


def _check_yul(value: Any, runs_yul: bool) -> None:
    field = "settings.optimizer.details.yulDetails"
    if not runs_yul:
        try:
            yul = check_keys(value, frozenset({"optimizerSteps"}), field)
        except InputError:
            raise InputError("Only optimizerSteps can be set in yulDetails when Yul optimizer is disabled.") from None
    else:
        yul = check_keys(value, _YUL_KEYS, field)
        _switch(yul, "stackAllocation")
    if "optimizerSteps" not in yul:
        return
    field = '"settings.optimizer.details.optimizerSteps"'
    steps = string(yul, "optimizerSteps", f"{field} must be a string", "")
    if not runs_yul and (steps.count(":") != 1 or set(steps) - set(": \n")):
        raise InputError(
            "If Yul optimizer is disabled, only an empty optimizerSteps sequence is accepted. "
            'Note that the empty optimizer sequence is properly denoted by ":".'
        )
    problem = step_problem(steps)
    if problem:
        raise InputError(f"Invalid optimizer step sequence in {field}: {problem}")


def step_problem(steps: str) -> str | None:
    """What is wrong with a sequence of optimizer steps, or None."""
    depth = delimiters = 0
    for letter in steps:
        if letter == "[":
            depth += 1
        elif letter == "]":
            depth -= 1
            if depth < 0:
                return "Unbalanced brackets"
        elif letter == ":":
            delimiters += 1
            if depth:
                return "Cleanup sequence delimiter cannot be placed inside the brackets"
            if delimiters > 1:
                return "Too many cleanup sequence delimiters"
        elif letter not in _STEPS:
            return f"'{letter}' is not a valid step abbreviation"
    return "Unbalanced brackets" if depth else None
