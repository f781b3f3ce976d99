"""Functions that are compiled into handlers only: their machine code is made where a handler is finished, not before.

Numba optimises the library of each function, with all libraries that it calls linked into it, and makes machine code of
it: a function below four others is compiled five times. A *part* is only linked.
"""

# mypy: ignore-errors
from __future__ import annotations

import numba
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler


class _Part(JITCodeLibrary):
    """A library that is linked into others, which optimise it with what they are themselves."""

    def _optimize_functions(self, ll_module):
        ll_module.data_layout = self._codegen._data_layout

    def _optimize_final_module(self):
        """Left to those that link it."""

    def _finalize_final_module(self):
        self._finalize_dynamic_globals()
        self._finalized = True

    def get_pointer_to_function(self, name):
        """There is no machine code."""
        return 0

    @property
    def codegen(self):
        """What sets the environment of machine code, of which there is none."""
        return _NO_MACHINE_CODE


class _NoMachineCode:
    def set_env(self, name, environment):
        """Nothing refers to it."""


_NO_MACHINE_CODE = _NoMachineCode()


class _PartCompiler(Compiler):
    def compile_extra(self, func):
        self.state.library = _Part(self.state.targetctx.codegen(), func.__qualname__)
        return super().compile_extra(func)


def helper(function):
    """A function that handlers call: compiled into each of them."""
    return numba.njit(
        error_model="numpy",
        boundscheck=False,
        no_cpython_wrapper=True,
        no_cfunc_wrapper=True,
        pipeline_class=_PartCompiler,
    )(function)
