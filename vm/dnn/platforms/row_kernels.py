"""The product of a matrix with a vector, from weights as a block's entry holds them: a row after the other, big-endian.

Such a product uses each weight once and waits for memory, so that weights need no layout of their own: a tile loads a
vector of each of some rows, swaps its bytes, multiplies it with the vector's items and adds the products to 32-bit
lanes, which every few steps are added to 64-bit sums.

Exactness. A step adds two products to a lane. With weights up to w and items up to x the caller lets ``run`` steps
follow, run·2·w·x < 2^31, so that no lane leaves int32 at the end of a run (in between it may wrap, see
``dot_products``); 64-bit sums of n products stay below n·2^30 < 2^63 for n < 2^33.
"""

# mypy: ignore-errors
from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic
from smartvm.vm.dnn.compiling.parts import compiled
from smartvm.vm.dnn.platforms.dot_products import I8, I16, I32, I64, add_products
from smartvm.vm.dnn.platforms.kernel_sets import KERNELS, ROWS_TOGETHER

#: Rows that a tile multiplies together.
ROWS = ROWS_TOGETHER
#: Items of a step.
STEP = 2 * KERNELS.lanes


def _run(width):
    """The intrinsic that adds, for ``ROWS`` rows of ``pitch`` bytes each, the products of ``steps`` steps of ``values``
    from ``first`` on with the weights from byte ``at`` on to ``sums[place]`` …; weights have ``width`` bytes."""

    @intrinsic
    def run(typing_context, values, first, packed, at, pitch, steps, sums, place):
        signature = types.void(values, types.intp, packed, types.intp, types.intp, types.intp, sums, types.intp)

        def generate(context, builder, sig, arguments):
            _, first, _, at, pitch, steps, _, place = arguments
            values, packed, sums = (
                context.make_array(sig.args[i])(context, builder, arguments[i]).data for i in (0, 2, 6)
            )
            _emit_run(builder, width, values, first, packed, at, pitch, steps, sums, place)
            return context.get_dummy_value()

        return signature, generate

    return run


def _emit_run(builder, width, values, first, packed, at, pitch, steps, sums, place):
    lanes = KERNELS.lanes
    lane_sums, items = ir.VectorType(I32, lanes), ir.VectorType(I16, STEP)
    before = builder.block
    loop, done = builder.append_basic_block("row_steps"), builder.append_basic_block("rows_done")
    builder.branch(loop)
    builder.position_at_end(loop)
    step = builder.phi(I64)
    step.add_incoming(ir.Constant(I64, 0), before)
    totals = [builder.phi(lane_sums) for _ in range(ROWS)]
    term = builder.mul(step, ir.Constant(I64, STEP))
    vector = _loaded(builder, builder.gep(values, [builder.add(first, term)]), items)
    start = builder.add(at, builder.mul(term, ir.Constant(I64, width)))
    for row, total in enumerate(totals):
        place_of_row = builder.add(start, builder.mul(pitch, ir.Constant(I64, row)))
        weights = _weights(builder, builder.gep(packed, [place_of_row]), width, items)
        total.add_incoming(ir.Constant(lane_sums, [0] * lanes), before)
        total.add_incoming(add_products(builder, KERNELS, total, vector, weights), loop)
    following = builder.add(step, ir.Constant(I64, 1))
    step.add_incoming(following, loop)
    builder.cbranch(builder.icmp_signed("<", following, steps), loop, done)
    builder.position_at_end(done)
    wide = ir.VectorType(I64, lanes)
    name = f"llvm.vector.reduce.add.v{lanes}i64"
    reduce = builder.module.globals.get(name) or ir.Function(builder.module, ir.FunctionType(I64, [wide]), name)
    for row, total in enumerate(totals):
        kept = builder.gep(sums, [builder.add(place, ir.Constant(I64, row))])
        summed = builder.call(reduce, [builder.sext(total.incomings[1][0], wide)])
        builder.store(builder.add(builder.load(kept), summed), kept)


def _loaded(builder, pointer, vector):
    return builder.load(builder.bitcast(pointer, vector.as_pointer()), align=1)


def _weights(builder, pointer, width, items):
    """A step of big-endian weights as 16-bit items."""
    if width == 1:
        return builder.sext(_loaded(builder, pointer, ir.VectorType(I8, items.count)), items)
    name = f"llvm.bswap.v{items.count}i16"
    swap = builder.module.globals.get(name) or ir.Function(builder.module, ir.FunctionType(items, [items]), name)
    return builder.call(swap, [_loaded(builder, pointer, items)])


_run_of_bytes = _run(1)
_run_of_words = _run(2)


@compiled
def multiply_rows(values, packed, width, rows, run, out):
    """``out[r] = Σ_i weights[r][i]·values[i]`` of ``rows`` rows, at least ``ROWS``: 16-bit values, 64-bit sums.
    ``packed`` are the weights, ``width`` (1 or 2) bytes each; ``run``: see the module."""
    terms = values.shape[0]
    steps = terms // STEP
    out[:rows] = 0
    last = rows - ROWS
    first = 0
    while True:
        for r in range(first, first + ROWS):  # the last tile may do rows once more
            out[r] = 0
        step = 0
        while step < steps:
            count = min(run, steps - step)
            at = (first * terms + step * STEP) * width
            if width == 1:
                _run_of_bytes(values, step * STEP, packed, at, terms * width, count, out, first)
            else:
                _run_of_words(values, step * STEP, packed, at, terms * width, count, out, first)
            step += count
        for r in range(first, first + ROWS):
            for i in range(steps * STEP, terms):
                out[r] += np.int64(_weight(packed, r * terms + i, width)) * values[i]
        if first == last:
            return
        first = min(first + ROWS, last)


@compiled
def _weight(packed, index, width):
    if width == 1:
        return np.int16(np.int8(packed[index]))
    return np.int16(np.uint16(packed[2 * index]) << 8 | packed[2 * index + 1])


@compiled
def touch(packed, width):
    """Read all weights, so that they are in memory and mapped: the least and the greatest."""
    low, high = 1 << 16, -(1 << 16)
    for i in range(packed.shape[0] // width):
        w = int(_weight(packed, i, width))
        low = min(low, w)
        high = max(high, w)
    return low, high
