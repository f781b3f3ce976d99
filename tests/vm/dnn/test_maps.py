"""Convolutions, pooling, full connection and matrix products against their twins, over widths and shapes."""

from __future__ import annotations

from itertools import pairwise
from operator import mul

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from smartvm.vm.dnn import Buffer, WeightBlock, reference
from smartvm.vm.dnn import items as item_arrays
from smartvm.vm.dnn.operations import MatrixProduct
from smartvm.vm.dnn.platforms.correlation import correlate, multiply, route_for, transpose
from smartvm.vm.dnn.platforms.dispatcher import VARIABLE
from smartvm.vm.dnn.shapes import Correlation, Transposed, convolution

SIDE = st.integers(1, 6)
SMALL = st.integers(1, 4)
#: Bits of the items drawn: on both sides of each route's limit.
BITS = st.sampled_from([1, 7, 8, 15, 16, 24, 30, 31, 47, 53, 62, 63, 64, 127, 255])
BLOCK = 7


@st.composite
def items(draw, count):
    """``count`` items of one width: its extremes, or random ones."""
    limit = 1 << draw(BITS)
    if draw(st.booleans()):
        return draw(st.lists(st.sampled_from([-limit, limit - 1, 0]), min_size=count, max_size=count))
    random = draw(st.randoms(use_true_random=False))
    return [random.randrange(-limit, limit) for _ in range(count)]


def run(new_frame, name, operands, x, weights=()):
    frame = new_frame()
    frame.fill(x)
    if weights:
        frame.put_block(BLOCK, weights)
    frame.run(name, *operands)
    result = frame.items()
    assert frame.buffer.extremes == (min(result), max(result))
    return result


@st.composite
def planes(draw):
    c, o, h, w = draw(SMALL), draw(SMALL), draw(SIDE), draw(SIDE)
    k, s, p = draw(SMALL), draw(SMALL), draw(st.integers(0, 4))
    while min(h, w) + 2 * p < k:
        p += 1
    return c, o, h, w, k, s, p


@given(data=st.data())
def test_conv_mul(new_frame, data):
    c, o, h, w, k, s, p = data.draw(planes())
    x, weights = data.draw(items(c * h * w)), data.draw(items(o * c * k * k))
    result = run(new_frame, "CONV_MUL", (BLOCK, c, o, h, w, k, s, p), x, weights)
    assert result == reference.conv_mul(x, weights, c, o, h, w, k, s, p)


@given(data=st.data())
def test_conv_sing(new_frame, data):
    c, _, h, w, k, s, p = data.draw(planes())
    x, weights = data.draw(items(c * h * w)), data.draw(items(c * k * k))
    result = run(new_frame, "CONV_SING", (BLOCK, c, c, h, w, k, s, p), x, weights)
    assert result == reference.conv_sing(x, weights, c, h, w, k, s, p)


@settings(max_examples=40)
@given(data=st.data())
def test_conv_3d(new_frame, data):
    c, o, d, h, k = [data.draw(st.integers(1, 3)) for _ in range(5)]
    s, p = data.draw(SMALL), data.draw(st.integers(0, 2))
    while min(d, h) + 2 * p < k:
        p += 1
    x, weights = data.draw(items(c * d * h * h)), data.draw(items(o * c * k**3))
    result = run(new_frame, "CONV_3D", (BLOCK, c, o, d, h, k, s, p), x, weights)
    assert result == reference.conv_3d(x, weights, c, o, d, h, k, s, p)


@given(data=st.data())
def test_conv_tpd(new_frame, data):
    c, o, h, w, k, s, _ = data.draw(planes())
    most = (min((h - 1), (w - 1)) * s + k - 1) // 2
    p = data.draw(st.integers(0, most))
    x, weights = data.draw(items(c * h * w)), data.draw(items(c * o * k * k))
    result = run(new_frame, "CONV_TPD", (BLOCK, c, o, h, w, k, s, p), x, weights)
    assert result == reference.conv_tpd(x, weights, c, o, h, w, k, s, p)


@given(data=st.data())
def test_full_con(new_frame, data):
    c, h, w, o = data.draw(SMALL), data.draw(SIDE), data.draw(SIDE), data.draw(SIDE)
    x, weights = data.draw(items(c * h * w)), data.draw(items(o * c * h * w))
    assert run(new_frame, "FULL_CON", (BLOCK, c, h, w, o), x, weights) == reference.full_con(x, weights, o)


