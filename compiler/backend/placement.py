"""The order of a function's blocks in the code, and the jumps between them."""

from __future__ import annotations

from smartvm.compiler.backend.coding_context import FunctionCode
from smartvm.compiler.backend.items import LABEL, OPCODE, PUSH_LABEL, InstructionSet, Item
from smartvm.compiler.backend.literals import LiteralEncoder
from smartvm.compiler.backend.ssa import BRANCH, JUMP, RETURN, STOP, Block
from smartvm.compiler.source import NO_SOURCE, SourceRange


def settle_shared_ranges(codes: list[FunctionCode]) -> None:
    """Where blocks that end the execution will share their code (``Placement``), and stand for different places of
    the source, their items stand for none: a debugger then stays at the way that led there."""
    shared: dict[tuple[object, ...], list[list[Item]]] = {}
    for code in codes:
        for block in code.function.blocks[1:]:
            key = _shared_key(block, code.bodies[block.number])
            if key is not None:
                shared.setdefault(key, []).append(code.bodies[block.number])
    for bodies in shared.values():
        for twins in zip(*bodies, strict=True):
            if any(item.source != twins[0].source for item in twins):
                for item in twins:
                    item.source = NO_SOURCE


def _shared_key(block: Block, body: list[Item]) -> tuple[object, ...] | None:
    """What makes blocks that end the execution the same code; None for other blocks."""
    if block.kind != STOP or any(item.kind == LABEL for item in body):
        return None
    return tuple(item.key() for item in body)


