"""Which outputs Standard JSON asks for (docs/using-the-compiler.rst, ``outputSelection``)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from smartvm.records import dataclass, field

#: What ``*`` leaves out.
_NOT_BY_WILDCARD = frozenset({"ir", "irAst", "irOptimized", "irOptimizedAst", "yulCFGJson"})

_BYTECODE_PARTS = (
    "functionDebugData", "generatedSources", "immutableReferences", "linkReferences", "object", "opcodes",
    "sourceMap",
)  # fmt: skip

#: Outputs for which code must be made.
BINARY_OUTPUTS = (
    *_NOT_BY_WILDCARD,
    "evm.assembly",
    "evm.gasEstimates",
    "evm.legacyAssembly",
    *(f"evm.{kind}.{part}" for kind in ("bytecode", "deployedBytecode") for part in _BYTECODE_PARTS),
)


@dataclass(frozen=True, slots=True)
class OutputSelection:
    """Source name to contract name to outputs, each name possibly ``*``; "" stands for the source as a
    whole."""

    selected: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)

    def wants(self, source: str, contract: str, output: str, *, wildcard_matches_ir: bool = False) -> bool:
        """Whether an output is asked for: by name, by the group it belongs to, or by ``*``."""
        for file in dict.fromkeys((source, "*")):
            contracts = self.selected.get(file, {})
            for name in (contract, "*") if contract else (contract,):
                for request in contracts.get(name, ()):
                    if request == output or output.startswith(request + "."):
                        return True
                    if request == "*" and (wildcard_matches_ir or output not in _NOT_BY_WILDCARD):
                        return True
        return False

    def requests(self, source: str, contract: str) -> list[str]:
        """All requests, as written, that apply to a contract, or to the source as a whole."""
        return [
            request
            for file in dict.fromkeys((source, "*"))
            for name in ((contract, "*") if contract else ("",))
            for request in self.selected.get(file, {}).get(name, ())
        ]

    def wants_part_of(
        self, source: str, contract: str, group: str, *, wildcard_matches_ir: bool = False
    ) -> bool:
        """Whether any part of ``evm.bytecode`` or ``evm.deployedBytecode`` is asked for."""
        return any(
            self.wants(source, contract, f"{group}.{part}", wildcard_matches_ir=wildcard_matches_ir)
            for part in _BYTECODE_PARTS
        )

    def selects(self, source: str, contract: str) -> bool:
        """Whether any output of a contract is asked for."""
        return any(name in self.selected.get(file, {}) for file in (source, "*") for name in (contract, "*"))

    @property
    def requested_sources(self) -> Callable[[str], bool] | None:
        """Whether a source, by its name, is to be analysed; None where all are."""
        return None if not self.selected or "*" in self.selected else self.selected.__contains__

    def names_any(self, outputs: tuple[str, ...]) -> bool:
        """Whether one of ``outputs`` is asked for by its own name, for whatever contract."""
        return any(
            request in outputs
            for contracts in self.selected.values()
            for requests in contracts.values()
            for request in requests
        )

    @property
    def wants_code(self) -> bool:
        """Whether any output of any contract needs code to be made."""
        return any(
            request == "*"
            or any(output == request or output.startswith(request + ".") for output in BINARY_OUTPUTS)
            for contracts in self.selected.values()
            for requests in contracts.values()
            for request in requests
        )
