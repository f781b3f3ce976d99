"""One walk over a function that folds constants, applies algebra, merges equal computations (global value
numbering) and forwards what was stored to where it is loaded.

Blocks are visited so that a block comes after its dominators; what is known in a block holds in the blocks
it dominates. What memory and storage hold is known from the only predecessor of a block, if it has one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from smartvm.compiler.backend.algebra import RULES, fold, result_bits
from smartvm.compiler.backend.arithmetic import MIRRORED, WORD_BITS
from smartvm.compiler.backend.constant_calls import CallEvaluator
from smartvm.compiler.backend.control_flow import immediate_dominators, predecessors
from smartvm.compiler.backend.effects import ENDING, POINTER, EffectFacts, Mask, may_move_pointer
from smartvm.compiler.backend.known_contents import KnownContents
from smartvm.compiler.backend.ssa import BRANCH, Block, Function, Operation
from smartvm.compiler.source import NO_SOURCE

if TYPE_CHECKING:
    from smartvm.compiler.yul.dialect import BuiltinFunction

#: How often one operation is rewritten at most before the walk goes on.
_MAX_REWRITES = 8
#: Blocks between a join and its dominator that are looked at.
_MAX_REGION = 40


class InstructionNotInFork(Exception):
    """A rule wants an instruction that the fork lacks (shifts before Constantinople): it does not apply."""


class Simplifier:
    """Simplifies one function in place. ``guarded``: the code keeps to Solidity's memory model."""

    def __init__(
        self,
        function: Function,
        builtins: Mapping[str, BuiltinFunction],
        facts: EffectFacts,
        guarded: bool,
        evaluator: CallEvaluator,
    ) -> None:
        self.function = function
        self.builtins = builtins
        self.facts = facts
        self.guarded = guarded
        self.evaluator = evaluator
        self.definitions: dict[int, Operation] = {}
        self.bit_bounds: dict[int, int] = {}
        self.replacement: dict[int, int] = {}
        self.available: dict[tuple[object, ...], list[int]] = {}
        self.written: dict[int, int] = {}
        self.changed = False
        self.source = NO_SOURCE
        self._contents = KnownContents(guarded)
        self._added: list[tuple[object, ...]] = []
        self._inserted: list[Operation] = []

    # ------------------------------------------------------------------ what algebra asks

    def number(self, value: int) -> int | None:
        """The number that a value is, if it is known."""
        constant = self.function.constants.get(value)
        return constant if type(constant) is int else None

    def constant(self, number: int) -> int:
        """The value of a number."""
        return self.function.constant(number)

    def definition(self, value: int) -> tuple[str, list[int]] | None:
        """Name and operands of the pure instruction that gives the value."""
        operation = self.definitions.get(value)
        if operation is None or operation.builtin is None or operation.builtin.instruction is None:
            return None
        return operation.builtin.instruction.name, operation.inputs

    def bits(self, value: int) -> int:
        """A bound: the value is less than 2 to this power."""
        known = self.bit_bounds.get(value)
        if known is not None:
            return known
        constant = self.function.constants.get(value)
        if constant is not None:
            return constant.bit_length() if type(constant) is int else WORD_BITS
        return WORD_BITS

    # ------------------------------------------------------------------ the walk

    def run(self) -> bool:
        """Simplify; whether anything changed."""
        order = self.function.blocks
        before = predecessors(order)
        dominators = immediate_dominators(order, before)
        children: dict[int, list[Block]] = {block.number: [] for block in order}
        for block in order[1:]:
            children[dominators[block.number]].append(block)
        ends: dict[int, KnownContents] = {}
        work: list[tuple[Block, bool]] = [(order[0], True)]
        undo: list[list[tuple[object, ...]]] = []
        facts_undo: list[list[tuple[dict[int, int], int, int | None]]] = []
        while work:
            block, entering = work.pop()
            if not entering:
                for key in undo.pop():
                    del self.available[key]
                for table, value, old in reversed(facts_undo.pop()):
                    if old is None:
                        del table[value]
                    else:
                        table[value] = old
                continue
            sources = before[block.number]
            if len(sources) == 1 and sources[0].number in ends:
                contents = ends[sources[0].number].copy()
            else:
                contents = self._contents_at_join(block, dominators, before, ends)
            facts_undo.append(self._branch_facts(block, sources))
            added: list[tuple[object, ...]] = []
            undo.append(added)
            self._block(block, contents, added)
            ends[block.number] = contents
            work.append((block, False))
            for child in reversed(children[block.number]):
                work.append((child, True))
        return self.changed

    def _contents_at_join(
        self,
        block: Block,
        dominators: dict[int, int],
        before: dict[int, list[Block]],
        ends: dict[int, KnownContents],
    ) -> KnownContents:
        """What is known where ways meet: what the dominator knew and nothing between may have changed."""
        dominator = dominators[block.number]
        if dominator == block.number:
            return KnownContents(self.guarded)
        seen = {dominator}
        work = [source for source in before[block.number] if source.number != dominator]
        writes = 0
        while work:
            source = work.pop()
            if source.number in seen:
                continue
            if len(seen) > _MAX_REGION:
                return KnownContents(self.guarded)
            seen.add(source.number)
            writes |= self._block_writes(source)
            work.extend(before[source.number])
        contents = ends[dominator].copy()
        contents.forget(Mask(0, writes))
        return contents

    def _block_writes(self, block: Block) -> int:
        """What a block's operations write."""
        known = self.written.get(block.number)
        if known is None:
            known = 0
            for operation in block.operations:
                mask = self.facts.mask(operation)
                writes = mask.writes
                if (
                    operation.builtin is not None
                    and writes & POINTER
                    and not may_move_pointer(operation, self.function)
                ):
                    writes &= ~POINTER
                known |= writes
            self.written[block.number] = known
        return known

    def _branch_facts(
        self, block: Block, sources: list[Block]
    ) -> list[tuple[dict[int, int], int, int | None]]:
        """What the branch into this block says about values; holds here and below. The entries of
        ``replacement`` and ``bit_bounds`` that it covers are returned."""
        undo: list[tuple[dict[int, int], int, int | None]] = []
        if len(sources) != 1 or sources[0].kind != BRANCH:
            return undo
        source = sources[0]
        nonzero, zero = source.targets
        if nonzero is zero:
            return undo
        self._learn(source.condition, block is nonzero, undo)
        return undo

    def _learn(self, condition: int, holds: bool, undo: list[tuple[dict[int, int], int, int | None]]) -> None:
        """Note that a condition is nonzero (``holds``) or zero."""
        constants = self.function.constants

        def note(table: dict[int, int], value: int, new: int) -> None:
            if value not in constants:
                undo.append((table, value, table.get(value)))
                table[value] = new

        def at_most(value: int, bits: int) -> None:
            if self.bits(value) > bits:
                note(self.bit_bounds, value, bits)
                # What the value was cut to is the value itself.
                first, second = sorted((value, self.constant((1 << bits) - 1)))
                cut = self.available.get(("and", first, second))
                if cut is not None:
                    note(self.replacement, cut[0], value)

        if not holds:
            note(self.replacement, condition, self.constant(0))
        elif self.bits(condition) <= 1:
            note(self.replacement, condition, self.constant(1))
        made = self.definition(condition)
        if made is None:
            return
        name, inputs = made
        if name == "ISZERO":
            self._learn(inputs[0], not holds, undo)
        elif name == "SHR" and not holds:
            shift = self.number(inputs[0])
            if shift is not None and shift < WORD_BITS:
                at_most(inputs[1], shift)
        elif name in ("LT", "GT"):
            small, large = inputs if name == "LT" else inputs[::-1]
            bound = self.number(large)
            if holds and bound:
                at_most(small, (bound - 1).bit_length())
            bound = self.number(small)
            if not holds and bound is not None:
                at_most(large, bound.bit_length())
        elif name == ("EQ" if holds else "SUB"):
            for one, other in ((inputs[0], inputs[1]), (inputs[1], inputs[0])):
                if self.number(one) is not None:
                    note(self.replacement, other, one)
                    break

    def apply(self, name: str, inputs: list[int]) -> int:
        """The value of a pure instruction that is to be computed before the present operation."""
        builtin = self.builtins.get(name.lower())
        if builtin is None:
            raise InstructionNotInFork(name)
        output = self.function.new_value()
        operation = Operation(builtin, None, inputs, [output], self.source)
        if self._operation(operation, self._contents, self._added):
            self._inserted.append(operation)
            return output
        return self.replacement.pop(output)

    def _block(self, block: Block, contents: KnownContents, added: list[tuple[object, ...]]) -> None:
        replacement = self.replacement
        kept: list[Operation] = []
        self._contents, self._added, self._inserted = contents, added, kept
        for operation in block.operations:
            self.source = operation.source
            inputs = operation.inputs
            for i, value in enumerate(inputs):
                if value in replacement:
                    inputs[i] = replacement[value]
            if self._operation(operation, contents, added):
                kept.append(operation)
            else:
                self.changed = True
        block.operations = kept
        if block.arguments:
            block.arguments = [replacement.get(value, value) for value in block.arguments]
        if block.kind == BRANCH:
            self._branch(block)

    def _branch(self, block: Block) -> None:
        """Decide a branch on a known condition; drop negations of the condition."""
        condition = self.replacement.get(block.condition, block.condition)
        for _ in range(_MAX_REWRITES):
            made = self.definition(condition)
            if made is None:
                break
            name, inputs = made
            if name == "ISZERO":
                condition = inputs[0]
                block.targets.reverse()
            elif name == "GT" and self.number(inputs[1]) == 0:
                condition = inputs[0]
            elif name == "LT" and self.number(inputs[0]) == 0:
                condition = inputs[1]
            else:
                break
            self.changed = True
        block.condition = condition
        number = self.number(condition)
        if number is not None:
            block.jump(block.targets[0 if number else 1], [], block.source)
            self.changed = True

    def _operation(
        self, operation: Operation, contents: KnownContents, added: list[tuple[object, ...]]
    ) -> bool:
        """Simplify an operation whose operands are simplified; whether it is still needed."""
        builtin = operation.builtin
        if builtin is None:
            return self._call(operation, contents, added)
        instruction = builtin.instruction
        if instruction is not None and builtin.effects.pure and len(operation.outputs) == 1:
            value = self._rewrite(operation)
            output = operation.outputs[0]
            if value is not None:
                self.replacement[output] = value
                return False
            assert operation.builtin is not None
            name = operation.builtin.name
            inputs = operation.inputs
            upper = name.upper()
            if len(inputs) == 2 and upper in MIRRORED and inputs[0] > inputs[1]:
                key: tuple[object, ...] = (MIRRORED[upper].lower(), inputs[1], inputs[0])
            else:
                key = (name, *inputs)
            known = self.available.get(key)
            if known is not None:
                self.replacement[output] = known[0]
                return False
            self.available[key] = operation.outputs
            added.append(key)
            self.definitions[output] = operation
            bits = result_bits(self, upper, inputs)
            if bits < WORD_BITS:
                self.bit_bounds[output] = bits
            return True
        mask = self.facts.mask(operation)
        if instruction is not None:
            forwarded = contents.visit(operation, instruction.name, mask, self)
            if forwarded is not None:
                if forwarded >= 0:
                    self.replacement[operation.outputs[0]] = forwarded
                return False
        else:
            contents.forget(mask)
        return self._reuse(operation, (builtin.name, operation.payload), mask, contents, added)

    def _call(self, operation: Operation, contents: KnownContents, added: list[tuple[object, ...]]) -> bool:
        mask = self.facts.mask(operation)
        assert operation.callee is not None
        if (
            operation.outputs
            and operation.callee is not self.function  # whose graph is being rewritten
            and not mask.reads
            and not mask.writes & ~ENDING
        ):
            numbers = [self.number(value) for value in operation.inputs]
            if None not in numbers:
                results = self.evaluator.results(operation.callee, [n for n in numbers if n is not None])
                if results is not None:
                    for output, result in zip(operation.outputs, results, strict=True):
                        self.replacement[output] = self.constant(result)
                    return False
        contents.forget(mask)
        return self._reuse(operation, (operation.callee.number,), mask, contents, added)

    def _reuse(
        self,
        operation: Operation,
        name: tuple[object, ...],
        mask: tuple[int, int],
        contents: KnownContents,
        added: list[tuple[object, ...]],
    ) -> bool:
        """Merge an operation that writes nothing with an equal one before it, if nothing it reads has
        changed."""
        reads, writes = mask
        if not operation.outputs or writes & ~ENDING or (operation.builtin is not None and writes):
            return True
        key = (*name, *operation.inputs, *contents.generations(reads))
        known = self.available.get(key)
        if known is not None:
            self.replacement.update(zip(operation.outputs, known, strict=True))
            return False
        self.available[key] = operation.outputs
        added.append(key)
        if operation.builtin is not None:
            for output in operation.outputs:
                bits = result_bits(self, operation.builtin.name.upper(), operation.inputs)
                if bits < WORD_BITS:
                    self.bit_bounds[output] = bits
        return True

    def _rewrite(self, operation: Operation) -> int | None:
        """Fold an operation or replace it by cheaper ones; the equal value if there is one already."""
        for _ in range(_MAX_REWRITES):
            assert operation.builtin is not None
            assert operation.builtin.instruction is not None
            name = operation.builtin.instruction.name
            inputs = operation.inputs
            rule = RULES.get(name)
            numbers: list[int] = []
            for value in inputs:
                number = self.function.constants.get(value)
                if type(number) is not int:
                    break
                numbers.append(number)
            else:
                if inputs:
                    result = fold(name, numbers)
                    if result is not None:
                        return self.constant(result)
            if rule is None:
                return None
            try:
                better = rule(self, inputs)
            except InstructionNotInFork:
                return None
            if better is None:
                return None
            if isinstance(better, int):
                return better
            replacement = self.builtins.get(better[0].lower())
            if replacement is None:
                return None
            operation.builtin = replacement
            operation.inputs = better[1]
            self.changed = True
        return None
