"""Compiled kernels of the routes on vector instructions: pure functions on typed, contiguous arrays, callable from
compiled code.

``panels`` packs their operands and decides where they hold; ``panel_tiles`` proves their arithmetic. Maps are
*channels last*, ``[row][column][channel]``, the order in which one kernel row of a window is one stretch of items:

- ``place_map``: a map into a padded one (int16).
- ``shift_items``: a map's items into 8-bit ones.
- ``pack_panels``: a weight block's bytes into panels of ``CHANNELS`` output channels.
- ``correlate_panels``: correlation, bias, scale-down and clamp in one pass.
- ``multiply_panels``: the same of one position, whose window is one stretch: a matrix times a vector.
- ``correlate_limbs``: the same where sums pass 31 bits.
- ``pack_taps``, ``correlate_taps``: the same of a depthwise correlation.

Those that write results of a narrow type stop at a block of positions whose results do not fit and say so; the
caller widens what is there and calls again from that position.
"""

# mypy: ignore-errors
from __future__ import annotations

import numba
import numpy as np
from smartvm.vm.dnn.compiling.parts import compiled
from smartvm.vm.dnn.platforms.kernel_sets import KERNELS
from smartvm.vm.dnn.platforms.native import stack_memory
from smartvm.vm.dnn.platforms.panel_tiles import panel_tile, tap_tile

#: Output channels of a panel.
CHANNELS = KERNELS.channels
#: Positions of a tile.
ROWS = KERNELS.rows
_LANES = KERNELS.lanes
#: Positions that are computed for one panel after the other, so that their items stay in the first-level cache.
BLOCK = 48
#: A rest of so many positions joins the block before: for few positions alone weights are not read again.
_REST = BLOCK // 2

INT32_LOW = -(1 << 31)
INT32_HIGH = (1 << 31) - 1

#: Positions of a tile of one vector of channels.
_NARROW_ROWS = ROWS * KERNELS.vectors
_tile_full = panel_tile(ROWS)
_tile_narrow = panel_tile(_NARROW_ROWS, 1)
_tile_single = panel_tile(1)
_taps = tap_tile()
_memory_of_starts = stack_memory(BLOCK + _REST)
_memory_of_panel = stack_memory(CHANNELS)
_memory_of_edge = stack_memory(_NARROW_ROWS * CHANNELS)
_memory_of_extremes = stack_memory(2 * _LANES)


@compiled
def _clear(target):
    for i in range(target.shape[0]):
        target[i] = 0


@compiled
def _copy(target, source):
    for i in range(target.shape[0]):
        target[i] = source[i]


@compiled
def place_map(x, height, width, channels, channel_step, place_step, top, left, out):
    """Write a map of int16 to ``out``, channels last, ``top`` rows and ``left`` columns of zeros around it.

    The item of channel c at place n (row-major) is ``x[c·channel_step + n·place_step]``. ``out`` holds (height +
    2·top)·(width + 2·left)·channels items or more; all are written.
    """
    line = (width + 2 * left) * channels
    _clear(out[: top * line + left * channels])
    for row in range(height):
        start = (row + top) * line + left * channels
        end = start + width * channels
        target = out[start:end]
        if channel_step == 1 and place_step == channels:
            _copy(target, x[row * width * channels : (row + 1) * width * channels])
        else:
            for channel in range(channels):
                source = x[channel * channel_step + row * width * place_step :]
                for column in range(width):
                    target[column * channels + channel] = source[column * place_step]
        _clear(out[end : end + 2 * left * channels])
    _clear(out[height * line + top * line :])


@compiled
def _item(packed, width, i):
    """Item ``i`` of big-endian bytes, 1 or 2 an item."""
    if width == 1:
        return np.int64(np.int8(packed[i]))
    return np.int64(np.int8(packed[2 * i])) * 256 + np.int64(packed[2 * i + 1])


