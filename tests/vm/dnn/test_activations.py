"""Softmax, sigmoid and tanh are correctly rounded: against mpmath, exhaustively at small scales."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smartvm.vm.dnn import Buffer, reference
from smartvm.vm.dnn import items as item_arrays
from smartvm.vm.dnn.compiling.machine_code import activation_float, activation_pairs
from smartvm.vm.dnn.platforms import activated
from smartvm.vm.dnn.rounding import activation_exact
from smartvm.vm.dnn.rounding.activation_limits import PAIRS_ARGUMENT_LIMIT

TOP = item_arrays.ITEM_MAX
SCALE = st.sampled_from([1, 2, 3, 10, 255, 1000, 10_000, 1 << 14, (1 << 15) + 1, 1 << 16])
WIDE_SCALE = st.sampled_from([(1 << 16) + 1, 10**6, 1 << 20, 1 << 40, (1 << 47) - 1, 1 << 48, 10**18, 1 << 254, TOP])


@st.composite
def scale_and_items(draw, scales=SCALE):
    v = draw(scales)
    reach = draw(st.sampled_from([3, 12, v, 4 * v, 45 * v, 1000 * v]))
    inside = st.integers(-min(reach, TOP), min(reach, TOP))
    items = draw(st.lists(inside | st.sampled_from([TOP, -TOP - 1, v, -v]), min_size=1, max_size=6))
    return v, items


def results(name, items, v):
    return item_arrays.to_integers(getattr(activated, name)(Buffer(items), v))


@pytest.mark.parametrize("v", [1, 2, 3, 4, 5, 7, 8, 16, 50, 127])
def test_every_item_at_small_scales(v):
    items = list(range(-14 * v, 14 * v + 1))
    assert results("sigmoid", items, v) == reference.act_sm1(items, v)
    assert results("hyperbolic_tangent", items, v) == reference.act_tanh(items, v)


@settings(max_examples=60)
@given(case=scale_and_items())
def test_small_scales(case):
    v, items = case
    assert results("sigmoid", items, v) == reference.act_sm1(items, v)
    assert results("hyperbolic_tangent", items, v) == reference.act_tanh(items, v)
    assert results("softmax", items, v) == reference.act_sm0(items, v)


@settings(max_examples=60)
@given(case=scale_and_items(WIDE_SCALE))
def test_scales_that_need_more_precision(case):
    v, items = case
    assert results("sigmoid", items, v) == reference.act_sm1(items, v)
    assert results("hyperbolic_tangent", items, v) == reference.act_tanh(items, v)
    assert results("softmax", items, v) == reference.act_sm0(items, v)


@given(v=SCALE | WIDE_SCALE, n=st.integers(1, 9))
def test_equal_items_share_the_scale_with_ties_to_even(v, n):
    share, rest = divmod(v, n)
    if 2 * rest > n or (2 * rest == n and share & 1):
        share += 1
    assert results("softmax", [-5] * n, v) == [share] * n


@pytest.mark.parametrize("v", [1, 3, 7, 1001, 65535, (1 << 40) + 1, TOP])
def test_a_far_smaller_item_decides_the_tie_downward(v):
    # two greatest items share slightly less than v / 2, whose fraction is a half
    far = [TOP, TOP, -TOP]
    if v.bit_length() > 240:
        far = [0, 0, -TOP - 1]  # at most e^-1 away: no tie at all
        assert results("softmax", far, v) == reference.act_sm0(far, v)
    else:
        assert results("softmax", far, v) == [v // 2, v // 2, 0]


@pytest.mark.parametrize("v", [1, 2, 5, 1000, 1 << 60, TOP])
def test_sigmoid_of_zero_is_half_the_scale_to_even(v):
    assert results("sigmoid", [0], v) == [v // 2 + (v & (v >> 1) & 1)]


@pytest.mark.parametrize("v", [4, 5, 1 << 16, (1 << 16) - 1, 1 << 17, 1 << 200, TOP])
def test_near_ties_by_construction(v):
    # v/2 + x/4 is a half-integer where 2v + x = 2 (mod 4); the cube term alone decides
    items = [x for x in range(-40, 41) if (2 * v + x) % 4 == 2]
    assert results("sigmoid", items, v) == reference.act_sm1(items, v)


@pytest.mark.parametrize("v", [1, 1000, 1 << 16, 1 << 100])
def test_saturation(v):
    items = [TOP, -TOP - 1, 400 * v, -400 * v]
    assert results("sigmoid", items, v) == [v, 0, v, 0]
    assert results("hyperbolic_tangent", items, v) == [v, -v, v, -v]
    assert results("softmax", items, v) == [v, 0, 0, 0]


def test_the_exponential_keeps_its_bound():
    arguments = np.concatenate([-np.linspace(0, 60, 20_000), -np.logspace(-18, 0, 2_000)])
    worst = 0.0
    with mpmath.workprec(120):
        for t in arguments.tolist():
            true = mpmath.exp(mpmath.mpf(t))
            worst = max(worst, float(abs(mpmath.mpf(activation_float._exponential(t)) - true) / true))
    assert worst < 2.0**-51


@given(case=scale_and_items(), seed=st.integers(0, 2**32 - 1))
def test_the_fast_and_the_exact_way_agree(case, seed):
    v, _ = case
    random = np.random.default_rng(seed)
    items = random.integers(-20 * v, 20 * v + 1, 50).tolist()
    assert results("sigmoid", items, v) == [activation_exact.sigmoid(x, v) for x in items]
    assert results("hyperbolic_tangent", items, v) == [activation_exact.hyperbolic_tangent(x, v) for x in items]
    exact = activation_exact.softmax(items, v)
    assert results("softmax", items, v) == [exact[x] for x in items]


@given(case=scale_and_items())
def test_pairs_decide_as_the_exact_way_does(case):
    v, items = case
    items = [max(-200 * v, min(200 * v, x)) for x in items]
    if len(set(items)) == 1:
        items.append(items[0] - 1)
    limit = (PAIRS_ARGUMENT_LIMIT + 1) * v
    distances = np.array([min(max(items) - x, limit) for x in items])
    out, undecided = np.empty(len(items), np.int64), np.empty(len(items), np.int64)
    remaining = activation_pairs.softmax(distances, float(v), out, undecided)
    exact = activation_exact.softmax(items, v)
    assert remaining == 0
    assert out.tolist() == [exact[x] for x in items]


def test_a_share_whose_fraction_is_near_a_half_by_chance_is_no_tie():
    distances, v = np.array([255, 0, 0]), 255
    out, undecided = np.empty(3, np.int64), np.empty(3, np.int64)
    assert activation_pairs.softmax(distances, float(v), out, undecided) == 0
    assert out.tolist() == reference.act_sm0([0, 255, 255], v)


@pytest.mark.parametrize(("name", "v", "x"), [("sigmoid", 65271, 768856), ("hyperbolic_tangent", 65033, 5559)])
def test_an_item_that_float64_cannot_decide_is_decided_once_however_often_it_stands_there(monkeypatch, name, v, x):
    exact = getattr(activation_exact, name)
    calls = []
    monkeypatch.setattr(activation_exact, name, lambda *item: calls.append(item) or exact(*item))
    assert results(name, [x, 0, x, x], v) == [exact(x, v), exact(0, v), exact(x, v), exact(x, v)]
    assert calls == [(x, v)]
