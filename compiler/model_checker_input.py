"""``settings.modelChecker`` of Standard JSON: accepted and checked as by solc, though smartvm has no model
checker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smartvm.compiler.input_checks import InputError, check_keys, is_unsigned

_KEYS = frozenset(
    [
        "bmcLoopIterations",
        "contracts",
        "divModNoSlacks",
        "engine",
        "extCalls",
        "invariants",
        "printQuery",
        "showProvedSafe",
        "showUnproved",
        "showUnsupported",
        "solvers",
        "targets",
        "timeout",
    ]
)
_ENGINES = frozenset({"all", "bmc", "chc", "none"})
_EXTERNAL_CALLS = frozenset({"trusted", "untrusted"})
_INVARIANTS = frozenset({"contract", "reentrancy"})
_SOLVERS = frozenset({"cvc5", "eld", "smtlib2", "z3"})
_TARGETS = frozenset(
    [
        "assert",
        "balance",
        "constantCondition",
        "divByZero",
        "outOfBounds",
        "overflow",
        "popEmptyArray",
        "underflow",
    ]
)


def _field(name: str) -> str:
    return f"settings.modelChecker.{name}"


def read_model_checker(value: Any) -> str:
    """Check the settings; the engine asked for ("none" where none is). Raises InputError."""
    settings = check_keys(value, _KEYS, "modelChecker")
    _check_contracts(settings.get("contracts"))
    _flag(settings, "divModNoSlacks", "a Boolean.")
    engine = _choice(settings, "engine", _ENGINES) or "none"
    if "bmcLoopIterations" in settings:
        if engine not in ("all", "bmc"):
            raise InputError(f"{_field('bmcLoopIterations')} requires the BMC engine to be enabled.")
        if not is_unsigned(settings["bmcLoopIterations"]):
            raise InputError(f"{_field('bmcLoopIterations')} must be an unsigned integer.")
    _choice(settings, "extCalls", _EXTERNAL_CALLS)
    _list(settings, "invariants", "invariant type", _INVARIANTS, may_be_empty=False)
    for name in ("showProvedSafe", "showUnproved", "showUnsupported"):
        _flag(settings, name, "a Boolean value.")
    _list(settings, "solvers", "target", _SOLVERS, may_be_empty=True)
    _flag(settings, "printQuery", "a Boolean value.")
    _list(settings, "targets", "target", _TARGETS, may_be_empty=False)
    if "timeout" in settings and not is_unsigned(settings["timeout"]):
        raise InputError(f"{_field('timeout')} must be an unsigned integer.")
    return engine


def _check_contracts(value: Any) -> None:
    if value is None:
        return
    if not isinstance(value, Mapping):
        raise InputError(f"{_field('contracts')} is not a JSON object.")
    for source in sorted(value):
        contracts = value[source]
        if not source:
            raise InputError("Source name cannot be empty.")
        if not isinstance(contracts, list):
            raise InputError("Source contracts must be an array.")
        for contract in contracts:
            if not isinstance(contract, str):
                raise InputError(f"Every contract in {_field('contracts')} must be a string.")
            if not contract:
                raise InputError("Contract name cannot be empty.")
        if not contracts:
            raise InputError("Source contracts must be a non-empty array.")


def _flag(settings: Mapping[str, Any], name: str, what: str) -> None:
    if name in settings and not isinstance(settings[name], bool):
        raise InputError(f"{_field(name)} must be {what}")


def _choice(settings: Mapping[str, Any], name: str, known: frozenset[str]) -> str | None:
    if name not in settings:
        return None
    value = settings[name]
    if not isinstance(value, str):
        raise InputError(f"{_field(name)} must be a string.")
    if value not in known:
        raise InputError(f"Invalid model checker {name} requested.")
    return value


def _list(settings: Mapping[str, Any], name: str, item: str, known: frozenset[str], *, may_be_empty: bool) -> None:
    if name not in settings:
        return
    value = settings[name]
    if not isinstance(value, list):
        raise InputError(f"{_field(name)} must be an array.")
    for entry in value:
        if not isinstance(entry, str):
            raise InputError(f"Every {item} in {_field(name)} must be a string.")
        if entry not in known:
            raise InputError(f"Invalid model checker {name} requested.")
    if not value and not may_be_empty:
        raise InputError(f"{_field(name)} must be a non-empty array.")
