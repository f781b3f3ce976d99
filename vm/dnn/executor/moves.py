"""Handlers of instructions that move items: between Buffer, saved Buffers, Memory and stack."""

# mypy: ignore-errors
from __future__ import annotations

from smartvm.vm.dnn.executor.frames import (
    BOUND,
    CAPACITY,
    DATA,
    INT32_LIMIT,
    LAYOUT,
    LENGTH,
    OWNED,
    WIDTH,
    affordable,
    at_least_32,
    bound_below,
    bound_of,
    buffer_of,
    clear,
    copy_items,
    count_saved,
    drop,
    enter,
    enter_unordered,
    enter_unsettled,
    executor_of,
    expand_memory,
    hold,
    in_order,
    is_number,
    memory_area,
    number_of,
    pay,
    pop_operands,
    pop_saved,
    price_of_growth,
    price_of_items,
    push_number,
    push_saved,
    read_words,
    rule,
    saved_count,
    size_of,
    top_saved,
    width_for,
    writable,
)
from smartvm.vm.dnn.executor.layout import BOUND_LIMIT, CONSTANTS, EXECUTOR, ITEMS, RULE, SAVED_LIMIT
from smartvm.vm.dnn.executor.memory import (
    byte_array,
    copy_bytes,
    helper,
    int32_array,
    int64_array,
    load,
    load_big_endian,
    store,
    store_big_endian,
)
from smartvm.vm.dnn.executor.spares import take
from smartvm.vm.native.layout import FRAME, STACK_BYTES, WORD_BYTES

_FRAME_MEMORY = FRAME["memory"]
_FRAME_MEMORY_SIZE = FRAME["memory_size"]
_STACK = FRAME["stack"]
_STACK_TOP = FRAME["stack_top"]

_PER_ITEM = RULE["per_item"]
_SAVED_BUFFERS_LIMIT = EXECUTOR["constants"] + CONSTANTS.index("saved_buffers_limit")

_ITEMS_FIELDS = ITEMS.size


def from_memory(frame):
    """MTOB(offset, size)."""
    return _append(frame, WORD_BYTES, 2)


def from_memory_packed(frame):
    """MTOB_PACK(offset, size, width), for widths of whole machine numbers."""
    width = size_of(frame, 2)
    return _append(frame, width, 3) if _is_whole(width) else 0


@helper
def _is_whole(width):
    return width == 1 or width == 2 or width == 4 or width == 8 or width == WORD_BYTES


@helper
def _append(frame, width, operands):
    state = enter(frame)
    offset, count = size_of(frame, 0), size_of(frame, 1)
    if state == 0 or offset < 0 or count < 0:
        return 0
    executor = executor_of(frame)
    buffer = buffer_of(state)
    have = load(buffer, LENGTH)
    price = count * rule(frame, _PER_ITEM) + price_of_growth(frame, state, count, 0)
    if not affordable(frame, price):
        return 0
    if count != 0:
        if load(frame, _FRAME_MEMORY_SIZE) - offset < count * width or not at_least_32(executor, buffer):
            return 0  # growing memory is Python's
        source = load(frame, _FRAME_MEMORY) + offset
        item_width = 4 if have == 0 else load(buffer, WIDTH)
        if not _make_room(executor, buffer, have + count, item_width):
            return 0
        # items that turn out not to fit are behind the Buffer's end, where they do not matter
        bound = _read(source, count, width, load(buffer, DATA) + have * item_width, item_width)
        if bound >= BOUND_LIMIT:
            return 0
        if item_width == 4 and bound >= INT32_LIMIT:
            if not _make_room(executor, buffer, have + count, 8):
                return 0
            _read(source, count, width, load(buffer, DATA) + have * 8, 8)
        store(buffer, LENGTH, have + count)
        store(buffer, BOUND, max(bound, load(buffer, BOUND)) if have != 0 else bound)
    pay(frame, price)
    pop_operands(frame, operands)
    return 1


