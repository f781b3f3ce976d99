"""Results on disk that can be made again: found by name, checked when read, bounded in size.

Nothing here raises for what the disk does: an entry that cannot be read is absent, one that cannot be written
is left out. Processes may share a folder: entries appear whole (written beside and renamed) and a name stands
for one content, so that it does not matter whose entry stays.

A folder is used only when it belongs to the user and nobody else may write to it: what it holds decides what
a compiler returns.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
from contextlib import suppress
from pathlib import Path

_MAGIC = b"smartvm cache 1\n"
_DIGEST_BYTES = 32

#: Bytes of entries that a folder keeps; the ones that were used last stay.
DEFAULT_LIMIT = 256 * 1024 * 1024

#: A use of an entry is noted when the last note is as old as this (seconds): notes are writes.
_NOTE_AFTER = 6 * 3600

#: Entries are counted at most so often (seconds), unless much was written.
_COUNT_AFTER = 600

#: Files that a process began to write and left behind are dropped after this time (seconds).
_LEFT_BEHIND = 3600


def cache_folder() -> Path:
    """Where smartvm keeps what it can compute again: ``SMARTVM_CACHE_DIR``, else the user's cache folder."""
    explicit = os.environ.get("SMARTVM_CACHE_DIR")
    if explicit:
        return Path(explicit)
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base) / "smartvm"


def private_folder(name: str) -> str | None:
    """A folder of the user's alone below ``cache_folder()``, made when it is missing; None where there can be
    none."""
    path = str(cache_folder() / name)
    with suppress(OSError):  # it is there, or it cannot be made
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.mkdir(path, 0o700)
    return path if _is_private(path) else None


class DiskCache:
    """Entries in one folder, which is made (for the user alone) when something is first written."""

    def __init__(self, folder: Path, limit: int = DEFAULT_LIMIT) -> None:
        self._folder = str(folder)
        self._limit = limit
        self._written = 0
        #: None: not yet looked at.
        self._usable: bool | None = None

    def read(self, name: str) -> bytes | None:
        """What was written under a name, whole and unchanged; None when there is no such thing."""
        if not self._is_usable():
            return None
        path = self._path(name)
        try:
            with open(path, "rb") as file:
                changed = os.fstat(file.fileno()).st_mtime
                data = file.read()
        except OSError:
            return None
        start = len(_MAGIC) + _DIGEST_BYTES
        payload = data[start:]
        if data[:start] != _MAGIC + _digest(name, payload):
            return None
        if time.time() - changed > _NOTE_AFTER:
            with suppress(OSError):
                os.utime(path)
        return payload

    @property
    def folder(self) -> str:
        """Where the entries are."""
        return self._folder

    def write(self, name: str, payload: bytes) -> bool:
        """Keep ``payload`` under a name, if the disk allows; whether it did."""
        if not self._is_usable(make=True):
            return False
        temporary = self._path(f".{name[:32]}-{os.getpid()}-{time.monotonic_ns()}.new")
        try:
            handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        except OSError:
            return False
        try:
            with open(handle, "wb") as file:
                file.write(_MAGIC + _digest(name, payload) + payload)
            os.replace(temporary, self._path(name))
        except OSError:
            _remove(temporary)
            return False
        self._written += len(payload)
        return True

    def trim(self) -> None:
        """Drop the entries that were not used for longest until the rest is within the limit. Costs a look at
        every entry, and so happens only now and then; call it once after writing."""
        if not self._written or not self._is_usable():
            return
        counted = os.path.join(self._folder, ".counted")
        now = time.time()
        try:
            recently = now - os.stat(counted).st_mtime < _COUNT_AFTER
        except OSError:
            recently = False
        if recently and self._written < self._limit // 16:
            return
        self._written = 0
        found: list[tuple[float, int, str]] = []
        try:
            with open(counted, "wb"):
                pass
            with os.scandir(self._folder) as entries:
                for entry in entries:
                    facts = entry.stat(follow_symlinks=False)
                    if not entry.name.startswith("."):
                        found.append((facts.st_mtime, facts.st_size, entry.path))
                    elif entry.name.endswith(".new") and now - facts.st_mtime > _LEFT_BEHIND:
                        _remove(entry.path)
        except OSError:
            return
        total = sum(size for _, size, _ in found)
        for _, size, path in sorted(found):
            if total <= self._limit:
                break
            _remove(path)
            total -= size

    def _path(self, name: str) -> str:
        return os.path.join(self._folder, name)

    def _is_usable(self, make: bool = False) -> bool:
        if self._usable is None or (make and not self._usable and not os.path.lexists(self._folder)):
            if make:
                with suppress(OSError):  # it is there, or it cannot be made
                    os.makedirs(os.path.dirname(self._folder), exist_ok=True)
                    os.mkdir(self._folder, 0o700)
            self._usable = _is_private(self._folder)
        return self._usable


def _is_private(folder: str) -> bool:
    """Whether a path is a folder of the user's to which nobody else may write."""
    try:
        facts = os.lstat(folder)
    except OSError:
        return False
    if not stat.S_ISDIR(facts.st_mode):
        return False
    if not hasattr(os, "geteuid"):
        return True  # no such modes on this system
    return facts.st_uid == os.geteuid() and not facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _digest(name: str, payload: bytes) -> bytes:
    """Of the payload and of the name that it belongs to."""
    return hashlib.sha256(name.encode() + b"\0" + payload).digest()


def _remove(path: str) -> None:
    with suppress(OSError):
        os.unlink(path)
