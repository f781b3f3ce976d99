"""``--combined-json``: one entry per contract under ``source:name`` (docs/using-the-compiler.rst)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from smartvm.compiler.artifacts.bytecode import function_debug_data, opcodes
from smartvm.compiler.backend import AssembledObject
from smartvm.compiler.linker import link_hex
from smartvm.compiler.pipeline import CompilationUnit, CompiledContract
from smartvm.compiler.version import COMPILER_VERSION
from smartvm.errors import SmartVMError


class UnknownOutputError(SmartVMError):
    """An output that ``--combined-json`` does not have."""


def _assembled(contract: CompiledContract, deployed: bool) -> AssembledObject | None:
    if not contract.is_deployable:
        return None
    return contract.deployed if deployed else contract.assembled


def _binary(deployed: bool) -> Callable[[CompiledContract], Any]:
    def make(contract: CompiledContract) -> str:
        assembled = _assembled(contract, deployed)
        if assembled is None:
            return ""
        return link_hex(assembled.bytecode, assembled.link_references, contract.unit.settings.libraries)

    return make


def _source_map(deployed: bool) -> Callable[[CompiledContract], Any]:
    def make(contract: CompiledContract) -> str:
        assembled = _assembled(contract, deployed)
        if assembled is None:
            return ""
        utilities = contract.utilities[deployed]
        return (assembled if utilities is None else utilities.placed(assembled)).source_map()

    return make


def _debug_data(deployed: bool) -> Callable[[CompiledContract], Any]:
    def make(contract: CompiledContract) -> Any:
        assembled = _assembled(contract, deployed)
        if assembled is None:
            return {}
        code = contract.deployed_yul.code if deployed else contract.yul_object.code
        return function_debug_data(assembled, code, via_ir=contract.unit.settings.via_ir)

    return make


def _generated_sources(deployed: bool) -> Callable[[CompiledContract], Any]:
    def make(contract: CompiledContract) -> Any:
        utilities = contract.utilities[deployed] if contract.is_deployable else None
        return [] if utilities is None else [utilities.json()]

    return make


def _opcodes(contract: CompiledContract) -> str:
    assembled = _assembled(contract, False)
    if assembled is None:
        return ""
    return opcodes(assembled.bytecode, contract.unit.settings.table, contract.unit.dialect.fork)


def _assembly(contract: CompiledContract) -> Any:
    return contract.assembled.assembly_text() if contract.is_deployable else None


#: Output name to what makes it for a contract. ``ast`` belongs to sources.
CONTRACT_OUTPUTS: Mapping[str, Callable[[CompiledContract], Any]] = {
    "abi": lambda contract: contract.abi,
    "asm": _assembly,
    "bin": _binary(False),
    "bin-runtime": _binary(True),
    "devdoc": lambda contract: contract.developer_documentation,
    "function-debug": _debug_data(False),
    "function-debug-runtime": _debug_data(True),
    "generated-sources": _generated_sources(False),
    "generated-sources-runtime": _generated_sources(True),
    "hashes": lambda contract: contract.method_identifiers,
    "metadata": lambda contract: contract.metadata,
    "opcodes": _opcodes,
    "srcmap": _source_map(False),
    "srcmap-runtime": _source_map(True),
    "storage-layout": lambda contract: contract.storage_layout,
    "transient-storage-layout": lambda contract: contract.transient_storage_layout,
    "userdoc": lambda contract: contract.user_documentation,
}

COMBINED_OUTPUTS = tuple(sorted([*CONTRACT_OUTPUTS, "ast"]))


def combined_json(unit: CompilationUnit, outputs: Iterable[str]) -> dict[str, Any]:
    """The outputs named of all contracts and sources. Raises UnknownOutputError, and CompilationFailed when
    the sources have errors."""
    wanted = list(dict.fromkeys(outputs))
    unknown = [name for name in wanted if name not in COMBINED_OUTPUTS]
    if unknown:
        raise UnknownOutputError(
            f"Invalid option to --combined-json: {unknown[0]}", hint="known: " + ",".join(COMBINED_OUTPUTS)
        )
    contracts = {
        f"{source}:{name}": {
            output: CONTRACT_OUTPUTS[output](contract) for output in wanted if output in CONTRACT_OUTPUTS
        }
        for (source, name), contract in unit.contracts.items()
    }
    combined: dict[str, Any] = {"version": COMPILER_VERSION}
    if any(output in CONTRACT_OUTPUTS for output in wanted):
        combined["contracts"] = contracts
    if {"ast", "srcmap", "srcmap-runtime"} & set(wanted):
        combined["sourceList"] = list(unit.sources)
    if "ast" in wanted:
        from smartvm.compiler.artifacts.ast_json import source_unit_json

        combined["sources"] = {
            name: {"AST": source_unit_json(unit, name, analysed=True), "id": unit.sources[name].index}
            for name in unit.units
        }
    return combined
