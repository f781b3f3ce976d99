"""``--combined-json``: one entry per contract under ``source:name`` (docs/using-the-compiler.rst)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from smartvm.compiler.incremental.engine import Results
from smartvm.compiler.output_selection import OutputSelection
from smartvm.compiler.pipeline import CompilationUnit
from smartvm.compiler.version import COMPILER_VERSION
from smartvm.errors import SmartVMError


class UnknownOutputError(SmartVMError):
    """An output that ``--combined-json`` does not have."""


#: Output name to that of Standard JSON. ``ast`` belongs to sources.
_STANDARD_NAMES: Mapping[str, str] = {
    "abi": "abi",
    "asm": "evm.assembly",
    "bin": "evm.bytecode.object",
    "bin-runtime": "evm.deployedBytecode.object",
    "devdoc": "devdoc",
    "function-debug": "evm.bytecode.functionDebugData",
    "function-debug-runtime": "evm.deployedBytecode.functionDebugData",
    "generated-sources": "evm.bytecode.generatedSources",
    "generated-sources-runtime": "evm.deployedBytecode.generatedSources",
    "hashes": "evm.methodIdentifiers",
    "metadata": "metadata",
    "opcodes": "evm.bytecode.opcodes",
    "srcmap": "evm.bytecode.sourceMap",
    "srcmap-runtime": "evm.deployedBytecode.sourceMap",
    "storage-layout": "storageLayout",
    "transient-storage-layout": "transientStorageLayout",
    "userdoc": "userdoc",
}

COMBINED_OUTPUTS = tuple(sorted([*_STANDARD_NAMES, "ast"]))


def combined_selection(outputs: Iterable[str]) -> OutputSelection:
    """What must be compiled for the outputs named. Raises UnknownOutputError."""
    wanted = list(dict.fromkeys(outputs))
    unknown = [name for name in wanted if name not in COMBINED_OUTPUTS]
    if unknown:
        raise UnknownOutputError(
            f"Invalid option to --combined-json: {unknown[0]}", hint="known: " + ",".join(COMBINED_OUTPUTS)
        )
    asked = tuple(_STANDARD_NAMES[name] for name in wanted if name in _STANDARD_NAMES)
    return OutputSelection({"*": {"*": asked, "": ("ast",) if "ast" in wanted else ()}})


def combined_json(unit: CompilationUnit, results: Results, outputs: Iterable[str]) -> dict[str, Any]:
    """The outputs named of all contracts and sources, from results that hold them (``combined_selection``)."""
    wanted = list(dict.fromkeys(outputs))
    contracts = {
        f"{source}:{name}": {output: _output(entry, output) for output in wanted if output in _STANDARD_NAMES}
        for source, result in results.items()
        for name, entry in result.contracts.items()
    }
    combined: dict[str, Any] = {"version": COMPILER_VERSION}
    if any(output in _STANDARD_NAMES for output in wanted):
        combined["contracts"] = contracts
    if {"ast", "srcmap", "srcmap-runtime"} & set(wanted):
        combined["sourceList"] = list(unit.sources)
    if "ast" in wanted:
        combined["sources"] = {
            name: {"AST": result.ast, "id": unit.sources[name].index} for name, result in results.items()
        }
    return combined


def _output(entry: Mapping[str, Any], output: str) -> Any:
    value: Any = entry
    for key in _STANDARD_NAMES[output].split("."):
        value = value[key]
    # What has no code has no assembly.
    return value or None if output == "asm" else value
