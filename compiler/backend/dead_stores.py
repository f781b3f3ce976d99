"""Removal of stores that are overwritten, or undone by a revert, before anything can see them."""

from __future__ import annotations

from smartvm.compiler.backend.accesses import (
    FREE_POINTER,
    NO_BASE,
    RANGE_READERS,
    WORD_ACCESSES,
    WORD_BYTES,
    address_of,
)
from smartvm.compiler.backend.effects import BITS, KEEPING_END, EffectFacts
from smartvm.compiler.backend.ssa import BRANCH, JUMP, Block, Function, Operation

_AREAS = ("memory", "storage", "transient")
#: Reads that are told apart before a state gives up.
_MAX_READS = 6

#: Base, first byte or slot, and size of what is read.
_Range = tuple[int, int, int]


class _Unseen:
    """What of an area is written again before it is seen: the listed words, or with ``all_but`` (which then
    is not None) everything but these ranges."""

    __slots__ = ("all_but", "words")

    def __init__(self, words: frozenset[tuple[int, int]], all_but: tuple[_Range, ...] | None) -> None:
        self.words = words
        self.all_but = all_but


_NOTHING = _Unseen(frozenset(), None)
_ALL = _Unseen(frozenset(), ())


class DeadStores:
    """Removes dead stores of one function, going backwards over its blocks."""

    def __init__(self, function: Function, facts: EffectFacts, guarded: bool) -> None:
        self.function = function
        self.facts = facts
        self.guarded = guarded
        self.made: dict[int, tuple[str, list[int]]] = {}
        for block in function.blocks:
            for operation in block.operations:
                builtin = operation.builtin
                if builtin is not None and builtin.instruction is not None and len(operation.outputs) == 1:
                    self.made[operation.outputs[0]] = (builtin.instruction.name, operation.inputs)

    def number(self, value: int) -> int | None:
        """The number that a value is, if it is known."""
        constant = self.function.constants.get(value)
        return constant if type(constant) is int else None

    def definition(self, value: int) -> tuple[str, list[int]] | None:
        """Name and operands of the instruction that gives the value."""
        return self.made.get(value)

    def run(self) -> bool:
        """Remove dead stores; whether there were any."""
        before: dict[int, dict[str, _Unseen]] = {}
        changed = False
        for block in reversed(self.function.blocks):
            state = self._at_end(block, before)
            kept: list[Operation] = []
            for operation in reversed(block.operations):
                if self._visit(operation, state):
                    kept.append(operation)
                else:
                    changed = True
            kept.reverse()
            block.operations = kept
            before[block.number] = state
        return changed

    def _at_end(self, block: Block, before: dict[int, dict[str, _Unseen]]) -> dict[str, _Unseen]:
        if block.kind not in (JUMP, BRANCH):
            return dict.fromkeys(_AREAS, _NOTHING)
        state: dict[str, _Unseen] | None = None
        for target in block.targets:
            other = before.get(target.number)
            if other is None:  # a loop's back edge
                return dict.fromkeys(_AREAS, _NOTHING)
            state = (
                dict(other)
                if state is None
                else {area: self._both(area, state[area], other[area]) for area in _AREAS}
            )
        return state or dict.fromkeys(_AREAS, _NOTHING)

    def _both(self, area: str, one: _Unseen, other: _Unseen) -> _Unseen:
        if one is other:
            return one
        if one.all_but is None and other.all_but is None:
            return _Unseen(one.words & other.words, None)
        if one.all_but is not None and other.all_but is not None:
            reads = tuple(dict.fromkeys((*one.all_but, *other.all_but)))
            if len(reads) > _MAX_READS:
                return _NOTHING
            return _Unseen(one.words & other.words, reads)
        listed, rest = (one, other) if one.all_but is None else (other, one)
        return _Unseen(frozenset(word for word in listed.words if self._is_unseen(area, word, rest)), None)

    def _is_unseen(self, area: str, word: tuple[int, int], state: _Unseen) -> bool:
        if word in state.words:
            return True
        if state.all_but is None:
            return False
        width = WORD_BYTES if area == "memory" else 1
        return not any(self._overlap(area, (*word, width), read) for read in state.all_but)

    def _overlap(self, area: str, one: _Range, other: _Range) -> bool:
        if one[0] != other[0]:
            # In guarded code what is reached through a pointer is never the free memory pointer.
            words = [r for r in (one, other) if r[0] == NO_BASE]
            return not (
                self.guarded
                and area == "memory"
                and len(words) == 1
                and words[0][1] == FREE_POINTER
                and words[0][2] == WORD_BYTES
            )
        return one[1] < other[1] + other[2] and other[1] < one[1] + one[2]

    def _visit(self, operation: Operation, state: dict[str, _Unseen]) -> bool:
        """Go back over one operation; whether it is needed."""
        builtin = operation.builtin
        reads, writes = mask = self.facts.mask(operation)
        if not reads and not writes:
            return True
        name = builtin.instruction.name if builtin is not None and builtin.instruction is not None else ""
        access = WORD_ACCESSES.get(name)
        if access is not None:
            word = address_of(operation.inputs[0], self)
            unseen = state[access.area]
            if not access.store:
                state[access.area] = self._read(access.area, unseen, (*word, access.width))
                return True
            if self._is_unseen(access.area, word, unseen) and not (writes & BITS["memory_size"]):
                return False
            state[access.area] = _Unseen(unseen.words | {word}, unseen.all_but)
            return True
        if builtin is not None and builtin.effects.terminates:
            keeping = not builtin.effects.reverts
            for area in _AREAS:
                state[area] = _NOTHING if keeping and area != "memory" else _ALL
        elif writes & KEEPING_END:
            for area in _AREAS:
                state[area] = _NOTHING
            return True
        if builtin is None:
            if mask.writes:
                state["memory"] = _NOTHING
            for area in _AREAS:
                if reads & BITS[area]:
                    state[area] = _NOTHING
            return True
        terminates = builtin.effects.terminates
        for area in _AREAS:
            if area == "memory" and (name in RANGE_READERS or (terminates and not operation.inputs)):
                if name in RANGE_READERS:
                    state[area] = self._read_range(operation, name, state[area])
            elif reads & BITS[area] and not (terminates and area != "memory"):
                state[area] = _NOTHING
        return True

    def _read_range(self, operation: Operation, name: str, unseen: _Unseen) -> _Unseen:
        start, length = RANGE_READERS[name]
        size = self.number(operation.inputs[length])
        if size == 0:
            return unseen
        base, offset = address_of(operation.inputs[start], self)
        # A range of unknown length reaches upwards without end.
        return self._read("memory", unseen, (base, offset, size if size is not None else 1 << 256))

    def _read(self, area: str, unseen: _Unseen, read: _Range) -> _Unseen:
        width = WORD_BYTES if area == "memory" else 1
        words = frozenset(word for word in unseen.words if not self._overlap(area, (*word, width), read))
        if unseen.all_but is None:
            return _Unseen(words, None)
        if len(unseen.all_but) >= _MAX_READS:
            return _Unseen(words, None)
        return _Unseen(words, (*unseen.all_but, read))
