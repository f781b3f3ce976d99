"""Whether a program writes the free memory pointer through that constant address alone.

Passes forward the pointer's value across stores through computed addresses, which in Solidity's memory
model never lead to it. A small constant that reaches an address through a parameter, a result or a join of
paths might, and so might a small number that is computed (``shl(6, condition)`` is 0 or the pointer's place) or
chosen without a branch (by ``xor``); a program in which one could is optimized without that assumption.
"""

from __future__ import annotations

from smartvm.compiler.backend.accesses import FREE_POINTER, RANGE_WRITERS, WORD_ACCESSES, WORD_BYTES
from smartvm.compiler.backend.algebra import result_bits
from smartvm.compiler.backend.arithmetic import WORD_BITS
from smartvm.compiler.backend.ssa import JUMP, RETURN, Function, Operation, Program

_Place = tuple[int, int]

#: Addresses of data have no bound that is known and so small: a computed value below 2 to this power that is
#: used as an address is one of the reserved words'.
_SMALL_BITS = 16


class _Bounds:
    """Bounds of a function's values, for ``result_bits``."""

    def __init__(self, function: Function) -> None:
        self._constants = function.constants
        self._bits: dict[int, int] = {}

    def number(self, value: int) -> int | None:
        """The number that a value is, if it is known."""
        constant = self._constants.get(value)
        return constant if type(constant) is int else None

    def bits(self, value: int) -> int:
        """A bound: the value is less than 2 to this power."""
        number = self.number(value)
        return number.bit_length() if number is not None else self._bits.get(value, WORD_BITS)

    def reserved(self, operation: Operation) -> range:
        """The numbers below the pointer's end that a computed value may be, when it is small or chosen."""
        instruction = operation.builtin.instruction if operation.builtin is not None else None
        if instruction is None or len(operation.outputs) != 1:
            return range(0)
        name, inputs = instruction.name, operation.inputs
        bits = result_bits(self, name, inputs)
        if name == "SUB" and self.bits(inputs[0]) <= _SMALL_BITS:
            bits = self.bits(inputs[0])
        if bits <= _SMALL_BITS:
            self._bits[operation.outputs[0]] = bits
        elif name != "XOR":
            return range(0)
        return range(min(1 << min(bits, _SMALL_BITS), FREE_POINTER + WORD_BYTES))


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
        bounds = _Bounds(function)
        for block in function.blocks:
            if block.kind == JUMP:
                for parameter, argument in zip(block.targets[0].parameters, block.arguments, strict=True):
                    connect(function, argument, (number, parameter))
            for operation in block.operations:
                callee = operation.callee
                if callee is None:
                    if reserved := bounds.reserved(operation):
                        place = (number, operation.outputs[0])
                        constants.setdefault(place, set()).update(reserved)
                        work.append(place)
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
