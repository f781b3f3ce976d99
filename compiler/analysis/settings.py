"""What analysis depends on besides the sources."""

from __future__ import annotations

from smartvm.instructions.model import InstructionTable
from smartvm.records import dataclass

#: EVM versions by name as solc's ``evmVersion`` knows them, in order.
EVM_VERSIONS = (
    "homestead", "tangerineWhistle", "spuriousDragon", "byzantium", "constantinople", "petersburg",
    "istanbul", "berlin", "london", "paris", "shanghai", "cancun", "prague", "osaka", "amsterdam",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class AnalysisSettings:
    """``evm_version`` as in solc's settings; ``table`` gives inline assembly its builtins (None: the default
    table); ``via_ir`` tells which pipeline warnings speak of."""

    evm_version: str = "osaka"
    table: InstructionTable | None = None
    optimizer_runs_yul: bool = True

    def at_least(self, version: str) -> bool:
        """Whether the EVM version is ``version`` or newer. Unknown versions count as the newest."""
        if self.evm_version not in EVM_VERSIONS:
            return True
        return EVM_VERSIONS.index(self.evm_version) >= EVM_VERSIONS.index(version)
