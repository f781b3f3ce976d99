"""Handlers of activations: of each item by tables that Python makes of scales in frequent use, softmax by float64 with
the error bound of ``activation_float``, where that decides every item."""

# mypy: ignore-errors
from __future__ import annotations

import numpy as np
from smartvm.vm.dnn.executor.frames import (
    BOUND,
    DATA,
    LENGTH,
    OWNED,
    WIDTH,
    affordable,
    at_least_32,
    buffer_of,
    enter_unordered,
    executor_of,
    hold,
    is_number,
    number_of,
    pay,
    pop_operands,
    rule,
)
from smartvm.vm.dnn.executor.layout import CONSTANTS, EXECUTOR, HYPERBOLIC_TANGENT, RULE, SIGMOID, TABLE, TABLE_COUNT
from smartvm.vm.dnn.executor.memory import helper, int16_array, int32_array, int64_array, load, store
from smartvm.vm.dnn.executor.spares import give_back, take
from smartvm.vm.dnn.rounding import activation_float
from smartvm.vm.dnn.rounding.activation_limits import COUNT_LIMIT, FLOAT_ARGUMENT_LIMIT, SCALE_LIMIT

_ACTIVATION_SCALE_BITS = EXECUTOR["constants"] + CONSTANTS.index("activation_scale_bits")
_RULE_PER_ITEM = RULE["per_item"]
_TABLE_ACTIVATION = TABLE["activation"]
_TABLE_ITEMS = TABLE["items"]
_TABLE_SCALE = TABLE["scale"]
_TABLE_LIMIT = TABLE["limit"]

_TABLES = 8 * EXECUTOR["tables"]
_TABLE_BYTES = 8 * TABLE.size


def softmax(frame):
    """ACT_SM0(v)."""
    state = enter_unordered(frame)
    if state == 0 or not is_number(frame, 0):
        return 0
    scale = number_of(frame, 0)
    executor = executor_of(frame)
    buffer = buffer_of(state)
    count = load(buffer, LENGTH)
    price = count * rule(frame, _RULE_PER_ITEM)
    if scale < 1 or scale > SCALE_LIMIT or scale >> load(executor, _ACTIVATION_SCALE_BITS) != 0:
        return 0
    if count > COUNT_LIMIT or not affordable(frame, price) or not at_least_32(executor, buffer):
        return 0
    if count != 0:
        out = take(executor, 4 * count)
        space = take(executor, 24 * count)
        if out == 0 or space == 0:
            return 0
        results = int32_array(out, count)
        if load(buffer, WIDTH) == 4:
            decided = _softmax(int32_array(load(buffer, DATA), count), scale, space, results)
        else:
            decided = _softmax(int64_array(load(buffer, DATA), count), scale, space, results)
        give_back(executor, space, 24 * count)
        if not decided:
            give_back(executor, out, 4 * count)
            return 0
        hold(executor, buffer, out, 4 * count, count, 4, scale)
    pay(frame, price)
    pop_operands(frame, 1)
    return 1


@helper
def _softmax(values, scale, space, out):
    """Whether the results could be decided; ``space`` is the address of three 64-bit numbers for each item. Items are
    below 2^62, so their distances have 63 bits."""
    count = out.shape[0]
    highest, lowest = int(values[0]), int(values[0])
    for i in range(count):
        highest = max(highest, int(values[i]))
        lowest = min(lowest, int(values[i]))
    if highest == lowest:  # scale / count, the only ties that there are
        quotient, rest = scale // count, scale % count
        if 2 * rest > count or (2 * rest == count and quotient % 2 == 1):
            quotient += 1
        for i in range(count):
            out[i] = quotient
        return True
    distances, exact = int64_array(space, count), int64_array(space + 8 * count, count)
    limit = (FLOAT_ARGUMENT_LIMIT + 1) * scale
    for i in range(count):
        distances[i] = min(highest - int(values[i]), limit)
    if activation_float.softmax(distances, float(scale), exact, int64_array(space + 16 * count, count)) != 0:
        return False
    for i in range(count):
        out[i] = exact[i]
    return True


def sigmoid(frame):
    """ACT_SM1(v)."""
    return _activate(frame, SIGMOID)


def hyperbolic_tangent(frame):
    """ACT_TANH(v)."""
    return _activate(frame, HYPERBOLIC_TANGENT)


@helper
def _activate(frame, activation):
    state = enter_unordered(frame)
    if state == 0 or not is_number(frame, 0):
        return 0
    scale = number_of(frame, 0)
    table = _table(frame, activation, scale)
    if table == 0:
        return 0
    buffer = buffer_of(state)
    count = load(buffer, LENGTH)
    price = count * rule(frame, _RULE_PER_ITEM)  # tables are of scales for which that is the price
    if not affordable(frame, price):
        return 0
    data, width, limit = load(buffer, DATA), load(buffer, WIDTH), load(table, _TABLE_LIMIT)
    executor = executor_of(frame)
    out = data
    if load(buffer, OWNED) == 0 or width == 8:
        out = take(executor, 4 * count)
        if out == 0:
            return 0
    results = int16_array(load(table, _TABLE_ITEMS), 2 * limit + 1)
    if width == 2:
        clamped = int16_array(out, count)
        if out == data:
            _clamp(clamped, limit)
        else:
            _copy_clamped(int16_array(data, count), limit, clamped)
        _look_up(clamped, limit, results)
    else:
        clamped = int32_array(out, count)
        if out == data:
            _clamp(clamped, limit)
        elif width == 4:
            _copy_clamped(int32_array(data, count), limit, clamped)
        else:
            _copy_clamped(int64_array(data, count), limit, clamped)
        _look_up(clamped, limit, results)
    if out != data:
        hold(executor, buffer, out, 4 * count, count, min(width, 4), scale)
    store(buffer, BOUND, scale)
    pay(frame, price)
    pop_operands(frame, 1)
    return 1


@helper
def _table(frame, activation, scale):
    """The table of an activation at a scale; 0 when there is none."""
    table = executor_of(frame) + _TABLES
    for _ in range(TABLE_COUNT):
        if load(table, _TABLE_ACTIVATION) == activation and load(table, _TABLE_SCALE) == scale:
            return table
        table += _TABLE_BYTES
    return 0


@helper
def _ends(values, limit):
    """−limit and limit, or the items' own ends where these are nearer."""
    largest = (1 << (8 * values.itemsize - 1)) - 1
    return values.dtype.type(max(-limit, -largest - 1)), values.dtype.type(min(limit, largest))


@helper
def _clamp(values, limit):
    low, high = _ends(values, limit)
    for i in range(values.shape[0]):
        x = values[i]
        x = x if x < high else high
        values[i] = x if x > low else low


@helper
def _copy_clamped(values, limit, out):
    low, high = _ends(values, limit)
    for i in range(values.shape[0]):
        x = values[i]
        x = x if x < high else high
        out[i] = x if x > low else low


@helper
def _look_up(values, limit, results):
    """Put the results in the place of clamped arguments; that of 0 stands in the middle of the table."""
    for i in range(values.shape[0]):
        values[i] = results[np.uint64(int(values[i]) + limit)]
