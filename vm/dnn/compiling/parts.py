"""Functions that Numba compiles as parts of others: their machine code is made where what calls them is finished, not
before.

Numba optimises the library of each function, with all libraries that it calls linked into it, and makes machine code of
it: a function below four others is compiled five times. Here nothing but what ``object_compiler`` asks for becomes
machine code. A ``helper`` is not even optimised by itself, only with what calls it; a ``compiled`` function is, so
that its loops are optimised before they are parts of greater ones.
"""

# mypy: ignore-errors
from __future__ import annotations

import numba
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler


class OptimisedLibrary(JITCodeLibrary):
    """A library that is optimised, with all that is linked into it; there is no machine code of it."""

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


class _LinkedLibrary(OptimisedLibrary):
    """A library that is linked into others, which optimise it with what they are themselves."""

    def _optimize_functions(self, ll_module):
        ll_module.data_layout = self._codegen._data_layout

    def _optimize_final_module(self):
        """Left to those that link it."""


class _NoMachineCode:
    def set_env(self, name, environment):
        """Nothing refers to it."""


_NO_MACHINE_CODE = _NoMachineCode()


def _compiler(library):
    class PartCompiler(Compiler):
        def compile_extra(self, func):
            self.state.library = library(self.state.targetctx.codegen(), func.__qualname__)
            return super().compile_extra(func)

    return PartCompiler


_OPTIONS = {"error_model": "numpy", "boundscheck": False, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
_LINKED, _OPTIMISED = _compiler(_LinkedLibrary), _compiler(OptimisedLibrary)


def helper(function):
    """A function that handlers call: compiled into each of them."""
    return numba.njit(pipeline_class=_LINKED, **_OPTIONS)(function)


def compiled(function):
    """A function on arrays, callable from compiled code; Python calls it through ``machine_code``. No Python object is
    inside, so threads may run beside it."""
    return numba.njit(pipeline_class=_OPTIMISED, **_OPTIONS)(function)
