"""One row of TOML -> one ``Instruction``, every key checked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast, get_args

from smartvm.instructions.errors import TableError, table_error
from smartvm.instructions.forks import canonical_fork
from smartvm.instructions.model import Area, Effects, Gas, GasRule, Implementation, Instruction, ResultCount
from smartvm.records import dataclass, replace

_AREAS = frozenset(get_args(Area))
_CONTROLS = ("jump", "conditional_jump", "jump_target")
_NAME = re.compile(r"[A-Z][A-Z0-9_]*")
_OPERAND = re.compile(r"[a-z][a-z0-9_]*")
_KERNEL = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")
_KEYS = frozenset(
    [
        "opcode",
        "operands",
        "results",
        "immediate_bytes",
        "gas",
        "since",
        "until",
        "reads",
        "writes",
        "pure",
        "terminates",
        "reverts",
        "control",
        "builtin",
        "yul",
        "kernel",
        "native",
        "unavailable_code",
        "warning",
        "family",
        "description",
        "reference",
    ]
)
_CHANGEABLE = frozenset(["opcode", "gas", "since", "until", "description", "reference"])
_GAS_KEYS = frozenset(("since", "base", "dynamic"))

#: Words of Yul that no instruction may be called. Builtins that belong to Yul objects, not to an
#: instruction, are among them.
YUL_KEYWORDS = frozenset(
    [
        "break",
        "case",
        "continue",
        "default",
        "false",
        "for",
        "function",
        "hex",
        "if",
        "leave",
        "let",
        "switch",
        "true",
    ]
)
OBJECT_BUILTINS = frozenset(
    [
        "datasize",
        "dataoffset",
        "datacopy",
        "setimmutable",
        "loadimmutable",
        "linkersymbol",
        "memoryguard",
        "auxdata",
    ]
)


@dataclass(frozen=True)
class RowContext:
    """What a row is checked against: the file that it stands in, and the table's forks and gas rules."""

    path: str
    forks: Sequence[str]
    rules: Mapping[str, GasRule]


