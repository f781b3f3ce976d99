"""Twins of the DNN instructions in Python integers: the oracle that every kernel is tested against.

Each function is the instruction's definition written down, nothing else: lists of signed integers in, lists
out, no checks, no gas. Slow on purpose; the activations use rational bounds of growing precision.
"""

from __future__ import annotations

from collections.abc import Sequence

import mpmath
from smartvm.vm.dnn.items import truncated_quotient, wrap

Items = list[int]


def output_side(side: int, kernel: int, stride: int, padding: int = 0) -> int:
    """Positions of a window along a side."""
    return (side + 2 * padding - kernel) // stride + 1


def _volume(x: Sequence[int], sizes: tuple[int, int, int], channel: int, place: tuple[int, int, int]) -> int:
    """The cell at ``place`` of a channel; 0 outside."""
    if any(not 0 <= at < size for at, size in zip(place, sizes, strict=True)):
        return 0
    index = channel
    for at, size in zip(place, sizes, strict=True):
        index = index * size + at
    return x[index]


def _correlate(
    x: Sequence[int],
    w: Sequence[int],
    channels: Sequence[Sequence[int]],
    sizes: tuple[int, int, int],
    kernel: tuple[int, int, int],
    stride: int,
    padding: tuple[int, int, int],
) -> Items:
    """For each output channel the correlation of its input ``channels`` with its kernels, in order."""
    steps = (stride, stride, stride)
    outputs = [output_side(*facts) for facts in zip(sizes, kernel, steps, padding, strict=True)]
    taps = [(a, b, c) for a in range(kernel[0]) for b in range(kernel[1]) for c in range(kernel[2])]
    result: Items = []
    position = 0
    for sources in channels:
        span = len(sources) * len(taps)
        weights = w[position : position + span]
        position += span
        for z in range(outputs[0]):
            for row in range(outputs[1]):
                for column in range(outputs[2]):
                    corner = (
                        z * stride - padding[0],
                        row * stride - padding[1],
                        column * stride - padding[2],
                    )
                    total = 0
                    index = 0
                    for source in sources:
                        for tap in taps:
                            place = (corner[0] + tap[0], corner[1] + tap[1], corner[2] + tap[2])
                            total += weights[index] * _volume(x, sizes, source, place)
                            index += 1
                    result.append(wrap(total))
    return result


def conv_sing(x: Items, w: Items, c: int, h: int, width: int, k: int, s: int, p: int) -> Items:
    """CONV_SING."""
    return _correlate(x, w, [[i] for i in range(c)], (1, h, width), (1, k, k), s, (0, p, p))


def conv_mul(x: Items, w: Items, c: int, o: int, h: int, width: int, k: int, s: int, p: int) -> Items:
    """CONV_MUL."""
    return _correlate(x, w, [range(c)] * o, (1, h, width), (1, k, k), s, (0, p, p))


def conv_3d(x: Items, w: Items, c: int, o: int, d: int, h: int, k: int, s: int, p: int) -> Items:
    """CONV_3D."""
    return _correlate(x, w, [range(c)] * o, (d, h, h), (k, k, k), s, (p, p, p))


def conv_tpd(x: Items, w: Items, c: int, o: int, h: int, width: int, k: int, s: int, p: int) -> Items:
    """CONV_TPD."""
    rows, columns = (h - 1) * s - 2 * p + k, (width - 1) * s - 2 * p + k
    result = [0] * (o * rows * columns)
    for source in range(c):
        for i in range(h):
            for j in range(width):
                value = x[(source * h + i) * width + j]
                for target in range(o):
                    for a in range(k):
                        for b in range(k):
                            row, column = i * s + a - p, j * s + b - p
                            if 0 <= row < rows and 0 <= column < columns:
                                weight = w[((source * o + target) * k + a) * k + b]
                                result[(target * rows + row) * columns + column] += weight * value
    return [wrap(value) for value in result]


def full_con(x: Items, w: Items, o: int) -> Items:
    """FULL_CON."""
    n = len(x)
    return [wrap(sum(w[i * n + j] * x[j] for j in range(n))) for i in range(o)]


def mat_mul(a: Items, b: Items, rows: int, inner: int, columns: int) -> Items:
    """MAT_MUL."""
    return [
        wrap(sum(a[i * inner + t] * b[t * columns + j] for t in range(inner)))
        for i in range(rows)
        for j in range(columns)
    ]


