"""Instructions in a row, whose items nobody looks at in between: results and gas are those of single ones."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smartvm.vm.dnn import KERNELS, reference

WEIGHTS, BIAS = 7, 8
#: Bits of the items drawn: on both sides of what one pass over 16-bit items sums exactly.
BITS = st.sampled_from([3, 7, 11, 15, 17, 24, 31, 63, 255])


def drawn_items(draw, count, bits):
    limit = 1 << bits
    if draw(st.booleans()):
        return draw(st.lists(st.sampled_from([-limit, limit - 1, 0]), min_size=count, max_size=count))
    random = draw(st.randoms(use_true_random=False))
    return [random.randrange(-limit, limit) for _ in range(count)]


@st.composite
def layers(draw):
    """A convolution and what follows it: (name, operands, blocks), and the map."""
    depthwise = draw(st.booleans())
    c = draw(st.sampled_from([1, 3, 16, 17, 32, 35])) if depthwise else draw(st.integers(1, 5))
    o = c if depthwise else draw(st.sampled_from([1, 5, 16, 17, 33]))
    h, w, k, s = (draw(st.integers(1, most)) for most in (8, 8, 3, 3))
    p = draw(st.integers(0, 2))
    while min(h, w) + 2 * p < k:
        p += 1
    x = drawn_items(draw, c * h * w, draw(BITS))
    weights = drawn_items(draw, (c if depthwise else o * c) * k * k, draw(BITS))
    name = "CONV_SING" if depthwise else "CONV_MUL"
    outputs = reference.output_side(h, k, s, p), reference.output_side(w, k, s, p)
    steps = [(name, (WEIGHTS, c, o, h, w, k, s, p), weights)]
    for _ in range(draw(st.integers(0, 4))):
        step = draw(st.sampled_from(["BUF_BIAS", "BUF_SCL1", "ACT_RL", "BUF_SCL0", "POOL_MAX", "POOL_AVG"]))
        if step == "BUF_BIAS":
            count = draw(st.sampled_from([o, 1]))
            steps.append((step, (BIAS,), drawn_items(draw, count, draw(BITS))))
        elif step == "ACT_RL":
            steps.append((step, (draw(st.sampled_from([0, 1, 6000, 1 << 40])),), None))
        elif step.startswith("BUF_SCL"):
            steps.append((step, (draw(st.sampled_from([0, 1, 3, 1000, 1 << 20, 1 << 200, -7])),), None))
        else:
            steps.append((step, (o, *outputs, 1, 1), None))
    return x, steps


def expected(x, name, operands, block):
    if name == "CONV_MUL":
        return reference.conv_mul(x, block, *operands[1:])
    if name == "CONV_SING":
        return reference.conv_sing(x, block, operands[1], *operands[3:])
    if name == "BUF_BIAS":
        return reference.buf_bias(x, block)
    return getattr(reference, name.lower())(x, *operands)


@settings(max_examples=150)
@given(case=layers())
def test_rows_of_instructions_give_the_items_of_single_ones(new_frame, case):
    x, steps = case
    in_a_row, one_by_one = new_frame(), new_frame()
    in_a_row.fill(x)
    one_by_one.fill(x)
    for name, operands, block in steps:
        x = expected(x, name, operands, block)
        for frame in (in_a_row, one_by_one):
            if block is not None:
                frame.put_block(operands[0], block)
            frame.operands = tuple(operand % (1 << 256) for operand in operands)
            frame.gas_rule = frame.table.gas(frame.table.by_name[name], "osaka")
            KERNELS[name](frame)
        assert one_by_one.items() == x
    assert in_a_row.buffer.extremes == one_by_one.buffer.extremes
    assert in_a_row.items() == x
    assert in_a_row.gas.remaining == one_by_one.gas.remaining


@settings(max_examples=40)
@given(data=st.data())
def test_two_maps_add_whatever_order_they_are_kept_in(new_frame, data):
    c, h = data.draw(st.integers(2, 4)), data.draw(st.integers(1, 4))
    bits = data.draw(BITS)
    x, weights = drawn_items(data.draw, c * h * h, bits), drawn_items(data.draw, c * c, 3)
    convolved = data.draw(st.sampled_from(["saved", "both", "Buffer"]))
    name = data.draw(st.sampled_from(["BUF_ADD", "BUF_MUL"]))
    frame = new_frame()
    frame.fill(x)
    frame.put_block(WEIGHTS, weights)
    convolution = ("CONV_MUL", WEIGHTS, c, c, h, h, 1, 1, 0)
    through = reference.conv_mul(x, weights, c, c, h, h, 1, 1, 0)
    if convolved == "Buffer":
        frame.run("BUF_COPY", 0, c * h * h)
        frame.run(*convolution)
        first, second = through, x
    else:
        frame.run(*convolution)
        frame.run("BUF_COPY", 0, c * h * h)
        first, second = through, through
        if convolved == "both":
            frame.run(*convolution)
            first = reference.conv_mul(through, weights, c, c, h, h, 1, 1, 0)
        else:
            frame.fill(x)
            first = x
    frame.run(name)
    assert frame.items() == getattr(reference, name.lower())(first, second)


@pytest.mark.parametrize("limit", [(1 << 31) - 1, 1 << 31])
@pytest.mark.parametrize("sign", [1, -1])
def test_sums_and_bias_at_the_limit_of_32_bits(new_frame, limit, sign):
    # 32767 * 32767 * 2 + 131070 - 32768 = 2^31 - 2 - 32767 ...: the bias reaches the limit exactly
    x, weights = [32767, 32767], [sign * 32767, sign * 32767]
    frame = new_frame()
    frame.fill(x)
    frame.put_block(WEIGHTS, weights)
    frame.put_block(BIAS, [sign * (limit - 2 * 32767**2)])
    for name, operand in (("FULL_CON", (WEIGHTS, 2, 1, 1, 1)), ("BUF_BIAS", (BIAS,)), ("BUF_SCL1", (1,))):
        frame.operands = operand
        frame.gas_rule = frame.table.gas(frame.table.by_name[name], "osaka")
        KERNELS[name](frame)
    assert frame.items() == [sign * limit]


@pytest.mark.parametrize("divisor", [1, 2, 3, 7, 999, 1000, 1001, 65535, (1 << 31) - 1, 1 << 31])
def test_sums_are_divided_exactly(new_frame, divisor):
    edges = [m * divisor + d for m in (0, 1, 2, (1 << 30) // divisor) for d in (-1, 0, 1)]
    sums = [sign * value for value in edges for sign in (1, -1) if abs(value) < 1 << 31]
    for total in sums:
        frame = new_frame()
        frame.fill([total >> 16, total & 0x7FFF, (total >> 15) & 1])
        frame.put_block(WEIGHTS, [1 << 14, 1, 1 << 14, 0, 0, 0])
        frame.put_block(BIAS, [total - ((total >> 16) << 14) - (total & 0x7FFF) - (((total >> 15) & 1) << 14), 0])
        for name, operand in (("FULL_CON", (WEIGHTS, 3, 1, 1, 2)), ("BUF_BIAS", (BIAS,)), ("BUF_SCL1", (divisor,))):
            frame.operands = operand
            frame.gas_rule = frame.table.gas(frame.table.by_name[name], "osaka")
            KERNELS[name](frame)
        assert frame.items() == reference.buf_scl1([total, 0], divisor)
