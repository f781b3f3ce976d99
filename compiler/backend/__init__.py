"""The back end: a Yul object becomes an SSA control-flow graph, stack code, and bytecode.

``assemble_object`` is the one entry; everything else in this package is its parts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from smartvm.compiler.backend.result import (
    AssembledObject,
    AssemblyItem,
    BackendSettings,
    FunctionEntry,
    StackTooDeepError,
)

if TYPE_CHECKING:
    from smartvm.compiler.yul.ast import Object
    from smartvm.compiler.yul.dialect import Dialect

__all__ = [
    "AssembledObject",
    "AssemblyItem",
    "BackendSettings",
    "FunctionEntry",
    "StackTooDeepError",
    "assemble_object",
]


def assemble_object(object_: Object, dialect: Dialect, settings: BackendSettings) -> AssembledObject:
    """Compile a checked Yul object, with its sub-objects, to bytecode.

    ``object_`` must have passed the Yul checker. Raises ``StackTooDeepError`` when values must go to memory
    and the code has no ``memoryguard`` that permits it. The result depends on the arguments alone."""
    from smartvm.compiler.backend.objects import ObjectAssembler

    return ObjectAssembler(dialect, settings).assemble(object_)