def _windows(x: Items, c: int, h: int, width: int, k: int, s: int, p: int) -> list[Items]:
    """Each window's cells inside the map, in output order."""
    return [
        [
            x[(channel * h + i) * width + j]
            for i in range(row * s - p, row * s - p + k)
            for j in range(column * s - p, column * s - p + k)
            if 0 <= i < h and 0 <= j < width
        ]
        for channel in range(c)
        for row in range(output_side(h, k, s, p))
        for column in range(output_side(width, k, s, p))
    ]


def pool_max(x: Items, c: int, h: int, width: int, k: int, s: int) -> Items:
    """POOL_MAX."""
    return [max(window) for window in _windows(x, c, h, width, k, s, 0)]


def pool_avg(x: Items, c: int, h: int, width: int, k: int, s: int) -> Items:
    """POOL_AVG."""
    return [truncated_quotient(sum(window), k * k) for window in _windows(x, c, h, width, k, s, 0)]


def pool_ol(x: Items, c: int, h: int, k: int, s: int, p: int) -> Items:
    """POOL_OL."""
    return [max(window) for window in _windows(x, c, h, h, k, s, p)]


def act_rl(x: Items, cap: int) -> Items:
    """ACT_RL."""
    return [min(max(value, 0), cap) if cap > 0 else max(value, 0) for value in x]


def buf_scl0(x: Items, v: int) -> Items:
    """BUF_SCL0."""
    return [wrap(value * v) for value in x]


def buf_scl1(x: Items, v: int) -> Items:
    """BUF_SCL1 (−2^255 / −1 wraps, as SDIV)."""
    return [wrap(truncated_quotient(value, v)) for value in x]


def buf_bias(x: Items, bias: Items) -> Items:
    """BUF_BIAS."""
    span = len(x) // len(bias)
    return [wrap(value + bias[i // span]) for i, value in enumerate(x)]


def buf_add(x: Items, saved: Items) -> Items:
    """BUF_ADD."""
    return [wrap(a + b) for a, b in zip(x, saved, strict=True)]


def buf_mul(x: Items, saved: Items) -> Items:
    """BUF_MUL."""
    return [wrap(a * b) for a, b in zip(x, saved, strict=True)]


#: Working precision (bits) beyond that of the operands: far more than any tested input needs.
_EXTRA_BITS = 1200


def act_sm1(x: Items, v: int) -> Items:
    """ACT_SM1."""
    with mpmath.workprec(3 * v.bit_length() + _EXTRA_BITS):
        return [_rounded(v / (1 + mpmath.exp(-_ratio(value, v)))) for value in x]


def act_tanh(x: Items, v: int) -> Items:
    """ACT_TANH."""
    with mpmath.workprec(3 * v.bit_length() + _EXTRA_BITS):
        return [_rounded(v * mpmath.tanh(_ratio(value, v))) for value in x]


def act_sm0(x: Items, v: int) -> Items:
    """ACT_SM0: with the greatest item's exponential as the unit. A fraction that a far smaller item moves by
    less than the precision shows is decided by that item's being positive: it takes from the others'
    share."""
    if not x:
        return []
    greatest = max(x)
    with mpmath.workprec(3 * v.bit_length() + _EXTRA_BITS):
        terms = [mpmath.exp(_ratio(value - greatest, v)) for value in x]
        total = mpmath.fsum(terms)
        doubled = [2 * v * term / total for term in terms]
        share = mpmath.mpf(2 * v) / x.count(greatest)
        tie = 2 * v % x.count(greatest) == 0 and (2 * v // x.count(greatest)) % 2 == 1
        result = []
        for value, twice in zip(x, doubled, strict=True):
            if value == greatest and tie and len(set(x)) > 1 and abs(twice - share) < mpmath.mpf(2) ** -900:
                result.append(2 * v // x.count(greatest) // 2)
            else:
                result.append(_rounded(twice / 2))
        return result


def _ratio(value: int, v: int) -> mpmath.mpf:
    """value / v, clamped where every activation is long saturated."""
    limit = 100_000 * v
    return mpmath.mpf(max(-limit, min(limit, value))) / v


def _rounded(value: mpmath.mpf) -> int:
    """Nearest integer, ties to even; ``value`` is exact or far enough from a tie."""
    return int(mpmath.nint(value))
