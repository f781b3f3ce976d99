"""Compiles files given on the command line to artifacts; diagnostics go to stderr as solc prints them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from smartvm.commands.artifact import Artifact
from smartvm.commands.options import UsageError, checked_fork, load_checked_table, read_text
from smartvm.errors import SmartVMError

if TYPE_CHECKING:
    from smartvm.instructions.model import InstructionTable

#: What an artifact holds besides ABI and bytecode; each costs little.
_ARTIFACT_OUTPUTS = (
    "abi", "evm.bytecode.object", "evm.bytecode.sourceMap", "evm.bytecode.linkReferences",
    "evm.deployedBytecode.object", "evm.deployedBytecode.sourceMap", "evm.deployedBytecode.linkReferences",
    "evm.deployedBytecode.immutableReferences", "evm.methodIdentifiers", "storageLayout",
)  # fmt: skip


class CompilationError(SmartVMError):
    """The sources have errors, which are printed already."""

    exit_code = 1


@dataclass(frozen=True)
class CompileRequest:
    """What to compile and how; ``outputs`` are Standard JSON's names beside those that artifacts hold."""

    paths: Sequence[str]
    table_name: str = "default"
    evm_version: str = "osaka"
    optimize: bool = False
    runs: int = 200
    outputs: Sequence[str] = ()
    base_path: str | None = None
    include_paths: Sequence[str] = ()
    remappings: Sequence[str] = ()
    expand_extensions: bool = False
    no_metadata: bool = False
    trees: bool = False


@dataclass
class Compiled:
    """``contracts``: for each artifact what Standard JSON reports about it; ``sources`` likewise for each
    source."""

    artifacts: list[Artifact] = field(default_factory=list)
    contracts: list[Mapping[str, Any]] = field(default_factory=list)
    sources: dict[str, Mapping[str, Any]] = field(default_factory=dict)


def compile_paths(request: CompileRequest) -> Compiled:
    """Compile Solidity and Yul files. Prints warnings and errors to stderr; raises ``CompilationError``
    after errors, ``UsageError`` for a file that is not there."""
    table = load_checked_table(request.table_name)
    checked_fork(table, request.evm_version)
    compiled = Compiled()
    solidity = [path for path in request.paths if not path.endswith(".yul")]
    for path in request.paths:
        if path.endswith(".yul"):
            _compile_yul(path, request, table, compiled)
    if solidity:
        _compile_solidity(solidity, request, table, compiled)
    return compiled


def _recorded_table(table: InstructionTable, request: CompileRequest) -> tuple[str, str]:
    """Name and digest of the table that a VM needs for the code."""
    if not request.expand_extensions:
        return request.table_name, table.digest
    from smartvm.extensions import without_extensions
    from smartvm.instructions.loader import SHIPPED_TABLES, load_table

    digest = without_extensions(table).digest
    shipped = next((name for name in SHIPPED_TABLES if load_table(name).digest == digest), request.table_name)
    return shipped, digest


def _compile_yul(path: str, request: CompileRequest, table: InstructionTable, compiled: Compiled) -> None:
    from smartvm.compiler.backend import BackendSettings
    from smartvm.compiler.diagnostics import CompileError, format_diagnostic
    from smartvm.compiler.source import SourceText
    from smartvm.compiler.standalone_yul import compile_yul
    from smartvm.compiler.yul.printer import print_object

    text = read_text(path)
    source = SourceText(path, text, 0)
    settings = BackendSettings(request.optimize, request.runs)
    try:
        result = compile_yul(
            source, table, request.evm_version, settings, expand_extensions=request.expand_extensions
        )
    except CompileError as error:
        click.echo(str(error).rstrip("\n"), err=True)
        raise CompilationError(f"{path}: {_count(error.diagnostics)}") from None
    for warning in result.warnings:
        click.echo(format_diagnostic(warning, {0: source}), err=True)
    whole = result.assembled
    deployed = next((part for name, part in whole.sub_objects.items() if name.endswith("_deployed")), None)
    name, digest = _recorded_table(table, request)
    artifact = Artifact(
        contract_name=whole.name,
        source_name=path,
        abi=[],
        bytecode=whole.bytecode.hex(),
        deployed_bytecode=deployed.bytecode.hex() if deployed else "",
        source_map=whole.source_map(),
        deployed_source_map=deployed.source_map() if deployed else "",
        table_name=name,
        table_digest=digest,
        evm_version=request.evm_version,
        sources={0: (path, text)},
    )
    compiled.artifacts.append(artifact)
    printed = {"ir": result.yul_object}
    if "irOptimized" in request.outputs:
        printed["irOptimized"] = result.optimized()
    compiled.contracts.append(
        {
            **{output: print_object(tree, {0: source}) for output, tree in printed.items()},
            "evm": {
                "assembly": whole.assembly_text(),
                "bytecode": {
                    "object": artifact.bytecode,
                    "opcodes": _opcodes(whole.bytecode, table, request),
                },
                "deployedBytecode": {"object": artifact.deployed_bytecode},
            },
        }
    )


