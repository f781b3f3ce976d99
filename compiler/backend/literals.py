"""How to put a number on the stack: pushed as it is, or computed from smaller ones where that costs less.

Cost: a byte of deployed code costs 200 gas once (Yellow Paper, G_codedeposit), a unit of execution gas is
paid ``runs`` times. Code that runs once (a constructor) pays for its bytes as data of the transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from smartvm.compiler.backend.arithmetic import MAX_WORD, WORD_BITS
from smartvm.compiler.backend.items import OPCODE, PUSH, InstructionSet, Item

if TYPE_CHECKING:
    from smartvm.instructions.model import Instruction

_DEPOSIT_GAS = 200
_DATA_GAS = 16
#: Numbers of up to this many bytes are always pushed as they are.
_SHORT = 3

#: A step: a number to push, or the name of an instruction.
_Step = int | str


class LiteralEncoder:
    """Chooses encodings, once for each number."""

    def __init__(self, instructions: InstructionSet, runs: int, creation: bool) -> None:
        self.instructions = instructions
        self.byte_cost = _DATA_GAS if creation else _DEPOSIT_GAS
        self.runs = 1 if creation else runs
        self.has_shifts = "SHL" in instructions.by_name and "SHR" in instructions.by_name
        self._chosen: dict[tuple[int, bool], list[_Step]] = {}

    def expand(self, items: list[Item], cold: bool) -> list[Item]:
        """The items with numbers encoded; ``cold`` code is not expected to run at all."""
        result: list[Item] = []
        by_name = self.instructions.by_name
        for item in items:
            value = item.value
            if item.kind != PUSH or not isinstance(value, int) or not value >> (8 * _SHORT):
                result.append(item)
                continue
            for step in self._steps(value, cold):
                if isinstance(step, int):
                    result.append(Item(PUSH, step, item.source))
                else:
                    result.append(Item(OPCODE, by_name[step], item.source))
        return result

    def _steps(self, value: int, cold: bool) -> list[_Step]:
        known = self._chosen.get((value, cold))
        if known is None:
            known = min(self._candidates(value), key=lambda steps: self._cost(steps, cold))
            self._chosen[value, cold] = known
        return known

    def _candidates(self, value: int) -> list[list[_Step]]:
        found: list[list[_Step]] = [[value], [MAX_WORD ^ value, "NOT"]]
        if not self.has_shifts:
            return found
        zeros = (value & -value).bit_length() - 1
        if zeros >= 8:
            found.append([value >> zeros, zeros, "SHL"])
            found.append([value >> (zeros & ~7), zeros & ~7, "SHL"])
            if value >> zeros == MAX_WORD >> zeros:
                found.append([0, "NOT", zeros, "SHL"])
        if value & (value + 1) == 0:
            found.append([0, "NOT", WORD_BITS - value.bit_length(), "SHR"])
        inverse = MAX_WORD ^ value
        zeros = (inverse & -inverse).bit_length() - 1
        if zeros >= 8:
            found.append([inverse >> zeros, zeros, "SHL", "NOT"])
        ones = value >> ((value & -value).bit_length() - 1)
        if ones & (ones + 1) == 0 and zeros >= 0 and value & 1 == 0:
            low = (value & -value).bit_length() - 1
            found.append([0, "NOT", WORD_BITS - ones.bit_length(), "SHR", low, "SHL"])
        return found

    def _cost(self, steps: list[_Step], cold: bool) -> tuple[int, int]:
        size = gas = 0
        push, gas_of = self.instructions.push, self.instructions.gas
        for step in steps:
            instruction: Instruction | None
            if isinstance(step, int):
                width = (step.bit_length() + 7) // 8
                instruction = push[width] or push[1]
                assert instruction is not None
                size += 1 + instruction.immediate_bytes
            else:
                instruction = self.instructions.by_name[step]
                size += 1
            gas += gas_of[instruction.opcode].base
        return size * self.byte_cost + (0 if cold else gas * self.runs), len(steps)
