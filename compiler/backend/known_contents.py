"""What memory and storage are known to hold at a point of the program.

An address is a base value (or none) plus a number; two addresses with the same base are the same, overlap
or do not, by their numbers; of others nothing is known. In code that keeps to Solidity's memory model
(docs, "Memory Safety"; the object has a ``memoryguard``) the free memory pointer at 0x40 is written through
that very address alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from smartvm.compiler.backend.accesses import (
    FREE_POINTER,
    NO_BASE,
    RANGE_WRITERS,
    WORD_ACCESSES,
    WORD_BYTES,
    ValueView,
    address_of,
)
from smartvm.compiler.backend.effects import BITS, POINTER, Mask

if TYPE_CHECKING:
    from smartvm.compiler.backend.ssa import Operation


_POINTER_WORD = (NO_BASE, FREE_POINTER)


class _Entry(NamedTuple):
    value: int
    #: Whether a store put it there (a load only found it).
    stored: bool


class KnownContents:
    """Known words by area, and a generation number for each area that changes when it is written."""

    __slots__ = ("_areas", "_counter", "_generations", "_guarded")

    def __init__(self, guarded: bool) -> None:
        self._guarded = guarded
        self._areas: dict[str, dict[tuple[int, int], _Entry]] = {"memory": {}, "storage": {}, "transient": {}}
        # Each state that is not inherited has generations of its own.
        self._counter: object = object()
        self._generations: dict[int, object] = {}

    def copy(self) -> KnownContents:
        """The same knowledge, to go on with."""
        other = KnownContents(self._guarded)
        other._areas = {area: dict(words) for area, words in self._areas.items()}
        other._counter = self._counter
        other._generations = dict(self._generations)
        return other

    def generations(self, reads: int) -> tuple[object, ...]:
        """What identifies the present contents of the areas read."""
        get = self._generations.get
        counter = self._counter
        result: list[object] = []
        while reads:
            low = reads & -reads
            reads ^= low
            result.append(get(low, counter))
        return tuple(result)

    def forget(self, mask: Mask) -> None:
        """An operation of which only the areas are known."""
        writes = mask.writes
        if not writes:
            return
        self._advance(writes)
        for area, words in self._areas.items():
            if words and writes & BITS[area]:
                pointer = words.get(_POINTER_WORD) if self._guarded and not writes & POINTER else None
                words.clear()
                if pointer is not None and area == "memory":
                    words[_POINTER_WORD] = pointer

    def _advance(self, writes: int) -> None:
        while writes:
            low = writes & -writes
            writes ^= low
            self._generations[low] = object()

    def visit(self, operation: Operation, name: str, mask: Mask, view: ValueView) -> int | None:
        """Account for an instruction. Answers with the value that a load is known to give, with -1 for a
        store of what is there already, else None."""
        access = WORD_ACCESSES.get(name)
        if access is None:
            self._other(operation, name, mask, view)
            return None
        words = self._areas[access.area]
        key = address_of(operation.inputs[0], view)
        known = words.get(key)
        if not access.store:
            if mask.writes:
                return None  # MSIZE is used: the load itself matters
            if known is not None:
                return known.value
            words[key] = _Entry(operation.outputs[0], False)
            return None
        value = operation.inputs[1]
        if known is not None and known.value == value and (known.stored or access.area == "memory"):
            return -1
        self._advance(mask.writes)
        base, offset = key
        width = access.width
        gone = [
            other
            for other in words
            if (
                abs(other[1] - offset) < width
                if other[0] == base
                else not self._apart(access.area, base, other)
            )
        ]
        for other in gone:
            del words[other]
        words[key] = _Entry(value, True)
        return None

    def _other(self, operation: Operation, name: str, mask: Mask, view: ValueView) -> None:
        positions = RANGE_WRITERS.get(name)
        words = self._areas["memory"]
        if positions is None or not words:
            self.forget(mask)
            return
        start, length = positions
        base, offset = address_of(operation.inputs[start], view)
        size = 1 if length < 0 else view.number(operation.inputs[length])
        kept = {
            key: entry
            for key, entry in words.items()
            if size == 0
            or (
                self._apart("memory", base, key)
                if base != key[0]
                else size is not None and (key[1] + WORD_BYTES <= offset or offset + size <= key[1])
            )
        }
        self.forget(mask)
        words.update(kept)

    def _apart(self, area: str, base: int, other: tuple[int, int]) -> bool:
        """Whether a write relative to ``base`` leaves what is known at ``other``, whose base differs."""
        return self._guarded and area == "memory" and base != NO_BASE and other == (NO_BASE, FREE_POINTER)
