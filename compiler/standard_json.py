"""Standard JSON: what solc reads and writes with ``--standard-json`` (docs/using-the-compiler.rst).

Besides solc's settings there is ``settings.instructionTable``: the name of a shipped instruction table, or a
file.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from smartvm.compiler.diagnostics import Diagnostic, DiagnosticSink, FatalDiagnostic, diagnostic_to_json
from smartvm.compiler.imports import SourceReader, no_reader
from smartvm.compiler.incremental.build import Build
from smartvm.compiler.incremental.options import IncrementalOptions
from smartvm.compiler.input_checks import InputError, read_json
from smartvm.compiler.pipeline import (
    CompilationFailed,
    CompiledContract,
    deep_recursion,
)
from smartvm.compiler.source import NO_SOURCE, SourceText
from smartvm.compiler.standard_input import StandardInput, read_standard_input
from smartvm.errors import SmartVMError

Json = dict[str, Any]

_MOST_SHOWN = 256


def compile_standard(
    data: Any, reader: SourceReader | None = None, options: IncrementalOptions | None = None
) -> Json:
    """Compile Standard JSON input to Standard JSON output.

    ``reader`` finds imports that are not among the sources, and ``urls``; ``options`` are those of the environment
    where they are not given. Never raises for what the input holds: problems are in ``errors``.
    """
    try:
        request = read_standard_input(data, reader)
    except InputError as error:
        return {"errors": [_plain_error("error", error.type, str(error))]}
    compilation: _Compilation
    if request.language == "Yul":
        compilation = _YulCompilation(request)
    else:
        compilation = _SolidityCompilation(request, reader, options)
    with deep_recursion():
        return compilation.run()


def compile_standard_text(
    text: str, reader: SourceReader | None = None, options: IncrementalOptions | None = None
) -> str:
    """The same from text to text."""
    try:
        data = read_json(text)
    except InputError as error:
        return json.dumps({"errors": [_plain_error("error", error.type, str(error))]})
    return json.dumps(compile_standard(data, reader, options), separators=(",", ":"), ensure_ascii=False)


def _plain_error(severity: str, type_: str, message: str) -> Json:
    return {
        "component": "general",
        "formattedMessage": message,
        "message": message,
        "severity": severity,
        "type": type_,
    }


def internal_error(error: BaseException) -> Json:
    """An entry for a mistake of the compiler itself, with the place where it happened."""
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    where = f"{Path(frames[-1].filename).name}:{frames[-1].lineno} in {frames[-1].name}" if frames else "unknown"
    message = f"Internal compiler error ({where}): {type(error).__name__}: {error}"
    return _plain_error("error", "InternalCompilerError", message)


def limited(items: Iterable[Diagnostic]) -> list[Diagnostic]:
    """At most so many errors and warnings as anybody reads, as solc bounds them."""
    kept: list[Diagnostic] = []
    counts = {"error": 0, "warning": 0, "info": 0}
    for item in items:
        counts[item.severity] += 1
        count = counts[item.severity]
        if item.severity == "error" and count > _MOST_SHOWN:
            message = f"There are more than {_MOST_SHOWN} errors: the rest is left out."
            kept.append(Diagnostic("warning", "Warning", 4013, message))
            break
        if item.severity == "warning" and count == _MOST_SHOWN:
            message = f"There are more than {_MOST_SHOWN} warnings: the rest is left out."
            kept.append(Diagnostic("warning", "Warning", 4591, message))
        if item.severity == "error" or count < _MOST_SHOWN:
            kept.append(item)
    return kept


class _Compilation:
    """What both languages share: the guarded run, and errors."""

    def __init__(self, request: StandardInput) -> None:
        self.request = request
        self.errors: list[Json] = [_plain_error(*problem) for problem in request.problems]
        self.output: Json = {}
        #: What the answer holds whether or not compilation succeeds.
        self.always: Json = {"sources": {}}
        self.is_refused = False

    @property
    def sink(self) -> DiagnosticSink:
        raise NotImplementedError

    @property
    def sources(self) -> Mapping[int, SourceText]:
        raise NotImplementedError

    def compile(self) -> None:
        raise NotImplementedError

    def run(self) -> Json:
        """Compile, and put all errors and outputs together."""
        extra: list[Json] = []
        result = dict(self.always)
        if self.request.sources and not self.is_refused:
            try:
                self.compile()
                result.update(self.output)
            except (CompilationFailed, FatalDiagnostic):
                pass  # the sink has the errors
            except RecursionError:
                extra.append(_plain_error("error", "CompilerError", "The source is nested too deeply."))
            except SmartVMError as error:
                extra.append(self._compiler_error(error))
            except Exception as error:
                extra.append(internal_error(error))
        self.errors += [diagnostic_to_json(item, self.sources) for item in limited(self.sink.items)] + extra
        if extra or self.sink.has_errors:
            result = dict(self.always)
        if self.errors:
            result["errors"] = self.errors
        return result

    def _compiler_error(self, error: SmartVMError) -> Json:
        """An error outside the sink: a faulty table, the stack too deep without a way out, a bug."""
        from smartvm.compiler.backend import StackTooDeepError
        from smartvm.errors import InternalError
        from smartvm.instructions.errors import TableError

        if isinstance(error, InternalError):
            return internal_error(error)
        type_ = "JSONError" if isinstance(error, TableError) else "CompilerError"
        source = error.source if isinstance(error, StackTooDeepError) else NO_SOURCE
        message = str(error)
        return diagnostic_to_json(Diagnostic("error", type_, None, message, source), self.sources)


class _SolidityCompilation(_Compilation):
    def __init__(
        self, request: StandardInput, reader: SourceReader | None, options: IncrementalOptions | None
    ) -> None:
        super().__init__(request)
        self.build = Build(request.sources, request.settings, request.selection, reader or no_reader, options)
        self.unit = self.build.unit

    @property
    def sink(self) -> DiagnosticSink:
        return self.unit.sink

    @property
    def sources(self) -> Mapping[int, SourceText]:
        return self.unit.sources_by_index

    def compile(self) -> None:
        selection, unit = self.request.selection, self.unit
        if self.request.stop_after_parsing:
            self._parse_only()
            return
        results = self.build.results()
        listed: Json = {}
        for name in unit.sources:
            listed[name] = {"id": unit.sources[name].index}
            if name in results and selection.wants(name, "", "ast"):
                listed[name]["ast"] = results[name].ast
        self.output["sources"] = listed
        contracts = {
            name: entries
            for name, result in results.items()
            if (entries := {contract: entry for contract, entry in result.contracts.items() if entry})
        }
        if contracts:
            self.output["contracts"] = contracts

    def _parse_only(self) -> None:
        listed: Json = {}
        for name in self.unit.units:
            listed[name] = {"id": self.unit.sources[name].index}
            if self.request.selection.wants(name, "", "ast"):
                from smartvm.compiler.artifacts.ast_json import source_unit_json

                listed[name]["ast"] = source_unit_json(self.unit, name, analysed=False)
        self.output["sources"] = listed


def contract_json(contract: CompiledContract, wants: Callable[[str], bool]) -> Json:
    """The outputs of one contract for which ``wants`` holds."""
    entry: Json = {}
    for output, attribute in (
        ("abi", "abi"),
        ("devdoc", "developer_documentation"),
        ("metadata", "metadata"),
        ("storageLayout", "storage_layout"),
        ("transientStorageLayout", "transient_storage_layout"),
        ("userdoc", "user_documentation"),
    ):
        if wants(output):
            entry[output] = getattr(contract, attribute)
    entry.update(_ir_json(contract, wants))
    evm = _evm_json(contract, wants)
    if evm:
        entry["evm"] = evm
    return entry


def _ir_json(contract: CompiledContract, wants: Callable[[str], bool]) -> Json:
    if not any(map(wants, _IR_OUTPUTS)):
        return {}
    if not contract.is_deployable:
        return {output: None if output.endswith("Ast") else "" for output in _IR_OUTPUTS if wants(output)}
    from smartvm.compiler.artifacts.ir import ir_json

    unit = contract.unit
    return ir_json(
        lambda: contract.yul_object,
        unit.dialect,
        contract.backend_settings,
        unit.settings.expand_extensions,
        unit.sources_by_index,
        wants,
    )


def _evm_json(contract: CompiledContract, wants: Callable[[str], bool]) -> Json:
    from smartvm.compiler.artifacts.bytecode import bytecode_json, empty_bytecode_json

    evm: Json = {}
    has_code = contract.is_deployable
    if wants("evm.assembly"):
        evm["assembly"] = contract.assembled.assembly_text() if has_code else ""
    if wants("evm.gasEstimates"):
        from smartvm.compiler.artifacts.gas_estimates import gas_estimates

        evm["gasEstimates"] = gas_estimates(contract) if has_code else None
    if wants("evm.methodIdentifiers"):
        evm["methodIdentifiers"] = contract.method_identifiers
    for kind in ("bytecode", "deployedBytecode"):
        is_deployed = kind == "deployedBytecode"

        def wanted(part: str, kind: str = kind) -> bool:
            return wants(f"evm.{kind}.{part}")

        if not any(wanted(part) for part in _BYTECODE_PARTS):
            continue
        if not has_code:
            evm[kind] = empty_bytecode_json(is_deployed=is_deployed, wanted=wanted)
            continue
        settings = contract.unit.settings
        evm[kind] = bytecode_json(
            contract.deployed if is_deployed else contract.assembled,
            table=settings.table,
            fork=contract.unit.dialect.fork,
            libraries=settings.libraries,
            is_deployed=is_deployed,
            wanted=wanted,
            code=contract.deployed_yul.code if is_deployed else contract.yul_object.code,
            utilities=lambda is_deployed=is_deployed: contract.utilities[is_deployed],  # type: ignore[misc]
            via_ir=settings.via_ir,
        )
    return evm


_IR_OUTPUTS = ("ir", "irAst", "irOptimized", "irOptimizedAst")
_BYTECODE_PARTS = (
    "functionDebugData",
    "generatedSources",
    "immutableReferences",
    "linkReferences",
    "object",
    "opcodes",
    "sourceMap",
)


class _YulCompilation(_Compilation):
    """``"language": "Yul"``: one source, one object, with an optional object ``NAME_deployed`` in it."""

    def __init__(self, request: StandardInput) -> None:
        super().__init__(request)
        self._sink = DiagnosticSink()
        self.always = {}
        self.source: SourceText | None = None
        settings = request.settings
        if not request.sources:
            return  # the request's problems say why
        if len(request.sources) != 1:
            self._refuse("Yul mode only supports exactly one input file.")
        elif settings.imports.remappings:
            self._refuse('Field "settings.remappings" cannot be used for Yul.')
        elif settings.revert_strings != "default":
            self._refuse('Field "settings.debug.revertStrings" cannot be used for Yul.')
        else:
            ((name, text),) = request.sources.items()
            self.source = SourceText(name, text, 0)

    def _refuse(self, message: str) -> None:
        self.is_refused = True
        self.errors.append(_plain_error("error", "JSONError", message))

    @property
    def sink(self) -> DiagnosticSink:
        return self._sink

    @property
    def sources(self) -> Mapping[int, SourceText]:
        return {0: self.source} if self.source is not None else {}

    def compile(self) -> None:
        from smartvm.compiler.artifacts.bytecode import bytecode_json
        from smartvm.compiler.backend import BackendSettings, assemble_object
        from smartvm.compiler.code_checks import check_immutables
        from smartvm.compiler.yul.buffers.flow import check_yul_object
        from smartvm.compiler.yul.checker import check_object
        from smartvm.compiler.yul.dialect import dialect_for
        from smartvm.compiler.yul.extensions import ExtensionExpander
        from smartvm.compiler.yul.parser import parse_yul
        from smartvm.instructions.forks import canonical_fork

        assert self.source is not None
        settings, selection, name = self.request.settings, self.request.selection, self.source.name
        table, fork = settings.table, canonical_fork(settings.evm_version)
        dialect = dialect_for(table, fork)
        parsed = parse_yul(self.source, self.sink)
        if not self.sink.has_errors:
            check_object(parsed, dialect, self.sink, self.source)
        if not self.sink.has_errors:
            check_yul_object(parsed, dialect, self.sink)
        if self.sink.has_errors:
            raise CompilationFailed

        def wants(output: str) -> bool:
            # As solc, which has no trees of Yul sources' code under `*`.
            by_wildcard = not output.endswith("Ast")
            return selection.wants(name, parsed.name, output, wildcard_matches_ir=by_wildcard)

        expanded = ExtensionExpander(dialect).object(parsed) if settings.expand_extensions else parsed
        backend = BackendSettings(settings.optimize, settings.runs)
        assembled = assemble_object(expanded, dialect, backend)
        deployed = assembled.sub_objects.get(f"{parsed.name}_deployed")
        if deployed is not None:
            check_immutables(expanded, deployed, self.sink)
        entry: Json = {}
        if any(map(wants, _IR_OUTPUTS)):
            from smartvm.compiler.artifacts.ir import ir_json

            entry.update(
                ir_json(lambda: parsed, dialect, backend, settings.expand_extensions, self.sources, wants)
            )
        evm: Json = {"assembly": assembled.assembly_text()} if wants("evm.assembly") else {}
        for kind, part in (("bytecode", assembled), ("deployedBytecode", deployed)):
            if part is None or not selection.wants_part_of(name, parsed.name, f"evm.{kind}", wildcard_matches_ir=True):
                continue
            evm[kind] = bytecode_json(
                part,
                table=table,
                fork=fork,
                libraries=settings.libraries,
                is_deployed=part is deployed,
                wanted=lambda output, kind=kind: (  # type: ignore[misc]
                    output != "generatedSources" and wants(f"evm.{kind}.{output}")
                ),
            )
        if evm:
            entry["evm"] = evm
        self.output["errors"] = []
        if selection.wants(name, "", "ast"):
            from smartvm.compiler.artifacts.yul_ast_json import YulExporter

            tree = YulExporter(self.source.utf8, table).object(parsed)
            self.output["sources"] = {name: {"ast": tree, "id": 0}}
        if entry:
            self.output["contracts"] = {name: {parsed.name: entry}}
