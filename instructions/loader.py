"""Reads and checks instruction tables: TOML files, each of which may extend another."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from smartvm.disk_cache import DiskCache, cache_folder
from smartvm.errors import TextPosition
from smartvm.instructions.errors import TableError, table_error
from smartvm.instructions.forks import canonical_fork
from smartvm.instructions.model import GasRule, Instruction, InstructionTable
from smartvm.instructions.rows import RowContext, changed_instruction, new_instruction

#: Bytes of tables in their read form that are kept on disk.
_CACHE_LIMIT = 4 * 1024 * 1024

_ROOT = Path(__file__).resolve().parent.parent

#: The tables that ship, by the name that they are known by.
SHIPPED_TABLES: Mapping[str, Path] = {
    "default": _ROOT / "instruction_table.toml",
    "evm": _ROOT / "instructions" / "tables" / "evm.toml",
    "paper": _ROOT / "instructions" / "tables" / "paper.toml",
}

_KEYS = frozenset(
    [
        "name",
        "description",
        "extends",
        "forks",
        "constants",
        "gas_rules",
        "instructions",
        "change",
        "remove",
        "remove_families",
    ]
)
_DECODE_POSITION = re.compile(r" \(at line (\d+), column (\d+)\)$| \(at end of document\)$")


def load_table(name_or_path: str | Path = "default") -> InstructionTable:
    """The table known by a shipped name (``default``, ``evm``, ``paper``) or read from a TOML file.

    A table is made once per process, and again when its file (or one that it extends) has changed. Raises
    ``TableError`` for every mistake, with file and line.
    """
    if isinstance(name_or_path, str) and name_or_path in SHIPPED_TABLES:
        return _load_shipped(name_or_path)
    path = Path(name_or_path)
    if not path.is_file():
        known = ", ".join(sorted(SHIPPED_TABLES))
        raise TableError(
            f"no instruction table `{name_or_path}`", hint=f"give a TOML file, or a shipped table: {known}"
        )
    texts = _texts_of(path)
    return _load_file(path, ()) if texts is None else _load_texts(path, texts)


def table_sources(path: str | Path) -> list[str] | None:
    """The texts of a table's file and of the files that it extends, shipped tables by name; None where one cannot be
    read."""
    texts = _texts_of(Path(path))
    return None if texts is None else [text for _, text in texts]


@lru_cache(maxsize=16)
def _load_texts(path: Path, texts: tuple[tuple[Path, str], ...]) -> InstructionTable:
    """The table at ``path`` while it and what it extends have these texts."""
    del texts
    return _load_file(path, ())


def _texts_of(path: Path) -> tuple[tuple[Path, str], ...] | None:
    """The texts that a table comes from, those of shipped tables left out; None where something is wrong
    with one."""
    found: dict[Path, str] = {}
    while path not in found:
        try:
            found[path] = path.read_text(encoding="utf-8")
            extends = _read_toml(found[path]).get("extends")
        except (OSError, ValueError):
            return None
        if not isinstance(extends, str) or (
            extends in SHIPPED_TABLES and not (path.parent / extends).is_file()
        ):
            return tuple(found.items())
        path = path.parent / extends
    return None


@cache
def _load_shipped(name: str) -> InstructionTable:
    return _load_file(SHIPPED_TABLES[name], ())


def _parse(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise TableError(f"cannot read the table `{path}`: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise TableError(f"`{path}` is not UTF-8 text (byte {error.start})") from None
    try:
        return _read_toml(text)
    except ValueError as error:
        raise _decode_error(path, text, str(error)) from None


def _read_toml(text: str) -> dict[str, Any]:
    """What a TOML text says; ValueError when it is none. The same text is read once a machine: reading the
    default table takes longer than all else that is done with it."""
    kept = DiskCache(cache_folder() / "tables", _CACHE_LIMIT)
    name = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    known = kept.read(name)
    if known is not None:
        with suppress(ValueError):
            found = json.loads(known)
            if isinstance(found, dict):
                return found
    import tomllib

    data = tomllib.loads(text)
    with suppress(TypeError):  # dates and the like, which no table has a use for
        kept.write(name, json.dumps(data).encode())
        kept.trim()
    return data


def _decode_error(path: Path, text: str, message: str) -> TableError:
    lines = text.split("\n")
    found = _DECODE_POSITION.search(message)
    line, column = len(lines), 1
    if found is not None:
        message = message[: found.start()]
        if found[1]:
            line, column = int(found[1]), int(found[2])
    hint = None
    if message.startswith(("Cannot declare", "Cannot overwrite")):
        header = re.match(r"\s*\[?\[?\s*(?:[\w-]+\.)?([\w-]+)", lines[line - 1])
        name = header[1] if header else "a key"
        message, column = f"`{name}` is defined twice in this file", 1
        hint = "every instruction and every key stands once"
    position = TextPosition(str(path), line, min(column, len(lines[line - 1]) + 1))
    return TableError(message, position=position, line_text=lines[line - 1], hint=hint)


def _section(path: Path, data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = data.get(key, {})
    if not isinstance(value, dict):
        raise table_error(path, (key,), f"`{key}` is {value!r}, expected a table")
    return value


def _names(path: Path, data: Mapping[str, Any], key: str) -> list[str]:
    value = data.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise table_error(path, (key,), f"`{key}` is {value!r}, expected a list of names in quotes")
    return value


def _text(path: Path, data: Mapping[str, Any], key: str, default: str) -> str:
    value = data.get(key, default)
    if not isinstance(value, str):
        raise table_error(path, (key,), f"`{key}` is {value!r}, expected text in quotes")
    return value


def _base_table(path: Path, data: Mapping[str, Any], chain: tuple[Path, ...]) -> InstructionTable | None:
    if "extends" not in data:
        return None
    extends = _text(path, data, "extends", "")
    if extends in SHIPPED_TABLES and not (path.parent / extends).is_file():
        target = SHIPPED_TABLES[extends]
    else:
        target = path.parent / extends
        if not target.is_file():
            known = ", ".join(sorted(SHIPPED_TABLES))
            raise table_error(
                path,
                ("extends",),
                f"`extends` names `{extends}`, which is neither a file beside this one nor a shipped table",
                hint=f"shipped: {known}",
            )
    resolved = target.resolve()
    links = (*chain, path.resolve())
    if resolved in links:
        circle = " -> ".join(link.name for link in (*links[links.index(resolved) :], resolved))
        raise table_error(path, ("extends",), f"`extends` goes round in a circle: {circle}")
    for name, shipped in SHIPPED_TABLES.items():
        if resolved == shipped:
            return _load_shipped(name) if shipped not in links else _load_file(target, links)
    return _load_file(target, links)


def _load_file(path: Path, chain: tuple[Path, ...]) -> InstructionTable:
    data = _parse(path)
    for key in data:
        if key not in _KEYS:
            from difflib import get_close_matches

            close = get_close_matches(key, _KEYS, 1)
            hint = f"did you mean `{close[0]}`?" if close else f"known: {', '.join(sorted(_KEYS))}"
            raise table_error(path, (key,), f"unknown key `{key}`", hint=hint)
    base = _base_table(path, data, chain)
    forks = _forks(path, data, base)
    rules = _gas_rules(path, data, base)
    context = RowContext(str(path), forks, {rule.name: rule for rule in rules})

    rows = {i.name: i for i in base.instructions} if base else {}
    _remove(path, data, rows)
    for name, values in _section(path, data, "change").items():
        if name not in rows:
            raise _unknown_instruction(path, ("change", name), name, rows)
        rows[name] = changed_instruction(context, rows[name], values)
    for name, values in _section(path, data, "instructions").items():
        if name in rows:
            raise table_error(
                path,
                ("instructions", name),
                f"`{name}` clashes with an instruction of the table that this one extends",
                hint=f"take another name, or change the one that is there: [change.{name}]",
            )
        rows[name] = new_instruction(context, name, values)
    own = {*_section(path, data, "change"), *_section(path, data, "instructions")}
    _check_opcodes(path, forks, rows, own)

    constants = dict(base.constants) if base else {}
    for name, value in _section(path, data, "constants").items():
        if type(value) is not int or value < 0:
            raise table_error(
                path, ("constants", name), f"`{name}` is {value!r}, expected a number from 0 on"
            )
        constants[name] = value
    instructions = tuple(sorted(rows.values(), key=lambda i: (i.opcode, i.since not in forks[:1])))
    return InstructionTable(
        name=_text(path, data, "name", path.stem),
        description=_text(path, data, "description", ""),
        forks=forks,
        instructions=instructions,
        digest=table_digest(forks, instructions),
        path=str(path),
        constants=tuple(constants.items()),
        gas_rules=rules,
    )


def _forks(path: Path, data: Mapping[str, Any], base: InstructionTable | None) -> tuple[str, ...]:
    if "forks" not in data:
        if base is None:
            raise TableError(
                "the table has neither `forks` nor `extends`",
                position=TextPosition(str(path), 1, 1),
                hint='start it with `extends = "default"`',
            )
        return base.forks
    if base is not None:
        raise table_error(
            path, ("forks",), "`forks` stands in a table that extends another, which has them already"
        )
    forks = _names(path, data, "forks")
    for index, fork in enumerate(forks):
        if fork in forks[:index] or canonical_fork(fork) != fork:
            raise table_error(
                path, ("forks",), f"`{fork}` stands twice in `forks` or is not its canonical name"
            )
    if not forks:
        raise table_error(path, ("forks",), "`forks` is empty")
    return tuple(forks)


def _gas_rules(path: Path, data: Mapping[str, Any], base: InstructionTable | None) -> tuple[GasRule, ...]:
    given = _section(path, data, "gas_rules")
    if base is not None:
        if given:
            raise table_error(
                path, ("gas_rules",), "gas rules are the VM's own; a kernel charges its gas itself"
            )
        return base.gas_rules
    rules = []
    for name, values in given.items():
        keys = ("gas_rules", name)
        if not isinstance(values, dict) or set(values) != {"constants", "formula"}:
            raise table_error(path, keys, f"the gas rule `{name}` has the keys constants and formula")
        rules.append(
            GasRule(name, tuple(_names(path, values, "constants")), _text(path, values, "formula", ""))
        )
    return tuple(rules)


def _unknown_instruction(
    path: Path, keys: tuple[str, ...], name: str, rows: Mapping[str, Instruction]
) -> TableError:
    from difflib import get_close_matches

    close = get_close_matches(name.upper(), rows, 1)
    hint = f"did you mean `{close[0]}`?" if close else None
    return table_error(path, keys, f"no instruction `{name}` to {keys[0]}", hint=hint, needle=name)


def _remove(path: Path, data: Mapping[str, Any], rows: dict[str, Instruction]) -> None:
    for family in _names(path, data, "remove_families"):
        members = [name for name, row in rows.items() if row.family == family]
        if not members:
            known = ", ".join(sorted({row.family for row in rows.values()}))
            raise table_error(
                path,
                ("remove_families",),
                f"no family `{family}` to remove",
                hint=f"known: {known}",
                needle=family,
            )
        for name in members:
            del rows[name]
    for name in _names(path, data, "remove"):
        if name not in rows:
            raise _unknown_instruction(path, ("remove",), name, rows)
        del rows[name]


def _check_opcodes(
    path: Path, forks: tuple[str, ...], rows: Mapping[str, Instruction], own: set[str]
) -> None:
    position = {fork: index for index, fork in enumerate(forks)}

    def lifetime(row: Instruction) -> range:
        return range(position[row.since], position[row.until] if row.until else len(forks))

    holders: dict[int, list[Instruction]] = {}
    for row in rows.values():
        for other in holders.setdefault(row.opcode, []):
            mine, theirs = lifetime(row), lifetime(other)
            if max(mine.start, theirs.start) < min(mine.stop, theirs.stop):
                second = row if row.name in own else other
                first = other if second is row else row
                section = (
                    "change" if second.name in _section(path, _parse(path), "change") else "instructions"
                )
                raise table_error(
                    path,
                    (section, second.name, "opcode"),
                    f"`{second.name}` has the opcode 0x{row.opcode:02x} of `{first.name}`",
                    hint=_free_opcodes(rows),
                )
        holders[row.opcode].append(row)


def _free_opcodes(rows: Mapping[str, Instruction]) -> str:
    used = {row.opcode for row in rows.values()}
    free = [f"0x{opcode:02x}" for opcode in range(0xB0, 0xF0) if opcode not in used]
    return f"free: {', '.join(free[:8])} ..." if free else "no opcode is free between 0xb0 and 0xef"


def table_digest(forks: tuple[str, ...], instructions: tuple[Instruction, ...]) -> str:
    """SHA-256 over what decides the meaning of code. Gas is left out: a calibration leaves artifacts
    valid."""
    facts = [
        (
            i.opcode,
            i.name,
            i.operands,
            i.results,
            i.result_count,
            i.immediate_bytes,
            i.since,
            i.until,
            i.implementation,
        )
        for i in instructions
    ]
    return hashlib.sha256(repr((forks, facts)).encode()).hexdigest()
