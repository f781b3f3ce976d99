"""Small improvements on the finished list of items."""

from __future__ import annotations

from smartvm.compiler.backend.items import LABEL, PUSH_LABEL, InstructionSet, Item


def improve_items(items: list[Item], instructions: InstructionSet) -> list[Item]:
    """Drop labels that nothing pushes (their JUMPDEST is one byte and one gas)."""
    used = {item.value for item in items if item.kind == PUSH_LABEL}
    return [item for item in items if item.kind != LABEL or item.value in used]
