"""Handlers of convolutions and fully connected layers: they let the Buffer stand for the result."""

# mypy: ignore-errors
from __future__ import annotations

from smartvm.vm.dnn.executor.deferring import defer_convolution
from smartvm.vm.dnn.executor.frames import (
    INT32_LIMIT,
    LENGTH,
    affordable,
    bound_below,
    buffer_of,
    ceiling_ratio,
    enter_unordered,
    executor_of,
    find_block,
    in_order,
    least,
    pay,
    pop_operands,
    price_of_block,
    price_of_growth,
    rule,
    size_of,
    warm_block,
)
from smartvm.vm.dnn.executor.frames import LAYOUT as ITEMS_LAYOUT
from smartvm.vm.dnn.executor.layout import BLOCK, CONSTANTS, CONVOLUTION, EXECUTOR, RULE
from smartvm.vm.dnn.executor.memory import helper, load
from smartvm.vm.dnn.platforms.kernel_sets import KERNELS
from smartvm.vm.native.layout import FRAME

_NARROW_BITS = EXECUTOR["constants"] + CONSTANTS.index("narrow_bits")
_INT16_LIMIT = 1 << 15
#: Items of the 8-bit route are below.
_BYTE_LIMIT = 1 << 8
_NO_SHIFT = 1 << 16
_SIGNED_QUADS, _NARROW_SUMS = KERNELS.signed_quads, KERNELS.narrow_sums
_DETAIL = FRAME["detail"]
_BLOCK_BOUND = BLOCK["bound"]
_BLOCK_CONVOLUTION = BLOCK["convolution"]
_OPCODE = CONVOLUTION["opcode"]
_OPERANDS = CONVOLUTION["operands"]
_ITEMS = CONVOLUTION["items"]
_MAP_CHANNELS = CONVOLUTION["map_channels"]
_TERMS = CONVOLUTION["terms"]
_KERNELS = CONVOLUTION["kernels"]
_POSITIONS = CONVOLUTION["positions"]
_PRODUCTS = CONVOLUTION["products"]
_READS = CONVOLUTION["reads"]
_NORM = CONVOLUTION["norm"]
_SUMS = CONVOLUTION["sums"]
_NARROW_PER_1024 = RULE["narrow_per_1024"]
_READS_PER_1024 = RULE["reads_per_1024"]


def convolve(frame):
    """CONV_MUL and CONV_SING (weights, C, O, H, W, k, s, p), CONV_3D(weights, C, O, D, H, k, s, p)."""
    return _correlate(frame, 7)


def fully_connected(frame):
    """FULL_CON(weights, C, H, W, O)."""
    return _correlate(frame, 4)


@helper
def _correlate(frame, operands):
    state = enter_unordered(frame)
    if state == 0:
        return 0
    entry = find_block(frame, 0)
    if entry == 0:
        return 0
    convolution = load(entry, _BLOCK_CONVOLUTION)
    if convolution == 0 or load(convolution, _OPCODE) != load(frame, _DETAIL):
        return 0
    for place in range(operands):
        if size_of(frame, place + 1) != load(convolution, _OPERANDS + place):
            return 0
    buffer = buffer_of(state)
    length = load(buffer, LENGTH)
    if length != load(convolution, _ITEMS):
        return 0
    if not is_narrow(frame, buffer, load(entry, _BLOCK_BOUND), load(convolution, _TERMS)):
        return 0
    # every partial sum, in any order, is within the items' bound times a kernel's sum of magnitudes
    norm = max(1, load(convolution, _NORM))
    limit = min(_INT16_LIMIT, (INT32_LIMIT - 1) // norm + 1)
    if load(convolution, _SUMS) != 0:
        limit = min(limit, _BYTE_LIMIT)
    bound = bound_below(executor_of(frame), buffer, limit)
    if bound >= limit:
        return 0
    shift = 0
    if load(convolution, _SUMS) != 0:
        shift = _byte_shift(executor_of(frame), buffer, bound, load(entry, _BLOCK_BOUND))
        if shift == _NO_SHIFT:
            return 0
    price = price_of_block(frame, entry)
    price += price_of_growth(frame, state, load(convolution, _KERNELS) * load(convolution, _POSITIONS), length)
    price += ceiling_ratio(load(convolution, _PRODUCTS), rule(frame, _NARROW_PER_1024))
    price += ceiling_ratio(load(convolution, _READS), rule(frame, _READS_PER_1024))
    if not affordable(frame, price):
        return 0
    layout = load(buffer, ITEMS_LAYOUT)
    if layout != 1 and layout != load(convolution, _MAP_CHANNELS) and not in_order(frame, buffer):
        return 0
    defer_convolution(state, convolution, bound * norm, shift)
    warm_block(frame, entry)
    pay(frame, price)
    pop_operands(frame, operands + 1)
    return 1


@helper
def _byte_shift(executor, items, high, weight_bound):
    """``panels.byte_shift`` of items up to ``high``; ``_NO_SHIFT`` where the 8-bit route does not hold."""
    low = least(executor, items)
    shift = min(127 - high, max(0, -128 - low)) if _SIGNED_QUADS else -low
    largest = max(abs(low + shift), abs(high + shift))
    if high - low > 255 or (_NARROW_SUMS and 2 * largest * weight_bound >= _INT16_LIMIT):
        return _NO_SHIFT
    return shift


@helper
def is_narrow(frame, buffer, weight_bound, terms):
    """Whether the instruction is in the narrow tier for certain: products of ``terms`` items and weights sum to less
    than 2^narrow_bits."""
    executor = executor_of(frame)
    limit = 1 << load(executor, _NARROW_BITS)
    per_item = max(1, weight_bound) * terms
    if per_item >= limit:
        return False
    least = (limit - 1) // per_item + 1  # a bound below this is certainly narrow
    return bound_below(executor, buffer, least) < least
