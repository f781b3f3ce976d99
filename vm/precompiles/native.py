"""The machine code of the precompiled contracts, compiled on first use and kept on disk."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from pathlib import Path

from smartvm.vm.native.machine_code import NativeCode, load_or_compile

_ADDRESS = ctypes.c_uint64


def make_module() -> str:
    """The LLVM assembly of all kernels."""
    # imported late: they need LLVM
    from llvmlite import ir
    from smartvm.vm.precompiles.blake2_kernel import define_blake2
    from smartvm.vm.precompiles.bn254_kernel import define_bn254

    module = ir.Module("precompiles")
    define_bn254(module)
    define_blake2(module)
    return str(module)


@cache
def _code() -> NativeCode:
    code, _ = load_or_compile(Path(__file__).parent, make_module, "precompiled contracts")
    return code


@cache
def kernel(name: str, arguments: int) -> Callable[..., None]:
    """A kernel as a Python callable; all its arguments are addresses or 64-bit numbers."""
    function: Callable[..., None] = ctypes.CFUNCTYPE(None, *[_ADDRESS] * arguments)(_code().address(name))
    return function
