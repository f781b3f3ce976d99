"""The back end: a Yul object becomes an SSA control-flow graph, stack code, and bytecode.

``assemble_object`` and ``optimized_object`` (the optimised program as Yul) are the entries; everything else in
this package is their parts.
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
    "optimized_object",
]


def assemble_object(object_: Object, dialect: Dialect, settings: BackendSettings) -> AssembledObject:
    """Compile a checked Yul object, with its sub-objects, to bytecode.

    ``object_`` must have passed the Yul checker. Raises ``StackTooDeepError`` when values must go to memory
    and the code has no ``memoryguard`` that permits it. The result depends on the arguments alone."""
    from smartvm.compiler.backend.objects import ObjectAssembler

    return ObjectAssembler(dialect, settings).assemble(object_)


def optimized_object(object_: Object, dialect: Dialect, settings: BackendSettings) -> Object:
    """The object as the optimizer leaves it: Yul that compiles to code of the same behaviour. Without the
    optimizer it is the object itself.

    ``object_`` must have passed the Yul checker. Nodes carry the ranges of the code they stand for."""
    if not settings.optimize:
        return object_
    from smartvm.compiler.backend.objects import ObjectAssembler

    return ObjectAssembler(dialect, settings).optimized_object(object_)
