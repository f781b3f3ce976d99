"""Activations on the CPU, correctly rounded: the choice of precision."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from smartvm.vm.dnn import items as item_arrays
from smartvm.vm.dnn.buffer import Buffer
from smartvm.vm.dnn.compiling.machine_code import activation_float, activation_pairs, native
from smartvm.vm.dnn.items import ItemArray
from smartvm.vm.dnn.operations import Activation
from smartvm.vm.dnn.rounding import activation_exact
from smartvm.vm.dnn.rounding.activation_limits import (
    COUNT_LIMIT,
    FLOAT_ARGUMENT_LIMIT,
    PAIRS_ARGUMENT_LIMIT,
    SCALE_LIMIT,
)


def activated(buffer: Buffer, activation: Activation) -> ItemArray:
    """The results, in the items' own order."""
    return _FUNCTIONS[activation.function](buffer, activation.scale)


def sigmoid(buffer: Buffer, scale: int) -> ItemArray:
    """round_half_even(scale·σ(x/scale)) of each item."""
    return _each(buffer, scale, activation_float.sigmoid, activation_exact.sigmoid)


def hyperbolic_tangent(buffer: Buffer, scale: int) -> ItemArray:
    """round_half_even(scale·tanh(x/scale)) of each item."""
    return _each(buffer, scale, activation_float.hyperbolic_tangent, activation_exact.hyperbolic_tangent)


def _each(buffer: Buffer, scale: int, fast: Any, exact: Callable[[int, int], int]) -> ItemArray:
    count = len(buffer)
    if scale > SCALE_LIMIT:
        results: dict[int, int] = {}
        values = buffer.to_integers()
        for x in values:
            if x not in results:
                results[x] = exact(x, scale)
        return item_arrays.from_integers(results[x] for x in values)
    limit = FLOAT_ARGUMENT_LIMIT * scale
    clamped = item_arrays.clamped_to_int64(buffer.array, limit)
    out = np.empty(count, np.int64)
    undecided = np.empty(count, np.int64)
    remaining = fast(clamped, float(scale), out, undecided)
    decided: dict[int, int] = {}  # an attacker may have searched for an undecided item, and repeat it
    for i in undecided[:remaining].tolist():
        x = int(clamped[i])
        if x not in decided:
            decided[x] = exact(x, scale)
        out[i] = decided[x]
    return out.astype(item_arrays.narrow_type(-scale, scale))


def softmax(buffer: Buffer, scale: int) -> ItemArray:
    """round_half_even(scale·e^(x/scale) / Σ) of each item of a Buffer that is not empty."""
    low, high = buffer.extremes
    if low == high:  # the only exact ties are here
        return item_arrays.filled(len(buffer), activation_exact.round_half_even(scale, len(buffer)))
    if scale <= SCALE_LIMIT and len(buffer) <= COUNT_LIMIT:
        distances = _distances(buffer, high, (PAIRS_ARGUMENT_LIMIT + 1) * scale)
        out = np.empty(len(buffer), np.int64)
        undecided = np.empty(len(buffer), np.int64)
        for stage in (activation_float.softmax, activation_pairs.softmax):
            if stage(distances, float(scale), out, undecided) == 0:
                return out.astype(item_arrays.narrow_type(0, scale))
    values = buffer.to_integers()
    results = activation_exact.softmax(values, scale)
    return item_arrays.from_integers(results[x] for x in values)


def _distances(buffer: Buffer, high: int, limit: int) -> ItemArray:
    """Distances from the greatest item, clamped to ``limit``."""
    low, _ = buffer.extremes
    if high - low <= item_arrays.INT64_MAX and not item_arrays.is_wide(buffer.array):
        return np.minimum(high - buffer.array.astype(np.int64), limit)
    # Modulo 2^256 a difference from the greatest item that wraps shows as positive: it is far.
    differences = item_arrays.widen(buffer.array).copy()
    negated = item_arrays.from_integers([item_arrays.wrap(-high)])
    native.add_items_wide(differences, np.ascontiguousarray(item_arrays.widen(negated)), len(buffer))
    clamped = item_arrays.clamped_to_int64(differences, limit)
    return np.where(clamped > 0, limit, -clamped)


_FUNCTIONS: dict[str, Callable[[Buffer, int], ItemArray]] = {
    "softmax": softmax,
    "sigmoid": sigmoid,
    "tanh": hyperbolic_tangent,
}
