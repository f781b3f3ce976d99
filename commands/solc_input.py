"""What ``smartvm-solc``'s command line says about sources, settings and libraries."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from smartvm.commands.solc_options import CommandLine, OptionError
from smartvm.compiler.imports import FileReader, ImportRules, Remapping, SourceReader, no_reader
from smartvm.compiler.incremental.options import IncrementalOptions, options_from_environment
from smartvm.compiler.settings import EVM_VERSIONS, CompilerSettings, MetadataSettings
from smartvm.records import replace

#: Under which name standard input is compiled.
STDIN = "<stdin>"


def is_remapping(word: str) -> bool:
    """A word of the command line that is a remapping and no file."""
    return "=" in word


class CommandLineSources:
    """Files and remappings of the command line; ``texts`` maps source names to what the files hold."""

    def __init__(self, line: CommandLine) -> None:
        self.reader = file_reader(line)
        self.remappings = tuple(Remapping.parse(word) for word in line.words if is_remapping(word))
        for remapping in self.remappings:
            # A target that ends in a slash is a folder, any other a file.
            if remapping.target:
                self.reader.allow([Path(os.path.dirname(remapping.target) or ".")])
        self.texts: dict[str, str] = {}
        #: The files by source name; not that of standard input.
        self.paths: dict[str, Path] = {}
        for word in line.words:
            if not is_remapping(word):
                self._read(word, "ignore-missing" in line.flags)
        if not self.texts:
            if any(not is_remapping(word) for word in line.words):
                raise OptionError("All specified input files either do not exist or are not regular files.")
            raise OptionError(
                'No input files given. If you wish to use the standard input please specify "-" explicitly.'
            )

    def _read(self, word: str, may_miss: bool) -> None:
        if word == "-":
            self.texts[STDIN] = standard_input()
            return
        path = Path(word)
        if not path.is_file():
            problem = "is not a valid file" if path.exists() else "is not found"
            if not may_miss:
                raise OptionError(f'"{word}" {problem}.')
            sys.stderr.write(f'Info: "{word}" {problem}. Skipping.\n')
            return
        name = self.reader.source_name(path)
        self.texts[name] = read_file(path)
        self.paths[name] = path
        self.reader.allow([path.resolve().parent])


def standard_input() -> str:
    """The text on standard input. Raises OptionError when it is not UTF-8."""
    try:
        return sys.stdin.buffer.read().decode("utf-8")
    except UnicodeDecodeError:
        raise OptionError("The standard input is not UTF-8 text.") from None


def read_file(path: Path) -> str:
    """A file's text with its line ends. Raises OptionError."""
    try:
        # Bytes, so that line ends stay as they are and offsets are right.
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        raise OptionError(f'"{path}" is not UTF-8 text.') from None
    except OSError as error:
        raise OptionError(f'"{path}" cannot be read: {error.strerror}.') from None


def file_reader(line: CommandLine) -> FileReader:
    """The reader of imports for the base path, include paths and allowed paths. Raises OptionError."""
    base = line.value("base-path")
    include = [Path(path) for path in line.values.get("include-path", [])]
    if include and not base:
        raise OptionError("--include-path option requires a non-empty base path.")
    if any(path == Path() for path in include):
        raise OptionError("Empty values are not allowed in --include-path.")
    for folder in [*([Path(base)] if base else []), *include]:
        if not folder.is_dir():
            kind = "Base path" if base and folder == Path(base) else "Include path"
            problem = "is not a directory" if folder.exists() else "does not exist"
            raise OptionError(f'{kind} {problem}: "{folder}".')
    allowed = [Path(path) for path in (line.value("allow-paths") or "").split(",") if path]
    return FileReader(Path(base or "."), include, allowed)


def import_reader(line: CommandLine, reader: FileReader) -> SourceReader:
    """``reader``, unless ``--no-import-callback`` is given."""
    return no_reader if "no-import-callback" in line.flags else reader


def _one_of(line: CommandLine, option: str, known: tuple[str, ...], default: str) -> str:
    value = line.value(option)
    if value is None:
        return default
    if value not in known:
        raise OptionError(f"Invalid option for --{option}: {value}")
    return value


