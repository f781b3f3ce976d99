"""Instructions -> basic blocks and the edges between them.

Jump targets are found by running the blocks on stacks of constants: what is not a constant is unknown. A
block is run once for each stack that reaches it, so that a function's return address is known at each of
its returns; past a number of stacks they are merged, and a jump whose target is then unknown is marked so.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from smartvm.disassembler.linear import DisassembledInstruction, Disassembly

EdgeKind = Literal["jump", "taken", "next"]

#: A stack, top last, as far as it is known; None is an unknown word.
_Stack = tuple[int | None, ...]
_KNOWN_DEPTH = 48
_STACKS_PER_BLOCK = 24


@dataclass(frozen=True)
class BasicBlock:
    """Instructions that run one after the other. ``successors``: offset and kind (``jump``; of a
    conditional jump ``taken`` or ``next``; ``next`` also for falling into the next block). ``operands``:
    for each instruction the constants among its operands, None where unknown or where it is not reached."""

    instructions: tuple[DisassembledInstruction, ...]
    successors: tuple[tuple[int, EdgeKind], ...]
    is_reachable: bool
    has_unknown_jump: bool
    operands: tuple[tuple[int | None, ...], ...]
    static_gas: int
    dynamic_rules: tuple[str, ...]

    @property
    def start(self) -> int:
        """Offset of the first instruction."""
        return self.instructions[0].offset

    @property
    def end(self) -> int:
        """Offset after the last instruction."""
        return self.instructions[-1].offset + self.instructions[-1].size


@dataclass(frozen=True)
class ControlFlowGraph:
    """Blocks in the order of the code."""

    blocks: tuple[BasicBlock, ...]

    @cached_property
    def by_start(self) -> dict[int, BasicBlock]:
        """Blocks by the offset of their first instruction."""
        return {block.start: block for block in self.blocks}

    def predecessors(self) -> dict[int, list[int]]:
        """For each block's start the starts of the blocks that lead to it."""
        found: dict[int, list[int]] = {block.start: [] for block in self.blocks}
        for block in self.blocks:
            for target, _ in block.successors:
                if block.start not in found[target]:
                    found[target].append(block.start)
        return found


@dataclass
class _Raw:
    instructions: Sequence[DisassembledInstruction]
    following: int | None
    stacks: set[_Stack] = field(default_factory=set)
    merged: _Stack | None = None
    successors: dict[tuple[int, EdgeKind], None] = field(default_factory=dict)
    has_unknown_jump: bool = False


def control_flow_graph(disassembly: Disassembly) -> ControlFlowGraph:
    """The graph of the code that starts at byte 0."""
    raw = {block.instructions[0].offset: block for block in _cut(disassembly.instructions)}
    targets = {start for start, block in raw.items() if _control(block.instructions[0]) == "jump_target"}
    _explore(raw, targets)
    return ControlFlowGraph(tuple(_finish(block, disassembly) for block in raw.values()))


def _control(item: DisassembledInstruction) -> str | None:
    return item.instruction.control if item.instruction else None


def _ends_block(item: DisassembledInstruction) -> bool:
    if item.instruction is None or item.instruction.effects.terminates:
        return True
    return item.instruction.control in ("jump", "conditional_jump")


def _cut(instructions: Sequence[DisassembledInstruction]) -> Iterator[_Raw]:
    first = 0
    for index, item in enumerate(instructions):
        last = index + 1 == len(instructions)
        if _ends_block(item) or last or _control(instructions[index + 1]) == "jump_target":
            following = None if last else instructions[index + 1].offset
            yield _Raw(instructions[first : index + 1], following)
            first = index + 1


def _explore(raw: dict[int, _Raw], targets: set[int]) -> None:
    if not raw:
        return
    pending: deque[tuple[int, _Stack]] = deque([(0, ())])
    while pending:
        start, stack = pending.popleft()
        block = raw[start]
        if stack in block.stacks:
            continue
        if len(block.stacks) >= _STACKS_PER_BLOCK:
            # Too many ways in: go on with what all of them agree on.
            agreed = _merge(block.stacks | {stack})
            if block.merged == agreed:
                continue
            block.merged, stack = agreed, agreed
        block.stacks.add(stack)
        after, jump_target = _run(block.instructions, stack)
        last = block.instructions[-1]
        control = _control(last)
        leads: list[tuple[int, EdgeKind]] = []
        if control in ("jump", "conditional_jump"):
            if jump_target is None:
                block.has_unknown_jump = True
            elif jump_target in targets:
                leads.append((jump_target, "jump" if control == "jump" else "taken"))
        falls = control == "conditional_jump" or (control != "jump" and not _ends_block(last))
        if falls and block.following is not None:
            leads.append((block.following, "next"))
        for lead in leads:
            block.successors[lead] = None
            pending.append((lead[0], after))


def _merge(stacks: set[_Stack]) -> _Stack:
    depth = min(len(stack) for stack in stacks)
    columns = zip(*[stack[len(stack) - depth :] for stack in stacks], strict=True) if depth else ()
    return tuple(column[0] if len(set(column)) == 1 else None for column in columns)


def _run(
    instructions: Sequence[DisassembledInstruction],
    stack: _Stack,
    seen: list[tuple[int | None, ...]] | None = None,
) -> tuple[_Stack, int | None]:
    """The stack after the instructions, and where a jump at their end goes; ``seen`` collects operands."""
    words = list(stack)
    target: int | None = None
    for item in instructions:
        instruction = item.instruction
        if instruction is None:
            if seen is not None:
                seen.append(())
            break
        count = len(instruction.operands)
        operands = [words.pop() if words else None for _ in range(count)]
        if seen is not None:
            seen.append(tuple(operands))
        if instruction.control in ("jump", "conditional_jump"):
            target = operands[0]
        if instruction.result_count is not None:
            pushed = operands[instruction.operands.index(instruction.result_count.operand)]
            if pushed is None:
                words.clear()
            else:
                words.extend([None] * min(pushed, _KNOWN_DEPTH))
            continue
        if item.value is not None:
            words.append(item.value)
            continue
        known = dict(zip(instruction.operands, operands, strict=True))
        words.extend(known.get(name) for name in reversed(instruction.results))
    return tuple(words[-_KNOWN_DEPTH:]), target


def _finish(block: _Raw, disassembly: Disassembly) -> BasicBlock:
    table, fork = disassembly.table, disassembly.fork
    operands: list[tuple[int | None, ...]] = []
    reached = bool(block.stacks)
    _run(block.instructions, _merge(block.stacks) if reached else (), operands)
    operands.extend(() for _ in range(len(block.instructions) - len(operands)))
    gas, rules = 0, dict[str, None]()
    for item in block.instructions:
        if item.instruction is not None:
            price = table.gas(item.instruction, fork)
            gas += price.base
            if price.dynamic:
                rules[price.dynamic] = None
    return BasicBlock(
        instructions=tuple(block.instructions),
        successors=tuple(block.successors),
        is_reachable=reached,
        has_unknown_jump=block.has_unknown_jump,
        operands=tuple(operands),
        static_gas=gas,
        dynamic_rules=tuple(rules),
    )
