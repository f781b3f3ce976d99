"""Compiles LLVM modules to machine code, and keeps the interpreter's on disk.

The cache's key is the digest of the sources that make the module, of llvmlite's and LLVM's version and of the
CPU with its features: code of another version or for another machine is never loaded.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import llvmlite
import llvmlite.binding as llvm


@cache
def target_machine() -> llvm.TargetMachine:
    """The machine that runs this process."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=2,
        reloc="pic",
        codemodel="small",
    )


def compile_to_object(text: str, speed_level: int = 2) -> bytes:
    """Optimise LLVM assembly and compile it."""
    machine = target_machine()
    module = llvm.parse_assembly(text)
    module.verify()
    module.triple = machine.triple
    module.data_layout = str(machine.target_data)
    options = llvm.create_pipeline_tuning_options(speed_level=speed_level)
    options.loop_vectorization = False
    options.slp_vectorization = False
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)
    code: bytes = machine.emit_object(module)
    return code


class NativeCode:
    """Loaded machine code."""

    def __init__(self, code: bytes) -> None:
        empty = llvm.parse_assembly("")
        empty.triple = target_machine().triple
        self._engine = llvm.create_mcjit_compiler(empty, _engine_machine())
        self._engine.add_object_file(llvm.ObjectFileRef.from_data(code))
        self._engine.finalize_object()

    def address(self, name: str) -> int:
        """Where a function or variable stands; KeyError when there is none."""
        address = self._engine.get_function_address(name) or self._engine.get_global_value_address(name)
        if not address:
            raise KeyError(name)
        return int(address)


def _engine_machine() -> llvm.TargetMachine:
    # An engine owns its machine, so the shared one cannot be given to it.
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=2,
        reloc="pic",
        codemodel="small",
    )


def cache_folder() -> Path:
    """Where machine code is kept: ``$SMARTVM_CACHE_DIR``, else ``smartvm`` in the user's cache folder."""
    chosen = os.environ.get("SMARTVM_CACHE_DIR")
    if chosen:
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "smartvm"


def cache_key(sources: Path) -> str:
    """Digest of what machine code made by the modules in ``sources``, with those here, depends on."""
    digest = hashlib.sha256()
    for folder in sorted({sources.resolve(), Path(__file__).resolve().parent}):
        for path in sorted(folder.glob("*.py")):
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    machine = (llvmlite.__version__, llvm.llvm_version_info, llvm.get_host_cpu_name())
    digest.update(repr(machine).encode())
    digest.update(llvm.get_host_cpu_features().flatten().encode())
    digest.update(llvm.get_default_triple().encode())
    return digest.hexdigest()[:32]


def load_or_compile(
    sources: Path, make_module: Callable[[], str], what: str = "interpreter"
) -> tuple[NativeCode, int]:
    """The machine code of the module that ``make_module()`` gives as text, and the nanoseconds spent on
    compiling it (0 when it came from the cache). Says on stderr that it compiles."""
    path = cache_folder() / f"{what.replace(' ', '-')}-{cache_key(sources)}.o"
    try:
        code = path.read_bytes()
        expected, body = code[:32], code[32:]
        if hashlib.sha256(body).digest() == expected:
            return NativeCode(body), 0
    except OSError:
        pass
    start = time.perf_counter_ns()
    print(f"smartvm: compiling the {what} for this machine (once) ...", file=sys.stderr, flush=True)
    body = compile_to_object(make_module())
    spent = time.perf_counter_ns() - start
    print(f"smartvm: compiled in {spent / 1e9:.1f} s", file=sys.stderr, flush=True)
    _write(path, hashlib.sha256(body).digest() + body)
    return NativeCode(body), spent


def _write(path: Path, content: bytes) -> None:
    """Write whole or not at all; a cache that cannot be written costs time only."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.replace(name, path)
    except OSError as error:
        print(f"smartvm: cannot keep compiled code in {path.parent}: {error}", file=sys.stderr)
