"""The command line of ``smartvm-solc``: solc's options (docs/using-the-compiler.rst), as data, and their reader.

Nothing heavy is imported here: tools ask for ``--version`` and ``--help`` before every build.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from smartvm.errors import SmartVMError
from smartvm.records import dataclass, field


class OptionError(SmartVMError):
    """A command line that makes no sense, in solc's words: tools match their beginning."""

    exit_code = 1

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True, slots=True)
class Option:
    """``value`` is the placeholder of the option's value in ``--help``; "" for an option without one."""

    name: str
    help: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Output:
    """An output of contracts: its option, what it is in Standard JSON, its heading, its file's suffix."""

    name: str
    json_name: str
    heading: str
    suffix: str
    help: str


#: In the order in which they are printed.
OUTPUTS = (
    Output("asm", "evm.assembly", "EVM assembly:", ".evm", "EVM assembly of the contracts."),
    Output("gas", "evm.gasEstimates", "Gas estimation:", ".gas", "Estimates of the gas of each function."),
    Output("opcodes", "evm.bytecode.opcodes", "Opcodes:", ".opcode", "Instructions of the contracts."),
    Output("bin", "evm.bytecode.object", "Binary:", ".bin", "Creation bytecode in hex."),
    Output(
        "bin-runtime", "evm.deployedBytecode.object", "Binary of the runtime part:", ".bin-runtime",
        "Deployed bytecode in hex.",
    ),
    Output("ir", "ir", "IR:", ".yul", "The Yul that the contracts become."),
    Output("ir-ast-json", "irAst", "IR AST:", "_yul_ast.json", "The syntax tree of that Yul."),
    Output("ir-optimized", "irOptimized", "Optimized IR:", "_opt.yul", "The Yul after the optimizer."),
    Output(
        "ir-optimized-ast-json", "irOptimizedAst", "Optimized IR AST:", "_opt_yul_ast.json",
        "The syntax tree of that Yul.",
    ),
    Output("hashes", "evm.methodIdentifiers", "Function signatures:", ".signatures", "Functions' selectors."),
    Output("metadata", "metadata", "Metadata:", "_meta.json", "Metadata, whose hash the code ends in."),
    Output("abi", "abi", "Contract JSON ABI", ".abi", "ABI of the contracts."),
    Output(
        "storage-layout", "storageLayout", "Contract Storage Layout:", "_storage.json",
        "Where state variables lie in storage.",
    ),
    Output(
        "transient-storage-layout", "transientStorageLayout", "Contract Transient Storage Layout:",
        "_transient_storage.json", "Where state variables lie in transient storage.",
    ),
    Output("userdoc", "userdoc", "User Documentation", ".docuser", "NatSpec for users."),
    Output("devdoc", "devdoc", "Developer Documentation", ".docdev", "NatSpec for developers."),
)  # fmt: skip

#: As ``combined_json.COMBINED_OUTPUTS``, which would be slow to import for ``--help``; a test compares them.
COMBINED = (
    "abi,asm,ast,bin,bin-runtime,devdoc,function-debug,function-debug-runtime,generated-sources,"
    "generated-sources-runtime,hashes,metadata,opcodes,srcmap,srcmap-runtime,storage-layout,"
    "transient-storage-layout,userdoc"
)

MODES = ("standard-json", "link", "strict-assembly")

GROUPS: Mapping[str, tuple[Option, ...]] = {
    "General": (
        Option("help", "Show this text."),
        Option("version", "Show the version."),
    ),
    "Input": (
        Option("base-path", "Where source names start from; the current folder by default.", "PATH"),
        Option("include-path", "Where else imported sources are looked for; may be repeated.", "PATH"),
        Option("allow-paths", "More folders that may be read, with commas between them.", "PATHS"),
        Option("ignore-missing", "Leave out files that are not there."),
        Option("no-import-callback", "Read no imported source from disk."),
    ),
    "Compilation": (
        Option("evm-version", "EVM version to compile for, osaka by default.", "VERSION"),
        Option("via-ir", "Compile through Yul, as this compiler always does."),
        Option("revert-strings", "default, strip or debug.", "HOW"),
        Option("stop-after", "Stop after a phase: parsing.", "PHASE"),
        Option("instruction-table", "smartvm: a shipped table's name, or a TOML file.", "NAME|FILE"),
    ),
    "Output": (
        Option("output-dir", "Folder for one file per output and contract; also -o.", "PATH"),
        Option("overwrite", "Replace files that exist."),
        Option("pretty-json", "Print JSON with line breaks."),
        Option("json-indent", "Print JSON with N spaces per level.", "N"),
        Option("color", "Accepted; messages have no colours."),
        Option("no-color", "Accepted."),
        Option("error-codes", "Print the codes of errors and warnings."),
    ),
    "Modes": (
        Option("standard-json", "Standard JSON in (a file, or stdin), Standard JSON out."),
        Option("link", "Put library addresses into the files given, in place."),
        Option("strict-assembly", "Compile standalone Yul."),
        Option("libraries", "Library addresses, or a file with them; also -l.", "SOURCE:NAME=0x..."),
    ),
    "Speed (smartvm)": (
        Option("jobs", "Processes to compile in at most; as many as there are processors by default.", "N"),
        Option("cache-dir", "Folder of kept results; below the user's cache folder by default.", "PATH"),
        Option("no-cache", "Compile everything, and keep nothing."),
        Option("report-compiled", "Say on stderr which sources were compiled."),
    ),
    "Output of contracts": (
        *(Option(output.name, output.help) for output in OUTPUTS),
        Option("ast-compact-json", "Syntax trees of all sources."),
        Option("combined-json", "One JSON object with", COMBINED),
    ),
    "Metadata": (
        Option("no-cbor-metadata", "Append no metadata to the code."),
        Option("metadata-hash", "ipfs, swarm or none.", "HOW"),
        Option("metadata-literal", "Keep the sources' text in the metadata."),
    ),
    "Optimizer": (
        Option("optimize", "Run the optimizer."),
        Option("optimize-runs", "How often each part of the code is expected to run, 200 by default.", "N"),
        Option("optimize-yul", "Accepted: the optimizer works on Yul anyway."),
    ),
}  # fmt: skip