def _opcodes(code: bytes, table: InstructionTable, request: CompileRequest) -> str:
    from smartvm.disassembler import disassemble

    fork = checked_fork(table, request.evm_version)
    words = []
    for item in disassemble(code, table, fork).instructions:
        words.append(item.mnemonic)
        if item.immediate:
            words.append("0x" + item.immediate.hex().upper())
    return " ".join(words)


def _count(diagnostics: Sequence[Any]) -> str:
    errors = sum(1 for d in diagnostics if d.severity == "error")
    return f"{errors} error{'s' if errors != 1 else ''}"


def _compile_solidity(
    paths: Sequence[str], request: CompileRequest, table: InstructionTable, compiled: Compiled
) -> None:
    from smartvm.compiler.imports import FileReader
    from smartvm.compiler.library import with_library
    from smartvm.compiler.standard_json import compile_standard

    base = Path(request.base_path) if request.base_path else Path.cwd()
    reader = FileReader(base, [Path(p) for p in request.include_paths])
    sources: dict[str, dict[str, str]] = {}
    for path in paths:
        sources[reader.source_name(Path(path))] = {"content": read_text(path)}
        reader.allow([Path(path).resolve().parent])
    settings: dict[str, Any] = {
        "evmVersion": request.evm_version,
        "optimizer": {"enabled": request.optimize, "runs": request.runs},
        "remappings": list(request.remappings),
        "instructionTable": request.table_name,
        "expandExtensions": request.expand_extensions,
        "outputSelection": {"*": {"*": [*_ARTIFACT_OUTPUTS, *request.outputs]}},
    }
    if request.trees:
        settings["outputSelection"]["*"][""] = ["ast"]
    if request.no_metadata:
        settings["metadata"] = {"appendCBOR": False}
    output = compile_standard(
        {"language": "Solidity", "sources": sources, "settings": settings}, reader=reader
    )
    errors = output.get("errors", [])
    for entry in errors:
        click.echo(entry["formattedMessage"].rstrip("\n") + "\n", err=True)
    wrong = sum(1 for entry in errors if entry["severity"] == "error")
    if wrong:
        raise CompilationError(f"{wrong} error{'s' if wrong != 1 else ''}, nothing is compiled")
    texts: dict[int, tuple[str, str]] = {}
    imported = with_library(reader)
    for name, entry in output.get("sources", {}).items():
        text = sources[name]["content"] if name in sources else imported(name)
        texts[entry["id"]] = (name, text)
    table_name, digest = _recorded_table(table, request)
    for source_name, contracts in output.get("contracts", {}).items():
        for contract_name, contract in contracts.items():
            evm = contract.get("evm", {})
            creation, deployed = evm.get("bytecode", {}), evm.get("deployedBytecode", {})
            more = {key: contract[key] for key in ("storageLayout",) if key in contract}
            compiled.contracts.append(contract)
            compiled.artifacts.append(
                Artifact(
                    contract_name=contract_name,
                    source_name=source_name,
                    abi=contract.get("abi", []),
                    bytecode=creation.get("object", ""),
                    deployed_bytecode=deployed.get("object", ""),
                    source_map=creation.get("sourceMap", ""),
                    deployed_source_map=deployed.get("sourceMap", ""),
                    table_name=table_name,
                    table_digest=digest,
                    evm_version=request.evm_version,
                    sources=texts,
                    more={
                        "linkReferences": creation.get("linkReferences", {}),
                        "deployedLinkReferences": deployed.get("linkReferences", {}),
                        "immutableReferences": deployed.get("immutableReferences", {}),
                        "methodIdentifiers": evm.get("methodIdentifiers", {}),
                        **more,
                    },
                )
            )
    compiled.sources.update(output.get("sources", {}))


def artifacts_of(path: str, request: CompileRequest) -> list[Artifact]:
    """The contracts of one source file; those of the files that it imports are left out."""
    artifacts = compile_paths(request).artifacts
    if path.endswith(".yul"):
        return artifacts
    resolved = Path(path).resolve().as_posix()
    return [a for a in artifacts if resolved.endswith(a.source_name.removeprefix("./"))] or artifacts


__all__ = ["CompilationError", "CompileRequest", "Compiled", "UsageError", "artifacts_of", "compile_paths"]
