"""Activations in float64 with a proven error bound: each item is rounded, or reported as undecided.

Only +, −, ×, ÷, rounding and comparison of float64 are used, which IEEE 754 defines to the last bit, so the
bound holds on every machine. With u = 2^-53 (half a unit in the last place, relative):

- ``t = a / v`` of integers below 2^53 has one rounding: |error| ≤ |t|·u. With |t| ≤ 60: below 2^-47.
- ``_exponential(t)`` for −60 ≤ t ≤ 0: the reduced argument r, |r| ≤ 0.35, is off by less than 2^-54 (the
  product with the high part of ln 2 is exact, the low part adds less than 2^-70 and one rounding); the series
  to r^13 leaves out less than 0.35^14/14! < 2^-57; Horner's scheme on terms that shrink by |r| adds less than
  3u. In all a relative error below 2^-51 for the t that it got, hence below 2^-46.9 for the true one.
- Neumaier's sum of positive terms has a relative error below 2u + n²u² (n < 2^24 here), beside that of its
  terms.
- Exponentials below e^-60 < 2^-86 count as 0: for n < 2^24 of them less than 2^-62.
- Products and quotients add u each. The result ``y`` of each function below is therefore off by less than
  ``scale``·2^-45 (sigmoid, tanh) or ``y``·2^-45 + 2^-60 (softmax).

An item is decided when ``y`` is farther than that from every half-integer.
"""

# mypy: ignore-errors
from __future__ import annotations

import numpy as np
from smartvm.vm.dnn.compiling.parts import compiled

_RELATIVE_ERROR = 2.0**-45
_LOG2_E = 1.4426950408889634
_LN2_HIGH = 6.93147180369123816490e-01  # 33 significant bits: times an integer below 2^20 is exact
_LN2_LOW = 1.90821492927058770002e-10


@compiled
def _exponential(t):
    """e^t for −60 ≤ t ≤ 0."""
    k = np.rint(t * _LOG2_E)
    r = (t - k * _LN2_HIGH) - k * _LN2_LOW
    p = 1.0 / 6227020800.0
    p = p * r + 1.0 / 479001600.0
    p = p * r + 1.0 / 39916800.0
    p = p * r + 1.0 / 3628800.0
    p = p * r + 1.0 / 362880.0
    p = p * r + 1.0 / 40320.0
    p = p * r + 1.0 / 5040.0
    p = p * r + 1.0 / 720.0
    p = p * r + 1.0 / 120.0
    p = p * r + 1.0 / 24.0
    p = p * r + 1.0 / 6.0
    p = p * r + 0.5
    p = p * r + 1.0
    p = p * r + 1.0
    power = 1.0
    for _ in range(int(-k)):
        power *= 0.5
    return p * power


@compiled
def sigmoid(x, scale, out, undecided):
    """round(scale·σ(x/scale)) for |x| ≤ 60·scale. Near x = 0, where (2·scale + x)/4 may be a tie exactly, σ's
    concavity decides: for x > 0 the value lies below (2·scale + x)/4, by less than x³/(48·scale²)."""
    count = 0
    for i in range(x.shape[0]):
        t = x[i] / scale
        e = _exponential(-abs(t))
        y = scale / (1.0 + e) if t >= 0 else scale * e / (1.0 + e)
        below = np.floor(y)
        result = np.int64(below)
        gap = y - below - 0.5
        if abs(gap) <= scale * _RELATIVE_ERROR:
            quarters = 2 * np.int64(scale) + x[i]
            cube = float(x[i]) * x[i] * x[i]
            if quarters % 4 == 2 and abs(cube) < 12.0 * scale * scale:
                below_tie = (quarters - 2) // 4
                if x[i] == 0:
                    result = below_tie + (below_tie & 1)
                else:
                    result = below_tie if x[i] > 0 else below_tie + 1
            else:
                undecided[count] = i
                count += 1
        elif gap > 0:
            result += 1
        out[i] = result
    return count


@compiled
def hyperbolic_tangent(x, scale, out, undecided):
    """round(scale·tanh(x/scale)) for |x| ≤ 60·scale (2·|x|/scale is clamped to 60)."""
    count = 0
    for i in range(x.shape[0]):
        t = min(2.0 * abs(x[i]) / scale, 60.0)
        e = _exponential(-t)
        y = scale * (1.0 - e) / (1.0 + e)
        below = np.floor(y)
        result = np.int64(below)
        gap = y - below - 0.5
        if abs(gap) <= scale * _RELATIVE_ERROR:
            undecided[count] = i
            count += 1
        elif gap > 0:
            result += 1
        out[i] = result if x[i] >= 0 else -result
    return count


@compiled
def softmax(distances, scale, out, undecided):
    """round(scale·e^(−d/scale) / Σ) for the distances d ≥ 0 from the greatest item (clamped to 61·scale)."""
    total = 0.0
    rest = 0.0
    exponentials = np.empty(distances.shape[0], np.float64)
    for i in range(distances.shape[0]):
        t = distances[i] / scale
        e = _exponential(-t) if t <= 60.0 else 0.0
        exponentials[i] = e
        added = total + e
        rest += (total - added) + e if total >= e else (e - added) + total
        total = added
    total += rest
    count = 0
    for i in range(distances.shape[0]):
        y = scale * exponentials[i] / total
        below = np.floor(y)
        result = np.int64(below)
        gap = y - below - 0.5
        if abs(gap) <= y * _RELATIVE_ERROR + 2.0**-60:
            undecided[count] = i
            count += 1
        elif gap > 0:
            result += 1
        out[i] = result
    return count