#: Options of solc for what this compiler does not have.
REFUSED: Mapping[str, str] = {
    "asm-json": "solc's legacy assembly does not exist here",
    "import-asm-json": "solc's legacy assembly does not exist here",
    "import-ast": "sources are read as text only",
    "yul-cfg-json": "control-flow graphs are not printed",
    "yul": "the typed dialect of Yul is gone; use --strict-assembly",
    "assemble": "use --strict-assembly",
    "lsp": "there is no language server",
    "experimental-eof-version": "EOF is not supported",
    "no-optimize-yul": "the optimizer works on Yul",
    "yul-optimizations": "the order of the optimizer's steps is fixed",
    "debug-info": "printed Yul and assembly always have the same comments",
    "machine": "there is one machine, the EVM",
    "yul-dialect": "there is one dialect, that of the EVM",
}

_SHORT = {"-o": "--output-dir", "-l": "--libraries", "-h": "--help"}
_BY_NAME = {option.name: option for group in GROUPS.values() for option in group}


@dataclass
class CommandLine:
    """What was written: options without a value, values by option, and the other words."""

    flags: set[str] = field(default_factory=set)
    values: dict[str, list[str]] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)

    def value(self, name: str) -> str | None:
        """The value of an option that is given once."""
        return self.values[name][0] if name in self.values else None

    @property
    def mode(self) -> str:
        """One of ``MODES``, or "" for compilation. Raises OptionError when there are several."""
        modes = [mode for mode in MODES if mode in self.flags]
        if len(modes) > 1:
            listed = ", ".join(f"--{mode}" for mode in sorted(modes))
            raise OptionError(f"The following options are mutually exclusive: {listed}. Select at most one.")
        return modes[0] if modes else ""


#: Options that may be given more than once.
_REPEATED = ("include-path", "libraries")


def read_command_line(arguments: Sequence[str]) -> CommandLine:
    """Sort the words of a command line. Raises OptionError."""
    line = CommandLine()
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if word == "-" or not word.startswith("-"):
            line.words.append(word)
            continue
        if not word.startswith("--") and word[:2] in _SHORT:
            if len(word) > 2:
                rest.insert(0, word[2:])
            word = _SHORT[word[:2]]
        name, separator, attached = word.removeprefix("--").partition("=")
        option = _BY_NAME.get(name)
        if name in REFUSED:
            raise OptionError(f"Option --{name} is not supported by smartvm: {REFUSED[name]}.")
        if name.startswith("model-checker-"):
            _refuse_model_checker(name, attached if separator else (rest.pop(0) if rest else ""))
            continue
        if option is None or not word.startswith("--"):
            raise OptionError(f"unrecognised option '{word}'")
        if not option.value:
            if separator:
                raise OptionError(f"option '--{name}' does not take any arguments")
            line.flags.add(name)
            continue
        if not separator:
            if not rest or (rest[0].startswith("--") and len(rest[0]) > 2):
                raise OptionError(f"the required argument for option '--{name}' is missing")
            attached = rest.pop(0)
        if name in line.values and name not in _REPEATED:
            raise OptionError(f"option '--{name}' cannot be specified more than once")
        line.values.setdefault(name, []).append(attached)
    return line


def _refuse_model_checker(name: str, value: str) -> None:
    if (name, value) != ("model-checker-engine", "none"):
        raise OptionError(f"Option --{name} is not supported by smartvm: there is no model checker.")


def help_text() -> str:
    """What ``--help`` prints. py-solc-x reads the last word of the line that starts with
    ``  --combined-json``."""
    lines = [
        "smartvm-solc: the smartvm compiler of Solidity and Yul, with the command line of solc.",
        "",
        "Usage: smartvm-solc [OPTION | FILE | - | [CONTEXT:]PREFIX=TARGET]...",
        "`-` stands for standard input. Example: smartvm-solc --bin -o /tmp/out --optimize Contract.sol",
    ]
    for title, options in GROUPS.items():
        lines += ["", f"{title}:"]
        for option in options:
            if option.name == "combined-json":
                # Tools take the line's last word for the list of outputs.
                lines += [f"  --combined-json {option.value}", f"{'':33}One JSON object with these outputs."]
                continue
            left = f"  --{option.name} {option.value}".rstrip()
            lines.append(f"{left:<32} {option.help}")
    return "\n".join(lines) + "\n"
