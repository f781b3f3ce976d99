"""Embedded key-value stores under ``PersistentStore``."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

from smartvm.errors import SmartVMError


class StoreError(SmartVMError):
    """A store that cannot be opened or used."""


class KeyValueStore(Protocol):
    """Byte strings by byte strings, written in batches that happen wholly or not at all."""

    def get(self, key: bytes) -> bytes | None:
        """The value, or None."""
        ...

    def has_prefix(self, prefix: bytes) -> bool:
        """Whether any key starts with ``prefix``."""
        ...

    def write(self, deleted_prefixes: Iterable[bytes], values: Mapping[bytes, bytes | None]) -> None:
        """Delete all keys with one of the prefixes, then set the values (None deletes); in one step."""
        ...

    def close(self) -> None:
        """Give the resources back."""
        ...


def _after(prefix: bytes) -> bytes:
    """The least byte string above all that start with ``prefix``, which has a byte below 0xff."""
    stem = prefix.rstrip(b"\xff")
    return stem[:-1] + bytes((stem[-1] + 1,))


class SqliteKeyValueStore:
    """One SQLite file with a write-ahead log: a process that is killed, or a machine that loses power, leaves
    the last batch whole or absent."""

    def __init__(self, path: str | Path) -> None:
        """Open or create the file. Raises ``StoreError``."""
        try:
            self._connection = sqlite3.connect(str(path), isolation_level=None)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.execute(
                "CREATE TABLE IF NOT EXISTS entries (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID"
            )
        except sqlite3.Error as error:
            raise StoreError(f"cannot open the state in `{path}`: {error}") from None

    def get(self, key: bytes) -> bytes | None:
        """See ``KeyValueStore``."""
        row = self._connection.execute("SELECT value FROM entries WHERE key = ?", (key,)).fetchone()
        return None if row is None else row[0]

    def has_prefix(self, prefix: bytes) -> bool:
        """See ``KeyValueStore``."""
        row = self._connection.execute(
            "SELECT 1 FROM entries WHERE key >= ? AND key < ? LIMIT 1", (prefix, _after(prefix))
        ).fetchone()
        return row is not None

    def write(self, deleted_prefixes: Iterable[bytes], values: Mapping[bytes, bytes | None]) -> None:
        """See ``KeyValueStore``."""
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.executemany(
                "DELETE FROM entries WHERE key >= ? AND key < ?",
                [(prefix, _after(prefix)) for prefix in deleted_prefixes],
            )
            connection.executemany(
                "DELETE FROM entries WHERE key = ?",
                [(key,) for key, value in values.items() if value is None],
            )
            connection.executemany(
                "INSERT OR REPLACE INTO entries VALUES (?, ?)",
                [(key, value) for key, value in values.items() if value is not None],
            )
            connection.execute("COMMIT")
        except BaseException as error:
            connection.execute("ROLLBACK")
            if isinstance(error, sqlite3.Error):
                raise StoreError(f"cannot write the state: {error}") from None
            raise

    def close(self) -> None:
        """See ``KeyValueStore``."""
        self._connection.close()
