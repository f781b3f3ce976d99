"""The 8-bit route: it is taken only where it is exact, gives what Python's integers give, and no route shows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from smartvm.vm.dnn import Buffer, WeightBlock, reference
from smartvm.vm.dnn.items import channels_first, to_integers
from smartvm.vm.dnn.platforms import kernel_sets, panels
from smartvm.vm.dnn.platforms.deferred import PanelWork, work_for
from smartvm.vm.dnn.shapes import convolution, full_connection

KERNELS = kernel_sets.KERNELS
#: Shifted items that a set takes.
LEAST, GREATEST = (-128, 127) if KERNELS.signed_quads else (0, 255)
#: A shape that is worth the route.
LARGE = convolution(48, 64, 26, 26, 3, 1, 1)


def work_on_bytes(items, weights, shape):
    """The work on the 8-bit route, which must hold; the shape need not be worth it."""
    block = WeightBlock.of_integers(weights)
    ends = min(items), max(items)
    shift = panels.byte_shift(*ends, block.bound)
    assert shift is not None
    plan = panels.plan_of(shape, panels.BYTES)
    packed = panels.panels_of(block, plan)
    limbs = panels.limbs_for(packed.norm, max(-ends[0], ends[1]))
    return PanelWork(Buffer(items).stored, 1, shape, plan, packed, limbs, max(-ends[0], ends[1]), shift)


def results_of(work):
    return to_integers(channels_first(work.carry_out()[0], work.channels))


@pytest.mark.parametrize("kernels", kernel_sets.KERNEL_SETS, ids=lambda kernels: kernels.name)
def test_a_shift_keeps_items_and_two_products_within_what_the_set_holds(kernels, monkeypatch):
    monkeypatch.setattr(kernel_sets, "KERNELS", kernels)
    least, greatest = (-128, 127) if kernels.signed_quads else (0, 255)
    for weight in (0, 1, 62, 63, 64, 65, 127, 128):
        for low in range(-260, 261, 4):
            for high in (*range(low, 261, 13), low + 255, low + 256):
                shift = panels.byte_shift(low, high, weight)
                spread = max(high, 0) - min(low, 0)
                if shift is None:
                    assert spread > 255 or kernels.narrow_sums
                    continue
                shifted = [end + shift for end in (low, 0, high)]
                assert least <= min(shifted)
                assert max(shifted) <= greatest
                assert not kernels.narrow_sums or 2 * weight * max(map(abs, shifted)) < 1 << 15


@pytest.mark.parametrize(("low", "high", "weight"), [(0, 127, 128), (0, 128, 127), (-64, 63, 128), (-127, 127, 64)])
def test_items_of_quantised_models_are_within_it(low, high, weight):
    assert panels.byte_shift(low, high, weight) is not None


@given(data=st.data())
def test_sums_are_those_of_python_integers_up_to_every_boundary(data):
    channels, kernels = data.draw(st.integers(1, 9)), data.draw(st.integers(1, 2 * KERNELS.channels + 1))
    height, width = data.draw(st.integers(1, 7)), data.draw(st.integers(1, 7))
    kernel, stride, padding = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 2)), data.draw(st.integers(0, 1))
    if min(height, width) + 2 * padding < kernel:
        kernel = 1
    most = data.draw(st.sampled_from([1, 63, 64, 127]))
    # the widest items for such weights
    span = min(255, ((1 << 15) - 1) // (2 * most)) if KERNELS.narrow_sums else 255
    if KERNELS.narrow_sums and KERNELS.signed_quads:
        span = 2 * span
    low = -data.draw(st.sampled_from([0, 1, span // 2, span]))
    high = low + min(span, 255)
    random = np.random.default_rng(data.draw(st.integers(0, 1 << 32)))
    choose = [low, high, 0] if data.draw(st.booleans()) else range(low, high + 1)
    x = random.choice(list(choose), channels * height * width).tolist()
    x[0], x[-1] = low, high
    weights = random.choice([-most, most] if data.draw(st.booleans()) else range(-most, most + 1),
                            kernels * channels * kernel * kernel).tolist()  # fmt: skip
    shape = convolution(channels, kernels, height, width, kernel, stride, padding)
    if panels.byte_shift(min(x), max(x), most) is None or panels.plan_of(shape, panels.BYTES) is None:
        return
    expected = reference.conv_mul(x, weights, channels, kernels, height, width, kernel, stride, padding)
    assert results_of(work_on_bytes(x, weights, shape)) == expected
    work = work_on_bytes(x, weights, shape)
    bias = random.integers(-(10**6), 10**6, kernels).tolist()
    assert work.add_bias(WeightBlock.of_integers(bias))
    assert work.divide(7)
    assert work.rectify(100)
    sums = reference.buf_scl1(reference.buf_bias(expected, bias), 7)
    assert results_of(work) == reference.act_rl(sums, 100)


@pytest.mark.parametrize("count", [1, 3, 4, 5, 65_792])
def test_a_whole_map_of_the_most_terms_is_summed_exactly(count):
    random = np.random.default_rng(count)
    x = random.integers(LEAST // 2, 65, count)
    x[0] = 64
    weights = random.integers(-128, 128, (2, count))
    weights[1] = np.where(x < 0, -128, 127)
    work = work_on_bytes(x.tolist(), weights.reshape(-1).tolist(), full_connection(count, 1, 1, 2))
    assert results_of(work) == [int(row @ x) for row in weights.astype(np.int64)]


@pytest.mark.skipif(not KERNELS.bytes_pay, reason="the 16-bit route is the faster one here")
@pytest.mark.parametrize(("low", "high", "most"), [(0, 127, 127), (0, 255, 64), (-127, 127, 63)])
def test_the_route_is_taken_up_to_its_boundary_and_does_not_show(low, high, most):
    random = np.random.default_rng(1)
    weights = random.integers(-most, most + 1, LARGE.kernels * LARGE.terms)
    weights[0] = most
    for beyond in (0, 300):
        x = random.integers(low, high + 1, LARGE.inputs * 26 * 26)
        x[0], x[1] = low, high + beyond
        block = WeightBlock.of_array(weights)
        ends = int(x.min()), int(x.max())
        plan = panels.plan_for(block, LARGE, ends)
        assert plan.step == (panels.WORDS if beyond else panels.BYTES)
        found = results_of(work_for(Buffer.of_array(x).stored, 1, ends, block, LARGE))
        padded = np.zeros((LARGE.inputs, 28, 28))
        padded[:, 1:-1, 1:-1] = x.reshape(-1, 26, 26)
        windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (1, 2))
        expected = np.einsum("chwij,ocij->ohw", windows, weights.reshape(-1, LARGE.inputs, 3, 3), optimize=True)
        assert found == expected.reshape(-1).astype(int).tolist()


@pytest.mark.skipif(not KERNELS.bytes_pay, reason="the 16-bit route is the faster one here")
def test_weights_are_packed_once_while_items_stay_on_one_side_of_the_boundary():
    block = WeightBlock.of_array(np.resize(np.arange(-60, 61), LARGE.kernels * LARGE.terms))
    assert panels.plan_for(block, LARGE).step == panels.BYTES  # a guess, before items are known
    for ends, step in (((0, 127), panels.BYTES), ((0, 5000), panels.WORDS)):
        plan = panels.plan_for(block, LARGE, ends)
        assert plan.step == step
        packed = panels.panels_of(block, plan)
        again = panels.plan_for(block, LARGE)  # whoever prepares ahead keeps what is there
        assert panels.panels_of(block, again) is packed