@compiled
def _decode(packed, width, row):
    """Write items of big-endian bytes (1 or 2 an item) to ``row``; the sum of their magnitudes, their sum, the least
    and the greatest."""
    total, plain = np.int64(0), np.int64(0)
    least, greatest = np.int16(32767), np.int16(-32768)
    if width == 1:
        for t in range(packed.shape[0]):
            value = np.int16(np.int8(packed[t]))
            row[t] = value
            total += abs(np.int64(value))
            plain += np.int64(value)
            least, greatest = min(least, value), max(greatest, value)
    else:
        for t in range(packed.shape[0] // 2):
            value = np.int16((np.uint16(packed[2 * t]) << np.uint16(8)) | np.uint16(packed[2 * t + 1]))
            row[t] = value
            total += abs(np.int64(value))
            plain += np.int64(value)
            least, greatest = min(least, value), max(greatest, value)
    return total, plain, least, greatest


@compiled
def pack_panels(packed, width, kernels, inputs, rows, columns, step, out, sums):
    """Pack weights ``[kernel][input][row][column]``, given as bytes (1 or 2 an item, big-endian), into ``out``:
    ``[panel][row][step of terms][channel][term of the step]``, steps of 2 or 4 terms, terms of a row in the order
    column, input, with zeros where they fill no whole step. Writes each kernel's sum to ``sums``.

    Channels that fill up the last panel repeat the last kernel, so that their results leave the extremes alone.
    Returns (the largest sum of magnitudes of one kernel, the least and the greatest weight).

    A panel's kernels are decoded one after the other, then read side by side: all writes are in order.
    """
    terms = inputs * rows * columns
    stretch = columns * inputs
    length = (stretch + step - 1) // step * step
    # an odd number of cache lines from row to row, so that rows do not contend for the same places of the cache
    span = ((terms + 31) // 32 | 1) * 32
    staged = np.empty(CHANNELS * span, np.int16)
    places = np.empty(stretch, np.int64)  # of a row's terms in a kernel, from the row's first on
    for term in range(stretch):
        places[term] = (term % inputs) * rows * columns + term // inputs
    largest, least, greatest = np.int64(0), np.int64(1 << 15), np.int64(-(1 << 15))
    for panel in range((kernels + CHANNELS - 1) // CHANNELS):
        first = panel * CHANNELS
        used = min(CHANNELS, kernels - first)
        for o in range(used):
            begin = (first + o) * terms * width
            decoded = staged[o * span : (o + 1) * span]
            total, plain, low, high = _decode(packed[begin : begin + terms * width], width, decoded)
            sums[first + o] = plain
            largest, least, greatest = max(largest, total), min(least, np.int64(low)), max(greatest, np.int64(high))
        for o in range(used, CHANNELS):
            for t in range(terms):
                staged[o * span + t] = staged[(used - 1) * span + t]
        for row in range(rows):
            target = (panel * rows + row) * length * CHANNELS
            for start in range(0, length, step):
                at = target + start * CHANNELS
                for i in range(step):
                    if start + i < stretch:
                        _copy_spaced(staged, row * columns + places[start + i], span, out, at + i, step)
                    else:
                        for o in range(CHANNELS):
                            out[at + i + step * o] = 0
    return largest, least, greatest


@compiled
def _copy_spaced(source, first, source_step, target, at, target_step):
    """``CHANNELS`` items from ``first`` on, ``source_step`` apart, to places ``target_step`` apart. Indexes without a
    sign: Numba would test others for being negative at each step, and fetching weights waits for this loop."""
    for o in range(np.uint64(CHANNELS)):
        target[np.uint64(at) + o * np.uint64(target_step)] = source[np.uint64(first) + o * np.uint64(source_step)]


@compiled
def shift_items(values, shift, out):
    """``out = values + shift`` of 16-bit items, which fit 8 bits then; ``out`` may be longer."""
    for i in range(values.shape[0]):
        out[i] = np.int16(values[i] + shift)


@compiled
def _correlate_block(
    values, window, n0, n1, weights, bias, kernels, reciprocal, low, high, out, base, starts, edge, extremes
):
    """Positions n0 … n1 - 1 of all panels; position n goes to row n - ``base`` of ``out``."""
    columns, row_step, column_step = window[1], window[2], window[3]
    segments, length, stride = window[4], window[5], window[6]
    for n in range(n0, n1):
        starts[n - n0] = (n // columns) * row_step + (n % columns) * column_step
    panel_items = segments * length * CHANNELS
    count = n1 - n0
    # one vector holds all channels
    narrow = kernels <= _LANES and count >= _NARROW_ROWS
    tile_rows = _NARROW_ROWS if narrow else ROWS if count >= ROWS else 1
    for panel in range((kernels + CHANNELS - 1) // CHANNELS):
        o = panel * CHANNELS
        used = min(CHANNELS, kernels - o)
        at = panel * panel_items
        n = 0
        while n < count:
            rows = tile_rows if count - n > 1 else 1
            n = min(n, count - rows)  # the last tile may compute positions again
            place = (n0 + n - base) * kernels + o
            # a tile writes whole panels: beyond a row of fewer channels it spills into later rows, written afterwards
            direct = used == CHANNELS or (kernels < CHANNELS and place + rows * kernels + CHANNELS <= out.shape[0])
            target = out if direct else edge
            start = place if direct else 0
            pitch = kernels if direct else CHANNELS
            if rows == 1:
                _tile_single(
                    values, starts, n, weights, at, segments, length, stride, bias, o, reciprocal, low, high,
                    target, start, pitch, extremes,
                )  # fmt: skip
            elif narrow:
                _tile_narrow(
                    values, starts, n, weights, at, segments, length, stride, bias, o, reciprocal, low, high,
                    target, start, pitch, extremes,
                )  # fmt: skip
            else:
                _tile_full(
                    values, starts, n, weights, at, segments, length, stride, bias, o, reciprocal, low, high,
                    target, start, pitch, extremes,
                )  # fmt: skip
            if not direct:
                for r in range(rows):
                    for c in range(used):
                        out[place + r * kernels + c] = edge[r * CHANNELS + c]
            n += rows


@compiled
def _new_extremes(extremes):
    for lane in range(_LANES):
        extremes[lane] = INT32_HIGH
        extremes[_LANES + lane] = INT32_LOW


@compiled
def _reduced(extremes):
    least, greatest = np.int64(extremes[0]), np.int64(extremes[_LANES])
    for lane in range(1, _LANES):
        least = min(least, np.int64(extremes[lane]))
        greatest = max(greatest, np.int64(extremes[_LANES + lane]))
    return least, greatest


@compiled
def correlate_panels(values, window, weights, bias, kernels, reciprocal, low, high, first, out):
    """``out[n·kernels + o] = min(max(trunc((bias[o] + Σ_t weights[o, t]·values[window n, t]) / d), low), high)``.

    ``values``: int16, or 8-bit items of the sign that the set takes. ``window``: int64 numbers (positions, columns,
    row_step, column_step, segments, length, stride): the window of position n starts at (n // columns)·row_step + (n %
    columns)·column_step and is ``segments`` stretches of ``length`` items (whole steps), ``stride`` apart. ``weights``:
    ``pack_panels``'s, int16 or int8, by steps of 2 for 16-bit items and of 4 for 8-bit ones. ``bias``: int32, its
    last item repeated up to whole panels. ``reciprocal``: ``reciprocal_of(d)``. ``low``, ``high``: int32 values.
    ``out``: int16 or int32, one row of channels a position.

    Starts at position ``first``; returns (the position reached, the least and the greatest result up to there).
    A position below the number of positions means: the next block's results do not fit ``out``.
    """
    positions = window[0]
    starts = numba.carray(_memory_of_starts(window), BLOCK + _REST)
    edge = numba.carray(_memory_of_edge(out), _NARROW_ROWS * CHANNELS)
    extremes = numba.carray(_memory_of_extremes(bias), 2 * _LANES)
    least, greatest = np.int64(INT32_HIGH), np.int64(INT32_LOW)
    n0 = first
    limit = (np.int64(1) << np.int64(8 * out.itemsize - 1)) - 1
    while n0 < positions:
        n1 = n0 + BLOCK if positions - n0 > BLOCK + _REST else positions
        _new_extremes(extremes)
        _correlate_block(
            values, window, n0, n1, weights, bias, kernels, reciprocal, low, high, out, 0, starts, edge, extremes
        )
        block_least, block_greatest = _reduced(extremes)
        if block_greatest > limit or block_least < -limit - 1:
            break
        least, greatest = min(least, block_least), max(greatest, block_greatest)
        n0 = n1
    return n0, least, greatest


@compiled
def multiply_panels(values, window, weights, bias, kernels, reciprocal, low, high, out):
    """``correlate_panels`` of one position, whose window is the one stretch from the first item on; ``out`` is int32.
    Returns the least and the greatest result."""
    length = window[5]
    starts = numba.carray(_memory_of_starts(window), 1)
    edge = numba.carray(_memory_of_panel(out), CHANNELS)
    extremes = numba.carray(_memory_of_extremes(bias), 2 * _LANES)
    starts[0] = 0
    _new_extremes(extremes)
    for o in range(0, kernels, CHANNELS):
        direct = kernels - o >= CHANNELS
        target = out if direct else edge
        _tile_single(
            values, starts, 0, weights, o * length, 1, length, 0, bias, o, reciprocal, low, high,
            target, o if direct else 0, 0, extremes,
        )  # fmt: skip
    for o in range(kernels // CHANNELS * CHANNELS, kernels):
        out[o] = edge[o % CHANNELS]
    return _reduced(extremes)


@compiled
def correlate_limbs(limbs, bits, window, weights, bias, kernels, divisor, low, high, first, out):
    """As ``correlate_panels``, of the items ``Σ_i limbs[i]·2^(bits·i)`` (int16 rows, each of which a single
    pass sums below 2^31); ``bias`` is int64, all sums stay below 2^51 (float64 then divides exactly, see
    ``elementwise.quotients``), ``divisor`` is a float64, ``low`` and ``high`` are int64, ``out`` is int32 or int64.
    """
    positions = window[0]
    starts = np.empty(BLOCK + _REST, np.int64)
    edge = np.empty(_NARROW_ROWS * CHANNELS, np.int32)
    extremes = np.empty(2 * _LANES, np.int32)
    sums = np.empty((BLOCK + _REST) * kernels, np.int32)
    totals = np.empty((BLOCK + _REST) * kernels, np.int64)
    zeros = np.zeros((kernels + CHANNELS - 1) // CHANNELS * CHANNELS, np.int32)
    least, greatest = np.int64(high), np.int64(low)
    limit = np.int64(INT32_HIGH) if out.itemsize == 4 else (np.int64(1) << np.int64(62))
    n0 = first
    while n0 < positions:
        n1 = n0 + BLOCK if positions - n0 > BLOCK + _REST else positions
        count = (n1 - n0) * kernels
        for i in range(limbs.shape[0] - 1, -1, -1):
            _new_extremes(extremes)
            _correlate_block(
                limbs[i], window, n0, n1, weights, zeros, kernels, 1.0 + 2.0**-50, INT32_LOW, INT32_HIGH,
                sums, n0, starts, edge, extremes,
            )  # fmt: skip
            if i == limbs.shape[0] - 1:
                for k in range(count):
                    totals[k] = sums[k]
            else:
                for k in range(count):
                    totals[k] = (totals[k] << np.int64(bits)) + sums[k]
        block_least, block_greatest = least, greatest
        for n in range(n1 - n0):
            for o in range(kernels):
                k = n * kernels + o
                result = np.int64(np.float64(totals[k] + bias[o]) / divisor)
                result = min(max(result, low), high)
                totals[k] = result
                block_least, block_greatest = min(block_least, result), max(block_greatest, result)
        if block_greatest > limit or block_least < -limit - 1:
            break
        for k in range(count):
            out[n0 * kernels + k] = totals[k]
        least, greatest = block_least, block_greatest
        n0 = n1
    return n0, least, greatest


@compiled
def pack_taps(packed, width, channels, taps, out):
    """Pack depthwise weights ``[channel][tap]``, given as bytes (1 or 2 an item, big-endian), into ``out``:
    ``[tile][pair of taps][channel][tap of the pair]``, with a 0 where they are odd in number.

    A tile is ``CHANNELS`` channels, the last one those at the end; each 4 of 8 channels of two vectors stand
    together, as ``panel_tiles.tap_tile`` interleaves items. Returns (the largest sum of magnitudes of one channel,
    the least and the greatest weight).
    """
    totals = np.zeros(channels, np.int64)
    least, greatest = np.int64(1 << 15), np.int64(-(1 << 15))
    at = 0
    for tile in range((channels + CHANNELS - 1) // CHANNELS):
        first = min(tile * CHANNELS, channels - CHANNELS)
        totals[first : first + CHANNELS] = 0
        for pair in range(0, taps, 2):
            for place in range(CHANNELS):
                i = place % (2 * _LANES)
                channel = first + place - i + i % _LANES // 4 * 8 + i % 4 + i // _LANES * 4
                for tap in range(pair, pair + 2):
                    value = np.int64(0)
                    if tap < taps:
                        value = _item(packed, width, channel * taps + tap)
                        least, greatest = min(least, value), max(greatest, value)
                    out[at] = value
                    totals[channel] += abs(value)
                    at += 1
    largest = np.int64(0)
    for channel in range(channels):
        largest = max(largest, totals[channel])
    return largest, least, greatest


@compiled
def correlate_taps(values, window, offsets, weights, bias, channels, reciprocal, low, high, first, out):
    """Depthwise ``correlate_panels``: channel c of position n sums the taps' weights times ``values[start n +
    offsets[tap] + c]``; an odd number of taps has a last one more, of any offset in the map. At least ``CHANNELS``
    channels. ``weights``: ``pack_taps``'s; ``window`` as there, of which the first four numbers count; ``bias``:
    int32."""
    positions, columns, row_step, column_step = window[0], window[1], window[2], window[3]
    tile_items = offsets.shape[0] * CHANNELS
    extremes = numba.carray(_memory_of_extremes(bias), 2 * _LANES)
    least, greatest = np.int64(INT32_HIGH), np.int64(INT32_LOW)
    limit = (np.int64(1) << np.int64(8 * out.itemsize - 1)) - 1
    n0 = first
    while n0 < positions:
        n1 = n0 + BLOCK if positions - n0 > BLOCK + _REST else positions
        _new_extremes(extremes)
        for n in range(n0, n1):
            start = (n // columns) * row_step + (n % columns) * column_step
            for tile in range((channels + CHANNELS - 1) // CHANNELS):
                c = min(tile * CHANNELS, channels - CHANNELS)  # the last tile may compute channels again
                _taps(
                    values, start + c, offsets, offsets.shape[0], weights, tile * tile_items, bias, c,
                    reciprocal, low, high, out, n * channels + c, channels, extremes,
                )  # fmt: skip
        block_least, block_greatest = _reduced(extremes)
        if block_greatest > limit or block_least < -limit - 1:
            break
        least, greatest = min(least, block_least), max(greatest, block_greatest)
        n0 = n1
    return n0, least, greatest