@dataclass(frozen=True)
class _Row:
    """Reads the keys of one row; every complaint names the row and its line."""

    context: RowContext
    keys: tuple[str, ...]
    values: Mapping[str, Any]

    @property
    def name(self) -> str:
        return self.keys[-1]

    def fail(
        self, key: str | None, message: str, hint: str | None = None, needle: str | None = None
    ) -> TableError:
        keys = (*self.keys, key) if key else self.keys
        return table_error(self.context.path, keys, f"`{self.name}`: {message}", hint=hint, needle=needle)

    def integer(self, key: str, value: object, low: int, high: int, within: str | None = None) -> int:
        """``within``: the key of the inline table that ``key`` stands in."""
        if type(value) is not int:
            raise self.fail(within or key, f"`{key}` is {value!r}, expected a number from {low} to {high}")
        if not low <= value <= high:
            shown = hex(value) if key == "opcode" else str(value)
            wanted = f"0x{low:02x} to 0x{high:02x}" if key == "opcode" else f"{low} to {high}"
            raise self.fail(within or key, f"`{key}` is {shown}, expected {wanted}", None, shown)
        return value

    def flag(self, key: str, default: bool = False) -> bool:
        value = self.values.get(key, default)
        if type(value) is not bool:
            raise self.fail(key, f"`{key}` is {value!r}, expected true or false")
        return value

    def string(self, key: str, default: str = "") -> str:
        value = self.values.get(key, default)
        if type(value) is not str:
            raise self.fail(key, f"`{key}` is {value!r}, expected text in quotes")
        return value

    def strings(self, key: str) -> tuple[str, ...]:
        value = self.values.get(key, ())
        if not isinstance(value, (list, tuple)) or not all(type(item) is str for item in value):
            raise self.fail(key, f"`{key}` is {value!r}, expected a list of texts")
        return tuple(value)

    def fork(self, key: str, name: object, within: str | None = None) -> str:
        if type(name) is not str:
            raise self.fail(within or key, f"`{key}` is {name!r}, expected a fork's name in quotes")
        fork = canonical_fork(name)
        if fork not in self.context.forks:
            known = f"known: {', '.join(self.context.forks)}"
            raise self.fail(within or key, f"unknown fork `{name}`", known, name)
        return fork

    def names(self, key: str) -> tuple[str, ...]:
        names = self.strings(key)
        for name in names:
            if not _OPERAND.fullmatch(name):
                raise self.fail(
                    key, f"`{name}` is no name for an entry of `{key}`", "use lower case, digits and _", name
                )
        if len(names) > 17:
            raise self.fail(key, f"{len(names)} {key}, expected at most 17 (what DUP and SWAP reach)")
        return names

    def areas(self, key: str) -> frozenset[Area]:
        areas = self.strings(key)
        for area in areas:
            if area not in _AREAS:
                known = ", ".join(sorted(_AREAS))
                raise self.fail(key, f"unknown effect `{area}` in `{key}`", f"known: {known}", area)
        return cast("frozenset[Area]", frozenset(areas))

    def gas(self, since: str, *, free_constants: bool) -> tuple[Gas, ...]:
        given = self.values["gas"]
        entries = given if isinstance(given, list) else [given]
        if not entries:
            raise self.fail("gas", "`gas` is empty, expected a number, a table, or an array of tables")
        prices = [self._gas_entry(entry, since, free_constants) for entry in entries]
        order = [self.context.forks.index(price.since) for price in prices]
        if order != sorted(set(order)):
            raise self.fail(
                "gas", "the entries of `gas` do not stand in the order of their forks, each fork once"
            )
        if order[0] > self.context.forks.index(since):
            raise self.fail(
                "gas", f"`gas` starts with `{prices[0].since}`, but the instruction exists since `{since}`"
            )
        return tuple(prices)

    def _gas_entry(self, entry: object, since: str, free_constants: bool) -> Gas:
        if type(entry) is int:
            return Gas(since, self.integer("gas", entry, 0, 2**63 - 1))
        if not isinstance(entry, dict):
            raise self.fail("gas", f"`gas` is {entry!r}, expected a number, a table, or an array of tables")
        if "base" not in entry:
            raise self.fail(
                "gas", "`gas` lacks `base`, its constant part", "write `base = 0` where there is none"
            )
        base = self.integer("base", entry["base"], 0, 2**63 - 1, "gas")
        start = self.fork("since", entry["since"], "gas") if "since" in entry else since
        constants = tuple((key, value) for key, value in entry.items() if key not in _GAS_KEYS)
        for key, value in constants:
            self.integer(key, value, 0, 2**63 - 1, "gas")
        rule_name = entry.get("dynamic")
        if rule_name is None:
            if constants and not free_constants:
                raise self.fail(
                    "gas", f"`{constants[0][0]}` belongs to no rule", "name the rule: `dynamic = ...`"
                )
            return Gas(start, base, None, constants)
        rule = self.context.rules.get(rule_name) if isinstance(rule_name, str) else None
        if rule is None:
            hint = f"known: {', '.join(sorted(self.context.rules))}"
            raise self.fail("gas", f"unknown gas rule `{rule_name}`", hint, str(rule_name))
        given = {key for key, _ in constants}
        for missing in [key for key in rule.constants if key not in given]:
            raise self.fail(
                "gas", f"the gas rule `{rule.name}` needs `{missing}`", f"it means: {rule.formula}"
            )
        for extra in [key for key, _ in constants if key not in rule.constants]:
            raise self.fail(
                "gas", f"the gas rule `{rule.name}` knows no `{extra}`", f"it means: {rule.formula}", extra
            )
        return Gas(start, base, rule.name, constants)

    def implementation(self) -> Implementation | None:
        given = [key for key in ("yul", "kernel", "native") if key in self.values]
        if not given:
            return None
        if len(given) > 1:
            raise self.fail(given[1], f"has both `{given[0]}` and `{given[1]}`, expected one of them")
        if given == ["native"]:
            return Implementation("native", self.name.lower()) if self.flag("native") else None
        text = self.string(given[0])
        if given == ["kernel"] and not _KERNEL.fullmatch(text):
            raise self.fail("kernel", f"`{text}` is no kernel", "write it as package.module:function")
        if given == ["yul"] and not text.strip():
            raise self.fail("yul", "`yul` is empty, expected what the instruction does")
        return Implementation(cast('Literal["kernel", "yul"]', given[0]), text)

    def warning(self) -> tuple[int, str] | None:
        given = self.values.get("warning")
        if given is None:
            return None
        if (
            not isinstance(given, dict)
            or set(given) != {"code", "message"}
            or type(given["message"]) is not str
        ):
            raise self.fail("warning", "`warning` has the keys code and message")
        return self.integer("code", given["code"], 1, 99999, "warning"), given["message"].replace("\n", " ")

    def results(self, operands: tuple[str, ...]) -> tuple[tuple[str, ...], ResultCount | None]:
        given = self.values.get("results", ())
        if not isinstance(given, dict):
            return self.names("results"), None
        if set(given) != {"operand", "minimum", "maximum"}:
            raise self.fail("results", "a table of `results` has the keys operand, minimum and maximum")
        if given["operand"] not in operands:
            raise self.fail("results", f"`results` counts by `{given['operand']}`, which is no operand")
        maximum = self.integer("maximum", given["maximum"], 0, 16, "results")
        return (), ResultCount(
            given["operand"], self.integer("minimum", given["minimum"], 0, maximum, "results"), maximum
        )


def _check_keys(row: _Row, known: frozenset[str], hint: str | None = None) -> None:
    for key in row.values:
        if key not in known:
            from difflib import get_close_matches

            close = get_close_matches(key, known, 1)
            raise row.fail(key, f"unknown key `{key}`", f"did you mean `{close[0]}`?" if close else hint)


def _check_name(row: _Row) -> None:
    name = row.name
    if not _NAME.fullmatch(name):
        raise row.fail(None, "no name for an instruction", "use upper case, digits and _, a letter first")
    lower = name.lower()
    if lower in YUL_KEYWORDS:
        raise row.fail(None, f"`{lower}` is a keyword of Yul")
    if lower in OBJECT_BUILTINS or lower.startswith("verbatim"):
        raise row.fail(None, f"`{lower}` is a builtin function of Yul objects")


