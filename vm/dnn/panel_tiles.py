"""The register tiles of the 16-bit route, emitted as LLVM instructions for the kernel set in use.

A tile multiplies a few positions of a map with a panel of packed weights. Its sums stay in registers; one lane is
one output channel, so nothing is summed across lanes. Each step broadcasts a pair of neighbouring items of each
position, loads a vector of weight pairs for each vector of channels, and adds both products to 32-bit sums.

On the sums the tile then does what follows in a network, in the same registers: the bias is their start value,
``scale down`` a product with the reciprocal of the divisor in float64 truncated toward zero, the activation a
clamp. It keeps the least and the greatest result and stores them narrowed.

Exactness. The caller proves that the bias's magnitude plus the sum of the products' magnitudes stays below 2^31 in
every channel, so no sum in any order leaves int32. Dividing a, |a| ≤ 2^31, by an integer d, 1 ≤ d < 2^53:
``reciprocal`` is 1/d·(1 + e) with 2^-51 < e < 2^-49 (see ``reciprocal_of``), the product is rounded once more, so it
is a/d·(1 + f) with 2^-52 < f < 2^-48. For a = q·d + t ≥ 0, 0 ≤ t < d, it is at least a/d ≥ q, and at most a/d +
2^31·2^-48/d < q + 1 - 1/d + 1/d = q + 1: truncation gives q. Negative a mirror this.
"""

# mypy: ignore-errors
from __future__ import annotations

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic
from smartvm.vm.dnn.kernel_sets import KERNELS

I8, I16, I32, I64 = (ir.IntType(bits) for bits in (8, 16, 32, 64))
DOUBLE = ir.DoubleType()


def reciprocal_of(divisor: int) -> float:
    """1/divisor·(1 + e) with 2^-51 < e < 2^-49, in float64: both operations round by at most 2^-53 relative,
    and 1 + 2^-50 is exact."""
    return (1.0 / divisor) * (1.0 + 2.0**-50)


def _declared(builder, name, result, arguments):
    found = builder.module.globals.get(name)
    return found or ir.Function(builder.module, ir.FunctionType(result, arguments), name)


def add_pairs(builder, total, items, weights):
    """``total[i] + items[2i]·weights[2i] + items[2i + 1]·weights[2i + 1]`` of a vector of 32-bit sums and two of
    16-bit items."""
    sums, items_type = total.type, items.type
    if KERNELS.pairs == "vpdpwssd":
        function = _declared(builder, "llvm.x86.avx512.vpdpwssd.512", sums, [sums, sums, sums])
        return builder.call(function, [total, builder.bitcast(items, sums), builder.bitcast(weights, sums)])
    names = {"vpmaddwd512": "llvm.x86.avx512.pmaddw.d.512", "vpmaddwd256": "llvm.x86.avx2.pmadd.wd"}
    if KERNELS.pairs in names:
        function = _declared(builder, names[KERNELS.pairs], sums, [items_type, items_type])
        return builder.add(total, builder.call(function, [items, weights]))
    wide = ir.VectorType(I32, items_type.count)
    products = builder.mul(builder.sext(items, wide), builder.sext(weights, wide))

    def every_second(start):
        mask = ir.Constant(ir.VectorType(I32, sums.count), list(range(start, wide.count, 2)))
        return builder.shuffle_vector(products, ir.Constant(wide, ir.Undefined), mask)

    return builder.add(total, builder.add(every_second(0), every_second(1)))


def splat(builder, value, count):
    """``value`` in each of ``count`` lanes."""
    vector = ir.VectorType(value.type, count)
    first = builder.insert_element(ir.Constant(vector, ir.Undefined), value, ir.Constant(I32, 0))
    return builder.shuffle_vector(
        first, ir.Constant(vector, ir.Undefined), ir.Constant(ir.VectorType(I32, count), [0] * count)
    )


def least(builder, a, b):
    """The lesser of each lane."""
    return builder.select(builder.icmp_signed("<", a, b), a, b)


def greatest(builder, a, b):
    """The greater of each lane."""
    return builder.select(builder.icmp_signed(">", a, b), a, b)