@given(data=st.data())
def test_mat_mul(new_frame, data):
    rows, inner, columns = data.draw(SIDE), data.draw(SIDE), data.draw(SIDE)
    a, b = data.draw(items(rows * inner)), data.draw(items(inner * columns))
    frame = new_frame()
    frame.fill([1, 2, 3])
    frame.put_words(5, [rows, inner, *a])
    frame.put_words(5001, [inner, columns, *b])
    frame.run("MAT_MUL", 5, 5001)
    assert frame.items() == reference.mat_mul(a, b, rows, inner, columns)


@given(data=st.data())
def test_pool_max_and_avg(new_frame, data):
    c, _, h, w, k, s, _ = data.draw(planes())
    k = min(k, h, w)
    x = data.draw(items(c * h * w))
    assert run(new_frame, "POOL_MAX", (c, h, w, k, s), x) == reference.pool_max(x, c, h, w, k, s)
    assert run(new_frame, "POOL_AVG", (c, h, w, k, s), x) == reference.pool_avg(x, c, h, w, k, s)


@given(data=st.data())
def test_pool_ol(new_frame, data):
    c, _, h, _, k, s, p = data.draw(planes())
    p = min(p, k - 1)
    k = min(k, h + 2 * p)
    p = min(p, k - 1)
    x = data.draw(items(c * h * h))
    assert run(new_frame, "POOL_OL", (c, h, k, s, p), x) == reference.pool_ol(x, c, h, k, s, p)


