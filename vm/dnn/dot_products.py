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
    """The intrinsic that adds a tile's sums over columns ``start`` … ``end − 1`` to ``out``."""

    @intrinsic
    def tile(typing_context, windows, n, weights, o, start, end, out):
        signature = types.void(windows, types.intp, weights, types.intp, types.intp, types.intp, out)

        def generate(context, builder, sig, arguments):
            window_array = context.make_array(sig.args[0])(context, builder, arguments[0])
            weight_array = context.make_array(sig.args[2])(context, builder, arguments[2])
            out_array = context.make_array(sig.args[6])(context, builder, arguments[6])
            n, o, start, end = arguments[1], arguments[3], arguments[4], arguments[5]
            index = n.type
            accumulator = ir.VectorType(ir.IntType(32), _VECTOR_ITEMS // 2)
            vector = ir.VectorType(ir.IntType(16), _VECTOR_ITEMS)
            length = builder.extract_value(window_array.shape, 1)

            def row_start(array, first, offset):
                row = builder.add(first, ir.Constant(index, offset))
                return builder.gep(array.data, [builder.mul(row, length)])

            a_rows = [row_start(window_array, n, r) for r in range(rows)]
            b_rows = [row_start(weight_array, o, s) for s in range(kernels)]
            before = builder.block
            loop = builder.append_basic_block("tile")
            done = builder.append_basic_block("tile_done")
            builder.branch(loop)
            builder.position_at_end(loop)
            column = builder.phi(index)
            column.add_incoming(start, before)
            totals = [builder.phi(accumulator) for _ in range(rows * kernels)]
            for total in totals:
                total.add_incoming(ir.Constant(accumulator, [0] * accumulator.count), before)

            def loaded(row):
                place = builder.bitcast(builder.gep(row, [column]), vector.as_pointer())
                return builder.load(place, align=2)

            b = [loaded(row) for row in b_rows]
            sums = []
            for r in range(rows):
                a = loaded(a_rows[r])
                sums += [_emit_pair_sum(builder, totals[r * kernels + s], a, b[s]) for s in range(kernels)]
            following = builder.add(column, ir.Constant(index, _VECTOR_ITEMS))
            column.add_incoming(following, loop)
            for total, new in zip(totals, sums, strict=True):
                total.add_incoming(new, loop)
            builder.cbranch(builder.icmp_signed("<", following, end), loop, done)
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
                    row = builder.mul(builder.add(o, ir.Constant(index, s)), places)
                    at = builder.add(row, builder.add(n, ir.Constant(index, r)))
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
def add_dot_rows(windows, weights, chunk, out):
    """``out[o, n] += Σ_t weights[o, t]·windows[n, t]`` of int16 rows, of which any ``chunk`` terms (a
    positive multiple of ``ROW_STEP``) sum to less than 2^31 in magnitude; ``out`` is int32 (one chunk) or
    int64."""
    count = windows.shape[0]
    kernels = weights.shape[0]
    length = windows.shape[1]
    whole_rows = count - count % _TILE_ROWS
    whole_kernels = kernels - kernels % _TILE_KERNELS
    for start in range(0, length, chunk):
        end = min(length, start + chunk)
        for o in range(0, whole_kernels, _TILE_KERNELS):
            for n in range(0, whole_rows, _TILE_ROWS):
                _tile_full(windows, n, weights, o, start, end, out)
            for n in range(whole_rows, count):
                _tile_row(windows, n, weights, o, start, end, out)
        for o in range(whole_kernels, kernels):
            for n in range(0, whole_rows, _TILE_ROWS):
                _tile_kernel(windows, n, weights, o, start, end, out)
            for n in range(whole_rows, count):
                _tile_single(windows, n, weights, o, start, end, out)
