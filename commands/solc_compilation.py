"""What ``smartvm-solc`` does in each of its modes: Standard JSON, compilation, standalone Yul, linking."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from smartvm.commands.solc_input import (
    CommandLineSources,
    compiler_settings,
    file_reader,
    import_reader,
    incremental_options,
    is_remapping,
    library_addresses,
    read_file,
    standard_input,
    whole_number,
)
from smartvm.commands.solc_options import COMBINED, OUTPUTS, CommandLine, OptionError, Output
from smartvm.compiler.combined_json import combined_json, combined_selection
from smartvm.compiler.diagnostics import CompileError, Diagnostic, FatalDiagnostic, format_diagnostic
from smartvm.compiler.incremental.build import Build
from smartvm.compiler.linker import link_hex, link_text, placeholder
from smartvm.compiler.output_selection import OutputSelection
from smartvm.compiler.pipeline import CompilationFailed, deep_recursion
from smartvm.compiler.settings import CompilerSettings
from smartvm.compiler.source import SourceText
from smartvm.compiler.standard_json import (
    compile_standard_text,
    internal_error,
    limited,
)
from smartvm.errors import InternalError

_PLACEHOLDER = re.compile(r"__.{36}__")


def run_mode(line: CommandLine) -> int:
    """Run the mode that a command line selects; the exit status. Raises OptionError."""
    mode = line.mode
    _check_mode(line, mode)
    if mode == "standard-json":
        return _standard_json(line)
    libraries = library_addresses(line)
    sources = CommandLineSources(line)
    if mode == "link":
        return _link(line, sources, libraries)
    settings = compiler_settings(line, sources, libraries)
    if mode == "strict-assembly":
        return _strict_assembly(line, sources, settings)
    return _compile(line, sources, settings)


#: What can be asked for with ``--strict-assembly``; all of it when nothing is.
_ASSEMBLY_OUTPUTS = ("asm", "bin", "ir-optimized")

#: Modes as solc's messages name them, and the outputs that they have.
_MODE_OUTPUTS = {
    "standard-json": ("standard JSON", ()),
    "link": ("linker", ()),
    "strict-assembly": ("assembler", _ASSEMBLY_OUTPUTS),
}


def _check_mode(line: CommandLine, mode: str) -> None:
    """Refuse outputs and options that a mode does not have."""
    if mode not in _MODE_OUTPUTS:
        return
    title, possible = _MODE_OUTPUTS[mode]
    outputs = {"ast-compact-json", *(output.name for output in OUTPUTS)} - set(possible)
    if refused := sorted(outputs & line.flags):
        listed = ", ".join(f"--{name}" for name in refused)
        raise OptionError(f"The following outputs are not supported in {title} mode: {listed}.")
    if mode == "strict-assembly":
        return
    for option in ("optimize", "optimize-runs", "optimize-yul"):
        if option in line.flags or option in line.values:
            raise OptionError(f"Option --{option} is only valid in compiler and assembler modes.")


# --- output ---------------------------------------------------------------------------------------------


class _Printer:
    """Prints outputs, or writes them into the folder of ``--output-dir``."""

    def __init__(self, line: CommandLine) -> None:
        self._folder = Path(folder) if (folder := line.value("output-dir")) else None
        self._overwrite = "overwrite" in line.flags
        self._indent = whole_number(line, "json-indent", 2) if {"pretty-json"} & line.flags else None
        if line.value("json-indent") is not None:
            self._indent = whole_number(line, "json-indent", 2)

    @property
    def folder(self) -> Path | None:
        """Where files are written; None prints."""
        return self._folder

    def json(self, value: Any) -> str:
        """JSON as it was asked for: on one line, or with indents."""
        if self._indent is None:
            return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
        return json.dumps(value, indent=self._indent, sort_keys=True, ensure_ascii=False)

    def put(self, heading: str, file: str, text: str) -> None:
        """An output: under its heading, or as a file. Raises OptionError when the file may not be written."""
        if self._folder is None:
            sys.stdout.write(f"{heading}\n{text}\n" if heading else f"{text}\n")
            return
        path = self._folder / file
        if path.exists() and not self._overwrite:
            raise OptionError(f'Refusing to overwrite existing file "{path}" (use --overwrite to force).')
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        except OSError as error:
            raise OptionError(f'Could not write to file "{path}": {error.strerror}.') from None


def _report(items: list[Diagnostic], sources: Mapping[int, SourceText], with_codes: bool) -> bool:
    """Print diagnostics to stderr; whether one is an error."""
    shown = limited(items)
    for item in shown:
        text = format_diagnostic(item, sources)
        if with_codes and item.code is not None:
            text = text.replace(f"{item.type}:", f"{item.type} ({item.code}):", 1)
        sys.stderr.write(text)
    return any(item.severity == "error" for item in shown)


# --- the modes --------------------------------------------------------------------------------------------


def _standard_json(line: CommandLine) -> int:
    if any(is_remapping(word) for word in line.words):
        raise OptionError(
            "Import remappings are not accepted on the command line in Standard JSON mode.\n"
            "Please put them under 'settings.remappings' in the JSON input."
        )
    if len(line.words) > 1:
        raise OptionError(
            "Too many input files for --standard-json.\n"
            "Please either specify a single file name or provide its content on standard input."
        )
    reader, word = file_reader(line), line.words[0] if line.words else "-"
    if word != "-" and not Path(word).is_file():
        raise OptionError(f'"{word}" is not found.')
    text = standard_input() if word == "-" else read_file(Path(word))
    imports = None if "no-import-callback" in line.flags else reader
    output = compile_standard_text(text, imports, incremental_options(line))
    if "pretty-json" in line.flags or line.value("json-indent") is not None:
        output = _Printer(line).json(json.loads(output))
    # Standard output may be ASCII only; JSON can say everything in it, but solc writes UTF-8.
    sys.stdout.buffer.write(output.encode("utf-8", "backslashreplace") + b"\n")
    return 0


def _link(line: CommandLine, sources: CommandLineSources, libraries: Mapping[str, bytes]) -> int:
    addresses = {name: "0x" + address.hex() for name, address in libraries.items()}
    for name, text in sources.texts.items():
        linked = link_text(text, addresses)
        for library in libraries:
            linked = linked.replace(f"\n// {placeholder(library)[2:-2]} -> {library}", "")
        linked = linked.rstrip("\n")
        for missing in dict.fromkeys(_PLACEHOLDER.findall(linked)):
            sys.stderr.write(f'Warning: Reference "{missing}" in file "{name}" still unresolved.\n')
        if name not in sources.paths:
            sys.stdout.write(linked + "\n")
            continue
        try:
            sources.paths[name].write_text(linked, "utf-8")
        except OSError:
            raise OptionError(f"Could not write to file {sources.paths[name]}. Aborting.") from None
    sys.stdout.write("Linking completed.\n")
    return 0


def _strict_assembly(line: CommandLine, sources: CommandLineSources, settings: CompilerSettings) -> int:
    from smartvm.compiler.backend import BackendSettings
    from smartvm.compiler.standalone_yul import compile_yul
    from smartvm.compiler.yul.printer import print_object

    if sources.remappings or "combined-json" in line.values:
        what = "Import remappings are" if sources.remappings else "--combined-json is"
        raise OptionError(f"{what} not supported in assembly mode.")
    wanted = line.flags & set(_ASSEMBLY_OUTPUTS) or set(_ASSEMBLY_OUTPUTS)
    printer, failed = _Printer(line), False
    results = []
    with_codes = "error-codes" in line.flags
    for name, text in sources.texts.items():
        source = SourceText(name, text, 0)
        try:
            compiled = compile_yul(
                source, settings.table, settings.evm_version, BackendSettings(settings.optimize, settings.runs)
            )
        except CompileError as error:
            failed |= _report(list(error.diagnostics), {0: source}, with_codes)
            continue
        _report(list(compiled.warnings), {0: source}, with_codes)
        results.append((name, source, compiled))
    if failed:
        return 1
    for name, source, compiled in results:
        stem = _file_name(name)
        if printer.folder is None:
            sys.stdout.write(f"\n======= {name} (EVM) =======\n")
        if "ir-optimized" in wanted:
            printed = print_object(compiled.optimized(), {0: source})
            printer.put("\nPretty printed source:", f"{stem}_opt.yul", printed)
        if "bin" in wanted:
            assembled = compiled.assembled
            code = link_hex(assembled.bytecode, assembled.link_references, settings.libraries)
            printer.put("\nBinary representation:", f"{stem}.bin", code)
        if "asm" in wanted:
            printer.put("\nText representation:", f"{stem}.asm", compiled.assembled.assembly_text())
    return 0


def _compile(line: CommandLine, sources: CommandLineSources, settings: CompilerSettings) -> int:
    combined = [part for part in (line.value("combined-json") or "").split(",") if part]
    for part in combined:
        if part not in COMBINED.split(","):
            raise OptionError(f"Invalid option to --combined-json: {part}")
    compilation = _Compilation(line, sources, settings, combined)
    unit = compilation.unit
    failure = ""
    with deep_recursion():
        try:
            compilation.make()
        except (CompilationFailed, FatalDiagnostic):
            pass  # the sink has the errors
        except RecursionError:
            failure = "CompilerError: The source is nested too deeply."
        except InternalError as error:
            failure = internal_error(error)["message"]
    with_codes = "error-codes" in line.flags
    if _report(unit.sink.items, unit.sources_by_index, with_codes) or failure:
        sys.stderr.write(failure + "\n" if failure else "")
        return 1
    compilation.write()
    return 0


class _Compilation:
    """The outputs asked for: made first, so that every error is known before anything is printed."""

    def __init__(
        self, line: CommandLine, sources: CommandLineSources, settings: CompilerSettings, combined: list[str]
    ) -> None:
        self._combined = combined
        self._wanted = [output for output in OUTPUTS if output.name in line.flags]
        self._wants_trees = "ast-compact-json" in line.flags
        self._only_parsing = line.value("stop-after") is not None
        if self._only_parsing and (self._wanted or set(combined) - {"ast"}):
            raise OptionError("--stop-after parsing leaves nothing to output but syntax trees.")
        reader, options = import_reader(line, sources.reader), incremental_options(line)
        self._build = Build(sources.texts, settings, self._selection(), reader, options)
        self.unit = self._build.unit
        self._printer = _Printer(line)
        self._combined_output: dict[str, Any] | None = None
        self._contracts: dict[tuple[str, str], dict[str, Any]] = {}
        self._trees: dict[str, Any] = {}

    def _selection(self) -> OutputSelection:
        """What must be compiled."""
        combined = combined_selection(self._combined).selected["*"]
        asked = [*combined["*"], *(output.json_name for output in self._wanted)]
        # Hints below bytecode say which libraries it lacks.
        asked += [name.replace(".object", ".linkReferences") for name in asked if name.endswith(".object")]
        return OutputSelection({"*": {"*": tuple(asked), "": ("ast",) if self._wants_trees else combined[""]}})

    def make(self) -> None:
        """Compile. Raises CompilationFailed and what else the compiler raises."""
        unit = self.unit
        if self._only_parsing:
            self._parse()
            return
        results = self._build.results()
        for source, result in results.items():
            if self._wants_trees:
                self._trees[source] = result.ast
            for name, entry in result.contracts.items():
                self._contracts[source, name] = _with_hints(entry)
        if self._combined:
            self._combined_output = combined_json(unit, results, self._combined)

    def _parse(self) -> None:
        from smartvm.compiler.artifacts.ast_json import source_unit_json

        units = self.unit.units
        if not (self._wants_trees or self._combined):
            return
        trees = {name: source_unit_json(self.unit, name, analysed=False) for name in units}
        if self._wants_trees:
            self._trees = trees
        if self._combined:
            listed = {name: {"AST": tree} for name, tree in trees.items()}
            self._combined_output = {"sourceList": list(self.unit.sources), "sources": listed}

    def write(self) -> None:
        """Print or write what ``make`` made."""
        printer = self._printer
        if self._combined_output is not None:
            printer.put("", "combined.json", printer.json(self._combined_output))
        if self._wants_trees:
            self._write_trees()
        for (source, name), entry in self._contracts.items():
            if not self._wanted:
                break
            if printer.folder is None:
                sys.stdout.write(f"\n======= {source}:{name} =======\n")
            for output in self._wanted:
                self._write_output(source, name, output, entry)
        if printer.folder is not None:
            sys.stdout.write(f"Compiler run successful. Artifact(s) can be found in directory {printer.folder}.\n")
        elif not (self._wanted or self._wants_trees or self._combined_output):
            empty = not self._contracts and not self._only_parsing
            what = "No contracts to compile." if empty else "No output generated."
            sys.stdout.write(f"Compiler run successful. {what}\n")

    def _write_trees(self) -> None:
        if self._printer.folder is None:
            sys.stdout.write("JSON AST (compact format):\n\n")
        for name, tree in self._trees.items():
            heading = f"\n======= {name} ======="
            self._printer.put(heading, f"{Path(name).name}_json.ast", self._printer.json(tree))

    def _write_output(self, source: str, name: str, output: Output, entry: Mapping[str, Any]) -> None:
        value: Any = entry
        for key in output.json_name.split("."):
            value = value.get(key, "") if isinstance(value, Mapping) else ""
        if output.name == "hashes":
            value = "".join(f"{selector}: {signature}\n" for signature, selector in sorted(value.items()))
        elif output.name == "gas":
            value = _gas_text(value) if value else ""
        text = value if isinstance(value, str) else self._printer.json(value)
        twins = [key for key in self._contracts if key[1] == name]
        stem = name if len(twins) == 1 else _file_name(f"{source}:{name}")
        self._printer.put(output.heading, stem + output.suffix, text)


def _with_hints(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A contract's outputs, its bytecode with lines that say which library each placeholder left in it stands for, as
    solc prints them."""
    evm = dict(entry.get("evm", {}))
    for kind in ("bytecode", "deployedBytecode"):
        code = evm.get(kind, {})
        if code.get("object"):
            left = [f"{file}:{name}" for file, names in code["linkReferences"].items() for name in names]
            hints = [f"// {placeholder(library)[2:-2]} -> {library}" for library in sorted(left)]
            text = "\n\n".join([code["object"], "\n".join(hints)] if hints else [code["object"]])
            evm[kind] = {**code, "object": text}
    return {**entry, "evm": evm} if evm else dict(entry)


def _gas_text(estimates: Mapping[str, Any]) -> str:
    creation = estimates.get("creation", {})
    lines = [
        "construction:",
        f"   {creation.get('executionCost')} + {creation.get('codeDepositCost')} = {creation.get('totalCost')}",
    ]
    for kind in ("external", "internal"):
        if estimates.get(kind):
            lines.append(f"{kind}:")
            lines += [f"   {name or 'fallback'}:\t{gas}" for name, gas in estimates[kind].items()]
    return "\n".join(lines)


def _file_name(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_]", "_", name)