def _check_custom(row: _Row, control: str | None, effects: Effects) -> None:
    """What only the VM's own instructions may be."""
    if control is not None:
        raise row.fail("control", "only the VM's own instructions can jump")
    if effects.terminates and not effects.reverts:
        raise row.fail(
            "terminates", "only the VM's own instructions can end a call; one of your own may revert"
        )
    if row.values.get("immediate_bytes") and row.flag("builtin", True):
        hint = "with `builtin = false` it has no Yul builtin"
        raise row.fail("immediate_bytes", "Yul has no way to write an instruction's immediate bytes", hint)
    if "yul" in row.values and isinstance(row.values.get("results"), dict):
        raise row.fail(
            "results", "the number of results of an instruction given in Yul is fixed: list their names"
        )


def new_instruction(context: RowContext, name: str, values: object) -> Instruction:
    """The instruction of ``[instructions.NAME]``; raises ``TableError``."""
    if not isinstance(values, dict):
        raise table_error(
            context.path, ("instructions", name), f"`{name}` is {values!r}, expected a table of keys"
        )
    row = _Row(context, ("instructions", name), values)
    _check_name(row)
    _check_keys(row, _KEYS, f"known: {', '.join(sorted(_KEYS))}")
    for key in ("opcode", "gas"):
        if key not in values:
            raise row.fail(None, f"lacks the key `{key}`")
    implementation = row.implementation()
    if implementation is not None and implementation.kind != "native" and "operands" not in values:
        raise row.fail(
            None, "lacks the key `operands`", "name them, top of the stack first; `operands = []` for none"
        )
    since = row.fork("since", values["since"]) if "since" in values else context.forks[0]
    until = row.fork("until", values["until"]) if "until" in values else None
    if until is not None and context.forks.index(until) <= context.forks.index(since):
        raise row.fail("until", f"`until` is `{until}`, expected a fork after `{since}`")
    operands = row.names("operands")
    results, result_count = row.results(operands)
    if implementation is not None:
        for position, operand in enumerate(operands + results):
            if operand in (operands + results)[:position]:
                raise row.fail(
                    "operands", f"the name `{operand}` stands twice among operands and results", None, operand
                )
    reads, writes = row.areas("reads"), row.areas("writes")
    effects = Effects(reads, writes, row.flag("pure"), row.flag("terminates"), row.flag("reverts"))
    if effects.pure and (reads or writes or effects.terminates):
        raise row.fail("pure", "`pure` does not go with `reads`, `writes` or `terminates`")
    control = row.string("control") or None
    if control is not None and control not in _CONTROLS:
        raise row.fail("control", f"unknown control `{control}`", f"known: {', '.join(_CONTROLS)}")
    custom = implementation is not None and implementation.kind != "native"
    immediate_bytes = row.integer("immediate_bytes", values.get("immediate_bytes", 0), 0, 32)
    if custom:
        _check_custom(row, control, effects)
    return Instruction(
        name=name,
        opcode=row.integer("opcode", values["opcode"], 0, 0xFF),
        operands=operands,
        results=results,
        immediate_bytes=immediate_bytes,
        gas=row.gas(since, free_constants=implementation is not None and implementation.kind == "kernel"),
        since=since,
        until=until,
        effects=effects,
        family=row.string("family", "extension"),
        implementation=implementation,
        description=row.string("description"),
        reference=row.string("reference"),
        control=cast('Literal["jump", "conditional_jump", "jump_target"] | None', control),
        is_yul_builtin=row.flag("builtin", True),
        result_count=result_count,
        unavailable_code=(
            row.integer("unavailable_code", values["unavailable_code"], 1, 99999)
            if "unavailable_code" in values
            else None
        ),
        warning=row.warning(),
        defined_in=context.path if custom else None,
    )


def changed_instruction(context: RowContext, before: Instruction, values: object) -> Instruction:
    """The instruction after ``[change.NAME]``; raises ``TableError``."""
    keys = ("change", before.name)
    if not isinstance(values, dict):
        raise table_error(context.path, keys, f"`{before.name}` is {values!r}, expected a table of keys")
    row = _Row(context, keys, values)
    _check_keys(
        row, _CHANGEABLE, f"`change` knows {', '.join(sorted(_CHANGEABLE))}; for more, remove and define anew"
    )
    after = before
    if "opcode" in values:
        after = replace(after, opcode=row.integer("opcode", values["opcode"], 0, 0xFF))
    if "since" in values:
        after = replace(after, since=row.fork("since", values["since"]))
    if "until" in values:
        after = replace(after, until=row.fork("until", values["until"]))
    if "gas" in values:
        is_kernel = before.implementation is not None and before.implementation.kind == "kernel"
        after = replace(after, gas=row.gas(after.since, free_constants=is_kernel))
    return replace(
        after,
        description=row.string("description", before.description),
        reference=row.string("reference", before.reference),
    )