@helper
def _make_room(executor, items, total, width):
    """Let a descriptor own memory for ``total`` items of ``width`` bytes, no fewer than it has, so that appending
    one by one does not copy all each time; False when there is no memory."""
    have = load(items, LENGTH)
    if load(items, OWNED) != 0 and load(items, WIDTH) == width and total * width <= load(items, CAPACITY):
        return True
    size = max(total, 2 * have) * width
    data = take(executor, size)
    if data == 0:
        return False
    copy_items(executor, load(items, DATA), load(items, WIDTH), have, data, width)
    hold(executor, items, data, size, have, width, load(items, BOUND))
    return True


@helper
def _read(source, count, width, target, item_width):
    """Write packed items of Memory to ``target``, ``item_width`` bytes each; the largest magnitude, or 2^62 when it is
    not below that. Items that do not fit are cut."""
    if width == WORD_BYTES:
        if item_width == 4:
            return read_words(source, int32_array(target, count))
        return read_words(source, int64_array(target, count))
    if width == 8:
        if item_width == 4:
            return _read_long(source, int32_array(target, count))
        return _read_long(source, int64_array(target, count))
    if item_width == 4:
        _read_short(source, width, int32_array(target, count))
    else:
        _read_short(source, width, int64_array(target, count))
    return 1 << (8 * width - 1)


@helper
def _read_long(source, out):
    low = 0
    high = 0
    number = out.dtype.type
    for i in range(out.shape[0]):
        value = load_big_endian(source)
        low = min(low, value)
        high = max(high, value)
        out[i] = number(value)
        source += 8
    return bound_of(low, high)


@helper
def _read_short(source, width, out):
    """Items of 1, 2 or 4 bytes."""
    number = out.dtype.type
    count = out.shape[0]
    packed = byte_array(source, count * width)
    if width == 1:
        for i in range(count):
            out[i] = number((int(packed[i]) ^ 0x80) - 0x80)
    elif width == 2:
        for i in range(count):
            value = int(packed[2 * i]) << 8 | int(packed[2 * i + 1])
            out[i] = number((value ^ 0x8000) - 0x8000)
    else:
        for i in range(count):
            value = int(packed[4 * i]) << 24 | int(packed[4 * i + 1]) << 16
            value |= int(packed[4 * i + 2]) << 8 | int(packed[4 * i + 3])
            out[i] = number((value ^ 0x80000000) - 0x80000000)


def to_memory(frame):
    """BTOM(offset, size)."""
    return _write_out(frame, WORD_BYTES, 2)


def to_memory_packed(frame):
    """BTOM_PACK(offset, size, width), for widths of whole machine numbers."""
    width = size_of(frame, 2)
    return _write_out(frame, width, 3) if _is_whole(width) else 0


@helper
def _write_out(frame, width, operands):
    state = enter(frame)
    offset, count = size_of(frame, 0), size_of(frame, 1)
    if state == 0 or offset < 0 or count < 0:
        return 0
    executor = executor_of(frame)
    buffer = buffer_of(state)
    if count > load(buffer, LENGTH):
        return 0
    expansion = memory_area(frame, offset, count * width)
    if expansion < 0:
        return 0
    price = count * rule(frame, _PER_ITEM) + expansion
    if not affordable(frame, price) or not at_least_32(executor, buffer):
        return 0
    if width < 8:
        limit = 1 << (8 * width - 1)
        if bound_below(executor, buffer, limit) >= limit:
            return 0
    if count != 0:
        target = expand_memory(frame, offset, count * width)
        if load(buffer, WIDTH) == 4:
            _write(int32_array(load(buffer, DATA), count), target, width)
        else:
            _write(int64_array(load(buffer, DATA), count), target, width)
    pay(frame, price)
    pop_operands(frame, operands)
    return 1


