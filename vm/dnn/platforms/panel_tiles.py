"""The register tiles of the 16-bit route, emitted as LLVM instructions for the kernel set in use.

A tile multiplies a few positions of a map with a panel of packed weights. Its sums stay in registers; one lane is
one output channel, so nothing is summed across lanes. Each step broadcasts a pair of neighbouring items of each
position, loads a vector of weight pairs for each vector of channels, and adds both products to 32-bit sums.

On the sums the tile then does what follows in a network, in the same registers: the bias is their start value,
``scale down`` a product with the reciprocal of the divisor in float64 truncated toward zero, the activation a
clamp. It keeps the least and the greatest result and stores them narrowed.

Exactness. The caller proves that the bias's magnitude plus the sum of the products' magnitudes stays below 2^31 in
every channel, so no sum in any order leaves int32. Dividing a, |a| ≤ 2^31, by an integer d, 1 ≤ d < 2^53:
``reciprocal`` is 1/d·(1 + e) with 2^-51 < e < 2^-49 (see ``reciprocals``), the product is rounded once more, so it
is a/d·(1 + f) with 2^-52 < f < 2^-48. For a = q·d + t ≥ 0, 0 ≤ t < d, it is at least a/d ≥ q, and at most a/d +
2^31·2^-48/d < q + 1 - 1/d + 1/d = q + 1: truncation gives q. Negative a mirror this.
"""

# mypy: ignore-errors
from __future__ import annotations

from inspect import Parameter, Signature
from types import SimpleNamespace

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic
from smartvm.vm.dnn.platforms.dot_products import I16, I32, I64, STEP_BITS, add_products, broadcast, chosen, splat
from smartvm.vm.dnn.platforms.kernel_sets import KERNELS

DOUBLE = ir.DoubleType()

_ARRAYS = frozenset({"values", "starts", "weights", "offsets", "bias", "out", "extremes"})
_FINISHING = ("reciprocal", "low", "high", "out", "out_at", "pitch", "extremes")
#: What a panel tile is given, and a depthwise one.
PANEL_OPERANDS = (
    *("values", "starts", "n", "weights", "weight_at", "segments", "length", "stride", "bias", "bias_at"),
    *_FINISHING,
)
TAP_OPERANDS = ("values", "start", "offsets", "taps", "weights", "weight_at", "bias", "bias_at", *_FINISHING)


def least(builder, a, b):
    """The lesser of each lane."""
    return builder.select(builder.icmp_signed("<", a, b), a, b)


def greatest(builder, a, b):
    """The greater of each lane."""
    return builder.select(builder.icmp_signed(">", a, b), a, b)


def vector_at(builder, pointer, index, vector):
    """The address ``pointer + index`` (items) as a pointer to a vector."""
    return builder.bitcast(builder.gep(pointer, [index]), vector.as_pointer())


def _number(value):
    return ir.Constant(I64, value)


