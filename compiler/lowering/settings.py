"""What lowering depends on besides the program: the EVM version, the revert strings and whether to
optimise."""

from __future__ import annotations

from typing import Literal

from smartvm.records import dataclass

RevertStrings = Literal["default", "strip", "debug", "verboseDebug"]

#: EVM versions under the names of solc's ``--evm-version``, oldest first.
EVM_VERSIONS = (
    "homestead",
    "tangerineWhistle",
    "spuriousDragon",
    "byzantium",
    "constantinople",
    "petersburg",
    "istanbul",
    "berlin",
    "london",
    "paris",
    "shanghai",
    "cancun",
    "prague",
    "osaka",
)


@dataclass(frozen=True, slots=True)
class LoweringSettings:
    """``evm_version`` is one of ``EVM_VERSIONS`` (a newer, unknown name counts as newer than all of them);
    ``revert_strings`` is Standard JSON's ``debug.revertStrings``."""

    evm_version: str = "osaka"
    revert_strings: RevertStrings = "default"
    optimize: bool = False

    def since(self, version: str) -> bool:
        """Whether the EVM version is ``version`` or newer."""
        if self.evm_version not in EVM_VERSIONS:
            return True
        return EVM_VERSIONS.index(self.evm_version) >= EVM_VERSIONS.index(version)

    @property
    def has_bitwise_shifting(self) -> bool:
        """EIP-145: ``shl``, ``shr``, ``sar``."""
        return self.since("constantinople")

    @property
    def has_static_call(self) -> bool:
        """EIP-214: ``staticcall``."""
        return self.since("byzantium")

    @property
    def has_return_data(self) -> bool:
        """EIP-211: ``returndatasize`` and ``returndatacopy``."""
        return self.since("byzantium")

    @property
    def has_memory_copy(self) -> bool:
        """EIP-5656: ``mcopy``."""
        return self.since("cancun")

    @property
    def can_overcharge_gas_for_call(self) -> bool:
        """EIP-150: a call may ask for more gas than there is."""
        return self.since("tangerineWhistle")

    @property
    def debug_revert_strings(self) -> bool:
        """Whether reasons are added to reverts that the compiler itself makes."""
        return self.revert_strings in ("debug", "verboseDebug")
