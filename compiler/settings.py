"""What a compilation depends on besides its sources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from smartvm.compiler.imports import ImportRules
from smartvm.instructions.loader import load_table
from smartvm.instructions.model import InstructionTable
from smartvm.records import dataclass, field

#: EVM versions under solc's names, oldest first.
EVM_VERSIONS = (
    "homestead", "tangerineWhistle", "spuriousDragon", "byzantium", "constantinople", "petersburg",
    "istanbul", "berlin", "london", "paris", "shanghai", "cancun", "prague", "osaka",
)  # fmt: skip

DEFAULT_EVM_VERSION = "osaka"

RevertStrings = Literal["default", "strip", "debug"]
BytecodeHash = Literal["ipfs", "bzzr1", "none"]


@dataclass(frozen=True, slots=True)
class MetadataSettings:
    """``append_cbor``: code ends in the metadata's hash; ``bytecode_hash`` which; ``use_literal_content``:
    the metadata holds the sources' text."""

    append_cbor: bool = True
    bytecode_hash: BytecodeHash = "ipfs"
    use_literal_content: bool = False


@dataclass(frozen=True)
class CompilerSettings:
    """As Standard JSON's ``settings``. ``libraries`` maps ``source:name`` to an address of 20 bytes.
    ``instruction_table`` is a shipped table's name or a TOML file. ``as_given`` keeps the parts that the
    metadata repeats word for word (``optimizer``, ``viaIR`` ...)."""

    evm_version: str = DEFAULT_EVM_VERSION
    optimize: bool = False
    runs: int = 200
    via_ir: bool = False
    revert_strings: RevertStrings = "default"
    imports: ImportRules = field(default_factory=ImportRules)
    libraries: Mapping[str, bytes] = field(default_factory=dict)
    metadata: MetadataSettings = MetadataSettings()
    instruction_table: str = "default"
    #: Compile instructions that the table gives in Yul as ordinary code, for a VM that lacks them.
    expand_extensions: bool = False
    optimizer_as_given: Mapping[str, object] = field(default_factory=dict)
    #: solc's switch for what it has not settled; smartvm's metadata repeats it.
    experimental: bool = False

    @property
    def table(self) -> InstructionTable:
        """The instruction table; TableError when it is faulty."""
        return load_table(self.instruction_table)