class Placement:
    """Places the blocks of one function. Blocks without code that only jump on are skipped; a branch falls
    through to its zero target where that costs least; a loop's condition is placed after its body."""

    def __init__(
        self,
        code: FunctionCode,
        instructions: InstructionSet,
        merged: dict[tuple[object, ...], int],
        literals: LiteralEncoder | None,
    ) -> None:
        self.code = code
        self.instructions = instructions
        self.literals = literals
        self.labels = dict(code.labels)
        self.order: list[Block] = []
        self.placed: set[int] = set()
        self.forward: dict[int, Block] = {}
        self.aliased: set[int] = set()
        self._find_forwards()
        self._merge_final_blocks(merged)

    def items(self) -> list[Item]:
        """The function's items, from its label on."""
        self._choose_order()
        items: list[Item] = []
        order = self.order
        for i, block in enumerate(order):
            following = order[i + 1] if i + 1 < len(order) else None
            items.append(Item(LABEL, self.labels[block.number], self._source(block)))
            body = self.code.bodies[block.number]
            items.extend(body if self.literals is None else self.literals.expand(body, _reverts(block)))
            self._exit(block, following, items)
        return items

    def _source(self, block: Block) -> SourceRange:
        if block is self.code.function.blocks[0]:
            return self.code.function.source
        body = self.code.bodies[block.number]
        return body[0].source if body else block.source

    def _find_forwards(self) -> None:
        bodies = self.code.bodies
        entry = self.code.function.blocks[0]
        for block in self.code.function.blocks:
            if block.kind == JUMP and not bodies[block.number] and block is not entry:
                self.forward[block.number] = block.targets[0]
        for block in self.code.function.blocks:
            # A loop of nothing but jumps keeps its blocks.
            seen: list[int] = []
            number = block.number
            while number in self.forward and number not in seen:
                seen.append(number)
                number = self.forward[number].number
            if number in seen:
                for member in seen:
                    self.forward.pop(member, None)

    def _merge_final_blocks(self, merged: dict[tuple[object, ...], int]) -> None:
        """Blocks that end the execution with the same code share it, across functions."""
        for block in self.code.function.blocks[1:]:
            key = _shared_key(block, self.code.bodies[block.number])
            if key is None:
                continue
            label = merged.setdefault(key, self.labels[block.number])
            if label != self.labels[block.number]:
                self.labels[block.number] = label
                self.aliased.add(block.number)

    def _resolve(self, block: Block) -> Block:
        while block.number in self.forward:
            block = self.forward[block.number]
        return block

    def _choose_order(self) -> None:
        blocks = self.code.function.blocks
        position = {block.number: i for i, block in enumerate(blocks)}
        headers = {t.number for b in blocks for t in b.targets if position[t.number] <= position[b.number]}
        delayed: set[int] = set()
        work: list[Block] = [blocks[0]]
        cold: list[Block] = []
        while work or cold:
            block = work.pop() if work else cold.pop(0)
            while block.number not in self.placed and block.number not in self.aliased:
                self.placed.add(block.number)
                self.order.append(block)
                following = self._follow(block, headers, delayed, work, cold)
                if following is None:
                    break
                block = following

    def _follow(
        self, block: Block, headers: set[int], delayed: set[int], work: list[Block], cold: list[Block]
    ) -> Block | None:
        """The block to place after ``block``; others to place go to ``work``, those that end execution to
        ``cold``."""
        if block.kind == JUMP:
            target = self._resolve(block.targets[0])
            if (
                target.number in headers
                and target.number not in delayed
                and target.number not in self.placed
                and target.kind == BRANCH
            ):
                # Body first, condition last: the loop then takes one jump each time around.
                delayed.add(target.number)
                inside, outside = (self._resolve(t) for t in target.targets)
                if inside.kind == STOP:
                    inside, outside = outside, inside
                work.append(outside)
                work.append(target)
                return inside
            return target
        if block.kind != BRANCH:
            return None
        nonzero, zero = (self._resolve(t) for t in block.targets)
        if nonzero.kind == STOP:
            cold.append(nonzero)
            return zero
        if zero.kind == STOP and (zero.number in self.aliased or self._inverts_for_free(block)):
            cold.append(zero)
            return nonzero
        if zero.number in self.placed or (
            zero is not block.targets[1] and nonzero is block.targets[0] and zero.kind != STOP
        ):
            work.append(zero)
            return nonzero
        work.append(nonzero)
        return zero

    def _inverts_for_free(self, block: Block) -> bool:
        """Whether a branch's condition is computed by an instruction whose opposite costs no more."""
        body = self.code.bodies[block.number]
        if not body or body[-1].kind != OPCODE:
            return False
        return body[-1].value in (self.instructions.iszero, self.instructions.eq)

    def _jump(self, target: Block, items: list[Item], block: Block, conditional: bool) -> None:
        instructions = self.instructions
        items.append(Item(PUSH_LABEL, self.labels[target.number], block.source))
        items.append(Item(OPCODE, instructions.jumpi if conditional else instructions.jump, block.source))

    def _exit(self, block: Block, following: Block | None, items: list[Item]) -> None:
        instructions = self.instructions
        if block.kind == JUMP:
            target = self._resolve(block.targets[0])
            if target is not following:
                self._jump(target, items, block, False)
        elif block.kind == RETURN:
            items.append(Item(OPCODE, instructions.jump, block.source, "o"))
        elif block.kind == BRANCH:
            nonzero, zero = (self._resolve(t) for t in block.targets)
            if self.labels[nonzero.number] == self.labels[zero.number]:
                items.append(Item(OPCODE, instructions.pop, block.source))
                if zero is not following:
                    self._jump(zero, items, block, False)
            elif zero is following:
                self._jump(nonzero, items, block, True)
            elif nonzero is following:
                last = items[-1]
                if last.kind == OPCODE and last.value is instructions.iszero:
                    items.pop()
                elif last.kind == OPCODE and last.value is instructions.eq:
                    # Different is what has a nonzero difference.
                    items[-1] = Item(OPCODE, instructions.sub, last.source)
                else:
                    items.append(Item(OPCODE, instructions.iszero, block.source))
                self._jump(zero, items, block, True)
            else:
                self._jump(nonzero, items, block, True)
                self._jump(zero, items, block, False)


def _reverts(block: Block) -> bool:
    """Whether a block ends by undoing the execution: such code rarely runs."""
    if block.kind != STOP or not block.operations:
        return False
    builtin = block.operations[-1].builtin
    return builtin is not None and builtin.effects.reverts
