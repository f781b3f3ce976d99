"""The way to the DNN instructions' machine code: to kernels, which Python calls, and handlers, which the interpreter
calls.

Both are kept on disk as objects; those that are there are loaded without Numba. The modules that hold the functions
need Numba, so they are imported only to compile: other modules name them here.

``native.dot_rows(windows, weights, out)`` calls the kernel ``dot_rows`` of the module ``native``. Arguments are
C-contiguous arrays, integers of 64 bits, floats and tuples of integers; each combination of their types is compiled by
itself, when it is first called.
"""

from __future__ import annotations

import ctypes
import os
import re
import struct
import sys
from collections.abc import Callable
from functools import cache
from itertools import chain
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
from smartvm.vm.dnn.compiling.object_format import (
    ENTRY,
    NOT_CONTIGUOUS,
    OTHER_TYPES,
    RESULTS,
    is_array,
    order_of,
    words_of,
)
from smartvm.vm.dnn.platforms.kernel_sets import KERNELS
from smartvm.vm.native.host import version_of
from smartvm.vm.native.machine_code import NativeCode, cache_key, keep, kept, load

_ROOT = Path(__file__).resolve().parents[3]

_IMPORT = re.compile(r"^from (smartvm[\w.]*) import (\([^)]*\)|.*)$", re.MULTILINE)
_NAME = re.compile(r"\w+")


@cache
def _file_of(module: str) -> Path | None:
    path = _ROOT.joinpath(*module.split(".")[1:]).with_suffix(".py")
    return path if path.is_file() else None


@cache
def _imported_by(module: str) -> tuple[str, ...]:
    """The modules of smartvm that a module imports when it is imported."""
    path = _file_of(module)
    if path is None:
        return ()
    found = []
    for source, names in _IMPORT.findall(path.read_text(encoding="utf-8")):
        if _file_of(source) is not None:
            found.append(source)
        else:  # a package, of which modules are imported
            found += [f"{source}.{name}" for name in _NAME.findall(names)]
    return tuple(found)


@cache
def _sources(module: str) -> tuple[Path, ...]:
    """The files that a module's functions are compiled from: its own, those that it imports, and so on."""
    waiting = [module, "smartvm.vm.dnn.compiling.object_compiler"]
    seen: dict[str, Path | None] = {}
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen[name] = _file_of(name)
            waiting += _imported_by(name)
    return tuple(sorted(path for path in seen.values() if path is not None))


@cache
def _key(module: str) -> str:
    """Of what a module's machine code depends on."""
    settings = sorted(item for item in os.environ.items() if item[0].startswith("NUMBA_"))
    facts = (KERNELS.name, version_of("numba"), settings, object.__basicsize__, np.__version__.partition(".")[0])
    return cache_key(_sources(module), *facts)


@cache
def _announce() -> None:
    """Say, once for the process, that kernels are being compiled: it takes seconds."""
    print("smartvm: compiling DNN kernels for this machine (once) ...", file=sys.stderr, flush=True)


def _entry_name(module: str, name: str, kinds: str = "") -> str:
    return f"{module.rpartition('.')[2]}.{name}{kinds}-{_key(module)}"


# -- handlers


@cache
def _kept_handler(module: str, name: str) -> NativeCode | None:
    code = kept(_entry_name(module, name))
    return None if code is None else load(code)


def is_handler_kept(module: str, name: str) -> bool:
    """Whether a handler's machine code is on disk, so that ``handler_address`` takes no compiling. Told once for the
    process."""
    return _kept_handler(module, name) is not None


@cache
def _handler(module: str, name: str) -> NativeCode:
    code = _kept_handler(module, name)
    if code is None:
        from smartvm.vm.dnn.compiling.object_compiler import compile_handler

        _announce()
        content: bytes = compile_handler(module, name)
        keep(_entry_name(module, name), content)
        code = load(content)
    return code


def handler_address(module: str, name: str) -> int:
    """Where the machine code of a handler is: a C function from a 64-bit number to one. It stays there."""
    return _handler(module, name).address(ENTRY)


# -- kernels

_FUNCTION = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_char_p)


class _Specialisation:
    """A kernel for certain types of arguments, loaded."""

    __slots__ = ("_code", "entry", "pack", "single", "unpack")

    def __init__(self, code: NativeCode, arguments: str) -> None:
        self._code = code
        results = ctypes.string_at(code.address(RESULTS)).decode()
        layout = results.strip("()").replace("i", "q").replace("f", "d")
        self.entry: Callable[[bytes], int] = _FUNCTION(code.address(ENTRY))
        self.pack = struct.Struct(f"={8 * len(layout)}x{arguments}").pack
        self.unpack = struct.Struct(f"={layout}").unpack_from if results else None
        self.single = not results.startswith("(")


def _getter(places: list[int]) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
    """What takes the arguments at some places."""
    if len(places) > 1:
        return itemgetter(*places)
    return lambda arguments: tuple(arguments[place] for place in places)


