"""Compiles handlers to machine code, once for the process, and keeps it on disk where Numba keeps its own."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numba
import smartvm.vm.dnn
import smartvm.vm.native.layout
from numba.core.caching import FunctionCache
from numba.core.ccallback import CFunc
from smartvm.vm.dnn import kernel_sets
from smartvm.vm.dnn.executor.handlers import HANDLERS
from smartvm.vm.dnn.executor.settling import FUNCTIONS

#: Modules that all handlers are made of, beside their own, and modules of ``vm.dnn`` whose functions they call.
_SHARED = ("deferring", "frames", "layout", "memory", "parts", "spares")
_COMPILED_IN = ("activation_float", "dot_products", "kernel_sets", "native", "panel_kernels", "panel_tiles")

_SIGNATURE = numba.int64(numba.int64)


@cache
def _digest_of_sources(module: str) -> str:
    """Of all that is compiled into a module's handlers: Numba alone would look at the module itself only."""
    folder = Path(smartvm.vm.dnn.__file__).parent
    shared = [folder / "executor" / f"{name}.py" for name in (*_SHARED, module)]
    kernels = [folder / f"{name}.py" for name in _COMPILED_IN]
    digest = hashlib.sha256()
    for path in (*shared, *kernels, Path(smartvm.vm.native.layout.__file__)):
        digest.update(path.read_bytes())
    return digest.hexdigest()


class _Cache(FunctionCache):
    """Numba's cache of machine code, valid for the sources that are here now."""

    def __init__(self, function: Callable[[int], int]) -> None:
        super().__init__(function)  # type: ignore[no-untyped-call]
        self._cache_file._source_stamp = _digest_of_sources(function.__module__.rpartition(".")[2])


class _Handler(CFunc):
    def enable_caching(self) -> None:
        self._cache = _Cache(self.__wrapped__)


@cache
def _handler(name: str) -> Any:
    signature = ((_SIGNATURE.args), _SIGNATURE.return_type)
    function = HANDLERS.get(name) or FUNCTIONS[name]
    handler = _Handler(function, signature, {}, {"error_model": "numpy", "boundscheck": False, "nopython": True})
    if kernel_sets.forced_name() is None:
        with contextlib.suppress(RuntimeError):  # Numba's way to say that no cache folder can be written
            handler.enable_caching()
    return handler


@cache
def _compiled(name: str) -> Any:
    handler = _handler(name)
    handler.compile()
    return handler


@cache
def is_kept(name: str) -> bool:
    """Whether a handler's machine code is on disk, so that ``handler_address`` takes milliseconds, not seconds. Told
    once for the process."""
    handler = _handler(name)
    return handler._cache.load_overload(handler._sig, handler._targetdescr.target_context) is not None


def handler_address(name: str) -> int:
    """Where the machine code of an instruction's handler is: a C function from the frame's address to 1, or to 0 where
    nothing was done. KeyError when the instruction has none."""
    return int(_compiled(name).address)
