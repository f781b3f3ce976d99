"""Weight blocks as the state holds them: immutable entries that are read in parts, from memory or from a file."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

from smartvm.errors import SmartVMError

#: Bytes that are copied at a time.
PART_BYTES = 1 << 20
#: Entries from this size on are kept in files of their own, where there are such, and hashed in parts.
LARGE_BYTES = 1 << 16


class BlockUnreadable(SmartVMError):
    """A block's file is gone or damaged."""


class BlockEntry(Protocol):
    """A block's entry: its width byte, then its packed items. Never changes, so that whatever is known of an
    entry, an object, stays true; may be read from any thread."""

    @property
    def size(self) -> int:
        """Bytes of the entry, width byte included."""
        ...

    @property
    def extremes(self) -> tuple[int, int] | None:
        """The least and the greatest item, where they are known."""
        ...

    @property
    def held_bytes(self) -> int:
        """Bytes of memory that the entry takes."""
        ...

    def part(self, start: int, length: int) -> bytes | memoryview:
        """Bytes ``start`` … ``start + length − 1``. Raises ``BlockUnreadable``."""
        ...

    def encoded(self) -> bytes:
        """All bytes. Raises ``BlockUnreadable``."""
        ...

    def view(self) -> memoryview:
        """All bytes, without a copy. Raises ``BlockUnreadable``."""
        ...


class HeldBlock:
    """An entry in memory."""

    __slots__ = ("__weakref__", "_encoded", "extremes")

    def __init__(self, encoded: bytes, extremes: tuple[int, int] | None = None) -> None:
        self._encoded = encoded
        self.extremes = extremes

    @property
    def size(self) -> int:
        """See ``BlockEntry``."""
        return len(self._encoded)

    @property
    def held_bytes(self) -> int:
        """See ``BlockEntry``."""
        return len(self._encoded)

    def part(self, start: int, length: int) -> bytes | memoryview:
        """See ``BlockEntry``."""
        return memoryview(self._encoded)[start : start + length]

    def encoded(self) -> bytes:
        """See ``BlockEntry``."""
        return self._encoded

    def view(self) -> memoryview:
        """See ``BlockEntry``."""
        return memoryview(self._encoded)


class FiledBlock:
    """An entry in a file of its own."""

    __slots__ = ("__weakref__", "_path", "extremes", "size")

    def __init__(self, path: Path, size: int, extremes: tuple[int, int] | None) -> None:
        self._path = path
        self.size = size
        self.extremes = extremes

    @property
    def held_bytes(self) -> int:
        """See ``BlockEntry``."""
        return 0

    def part(self, start: int, length: int) -> bytes:
        """See ``BlockEntry``."""
        length = min(length, self.size - start)
        try:
            descriptor = os.open(self._path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
            try:
                os.lseek(descriptor, start, os.SEEK_SET)
                data = os.read(descriptor, length)
                while len(data) < length:  # a system call reads less than 2 GiB
                    more = os.read(descriptor, length - len(data))
                    if not more:
                        break
                    data += more
            finally:
                os.close(descriptor)
        except OSError as error:
            raise BlockUnreadable(f"cannot read the weight block in `{self._path}`: {error.strerror}") from None
        if len(data) < length:
            raise BlockUnreadable(f"the weight block in `{self._path}` is cut off")
        return data

    def encoded(self) -> bytes:
        """See ``BlockEntry``."""
        return self.part(0, self.size)

    def view(self) -> memoryview:
        """See ``BlockEntry``: the file is mapped to memory for as long as the view is used."""
        from mmap import ACCESS_READ, mmap

        try:
            with open(self._path, "rb") as file:
                if os.fstat(file.fileno()).st_size < self.size:
                    raise BlockUnreadable(f"the weight block in `{self._path}` is cut off")
                return memoryview(mmap(file.fileno(), self.size, access=ACCESS_READ))
        except OSError as error:
            raise BlockUnreadable(f"cannot read the weight block in `{self._path}`: {error.strerror}") from None


class BlockFiles:
    """A folder of blocks, one file each. What belongs to a state is told by the state: names are written before the
    batch that refers to them, removed after the batch that no longer does, and what a killed process left
    is swept away."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @staticmethod
    def new_name() -> str:
        """A name that no file has."""
        return secrets.token_hex(16)

    def open(self, name: str, size: int, extremes: tuple[int, int] | None) -> FiledBlock:
        """The entry in a file."""
        return FiledBlock(self._folder / name, size, extremes)

    def write(self, entries: Mapping[str, BlockEntry]) -> None:
        """Write new files; when this returns they outlive a power failure. Raises ``OSError``."""
        if not entries:
            return
        self._folder.mkdir(exist_ok=True)
        for name, entry in entries.items():
            with open(self._folder / name, "xb", buffering=0) as file:
                for start in range(0, entry.size, PART_BYTES):
                    file.write(entry.part(start, PART_BYTES))
                os.fsync(file.fileno())
        if hasattr(os, "O_DIRECTORY"):
            descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def remove(self, names: Iterable[str]) -> None:
        """Remove files, if they are there."""
        for name in names:
            (self._folder / name).unlink(missing_ok=True)

    def sweep(self, wanted: set[str]) -> None:
        """Remove all files but these."""
        if self._folder.is_dir():
            self.remove(path.name for path in self._folder.iterdir() if path.name not in wanted)
