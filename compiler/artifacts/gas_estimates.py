"""``evm.gasEstimates``: upper bounds of what deployment and calls cost (docs/using-the-compiler.rst)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from smartvm.compiler.analysis.types.declarations import function_type, is_part_of_external_interface
from smartvm.compiler.artifacts.gas_bounds import RETURN_ADDRESS, CodeBounds
from smartvm.compiler.artifacts.intervals import ANYTHING, Interval, constant
from smartvm.compiler.ast import nodes

if TYPE_CHECKING:
    from smartvm.compiler.backend import AssembledObject
    from smartvm.compiler.pipeline import CompiledContract

#: Gas for each byte of deployed code (Yellow Paper, G_codedeposit).
CODE_DEPOSIT_GAS = 200

#: solc's word for "no bound is known".
UNBOUNDED = "infinite"

_MOST_CALLDATA = 2**64 - 1


def gas_estimates(contract: CompiledContract) -> dict[str, Any]:
    """Creation, external functions and the contract's own internal functions, each an upper bound as a
    decimal string, or ``infinite``. The bounds leave the transaction's own price (21,000 and calldata) out, as
    solc's do; an internal function that has no code of its own (it is inlined everywhere) is ``infinite``."""
    deposit = CODE_DEPOSIT_GAS * len(contract.deployed.bytecode)
    creation = _bounds(contract, contract.assembled).bound(calldata_size=(0, 0), calldata=lambda _: (0, 0))
    deployed = _bounds(contract, contract.deployed)
    estimates: dict[str, Any] = {
        "creation": {
            "codeDepositCost": str(deposit),
            "executionCost": _shown(creation),
            "totalCost": _shown(None if creation is None else creation + deposit),
        }
    }
    if external := _external(contract, deployed):
        estimates["external"] = external
    if internal := _internal(contract, deployed):
        estimates["internal"] = internal
    return estimates


def _shown(bound: int | None) -> str:
    return UNBOUNDED if bound is None else str(bound)


def _bounds(contract: CompiledContract, part: AssembledObject) -> CodeBounds:
    references: list[Mapping[str, tuple[tuple[int, int], ...]]] = [part.link_references, part.immutable_references]
    placeholders = frozenset(offset for group in references for places in group.values() for offset, _ in places)
    unit = contract.unit
    return CodeBounds(part.bytecode[: part.code_size], unit.settings.table, unit.dialect.fork, placeholders)


def _external(contract: CompiledContract, code: CodeBounds) -> dict[str, str]:
    estimates = {
        signature: _shown(code.bound(calldata=_selecting(selector), calldata_size=(4, _MOST_CALLDATA)))
        for signature, selector in contract.method_identifiers.items()
    }
    definition, model = contract.definition, contract.unit.model
    kinds = {
        part.kind
        for base in model.facts(definition).linearized_base_contracts
        for part in base.nodes
        if isinstance(part, nodes.FunctionDefinition)
    }
    if "fallback" in kinds:
        unknown = next(
            selector
            for selector in (f"{number:08x}" for number in range(2**32 - 1, -1, -1))
            if selector not in contract.method_identifiers.values()
        )
        called = code.bound(calldata=_selecting(unknown), calldata_size=(4, _MOST_CALLDATA))
        empty = code.bound(calldata=lambda _: (0, 0), calldata_size=(0, 0))
        estimates[""] = _shown(None if called is None or empty is None else max(called, empty))
    return estimates


def _selecting(selector: str) -> Callable[[Interval], Interval]:
    """Calldata that starts with a selector and is otherwise anything."""
    first = int(selector, 16) << 224

    def word(offset: Interval) -> Interval:
        return (first, first + 2**224 - 1) if offset == (0, 0) else ANYTHING

    return word


def _internal(contract: CompiledContract, code: CodeBounds) -> dict[str, str]:
    from smartvm.compiler.artifacts.bytecode import ast_id_of

    entries = {ast_id_of(entry.name): entry for entry in contract.deployed.functions}
    estimates: dict[str, str] = {}
    for part in contract.definition.nodes:
        if (
            not isinstance(part, nodes.FunctionDefinition)
            or part.kind != "function"
            or is_part_of_external_interface(part)
        ):
            continue
        entry = entries.get(part.id)
        bound = None
        if entry is not None:
            stack = (constant(RETURN_ADDRESS), *[ANYTHING] * entry.parameters)
            bound = code.bound(entry.offset, stack)
        # Internal parameters may have types without an external signature: they are told as in messages.
        parameters = function_type(part, contract.unit.model).parameter_types
        listed = ",".join(parameter.text() for parameter in parameters)
        estimates[f"{part.name}({listed})"] = _shown(bound)
    return estimates
