"""16-bit dot products on whatever vector instructions the host has: one tile kernel, emitted as LLVM
instructions.

A tile multiplies a few rows of windows with a few rows of weights: its accumulators stay in registers, each
vector that is loaded is used several times. Products of int16 are summed in pairs to int32 by one instruction
(``vpdpwssd`` with AVX-512 VNNI, ``vpmaddwd`` and an addition with AVX-512BW or AVX2); elsewhere LLVM chooses
from plain vector arithmetic. LLVM aborts on an instruction that the host lacks, so what is emitted is decided
by the features that Numba compiles for; its cache on disk is kept apart by these.

Exactness: the caller proves that no sum over ``chunk`` terms reaches 2^31; sums of chunks are added in the
type of ``out``. Nothing here depends on the order, so all variants give the same integers.
"""

# mypy: ignore-errors
from __future__ import annotations

import numba
import numpy as np
from llvmlite import binding, ir
from numba.core import types
from numba.extending import intrinsic
from smartvm.vm.dnn.native import compiled

#: Rows of windows and of weights are zero-filled to a multiple of this many items.
ROW_STEP = 32

_TILE_ROWS = 4
_TILE_KERNELS = 4


def _features() -> frozenset[str]:
    """The processor features that Numba compiles for."""
    if numba.config.CPU_FEATURES is not None:
        listed = numba.config.CPU_FEATURES.split(",")
        return frozenset(name[1:] for name in listed if name.startswith("+"))
    if numba.config.CPU_NAME not in (None, "host"):
        return frozenset()
    return frozenset(name for name, present in binding.get_host_cpu_features().items() if present)


def _pair_sum():
    """Items a vector, and what emits ``accumulator + pair sums of a·b``."""
    features = _features()
    i32 = ir.IntType(32)
    if {"avx512vnni", "avx512bw"} <= features:
        return 32, _declared("llvm.x86.avx512.vpdpwssd.512", ir.VectorType(i32, 16), fused=True)
    if "avx512bw" in features:
        return 32, _declared("llvm.x86.avx512.pmaddw.d.512", ir.VectorType(i32, 16), fused=False)
    if "avx2" in features:
        return 16, _declared("llvm.x86.avx2.pmadd.wd", ir.VectorType(i32, 8), fused=False)
    return 8, _plain_pair_sum


def _declared(name, accumulator, fused):
    items = ir.VectorType(ir.IntType(16), 2 * accumulator.count)

    def emit(builder, total, a, b):
        # the fused instruction's intrinsic takes its items as pairs in 32 bits
        operand = accumulator if fused else items
        arguments = [operand, operand] if not fused else [accumulator, operand, operand]
        function = builder.module.globals.get(name)
        if function is None:
            function = ir.Function(builder.module, ir.FunctionType(accumulator, arguments), name)
        if fused:
            return builder.call(function, [total, builder.bitcast(a, operand), builder.bitcast(b, operand)])
        return builder.add(total, builder.call(function, [a, b]))

    return emit


def _plain_pair_sum(builder, total, a, b):
    wide = ir.VectorType(ir.IntType(32), 8)
    products = builder.mul(builder.sext(a, wide), builder.sext(b, wide))

    def half(start):
        mask = ir.Constant(ir.VectorType(ir.IntType(32), 4), list(range(start, 8, 2)))
        return builder.shuffle_vector(products, ir.Constant(wide, ir.Undefined), mask)

    return builder.add(total, builder.add(half(0), half(1)))


_VECTOR_ITEMS, _emit_pair_sum = _pair_sum()


