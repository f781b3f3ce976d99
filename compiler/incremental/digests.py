"""Digests of what a result depends on besides sources: the compiler, and its settings."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from smartvm.compiler.settings import CompilerSettings
from smartvm.instructions.loader import SHIPPED_TABLES, table_sources
from smartvm.records import fields, is_dataclass

#: Raise when the form of kept results changes.
FORMAT = 1

#: What decides what the compiler makes, from the package's root.
_PARTS = ("compiler", "instructions", "instruction_table.toml", "records.py")
_KINDS = (".py", ".lark", ".toml", ".sol")


@cache
def compiler_digest() -> str | None:
    """SHA-256 of the compiler's own files; None where they cannot be read (an installation without its sources)."""
    root = str(Path(__file__).resolve().parents[2])
    paths = []
    for part in _PARTS:
        start = os.path.join(root, part)
        if os.path.isfile(start):
            paths.append(start)
        for folder, folders, files in os.walk(start):
            folders[:] = [name for name in folders if name != "__pycache__"]
            paths += [os.path.join(folder, name) for name in files if name.endswith(_KINDS)]
    if str(Path(__file__).resolve()) not in paths:
        return None
    digest = hashlib.sha256(f"{FORMAT} {sys.version_info[:2]}\0".encode())
    for path in sorted(paths):
        try:
            with open(path, "rb") as file:
                data = file.read()
        except OSError:
            return None
        digest.update(f"{path[len(root) :]}\0{len(data)}\0".encode() + data)
    return digest.hexdigest()


def settings_digest(settings: CompilerSettings) -> str | None:
    """SHA-256 of all settings, the instruction table's text among them; None where they cannot be told (a table that
    is not there, a value of an unknown kind)."""
    try:
        described = _plain(settings)
    except TypeError:
        return None
    if settings.instruction_table not in SHIPPED_TABLES:
        texts = table_sources(settings.instruction_table)
        if texts is None:
            return None
        described["instruction_table"] = texts
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()


def text_digest(text: str) -> str:
    """SHA-256 of a source text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _plain(value: Any) -> Any:
    """A settings object as JSON's types. Raises TypeError for what has no such form."""
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, bytes):
        return ["bytes", value.hex()]
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    raise TypeError(f"no plain form of {value!r}")
