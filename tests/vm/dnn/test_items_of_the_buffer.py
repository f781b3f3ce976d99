"""Item-wise instructions and those that move items, against their twins."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from smartvm.vm.dnn import Buffer, reference
from smartvm.vm.dnn import items as item_arrays

EDGES = [0, 1, -1, 1000, -1000, item_arrays.ITEM_MIN, item_arrays.ITEM_MAX]
EDGES += [
    sign * ((1 << bits) + step)
    for bits in (15, 31, 51, 53, 63, 64, 128)
    for sign in (1, -1)
    for step in (-1, 0)
]
VALUE = st.sampled_from(EDGES) | st.integers(-(1 << 14), 1 << 14) | st.integers(-(1 << 62), 1 << 62)
ITEMS = st.lists(VALUE, max_size=10)


@given(x=ITEMS, v=VALUE)
def test_scaling(new_frame, x, v):
    for name, twin in (("BUF_SCL0", reference.buf_scl0), ("BUF_SCL1", reference.buf_scl1)):
        frame = new_frame()
        frame.fill(x)
        frame.run(name, v)
        assert frame.items() == twin(x, v)


@given(x=st.lists(st.integers(-(1 << 51), 1 << 51), max_size=20), v=st.integers(-(1 << 51), 1 << 51))
def test_quotients_below_2_to_the_51_truncate_exactly(new_frame, x, v):
    x = [*x, *(v * q + r for q in (-3, 2, 1000) for r in (-1, 0, 1) if abs(v * q) < 1 << 50)]
    frame = new_frame()
    frame.fill(x)
    frame.run("BUF_SCL1", v)
    assert frame.items() == reference.buf_scl1(x, v)


@given(x=ITEMS, cap=VALUE.filter(lambda v: v >= 0))
def test_rectifier(new_frame, x, cap):
    frame = new_frame()
    frame.fill(x)
    frame.run("ACT_RL", cap)
    assert frame.items() == reference.act_rl(x, cap)


@given(maps=st.integers(1, 3), span=st.integers(0, 3), data=st.data())
def test_bias(new_frame, maps, span, data):
    x = data.draw(st.lists(VALUE, min_size=maps * span, max_size=maps * span))
    bias = data.draw(st.lists(VALUE, min_size=maps, max_size=maps))
    frame = new_frame()
    frame.fill(x)
    frame.put_block(1, bias)
    frame.run("BUF_BIAS", 1)
    assert frame.items() == (reference.buf_bias(x, bias) if x else [])


@given(pairs=st.lists(st.tuples(VALUE, VALUE), max_size=8))
def test_adding_and_multiplying_the_saved_buffer(new_frame, pairs):
    saved, x = [a for a, _ in pairs], [b for _, b in pairs]
    for name, twin in (("BUF_ADD", reference.buf_add), ("BUF_MUL", reference.buf_mul)):
        frame = new_frame()
        frame.fill(saved)
        frame.run("BUF_COPY", 0, len(saved))
        frame.fill(x)
        frame.run(name)
        assert frame.items() == twin(x, saved)
        assert frame.saved_buffers == []


@given(x=ITEMS, offset=st.integers(0, 70))
def test_words_between_memory_and_buffer(new_frame, x, offset):
    frame = new_frame()
    frame.fill([5])
    frame.put_words(offset, x)
    frame.run("MTOB", offset, len(x))
    assert frame.items() == [5, *x]
    frame.run("BTOM", 3000, len(x) + 1)
    words = frame.memory.read(3000, 32 * len(x) + 32)
    assert words == b"".join((item % (1 << 256)).to_bytes(32, "big") for item in [5, *x])
    assert frame.items() == [5, *x]


@given(data=st.data(), width=st.integers(1, 32))
def test_packed_items_between_memory_and_buffer(new_frame, data, width):
    limit = 1 << (8 * width - 1)
    x = data.draw(st.lists(st.integers(-limit, limit - 1), max_size=6))
    packed = b"".join(item.to_bytes(width, "big", signed=True) for item in x)
    frame = new_frame()
    frame.memory.write(3, packed)
    frame.run("MTOB_PACK", 3, len(x), width)
    assert frame.items() == x
    frame.run("BTOM_PACK", 1001, len(x), width)
    assert frame.memory.read(1001, len(packed)) == packed


@given(x=st.lists(VALUE, min_size=1, max_size=6), data=st.data())
def test_items_to_the_stack_and_to_a_block(new_frame, x, data):
    frame = new_frame()
    frame.fill(x)
    start = data.draw(st.integers(0, len(x)))
    size = data.draw(st.integers(0, len(x) - start))
    pushed = frame.run("BTOS0", start, size)
    assert pushed == tuple(item % (1 << 256) for item in x[start : start + size])
    count = data.draw(st.integers(1, len(x)))
    frame.run("BTOS1", 9, count)
    assert frame.blocks.stored[9].to_integers() == x[:count]
    frame.run("BTOS1", 9, 0)
    assert 9 not in frame.blocks.stored


def test_zeros_come_and_go(frame):
    frame.run("BUF_INIT", 3)
    assert frame.items() == [0, 0, 0]
    frame.run("BUF_FIL", -7)
    frame.run("BUF_ALLO", 2)
    assert frame.items() == [-7, -7, -7, 0, 0]
    frame.run("BUF_CLS", 2)
    assert frame.items() == [0, 0, -7, 0, 0]
    frame.run("BUF_FREE", 3)
    assert frame.items() == [0, 0]
    assert frame.run("BUF_SIZE") == 2
    frame.run("BUF_INIT", 0)
    assert frame.run("BUF_SIZE") == 0


@pytest.mark.parametrize("value", [0, 1, -1, 1 << 40, item_arrays.ITEM_MIN, item_arrays.ITEM_MAX])
def test_filling_holds_any_value(frame, value):
    frame.run("BUF_INIT", 4)
    frame.run("BUF_FIL", value)
    assert frame.items() == [value] * 4


def test_saved_buffers_are_a_stack(frame):
    frame.fill([1, 2, 3])
    frame.run("BUF_COPY", 0, 2)
    frame.run("BUF_COPY", 2, 3)
    frame.run("BUF_SWAP")
    assert frame.items() == [3]
    frame.run("BUF_CAT")
    assert frame.items() == [1, 2, 3, 3]
    frame.run("BUF_CAT")
    assert frame.items() == [1, 2, 1, 2, 3, 3]


def test_instructions_on_empty_buffers_do_nothing(frame):
    frame.put_block(1, [4, 5])
    for name, operands in {
        "ACT_SM0": (10,),
        "ACT_SM1": (10,),
        "ACT_TANH": (10,),
        "ACT_RL": (0,),
        "BUF_SCL0": (2,),
        "BUF_SCL1": (0,),
        "BUF_BIAS": (1,),
        "BUF_CLS": (0,),
        "BUF_FIL": (3,),
        "BUF_FREE": (0,),
        "BTOM": (1 << 255, 0),
        "MTOB": (1 << 255, 0),
        "MTOB_PACK": (1 << 255, 0, 4),
        "BTOM_PACK": (1 << 255, 0, 4),
        "BUF_COPY": (0, 0),
        "BUF_ADD": (),
    }.items():
        frame.run(name, *operands)
        assert frame.items() == []
    assert frame.memory.size == 0


def test_room_behind_the_items_is_kept_and_a_limit_holds_until_items_are_seen():
    store = np.arange(10, dtype=np.int64)
    buffer = Buffer()
    buffer.hold_first(store, 6, 1, 100)
    assert (len(buffer), buffer.limit) == (6, 100)
    buffer.append(np.array([300, -400]))
    assert buffer.backing is store
    assert (buffer.to_integers(), buffer.limit) == ([0, 1, 2, 3, 4, 5, 300, -400], 400)
    buffer.drop_last(2)
    assert buffer.limit == 400
    assert buffer.extremes == (0, 5)
    assert buffer.limit == buffer.bound == 5
    buffer.clear_first(6)
    assert buffer.limit == 5
    assert buffer.bound == 0
