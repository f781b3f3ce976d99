"""Whether a program writes the free memory pointer through that constant address alone.

Passes forward the pointer's value across stores through computed addresses, which in Solidity's memory
model never lead to it. A small constant that reaches an address through a parameter, a result or a join of
paths might; a program in which one could is optimized without that assumption.
"""

from __future__ import annotations

from smartvm.compiler.backend.accesses import FREE_POINTER, RANGE_WRITERS, WORD_ACCESSES, WORD_BYTES
from smartvm.compiler.backend.ssa import JUMP, RETURN, Function, Program

_Place = tuple[int, int]


def pointer_is_private(program: Program) -> bool:
    """True when no constant below the pointer's end flows into the address of a store so that it hits it."""
    flows: dict[_Place, list[_Place]] = {}
    constants: dict[_Place, set[int]] = {}
    work: list[_Place] = []

    def connect(source: Function, value: int, place: _Place) -> None:
        constant = source.constants.get(value)
        if constant is None:
            flows.setdefault((source.number, value), []).append(place)
        elif type(constant) is int and constant < FREE_POINTER + WORD_BYTES:
            constants.setdefault(place, set()).add(constant)
            work.append(place)

    returned: dict[int, list[list[int]]] = {
        function.number: [block.arguments for block in function.blocks if block.kind == RETURN]
        for function in program.functions
    }
    for function in program.functions:
        number = function.number
        for block in function.blocks:
            if block.kind == JUMP:
                for parameter, argument in zip(block.targets[0].parameters, block.arguments, strict=True):
                    connect(function, argument, (number, parameter))
            for operation in block.operations:
                callee = operation.callee
                if callee is None:
                    continue
                for parameter, argument in zip(callee.parameters, operation.inputs, strict=True):
                    connect(function, argument, (callee.number, parameter))
                for results in returned[callee.number]:
                    for output, result in zip(operation.outputs, results, strict=False):
                        connect(callee, result, (number, output))
    while work:
        place = work.pop()
        for target in flows.get(place, ()):
            known = constants.setdefault(target, set())
            if not constants[place] <= known:
                known |= constants[place]
                work.append(target)
    if not constants:
        return True
    return not any(_hits_pointer(function, constants) for function in program.functions)


def _hits_pointer(function: Function, constants: dict[_Place, set[int]]) -> bool:
    number = function.number
    offsets: dict[int, tuple[int, int]] = {}
    for block in function.blocks:
        for operation in block.operations:
            builtin = operation.builtin
            if builtin is None or builtin.instruction is None:
                continue
            name = builtin.instruction.name
            if name == "ADD":
                for one, other in (operation.inputs, operation.inputs[::-1]):
                    constant = function.constants.get(one)
                    if type(constant) is int:
                        base, offset = offsets.get(other, (other, 0))
                        offsets[operation.outputs[0]] = (base, offset + constant)
                continue
            if name in RANGE_WRITERS:
                address, size = operation.inputs[RANGE_WRITERS[name][0]], FREE_POINTER + WORD_BYTES
            elif name in WORD_ACCESSES and WORD_ACCESSES[name].store and WORD_ACCESSES[name].area == "memory":
                address, size = operation.inputs[0], WORD_BYTES
            else:
                continue
            base, offset = offsets.get(address, (address, 0))
            for start in constants.get((number, base), ()):
                first = (start + offset) % (1 << 256)
                if first + size > FREE_POINTER and first < FREE_POINTER + WORD_BYTES:
                    return True
    return False
