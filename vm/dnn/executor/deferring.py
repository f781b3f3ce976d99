"""What a Buffer may stand for: a correlation with bias, division and clamp, carried out when the items are needed.

Why that gives the same items is argued in ``platforms.deferred``, whose kernels carry it out (``settling``).
"""

# mypy: ignore-errors
from __future__ import annotations

from smartvm.vm.dnn.executor.frames import BOUND, INT32_LIMIT, LENGTH, buffer_of, clear, move_items
from smartvm.vm.dnn.executor.layout import CONVOLUTION, DEFERRED, STATE
from smartvm.vm.dnn.executor.memory import helper, load, store

_DEFERRED = STATE["deferred"]
CONVOLUTION_OF = _DEFERRED + DEFERRED["convolution"]
INPUT = 8 * (_DEFERRED + DEFERRED["input"])
SUM_BOUND = _DEFERRED + DEFERRED["sum_bound"]
BIAS = _DEFERRED + DEFERRED["bias"]
DIVISOR = _DEFERRED + DEFERRED["divisor"]
LOW = _DEFERRED + DEFERRED["low"]
HIGH = _DEFERRED + DEFERRED["high"]
SHIFT = _DEFERRED + DEFERRED["shift"]

_KERNELS = CONVOLUTION["kernels"]
_POSITIONS = CONVOLUTION["positions"]

#: No clamp.
UNLIMITED = 1 << 62
#: Products of divisors up to this are exact in float64, and reciprocals good for all sums.
_MOST_DIVISOR = 1 << 31


@helper
def is_deferred(state):
    """Whether the Buffer stands for work that is not carried out."""
    return load(state, CONVOLUTION_OF) != 0


@helper
def defer_convolution(state, convolution, sum_bound, shift):
    """Let the Buffer, whose items the convolution reads, stand for its result; sums stay within ``sum_bound``, below
    2^31. ``shift`` is added to items on the 8-bit route."""
    buffer = buffer_of(state)
    move_items(state + INPUT, buffer)
    clear(buffer)
    store(buffer, LENGTH, load(convolution, _KERNELS) * load(convolution, _POSITIONS))
    store(buffer, BOUND, sum_bound)
    store(state, SUM_BOUND, sum_bound)
    store(state, BIAS, 0)
    store(state, DIVISOR, 1)
    store(state, LOW, -UNLIMITED)
    store(state, HIGH, UNLIMITED)
    store(state, SHIFT, shift)
    store(state, CONVOLUTION_OF, convolution)


@helper
def defer_bias(state, bias, terms, bound):
    """Add ``terms`` items up to ``bound``, the addends of a BLOCK at ``bias``; False when that cannot be put off."""
    if (
        bias == 0
        or load(state, BIAS) != 0
        or load(state, DIVISOR) != 1
        or load(state, HIGH) != UNLIMITED
        or load(state, LOW) == 0
    ):
        return False
    total = load(state, SUM_BOUND) + bound
    if terms != load(load(state, CONVOLUTION_OF), _KERNELS) or total >= INT32_LIMIT:
        return False
    store(state, BIAS, bias)
    store(buffer_of(state), BOUND, total)
    return True


@helper
def defer_division(state, divisor):
    """Divide, truncating; False when that cannot be put off."""
    if divisor < 1 or divisor > _MOST_DIVISOR // load(state, DIVISOR):
        return False
    store(state, DIVISOR, load(state, DIVISOR) * divisor)
    if load(state, HIGH) != UNLIMITED:
        store(state, HIGH, load(state, HIGH) // divisor)
    store(buffer_of(state), BOUND, load(buffer_of(state), BOUND) // divisor)
    return True


@helper
def defer_rectification(state, cap):
    """max(x, 0), and min(·, cap) where cap > 0."""
    store(state, LOW, 0)
    if cap > 0:
        store(state, HIGH, min(load(state, HIGH), cap))
        store(buffer_of(state), BOUND, min(load(buffer_of(state), BOUND), cap))