def vector_at(builder, pointer, index, vector):
    """The address ``pointer + index`` (items) as a pointer to a vector."""
    return builder.bitcast(builder.gep(pointer, [index]), vector.as_pointer())


class Finish:
    """What is done to sums before they are stored; see the module."""

    def __init__(self, builder, reciprocal, low, high, extremes):
        lanes = KERNELS.lanes
        self._builder = builder
        self._sums = ir.VectorType(I32, lanes)
        self._reciprocal = splat(builder, reciprocal, lanes)
        self._low = splat(builder, builder.trunc(low, I32), lanes)
        self._high = splat(builder, builder.trunc(high, I32), lanes)
        self._extremes = extremes
        self._found = None

    def apply(self, total):
        """The results of a vector of sums."""
        builder = self._builder
        scaled = builder.fmul(
            builder.sitofp(total, ir.VectorType(DOUBLE, self._sums.count)), self._reciprocal
        )
        result = builder.fptosi(scaled, self._sums)
        result = least(builder, greatest(builder, result, self._low), self._high)
        if self._found is None:
            self._found = result, result
        else:
            low, high = self._found
            self._found = least(builder, low, result), greatest(builder, high, result)
        return result

    def store(self, result, pointer, index):
        """Store results in the item type that ``pointer`` points to."""
        builder = self._builder
        item = pointer.type.pointee
        if item.width < 32:
            result = builder.trunc(result, ir.VectorType(item, self._sums.count))
        builder.store(result, vector_at(builder, pointer, index, result.type), align=item.width // 8)

    def keep_extremes(self):
        """Take the results' extremes into those kept: ``lanes`` least ones, then ``lanes`` greatest ones."""
        builder = self._builder
        places = [
            vector_at(builder, self._extremes, ir.Constant(I64, start), self._sums)
            for start in (0, self._sums.count)
        ]
        low, high = (builder.load(place, align=4) for place in places)
        builder.store(least(builder, low, self._found[0]), places[0], align=4)
        builder.store(greatest(builder, high, self._found[1]), places[1], align=4)


def array_data(context, builder, kind, value):
    """The address of an array argument's first item."""
    return context.make_array(kind)(context, builder, value).data


def panel_tile(rows):
    """The intrinsic for ``rows`` positions.

    Position n's window is made of ``segments`` stretches of ``length`` items (even) of ``values``, the first at
    ``starts[n]``, each ``stride`` items after the one before. ``weights`` from ``weight_at`` on: for each pair of
    terms the panel's channels, the two weights of a channel beside each other. ``bias`` from ``bias_at`` on:
    the channels' start values. Result (r, c) goes to ``out[out_at + r·pitch + c]``.
    """

    @intrinsic
    def tile(
        typing_context,
        values,
        starts,
        n,
        weights,
        weight_at,
        segments,
        length,
        stride,
        bias,
        bias_at,
        reciprocal,
        low,
        high,
        out,
        out_at,
        pitch,
        extremes,
    ):
        number = types.intp
        signature = types.void(
            values,
            starts,
            number,
            weights,
            number,
            number,
            number,
            number,
            bias,
            number,
            types.float64,
            number,
            number,
            out,
            number,
            number,
            extremes,
        )

        def generate(context, builder, sig, arguments):
            def data(position):
                return array_data(context, builder, sig.args[position], arguments[position])

            n, weight_at, segments, length, stride, bias_at = (arguments[i] for i in (2, 4, 5, 6, 7, 9))
            sums = _panel_sums(
                builder, rows, data(0), data(1), n, data(3), weight_at, segments, length, stride, data(8), bias_at
            )
            out_at, pitch = arguments[14], arguments[15]
            finish = Finish(builder, arguments[10], arguments[11], arguments[12], data(16))
            for r in range(rows):
                row_at = builder.add(out_at, builder.mul(pitch, ir.Constant(I64, r)))
                for v in range(KERNELS.vectors):
                    result = finish.apply(sums[r * KERNELS.vectors + v])
                    finish.store(result, data(13), builder.add(row_at, ir.Constant(I64, v * KERNELS.lanes)))
            finish.keep_extremes()
            return context.get_dummy_value()

        return signature, generate

    return tile


def _panel_sums(
    builder, rows, values, starts, n, weights, weight_at, segments, length, stride, bias, bias_at
):
    """Emit the loops; returns the sums, position by position."""
    vectors, lanes = KERNELS.vectors, KERNELS.lanes
    sums_type = ir.VectorType(I32, lanes)
    items_type = ir.VectorType(I16, 2 * lanes)

    def number(value):
        return ir.Constant(I64, value)

    positions = [
        builder.gep(values, [builder.load(builder.gep(starts, [builder.add(n, number(r))]))])
        for r in range(rows)
    ]
    biases = [
        builder.load(vector_at(builder, bias, builder.add(bias_at, number(v * lanes)), sums_type), align=4)
        for v in range(vectors)
    ]
    before = builder.block
    outer, inner, outer_end, done = (
        builder.append_basic_block(name) for name in ("segment", "step", "segment_end", "tile_done")
    )
    builder.branch(outer)

    builder.position_at_end(outer)
    segment = builder.phi(I64)
    segment.add_incoming(number(0), before)
    weights_of_segment = builder.phi(I64)
    weights_of_segment.add_incoming(weight_at, before)
    carried = [builder.phi(sums_type) for _ in range(rows * vectors)]
    for i, total in enumerate(carried):
        total.add_incoming(biases[i % vectors], before)
    offset = builder.mul(segment, stride)
    windows = [builder.gep(position, [offset]) for position in positions]
    builder.branch(inner)

    builder.position_at_end(inner)
    term = builder.phi(I64)
    term.add_incoming(number(0), outer)
    at = builder.phi(I64)
    at.add_incoming(weights_of_segment, outer)
    totals = [builder.phi(sums_type) for _ in range(rows * vectors)]
    for total, start in zip(totals, carried, strict=True):
        total.add_incoming(start, outer)
    loaded = []
    for v in range(vectors):
        narrow = ir.VectorType(weights.type.pointee, 2 * lanes)
        place = vector_at(builder, weights, builder.add(at, number(2 * lanes * v)), narrow)
        vector = builder.load(place, align=narrow.element.width // 8)
        loaded.append(vector if narrow.element.width == 16 else builder.sext(vector, items_type))
    sums = []
    for r in range(rows):
        pair = builder.load(builder.bitcast(builder.gep(windows[r], [term]), I32.as_pointer()), align=2)
        items = builder.bitcast(splat(builder, pair, lanes), items_type)
        sums += [add_pairs(builder, totals[r * vectors + v], items, loaded[v]) for v in range(vectors)]
    next_term = builder.add(term, number(2))
    next_at = builder.add(at, number(2 * lanes * vectors))
    term.add_incoming(next_term, inner)
    at.add_incoming(next_at, inner)
    for total, new in zip(totals, sums, strict=True):
        total.add_incoming(new, inner)
    builder.cbranch(builder.icmp_signed("<", next_term, length), inner, outer_end)

    builder.position_at_end(outer_end)
    next_segment = builder.add(segment, number(1))
    segment.add_incoming(next_segment, outer_end)
    weights_of_segment.add_incoming(next_at, outer_end)
    for total, new in zip(carried, sums, strict=True):
        total.add_incoming(new, outer_end)
    builder.cbranch(builder.icmp_signed("<", next_segment, segments), outer, done)

    builder.position_at_end(done)
    return sums


def _interleaved(part):
    """The lanes of two vectors of 16-bit items, interleaved within 128 bits: the first (0) or the second (1) four
    items of each eight. So x86 interleaves in one instruction, and packing 32-bit results undoes it."""
    count = 2 * KERNELS.lanes
    lanes = []
    for start in range(4 * part, count, 8):
        for i in range(start, start + 4):
            lanes += [i, count + i]
    return ir.Constant(ir.VectorType(I32, count), lanes)


def _order():
    """Where channel c of a tap tile's two vectors of sums stands, counted through both."""
    return [c // 8 * 4 + c % 4 + (KERNELS.lanes if c % 8 >= 4 else 0) for c in range(2 * KERNELS.lanes)]


def tap_tile():
    """The intrinsic of a depthwise tile: one position, a panel's number of channels.

    Channel c sums the products of ``values[start + offsets[t] + c]`` and its weights of all taps t, an even number,
    whose pairs ``pack_taps`` laid out from ``weights_at`` on. Its bias is ``bias[first + c]``.
    """

    @intrinsic
    def tile(
        typing_context,
        values,
        start,
        offsets,
        weights,
        weights_at,
        bias,
        first,
        reciprocal,
        low,
        high,
        out,
        out_at,
        extremes,
    ):
        number = types.intp
        signature = types.void(
            values,
            number,
            offsets,
            weights,
            number,
            bias,
            number,
            types.float64,
            number,
            number,
            out,
            number,
            extremes,
        )

        def generate(context, builder, sig, arguments):
            def data(position):
                return array_data(context, builder, sig.args[position], arguments[position])

            groups, lanes = KERNELS.vectors // 2, KERNELS.lanes
            sums_type = ir.VectorType(I32, lanes)
            items_type = ir.VectorType(I16, 2 * lanes)
            start, first_weight, first, out_at = (arguments[i] for i in (1, 4, 6, 11))
            count = builder.extract_value(
                context.make_array(sig.args[2])(context, builder, arguments[2]).shape, 0
            )
            values, offsets, weights, bias = data(0), data(2), data(3), data(5)

            def number(value):
                return ir.Constant(I64, value)

            def items(pointer, at, vector):
                place = builder.add(at, number(2 * lanes * vector))
                return builder.load(vector_at(builder, pointer, place, items_type), align=2)

            order = _order()
            inverse = [order.index(i) for i in range(2 * lanes)]

            def biases_of(group):
                a, b = (
                    builder.load(vector_at(builder, bias, builder.add(first, number(lanes * v)), sums_type), align=4)
                    for v in (2 * group, 2 * group + 1)
                )
                return [_chosen(builder, a, b, inverse[v * lanes : (v + 1) * lanes]) for v in (0, 1)]

            biases = [vector for group in range(groups) for vector in biases_of(group)]
            before = builder.block
            loop, done = builder.append_basic_block("taps"), builder.append_basic_block("taps_done")
            builder.branch(loop)
            builder.position_at_end(loop)
            tap = builder.phi(I64)
            tap.add_incoming(number(0), before)
            weights_at = builder.phi(I64)
            weights_at.add_incoming(first_weight, before)
            totals = [builder.phi(sums_type) for _ in range(2 * groups)]
            places = [
                builder.add(start, builder.load(builder.gep(offsets, [builder.add(tap, number(i))]))) for i in (0, 1)
            ]
            sums = []
            for group in range(groups):
                a, b = (items(values, place, group) for place in places)
                for part in (0, 1):
                    index = 2 * group + part
                    weight = items(weights, weights_at, index)
                    pairs = builder.shuffle_vector(a, b, _interleaved(part))
                    sums.append(add_pairs(builder, totals[index], pairs, weight))
                    totals[index].add_incoming(biases[index], before)
                    totals[index].add_incoming(sums[-1], loop)
            following = builder.add(tap, number(2))
            tap.add_incoming(following, loop)
            weights_at.add_incoming(builder.add(weights_at, number(4 * lanes * groups)), loop)
            builder.cbranch(builder.icmp_signed("<", following, count), loop, done)
            builder.position_at_end(done)
            finish = Finish(builder, arguments[7], arguments[8], arguments[9], data(12))
            for group in range(groups):
                a, b = (finish.apply(total) for total in sums[2 * group : 2 * group + 2])
                for v in (0, 1):
                    result = _chosen(builder, a, b, order[v * lanes : (v + 1) * lanes])
                    finish.store(result, data(10), builder.add(out_at, number(lanes * (2 * group + v))))
            finish.keep_extremes()
            return context.get_dummy_value()

        return signature, generate

    return tile


def _chosen(builder, a, b, lanes):
    """The lanes of two vectors, counted through both."""
    return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(I32, len(lanes)), lanes))
