"""Correctly rounded activations for every item and scale: arithmetic of rising precision.

Ties. For rational t ≠ 0, e^t is transcendental (Lindemann), so ``v·σ(t)`` and ``v·tanh(t)`` are never
half-integers but at t = 0, which is decided exactly. Exponentials of distinct rational numbers are linearly
independent over the rationals (Lindemann–Weierstrass), so a softmax item is a half-integer only when all
items are equal: a fraction v/n. Where all items but the greatest are so far below that no precision in reach
shows them, their exponentials are still positive: the greatest items' value lies below v/n by next to
nothing, which decides a tie downward.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import gmpy2
from smartvm.errors import InternalError

#: What the composed operations may lose, in bits. MPFR rounds each correctly; the argument's rounding is
#: relative, so e^t loses the bits of t, which is below 2^9 wherever the result is not negligible; the rest
#: are a few units.
_GUARD_BITS = 12
#: Far more than near-ties need: distances to a tie that items of 256 bits can make by construction are above
#: 2^-1100.
_MOST_BITS = 1 << 14


def round_half_even(numerator: int, denominator: int) -> int:
    """The fraction's nearest integer, ties to even; ``denominator`` > 0."""
    quotient, remainder = divmod(numerator, denominator)
    if 2 * remainder > denominator or (2 * remainder == denominator and quotient & 1):
        return quotient + 1
    return quotient


def sigmoid(x: int, v: int) -> int:
    """round_half_even(v / (1 + e^(−x/v))), v ≥ 1."""
    if x == 0:
        return round_half_even(v, 2)
    # σ(t) lies between 1/2 and 1/2 + t/4, off the latter by less than |t|³/48: what decides where v/2 + x/4
    # is a tie
    if (2 * v + x) % 4 == 2 and abs(x) ** 3 < 24 * v * v:
        return (2 * v + x - 2) // 4 if x > 0 else (2 * v + x + 2) // 4
    # beyond, v·e^(−|x|/v) < 2^b·e^−(b+2) < 1/2
    if abs(x) >= v * (v.bit_length() + 2):
        return v if x > 0 else 0
    return _rounded(v, lambda: v / (1 + gmpy2.exp(gmpy2.mpfr(-x) / v)))


def hyperbolic_tangent(x: int, v: int) -> int:
    """round_half_even(v·tanh(x/v)), v ≥ 1."""
    if x == 0:
        return 0
    if abs(x) >= v * (v.bit_length() + 2):
        return v if x > 0 else -v
    magnitude = _rounded(v, lambda: v * gmpy2.tanh(gmpy2.mpfr(abs(x)) / v))
    return magnitude if x > 0 else -magnitude


def softmax(items: Sequence[int], v: int) -> dict[int, int]:
    """For each distinct item x of ``items``: round_half_even(v·e^(x/v) / Σ e^(xⱼ/v)), v ≥ 1."""
    counts = Counter(items)
    greatest = max(counts)
    if len(counts) == 1:
        return {greatest: round_half_even(v, counts[greatest])}
    undecided = set(counts)
    results: dict[int, int] = {}
    for bits in _precisions(v, len(items)):
        reach = (bits + 64) * v  # farther items are below e^-(bits+64) each
        near = {x: count for x, count in counts.items() if greatest - x <= reach}
        with gmpy2.context(precision=bits):
            terms = {x: gmpy2.exp(gmpy2.mpfr(x - greatest) / v) for x in near}
            total = gmpy2.fsum([count * terms[x] for x, count in near.items()])
            for x in list(undecided):
                if x not in near:
                    results[x] = 0
                elif len(near) == 1 and 2 * v % counts[x] == 0 and (2 * v // counts[x]) & 1:
                    results[x] = v // counts[x]  # just below the tie
                else:
                    decided = _decided(v * terms[x] / total, bits - _GUARD_BITS - len(items).bit_length())
                    if decided is None:
                        continue
                    results[x] = decided
                undecided.discard(x)
        if not undecided:
            return results
    raise InternalError("softmax needs more precision than any input can")


def _precisions(v: int, count: int = 1) -> Iterator[int]:
    bits = v.bit_length() + count.bit_length() + 64
    while bits <= _MOST_BITS:
        yield bits
        bits *= 2


def _rounded(v: int, value: Callable[[], gmpy2.mpfr]) -> int:
    for bits in _precisions(v):
        with gmpy2.context(precision=bits):
            decided = _decided(value(), bits - _GUARD_BITS)
        if decided is not None:
            return decided
    raise InternalError("an activation needs more precision than any input can")


def _decided(value: gmpy2.mpfr, good_bits: int) -> int | None:
    """The nearest integer to what ``value`` ≥ 0 stands for within a relative 2^-good_bits; None when
    undecided."""
    below = int(gmpy2.floor(value))
    gap = value - below - gmpy2.mpfr(0.5)
    if gap == 0 or abs(gap) <= gmpy2.div_2exp(value, good_bits):
        return None
    return below + 1 if gap > 0 else below
