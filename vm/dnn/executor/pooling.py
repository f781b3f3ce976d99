"""Handlers of pooling."""

# mypy: ignore-errors
from __future__ import annotations

from smartvm.vm.dnn.executor.frames import (
    BOUND,
    DATA,
    INT32_LIMIT,
    LAYOUT,
    LENGTH,
    WIDTH,
    affordable,
    bound_below,
    buffer_of,
    ceiling_ratio,
    enter_unordered,
    executor_of,
    hold,
    in_order,
    pay,
    pop_operands,
    price_of_growth,
    rule,
    size_of,
)
from smartvm.vm.dnn.executor.layout import CONSTANTS, EXECUTOR, RULE
from smartvm.vm.dnn.executor.memory import call_function, helper, int16_array, int32_array, load, store
from smartvm.vm.dnn.executor.spares import give_back, take
from smartvm.vm.dnn.platforms import native
from smartvm.vm.dnn.platforms.kernel_sets import COPY_STEP

_ARGUMENTS = EXECUTOR["arguments"]
_GREATEST = EXECUTOR["greatest"]
_NARROW_BITS = EXECUTOR["constants"] + CONSTANTS.index("narrow_bits")
_NARROW_PER_1024 = RULE["narrow_per_1024"]
#: Window reads and kernels that handlers take.
_READS_LIMIT = 1 << 40
_KERNEL_LIMIT = 1 << 15


@helper
def _channels_last(executor, items, channels):
    """The address of a map's items, channels last: where they are, or in new memory (0: there is none)."""
    length, width = load(items, LENGTH), load(items, WIDTH)
    if load(items, LAYOUT) == channels or channels == 1 or channels == length:
        return load(items, DATA)
    data = take(executor, length * width)
    if data == 0:
        return 0
    if width == 2:
        _interleave(int16_array(load(items, DATA), length), channels, int16_array(data, length))
    else:
        _interleave(int32_array(load(items, DATA), length), channels, int32_array(data, length))
    return data


@helper
def _interleave(values, channels, out):
    cells = values.shape[0] // channels
    for channel in range(channels):
        line = values[channel * cells : (channel + 1) * cells]
        place = channel
        for cell in range(cells):
            out[place] = line[cell]
            place += channels


@helper
def _pool(frame, channels, height, width, kernel, stride, padding, is_average):
    state = enter_unordered(frame)
    if state == 0 or channels < 1 or height < 1 or width < 1 or kernel < 1 or stride < 1 or kernel >= _KERNEL_LIMIT:
        return 0
    rows, columns = height + 2 * padding - kernel, width + 2 * padding - kernel
    if rows < 0 or columns < 0:
        return 0
    outputs = (rows // stride + 1, columns // stride + 1)
    buffer = buffer_of(state)
    length = load(buffer, LENGTH)
    if height * width > length or channels * height * width != length or load(buffer, WIDTH) == 8:
        return 0
    area = kernel * kernel
    cells = outputs[0] * outputs[1]
    if cells > _READS_LIMIT // area or channels * cells > _READS_LIMIT // area:
        return 0
    executor = executor_of(frame)
    limit = 1 << load(executor, _NARROW_BITS)
    if is_average:  # sums of a window are in the narrow tier, and have 32 bits
        limit = (min(limit, INT32_LIMIT) - 1) // area + 1
    if bound_below(executor, buffer, limit) >= limit:
        return 0
    count = channels * cells
    price = price_of_growth(frame, state, count, length)
    price += ceiling_ratio(max(count * area, length), rule(frame, _NARROW_PER_1024))
    if not affordable(frame, price):
        return 0
    if load(buffer, LAYOUT) != channels and not in_order(frame, buffer):
        return 0
    item_width = load(buffer, WIDTH)
    source = _channels_last(executor, buffer, channels)
    out = take(executor, count * item_width)
    if source == 0 or out == 0:
        return 0
    if is_average:
        _average(executor, source, item_width, length, (height, width), channels, kernel, outputs, stride, out, count)
    else:
        arguments = (source, out, item_width, height, width, channels, kernel, rows, columns, stride, padding)
        for place in range(len(arguments)):
            store(executor, _ARGUMENTS + place, arguments[place])
        call_function(load(executor, _GREATEST), executor)
    if source != load(buffer, DATA):
        give_back(executor, source, length * item_width)
    hold(executor, buffer, out, count * item_width, count, item_width, load(buffer, BOUND))
    store(buffer, LAYOUT, channels if cells > 1 else 1)
    pay(frame, price)
    pop_operands(frame, 5)
    return 1


@helper
def _average(executor, source, item_width, length, sizes, channels, kernel, outputs, stride, out, count):
    items = channels * sizes[1] + COPY_STEP
    line = take(executor, 4 * items)
    sums = int32_array(line, items)
    if item_width == 2:
        values, short = int16_array(source, length), int16_array(out, count)
        native.pool_average(values, sizes, channels, kernel, outputs, stride, sums, short)
    else:
        wide, small = int32_array(source, length), int32_array(out, count)
        native.pool_average(wide, sizes, channels, kernel, outputs, stride, sums, small)
    give_back(executor, line, 4 * items)


def greatest(executor):
    """Maximum of each window: a function that handlers share. Its arguments are those of ``_pool`` that it writes."""
    source, out, item_width = load(executor, _ARGUMENTS), load(executor, _ARGUMENTS + 1), load(executor, _ARGUMENTS + 2)
    sizes = (load(executor, _ARGUMENTS + 3), load(executor, _ARGUMENTS + 4))
    channels, kernel = load(executor, _ARGUMENTS + 5), load(executor, _ARGUMENTS + 6)
    stride, padding = load(executor, _ARGUMENTS + 9), load(executor, _ARGUMENTS + 10)
    outputs = (load(executor, _ARGUMENTS + 7) // stride + 1, load(executor, _ARGUMENTS + 8) // stride + 1)
    length, count = channels * sizes[0] * sizes[1], channels * outputs[0] * outputs[1]
    if item_width == 2:
        values, short = int16_array(source, length), int16_array(out, count)
        native.pool_maximum(values, sizes, channels, kernel, outputs, stride, padding, short)
    else:
        wide, small = int32_array(source, length), int32_array(out, count)
        native.pool_maximum(wide, sizes, channels, kernel, outputs, stride, padding, small)
    return 1


def maximum(frame):
    """POOL_MAX(C, H, W, k, s)."""
    channels, height, width = size_of(frame, 0), size_of(frame, 1), size_of(frame, 2)
    return _pool(frame, channels, height, width, size_of(frame, 3), size_of(frame, 4), 0, False)


def average(frame):
    """POOL_AVG(C, H, W, k, s)."""
    channels, height, width = size_of(frame, 0), size_of(frame, 1), size_of(frame, 2)
    return _pool(frame, channels, height, width, size_of(frame, 3), size_of(frame, 4), 0, True)


def overlapping(frame):
    """POOL_OL(C, H, k, s, p)."""
    channels, side, kernel, padding = size_of(frame, 0), size_of(frame, 1), size_of(frame, 2), size_of(frame, 4)
    if padding < 0 or padding >= kernel:
        return 0
    return _pool(frame, channels, side, side, kernel, size_of(frame, 3), padding, False)