class _Signature:
    """What calls share whose arguments have the same Python types, and tuples the same lengths: where arrays, numbers
    and tuples stand, and the specialisations, of which ``last`` was called last."""

    __slots__ = ("arrays", "by_lengths", "last", "numbers", "specialisations", "tuples")

    def __init__(self, types: tuple[type, ...]) -> None:
        places = list(enumerate(types))
        arrays = [place for place, kind in places if issubclass(kind, np.ndarray)]
        numbers = [place for place, kind in places if issubclass(kind, (int, float, np.integer))]
        tuples = [place for place, kind in places if issubclass(kind, tuple)]
        if len(arrays) + len(numbers) + len(tuples) < len(types):
            raise TypeError(f"kernels take arrays, integers, floats and tuples of integers, not {types}")
        self.arrays, self.numbers = _getter(arrays), _getter(numbers)
        self.tuples = _getter(tuples) if tuples else None
        self.by_lengths: dict[tuple[int, ...], _Signature] = {}
        self.specialisations: dict[tuple[str, ...], _Specialisation] = {}
        self.last: _Specialisation | None = None


class Kernel:
    """A compiled function on arrays, as Python calls it. It runs beside other threads."""

    def __init__(self, module: str, name: str) -> None:
        self._module = module
        self._name = name
        self._signatures: dict[tuple[type, ...], _Signature] = {}

    def __call__(self, *arguments: Any) -> Any:
        types = tuple(map(type, arguments))
        signature = self._signatures.get(types)
        if signature is None:
            signature = self._signatures[types] = _Signature(types)
        words = signature.numbers(arguments)
        if signature.tuples is not None:
            tuples = signature.tuples(arguments)
            lengths = tuple(map(len, tuples))
            words = (*words, *chain.from_iterable(tuples))
            signature = signature.by_lengths.get(lengths) or signature.by_lengths.setdefault(lengths, _Signature(types))
        arrays = signature.arrays(arguments)
        found = signature.last or self._specialise(arguments, signature)
        memory = found.pack(*map(id, arrays), *words)
        status = found.entry(memory)  # writes the results over their places in ``memory``, which nobody else has
        if status == OTHER_TYPES:
            found = self._specialise(arguments, signature)
            memory = found.pack(*map(id, arrays), *words)
            status = found.entry(memory)
        if status:
            raise self._error(status)
        if found.unpack is None:
            return None
        results = found.unpack(memory)
        return results[0] if found.single else results

    def _error(self, status: int) -> Exception:
        if status == NOT_CONTIGUOUS:
            return ValueError(f"{self._name} takes arrays whose items are in order, without gaps")
        return MemoryError(f"{self._name} needs more memory than there is")

    def _specialise(self, arguments: tuple[Any, ...], signature: _Signature) -> _Specialisation:
        """The specialisation for the arguments, from now on the last one."""
        kinds = tuple(map(_kind_of, arguments))
        found = signature.specialisations.get(kinds)
        if found is None:
            found = signature.specialisations[kinds] = self._load(kinds)
        signature.last = found
        return found

    def _load(self, kinds: tuple[str, ...]) -> _Specialisation:
        name = _entry_name(self._module, self._name, "-" + "".join(kinds))
        code = kept(name)
        if code is None:
            from smartvm.vm.dnn.compiling.object_compiler import compile_kernel

            _announce()
            code = compile_kernel(self._module, self._name, kinds)
            keep(name, code)
        return _Specialisation(load(code), "".join(_packed(kinds[place]) for place in order_of(kinds)))


def _kind_of(argument: Any) -> str:
    """The kind of an argument, as ``object_format`` names it."""
    if isinstance(argument, np.ndarray):
        if not argument.dtype.isnative:
            raise TypeError(f"kernels take items in the machine's byte order, not {argument.dtype}")
        return f"{argument.dtype.char}{argument.ndim}"
    if isinstance(argument, tuple):
        return f"t{len(argument)}"
    return "f" if isinstance(argument, float) else "i"


def _packed(kind: str) -> str:
    """How the words of an argument are packed."""
    if is_array(kind):
        return "Q"
    return "d" if kind == "f" else f"{words_of(kind)}q"


class KernelModule:
    """The kernels of a module, as attributes."""

    def __init__(self, module: str) -> None:
        self._module = f"smartvm.vm.dnn.{module}"

    def __getattr__(self, name: str) -> Kernel:
        if name.startswith("__"):
            raise AttributeError(name)
        kernel = Kernel(self._module, name)
        setattr(self, name, kernel)
        return kernel


activation_float = KernelModule("rounding.activation_float")
activation_pairs = KernelModule("rounding.activation_pairs")
native = KernelModule("platforms.native")
panel_kernels = KernelModule("platforms.panel_kernels")
row_kernels = KernelModule("platforms.row_kernels")
