"""Reads and checks Standard JSON input (docs/using-the-compiler.rst, "Input Description")."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from smartvm.compiler.imports import ImportRules, Remapping, RemappingError, SourceNotFound, SourceReader
from smartvm.compiler.keccak import keccak256
from smartvm.compiler.library import with_library
from smartvm.compiler.output_selection import OutputSelection
from smartvm.compiler.settings import DEFAULT_EVM_VERSION, EVM_VERSIONS, CompilerSettings, MetadataSettings

_ROOT_KEYS = frozenset({"auxiliaryInput", "language", "settings", "sources"})
_SOURCE_KEYS = frozenset({"content", "keccak256", "urls"})
_SETTINGS_KEYS = frozenset(
    [
        "debug",
        "evmVersion",
        "expandExtensions",
        "experimental",
        "eofVersion",
        "instructionTable",
        "libraries",
        "metadata",
        "modelChecker",
        "optimizer",
        "outputSelection",
        "remappings",
        "stopAfter",
        "viaIR",
        "viaSSACFG",
    ]
)
_OPTIMIZER_KEYS = frozenset({"details", "enabled", "runs"})
_DETAILS_KEYS = frozenset(
    [
        "peephole",
        "inliner",
        "jumpdestRemover",
        "orderLiterals",
        "deduplicate",
        "cse",
        "constantOptimizer",
        "yul",
        "yulDetails",
        "simpleCounterForLoopUncheckedIncrement",
    ]
)
_YUL_DETAILS_KEYS = frozenset({"stackAllocation", "optimizerSteps"})
_METADATA_KEYS = frozenset({"appendCBOR", "useLiteralContent", "bytecodeHash"})
_MODEL_CHECKER_KEYS = frozenset(
    [
        "bmcLoopIterations",
        "contracts",
        "divModNoSlacks",
        "engine",
        "extCalls",
        "invariants",
        "printQuery",
        "showProvedSafe",
        "showUnproved",
        "showUnsupported",
        "solvers",
        "targets",
        "timeout",
    ]
)
_DEBUG_KEYS = frozenset({"revertStrings", "debugInfo"})
_DEBUG_INFO = frozenset({"*", "location", "snippet", "ast-id", "ethdebug"})
_OPTIMIZER_STEP = re.compile(r"[a-zA-Z\[\]: \n]*")


class InputError(Exception):
    """Standard JSON input that cannot be used. ``type`` is the type of the error reported."""

    def __init__(self, message: str, type_: str = "JSONError") -> None:
        super().__init__(message)
        self.type = type_


@dataclass(frozen=True)
class StandardInput:
    """Checked input. ``problems`` are (severity, type, message) of what is wrong with single sources."""

    language: str
    sources: Mapping[str, str]
    settings: CompilerSettings
    selection: OutputSelection
    stop_after_parsing: bool = False
    problems: tuple[tuple[str, str, str], ...] = field(default=())


def read_standard_input(data: Any, reader: SourceReader | None = None) -> StandardInput:
    """Check ``data`` (the parsed JSON). ``reader`` reads the ``urls`` of sources; without it they are an
    error.

    Raises InputError.
    """
    if not isinstance(data, Mapping):
        raise InputError("Input is not a JSON object.")
    _check_keys(data, _ROOT_KEYS, "root")
    language = data.get("language", "")
    if language not in ("Solidity", "Yul"):
        raise InputError('Only "Solidity" and "Yul" are supported as a language.')
    listed = data.get("sources")
    if listed is not None and not isinstance(listed, Mapping):
        raise InputError('"sources" is not a JSON object.')
    if not listed:
        raise InputError("No input sources specified.")
    problems: list[tuple[str, str, str]] = []
    sources = _sources(listed, reader, problems)
    auxiliary = _object(data, "auxiliaryInput", "auxiliaryInput")
    _check_keys(auxiliary, frozenset({"smtlib2responses"}), "auxiliaryInput")
    settings = _object(data, "settings", "settings")
    _check_keys(settings, _SETTINGS_KEYS, "settings")
    stop_after_parsing = _stop_after(settings)
    evm_version = _evm_version(settings)
    if EVM_VERSIONS.index(evm_version) < EVM_VERSIONS.index("constantinople"):
        problems.append(("warning", "Warning", "EVM versions older than constantinople are deprecated."))
    selection = _selection(settings)
    if stop_after_parsing and selection.wants_code:
        raise InputError('Requested output selection conflicts with "settings.stopAfter".')
    _check_keys(_object(settings, "modelChecker", "modelChecker"), _MODEL_CHECKER_KEYS, "modelChecker")
    optimizer = _optimizer(settings)
    return StandardInput(
        language,
        sources,
        CompilerSettings(
            evm_version=evm_version,
            expand_extensions=_boolean(settings, "expandExtensions", "settings.expandExtensions", False),
            optimize=bool(optimizer.get("enabled", False)),
            runs=optimizer.get("runs", 200),
            via_ir=_boolean(settings, "viaIR", "settings.viaIR", False),
            revert_strings=_revert_strings(settings),  # type: ignore[arg-type]
            imports=ImportRules(tuple(_remappings(settings))),
            libraries=_libraries(settings),
            metadata=_metadata(settings),
            instruction_table=_instruction_table(settings),
            optimizer_as_given=optimizer,
        ),
        selection,
        stop_after_parsing,
        tuple(problems),
    )


def _check_keys(value: Any, known: frozenset[str], name: str) -> None:
    if value and not isinstance(value, Mapping):
        raise InputError(f'"{name}" must be an object')
    for key in value or ():
        if key not in known:
            raise InputError(f'Unknown key "{key}"')


def _object(parent: Mapping[str, Any], key: str, name: str) -> Mapping[str, Any]:
    value = parent.get(key)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InputError(f'"{name}" must be an object')
    return value


def _boolean(parent: Mapping[str, Any], key: str, name: str, default: bool) -> bool:
    value = parent.get(key, default)
    if not isinstance(value, bool):
        raise InputError(f'"{name}" must be Boolean')
    return value


def _sources(
    listed: Mapping[str, Any], reader: SourceReader | None, problems: list[tuple[str, str, str]]
) -> dict[str, str]:
    sources: dict[str, str] = {}
    for name, value in listed.items():
        if not isinstance(value, Mapping):
            raise InputError(f'"sources.{name}" must be an object')
        _check_keys(value, _SOURCE_KEYS, f"sources.{name}")
        digest = value.get("keccak256") if isinstance(value.get("keccak256"), str) else None
        if isinstance(value.get("content"), str):
            content: str = value["content"]
            if digest and not _hash_matches(digest, content):
                problems.append(_io_error(f'Mismatch between content and supplied hash for "{name}"'))
            else:
                sources[name] = content
        elif isinstance(value.get("urls"), list):
            text = _fetch(name, value["urls"], digest, reader, problems)
            if text is not None:
                sources[name] = text
        else:
            raise InputError("Invalid input source specified.")
    return sources


def _io_error(message: str) -> tuple[str, str, str]:
    return ("error", "IOError", message)


def _hash_matches(digest: str, content: str) -> bool:
    return digest.removeprefix("0x").lower() == keccak256(content.encode("utf-8", "surrogatepass")).hex()


def _fetch(
    name: str,
    urls: Iterable[Any],
    digest: str | None,
    reader: SourceReader | None,
    problems: list[tuple[str, str, str]],
) -> str | None:
    if reader is None:
        raise InputError("No import callback supplied, but URL is requested.")
    failures: list[str] = []
    text: str | None = None
    for url in urls:
        if not isinstance(url, str):
            raise InputError("URL must be a string.")
        try:
            content = with_library(reader)(url)
        except SourceNotFound as problem:
            failures.append(f'Cannot import url ("{url}"): {problem}')
            continue
        if digest and not _hash_matches(digest, content):
            problems.append(_io_error(f'Mismatch between content and supplied hash for "{name}" at "{url}"'))
            continue
        text = content
        break
    for failure in failures:
        problems.append(("warning", "Warning", failure) if text is not None else _io_error(failure))
    return text


def _stop_after(settings: Mapping[str, Any]) -> bool:
    if "stopAfter" not in settings:
        return False
    if not isinstance(settings["stopAfter"], str):
        raise InputError('"settings.stopAfter" must be a string.')
    if settings["stopAfter"] != "parsing":
        raise InputError('Invalid value for "settings.stopAfter". Only valid value is "parsing".')
    return True


def _evm_version(settings: Mapping[str, Any]) -> str:
    version = settings.get("evmVersion", DEFAULT_EVM_VERSION)
    if not isinstance(version, str):
        raise InputError("evmVersion must be a string.")
    if version not in EVM_VERSIONS:
        raise InputError("Invalid EVM version requested.")
    return version


def _revert_strings(settings: Mapping[str, Any]) -> str:
    debug = _object(settings, "debug", "settings.debug")
    _check_keys(debug, _DEBUG_KEYS, "settings.debug")
    if "debugInfo" in debug:
        info = debug["debugInfo"]
        if not isinstance(info, list):
            raise InputError("settings.debug.debugInfo must be an array.")
        if any(component not in _DEBUG_INFO for component in info):
            raise InputError("Invalid value in settings.debug.debugInfo.")
        if "snippet" in info and not {"location", "*"} & set(info):
            raise InputError(
                "To use 'snippet' with settings.debug.debugInfo you must select also 'location'."
            )
    value = debug.get("revertStrings", "default")
    if not isinstance(value, str):
        raise InputError("settings.debug.revertStrings must be a string.")
    if value == "verboseDebug":
        raise InputError(
            'Only "default", "strip" and "debug" are implemented for settings.debug.revertStrings.',
            "UnimplementedFeatureError",
        )
    if value not in ("default", "strip", "debug"):
        raise InputError("Invalid value for settings.debug.revertStrings.")
    return value


def _remappings(settings: Mapping[str, Any]) -> list[Remapping]:
    listed = settings.get("remappings", [])
    if not isinstance(listed, list) or not all(isinstance(item, str) for item in listed):
        raise InputError('"settings.remappings" must be an array of strings.')
    try:
        return [Remapping.parse(item) for item in listed]
    except RemappingError as error:
        raise InputError(error.message) from None


def _optimizer(settings: Mapping[str, Any]) -> dict[str, Any]:
    optimizer = _object(settings, "optimizer", "settings.optimizer")
    _check_keys(optimizer, _OPTIMIZER_KEYS, "settings.optimizer")
    if not isinstance(optimizer.get("enabled", False), bool):
        raise InputError('The "enabled" setting must be a Boolean.')
    runs = optimizer.get("runs", 200)
    if not isinstance(runs, int) or isinstance(runs, bool) or runs < 0:
        raise InputError('The "runs" setting must be an unsigned number.')
    details = _object(optimizer, "details", "settings.optimizer.details")
    _check_keys(details, _DETAILS_KEYS, "settings.optimizer.details")
    for name in _DETAILS_KEYS - {"yulDetails"}:
        _boolean(details, name, f"settings.optimizer.details.{name}", True)
    yul = _object(details, "yulDetails", "settings.optimizer.details.yulDetails")
    _check_keys(yul, _YUL_DETAILS_KEYS, "settings.optimizer.details.yulDetails")
    steps = yul.get("optimizerSteps", "")
    runs_yul = details.get("yul", optimizer.get("enabled", False))
    if not isinstance(steps, str):
        raise InputError('"settings.optimizer.details.yulDetails.optimizerSteps" must be a string')
    if not runs_yul and "stackAllocation" in yul:
        raise InputError("Only optimizerSteps can be set in yulDetails when Yul optimizer is disabled.")
    if not runs_yul and steps.replace(":", "").strip():
        raise InputError(
            "If Yul optimizer is disabled, only an empty optimizerSteps sequence is accepted "
            '(the empty sequence is written ":").'
        )
    if not _OPTIMIZER_STEP.fullmatch(steps) or steps.count("[") != steps.count("]") or steps.count(":") > 1:
        raise InputError(
            'Invalid optimizer step sequence in "settings.optimizer.details.yulDetails.optimizerSteps".'
        )
    return dict(optimizer)


def _libraries(settings: Mapping[str, Any]) -> dict[str, bytes]:
    listed = settings.get("libraries") or {}
    if not isinstance(listed, Mapping):
        raise InputError('"libraries" is not a JSON object.')
    libraries: dict[str, bytes] = {}
    for source, entries in listed.items():
        if not isinstance(entries, Mapping):
            raise InputError("Library entry is not a JSON object.")
        for name, address in entries.items():
            if not isinstance(address, str):
                raise InputError("Library address must be a string.")
            if not address.startswith("0x"):
                raise InputError('Library address is not prefixed with "0x".')
            if len(address) != 42:
                raise InputError("Library address is of invalid length.")
            try:
                libraries[f"{source}:{name}"] = bytes.fromhex(address[2:])
            except ValueError:
                raise InputError(f'Invalid library address ("{address}") supplied.') from None
    return libraries


def _metadata(settings: Mapping[str, Any]) -> MetadataSettings:
    metadata = _object(settings, "metadata", "settings.metadata")
    append = _boolean(metadata, "appendCBOR", "settings.metadata.appendCBOR", True)
    literal = _boolean(metadata, "useLiteralContent", "settings.metadata.useLiteralContent", False)
    bytecode_hash = metadata.get("bytecodeHash", "ipfs")
    if bytecode_hash not in ("ipfs", "bzzr1", "none"):
        raise InputError('"settings.metadata.bytecodeHash" must be "ipfs", "bzzr1" or "none"')
    _check_keys(metadata, _METADATA_KEYS, "settings.metadata")
    if not append and metadata.get("bytecodeHash", "none") != "none":
        raise InputError(
            'When the parameter "appendCBOR" is set to false, the parameter "bytecodeHash" cannot be set to '
            f'"{bytecode_hash}": skip it, or set it to "none".'
        )
    return MetadataSettings(append, bytecode_hash, literal)


def _instruction_table(settings: Mapping[str, Any]) -> str:
    table = settings.get("instructionTable", "default")
    if not isinstance(table, str):
        raise InputError('"settings.instructionTable" must be the name of a table or of a file.')
    return table


def _selection(settings: Mapping[str, Any]) -> OutputSelection:
    listed = settings.get("outputSelection") or {}
    if not isinstance(listed, Mapping):
        raise InputError('"settings.outputSelection" must be an object')
    selected: dict[str, dict[str, tuple[str, ...]]] = {}
    for source, contracts in listed.items():
        if not isinstance(contracts, Mapping):
            raise InputError(f'"settings.outputSelection.{source}" must be an object')
        for contract, outputs in contracts.items():
            if not isinstance(outputs, list) or not all(isinstance(output, str) for output in outputs):
                raise InputError(f'"settings.outputSelection.{source}.{contract}" must be a string array')
            selected.setdefault(source, {})[contract] = tuple(outputs)
    return OutputSelection(selected)
