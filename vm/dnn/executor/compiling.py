"""Compiles handlers to machine code, once for the process, and keeps it on disk where Numba keeps its own."""

from __future__ import annotations

import contextlib
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

import numba
import smartvm.vm.dnn
import smartvm.vm.native.layout
from numba.core.caching import FunctionCache
from numba.core.ccallback import CFunc
from smartvm.vm.dnn.executor.handlers import HANDLERS

_SIGNATURE = numba.int64(numba.int64)


@cache
def _digest_of_sources() -> str:
    """Of all that is compiled into handlers: Numba alone would look at the handler's own module only."""
    digest = hashlib.sha256()
    folder = Path(smartvm.vm.dnn.__file__).parent
    for path in (*sorted(folder.rglob("*.py")), Path(smartvm.vm.native.layout.__file__)):
        digest.update(path.read_bytes())
    return digest.hexdigest()


class _Cache(FunctionCache):
    """Numba's cache of machine code, valid for the sources that are here now."""

    def __init__(self, function: object) -> None:
        super().__init__(function)  # type: ignore[no-untyped-call]
        self._cache_file._source_stamp = _digest_of_sources()


class _Handler(CFunc):
    def enable_caching(self) -> None:
        self._cache = _Cache(self.__wrapped__)


@cache
def _compiled(name: str) -> Any:
    signature = ((_SIGNATURE.args), _SIGNATURE.return_type)
    handler = _Handler(HANDLERS[name], signature, {}, {"error_model": "numpy", "boundscheck": False, "nopython": True})
    with contextlib.suppress(RuntimeError):  # Numba's way to say that no cache folder can be written
        handler.enable_caching()
    handler.compile()
    return handler


def handler_address(name: str) -> int:
    """Where the machine code of an instruction's handler is: a C function from the frame's address to 1, or to 0 where
    nothing was done. KeyError when the instruction has none."""
    return int(_compiled(name).address)
