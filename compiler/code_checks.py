"""What is reported about finished code: sizes that chains refuse, immutables that are never assigned."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from smartvm.compiler.settings import EVM_VERSIONS
from smartvm.compiler.source import NO_SOURCE
from smartvm.compiler.yul import ast as yul

if TYPE_CHECKING:
    from smartvm.compiler.backend import AssembledObject
    from smartvm.compiler.diagnostics import DiagnosticSink
    from smartvm.compiler.pipeline import CompiledContract

#: Bytes of deployed code (EIP-170) and of creation code (EIP-3860).
DEPLOYED_CODE_LIMIT = 0x6000
CREATION_CODE_LIMIT = 2 * DEPLOYED_CODE_LIMIT

_ADVICE = "Turn the optimizer on with few `runs`, strip revert strings, or move code to libraries."


def check_immutables(object_: yul.Object, deployed: AssembledObject, sink: DiagnosticSink) -> None:
    """Report immutables that ``deployed`` reads and the code of ``object_`` never assigns."""
    if deployed.immutable_references and not (
        set(deployed.immutable_references) <= _assigned_immutables(object_.code)
    ):
        sink.error(
            "CodeGenerationError",
            1284,
            NO_SOURCE,
            "An immutable is read but never assigned, possibly because the code that does is left out.",
        )


def check_code(contract: CompiledContract, assembled: AssembledObject) -> None:
    """Report what is wrong with a contract's code to its unit's sink."""
    from smartvm.compiler.pipeline import deployed_part

    deployed = deployed_part(assembled)
    unit, source = contract.unit, contract.definition.src
    check_immutables(contract.yul_object, deployed, unit.sink)
    version = EVM_VERSIONS.index(unit.settings.evm_version)
    size = len(deployed.bytecode)
    if size > DEPLOYED_CODE_LIMIT and version >= EVM_VERSIONS.index("spuriousDragon"):
        unit.sink.warning(
            5574,
            source,
            f"The contract's code has {size} bytes; since Spurious Dragon Ethereum takes at most "
            f"{DEPLOYED_CODE_LIMIT}. {_ADVICE}",
        )
    size = len(assembled.bytecode)
    if size > CREATION_CODE_LIMIT and version >= EVM_VERSIONS.index("shanghai"):
        unit.sink.warning(
            3860,
            source,
            f"The contract's creation code has {size} bytes; since Shanghai Ethereum takes at most "
            f"{CREATION_CODE_LIMIT}. {_ADVICE}",
        )


def _assigned_immutables(code: yul.Block) -> set[str]:
    """The names that ``setimmutable`` gets in a block."""
    names: set[str] = set()
    pending: list[object] = [code]
    while pending:
        thing = pending.pop()
        if isinstance(thing, tuple):
            pending.extend(thing)
        elif isinstance(thing, yul.FunctionCall):
            name = thing.arguments[1] if thing.name == "setimmutable" else None
            if isinstance(name, yul.Literal) and name.data is not None:
                names.add(name.data.decode())
            pending.extend(thing.arguments)
        elif dataclasses.is_dataclass(thing) and not isinstance(thing, type):
            pending.extend(getattr(thing, field.name) for field in dataclasses.fields(thing))
    return names
