"""Embedded key-value stores under ``PersistentStore``."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from smartvm.errors import SmartVMError

#: Marks the file as this program's ("smVM").
_APPLICATION = 0x736D564D


class StoreError(SmartVMError):
    """A store that cannot be opened or used."""


class KeyValueStore(Protocol):
    """Byte strings by byte strings, written in batches that happen wholly or not at all."""

    def get(self, key: bytes) -> bytes | None:
        """The value, or None."""
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
    the last batch whole or absent. Methods raise ``StoreError`` for what goes wrong with the file."""

    def __init__(self, path: str | Path) -> None:
        """Open or create the file."""
        self._path = path
        with self._errors("open"):
            self._connection = sqlite3.connect(str(path), isolation_level=None)
            try:
                self._prepare()
            except BaseException:
                self._connection.close()
                raise

    @contextmanager
    def _errors(self, what: str) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StoreError(f"cannot {what} the state in `{self._path}`: {error}") from None

    def _prepare(self) -> None:
        (application,) = self._connection.execute("PRAGMA application_id").fetchone()
        (tables,) = self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if application != _APPLICATION:
            if application or tables:
                raise StoreError(f"cannot open the state in `{self._path}`: it is another program's database")
            self._connection.execute(f"PRAGMA application_id = {_APPLICATION}")
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS entries (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID"
        )

    def get(self, key: bytes) -> bytes | None:
        """See ``KeyValueStore``."""
        with self._errors("read"):
            row = self._connection.execute("SELECT value FROM entries WHERE key = ?", (key,)).fetchone()
        return None if row is None else row[0]

    def heads(self, prefix: bytes, length: int) -> Iterator[tuple[bytes, bytes]]:
        """All keys with a prefix, with the first ``length`` bytes of their values."""
        query = "SELECT key, substr(value, 1, ?) FROM entries WHERE key >= ? AND key < ?"
        with self._errors("read"):
            yield from self._connection.execute(query, (length, prefix, _after(prefix))).fetchall()

    def write(
        self,
        deleted_prefixes: Iterable[bytes],
        values: Mapping[bytes, bytes | None],
        first: Callable[[], None] = lambda: None,
    ) -> None:
        """See ``KeyValueStore``. ``first`` is called when no other process can write any more, before
        anything is written."""
        connection = self._connection
        with self._errors("write"):
            connection.execute("BEGIN IMMEDIATE")
            try:
                first()
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
            except BaseException:
                connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """See ``KeyValueStore``."""
        self._connection.close()
