"""Packs the compiler and the libraries that it needs into one file that Python runs.

Hardhat 3 takes a solc for native when more than 30 % of its first 8,000 bytes are not printable, and for
JavaScript otherwise: the archive is compressed, and its biggest files come first.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import zipfile
from collections.abc import Iterator
from importlib import import_module
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

#: Parts of smartvm that ``smartvm-solc`` imports or reads.
_OWN = (
    "__init__.py", "disk_cache.py", "errors.py", "instruction_table.toml", "keccak.py", "records.py", "compiler",
    "instructions", "commands/__init__.py", "commands/solc.py", "commands/solc_compilation.py",
    "commands/solc_input.py", "commands/solc_options.py",
)  # fmt: skip

#: Parts of the libraries that the compiler imports: the parser generator, and KECCAK-256.
_LIBRARIES = {
    "lark": (".",),
    "Crypto": ("__init__.py", "Util", "Hash/__init__.py", "Hash/keccak.py", "Hash/_keccak"),
}

_KINDS = (".py", ".lark", ".toml", ".sol", *EXTENSION_SUFFIXES)

#: What runs first. Grammars, tables and extension modules must be files on disk, so it unpacks all of them,
#: once per content: into a folder of its own that is then renamed, so that processes can start together.
_MAIN = """\
import os
import sys

if sys.version_info < (3, 11):
    sys.exit("Error: smartvm-solc needs Python 3.11 or later, this is " + sys.version.split()[0])

DIGEST = "@DIGEST@"


def unpacked():
    base = os.environ.get("SMARTVM_CACHE_DIR") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache"), "smartvm"
    )
    target = os.path.join(base, "solc-" + DIGEST)
    if os.path.isdir(target) and is_private(target):
        return target
    import shutil
    import tempfile
    import zipfile

    try:
        os.makedirs(base, exist_ok=True)
        made = tempfile.mkdtemp(dir=base)
    except OSError:
        # No cache: unpack for this run only.
        import atexit

        target = made = tempfile.mkdtemp()
        atexit.register(shutil.rmtree, made, ignore_errors=True)
    with zipfile.ZipFile(sys.path[0]) as archive:
        archive.extractall(made)
    if made != target:
        try:
            os.rename(made, target)
        except OSError:
            if os.path.isdir(target) and is_private(target):
                # Another process was faster.
                shutil.rmtree(made, ignore_errors=True)
                return target
            import atexit

            atexit.register(shutil.rmtree, made, ignore_errors=True)
            return made
    return target


def is_private(path):
    # Code is run from there: nobody but the user may have written it.
    if not hasattr(os, "geteuid"):
        return True
    facts = os.lstat(path)
    return facts.st_uid == os.geteuid() and not facts.st_mode & 0o022


sys.path[0] = unpacked()
# The folder is ours: Python keeps the compiled form of the modules there even where it is told not to.
sys.dont_write_bytecode = False

from smartvm.commands.solc import main

main()
"""


def write_zipapp(path: Path, interpreter: str) -> None:
    """Write ``smartvm-solc`` to ``path`` as an executable archive that ``interpreter`` runs.

    The same contents give the same bytes. Raises OSError when the file cannot be written.
    """
    files = dict(sorted(_files()))
    digest = hashlib.sha256()
    for name, data in files.items():
        digest.update(f"{name}\0{len(data)}\0".encode() + data)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Written beside it and renamed: a build that runs meanwhile sees the old file or the new one.
    handle, temporary = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(f"#!{interpreter}\n".encode())
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
                for name, data in sorted(files.items(), key=lambda item: (-len(item[1]), item[0])):
                    _add(archive, name, data)
                _add(archive, "__main__.py", _MAIN.replace("@DIGEST@", digest.hexdigest()[:16]).encode())
        os.chmod(temporary, 0o755)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    # ZipInfo's own date, the first that the format has, so that the same files make the same archive.
    entry = zipfile.ZipInfo(name)
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, data)


def _files() -> Iterator[tuple[str, bytes]]:
    """Names in the archive and contents."""
    root = Path(__file__).resolve().parent.parent
    for part in _OWN:
        yield from _below(root, "smartvm", part)
    for library, parts in _LIBRARIES.items():
        module = import_module(library)
        assert module.__file__ is not None
        for part in parts:
            yield from _below(Path(module.__file__).parent, library, part)


def _below(root: Path, package: str, part: str) -> Iterator[tuple[str, bytes]]:
    """A file, or those of a folder, or those whose names start so (an extension module's, whose suffix
    depends on the system)."""
    start = root / part
    if start.is_dir():
        paths = sorted(start.rglob("*"))
    elif start.is_file():
        paths = [start]
    else:
        paths = sorted(start.parent.glob(f"{start.name}.*"))
    for path in paths:
        inside = path.relative_to(root)
        if path.is_file() and path.name.endswith(_KINDS) and "SelfTest" not in inside.parts:
            yield f"{package}/{inside.as_posix()}", path.read_bytes()
