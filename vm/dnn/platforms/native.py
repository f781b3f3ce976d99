"""Compiled inner loops of the DNN instructions. Pure functions on arrays; the callers check shapes and prove
widths.

Every array argument is C-contiguous. Directions are depth, rows, columns; two-dimensional maps have depth 1.
"""

# mypy: ignore-errors
from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic
from smartvm.vm.dnn.compiling.parts import compiled
from smartvm.vm.dnn.items import LIMBS
from smartvm.vm.dnn.platforms.kernel_sets import COPY_STEP

_WORD = ir.IntType(256)


def _row_pointer(context, builder, array_type, array, index):
    """The address of row ``index`` of an (n, 4) array, as a pointer to a 256-bit integer."""
    data = context.make_array(array_type)(context, builder, array).data
    limb = builder.mul(index, ir.Constant(index.type, LIMBS))
    return builder.bitcast(builder.gep(data, [limb]), _WORD.as_pointer())


@intrinsic
def multiply_add(typing_context, total, at, first, i, second, j):
    """``total[at] += first[i] * second[j]`` modulo 2^256, on (n, 4) arrays of limbs (little-endian hosts)."""
    signature = types.void(total, types.intp, first, types.intp, second, types.intp)

    def generate(context, builder, sig, arguments):
        kinds = sig.args
        a = builder.load(_row_pointer(context, builder, kinds[2], arguments[2], arguments[3]), align=8)
        b = builder.load(_row_pointer(context, builder, kinds[4], arguments[4], arguments[5]), align=8)
        target = _row_pointer(context, builder, kinds[0], arguments[0], arguments[1])
        old = builder.load(target, align=8)
        builder.store(builder.add(old, builder.mul(a, b)), target, align=8)
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def add_row(typing_context, total, at, term, i):
    """``total[at] += term[i]`` modulo 2^256, on (n, 4) arrays of limbs."""
    signature = types.void(total, types.intp, term, types.intp)

    def generate(context, builder, sig, arguments):
        a = builder.load(_row_pointer(context, builder, sig.args[2], arguments[2], arguments[3]), align=8)
        target = _row_pointer(context, builder, sig.args[0], arguments[0], arguments[1])
        old = builder.load(target, align=8)
        builder.store(builder.add(old, a), target, align=8)
        return context.get_dummy_value()

    return signature, generate


@compiled
def wide_extremes(x):
    """Rows of the least and of the greatest of at least one wide item."""
    least = 0
    greatest = 0
    for i in range(1, x.shape[0]):
        if _less(x, i, least):
            least = i
        elif _less(x, greatest, i):
            greatest = i
    return least, greatest


@compiled
def _less(x, i, j):
    """Whether item ``i`` is less than item ``j``: the top limb is signed."""
    a = np.int64(x[i, 3])
    b = np.int64(x[j, 3])
    if a != b:
        return a < b
    for limb in range(2, -1, -1):
        if x[i, limb] != x[j, limb]:
            return x[i, limb] < x[j, limb]
    return False


def _step(combine):
    """The intrinsic that combines ``COPY_STEP`` items of one-dimensional arrays of one type as a vector: a loop would
    have to allow for overlap."""

    @intrinsic
    def step(typing_context, target, at, source, start):
        signature = types.void(target, types.intp, source, types.intp)

        def generate(context, builder, sig, arguments):
            def pointer(position):
                array = context.make_array(sig.args[position])(context, builder, arguments[position])
                vector = ir.VectorType(array.data.type.pointee, COPY_STEP)
                return builder.bitcast(builder.gep(array.data, [arguments[position + 1]]), vector.as_pointer())

            item_bytes = sig.args[0].dtype.bitwidth // 8
            place, new = pointer(0), builder.load(pointer(2), align=item_bytes)
            builder.store(combine(builder, place, new, item_bytes), place, align=item_bytes)
            return context.get_dummy_value()

        return signature, generate

    return step


def _greater(builder, place, new, item_bytes):
    old = builder.load(place, align=item_bytes)
    return builder.select(builder.icmp_signed(">", old, new), old, new)


