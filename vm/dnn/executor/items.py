"""Handlers of item-wise instructions."""

# mypy: ignore-errors
from __future__ import annotations

import numpy as np
from smartvm.vm.dnn.executor.deferring import defer_bias, defer_division, defer_rectification, is_deferred
from smartvm.vm.dnn.executor.frames import (
    BOUND,
    DATA,
    INT32_LIMIT,
    LAYOUT,
    LENGTH,
    WIDTH,
    affordable,
    at_least_32,
    bound_below,
    buffer_of,
    drop,
    enter_unordered,
    enter_unsettled,
    executor_of,
    find_block,
    hold,
    in_order,
    is_number,
    number_of,
    pay,
    pop_operands,
    pop_saved,
    price_of_block,
    price_of_items,
    same_order,
    saved_count,
    top_saved,
    warm_block,
    width_for,
    writable,
)
from smartvm.vm.dnn.executor.layout import BLOCK, BOUND_LIMIT
from smartvm.vm.dnn.executor.memory import helper, int16_array, int32_array, int64_array, load, store
from smartvm.vm.dnn.executor.spares import take

_BLOCK_ADDENDS = BLOCK["addends"]
_BLOCK_BOUND = BLOCK["bound"]
_BLOCK_COUNT = BLOCK["count"]
_BLOCK_ITEMS = BLOCK["items"]

#: float64 quotients truncate exactly below this (see ``elementwise.quotients``).
_QUOTIENT_LIMIT = 1 << 51


def rectify(frame):
    """ACT_RL(cap)."""
    state = enter_unsettled(frame)
    if state == 0 or not is_number(frame, 0) or number_of(frame, 0) < 0:
        return 0
    cap = number_of(frame, 0)
    buffer = buffer_of(state)
    count = load(buffer, LENGTH)
    price = price_of_items(frame, count, load(buffer, BOUND))
    if price < 0 or not affordable(frame, price):
        return 0
    if is_deferred(state):
        defer_rectification(state, cap)
        pay(frame, price)
        pop_operands(frame, 1)
        return 1
    width = load(buffer, WIDTH)
    if not writable(executor_of(frame), buffer, width):
        return 0
    limit = cap if 0 < cap < load(buffer, BOUND) else load(buffer, BOUND)
    if width == 2:
        _clip(int16_array(load(buffer, DATA), count), min(limit, (1 << 15) - 1))
    elif width == 4:
        _clip(int32_array(load(buffer, DATA), count), min(limit, INT32_LIMIT - 1))
    else:
        _clip(int64_array(load(buffer, DATA), count), limit)
    store(buffer, BOUND, limit)
    pay(frame, price)
    pop_operands(frame, 1)
    return 1


@helper
def _clip(values, limit):
    zero = values.dtype.type(0)
    top = values.dtype.type(limit)
    for i in range(values.shape[0]):
        value = values[i]
        value = value if value > zero else zero
        values[i] = value if value < top else top


