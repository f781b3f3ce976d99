"""Softmax in pairs of float64 (about 100 bits), for what float64 alone leaves undecided.

Without it an attacker who searches for vectors that float64 cannot decide would get much work for little gas;
near-ties for this precision are out of any search's reach.

A number is ``high + low`` with |low| at most half a unit in the last place of ``high``, made by the
error-free sum (Knuth) and product (Dekker); nothing but IEEE 754's +, −, ×, ÷ is used. With u = 2^-53, sums
of pairs of one sign are off by less than 4u² relative, products by less than 8u², quotients by less than 16u²
(Joldes, Muller, Popescu 2017).

- t = d/v of integers below 2^53, 0 ≤ t ≤ 120: off by less than 120·16u² < 2^-95.
- e^−t: k = round(t/ln 2) ≤ 174, ln 2 as a pair with k·high exact in the product; r = t − k·ln 2, |r| ≤ 0.35,
  is off by less than 2^-94. The series in r/64 up to the 11th power leaves out less than 0.0055^12/12! <
  2^-118; six squarings multiply the relative error by 64. In all below 2^-86.
- Summing n < 2^24 terms adds less than n·4u² < 2^-80. Terms below e^-120 < 2^-173 count as 0.

So a result ``y`` is off by less than ``y``·2^-77 + 2^-100.
"""

# mypy: ignore-errors
from __future__ import annotations

from fractions import Fraction
from math import factorial

import numpy as np
from smartvm.vm.dnn.compiling.parts import compiled
from smartvm.vm.dnn.rounding.activation_limits import PAIRS_ARGUMENT_LIMIT

_LOG2_E = 1.4426950408889634
_LN2_HIGH = 0.6931471805599453
_LN2_LOW = 2.3190468138462996e-17
_SPLITTER = 134217729.0  # 2^27 + 1
#: 1/n! as pairs, for n from 11 down to 0.
_COEFFICIENTS = np.array(
    [(high := 1 / factorial(n), float(Fraction(1, factorial(n)) - Fraction(high))) for n in range(11, -1, -1)]
)
_RELATIVE_ERROR = 2.0**-77
_ABSOLUTE_ERROR = 2.0**-100


@compiled
def _sum(a, b):
    """a + b exactly, as a pair."""
    s = a + b
    v = s - a
    return s, (a - (s - v)) + (b - v)


@compiled
def _product(a, b):
    """a·b exactly, as a pair (below 2^500)."""
    p = a * b
    t = _SPLITTER * a
    a_high = t - (t - a)
    a_low = a - a_high
    t = _SPLITTER * b
    b_high = t - (t - b)
    b_low = b - b_high
    return p, ((a_high * b_high - p) + a_high * b_low + a_low * b_high) + a_low * b_low


@compiled
def _add(a, a_low, b, b_low):
    s, e = _sum(a, b)
    t, f = _sum(a_low, b_low)
    s, e = _sum(s, e + t)
    return _sum(s, e + f)


@compiled
def _multiply(a, a_low, b, b_low):
    p, e = _product(a, b)
    return _sum(p, e + (a * b_low + a_low * b))


@compiled
def _divide(a, a_low, b, b_low):
    q = a / b
    p, e = _multiply(q, 0.0, b, b_low)
    r, r_low = _add(a, a_low, -p, -e)
    second = r / b
    p, e = _multiply(second, 0.0, b, b_low)
    r, r_low = _add(r, r_low, -p, -e)
    q, e = _sum(q, second)
    return _add(q, e, r / b, 0.0)


@compiled
def _exponential(t, t_low):
    """e^−t for 0 ≤ t ≤ 120, as a pair."""
    k = np.rint(t * _LOG2_E)
    p, e = _multiply(_LN2_HIGH, _LN2_LOW, k, 0.0)
    r, r_low = _add(p, e, -t, -t_low)
    r /= 64.0
    r_low /= 64.0
    s, s_low = 0.0, 0.0
    for n in range(_COEFFICIENTS.shape[0]):
        s, s_low = _multiply(s, s_low, r, r_low)
        s, s_low = _add(s, s_low, _COEFFICIENTS[n, 0], _COEFFICIENTS[n, 1])
    for _ in range(6):
        s, s_low = _multiply(s, s_low, s, s_low)
    power = 1.0
    for _ in range(int(k)):
        power *= 0.5
    return s * power, s_low * power


@compiled
def softmax(distances, scale, out, undecided):
    """round(scale·e^(−d/scale) / Σ) for the distances d ≥ 0 from the greatest item; returns how many are
    undecided."""
    count = distances.shape[0]
    exponentials = np.zeros((count, 2), np.float64)
    total, total_low = 0.0, 0.0
    for i in range(count):
        if distances[i] > PAIRS_ARGUMENT_LIMIT * scale:
            continue
        t, t_low = _divide(float(distances[i]), 0.0, scale, 0.0)
        e, e_low = _exponential(t, t_low)
        exponentials[i, 0] = e
        exponentials[i, 1] = e_low
        total, total_low = _add(total, total_low, e, e_low)
    greatest = 0
    for i in range(count):
        greatest += distances[i] == 0
    doubled = 2 * np.int64(scale)
    shared_tie = doubled % greatest == 0 and (doubled // greatest) % 2 == 1
    remaining = 0
    for i in range(count):
        y, y_low = _multiply(exponentials[i, 0], exponentials[i, 1], scale, 0.0)
        y, y_low = _divide(y, y_low, total, total_low)
        below = np.floor(y)
        gap = (y - below - 0.5) + y_low  # the bracket is exact near a tie
        if abs(gap) <= y * _RELATIVE_ERROR + _ABSOLUTE_ERROR:
            if distances[i] == 0 and shared_tie and abs(y - scale / greatest) < 0.25:
                out[i] = doubled // greatest // 2
                continue
            undecided[remaining] = i
            remaining += 1
        out[i] = np.int64(below) + (1 if gap > 0 else 0)
    return remaining
