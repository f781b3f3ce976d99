"""What coding a function needs from its program, and what it gives."""

from __future__ import annotations

from collections.abc import Callable

from smartvm.compiler.backend.items import InstructionSet, Item
from smartvm.compiler.backend.ssa import Function


class CodingContext:
    """What the coders of a program's functions share: instructions, labels, immutables of the sub-objects."""

    def __init__(
        self, instructions: InstructionSet, immutable_offsets: Callable[[str], tuple[int, ...]]
    ) -> None:
        self.instructions = instructions
        self.immutable_offsets = immutable_offsets
        self.label_count = 0
        self.function_labels: dict[int, int] = {}
        #: Function number to the number of its recursive group, for functions that may call themselves.
        self.recursive_group: dict[int, int] = {}

    def new_label(self) -> int:
        """A fresh label."""
        self.label_count += 1
        return self.label_count

    def function_label(self, function: Function) -> int:
        """The label of a function's entry."""
        label = self.function_labels.get(function.number)
        if label is None:
            label = self.function_labels[function.number] = self.new_label()
        return label


class FunctionCode:
    """A function's items: ``bodies`` by block number, without the jumps between blocks; ``labels`` of the
    blocks."""

    __slots__ = ("bodies", "function", "labels", "slots")

    def __init__(
        self, function: Function, bodies: dict[int, list[Item]], labels: dict[int, int], slots: int
    ) -> None:
        self.function = function
        self.bodies = bodies
        self.labels = labels
        self.slots = slots
