"""What the 16-bit route holds for: limbs, packed weights, and the bounds that decide."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from smartvm.vm.dnn import Buffer, WeightBlock, reference
from smartvm.vm.dnn.operations import Convolution
from smartvm.vm.dnn.platforms import panels
from smartvm.vm.dnn.platforms.dispatcher import execute
from smartvm.vm.dnn.platforms.reciprocals import reciprocal_of
from smartvm.vm.dnn.shapes import convolution, depthwise, full_connection


@given(norm=st.integers(1, 1 << 40), bound=st.integers(0, 1 << 40), bias=st.integers(0, 1 << 50), data=st.data())
def test_limbs_make_up_the_items_and_sum_within_32_bits(norm, bound, bias, data):
    limbs = panels.limbs_for(norm, bound, bias)
    if limbs is None or limbs.count == 1:
        assert limbs is None or (bound < 1 << 15 and norm * bound + bias < 1 << 31)
        return
    items = data.draw(st.lists(st.integers(-bound, bound), min_size=1, max_size=5))
    rows = panels.cut(np.array([*items, bound, -bound]), limbs)
    assert norm * int(np.abs(rows.astype(np.int64)).max()) < 1 << 31
    sums = sum(row.astype(np.int64) << (limbs.bits * i) for i, row in enumerate(rows))
    assert sums.tolist() == [*items, bound, -bound]
    assert norm * bound + bias < 1 << 51


@given(a=st.integers(-(1 << 31), (1 << 31) - 1), divisor=st.integers(1, 1 << 31))
def test_a_product_with_the_reciprocal_truncates_exactly(a, divisor):
    for value in (a, a - a % divisor, a - a % divisor - 1):
        if -(1 << 31) <= value < 1 << 31:
            assert int(float(value) * reciprocal_of(divisor)) == reference.buf_scl1([value], divisor)[0]


@pytest.mark.parametrize("width", [1, 2])
@pytest.mark.parametrize("kernels", [1, 15, 16, 17, 40])
def test_packing_finds_the_extremes_and_the_largest_sum_of_magnitudes(width, kernels):
    random = np.random.default_rng(kernels)
    limit = 1 << (8 * width - 1)
    weights = random.integers(-limit, limit, (kernels, 3, 2, 2))
    weights[0, 0, 0] = -limit, limit - 1
    block = WeightBlock.of_array(weights.reshape(-1))
    plan = panels.plan_of(convolution(3, kernels, 5, 5, 2, 1, 0))
    packed = panels.panels_of(block, plan)
    assert block.extremes == (-limit, limit - 1)
    assert packed.norm == np.abs(weights).reshape(kernels, -1).sum(axis=1).max()
    assert panels.panels_of(block, plan) is packed


@pytest.mark.parametrize(("x", "weights"), [([127, -128], [1, 1]), ([300, -7], [1, 0]), ([30_000, 9], [9, 1])])
def test_results_are_kept_in_the_narrowest_type_of_16_bits_or_more(x, weights):
    buffer = Buffer(x)
    execute(buffer, Convolution(WeightBlock.of_integers(weights), full_connection(2, 1, 1, 1)))
    (result,) = reference.full_con(x, weights, 1)
    assert buffer.to_integers() == [result]
    assert buffer.array.dtype == (np.int16 if abs(result) < 1 << 15 else np.int32)


@pytest.mark.parametrize("sizes", [(1, 1, 1, 1, 1, 1, (1 << 32) - 1), (1, 1, 1, 1, 1, (1 << 32) - 1, 1 << 31)])
def test_shapes_beyond_what_kernels_count_with_have_no_plan_or_a_small_one(sizes):
    for make in (convolution, lambda c, _, *rest: depthwise(c, *rest)):
        plan = panels.plan_of(make(*sizes))
        assert plan is None or max(plan.window) < 1 << 62
