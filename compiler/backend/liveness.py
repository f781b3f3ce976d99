"""Which values are needed after each block: sets as the bits of integers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet

from smartvm.compiler.backend.control_flow import predecessors
from smartvm.compiler.backend.ssa import BRANCH, RETURN, Block, Constant, Function


class Liveness:
    """``live_in[block]`` and ``live_out[block]`` by block number. A block's parameters are not live into it;
    what a jump passes is used by the jump. ``return_address`` is the value that stands for a function's
    return address, used by every return. Constants and ``ignored`` values need no place and are in no set."""

    def __init__(self, function: Function, ignored: AbstractSet[int], return_address: int) -> None:
        self.live_in: dict[int, int] = {}
        self.live_out: dict[int, int] = {}
        constants = function.constants
        used: dict[int, int] = {}
        defined: dict[int, int] = {}
        for block in function.blocks:
            used[block.number], defined[block.number] = _local(block, constants, ignored, return_address)
            self.live_in[block.number] = used[block.number]
            self.live_out[block.number] = 0
        before = predecessors(function.blocks)
        work = list(function.blocks)
        waiting = {block.number for block in work}
        while work:
            block = work.pop()
            number = block.number
            waiting.discard(number)
            out = 0
            for target in block.targets:
                out |= self.live_in[target.number]
            self.live_out[number] = out
            new = used[number] | (out & ~defined[number])
            if new != self.live_in[number]:
                self.live_in[number] = new
                for predecessor in before[number]:
                    if predecessor.number not in waiting:
                        waiting.add(predecessor.number)
                        work.append(predecessor)


def _local(
    block: Block, constants: Mapping[int, Constant], ignored: AbstractSet[int], return_address: int
) -> tuple[int, int]:
    """Values used before any definition in the block, and values defined in it."""
    defined: set[int] = set(block.parameters)
    used: set[int] = set()
    for operation in block.operations:
        if operation.outputs and operation.outputs[0] in ignored:
            continue
        for value in operation.inputs:
            if value not in defined:
                used.add(value)
        defined.update(operation.outputs)
    exits = list(block.arguments)
    if block.kind == BRANCH:
        exits.append(block.condition)
    elif block.kind == RETURN and return_address >= 0:
        exits.append(return_address)
    used.update(value for value in exits if value not in defined)
    return (
        _bits(value for value in used if value not in constants and value not in ignored),
        _bits(defined),
    )


def _bits(values: Iterable[int]) -> int:
    bits = 0
    for value in values:
        bits |= 1 << value
    return bits


def members(bits: int) -> list[int]:
    """The members of a bit set in rising order."""
    result: list[int] = []
    while bits:
        low = bits & -bits
        result.append(low.bit_length() - 1)
        bits ^= low
    return result
