"""Regions of basic blocks: what the compiled tier makes one native function of (``region_emitter``).

A region starts at a block (its head) and follows jumps whose destination is known, also those whose
destination was pushed blocks before (the return address of an internal function), by carrying such constants
along: the same block may be in a region several times, with different constants or at different stack
heights. Stack words are SSA values inside of the region and are written to the frame's stack where it is
left. The function has the interpreter's handler type: it stands in the head's BEGIN_BLOCK cell, and it goes
on with the interpreter's cells (of an unfused stream, so that there is one for every instruction) wherever it
does not know better. So results and gas are the interpreter's own.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from smartvm.vm.native.layout import Shape

#: Instructions that are looked at for the way back to a head; that a loop may have; and that a region without
#: a loop has. Each copy counts.
EXPLORATION_LIMIT = 6000
REGION_LIMIT = 1200
ENTRY_LIMIT = 300


@dataclass(frozen=True, slots=True)
class CodeInstruction:
    """An instruction in code: ``body`` implements it, ``cell`` is the address of its cell in the unfused
    stream."""

    counter: int
    body: str
    shape: Shape
    operands: int
    results: int
    immediate: int
    cell: int


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """A basic block. ``begin`` is the address of its BEGIN_BLOCK cell; ``need`` and ``growth`` are stack
    words."""

    counter: int
    begin: int
    instructions: tuple[CodeInstruction, ...]
    following: int  # program counter behind it
    gas: int
    need: int
    growth: int


class BlockSource:
    """Where regions get code from: blocks by program counter."""

    def block(self, counter: int) -> CodeBlock | None:
        """The block that starts there; None when none does (the end of the code)."""
        raise NotImplementedError

    def is_target(self, counter: int) -> bool:
        """Whether a jump may go there."""
        raise NotImplementedError

    def cell_of_block(self, counter: int) -> int:
        """Address of the cell to go on at for the code at a block's start."""
        raise NotImplementedError


#: Program counter, stack height relative to the region's start, return addresses known on the stack.
Key = tuple[int, int, frozenset[tuple[int, int]]]


@dataclass(slots=True)
class Node:
    key: Key
    block: CodeBlock
    #: what the destination operand of the last instruction is known to be
    destination: int | None = None
    taken: Key | None = None
    following: Key | None = None
    lowest_written: int = 0

    @property
    def pushes_destination(self) -> bool:
        """Whether the last instruction is a jump to what was pushed right before: one cell in the stream."""
        return len(self.block.instructions) > 1 and self.block.instructions[-2].shape == Shape.PUSH


class _Constants:
    """Which stack words are known to be addresses of jump destinations, through one block."""

    def __init__(self, height: int, known: frozenset[tuple[int, int]]) -> None:
        self.height = height
        self.known = dict(known)
        self.lowest_written = height

    def push(self, value: int | None) -> None:
        self.lowest_written = min(self.lowest_written, self.height)
        self.known.pop(self.height, None)
        if value is not None:
            self.known[self.height] = value
        self.height += 1

    def pop(self) -> int | None:
        self.height -= 1
        return self.known.pop(self.height, None)

    def step(self, instruction: CodeInstruction, source: BlockSource) -> None:
        body = instruction.body
        if body.startswith("DUP"):
            self.push(self.known.get(self.height - int(body[3:])))
        elif body.startswith("SWAP"):
            depth = int(body[4:])
            top, other = self.height - 1, self.height - 1 - depth
            a, b = self.known.pop(top, None), self.known.pop(other, None)
            if a is not None:
                self.known[other] = a
            if b is not None:
                self.known[top] = b
            self.lowest_written = min(self.lowest_written, other)
        elif instruction.shape == Shape.PUSH:
            self.push(instruction.immediate if source.is_target(instruction.immediate) else None)
        else:
            for _ in range(instruction.operands):
                self.pop()
            for _ in range(instruction.results):
                self.push(None)


class Region:
    """The blocks of a region and how they follow each other: the loop that its head begins, or else what
    comes first."""

    def __init__(self, source: BlockSource, head: int) -> None:
        self.source = source
        self.nodes: dict[Key, Node] = {}
        self.head: Key = (head, 0, frozenset())
        self.need = 0
        self.growth = 0
        self.lowest_written = 0
        self._explore(EXPLORATION_LIMIT)
        loop = self._nodes_on_the_way_back()
        if not loop or sum(len(self.nodes[key].block.instructions) for key in loop) > REGION_LIMIT:
            self.nodes.clear()
            self._explore(ENTRY_LIMIT)
        else:
            self.nodes = {key: node for key, node in self.nodes.items() if key in loop}
        for node in self.nodes.values():
            height = node.key[1]
            self.need = max(self.need, node.block.need - height)
            self.growth = max(self.growth, height + node.block.growth)
            self.lowest_written = min(self.lowest_written, node.lowest_written)

    @property
    def size(self) -> int:
        """Instructions, counting each copy."""
        return sum(len(node.block.instructions) for node in self.nodes.values())

    def _explore(self, limit: int) -> None:
        waiting = deque([self.head])
        while waiting:
            key = waiting.popleft()
            if key in self.nodes:
                continue
            block = self.source.block(key[0])
            if block is None or (self.nodes and len(block.instructions) > limit):
                continue
            limit -= len(block.instructions) + 1
            node = self.nodes[key] = Node(key, block)
            waiting.extend(self._successors(node))

    def _nodes_on_the_way_back(self) -> set[Key]:
        """The nodes from which the head is reached again."""
        before: dict[Key, list[Key]] = {}
        for key, node in self.nodes.items():
            for successor in (node.taken, node.following):
                if successor is not None and successor in self.nodes:
                    before.setdefault(successor, []).append(key)
        found: set[Key] = set()
        waiting = deque(before.get(self.head, ()))
        while waiting:
            key = waiting.popleft()
            if key not in found:
                found.add(key)
                waiting.extend(before.get(key, ()))
        return found

    def _key(self, counter: int, state: _Constants) -> Key:
        if (counter, state.height) == self.head[:2]:
            return self.head  # what is known besides is forgotten, so that the loop closes
        return (counter, state.height, frozenset(state.known.items()))

    def _successors(self, node: Node) -> list[Key]:
        block, height = node.block, node.key[1]
        state = _Constants(height, node.key[2])
        *front, last = block.instructions if block.instructions else (None,)
        for instruction in front:
            assert instruction is not None
            state.step(instruction, self.source)
        result: list[Key] = []
        following = True
        if last is not None:
            if last.shape in (Shape.JUMP, Shape.CONDITIONAL_JUMP):
                node.destination = state.pop()
                if last.shape == Shape.CONDITIONAL_JUMP:
                    state.pop()
                if node.destination is not None:
                    node.taken = self._key(node.destination, state)
                    result.append(node.taken)
                following = last.shape == Shape.CONDITIONAL_JUMP
            else:
                following = last.shape not in _LEAVING
                if following:
                    state.step(last, self.source)
        if following:
            node.following = self._key(block.following, state)
            result.append(node.following)
        node.lowest_written = state.lowest_written
        return result


_LEAVING = (Shape.TERMINATOR, Shape.UNDEFINED, Shape.HOST, Shape.MAYBE_HOST, Shape.HOST_TERMINATOR)
