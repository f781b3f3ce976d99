"""Machine code that is kept on disk: found by what it depends on, made where it is missing, loaded.

The key is the digest of the sources that make the code, of llvmlite's version and of the processor with its
features: code of another version or for another machine is never loaded.
"""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Protocol

from smartvm.vm.native.host import llvm_version, machine_code_cache, this_host
from smartvm.vm.native.object_code import LoadedObject, ObjectCodeError, can_load


class NativeCode(Protocol):
    """Loaded machine code."""

    def address(self, name: str) -> int:
        """Where a function or variable stands; KeyError when there is none."""


_NO_SYMBOLS: Mapping[str, int] = {}


def load(code: bytes, symbols: Mapping[str, int] = _NO_SYMBOLS) -> NativeCode:
    """Load an object; ``symbols`` are addresses of what it needs besides C's functions."""
    if can_load():
        try:
            return LoadedObject(code, symbols)
        except ObjectCodeError:
            pass  # what LLVM wrote, LLVM can load
    from smartvm.vm.native.jit import EngineCode

    return EngineCode(code, symbols)


def cache_key(sources: Iterable[Path], *facts: object) -> str:
    """Digest of what machine code depends on: source files, the machine, LLVM, and further facts."""
    digest = hashlib.sha256()
    for path in sources:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    host = this_host()
    digest.update(llvm_version())
    digest.update(repr((host.triple, host.processor, host.features, facts)).encode())
    return digest.hexdigest()[:32]


def sources_in(*folders: Path) -> list[Path]:
    """The modules of folders."""
    return [path for folder in folders for path in sorted(folder.glob("*.py"))]


def keep(name: str, code: bytes) -> None:
    """Keep an object; where that cannot be, say so."""
    cache = machine_code_cache()
    if cache.write(name, code):
        cache.trim()
    else:
        print(f"smartvm: cannot keep compiled code in {cache.folder}", file=sys.stderr)


def kept(name: str) -> bytes | None:
    """An object that was kept, unchanged; None when there is none."""
    return machine_code_cache().read(name)


def load_or_compile(sources: Path, make_module: Callable[[], str], what: str = "interpreter") -> tuple[NativeCode, int]:
    """The machine code of the module that ``make_module()`` gives as text and the modules in the folder ``sources``
    make, and the nanoseconds spent on compiling it (0 when it was kept). Says on stderr that it compiles."""
    folders = sorted({sources.resolve(), Path(__file__).resolve().parent})
    name = f"{what.replace(' ', '-')}-{cache_key(sources_in(*folders))}"
    code = kept(name)
    if code is not None:
        return load(code), 0
    from smartvm.vm.native.jit import compile_to_object

    start = time.perf_counter_ns()
    print(f"smartvm: compiling the {what} for this machine (once) ...", file=sys.stderr, flush=True)
    code = compile_to_object(make_module())
    spent = time.perf_counter_ns() - start
    print(f"smartvm: compiled in {spent / 1e9:.1f} s", file=sys.stderr, flush=True)
    keep(name, code)
    return load(code), spent
