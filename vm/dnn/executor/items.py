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
    allocate,
    at_least_32,
    bound_below,
    buffer_of,
    drop,
    enter_unordered,
    enter_unsettled,
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
from smartvm.vm.dnn.executor.memory import helper, int32_array, int64_array, load, store

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
    if not at_least_32(buffer) or not writable(buffer, load(buffer, WIDTH)):
        return 0
    limit = cap if 0 < cap < load(buffer, BOUND) else load(buffer, BOUND)
    if load(buffer, WIDTH) == 4:
        _clip32(int32_array(load(buffer, DATA), count), min(limit, INT32_LIMIT - 1))
    else:
        large = int64_array(load(buffer, DATA), count)
        for i in range(count):
            large[i] = min(max(large[i], 0), limit)
    store(buffer, BOUND, limit)
    pay(frame, price)
    pop_operands(frame, 1)
    return 1


@helper
def _clip32(values, limit):
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
    buffer = buffer_of(state)
    count = load(buffer, LENGTH)
    bound = load(buffer, BOUND)
    if size != 0:
        limit = (BOUND_LIMIT - 1) // size
        bound = bound_below(buffer, min(limit, INT32_LIMIT // size) + 1)
        if bound > limit:
            return 0
    price = price_of_items(frame, count, bound * size)
    if price < 0 or not affordable(frame, price) or not writable(buffer, width_for(bound * size)):
        return 0
    if load(buffer, WIDTH) == 4:
        _scale32(int32_array(load(buffer, DATA), count), factor if bound != 0 else 0)
    else:
        large = int64_array(load(buffer, DATA), count)
        for i in range(count):
            large[i] *= factor
    store(buffer, BOUND, bound * size)
    pay(frame, price)
    pop_operands(frame, 1)
    return 1


@helper
def _scale32(values, factor):
    small = values.dtype.type(factor)
    for i in range(values.shape[0]):
        values[i] *= small


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
    buffer = buffer_of(state)
    count = load(buffer, LENGTH)
    bound = load(buffer, BOUND)
    if size != 0:
        # a bound that is too loose keeps items at 64 bits
        bound = bound_below(buffer, min(_QUOTIENT_LIMIT, size * INT32_LIMIT if size < INT32_LIMIT else _QUOTIENT_LIMIT))
        if bound >= _QUOTIENT_LIMIT:
            return 0
    price = price_of_items(frame, count, bound)
    quotient = bound // size if size != 0 else 0
    width = width_for(quotient)
    if price < 0 or not affordable(frame, price):
        return 0
    if quotient == 0:
        if not writable(buffer, width_for(bound)):
            return 0
        _clear(buffer, count)
    elif load(buffer, WIDTH) == 8 and width == 4:
        target = allocate(max(1, 4 * count))
        if target == 0:
            return 0
        _divide_narrowing(int64_array(load(buffer, DATA), count), float(divisor), int32_array(target, count))
        hold(buffer, target, count, 4, quotient)
    elif not writable(buffer, width):
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
def _clear(buffer, count):
    if load(buffer, WIDTH) == 4:
        int32_array(load(buffer, DATA), count)[:] = 0
    else:
        int64_array(load(buffer, DATA), count)[:] = 0


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
        if defer_bias(state, bias, terms, more):
            warm_block(frame, entry)
            pay(frame, price)
            pop_operands(frame, 1)
            return 1
    state = enter_unordered(frame)
    if state == 0 or (load(buffer, LAYOUT) != terms and not in_order(frame, buffer)):
        return 0
    bound = bound_below(buffer, max(1, INT32_LIMIT - more)) + more
    if bound >= BOUND_LIMIT:
        return 0
    price = price_of_items(frame, count, bound)
    if price < 0:
        return 0
    price += price_of_block(frame, entry)
    if not affordable(frame, price) or not writable(buffer, width_for(bound)):
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
    state = enter_unordered(frame)
    if state == 0 or saved_count(state) == 0:
        return 0
    buffer = buffer_of(state)
    saved = top_saved(state)
    count = load(buffer, LENGTH)
    if load(saved, LENGTH) != count or not same_order(frame, buffer, saved):
        return 0
    bound = bound_below(buffer, INT32_LIMIT >> 1) + bound_below(saved, INT32_LIMIT >> 1)
    if bound >= BOUND_LIMIT:
        return 0
    price = price_of_items(frame, count, bound)
    width = width_for(bound)
    if price < 0 or not affordable(frame, price) or not writable(buffer, width) or not _readable(saved, width):
        return 0
    if width == 4:
        _add(int32_array(load(buffer, DATA), count), int32_array(load(saved, DATA), count))
    else:
        _add(int64_array(load(buffer, DATA), count), int64_array(load(saved, DATA), count))
    store(buffer, BOUND, bound)
    drop(saved)
    pop_saved(state)
    pay(frame, price)
    return 1


@helper
def _readable(items, width):
    """Let the items be at ``width`` bytes; False when there is no memory."""
    return load(items, WIDTH) == width or writable(items, width)


@helper
def _add(values, others):
    for i in range(values.shape[0]):
        values[i] += others[i]


def multiply(frame):
    """BUF_MUL."""
    state = enter_unordered(frame)
    if state == 0 or saved_count(state) == 0:
        return 0
    buffer = buffer_of(state)
    saved = top_saved(state)
    count = load(buffer, LENGTH)
    if load(saved, LENGTH) != count or not same_order(frame, buffer, saved):
        return 0
    first = bound_below(buffer, 1 << 15)
    second = bound_below(saved, 1 << 15)
    if first >= INT32_LIMIT or second >= INT32_LIMIT:
        return 0
    bound = first * second
    price = price_of_items(frame, count, bound)
    width = width_for(bound)
    if price < 0 or not affordable(frame, price) or not writable(buffer, width) or not _readable(saved, width):
        return 0
    if width == 4:
        _multiply(int32_array(load(buffer, DATA), count), int32_array(load(saved, DATA), count))
    else:
        _multiply(int64_array(load(buffer, DATA), count), int64_array(load(saved, DATA), count))
    store(buffer, BOUND, bound)
    drop(saved)
    pop_saved(state)
    pay(frame, price)
    return 1


@helper
def _multiply(values, others):
    for i in range(values.shape[0]):
        values[i] *= others[i]