def _loaded(builder, pointer, index, vector):
    """A vector of memory of any alignment."""
    return builder.load(vector_at(builder, pointer, index, vector), align=pointer.type.pointee.width // 8)


class Finish:
    """What is done to sums before they are stored; see the module."""

    def __init__(self, builder, kernels, given):
        self._builder = builder
        self._sums = ir.VectorType(I32, kernels.lanes)
        self._given = given
        self._reciprocal = splat(builder, given.reciprocal, kernels.lanes)
        self._low = splat(builder, builder.trunc(given.low, I32), kernels.lanes)
        self._high = splat(builder, builder.trunc(given.high, I32), kernels.lanes)
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

    def store(self, result, row, column):
        """Store results in the item type of ``out``, from channel ``column`` of a row on."""
        builder, out = self._builder, self._given.out
        item = out.type.pointee
        if item.width < 32:
            result = builder.trunc(result, ir.VectorType(item, self._sums.count))
        at = builder.add(self._given.out_at, builder.mul(self._given.pitch, _number(row)))
        place = vector_at(builder, out, builder.add(at, _number(column)), result.type)
        builder.store(result, place, align=item.width // 8)

    def keep_extremes(self):
        """Take the results' extremes into those kept: ``lanes`` least ones, then ``lanes`` greatest ones."""
        builder = self._builder
        places = [
            vector_at(builder, self._given.extremes, _number(start), self._sums) for start in (0, self._sums.count)
        ]
        low, high = (builder.load(place, align=4) for place in places)
        builder.store(least(builder, low, self._found[0]), places[0], align=4)
        builder.store(greatest(builder, high, self._found[1]), places[1], align=4)


def _tile(operands, emit):
    """The intrinsic that takes the operands named and emits a tile."""

    def tile(typing_context, *given):
        kinds = [
            kind if name in _ARRAYS else types.float64 if name == "reciprocal" else types.intp
            for name, kind in zip(operands, given, strict=True)
        ]

        def generate(context, builder, signature, arguments):
            values = {
                name: context.make_array(kind)(context, builder, value).data if name in _ARRAYS else value
                for name, kind, value in zip(operands, signature.args, arguments, strict=True)
            }
            emit(builder, SimpleNamespace(**values))
            return context.get_dummy_value()

        return types.void(*kinds), generate

    # Numba asks for the parameters' names
    tile.__signature__ = Signature([Parameter(name, Parameter.POSITIONAL_ONLY) for name in ("context", *operands)])
    return intrinsic(tile)


def panel_tile(rows, vectors=KERNELS.vectors):
    """The intrinsic of ``emit_panel_tile`` for the set in use; operands are ``PANEL_OPERANDS``."""
    return _tile(PANEL_OPERANDS, lambda builder, given: emit_panel_tile(builder, KERNELS, rows, given, vectors))


def tap_tile():
    """The intrinsic of ``emit_tap_tile`` for the set in use; operands are ``TAP_OPERANDS``."""
    return _tile(TAP_OPERANDS, lambda builder, given: emit_tap_tile(builder, KERNELS, given))


def emit_panel_tile(builder, kernels, rows, given, vectors=None):
    """Emit a tile of ``rows`` positions and the first ``vectors`` vectors of a panel's channels (None: all).

    Position n's window is made of ``segments`` stretches of ``length`` items (whole steps) of ``values``, the first
    at ``starts[n]``, each ``stride`` items after the one before. ``weights`` from ``weight_at`` on: for each step the
    panel's channels, the weights of a channel beside each other. ``bias`` from ``bias_at`` on: the channels' start
    values. Result (r, c) goes to ``out[out_at + r·pitch + c]``.
    """
    vectors = vectors or kernels.vectors
    sums = _panel_sums(builder, kernels, rows, given, vectors)
    finish = Finish(builder, kernels, given)
    for r in range(rows):
        for v in range(vectors):
            finish.store(finish.apply(sums[r * vectors + v]), r, v * kernels.lanes)
    finish.keep_extremes()


def _panel_sums(builder, kernels, rows, given, vectors):
    """Emit the loops; returns the sums, position by position."""
    lanes = kernels.lanes
    sums_type = ir.VectorType(I32, lanes)
    item = given.values.type.pointee
    step = STEP_BITS // item.width
    items_type = ir.VectorType(item, step * lanes)
    positions = [
        builder.gep(given.values, [builder.load(builder.gep(given.starts, [builder.add(given.n, _number(r))]))])
        for r in range(rows)
    ]
    biases = [
        _loaded(builder, given.bias, builder.add(given.bias_at, _number(v * lanes)), sums_type) for v in range(vectors)
    ]
    before = builder.block
    outer, inner, outer_end, done = (
        builder.append_basic_block(name) for name in ("segment", "step", "segment_end", "tile_done")
    )
    builder.branch(outer)

    builder.position_at_end(outer)
    segment = builder.phi(I64)
    segment.add_incoming(_number(0), before)
    weights_of_segment = builder.phi(I64)
    weights_of_segment.add_incoming(given.weight_at, before)
    carried = [builder.phi(sums_type) for _ in range(rows * vectors)]
    for i, total in enumerate(carried):
        total.add_incoming(biases[i % vectors], before)
    offset = builder.mul(segment, given.stride)
    windows = [builder.gep(position, [offset]) for position in positions]
    builder.branch(inner)

    builder.position_at_end(inner)
    term = builder.phi(I64)
    term.add_incoming(_number(0), outer)
    at = builder.phi(I64)
    at.add_incoming(weights_of_segment, outer)
    totals = [builder.phi(sums_type) for _ in range(rows * vectors)]
    for total, start in zip(totals, carried, strict=True):
        total.add_incoming(start, outer)

    weights = []
    narrow = ir.VectorType(given.weights.type.pointee, step * lanes)
    for v in range(vectors):
        vector = _loaded(builder, given.weights, builder.add(at, _number(step * lanes * v)), narrow)
        weights.append(vector if narrow.element.width == item.width else builder.sext(vector, items_type))
    sums = []
    for r in range(rows):
        place = builder.bitcast(builder.gep(windows[r], [term]), I32.as_pointer())
        items = broadcast(builder, kernels, builder.load(place, align=item.width // 8), item)
        sums += [add_products(builder, kernels, totals[r * vectors + v], items, weights[v]) for v in range(vectors)]
    next_term = builder.add(term, _number(step))
    next_at = builder.add(at, _number(step * lanes * kernels.vectors))
    term.add_incoming(next_term, inner)
    at.add_incoming(next_at, inner)
    for total, new in zip(totals, sums, strict=True):
        total.add_incoming(new, inner)
    builder.cbranch(builder.icmp_signed("<", next_term, given.length), inner, outer_end)

    builder.position_at_end(outer_end)
    next_segment = builder.add(segment, _number(1))
    segment.add_incoming(next_segment, outer_end)
    weights_of_segment.add_incoming(next_at, outer_end)
    for total, new in zip(carried, sums, strict=True):
        total.add_incoming(new, outer_end)
    builder.cbranch(builder.icmp_signed("<", next_segment, given.segments), outer, done)

    builder.position_at_end(done)
    return sums


def _interleaved(kernels, part):
    """The lanes of two vectors of 16-bit items, interleaved within 128 bits: the first (0) or the second (1) four
    items of each eight. So x86 interleaves in one instruction, and packing 32-bit results undoes it."""
    count = 2 * kernels.lanes
    lanes = []
    for start in range(4 * part, count, 8):
        for i in range(start, start + 4):
            lanes += [i, count + i]
    return lanes


def _order(kernels):
    """Where channel c of a tap tile's two vectors of sums stands, counted through both."""
    return [c // 8 * 4 + c % 4 + (kernels.lanes if c % 8 >= 4 else 0) for c in range(2 * kernels.lanes)]


def emit_tap_tile(builder, kernels, given):
    """Emit a depthwise tile: one position, a panel's number of channels.

    Channel c sums the products of ``values[start + offsets[t] + c]`` and its weights of all taps t, an even number,
    whose pairs ``pack_taps`` laid out from ``weight_at`` on. Its bias is ``bias[bias_at + c]``.
    """
    groups, lanes = kernels.vectors // 2, kernels.lanes
    sums_type = ir.VectorType(I32, lanes)
    items_type = ir.VectorType(I16, 2 * lanes)
    order = _order(kernels)
    inverse = [order.index(i) for i in range(2 * lanes)]

    def biases_of(group):
        a, b = (
            _loaded(builder, given.bias, builder.add(given.bias_at, _number(lanes * v)), sums_type)
            for v in (2 * group, 2 * group + 1)
        )
        return [chosen(builder, a, b, inverse[v * lanes : (v + 1) * lanes]) for v in (0, 1)]

    biases = [vector for group in range(groups) for vector in biases_of(group)]
    before = builder.block
    loop, done = builder.append_basic_block("taps"), builder.append_basic_block("taps_done")
    builder.branch(loop)
    builder.position_at_end(loop)
    tap = builder.phi(I64)
    tap.add_incoming(_number(0), before)
    weights_at = builder.phi(I64)
    weights_at.add_incoming(given.weight_at, before)
    totals = [builder.phi(sums_type) for _ in range(2 * groups)]
    places = [
        builder.add(given.start, builder.load(builder.gep(given.offsets, [builder.add(tap, _number(i))])))
        for i in (0, 1)
    ]
    sums = []
    for group in range(groups):
        a, b = (
            _loaded(builder, given.values, builder.add(place, _number(2 * lanes * group)), items_type)
            for place in places
        )
        for part in (0, 1):
            index = 2 * group + part
            place = builder.add(weights_at, _number(2 * lanes * index))
            weights = _loaded(builder, given.weights, place, items_type)
            pairs = chosen(builder, a, b, _interleaved(kernels, part))
            sums.append(add_products(builder, kernels, totals[index], pairs, weights))
            totals[index].add_incoming(biases[index], before)
            totals[index].add_incoming(sums[-1], loop)
    following = builder.add(tap, _number(2))
    tap.add_incoming(following, loop)
    weights_at.add_incoming(builder.add(weights_at, _number(4 * lanes * groups)), loop)
    builder.cbranch(builder.icmp_signed("<", following, given.taps), loop, done)

    builder.position_at_end(done)
    finish = Finish(builder, kernels, given)
    for group in range(groups):
        a, b = (finish.apply(total) for total in sums[2 * group : 2 * group + 2])
        for v in (0, 1):
            result = chosen(builder, a, b, order[v * lanes : (v + 1) * lanes])
            finish.store(result, 0, lanes * (2 * group + v))
    finish.keep_extremes()
