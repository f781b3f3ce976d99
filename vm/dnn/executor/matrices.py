"""Handlers of a transposed convolution and of a product of two matrices, for sizes at which what an instruction costs
beside its products matters; kernels multiply larger ones faster."""

# mypy: ignore-errors
from __future__ import annotations

from smartvm.vm.dnn.executor.frames import (
    BOUND,
    DATA,
    INT32_LIMIT,
    LAYOUT,
    LENGTH,
    affordable,
    buffer_of,
    ceiling_ratio,
    enter,
    enter_unordered,
    executor_of,
    find_block,
    hold,
    magnitude,
    pay,
    pop_operands,
    price_of_block,
    price_of_growth,
    read_words,
    rule,
    size_of,
    warm_block,
    writable,
)
from smartvm.vm.dnn.executor.layout import BLOCK, CONSTANTS, EXECUTOR, RULE
from smartvm.vm.dnn.executor.memory import helper, int32_array, int64_array, load, load_big_endian, store
from smartvm.vm.dnn.executor.spares import give_back, take
from smartvm.vm.native.layout import FRAME, WORD_BYTES

_BLOCK_BOUND = BLOCK["bound"]
_BLOCK_COUNT = BLOCK["count"]
_BLOCK_ITEMS = BLOCK["items"]
_FRAME_MEMORY = FRAME["memory"]
_FRAME_MEMORY_SIZE = FRAME["memory_size"]
_NARROW_BITS = EXECUTOR["constants"] + CONSTANTS.index("narrow_bits")
_NARROW_PER_1024 = RULE["narrow_per_1024"]
_READS_PER_1024 = RULE["reads_per_1024"]
_PER_ITEM = RULE["per_item"]

#: Products beyond which kernels multiply.
_MOST_PRODUCTS = 1 << 20
#: Sizes beyond this have more products.
_MOST_SIDE = 1 << 20


@helper
def _is_side(value):
    return 1 <= value <= _MOST_SIDE


def transpose(frame):
    """CONV_TPD(weights, C, O, H, W, k, s, p)."""
    channels, kernels, height, width = size_of(frame, 1), size_of(frame, 2), size_of(frame, 3), size_of(frame, 4)
    kernel, stride, padding = size_of(frame, 5), size_of(frame, 6), size_of(frame, 7)
    if not (_is_side(channels) and _is_side(kernels) and _is_side(height) and _is_side(width)):
        return 0
    if not (_is_side(kernel) and _is_side(stride)) or padding < 0 or kernel > 1 << 10:
        return 0
    rows, columns = (height - 1) * stride - 2 * padding + kernel, (width - 1) * stride - 2 * padding + kernel
    terms = channels * kernel * kernel
    state = enter(frame)
    if state == 0 or rows < 1 or columns < 1:
        return 0
    buffer = buffer_of(state)
    length = load(buffer, LENGTH)
    if height * width > length or channels * height * width != length or terms > _MOST_PRODUCTS // kernels:
        return 0
    products = terms * kernels * height * width
    entry = find_block(frame, 0)
    if entry == 0 or products > _MOST_PRODUCTS or rows * columns > _MOST_PRODUCTS:
        return 0
    weights = load(entry, _BLOCK_ITEMS)
    if weights == 0 or load(entry, _BLOCK_COUNT) != terms * kernels or load(entry, _BLOCK_BOUND) >= INT32_LIMIT:
        return 0
    executor = executor_of(frame)
    count = kernels * rows * columns
    bound = magnitude(executor, buffer) if load(buffer, BOUND) >= INT32_LIMIT else load(buffer, BOUND)
    if bound >= INT32_LIMIT:
        return 0
    sums = bound * load(entry, _BLOCK_BOUND)  # of one product, below 2^62
    if sums > _narrow_limit(executor) // terms:
        return 0
    sums *= terms
    price = price_of_block(frame, entry) + price_of_growth(frame, state, count, length)
    price += ceiling_ratio(products, rule(frame, _NARROW_PER_1024))
    reads = max(height * width * kernels * kernel * kernel, count)
    price += ceiling_ratio(reads, rule(frame, _READS_PER_1024))
    if count > 4 * _MOST_PRODUCTS or not affordable(frame, price):
        return 0
    item_width = 4 if sums < INT32_LIMIT else 8
    out = take(executor, count * item_width)
    if out == 0 or not writable(executor, buffer, item_width):
        return 0
    shape = (channels, kernels, height, width, kernel, stride, padding, rows, columns)
    block = int64_array(weights, terms * kernels)
    if item_width == 4:
        _scatter(int32_array(load(buffer, DATA), length), block, shape, int32_array(out, count))
    else:
        _scatter(int64_array(load(buffer, DATA), length), block, shape, int64_array(out, count))
    hold(executor, buffer, out, count * item_width, count, item_width, sums)
    warm_block(frame, entry)
    pay(frame, price)
    pop_operands(frame, 8)
    return 1