#: ``target[at : at + COPY_STEP] = source[start : start + COPY_STEP]``.
copy_step = _step(lambda builder, place, new, item_bytes: new)
#: ``target[at + i] = max(target[at + i], source[start + i])`` likewise.
take_greater_step = _step(_greater)
#: ``target[at + i] += source[start + i]`` likewise.
add_step = _step(lambda builder, place, new, item_bytes: builder.add(builder.load(place, align=item_bytes), new))


def stack_memory(count):
    """The intrinsic that gives memory for ``count`` items of an array's type, until the calling function ends: for
    ``numba.carray`` in that function, which must be called by others, not be inlined by Numba."""

    @intrinsic
    def memory(typing_context, like):
        def generate(context, builder, signature, arguments):
            return cgutils.alloca_once(builder, context.get_data_type(like.dtype), size=count)

        return types.CPointer(like.dtype)(like), generate

    return memory


@compiled
def gather_windows(x, channels, sizes, kernel, outputs, stride, padding, first, count, row_length, windows):
    """Write the cells of windows ``first`` … ``first + count − 1`` to ``windows``, ``row_length`` items each
    (zero-filled beyond the cells), in the order channel, depth, row, column; cells outside the map are 0.

    Kernel rows inside the map are copied in whole steps of ``COPY_STEP`` items; what a step writes too much,
    the next writes over. So ``x`` and ``windows`` have as many items more at their end, whose values do not
    matter."""
    for n in range(count):
        place = first + n
        left = (place % outputs[2]) * stride - padding[2]
        place //= outputs[2]
        top = (place % outputs[1]) * stride - padding[1]
        front = (place // outputs[1]) * stride - padding[0]
        low = max(0, -left)
        high = min(kernel[2], sizes[2] - left)
        inside = low == 0 and high == kernel[2]
        at = n * row_length
        for channel in range(channels):
            for a in range(kernel[0]):
                z = front + a
                outside = z < 0 or z >= sizes[0]
                for b in range(kernel[1]):
                    row = top + b
                    if outside or row < 0 or row >= sizes[1]:
                        for c in range(kernel[2]):
                            windows[at + c] = 0
                    else:
                        source = ((channel * sizes[0] + z) * sizes[1] + row) * sizes[2] + left
                        if inside:
                            for step in range(0, kernel[2], COPY_STEP):
                                copy_step(windows, at + step, x, source + step)
                        else:
                            for c in range(kernel[2]):
                                windows[at + c] = 0
                            for c in range(low, high):
                                windows[at + c] = x[source + c]
                    at += kernel[2]
        for rest in range(at, (n + 1) * row_length):
            windows[rest] = 0


@compiled
def dot_rows(windows, weights, out):
    """``out[o, n] = Σ_t weights[o, t]·windows[n, t]`` in int64."""
    for o in range(weights.shape[0]):
        for n in range(windows.shape[0]):
            total = np.int64(0)
            for t in range(weights.shape[1]):
                total += np.int64(weights[o, t]) * np.int64(windows[n, t])
            out[o, n] = total


@compiled
def correlate_channels(x, weights, sizes, kernel, outputs, stride, padding, out):
    """Depthwise correlation: each channel by its own kernel, tap by tap over whole rows. All arrays are int32
    or all are int64, which holds every partial sum."""
    for channel in range(out.shape[0]):
        for row in range(outputs[0]):
            line = out[channel, row]
            line[:] = 0
            for b in range(kernel):
                i = row * stride - padding + b
                if i < 0 or i >= sizes[0]:
                    continue
                source = x[channel, i]
                for c in range(kernel):
                    weight = weights[channel, b, c]
                    shift = c - padding
                    # columns whose cell lies inside: 0 <= column * stride + shift < width
                    first = max(0, -(shift // stride))
                    last = max(first, min(outputs[1], (sizes[1] - 1 - shift) // stride + 1))
                    if stride == 1:
                        _add_scaled(line[first:last], source[first + shift : last + shift], weight)
                    else:
                        _add_scaled(
                            line[first:last], source[first * stride + shift :: stride][: last - first], weight
                        )


@compiled
def _add_scaled(line, source, weight):
    """``line += weight·source``: slices, since Numba would test a computed index for being negative at each
    step, which keeps LLVM from vector instructions."""
    for i in range(line.shape[0]):
        line[i] += weight * source[i]


@compiled
def correlate_wide(x, weights, groups, inputs, sizes, kernel, outputs, stride, padding, out):
    """Correlation modulo 2^256. ``groups`` groups of ``inputs`` channels each; the kernels of ``weights`` are
    spread evenly over the groups. ``out`` holds zeros."""
    taps = kernel[0] * kernel[1] * kernel[2]
    positions = outputs[0] * outputs[1] * outputs[2]
    kernels = out.shape[0] // positions
    for o in range(kernels):
        group = o // (kernels // groups)
        for z in range(outputs[0]):
            for y in range(outputs[1]):
                for c in range(outputs[2]):
                    at = (o * outputs[0] + z) * outputs[1] * outputs[2] + y * outputs[2] + c
                    for channel in range(inputs):
                        for a in range(kernel[0]):
                            i = z * stride - padding[0] + a
                            if i < 0 or i >= sizes[0]:
                                continue
                            for b in range(kernel[1]):
                                j = y * stride - padding[1] + b
                                if j < 0 or j >= sizes[1]:
                                    continue
                                line = (((group * inputs + channel) * sizes[0] + i) * sizes[1] + j) * sizes[2]
                                tap = (o * inputs + channel) * taps + (a * kernel[1] + b) * kernel[2]
                                left = c * stride - padding[2]
                                for d in range(max(0, -left), min(kernel[2], sizes[2] - left)):
                                    multiply_add(out, at, weights, tap + d, x, line + left + d)


@compiled
def scatter_products(products, first, sizes, kernel, outputs, stride, padding, out):
    """Add the products of input places ``first`` … (rows of ``products``: channel, kernel row, kernel column)
    to the output maps of a transposed convolution, cropped by ``padding``."""
    for n in range(products.shape[0]):
        top = ((first + n) // sizes[1]) * stride - padding
        left = ((first + n) % sizes[1]) * stride - padding
        low = max(0, -left)
        high = min(kernel, outputs[1] - left)
        for channel in range(out.shape[0]):
            for b in range(max(0, -top), min(kernel, outputs[0] - top)):
                at = (channel * kernel + b) * kernel
                for c in range(low, high):
                    out[channel, top + b, left + c] += products[n, at + c]


@compiled
def transpose_wide(x, weights, inputs, kernels, sizes, kernel, outputs, stride, padding, out):
    """Transposed convolution modulo 2^256; ``out`` holds zeros."""
    for channel in range(inputs):
        for i in range(sizes[0]):
            for j in range(sizes[1]):
                source = (channel * sizes[0] + i) * sizes[1] + j
                top = i * stride - padding
                left = j * stride - padding
                for o in range(kernels):
                    for b in range(max(0, -top), min(kernel, outputs[0] - top)):
                        line = (o * outputs[0] + top + b) * outputs[1] + left
                        tap = ((channel * kernels + o) * kernel + b) * kernel
                        for c in range(max(0, -left), min(kernel, outputs[1] - left)):
                            multiply_add(out, line + c, weights, tap + c, x, source)


@compiled
def multiply_matrices_wide(a, b, rows, inner, columns, out):
    """Matrix product modulo 2^256; ``out`` holds zeros."""
    for i in range(rows):
        for t in range(inner):
            for j in range(columns):
                multiply_add(out, i * columns + j, a, i * inner + t, b, t * columns + j)


@compiled
def multiply_items_wide(a, b, b_step, out):
    """``out[i] = a[i]·b[i·b_step]`` modulo 2^256; ``out`` holds zeros."""
    for i in range(out.shape[0]):
        multiply_add(out, i, a, i, b, i * b_step)


@compiled
def add_items_wide(out, terms, span):
    """``out[i] += terms[i // span]`` modulo 2^256."""
    for i in range(out.shape[0]):
        add_row(out, i, terms, i // span)


@compiled
def add_items(first, second, out):
    """``out = first + second`` of int16, wrapped; returns the least and the greatest sum, not wrapped."""
    least, greatest = np.int32(1 << 17), np.int32(-(1 << 17))
    for i in range(out.shape[0]):
        total = np.int32(first[i]) + np.int32(second[i])
        least = min(least, total)
        greatest = max(greatest, total)
        out[i] = total
    return least, greatest


@compiled
def pool_maximum(x, sizes, channels, kernel, outputs, stride, padding, out):
    """Maximum of each window's cells inside the map, ``[row][column][channel]``: rows first, over whole lines of the
    map, then columns."""
    width = sizes[1] * channels
    lines = np.empty(width + COPY_STEP, x.dtype)
    line = lines[:width]
    # places of whole columns of which steps may write too much: it is written over
    in_steps = max(0, (out.shape[0] - COPY_STEP) // channels) * channels
    for row in range(outputs[0]):
        i = row * stride - padding
        top = max(0, i)
        _copy(line, x[top * width : (top + 1) * width])
        for a in range(top + 1, min(sizes[0], i + kernel)):
            _take_greatest(line, x[a * width : (a + 1) * width])
        at = row * outputs[1] * channels
        if channels < 16 and padding == 0:  # no call for so few channels
            _greatest_of_columns(lines, channels, kernel, stride, at, min(at + outputs[1] * channels, in_steps), out)
            for place in range(max(at, in_steps), at + outputs[1] * channels):
                start = (place - at) // channels * stride * channels + (place - at) % channels
                best = line[start]
                for b in range(1, kernel):
                    best = max(best, line[start + b * channels])
                out[place] = best
            continue
        for column in range(outputs[1]):
            j = column * stride - padding
            left = max(0, j)
            cells = out[at : at + channels]
            _copy(cells, line[left * channels : (left + 1) * channels])
            for b in range(left + 1, min(sizes[1], j + kernel)):
                _take_greatest(cells, line[b * channels : (b + 1) * channels])
            at += channels


@compiled
def _greatest_of_columns(lines, channels, kernel, stride, first, end, out):
    """Maxima of ``kernel`` columns each, written from place ``first`` up to ``end`` and less than a step beyond."""
    start = 0
    for at in range(first, end, channels):
        for c in range(0, channels, COPY_STEP):
            copy_step(out, at + c, lines, start + c)
            for b in range(1, kernel):
                take_greater_step(out, at + c, lines, start + b * channels + c)
        start += stride * channels


@compiled
def _copy(line, cells):
    for i in range(line.shape[0]):
        line[i] = cells[i]


@compiled
def _take_greatest(line, cells):
    for i in range(line.shape[0]):
        line[i] = max(line[i], cells[i])


@compiled
def pool_average(x, sizes, channels, kernel, outputs, stride, line, out):
    """Sum of each window over ``kernel``², truncated toward zero, ``[row][column][channel]``; ``line`` has
    ``COPY_STEP`` items more than a row of the map, of a type that holds the sums: rows are added first, then columns.

    32-bit sums are divided through a reciprocal, exactly (``panel_tiles`` has the proof)."""
    area = line.dtype.type(kernel * kernel)
    narrow = line.itemsize == 4
    reciprocal = (1.0 / np.float64(area)) * (1.0 + 2.0**-50)
    width = sizes[1] * channels
    cells = line[:width]
    count = outputs[1] * channels
    totals = np.empty(count + COPY_STEP, line.dtype)
    for row in range(outputs[0]):
        _copy(cells, x[row * stride * width : (row * stride + 1) * width])
        for a in range(row * stride + 1, row * stride + kernel):
            _add_cells(cells, x[a * width : (a + 1) * width])
        start = 0
        for at in range(0, count, channels):
            for c in range(0, channels, COPY_STEP):  # what is written too much is written over
                copy_step(totals, at + c, line, start + c)
                for b in range(1, kernel):
                    add_step(totals, at + c, line, start + b * channels + c)
            start += stride * channels
        _divide(out[row * count : (row + 1) * count], totals, area, reciprocal, narrow)


@compiled
def _divide(target, totals, area, reciprocal, narrow):
    for i in range(target.shape[0]):
        target[i] = _truncated(totals[i], area, reciprocal, narrow)


@compiled
def _truncated(total, area, reciprocal, narrow):
    if narrow:
        return np.int64(np.int32(np.float64(total) * reciprocal))
    quotient = abs(total) // area
    return -quotient if total < 0 else quotient


@compiled
def _add_cells(line, cells):
    for i in range(line.shape[0]):
        line[i] += cells[i]
