"""Which source an import means (docs/path-resolution.rst): relative paths, remappings, and files on disk.

Sources are known by their *source unit name*. An import's path becomes such a name by pure text rules
(``ImportRules``); a ``SourceReader`` then finds the text of a name that is not yet known.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from smartvm.errors import SmartVMError
from smartvm.records import dataclass, field


class SourceNotFound(Exception):
    """Why a source cannot be read, for the end of "Source ... not found: "."""


class SourceMissing(SourceNotFound):
    """There is nothing of that name, as opposed to something that may not or cannot be read."""


#: Gives the text of a source unit name, or raises SourceNotFound.
SourceReader = Callable[[str], str]


class RemappingError(SmartVMError):
    """A remapping that is not ``context:prefix=target``."""


@dataclass(frozen=True, slots=True)
class Remapping:
    """``prefix`` at the start of an import path means ``target``, in sources whose name starts with
    ``context``."""

    context: str
    prefix: str
    target: str

    @classmethod
    def parse(cls, text: str) -> Remapping:
        """From ``[context:]prefix=[target]``; RemappingError when malformed."""
        left, separator, target = text.partition("=")
        context, colon, prefix = left.partition(":")
        if not colon:
            context, prefix = "", left
        if not separator or not prefix:
            raise RemappingError(f"Invalid remapping: `{text}`", hint="write context:prefix=target")
        return cls(context, prefix, target)

    def __str__(self) -> str:
        return f"{self.context}:{self.prefix}={self.target}"


@dataclass(frozen=True, slots=True)
class ImportRules:
    """From an import's path, as written, to a source unit name."""

    remappings: tuple[Remapping, ...] = ()

    def resolve(self, path: str, importing: str) -> str:
        """The source unit name that ``import "path"`` means in the source ``importing``."""
        return self.remap(join_source_name(path, importing), importing)

    def remap(self, name: str, importing: str) -> str:
        """Apply the remapping with the longest context, of these the longest prefix, of these the last."""
        best: Remapping | None = None
        for remapping in self.remappings:
            if not importing.startswith(remapping.context) or not name.startswith(remapping.prefix):
                continue
            if best is None or (len(best.context), len(best.prefix)) <= (
                len(remapping.context),
                len(remapping.prefix),
            ):
                best = remapping
        return best.target + name[len(best.prefix) :] if best is not None else name


def join_source_name(path: str, importing: str) -> str:
    """A relative import's path joined to the name of the importing source; other paths stay as they are."""
    if not path.startswith(("./", "../")):
        return path
    folder = importing[: importing.rfind("/")] if "/" in importing else ""
    rooted = importing.startswith("/")
    for segment in path.split("/"):
        if segment in (".", ""):
            continue
        if segment == "..":
            folder = folder[: folder.rfind("/")] if "/" in folder else ""
            folder = folder.rstrip("/")
        else:
            folder = f"{folder}/{segment}" if folder or rooted else segment
    return folder


def no_reader(name: str) -> str:
    """The reader for Standard JSON without access to files."""
    raise SourceMissing("File not supplied initially.")


@dataclass
class FileReader:
    """Reads sources from disk: a name is looked for below the base path and each include path; what it finds
    must lie in an allowed folder (``--allow-paths``, the base and include paths, and those of the sources
    given)."""

    base_path: Path = field(default_factory=Path)
    include_paths: Sequence[Path] = ()
    allowed: list[Path] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.base_path = _real(self.base_path)
        self.include_paths = [_real(path) for path in self.include_paths]
        self.allowed = [*map(_real, self.allowed), self.base_path, *self.include_paths]

    def allow(self, folders: Iterable[Path]) -> None:
        """Allow reading below more folders."""
        self.allowed.extend(_real(folder) for folder in folders)

    def source_name(self, path: Path) -> str:
        """The source unit name of a file given on the command line: relative to the base path or an include
        path where it lies below one, else absolute."""
        real = _real(path)
        for prefix in (self.base_path, *self.include_paths):
            if real.is_relative_to(prefix):
                return real.relative_to(prefix).as_posix()
        return real.as_posix()

    def __call__(self, name: str) -> str:
        """The text of a source unit; SourceNotFound when there is none, several, or it may not be read."""
        path = name.removeprefix("file://")
        prefixes = [self.base_path, *self.include_paths]
        candidates = list(dict.fromkeys(_normal(prefix / path) for prefix in prefixes))
        found = [candidate for candidate in candidates if candidate.exists()]
        if not found:
            searched = ", ".join(f'"{prefix}"' for prefix in prefixes)
            raise SourceMissing(f"File not found. Searched the following locations: {searched}.")
        if len(found) > 1:
            matching = ", ".join(f'"{candidate}"' for candidate in found)
            raise SourceNotFound(f"Ambiguous import. Multiple matching files found: {matching}.")
        if not any(_real(found[0]).is_relative_to(folder) for folder in self.allowed):
            allowed = ", ".join(f'"{folder}"' for folder in dict.fromkeys(self.allowed))
            raise SourceNotFound(
                f"File outside of allowed directories. The following are allowed: {allowed}."
            )
        if not found[0].is_file():
            raise SourceNotFound("Not a valid file.")
        try:
            return found[0].read_text("utf-8")
        except UnicodeDecodeError:
            raise SourceNotFound("The file is not UTF-8 text.") from None
        except OSError as error:
            raise SourceNotFound(f"The file cannot be read: {error.strerror}.") from None


def _normal(path: Path) -> Path:
    return Path(os.path.normpath(path))


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))