def whole_number(line: CommandLine, option: str, default: int) -> int:
    """An option's value as a number. Raises OptionError."""
    value = line.value(option)
    if value is None:
        return default
    if not (value.isascii() and value.isdecimal()):
        raise OptionError(f"the argument ('{value}') for option '--{option}' is invalid")
    return int(value)


def compiler_settings(
    line: CommandLine, sources: CommandLineSources, libraries: Mapping[str, bytes]
) -> CompilerSettings:
    """The settings of a compilation. Raises OptionError for a value that does not exist."""
    flags = line.flags
    runs, optimize = whole_number(line, "optimize-runs", 200), "optimize" in flags
    append = "no-cbor-metadata" not in flags
    if not append and line.value("metadata-hash") not in (None, "none"):
        raise OptionError("Cannot specify a metadata hashing method when --no-cbor-metadata is set.")
    bytecode_hash = _one_of(line, "metadata-hash", ("ipfs", "swarm", "none"), "ipfs")
    if line.value("stop-after") not in (None, "parsing"):
        raise OptionError('Valid options for --stop-after are: "parsing".')
    return CompilerSettings(
        evm_version=_one_of(line, "evm-version", EVM_VERSIONS, EVM_VERSIONS[-1]),
        optimize=optimize,
        runs=runs,
        via_ir="via-ir" in flags,
        revert_strings=_one_of(  # type: ignore[arg-type]
            line, "revert-strings", ("default", "strip", "debug"), "default"
        ),
        imports=ImportRules(sources.remappings),
        libraries=libraries,
        metadata=MetadataSettings(
            append,
            "bzzr1" if bytecode_hash == "swarm" else bytecode_hash,  # type: ignore[arg-type]
            "metadata-literal" in flags,
        ),
        instruction_table=line.value("instruction-table") or "default",
        optimizer_as_given={"enabled": optimize, "runs": runs},
    )


def library_addresses(line: CommandLine) -> dict[str, bytes]:
    """Addresses by ``source:name`` or name."""
    addresses: dict[str, bytes] = {}
    for given in line.values.get("libraries", []):
        text = read_file(Path(given)) if len(given) < 4096 and Path(given).is_file() else given
        for entry in re.split(r"[\s,]+", text):
            if entry:
                name, address = _library(entry)
                if name in addresses:
                    raise OptionError(f'Address specified more than once for library "{name}".')
                addresses[name] = address
    return addresses


def _library(entry: str) -> tuple[str, bytes]:
    separator = "=" if "=" in entry else ":"
    if entry.count("=") > 1:
        raise OptionError(f'Only one equal sign "=" is allowed in the address string "{entry}".')
    name, found, address = entry.rpartition(separator)
    if not found:
        raise OptionError(f'Equal sign separator missing in library address specifier "{entry}"')
    if not address:
        raise OptionError(f'Empty address provided for library "{name}".')
    if not address.startswith("0x"):
        raise OptionError(f'The address {address} is not prefixed with "0x".')
    if len(address) != 42:
        raise OptionError(
            f'Invalid length for address for library "{name}": {len(address) - 2} instead of 40 characters.'
        )
    if re.fullmatch("0x[0-9a-fA-F]{40}", address) is None or int(address, 16) == 0:
        raise OptionError(f'Invalid address for library "{name}": {address[2:]}')
    from smartvm.compiler.analysis.address_checksum import checksummed_address, passes_checksum

    if address[2:] not in (address[2:].lower(), address[2:].upper()) and not passes_checksum(address):
        raise OptionError(
            f'Invalid checksum on address for library "{name}": {address[2:]}\n'
            f"The correct checksum is {checksummed_address(address)}"
        )
    return name, bytes.fromhex(address[2:])


def incremental_options(line: CommandLine) -> IncrementalOptions:
    """How the cache and the processors are used: as options say, else the environment."""
    options = options_from_environment()
    if "no-cache" in line.flags:
        options = replace(options, cache=None)
    elif (folder := line.value("cache-dir")) is not None:
        options = replace(options, cache=Path(folder))
    if line.value("jobs") is not None:
        options = replace(options, jobs=max(1, whole_number(line, "jobs", 1)))
    if "report-compiled" in line.flags or os.environ.get("SMARTVM_REPORT_COMPILED", "0") not in ("", "0"):
        options = replace(options, report=lambda report: sys.stderr.write(f"{report}\n"))
    return options
