"""Each platform gives the same items for the same gas, whichever is forced."""

from __future__ import annotations

import random

import pytest
from smartvm.errors import SmartVMError
from smartvm.vm.dnn import KERNELS, reference
from smartvm.vm.dnn.platforms.dispatcher import PLATFORMS, VARIABLE, Plain
from smartvm.vm.dnn.shapes import shape_of

WEIGHTS, BIAS = 7, 8
NAMES = [platform.name for platform in PLATFORMS]


def layer(frame, name, operands, *following):
    for step, arguments in ((name, operands), *following):
        frame.operands = arguments
        frame.gas_rule = frame.table.gas(frame.table.by_name[step], "osaka")
        KERNELS[step](frame)
    return frame.items(), frame.gas.remaining


# one pass over 16-bit items; several over limbs; float64; 64-bit integers; 256 bits
@pytest.mark.parametrize("bits", [8, 13, 17, 24, 29, 31, 47, 62, 254])
def test_every_platform_gives_the_same_items_for_the_same_gas(new_frame, monkeypatch, bits):
    numbers = random.Random(bits)
    x = [numbers.randrange(-(1 << bits), 1 << bits) for _ in range(3 * 6 * 5)]
    weights = [numbers.randrange(-3000, 3000) for _ in range(17 * 3 * 9)]
    bias = [numbers.randrange(-(10**6), 10**6) for _ in range(17)]
    found = []
    for platform in NAMES:
        monkeypatch.setenv(VARIABLE, platform)
        frame = new_frame()
        frame.fill(x)
        frame.put_block(WEIGHTS, weights)
        frame.put_block(BIAS, bias)
        following = ("BUF_BIAS", (BIAS,)), ("BUF_SCL1", (1000,)), ("ACT_RL", (0,))
        found.append(layer(frame, "CONV_MUL", (WEIGHTS, 3, 17, 6, 5, 3, 1, 1), *following))
    sums = reference.buf_bias(reference.conv_mul(x, weights, 3, 17, 6, 5, 3, 1, 1), bias)
    assert found[0][0] == reference.act_rl(reference.buf_scl1(sums, 1000), 0)
    assert all(result == found[0] for result in found)


def test_an_unknown_platform_is_refused(new_frame, monkeypatch):
    monkeypatch.setenv(VARIABLE, "abacus")
    frame = new_frame()
    frame.fill([1])
    frame.put_block(WEIGHTS, [2])
    with pytest.raises(SmartVMError, match="`abacus`, which is no platform"):
        layer(frame, "FULL_CON", (WEIGHTS, 1, 1, 1, 1))


def test_a_platform_of_ones_own_is_asked_first(new_frame, monkeypatch):
    class Counting(Plain):
        name = "counting"
        loaded = 0

        def load_block(self, block, shape, ends=None):
            Counting.loaded += shape.kernels == 2
            return True

    monkeypatch.setattr("smartvm.vm.dnn.platforms.dispatcher.PLATFORMS", (Counting(), *PLATFORMS))
    frame = new_frame()
    frame.fill([3, 4])
    frame.put_block(WEIGHTS, [1, 2, 3, 5])
    assert layer(frame, "FULL_CON", (WEIGHTS, 2, 1, 1, 2))[0] == [11, 29]
    assert Counting.loaded == 1


def test_only_what_fits_its_map_is_a_shape():
    assert shape_of("CONV_MUL", (1, 2, 3, 4, 4, 5, 1, 0)) is None
    assert shape_of("CONV_SING", (1, 2, 3, 4, 4, 1, 1, 0)) is None
    assert shape_of("CONV_MUL", (1, 2, 3, 4, 4, 5, 0, 1)) is None
    assert shape_of("FULL_CON", (1, 2, 1 << 32, 4, 4)) is None
    assert shape_of("POOL_MAX", (2, 4, 4, 2, 2)) is None
    assert shape_of("CONV_MUL", (1, 2, 3, 4, 4, 3, 1, 1)).outputs == (1, 4, 4)
