"""Makes instructions of the user's own work: connects what a table says with the compiler and the VM.

A row of a table says what an instruction means either in Yul or by a kernel, a Python function of the
signature ``smartvm.vm.extension.Kernel``. This module compiles the one to microcode for the VM, imports the
other, and makes a table without them for code that is compiled for a VM that lacks them.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from smartvm.compiler.backend import BackendSettings, assemble_object
from smartvm.compiler.yul.dialect import dialect_for
from smartvm.compiler.yul.extensions import microcode_object
from smartvm.instructions.errors import table_error
from smartvm.instructions.model import Instruction, InstructionTable

if TYPE_CHECKING:
    from smartvm.vm.extension import Kernel


def own_instructions(table: InstructionTable, kind: str) -> list[Instruction]:
    """The table's instructions that are given by ``kind``: ``yul`` or ``kernel``."""
    return [i for i in table.instructions if i.implementation is not None and i.implementation.kind == kind]


def microcode(table: InstructionTable, fork: str | None = None) -> Mapping[str, bytes]:
    """For each instruction that the table gives in Yul its microcode, by name (see ``microcode_object`` for
    how the VM runs it). ``fork`` is the one whose instructions the microcode uses, the table's last by
    default.

    Raises ``TableError`` when such a Yul text is wrong.
    """
    fork = fork or table.forks[-1]
    dialect = dialect_for(table, fork)
    settings = BackendSettings(optimize=True, runs=1_000_000)
    return {
        i.name: assemble_object(microcode_object(i, dialect), dialect, settings).bytecode
        for i in own_instructions(table, "yul")
        if table.has(i, fork)
    }


def kernels(table: InstructionTable) -> Mapping[str, Kernel]:
    """The functions that the table's rows name as ``package.module:function``, by instruction name.

    A module is looked for on ``sys.path`` and in the folder of the table's file. Raises ``TableError`` when
    it cannot be imported or has no such function.
    """
    return {i.name: _import_kernel(i) for i in own_instructions(table, "kernel")}


def _import_kernel(instruction: Instruction) -> Kernel:
    text = instruction.implementation.text if instruction.implementation else ""
    module_name, _, function_name = text.partition(":")
    path = instruction.defined_in or "<table>"
    folder = str(Path(path).resolve().parent)
    keys = ("instructions", instruction.name, "kernel")
    added = folder not in sys.path
    if added:
        sys.path.insert(0, folder)
    try:
        module = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:
        # Whatever the user's module raises while it is imported is told as one error about the table.
        message = f"`{instruction.name}`: cannot import `{module_name}`: {type(error).__name__}: {error}"
        hint = f"looked for in {folder} and on sys.path" if isinstance(error, ModuleNotFoundError) else None
        raise table_error(path, keys, message, hint=hint, needle=text) from None
    finally:
        if added and folder in sys.path:
            sys.path.remove(folder)
    function: Callable[..., object] | None = getattr(module, function_name, None)
    if not callable(function):
        message = f"`{instruction.name}`: the module `{module_name}` has no function `{function_name}`"
        raise table_error(path, keys, message, needle=text)
    return cast("Kernel", function)


def without_extensions(table: InstructionTable) -> InstructionTable:
    """The table without its instructions given in Yul or by a kernel: what a VM that lacks them goes by."""
    from smartvm.instructions.loader import table_digest

    kept = tuple(
        i for i in table.instructions if i.implementation is None or i.implementation.kind == "native"
    )
    if len(kept) == len(table.instructions):
        return table
    return replace(table, instructions=kept, digest=table_digest(table.forks, kept))


def check_extensions(table: InstructionTable) -> None:
    """Raise ``TableError`` for the first instruction whose Yul is wrong (in the table's last fork), or
    whose kernel cannot be imported."""
    dialect = dialect_for(table, table.forks[-1])
    for instruction in own_instructions(table, "yul"):
        microcode_object(instruction, dialect)
    kernels(table)