def scale_up(frame):
    """BUF_SCL0(factor)."""
    state = enter_unordered(frame)
    if state == 0 or not is_number(frame, 0):
        return 0
    factor = number_of(frame, 0)
    size = abs(factor)
    executor = executor_of(frame)
    buffer = buffer_of(state)
    count = load(buffer, LENGTH)
    bound = load(buffer, BOUND)
    if size != 0:
        limit = (BOUND_LIMIT - 1) // size
        bound = bound_below(executor, buffer, min(limit, INT32_LIMIT // size) + 1)
        if bound > limit:
            return 0
    price = price_of_items(frame, count, bound * size)
    if price < 0 or not affordable(frame, price) or not writable(executor, buffer, width_for(bound * size)):
        return 0
    if load(buffer, WIDTH) == 4:
        _scale(int32_array(load(buffer, DATA), count), factor if bound != 0 else 0)
    else:
        _scale(int64_array(load(buffer, DATA), count), factor)
    store(buffer, BOUND, bound * size)
    pay(frame, price)
    pop_operands(frame, 1)
    return 1


@helper
def _scale(values, factor):
    number = values.dtype.type(factor)
    for i in range(values.shape[0]):
        values[i] *= number


def scale_down(frame):
    """BUF_SCL1(divisor)."""
    state = enter_unsettled(frame)
    if state == 0 or not is_number(frame, 0):
        return 0
    if is_deferred(state):
        count, bound = load(buffer_of(state), LENGTH), load(buffer_of(state), BOUND)
        price = price_of_items(frame, count, bound)
        if price < 0 or not affordable(frame, price):
            return 0
        if defer_division(state, number_of(frame, 0)):
            pay(frame, price)
            pop_operands(frame, 1)
            return 1
    state = enter_unordered(frame)
    if state == 0:
        return 0
    divisor = number_of(frame, 0)
    size = abs(divisor)
    executor = executor_of(frame)
    buffer = buffer_of(state)
    count = load(buffer, LENGTH)
    bound = load(buffer, BOUND)
    if size != 0:
        # a bound that is too loose keeps items at 64 bits
        limit = min(_QUOTIENT_LIMIT, size * INT32_LIMIT if size < INT32_LIMIT else _QUOTIENT_LIMIT)
        bound = bound_below(executor, buffer, limit)
        if bound >= _QUOTIENT_LIMIT:
            return 0
    price = price_of_items(frame, count, bound)
    quotient = bound // size if size != 0 else 0
    width = width_for(quotient)
    if price < 0 or not affordable(frame, price) or not at_least_32(executor, buffer):
        return 0
    have = load(buffer, WIDTH)
    if quotient == 0:
        if not writable(executor, buffer, have):
            return 0
        int32_array(load(buffer, DATA), have // 4 * count)[:] = 0
    elif have == 8 and width == 4:
        target = take(executor, 4 * count)
        if target == 0:
            return 0
        _divide_narrowing(int64_array(load(buffer, DATA), count), float(divisor), int32_array(target, count))
        hold(executor, buffer, target, 4 * count, count, 4, quotient)
    elif not writable(executor, buffer, width):
        return 0
    elif width == 4:
        _divide32(int32_array(load(buffer, DATA), count), float(divisor))
    else:
        _divide64(int64_array(load(buffer, DATA), count), float(divisor))
    store(buffer, BOUND, quotient)
    pay(frame, price)
    pop_operands(frame, 1)
    return 1


@helper
def _divide32(values, divisor):
    """Truncated quotients of 32-bit items by a divisor below 2^31 in magnitude, by its reciprocal.

    With r = (1/|d|)·(1 + e), 2^-51 < e < 2^-49: for 0 <= a < 2^31 the product a·r is rounded from a number that is at
    least a/|d|, hence at least its integral part, and exceeds a/|d| by less than 2^31·2^-49/|d| = 2^-18/|d|, which with
    its rounding (below 2^31·2^-53/|d|) is less than the 1/|d| that parts a/|d| from the next integer above. A negative
    ``a`` is the mirror image: conversion truncates toward zero.
    """
    reciprocal = (1.0 / divisor) * (1.0 + 2.0**-50)
    for i in range(values.shape[0]):
        values[i] = np.int32(values[i] * reciprocal)


@helper
def _divide64(values, divisor):
    for i in range(values.shape[0]):
        values[i] = np.int64(values[i] / divisor)


@helper
def _divide_narrowing(values, divisor, out):
    for i in range(values.shape[0]):
        out[i] = np.int32(values[i] / divisor)


def add_bias(frame):
    """BUF_BIAS(bias)."""
    state = enter_unsettled(frame)
    if state == 0:
        return 0
    entry = find_block(frame, 0)
    if entry == 0:
        return 0
    buffer = buffer_of(state)
    count = load(buffer, LENGTH)
    terms = load(entry, _BLOCK_COUNT)
    bias = load(entry, _BLOCK_ITEMS)
    if bias == 0 or count % terms != 0:
        return 0
    more = load(entry, _BLOCK_BOUND)
    if is_deferred(state):
        price = price_of_items(frame, count, load(buffer, BOUND) + more)
        if price < 0 or more >= INT32_LIMIT:
            return 0
        price += price_of_block(frame, entry)
        if not affordable(frame, price):
            return 0
        if defer_bias(state, load(entry, _BLOCK_ADDENDS), terms, more):
            warm_block(frame, entry)
            pay(frame, price)
            pop_operands(frame, 1)
            return 1
    state = enter_unordered(frame)
    if state == 0 or (load(buffer, LAYOUT) != terms and not in_order(frame, buffer)):
        return 0
    executor = executor_of(frame)
    bound = bound_below(executor, buffer, max(1, INT32_LIMIT - more)) + more
    if bound >= BOUND_LIMIT:
        return 0
    price = price_of_items(frame, count, bound)
    if price < 0:
        return 0
    price += price_of_block(frame, entry)
    if not affordable(frame, price) or not writable(executor, buffer, width_for(bound)):
        return 0
    addends = int64_array(bias, terms)
    span = count // terms if load(buffer, LAYOUT) == 1 else 1
    if load(buffer, WIDTH) == 4:
        _add_spans(int32_array(load(buffer, DATA), count), addends, span)
    else:
        _add_spans(int64_array(load(buffer, DATA), count), addends, span)
    store(buffer, BOUND, bound)
    warm_block(frame, entry)
    pay(frame, price)
    pop_operands(frame, 1)
    return 1


@helper
def _add_spans(values, addends, span):
    """Add each addend to ``span`` items, beginning anew where they are used up."""
    terms = addends.shape[0]
    if span == 1:
        for first in range(0, values.shape[0], terms):
            part = values[first : first + terms]
            for i in range(part.shape[0]):
                part[i] += values.dtype.type(addends[i])
        return
    for place in range(terms):
        addend = values.dtype.type(addends[place])
        part = values[place * span : (place + 1) * span]
        for i in range(part.shape[0]):
            part[i] += addend


def add(frame):
    """BUF_ADD."""
    return _combine(frame, False)


def multiply(frame):
    """BUF_MUL."""
    return _combine(frame, True)


@helper
def _combine(frame, is_product):
    """The Buffer's items become their sums, or products, with those of the top saved Buffer."""
    state = enter_unordered(frame)
    if state == 0 or saved_count(state) == 0:
        return 0
    executor = executor_of(frame)
    buffer = buffer_of(state)
    saved = top_saved(state)
    count = load(buffer, LENGTH)
    if load(saved, LENGTH) != count or not same_order(frame, buffer, saved):
        return 0
    limit = 1 << 15 if is_product else INT32_LIMIT >> 1  # below which the results are certain to have 32 bits
    first = bound_below(executor, buffer, limit)
    second = bound_below(executor, saved, limit)
    if is_product and (first >= INT32_LIMIT or second >= INT32_LIMIT):
        return 0
    bound = first * second if is_product else first + second
    if bound >= BOUND_LIMIT:
        return 0
    price = price_of_items(frame, count, bound)
    width = width_for(bound)
    if price < 0 or not affordable(frame, price) or not writable(executor, buffer, width):
        return 0
    if load(saved, WIDTH) != width and not writable(executor, saved, width):
        return 0
    if width == 4:
        _combine_items(int32_array(load(buffer, DATA), count), int32_array(load(saved, DATA), count), is_product)
    else:
        _combine_items(int64_array(load(buffer, DATA), count), int64_array(load(saved, DATA), count), is_product)
    store(buffer, BOUND, bound)
    drop(executor, saved)
    pop_saved(state)
    pay(frame, price)
    return 1


@helper
def _combine_items(values, others, is_product):
    if is_product:
        for i in range(values.shape[0]):
            values[i] *= others[i]
    else:
        for i in range(values.shape[0]):
            values[i] += others[i]
