"""A contract's metadata, and the CBOR trailer by which its code names it (docs/metadata.rst)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from smartvm.compiler.artifacts.content_hash import ipfs_hash, ipfs_url, swarm_hash
from smartvm.compiler.ast import nodes
from smartvm.compiler.settings import CompilerSettings
from smartvm.compiler.source import SourceText
from smartvm.compiler.version import COMPILER_VERSION, LANGUAGE_VERSION
from smartvm.keccak import keccak256

#: What ``settings.optimizer.details`` means when it is left out, for the optimizer off and on.
_DETAILS_OFF: dict[str, Any] = {
    "constantOptimizer": False,
    "cse": False,
    "deduplicate": False,
    "inliner": False,
    "jumpdestRemover": True,
    "orderLiterals": False,
    "peephole": True,
    "simpleCounterForLoopUncheckedIncrement": True,
    "yul": False,
}
_DETAILS_ON: dict[str, Any] = dict.fromkeys(_DETAILS_OFF, True)

#: solc 0.8.37's sequence of optimizer steps, and the steps after it: readers of metadata expect to see them
#: where the details are written out.
_DEFAULT_STEPS = (
    "dfDvulfnTUtnIfxa[r]EscLMVcul [j]Trpeulxa[r]cLvifMCTUca[r]LSsTFOtfDnca[r]IulcscCTUtvifMx[scCTUt] "
    "TOntnfDIulvifMjmul[jul] VcTOcul jmul"
)
_DEFAULT_CLEANUP_STEPS = "fDnTOcmuO"
_DEFAULT_YUL_DETAILS = {
    "optimizerSteps": f"{_DEFAULT_STEPS}:{_DEFAULT_CLEANUP_STEPS}",
    "stackAllocation": True,
}


def contract_metadata(
    contract: nodes.ContractDefinition,
    source_name: str,
    sources: Mapping[str, Mapping[str, Any]],
    settings: CompilerSettings,
    output: Mapping[str, Any],
) -> str:
    """The metadata as compact JSON with sorted keys. ``sources`` are those that the contract's source refers
    to, by name, each as ``source_entry`` describes it; ``output`` holds abi, devdoc and userdoc."""
    metadata = {
        "compiler": {"version": COMPILER_VERSION},
        "language": "Solidity",
        "output": dict(output),
        "settings": _settings(contract, source_name, settings),
        "sources": dict(sources),
        "version": 1,
    }
    return json.dumps(metadata, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def referenced_sources(name: str, units: Mapping[str, nodes.SourceUnit]) -> Sequence[str]:
    """A source and all that it imports, directly or not."""
    found: set[str] = set()
    pending = [name]
    while pending:
        current = pending.pop()
        if current in found:
            continue
        found.add(current)
        pending.extend(
            node.absolute_path
            for node in units[current].nodes
            if isinstance(node, nodes.ImportDirective) and node.absolute_path in units
        )
    return sorted(found)


def source_entry(text: SourceText, unit: nodes.SourceUnit, settings: CompilerSettings) -> dict[str, Any]:
    """A source in the metadata: its hashes, licence, and where its text is (or the text)."""
    entry: dict[str, Any] = {"keccak256": "0x" + keccak256(text.utf8).hex()}
    if unit.license is not None:
        entry["license"] = unit.license
    if settings.metadata.use_literal_content:
        entry["content"] = text.text
    else:
        entry["urls"] = ["bzz-raw://" + swarm_hash(text.utf8).hex(), ipfs_url(text.utf8)]
    return entry


def _settings(
    contract: nodes.ContractDefinition, source_name: str, settings: CompilerSettings
) -> dict[str, Any]:
    described: dict[str, Any] = {
        "compilationTarget": {source_name: contract.name},
        "evmVersion": settings.evm_version,
        "libraries": {name: "0x" + address.hex() for name, address in sorted(settings.libraries.items())},
        "metadata": {"bytecodeHash": settings.metadata.bytecode_hash},
        "optimizer": _optimizer(settings),
        "remappings": sorted(str(remapping) for remapping in settings.imports.remappings),
    }
    if not settings.metadata.append_cbor:
        described["metadata"]["appendCBOR"] = False
    if settings.metadata.use_literal_content:
        described["metadata"]["useLiteralContent"] = True
    if settings.revert_strings != "default":
        described["debug"] = {"revertStrings": settings.revert_strings}
    if settings.via_ir:
        described["viaIR"] = True
    if settings.experimental:
        described["experimental"] = True
    return described


def _optimizer(settings: CompilerSettings) -> dict[str, Any]:
    given = settings.optimizer_as_given.get("details")
    usual = _DETAILS_ON if settings.optimizer_as_given.get("enabled") else _DETAILS_OFF
    if isinstance(given, Mapping):
        details = {**usual, **given}
        yul = details.pop("yulDetails", None) or {}
        steps, separator, cleanup = yul.get("optimizerSteps", _DEFAULT_STEPS).partition(":")
        written = {
            "optimizerSteps": f"{steps}:{cleanup if separator else _DEFAULT_CLEANUP_STEPS}",
            "stackAllocation": yul.get("stackAllocation", True),
        }
        if details == _DETAILS_ON and written == _DEFAULT_YUL_DETAILS:
            return {"enabled": True, "runs": settings.runs}
        if not yul and details == _DETAILS_OFF:
            return {"enabled": False, "runs": settings.runs}
        if details["yul"]:
            details["yulDetails"] = written
        elif "optimizerSteps" in yul:
            details["yulDetails"] = {"optimizerSteps": ":"}
        return {"details": details, "runs": settings.runs}
    return {"enabled": settings.optimize, "runs": settings.runs}


def cbor_trailer(metadata: str, settings: CompilerSettings, experimental: bool = False) -> bytes:
    """What the deployed code ends in: a CBOR map with the metadata's hash and the version, and its length in
    two bytes. Empty when the settings say so."""
    if not settings.metadata.append_cbor:
        return b""
    entries: list[tuple[str, bytes]] = []
    if settings.metadata.bytecode_hash == "ipfs":
        entries.append(("ipfs", _byte_string(ipfs_hash(metadata.encode()))))
    elif settings.metadata.bytecode_hash == "bzzr1":
        entries.append(("bzzr1", _byte_string(swarm_hash(metadata.encode()))))
    if experimental:
        entries.append(("experimental", b"\xf5"))
    entries.append(("solc", _byte_string(bytes(LANGUAGE_VERSION))))
    encoded = bytes([0xA0 + len(entries)])
    for key, value in entries:
        encoded += bytes([0x60 + len(key)]) + key.encode() + value
    return encoded + len(encoded).to_bytes(2, "big")


def _byte_string(data: bytes) -> bytes:
    head = bytes([0x40 + len(data)]) if len(data) < 24 else bytes([0x58, len(data)])
    return head + data
