"""Reads and checks Standard JSON input (docs/using-the-compiler.rst, "Input Description")."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from smartvm.compiler.imports import ImportRules, Remapping, RemappingError, SourceNotFound, SourceReader
from smartvm.compiler.input_checks import InputError, boolean, check_keys, string
from smartvm.compiler.library import with_library
from smartvm.compiler.model_checker_input import read_model_checker
from smartvm.compiler.optimizer_input import read_optimizer
from smartvm.compiler.output_selection import OutputSelection
from smartvm.compiler.settings import DEFAULT_EVM_VERSION, EVM_VERSIONS, CompilerSettings, MetadataSettings
from smartvm.keccak import keccak256
from smartvm.records import dataclass, field

_ROOT_KEYS = frozenset({"auxiliaryInput", "language", "settings", "sources"})
_SOURCE_KEYS = frozenset({"content", "keccak256", "urls"})
_SETTINGS_KEYS = frozenset(
    [
        "debug",
        "evmVersion",
        "expandExtensions",
        "experimental",
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
_METADATA_KEYS = frozenset({"appendCBOR", "useLiteralContent", "bytecodeHash"})
_DEBUG_KEYS = frozenset({"revertStrings", "debugInfo"})
_DEBUG_INFO = frozenset({"*", "location", "snippet", "ast-id", "ethdebug"})
_LANGUAGES = ("Solidity", "Yul", "SolidityAST", "EVMAssembly")
#: Before this EVM version solc warns.
_OLDEST_SUPPORTED = "london"
#: What solc has behind ``settings.experimental`` alone.
_EXPERIMENTAL_VERSIONS = ("amsterdam",)
_EXPERIMENTAL_OUTPUTS = ("irAst", "irOptimizedAst", "yulCFGJson")
_ETHDEBUG_OUTPUTS = ("evm.bytecode.ethdebug", "evm.deployedBytecode.ethdebug")
_HASH = re.compile(r"(0x)?[0-9a-fA-F]{64}")


@dataclass(frozen=True)
class StandardInput:
    """Checked input. ``problems`` are (severity, type, message) of what is wrong with single sources, and
    of what is accepted and ignored."""

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
    check_keys(data, _ROOT_KEYS, "root")
    listed = data.get("sources")
    if listed is not None and not isinstance(listed, Mapping):
        raise InputError('"sources" is not a JSON object.')
    if not listed:
        raise InputError("No input sources specified.")
    language = data.get("language", "")
    problems: list[tuple[str, str, str]] = []
    sources = _sources(listed, reader, problems) if language in ("Solidity", "Yul") else {}
    _check_auxiliary(data.get("auxiliaryInput"))
    settings = check_keys(data.get("settings", {}), _SETTINGS_KEYS, "settings")
    experimental = boolean(settings, "experimental", "'settings.experimental' must be a Boolean.", default=False)
    stop_after_parsing = _stop_after(settings)
    via_ir = boolean(settings, "viaIR", '"settings.viaIR" must be a Boolean.', default=False)
    via_graph = boolean(settings, "viaSSACFG", '"settings.viaSSACFG" must be a Boolean.', default=False)
    evm_version = _evm_version(settings, experimental)
    if EVM_VERSIONS.index(evm_version) < EVM_VERSIONS.index(_OLDEST_SUPPORTED):
        message = (
            f"Support for EVM versions older than {_OLDEST_SUPPORTED} is deprecated and will be removed in the future."
        )
        problems.append(("warning", "Warning", message))
    debug = check_keys(settings.get("debug"), _DEBUG_KEYS, "settings.debug")
    revert_strings = _revert_strings(debug)
    debug_info = _debug_info(debug)
    remappings = _remappings(settings)
    optimizer = read_optimizer(settings.get("optimizer"))
    libraries = _libraries(settings)
    metadata = _metadata(settings)
    selection = _selection(settings)
    if stop_after_parsing and selection.wants_code:
        raise InputError('Requested output selection conflicts with "settings.stopAfter".')
    engine = read_model_checker(settings.get("modelChecker"))
    if engine != "none":
        message = f"smartvm has no model checker: the engine `{engine}` does not run."
        problems.append(("warning", "Warning", message))
    if not experimental:
        _refuse_experiments(language, via_ir, via_graph, debug_info, selection)
    if language not in ("Solidity", "Yul"):
        if language in _LANGUAGES:
            raise InputError(f"smartvm does not import `{language}`: give Solidity or Yul sources.")
        raise InputError('Only "Solidity", "Yul", "SolidityAST" or "EVMAssembly" is supported as a language.')
    return StandardInput(
        language,
        sources,
        CompilerSettings(
            evm_version=evm_version,
            expand_extensions=boolean(
                settings, "expandExtensions", '"settings.expandExtensions" must be a Boolean.', default=False
            ),
            optimize=bool(optimizer.get("enabled", False)),
            runs=optimizer.get("runs", 200),
            via_ir=via_ir,
            revert_strings=revert_strings,  # type: ignore[arg-type]
            imports=ImportRules(tuple(remappings)),
            libraries=libraries,
            metadata=metadata,
            instruction_table=_instruction_table(settings),
            optimizer_as_given=optimizer,
            experimental=experimental,
        ),
        selection,
        stop_after_parsing,
        tuple(problems),
    )


def _refuse_experiments(
    language: Any, via_ir: bool, via_graph: bool, debug_info: frozenset[str], selection: OutputSelection
) -> None:
    def refusal(what: str) -> InputError:
        return InputError(
            f"{what} experimental and can only be used with the 'settings.experimental' option enabled.",
            "FatalError",
        )

    if language in ("SolidityAST", "EVMAssembly"):
        raise refusal("'SolidityAST' and 'EVMAssembly' inputs are")
    if via_graph:
        raise refusal("'viaSSACFG' setting is")
    wants_debug = selection.names_any(_ETHDEBUG_OUTPUTS)
    if wants_debug and not via_ir:
        raise InputError(
            "'evm.bytecode.ethdebug' or 'evm.deployedBytecode.ethdebug' can only be selected as output, "
            "if 'viaIR' was set.",
            "FatalError",
        )
    if "ethdebug" in debug_info or wants_debug:
        raise InputError(
            "Ethdebug annotations are experimental and can only be included in 'settings.debug.debugInfo' "
            "by enabling the 'settings.experimental' option.",
            "FatalError",
        )
    if selection.names_any(_EXPERIMENTAL_OUTPUTS):
        raise refusal("'irAst', 'irOptimizedAst', 'yulCFGJson', and 'ethdebug' outputs are")


def _check_auxiliary(value: Any) -> None:
    auxiliary = check_keys(value, frozenset({"smtlib2responses"}), "auxiliaryInput")
    responses = auxiliary.get("smtlib2responses") or {}
    if not isinstance(responses, Mapping):
        raise InputError('"auxiliaryInput.smtlib2responses" must be an object.')
    for digest in sorted(responses):
        if not _HASH.fullmatch(digest):
            raise InputError("Invalid hex encoding of SMTLib2 auxiliary input.")
        if not isinstance(responses[digest], str):
            raise InputError(f'"smtlib2Responses.{digest}" must be a string.')


def _sources(
    listed: Mapping[str, Any], reader: SourceReader | None, problems: list[tuple[str, str, str]]
) -> dict[str, str]:
    sources: dict[str, str] = {}
    for name in sorted(listed):
        value = check_keys(listed[name], _SOURCE_KEYS, f"sources.{name}")
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
    if string(settings, "stopAfter", '"settings.stopAfter" must be a string.', "") != "parsing":
        raise InputError('Invalid value for "settings.stopAfter". Only valid value is "parsing".')
    return True


def _evm_version(settings: Mapping[str, Any], experimental: bool) -> str:
    version = string(settings, "evmVersion", "evmVersion must be a string.", DEFAULT_EVM_VERSION)
    if version in _EXPERIMENTAL_VERSIONS and not experimental:
        raise InputError(
            f"EVM version '{version}' is experimental and can only be used with the "
            "'settings.experimental' option enabled."
        )
    if version not in EVM_VERSIONS:
        raise InputError("Invalid EVM version requested.")
    return version


def _debug_info(debug: Mapping[str, Any]) -> frozenset[str]:
    info = debug.get("debugInfo", [])
    if not isinstance(info, list):
        raise InputError("settings.debug.debugInfo must be an array.")
    if not all(isinstance(component, str) and component in _DEBUG_INFO for component in info):
        raise InputError("Invalid value in settings.debug.debugInfo.")
    chosen = frozenset(info)
    if "snippet" in chosen and not {"location", "*"} & chosen:
        raise InputError("To use 'snippet' with settings.debug.debugInfo you must select also 'location'.")
    return chosen


def _revert_strings(debug: Mapping[str, Any]) -> str:
    value = string(debug, "revertStrings", "settings.debug.revertStrings must be a string.", "default")
    if value == "verboseDebug":
        raise InputError(
            'Only "default", "strip" and "debug" are implemented for settings.debug.revertStrings for now.',
            "UnimplementedFeatureError",
        )
    if value not in ("default", "strip", "debug"):
        raise InputError("Invalid value for settings.debug.revertStrings.")
    return value


def _remappings(settings: Mapping[str, Any]) -> list[Remapping]:
    listed = settings.get("remappings", [])
    if not isinstance(listed, list):
        raise InputError('"settings.remappings" must be an array of strings.')
    remappings = []
    for item in listed:
        if not isinstance(item, str):
            raise InputError('"settings.remappings" must be an array of strings')
        try:
            remappings.append(Remapping.parse(item))
        except RemappingError:
            raise InputError(f'Invalid remapping: "{item}"') from None
    return remappings


def _libraries(settings: Mapping[str, Any]) -> dict[str, bytes]:
    listed = settings.get("libraries", {})
    if not isinstance(listed, Mapping):
        raise InputError('"libraries" is not a JSON object.')
    libraries: dict[str, bytes] = {}
    for source in sorted(listed):
        entries = listed[source]
        if not isinstance(entries, Mapping):
            raise InputError("Library entry is not a JSON object.")
        for name in sorted(entries):
            address = string(entries, name, "Library address must be a string.", "")
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
    given = settings.get("metadata", {})
    metadata = given if isinstance(given, Mapping) else {}
    append = boolean(metadata, "appendCBOR", '"settings.metadata.appendCBOR" must be Boolean', default=True)
    literal = boolean(
        metadata, "useLiteralContent", '"settings.metadata.useLiteralContent" must be Boolean', default=False
    )
    bytecode_hash = metadata.get("bytecodeHash", "ipfs")
    if bytecode_hash not in ("ipfs", "bzzr1", "none"):
        raise InputError('"settings.metadata.bytecodeHash" must be "ipfs", "bzzr1" or "none"')
    check_keys(given, _METADATA_KEYS, "settings.metadata")
    if not append and metadata.get("bytecodeHash", "none") != "none":
        raise InputError(
            'When the parameter "appendCBOR" is set to false, the parameter "bytecodeHash" cannot be set to '
            f'"{bytecode_hash}". The parameter "bytecodeHash" should either be skipped, or set to "none".'
        )
    return MetadataSettings(append, bytecode_hash, literal)


def _instruction_table(settings: Mapping[str, Any]) -> str:
    return string(
        settings,
        "instructionTable",
        '"settings.instructionTable" must be the name of a table or of a file.',
        "default",
    )


def _selection(settings: Mapping[str, Any]) -> OutputSelection:
    listed = settings.get("outputSelection") or {}
    if not isinstance(listed, Mapping):
        raise InputError('"settings.outputSelection" must be an object')
    selected: dict[str, dict[str, tuple[str, ...]]] = {}
    for source in sorted(listed):
        contracts = listed[source]
        if not isinstance(contracts, Mapping):
            raise InputError(f'"settings.outputSelection.{source}" must be an object')
        selected[source] = {}
        for contract in sorted(contracts):
            outputs = contracts[contract]
            if not isinstance(outputs, list) or not all(isinstance(output, str) for output in outputs):
                raise InputError(f'"settings.outputSelection.{source}.{contract}" must be a string array')
            selected[source][contract] = tuple(outputs)
    return OutputSelection(selected)
