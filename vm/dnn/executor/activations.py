"""Handlers of activations, by tables that Python makes of scales in frequent use."""

# mypy: ignore-errors
from __future__ import annotations

from smartvm.vm.dnn.executor.frames import (
    BOUND,
    DATA,
    LENGTH,
    WIDTH,
    affordable,
    allocate,
    buffer_of,
    enter_unordered,
    executor_of,
    hold,
    is_number,
    number_of,
    pay,
    pop_operands,
    rule,
    writable,
)
from smartvm.vm.dnn.executor.layout import EXECUTOR, HYPERBOLIC_TANGENT, RULE, SIGMOID, TABLE, TABLE_COUNT
from smartvm.vm.dnn.executor.memory import helper, int32_array, int64_array, load, store

_RULE_PER_ITEM = RULE["per_item"]
_TABLE_ACTIVATION = TABLE["activation"]
_TABLE_ITEMS = TABLE["items"]
_TABLE_SCALE = TABLE["scale"]
_TABLE_SIZE = TABLE["size"]

_TABLES = 8 * EXECUTOR["tables"]
_TABLE_BYTES = 8 * TABLE.size


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
    if load(buffer, WIDTH) == 8:
        target = allocate(max(1, 4 * count))
        if target == 0:
            return 0
        _clamp(int64_array(load(buffer, DATA), count), load(table, _TABLE_SIZE), int32_array(target, count))
        hold(buffer, target, count, 4, scale)
    elif not writable(buffer, 4):
        return 0
    values = int32_array(load(buffer, DATA), count)
    results = int32_array(load(table, _TABLE_ITEMS), load(table, _TABLE_SIZE))
    if activation == SIGMOID:
        _look_up_sigmoid(values, results, scale)
    else:
        _look_up_odd(values, results, scale)
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
def _clamp(values, limit, out):
    for i in range(values.shape[0]):
        out[i] = min(max(values[i], -limit), limit)


@helper
def _look_up_sigmoid(values, results, scale):
    """σ(−t) = 1 − σ(t), and but for t = 0 no value lies midway between integers, so the rounded values mirror too."""
    size = results.shape[0]
    for i in range(values.shape[0]):
        x = int(values[i])
        magnitude = -x if x < 0 else x
        y = int(results[magnitude]) if magnitude < size else scale
        values[i] = scale - y if x < 0 else y


@helper
def _look_up_odd(values, results, scale):
    size = results.shape[0]
    for i in range(values.shape[0]):
        x = int(values[i])
        magnitude = -x if x < 0 else x
        y = int(results[magnitude]) if magnitude < size else scale
        values[i] = -y if x < 0 else y