@helper
def _narrow_limit(executor):
    """The largest magnitude of the narrow tier, which is below 2^62."""
    return (1 << load(executor, _NARROW_BITS)) - 1


@helper
def _scatter(values, weights, shape, out):
    """Each item times each kernel, added where the kernel stands for the item."""
    channels, kernels, height, width, kernel, stride, padding, rows, columns = shape
    number = out.dtype.type
    out[:] = 0
    for channel in range(channels):
        for i in range(height):
            line = values[(channel * height + i) * width : (channel * height + i + 1) * width]
            for o in range(kernels):
                for b in range(kernel):
                    row = i * stride - padding + b
                    if row < 0 or row >= rows:
                        continue
                    target = out[(o * rows + row) * columns : (o * rows + row + 1) * columns]
                    for c in range(kernel):
                        weight = number(weights[((channel * kernels + o) * kernel + b) * kernel + c])
                        column = c - padding
                        for j in range(width):
                            if 0 <= column < columns:
                                target[column] += weight * line[j]
                            column += stride


def multiply(frame):
    """MAT_MUL(a, b)."""
    state = enter_unordered(frame)
    first, second = size_of(frame, 0), size_of(frame, 1)
    if state == 0 or first < 0 or second < 0:
        return 0
    rows, inner = _matrix_size(frame, first, 0), _matrix_size(frame, first, 1)
    if not (_is_side(rows) and _is_side(inner)) or _matrix_size(frame, second, 0) != inner:
        return 0
    columns = _matrix_size(frame, second, 1)
    if not _is_side(columns) or rows * inner > _MOST_PRODUCTS // columns:
        return 0
    have = load(frame, _FRAME_MEMORY_SIZE)
    if first + (2 + rows * inner) * WORD_BYTES > have or second + (2 + inner * columns) * WORD_BYTES > have:
        return 0  # growing memory is Python's
    buffer = buffer_of(state)
    executor = executor_of(frame)
    count = rows * columns
    price = (rows * inner + inner * columns) * rule(frame, _PER_ITEM)
    price += price_of_growth(frame, state, count, load(buffer, LENGTH))
    price += ceiling_ratio(rows * inner * columns, rule(frame, _NARROW_PER_1024))
    if not affordable(frame, price):
        return 0
    left, right = take(executor, 8 * rows * inner), take(executor, 8 * inner * columns)
    out = take(executor, 8 * count)
    if left == 0 or right == 0 or out == 0:
        return 0
    a, b = int64_array(left, rows * inner), int64_array(right, inner * columns)
    memory = load(frame, _FRAME_MEMORY) + 2 * WORD_BYTES
    a_bound, b_bound = read_words(memory + first, a), read_words(memory + second, b)
    certain = a_bound < INT32_LIMIT and b_bound < INT32_LIMIT and a_bound * b_bound <= _narrow_limit(executor) // inner
    if certain:
        _multiply(a, b, rows, inner, columns, int64_array(out, count))
        hold(executor, buffer, out, 8 * count, count, 8, a_bound * b_bound * inner)
        store(buffer, LAYOUT, 1)
        pay(frame, price)
        pop_operands(frame, 2)
    else:
        give_back(executor, out, 8 * count)
    give_back(executor, left, 8 * rows * inner)
    give_back(executor, right, 8 * inner * columns)
    return 1 if certain else 0


@helper
def _matrix_size(frame, offset, place):
    """A matrix's rows (``place`` 0) or columns (1); −1 when handlers do not take it."""
    if offset + 2 * WORD_BYTES > load(frame, _FRAME_MEMORY_SIZE):
        return -1
    word = load(frame, _FRAME_MEMORY) + offset + place * WORD_BYTES
    if (load(word, 0) | load(word, 1) | load(word, 2)) != 0:
        return -1
    return load_big_endian(word + WORD_BYTES - 8)


@helper
def _multiply(a, b, rows, inner, columns, out):
    out[:] = 0
    for i in range(rows):
        line = out[i * columns : (i + 1) * columns]
        for t in range(inner):
            factor = a[i * inner + t]
            terms = b[t * columns : (t + 1) * columns]
            for j in range(columns):
                line[j] += factor * terms[j]
