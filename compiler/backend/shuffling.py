"""Bringing a stack into a given layout with DUP, SWAP, POP and pushes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from smartvm.errors import InternalError

if TYPE_CHECKING:
    from smartvm.compiler.backend.items import InstructionSet
    from smartvm.instructions.model import Instruction

#: In a stack: a slot of no further use. In a layout: a slot whose content does not matter.
NOTHING = -1

_REACH = 16


class Shuffled(Protocol):
    """What the cursor works on: a simulated stack and ways to emit."""

    stack: list[int]
    instructions: InstructionSet

    def op(self, instruction: Instruction) -> None:
        """Emit an instruction without touching the simulated stack."""

    def emit_number(self, number: int) -> None:
        """Emit a push of a number without touching the simulated stack."""

    def push_leaf(self, value: int) -> None:
        """Emit a push of a value and append it to the simulated stack."""

    def fail_here(self, values: list[int]) -> None:
        """Report that a slot holding one of ``values`` is out of reach."""


class StackCursor:
    """Rearranges the stack of a ``Shuffled``."""

    def __init__(self, coder: Shuffled) -> None:
        self.coder = coder

    def arrange(self, target: list[int]) -> None:
        """Make the stack equal ``target`` (bottom first), where ``NOTHING`` stands for any value.

        A value on top that has its place below is swapped there; one that is needed nowhere is popped;
        missing values are pushed. Each step fixes a slot for good or shortens the stack, so it ends."""
        stack = self.coder.stack
        needed: dict[int, int] = {}
        for value in target:
            if value != NOTHING:
                needed[value] = needed.get(value, 0) + 1
        steps = 0
        while True:
            steps += 1
            if steps > 8 * (len(target) + len(stack)) + 64:
                raise InternalError(f"no way found to bring the stack {stack} into the layout {target}")
            height = len(stack)
            if height and not self._top_fits(target):
                top = stack[-1]
                place = self._place_for(top, target)
                if place >= 0:
                    if not self._swap(place):
                        return
                    continue
                if not needed.get(top) or stack.count(top) > needed[top]:
                    self.coder.op(self.coder.instructions.pop)
                    stack.pop()
                    continue
            if height < len(target):
                self._push(self._next_to_push(target), target)
                continue
            wrong = self._first_wrong(target)
            if wrong < 0:
                if height == len(target):
                    return
                raise InternalError(f"a surplus value tops the stack {stack} for the layout {target}")
            wanted = target[wrong]
            source = self._misplaced(wanted, target)
            if source < 0:
                self._push(wanted, target)
            elif stack[-1] == wanted:
                if not self._swap(wrong):
                    return
            elif not self._swap(source):
                return

    def _top_fits(self, target: list[int]) -> bool:
        stack = self.coder.stack
        position = len(stack) - 1
        return position < len(target) and (target[position] == NOTHING or target[position] == stack[position])

    def _place_for(self, value: int, target: list[int]) -> int:
        """The highest slot below the top that wants ``value`` and holds something else; -1 if none does."""
        if value == NOTHING:
            return -1
        stack = self.coder.stack
        for position in range(min(len(stack) - 1, len(target)) - 1, -1, -1):
            if target[position] == value and stack[position] != value:
                return position
        return -1

    def _first_wrong(self, target: list[int]) -> int:
        stack = self.coder.stack
        for position, wanted in enumerate(target):
            if wanted != NOTHING and stack[position] != wanted:
                return position
        return -1

    def _misplaced(self, value: int, target: list[int]) -> int:
        """The highest slot that holds ``value`` and wants something else; -1 if none does."""
        stack = self.coder.stack
        for position in range(len(stack) - 1, -1, -1):
            if stack[position] == value and (position >= len(target) or target[position] != value):
                return position
        return -1

    def _next_to_push(self, target: list[int]) -> int:
        """What to push on a stack that is too low: the value for the next slot, unless that lies below in the
        place of another one, which then is pushed and swapped with it."""
        stack = self.coder.stack
        wanted = target[len(stack)]
        if wanted != NOTHING:
            position = self._misplaced(wanted, target)
            if position >= 0 and target[position] != NOTHING:
                return target[position]
        return wanted

    def _push(self, value: int, target: list[int]) -> None:
        if value == NOTHING:
            # Any value will do: a copy of the top, or a number on an empty stack.
            stack = self.coder.stack
            if stack:
                self.coder.op(self.coder.instructions.dup[0])
            else:
                self.coder.emit_number(0)
            stack.append(NOTHING)
        else:
            self.coder.push_leaf(value)

    def _swap(self, position: int) -> bool:
        stack = self.coder.stack
        depth = len(stack) - 1 - position
        if depth > _REACH:
            self.coder.fail_here([stack[position]])
            return False
        self.coder.op(self.coder.instructions.swap[depth - 1])
        stack[position], stack[-1] = stack[-1], stack[position]
        return True