@settings(max_examples=30)
@given(data=st.data())
def test_every_exact_route_gives_the_same_items(data):
    c, o, h, w, k, s, p = data.draw(planes())
    random = data.draw(st.randoms(use_true_random=False))
    limit = data.draw(st.sampled_from([300, 3000]))
    buffer = Buffer([random.randrange(-limit, limit) for _ in range(c * h * w)])
    block = WeightBlock.of_integers([random.randrange(-300, 300) for _ in range(o * c * k * k)])
    outputs = (1, (h + 2 * p - k) // s + 1, (w + 2 * p - k) // s + 1)
    shape = Correlation(1, c, o, (1, h, w), (1, k, k), outputs, s, (0, p, p))
    routes = ("float64", "int64", "wide")
    if buffer.bound * block.bound * shape.terms < 1 << 24:
        routes = ("float32", *routes)
    results = [item_arrays.to_integers(correlate(buffer, block, shape, route)) for route in routes]
    assert all(a == b for a, b in pairwise(results))
    crop = min(p, (min(h - 1, w - 1) * s + k - 1) // 2)
    sides = ((h - 1) * s - 2 * crop + k, (w - 1) * s - 2 * crop + k)
    turned = Transposed(c, o, (h, w), k, sides, s, crop)
    results = [item_arrays.to_integers(transpose(buffer, block, turned, route)) for route in routes]
    assert all(a == b for a, b in pairwise(results))


@pytest.mark.parametrize("bits", [24, 31, 53, 63])
@pytest.mark.parametrize("platform", ["panels", "plain"])
def test_sums_at_the_limit_of_each_route_are_exact(new_frame, monkeypatch, platform, bits):
    # two terms that meet 2^bits - 1, 2^bits and 2^bits + 1 exactly
    monkeypatch.setenv(VARIABLE, platform)
    for step in (-1, 0, 1):
        for first in (1, (1 << (bits // 2)) - 1):
            x, weights = [1 << (bits - 1), 1], [1, (1 << (bits - 1)) + step]
            x2, weights2 = [first, 1], [-first, step]
            for items_, kernel in ((x, weights), (x2, weights2)):
                result = run(new_frame, "FULL_CON", (BLOCK, 2, 1, 1, 1), items_, kernel)
                assert result == reference.full_con(items_, kernel, 1)


@pytest.mark.parametrize(("bits", "route"), [(24, "float32"), (53, "float64"), (63, "int64")])
def test_a_route_is_left_at_the_first_bound_that_it_does_not_hold(bits, route):
    assert route_for((1 << bits) - 1) == route
    assert route_for(1 << bits) != route


@settings(max_examples=60)
@given(data=st.data())
def test_sums_just_below_2_to_the_24_are_exact_in_float32(data):
    # odd products of both signs, whose partial sums come as near to 2^24 as the bound lets them
    terms = data.draw(st.sampled_from([1, 2, 3, 7, 64, 257]))
    weight = data.draw(st.sampled_from([1, 3, 255, 4095]))
    item = ((1 << 24) - 1) // (terms * weight)
    assume(item > 0)
    item -= 1 - item % 2
    assume(item > 0)
    random = data.draw(st.randoms(use_true_random=False))
    sign = [random.choice([-1, 1]) if data.draw(st.booleans()) else 1 for _ in range(terms)]
    rows, columns = 3, 2
    x = [[item * s for s in sign], [item] * terms]
    kernels = [[weight] * terms, [-weight] * terms, [weight * s for s in sign]]
    expected = [sum(map(mul, kernel, cells)) for kernel in kernels for cells in x]
    first = Buffer([value for kernel in kernels for value in kernel])
    turned = Buffer([x[column][term] for term in range(terms) for column in range(columns)])
    assert route_for(first.bound * turned.bound * terms) == "float32"
    product = MatrixProduct(first, turned, rows, terms, columns)
    assert item_arrays.to_integers(multiply(product, "float32").astype(np.int64)) == expected
    block = WeightBlock.of_integers(first.to_integers())
    shape = convolution(terms, rows, 1, columns, 1, 1, 0)
    assert item_arrays.to_integers(correlate(turned, block, shape, "float32").astype(np.int64)) == expected


def test_a_stride_leaves_the_rest_of_the_map_out(new_frame):
    assert run(new_frame, "CONV_MUL", (BLOCK, 1, 1, 3, 3, 1, 2, 0), list(range(9)), [10]) == [0, 20, 60, 80]


def test_windows_that_meet_no_cell_sum_to_zero(new_frame):
    result = run(new_frame, "CONV_MUL", (BLOCK, 1, 1, 1, 1, 1, 1, 2), [5], [3])
    assert result == [0] * 12 + [15] + [0] * 12


def test_a_transposed_convolution_crops_beyond_the_kernel(new_frame):
    result = run(new_frame, "CONV_TPD", (BLOCK, 1, 1, 3, 3, 1, 2, 2), list(range(1, 10)), [7])
    assert result == [35]


def test_averages_of_items_that_were_large_and_are_small_now(frame):
    frame.fill([1 << 200, -5, 7, 9])
    frame.run("ACT_RL", 100)
    frame.run("POOL_AVG", 1, 2, 2, 2, 1)
    assert frame.items() == [29]


def test_averages_truncate_toward_zero(new_frame):
    assert run(new_frame, "POOL_AVG", (2, 1, 2, 1, 1), [-3, 3, -1, 1]) == [-3, 3, -1, 1]
    assert run(new_frame, "POOL_AVG", (1, 2, 2, 2, 1), [-1, -1, -1, 0]) == [0]
    top = item_arrays.ITEM_MAX
    assert run(new_frame, "POOL_AVG", (1, 2, 2, 2, 1), [top] * 4) == [top]


@pytest.mark.parametrize("stride", [1, 2, 5])
@pytest.mark.parametrize("padding", [0, 1, 3, 9])
def test_depthwise_with_much_padding(new_frame, stride, padding):
    # columns of the kernel that meet no cell at all
    x, weights = list(range(1, 7)), list(range(1, 17))
    k = min(4, 2 + 2 * padding)
    weights = weights[: k * k]
    result = run(new_frame, "CONV_SING", (BLOCK, 1, 1, 2, 3, k, stride, padding), x, weights)
    assert result == reference.conv_sing(x, weights, 1, 2, 3, k, stride, padding)


@settings(max_examples=30)
@given(data=st.data())
def test_dot_products_of_many_terms(new_frame, data):
    # rows of windows and of kernels beyond and below a tile, terms beyond a chunk
    n, o = data.draw(st.integers(1, 9)), data.draw(st.integers(1, 9))
    terms = data.draw(st.sampled_from([31, 32, 33, 64, 100]))
    limit = data.draw(st.sampled_from([100, 4000, 8190, 8192, 32767]))
    random = data.draw(st.randoms(use_true_random=False))
    x = [random.choice([-limit, limit, random.randint(-limit, limit)]) for _ in range(n * terms)]
    weights = [random.choice([-limit, limit, random.randint(-limit, limit)]) for _ in range(o * terms)]
    result = run(new_frame, "CONV_MUL", (BLOCK, terms, o, n, 1, 1, 1, 0), x, weights)
    assert result == reference.conv_mul(x, weights, terms, o, n, 1, 1, 1, 0)
