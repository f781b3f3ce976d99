"""Artifacts: what ``smartvm compile -o`` writes of a contract, and ``inspect`` and ``run`` read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from smartvm.commands.options import UsageError, read_text
from smartvm.errors import SmartVMError
from smartvm.instructions.loader import SHIPPED_TABLES, load_table
from smartvm.instructions.model import InstructionTable

FORMAT = "smartvm-artifact-1"


class ArtifactError(SmartVMError):
    """A file is no artifact, or one for another table."""


@dataclass(frozen=True)
class Artifact:
    """One contract. Bytecodes are hexadecimal text without ``0x`` (with ``__$...$__`` where a library's
    address is missing); ``sources`` gives name and text by the index that source maps use. ``table_digest``
    is None in artifacts of other compilers."""

    contract_name: str
    source_name: str
    abi: list[dict[str, Any]]
    bytecode: str
    deployed_bytecode: str
    source_map: str = ""
    deployed_source_map: str = ""
    table_name: str = "default"
    table_digest: str | None = None
    evm_version: str = "osaka"
    sources: Mapping[int, tuple[str, str]] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The artifact's file content."""
        return {
            "format": FORMAT,
            "contractName": self.contract_name,
            "sourceName": self.source_name,
            "abi": self.abi,
            "bytecode": "0x" + self.bytecode,
            "deployedBytecode": "0x" + self.deployed_bytecode,
            "sourceMap": self.source_map,
            "deployedSourceMap": self.deployed_source_map,
            "instructionTable": {"name": self.table_name, "digest": self.table_digest},
            "evmVersion": self.evm_version,
            "sources": {str(i): {"name": name, "content": text} for i, (name, text) in self.sources.items()},
            **self.more,
        }


def is_artifact_path(path: str) -> bool:
    """Whether a command's argument names an artifact rather than a source."""
    return path.endswith(".json")


def _hex_of(document: Mapping[str, Any], key: str, path: str) -> tuple[str, str]:
    """Bytecode and source map of smartvm's and Hardhat's (text), and of forge's and solc's form (an
    object)."""
    value = document.get(key)
    if value is None and isinstance(document.get("evm"), dict):
        value = document["evm"].get(key)
    source_map = ""
    if isinstance(value, dict):
        source_map = value.get("sourceMap", "")
        value = value.get("object")
    if value is None:
        value = ""
    if not isinstance(value, str) or not isinstance(source_map, str):
        raise ArtifactError(f"`{path}`: `{key}` holds no bytecode")
    return value.removeprefix("0x"), source_map


def read_artifact(path: str) -> Artifact:
    """Read an artifact's file. Raises ``ArtifactError`` for what is none."""
    try:
        document = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise ArtifactError(f"`{path}` is no JSON: {error.msg} (line {error.lineno})") from None
    except RecursionError:
        raise ArtifactError(f"`{path}` is no artifact: nested too deeply") from None
    if not isinstance(document, dict) or not isinstance(document.get("abi"), list):
        hint = "smartvm compile FILE.sol -o DIR writes artifacts"
        raise ArtifactError(f"`{path}` is no artifact: it lacks the key `abi`", hint=hint)
    bytecode, source_map = _hex_of(document, "bytecode", path)
    deployed, deployed_map = _hex_of(document, "deployedBytecode", path)
    table = document.get("instructionTable")
    table = table if isinstance(table, dict) else {}
    sources: dict[int, tuple[str, str]] = {}
    if document.get("format") == FORMAT and isinstance(document.get("sources"), dict):
        for index, entry in document["sources"].items():
            if index.isdigit() and isinstance(entry, dict):
                sources[int(index)] = (str(entry.get("name", "")), str(entry.get("content", "")))
    return Artifact(
        contract_name=str(document.get("contractName", Path(path).stem)),
        source_name=str(document.get("sourceName", "")),
        abi=[entry for entry in document["abi"] if isinstance(entry, dict)],
        bytecode=bytecode,
        deployed_bytecode=deployed,
        source_map=source_map or str(document.get("sourceMap", "")),
        deployed_source_map=deployed_map or str(document.get("deployedSourceMap", "")),
        table_name=str(table.get("name", "default")),
        table_digest=table.get("digest"),
        evm_version=str(document.get("evmVersion", "osaka")),
        sources=sources,
    )


def table_for(artifact: Artifact, wanted: str | None) -> InstructionTable:
    """The table to read or execute an artifact by: ``wanted``, else the one that it was compiled with.

    Raises ``ArtifactError`` when that is another table: its opcodes would mean something else.
    """
    from smartvm.commands.options import load_checked_table

    name = wanted or artifact.table_name
    if wanted is None and name not in SHIPPED_TABLES and not Path(name).is_file():
        raise ArtifactError(
            f"{artifact.contract_name} was compiled with the table `{name}`, which is not there",
            hint="say where it is: --table FILE",
        )
    table = load_checked_table(name)
    if artifact.table_digest is not None and artifact.table_digest != table.digest:
        matching = next((n for n in SHIPPED_TABLES if load_table(n).digest == artifact.table_digest), None)
        raise ArtifactError(
            f"{artifact.contract_name} was compiled with the table `{artifact.table_name}` (digest "
            f"{artifact.table_digest[:16]}), not with `{name}` (digest {table.digest[:16]})",
            hint=f"--table {matching}" if matching else "compile it again with this table",
        )
    return table


def choose(artifacts: list[Artifact], name: str | None, what: str) -> Artifact:
    """The artifact called ``name`` (``Contract`` or ``source:Contract``); without a name the only one with
    code, or the last in the source, which in Solidity files is the most derived."""
    deployable = [a for a in artifacts if a.bytecode]
    if name is not None:
        found = [a for a in artifacts if name in (a.contract_name, f"{a.source_name}:{a.contract_name}")]
        if not found:
            known = ", ".join(a.contract_name for a in artifacts) or "none"
            raise UsageError(f"{what} has no contract `{name}`", hint=f"it has: {known}")
        if len(found) > 1:
            known = ", ".join(f"{a.source_name}:{a.contract_name}" for a in found)
            raise UsageError(f"several contracts are called `{name}`", hint=f"write one of: {known}")
        return found[0]
    if not deployable:
        raise UsageError(f"{what} has no contract that can be deployed")
    if len(deployable) > 1:
        known = ", ".join(a.contract_name for a in deployable)
        raise UsageError(f"{what} has several contracts", hint=f"choose one with --contract: {known}")
    return deployable[0]
