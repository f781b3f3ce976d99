"""smartvm for Python users: compile Solidity and Yul from Python.

``compile_standard``, ``compile_source``, ``compile_files`` and ``link_code`` take and return what the
functions of the same names in py-solc-x do, without a binary.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from smartvm.compiler.combined_json import COMBINED_OUTPUTS, combined_json, combined_selection
from smartvm.compiler.diagnostics import CompileError
from smartvm.compiler.imports import FileReader, ImportRules, Remapping
from smartvm.compiler.incremental.build import Build
from smartvm.compiler.linker import link_text
from smartvm.compiler.pipeline import CompilationFailed, deep_recursion
from smartvm.compiler.settings import (
    DEFAULT_EVM_VERSION,
    EVM_VERSIONS,
    CompilerSettings,
    MetadataSettings,
)
from smartvm.compiler.standard_json import compile_standard as _compile_standard
from smartvm.errors import SmartVMError

PathLike = str | Path
Remappings = Mapping[str, str] | Sequence[str] | str | None
AllowPaths = Sequence[PathLike] | PathLike | None

#: Name under which a source given as text is compiled.
STDIN = "<stdin>"


class UsageError(SmartVMError):
    """An argument that makes no sense."""


def compile_standard(
    input_data: Mapping[str, Any],
    *,
    base_path: PathLike | None = None,
    include_path: Sequence[PathLike] = (),
    allow_paths: AllowPaths = None,
) -> dict[str, Any]:
    """Compile Standard JSON to Standard JSON.

    Errors of the sources are in the result's ``errors``; nothing is raised for them. Imports that are not
    among the sources, and ``urls``, are read from disk only when ``base_path``, ``include_path`` or
    ``allow_paths`` is given.
    """
    if base_path is None and not include_path and allow_paths is None:
        return _compile_standard(input_data)
    return _compile_standard(input_data, _reader(base_path, include_path, allow_paths))


def compile_source(
    source: str,
    output_values: Sequence[str] | None = None,
    import_remappings: Remappings = None,
    *,
    base_path: PathLike | None = None,
    allow_paths: AllowPaths = None,
    output_dir: PathLike | None = None,
    overwrite: bool = False,
    evm_version: str | None = None,
    revert_strings: str | None = None,
    metadata_hash: str | None = None,
    metadata_literal: bool = False,
    optimize: bool = False,
    optimize_runs: int | None = None,
    instruction_table: str = "default",
    allow_empty: bool = False,
) -> dict[str, Any]:
    """Compile Solidity text. The result maps ``<stdin>:Name`` to the contract's outputs.

    ``output_values`` are those of ``--combined-json`` (default: all). Raises CompileError with all
    diagnostics when the source has errors.
    """
    settings = _settings(
        import_remappings,
        evm_version,
        revert_strings,
        metadata_hash,
        metadata_literal,
        optimize,
        optimize_runs,
        instruction_table,
    )
    reader = _reader(base_path, (), allow_paths)
    return _combined({STDIN: source}, settings, reader, output_values, output_dir, overwrite, allow_empty)


def compile_files(
    source_files: Sequence[PathLike] | PathLike,
    output_values: Sequence[str] | None = None,
    import_remappings: Remappings = None,
    *,
    base_path: PathLike | None = None,
    allow_paths: AllowPaths = None,
    output_dir: PathLike | None = None,
    overwrite: bool = False,
    evm_version: str | None = None,
    revert_strings: str | None = None,
    metadata_hash: str | None = None,
    metadata_literal: bool = False,
    optimize: bool = False,
    optimize_runs: int | None = None,
    instruction_table: str = "default",
    allow_empty: bool = False,
) -> dict[str, Any]:
    """Compile Solidity files. The result maps ``path:Name`` to the contract's outputs, imported contracts
    included.

    Raises CompileError with all diagnostics when a source has errors, UsageError when a file cannot be read.
    """
    files = [source_files] if isinstance(source_files, str | Path) else list(source_files)
    settings = _settings(
        import_remappings,
        evm_version,
        revert_strings,
        metadata_hash,
        metadata_literal,
        optimize,
        optimize_runs,
        instruction_table,
    )
    reader = _reader(base_path, (), allow_paths)
    sources: dict[str, str] = {}
    for file in files:
        path = Path(file)
        try:
            text = path.read_text("utf-8")
        except OSError as error:
            raise UsageError(f"cannot read `{path}`: {error.strerror}") from None
        except UnicodeDecodeError:
            raise UsageError(f"`{path}` is not UTF-8 text") from None
        reader.allow([path.resolve().parent])
        sources[reader.source_name(path)] = text
    return _combined(sources, settings, reader, output_values, output_dir, overwrite, allow_empty)


def link_code(unlinked_bytecode: str, libraries: Mapping[str, str]) -> str:
    """Put library addresses (``0x...`` by ``source:Name``) in the place of the placeholders in bytecode."""
    return link_text(unlinked_bytecode, libraries)


def _reader(
    base_path: PathLike | None, include_paths: Sequence[PathLike], allow_paths: AllowPaths
) -> FileReader:
    if allow_paths is None:
        allowed: list[Path] = []
    elif isinstance(allow_paths, str):
        allowed = [Path(part) for part in allow_paths.split(",") if part]
    elif isinstance(allow_paths, Path):
        allowed = [allow_paths]
    else:
        allowed = [Path(part) for part in allow_paths]
    return FileReader(Path(base_path or "."), [Path(part) for part in include_paths], allowed)


def _remappings(given: Remappings) -> Iterable[Remapping]:
    if given is None:
        return []
    if isinstance(given, str):
        return [Remapping.parse(given)]
    if isinstance(given, Mapping):
        return [Remapping.parse(f"{prefix}={target}") for prefix, target in given.items()]
    return [Remapping.parse(text) for text in given]


def _settings(
    import_remappings: Remappings,
    evm_version: str | None,
    revert_strings: str | None,
    metadata_hash: str | None,
    metadata_literal: bool,
    optimize: bool,
    optimize_runs: int | None,
    instruction_table: str,
) -> CompilerSettings:
    version = evm_version or DEFAULT_EVM_VERSION
    if version not in EVM_VERSIONS:
        raise UsageError(f"`{version}` is no EVM version", hint="known: " + ", ".join(EVM_VERSIONS))
    if revert_strings not in (None, "default", "strip", "debug"):
        raise UsageError(
            f"`{revert_strings}` is no way to treat revert strings", hint="default, strip or debug"
        )
    if metadata_hash not in (None, "ipfs", "swarm", "bzzr1", "none"):
        raise UsageError(f"`{metadata_hash}` is no metadata hash", hint="ipfs, swarm or none")
    runs = 200 if optimize_runs is None else optimize_runs
    bytecode_hash = {"swarm": "bzzr1", None: "ipfs"}.get(metadata_hash, metadata_hash)
    return CompilerSettings(
        evm_version=version,
        optimize=optimize,
        runs=runs,
        revert_strings=revert_strings or "default",  # type: ignore[arg-type]
        imports=ImportRules(tuple(_remappings(import_remappings))),
        metadata=MetadataSettings(
            bytecode_hash=bytecode_hash,  # type: ignore[arg-type]
            use_literal_content=metadata_literal,
        ),
        instruction_table=instruction_table,
        optimizer_as_given={"enabled": optimize, "runs": runs},
    )


def _combined(
    sources: Mapping[str, str],
    settings: CompilerSettings,
    reader: FileReader,
    output_values: Sequence[str] | None,
    output_dir: PathLike | None,
    overwrite: bool,
    allow_empty: bool,
) -> dict[str, Any]:
    outputs = COMBINED_OUTPUTS if output_values is None else output_values
    build = Build(sources, settings, combined_selection(outputs), reader)
    unit = build.unit
    with deep_recursion():
        try:
            combined = combined_json(unit, build.results(), outputs)
        except CompilationFailed:
            raise CompileError(unit.sink.items, unit.sources_by_index) from None
    contracts: dict[str, Any] = combined.get("contracts", {})
    if "sources" in combined:
        for key, outputs in contracts.items():
            outputs["ast"] = combined["sources"][key.rpartition(":")[0]]["AST"]
    if not contracts and not allow_empty:
        raise CompileError(unit.sink.items, unit.sources_by_index)
    if output_dir is not None:
        _write(Path(output_dir), combined, overwrite)
    return contracts


def _write(folder: Path, combined: Mapping[str, Any], overwrite: bool) -> None:
    target = folder / "combined.json"
    if target.exists() and not overwrite:
        raise UsageError(f"`{target}` exists already", hint="give overwrite=True to replace it")
    folder.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(combined), "utf-8")
