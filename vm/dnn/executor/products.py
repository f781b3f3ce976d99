"""Handlers of instructions that sum products."""

# mypy: ignore-errors
from __future__ import annotations

from smartvm.vm.dnn import dot_products
from smartvm.vm.dnn.executor.frames import (
    INT32_LIMIT,
    LENGTH,
    affordable,
    bound_below,
    buffer_of,
    ceiling_ratio,
    enter,
    executor_of,
    find_block,
    hold,
    pay,
    pop_operands,
    price_of_block,
    price_of_growth,
    rule,
    size_of,
    warm_block,
    write_int16,
)
from smartvm.vm.dnn.executor.layout import BLOCK, CONSTANTS, EXECUTOR, RULE
from smartvm.vm.dnn.executor.memory import allocate, free, helper, int16_array, int32_array, load

_BLOCK_BOUND = BLOCK["bound"]
_BLOCK_COUNT = BLOCK["count"]
_BLOCK_MATRIX = BLOCK["matrix"]
_BLOCK_ROWS = BLOCK["rows"]
_BLOCK_ROW_LENGTH = BLOCK["row_length"]
_BLOCK_ROW_SUM = BLOCK["row_sum"]
_RULE_NARROW_PER_1024 = RULE["narrow_per_1024"]
_RULE_READS_PER_1024 = RULE["reads_per_1024"]

_NARROW_BITS = EXECUTOR["constants"] + CONSTANTS.index("narrow_bits")
_INT16_LIMIT = 1 << 15
_SIZE_LIMIT = 1 << 31


@helper
def is_narrow(frame, buffer, weight_bound, terms):
    """Whether the instruction is in the narrow tier for certain: products of ``terms`` items and weights sum to
    less than 2^narrow_bits."""
    limit = 1 << load(executor_of(frame), _NARROW_BITS)
    per_item = max(1, weight_bound) * terms
    if per_item >= limit:
        return False
    least = (limit - 1) // per_item + 1  # a bound below this is certainly narrow
    return bound_below(buffer, least) < least


def fully_connected(frame):
    """FULL_CON(weights, C, H, W, O)."""
    state = enter(frame)
    channels, height, width, outputs = size_of(frame, 1), size_of(frame, 2), size_of(frame, 3), size_of(frame, 4)
    if state == 0 or channels < 1 or height < 1 or width < 1 or outputs < 1 or channels * height >= _SIZE_LIMIT:
        return 0
    buffer = buffer_of(state)
    terms = channels * height * width
    if load(buffer, LENGTH) != terms:
        return 0
    entry = find_block(frame, 0)
    if entry == 0:
        return 0
    if load(entry, _BLOCK_ROWS) != outputs or load(entry, _BLOCK_COUNT) != outputs * terms:
        return 0
    if not is_narrow(frame, buffer, load(entry, _BLOCK_BOUND), terms):
        return 0
    # every partial sum, in any order, is within the items' bound times the row's sum of magnitudes
    row_sum = max(1, load(entry, _BLOCK_ROW_SUM))
    limit = min(_INT16_LIMIT, (INT32_LIMIT - 1) // row_sum + 1)
    bound = bound_below(buffer, limit)
    if bound >= limit:
        return 0
    price = price_of_block(frame, entry) + price_of_growth(frame, state, outputs, terms)
    price += ceiling_ratio(outputs * terms, rule(frame, _RULE_NARROW_PER_1024))
    price += ceiling_ratio(terms, rule(frame, _RULE_READS_PER_1024))
    if not affordable(frame, price):
        return 0
    row = load(entry, _BLOCK_ROW_LENGTH)
    window = allocate(2 * row)
    data = allocate(4 * outputs)
    if window == 0 or data == 0:
        return 0
    _multiply(buffer, terms, window, row, load(entry, _BLOCK_MATRIX), outputs, data)
    free(window)
    hold(buffer, data, outputs, 4, bound * row_sum)
    warm_block(frame, entry)
    pay(frame, price)
    pop_operands(frame, 5)
    return 1


@helper
def _multiply(buffer, terms, window, row, matrix, outputs, data):
    write_int16(buffer, window)
    values = int16_array(window, row)
    values[terms:] = 0
    sums = int32_array(data, outputs)
    sums[:] = 0
    weights = int16_array(matrix, outputs * row).reshape((outputs, row))
    dot_products.add_dot_rows(values.reshape((1, row)), weights, row, sums.reshape((outputs, 1)))
