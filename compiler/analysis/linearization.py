"""C3 linearisation of base contracts (docs/contracts.rst, Multiple Inheritance and Linearization)."""

from __future__ import annotations

from collections.abc import Sequence

from smartvm.compiler.ast import nodes


def merge(sequences: Sequence[Sequence[nodes.ContractDefinition]]) -> list[nodes.ContractDefinition]:
    """Merge linearisations that each go from derived to base; empty when there is no consistent order."""
    waiting = [list(sequence) for sequence in sequences if sequence]
    result: list[nodes.ContractDefinition] = []
    while waiting:
        behind = {contract.id for sequence in waiting for contract in sequence[1:]}
        head = next((sequence[0] for sequence in waiting if sequence[0].id not in behind), None)
        if head is None:
            return []
        result.append(head)
        for sequence in waiting:
            if sequence[0] is head:
                del sequence[0]
        waiting = [sequence for sequence in waiting if sequence]
    return result