@helper
def _write(values, target, width):
    count = values.shape[0]
    if width >= 8:
        for i in range(count):
            value = int(values[i])
            if width == WORD_BYTES:
                sign = value >> 63
                store(target, 0, sign)
                store(target, 1, sign)
                store(target, 2, sign)
            store_big_endian(target + width - 8, value)
            target += width
        return
    packed = byte_array(target, count * width)
    for i in range(count):
        value = int(values[i])
        for place in range(width):
            packed[i * width + width - 1 - place] = (value >> (8 * place)) & 0xFF


def size(frame):
    """BUF_SIZE."""
    state = enter_unsettled(frame)
    if state == 0:
        return 0
    push_number(frame, load(buffer_of(state), LENGTH))
    return 1


def initialise(frame):
    """BUF_INIT(n)."""
    state = enter(frame)
    count = size_of(frame, 0)
    if state == 0 or count < 0:
        return 0
    buffer = buffer_of(state)
    growth = price_of_growth(frame, state, count, load(buffer, LENGTH))
    price = count * rule(frame, _PER_ITEM) + growth
    if not affordable(frame, price):
        return 0
    executor = executor_of(frame)
    data = take(executor, 4 * count)
    if data == 0:
        return 0
    int32_array(data, count)[:] = 0
    hold(executor, buffer, data, 4 * count, count, 4, 0)
    pay(frame, price)
    pop_operands(frame, 1)
    return 1


def extend(frame):
    """BUF_ALLO(n)."""
    state = enter(frame)
    count = size_of(frame, 0)
    if state == 0 or count < 0:
        return 0
    buffer = buffer_of(state)
    have = load(buffer, LENGTH)
    price = count * rule(frame, _PER_ITEM) + price_of_growth(frame, state, count, 0)
    if not affordable(frame, price):
        return 0
    if count != 0:
        width = 4 if have == 0 else load(buffer, WIDTH)
        if not _make_room(executor_of(frame), buffer, have + count, width):
            return 0
        byte_array(load(buffer, DATA) + have * width, count * width)[:] = 0
        store(buffer, LENGTH, have + count)
        if have == 0:
            store(buffer, BOUND, 0)
    pay(frame, price)
    pop_operands(frame, 1)
    return 1


def clear_first(frame):
    """BUF_CLS(n)."""
    state = enter(frame)
    count = size_of(frame, 0)
    if state == 0 or count < 0:
        return 0
    buffer = buffer_of(state)
    width = load(buffer, WIDTH)
    price = count * rule(frame, _PER_ITEM)
    if count > load(buffer, LENGTH) or not affordable(frame, price):
        return 0
    if not writable(executor_of(frame), buffer, width):
        return 0
    byte_array(load(buffer, DATA), count * width)[:] = 0
    pay(frame, price)
    pop_operands(frame, 1)
    return 1


def fill(frame):
    """BUF_FIL(v)."""
    state = enter_unordered(frame)
    if state == 0 or not is_number(frame, 0):
        return 0
    value = number_of(frame, 0)
    buffer = buffer_of(state)
    count = load(buffer, LENGTH)
    bound = abs(value)
    price = price_of_items(frame, count, bound)
    if price < 0 or not affordable(frame, price):
        return 0
    width = width_for(bound)
    executor = executor_of(frame)
    data = take(executor, count * width)
    if data == 0:
        return 0
    if width == 4:
        _fill(int32_array(data, count), value)
    else:
        _fill(int64_array(data, count), value)
    hold(executor, buffer, data, count * width, count, width, bound)
    store(buffer, LAYOUT, 1)
    pay(frame, price)
    pop_operands(frame, 1)
    return 1


@helper
def _fill(values, value):
    number = values.dtype.type(value)
    for i in range(values.shape[0]):
        values[i] = number


