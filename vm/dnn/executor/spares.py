"""Memory of Buffers. Small blocks that are given back are kept for the next Buffer: C's allocator would cost as much as
an instruction on a hundred items."""

# mypy: ignore-errors
from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from smartvm.vm.dnn.compiling.parts import helper
from smartvm.vm.dnn.executor.layout import EXECUTOR, SPARE_BYTES, SPARE_CLASSES, SPARES_OF_CLASS
from smartvm.vm.dnn.executor.memory import allocate, free, load, store

_COUNTS = EXECUTOR["spare_counts"]
_SPARES = EXECUTOR["spares"]
_SHIFT = SPARE_BYTES.bit_length() - 1


@intrinsic
def _bit_length(typing_context, value):
    """Bits of a number that is not negative."""

    def generate(context, builder, signature, arguments):
        zeros = builder.ctlz(arguments[0], ir.Constant(ir.IntType(1), 0))
        return builder.sub(ir.Constant(arguments[0].type, 64), zeros)

    return types.int64(types.int64), generate


@helper
def room(size):
    """The bytes that a block for ``size`` bytes has."""
    number = _bit_length((max(size, 1) - 1) >> _SHIFT)
    return SPARE_BYTES << number if number < SPARE_CLASSES else size


@helper
def take(executor, size):
    """A block with room for ``size`` bytes; 0 when there is no memory."""
    number = _bit_length((max(size, 1) - 1) >> _SHIFT)
    if number >= SPARE_CLASSES:
        return allocate(size)
    count = load(executor, _COUNTS + number)
    if count == 0:
        return allocate(SPARE_BYTES << number)
    store(executor, _COUNTS + number, count - 1)
    return load(executor, _SPARES + number * SPARES_OF_CLASS + count - 1)


@helper
def give_back(executor, block, size):
    """Give a block of at least ``size`` bytes back."""
    number = _bit_length(size >> _SHIFT) - 1
    if number < 0 or number >= SPARE_CLASSES:
        free(block)
        return
    count = load(executor, _COUNTS + number)
    if count == SPARES_OF_CLASS:
        free(block)
        return
    store(executor, _SPARES + number * SPARES_OF_CLASS + count, block)
    store(executor, _COUNTS + number, count + 1)