def _tile(rows, kernels):
    """The intrinsic that adds a tile's sums to ``out[o …, n …]``.

    Row n of the windows is made of ``segments`` stretches of ``length`` items of ``values`` (a multiple of
    ``ROW_STEP``), the first at ``starts[n] + value_offset``, each ``stride`` items after the one before; a
    row of weights has them one after the other, from ``weight_offset`` on.
    """

    @intrinsic
    def tile(
        typing_context,
        values,
        starts,
        value_offset,
        n,
        weights,
        weight_offset,
        o,
        segments,
        length,
        stride,
        out,
    ):
        number = types.intp
        signature = types.void(
            values, starts, number, number, weights, number, number, number, number, number, out
        )

        def generate(context, builder, sig, arguments):
            def array(position):
                return context.make_array(sig.args[position])(context, builder, arguments[position])

            value_array, start_array, weight_array, out_array = array(0), array(1), array(4), array(10)
            value_offset, n, weight_offset, o, segments, length, stride = (
                arguments[position] for position in (2, 3, 5, 6, 7, 8, 9)
            )
            index = n.type
            accumulator = ir.VectorType(ir.IntType(32), _VECTOR_ITEMS // 2)
            vector = ir.VectorType(ir.IntType(16), _VECTOR_ITEMS)
            zero = ir.Constant(index, 0)
            row_length = builder.extract_value(weight_array.shape, 1)

            def plus(value, constant):
                return builder.add(value, ir.Constant(index, constant))

            starts_of_tile = [builder.load(builder.gep(start_array.data, [plus(n, r)])) for r in range(rows)]
            window_rows = [
                builder.gep(value_array.data, [builder.add(start, value_offset)]) for start in starts_of_tile
            ]
            weight_rows = [
                builder.gep(
                    weight_array.data, [builder.add(builder.mul(plus(o, s), row_length), weight_offset)]
                )
                for s in range(kernels)
            ]
            count = rows * kernels
            before = builder.block
            outer = builder.append_basic_block("segment")
            inner = builder.append_basic_block("step")
            outer_end = builder.append_basic_block("segment_end")
            done = builder.append_basic_block("tile_done")
            builder.branch(outer)

            builder.position_at_end(outer)
            segment = builder.phi(index)
            segment.add_incoming(zero, before)
            carried = [builder.phi(accumulator) for _ in range(count)]
            for total in carried:
                total.add_incoming(ir.Constant(accumulator, [0] * accumulator.count), before)
            window_start = builder.mul(segment, stride)
            weight_start = builder.mul(segment, length)
            windows = [builder.gep(row, [window_start]) for row in window_rows]
            kernels_of_segment = [builder.gep(row, [weight_start]) for row in weight_rows]
            builder.branch(inner)

            builder.position_at_end(inner)
            column = builder.phi(index)
            column.add_incoming(zero, outer)
            totals = [builder.phi(accumulator) for _ in range(count)]
            for total, start in zip(totals, carried, strict=True):
                total.add_incoming(start, outer)

            def loaded(row):
                place = builder.bitcast(builder.gep(row, [column]), vector.as_pointer())
                return builder.load(place, align=2)

            b = [loaded(row) for row in kernels_of_segment]
            sums = []
            for r in range(rows):
                a = loaded(windows[r])
                sums += [_emit_pair_sum(builder, totals[r * kernels + s], a, b[s]) for s in range(kernels)]
            following = plus(column, _VECTOR_ITEMS)
            column.add_incoming(following, inner)
            for total, new in zip(totals, sums, strict=True):
                total.add_incoming(new, inner)
            builder.cbranch(builder.icmp_signed("<", following, length), inner, outer_end)

            builder.position_at_end(outer_end)
            next_segment = plus(segment, 1)
            segment.add_incoming(next_segment, outer_end)
            for total, new in zip(carried, sums, strict=True):
                total.add_incoming(new, outer_end)
            builder.cbranch(builder.icmp_signed("<", next_segment, segments), outer, done)

            builder.position_at_end(done)
            reduce_name = f"llvm.vector.reduce.add.v{accumulator.count}i32"
            reduce = builder.module.globals.get(reduce_name)
            if reduce is None:
                reduce = ir.Function(
                    builder.module, ir.FunctionType(ir.IntType(32), [accumulator]), reduce_name
                )
            places = builder.extract_value(out_array.shape, 1)
            item = out_array.data.type.pointee
            for r in range(rows):
                for s in range(kernels):
                    at = builder.add(builder.mul(plus(o, s), places), plus(n, r))
                    place = builder.gep(out_array.data, [at])
                    value = builder.call(reduce, [sums[r * kernels + s]])
                    if item.width > 32:
                        value = builder.sext(value, item)
                    builder.store(builder.add(builder.load(place), value), place)
            return context.get_dummy_value()

        return signature, generate

    return tile


_tile_full = _tile(_TILE_ROWS, _TILE_KERNELS)
_tile_row = _tile(1, _TILE_KERNELS)
_tile_kernel = _tile(_TILE_ROWS, 1)
_tile_single = _tile(1, 1)


@compiled
def _add_tiles(values, starts, value_offset, weights, weight_offset, segments, length, stride, out):
    count = starts.shape[0]
    kernels = weights.shape[0]
    whole_rows = count - count % _TILE_ROWS
    whole_kernels = kernels - kernels % _TILE_KERNELS
    for o in range(0, whole_kernels, _TILE_KERNELS):
        for n in range(0, whole_rows, _TILE_ROWS):
            _tile_full(
                values, starts, value_offset, n, weights, weight_offset, o, segments, length, stride, out
            )
        for n in range(whole_rows, count):
            _tile_row(
                values, starts, value_offset, n, weights, weight_offset, o, segments, length, stride, out
            )
    for o in range(whole_kernels, kernels):
        for n in range(0, whole_rows, _TILE_ROWS):
            _tile_kernel(
                values, starts, value_offset, n, weights, weight_offset, o, segments, length, stride, out
            )
        for n in range(whole_rows, count):
            _tile_single(
                values, starts, value_offset, n, weights, weight_offset, o, segments, length, stride, out
            )


@compiled
def add_dot_rows(windows, weights, chunk, out):
    """``out[o, n] += Σ_t weights[o, t]·windows[n, t]`` of int16 rows, of which any ``chunk`` terms (a
    positive multiple of ``ROW_STEP``) sum to less than 2^31 in magnitude; ``out`` is int32 (one chunk) or
    int64."""
    row = windows.shape[1]
    starts = np.arange(windows.shape[0]) * row
    values = windows.reshape(-1)
    for start in range(0, row, chunk):
        length = min(chunk, row - start)
        _add_tiles(values, starts, start, weights, start, 1, length, 0, out)


@compiled
def add_dot_segments(values, starts, weights, segments, stride, chunk, out):
    """The same for windows that are not gathered: each is ``segments`` stretches of ``values``, ``stride``
    items apart, the first at ``starts[n]``; a stretch is at most ``chunk`` items long. What a stretch of the
    weights' length reads beyond the window's own items meets weights of 0."""
    length = weights.shape[1] // segments
    together = chunk // length
    for first in range(0, segments, together):
        count = min(together, segments - first)
        _add_tiles(values, starts, first * stride, weights, first * length, count, length, stride, out)