def to_stack(frame):
    """BTOS0(offset, size)."""
    state = enter(frame)
    offset, count = size_of(frame, 0), size_of(frame, 1)
    if state == 0 or offset < 0 or count < 0:
        return 0
    buffer = buffer_of(state)
    height = load(frame, _STACK_TOP) - load(frame, _STACK)
    price = count * rule(frame, _PER_ITEM)
    if offset + count > load(buffer, LENGTH) or not affordable(frame, price):
        return 0
    if height + (count - 2) * WORD_BYTES > STACK_BYTES or not at_least_32(executor_of(frame), buffer):
        return 0
    pay(frame, price)
    pop_operands(frame, 2)
    data = load(buffer, DATA)
    if load(buffer, WIDTH) == 4:
        small = int32_array(data, offset + count)
        for i in range(count):
            push_number(frame, int(small[offset + count - 1 - i]))
    else:
        large = int64_array(data, offset + count)
        for i in range(count):
            push_number(frame, large[offset + count - 1 - i])
    return 1


def drop_last(frame):
    """BUF_FREE(n)."""
    state = enter(frame)
    count = size_of(frame, 0)
    if state == 0 or count < 0:
        return 0
    buffer = buffer_of(state)
    left = load(buffer, LENGTH) - count
    if left < 0:
        return 0
    if left == 0:
        drop(executor_of(frame), buffer)
        clear(buffer)
    else:
        store(buffer, LENGTH, left)
    pop_operands(frame, 1)
    return 1


def save(frame):
    """BUF_COPY(start, end)."""
    state = enter_unordered(frame)
    start, end = size_of(frame, 0), size_of(frame, 1)
    if state == 0 or start < 0 or end < start:
        return 0
    executor = executor_of(frame)
    buffer = buffer_of(state)
    depth = saved_count(state)
    if end > load(buffer, LENGTH) or depth >= min(SAVED_LIMIT, load(executor, _SAVED_BUFFERS_LIMIT)):
        return 0
    count = end - start
    if count != load(buffer, LENGTH) and not in_order(frame, buffer):
        return 0
    price = count * rule(frame, _PER_ITEM) + price_of_growth(frame, state, count, 0)
    if not affordable(frame, price):
        return 0
    width = load(buffer, WIDTH)
    data = take(executor, count * width)
    if data == 0:
        return 0
    copy_bytes(data, load(buffer, DATA) + start * width, count * width)
    saved = push_saved(state)
    clear(saved)
    hold(executor, saved, data, count * width, count, width, load(buffer, BOUND))
    store(saved, LAYOUT, load(buffer, LAYOUT))
    count_saved(state, count)
    pay(frame, price)
    pop_operands(frame, 2)
    return 1


def swap(frame):
    """BUF_SWAP."""
    state = enter_unordered(frame)
    if state == 0 or saved_count(state) == 0:
        return 0
    buffer, saved = buffer_of(state), top_saved(state)
    count_saved(state, load(buffer, LENGTH) - load(saved, LENGTH))
    for field in range(_ITEMS_FIELDS):
        mine = load(buffer, field)
        store(buffer, field, load(saved, field))
        store(saved, field, mine)
    return 1


def concatenate(frame):
    """BUF_CAT."""
    state = enter(frame)
    if state == 0 or saved_count(state) == 0:
        return 0
    buffer, saved = buffer_of(state), top_saved(state)
    if not in_order(frame, saved):
        return 0
    first, second = load(saved, LENGTH), load(buffer, LENGTH)
    total = first + second
    price = price_of_items(frame, total, 0)
    if not affordable(frame, price):
        return 0
    executor = executor_of(frame)
    bound = max(load(saved, BOUND), load(buffer, BOUND))
    width = max(load(saved, WIDTH), load(buffer, WIDTH))
    data = take(executor, total * width)
    if data == 0:
        return 0
    copy_items(executor, load(saved, DATA), load(saved, WIDTH), first, data, width)
    copy_items(executor, load(buffer, DATA), load(buffer, WIDTH), second, data + first * width, width)
    drop(executor, saved)
    pop_saved(state)
    hold(executor, buffer, data, total * width, total, width, bound)
    pay(frame, price)
    return 1
