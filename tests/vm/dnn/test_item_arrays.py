"""Item arrays: every item survives every representation, and types are the narrowest."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from smartvm.errors import SmartVMError
from smartvm.vm.dnn import Buffer, WeightBlock
from smartvm.vm.dnn import items as item_arrays

ITEM = st.integers(item_arrays.ITEM_MIN, item_arrays.ITEM_MAX)
EDGES = [0, 1, -1] + [
    sign * (1 << bits) + step for bits in (7, 15, 31, 63, 127) for sign in (1, -1) for step in (-1, 0)
]
ITEMS = st.lists(ITEM | st.sampled_from([*EDGES, item_arrays.ITEM_MIN, item_arrays.ITEM_MAX]), max_size=12)


@given(ITEMS)
def test_items_survive_the_array(items):
    array = item_arrays.from_integers(items)
    assert item_arrays.to_integers(array) == items
    assert item_arrays.to_integers(item_arrays.widen(array)) == items
    assert item_arrays.extremes(array) == ((min(items), max(items)) if items else (0, 0))


@given(ITEMS, st.integers(1, 32))
def test_packed_items_are_big_endian_twos_complement(items, width):
    low, high = (min(items), max(items)) if items else (0, 0)
    if not item_arrays.fits_width(low, high, width):
        items = [item % (1 << (8 * width)) for item in items]
        items = [item - (1 << (8 * width)) if item >> (8 * width - 1) else item for item in items]
    packed = b"".join(item.to_bytes(width, "big", signed=True) for item in items)
    assert item_arrays.to_big_endian(item_arrays.from_integers(items), width) == packed
    assert item_arrays.to_integers(item_arrays.from_big_endian(packed, width)) == items


@given(ITEMS, st.integers(0, 1 << 60))
def test_clamping_keeps_what_is_inside(items, limit):
    clamped = item_arrays.clamped_to_int64(item_arrays.widen(item_arrays.from_integers(items)), limit)
    assert clamped.tolist() == [max(-limit, min(limit, item)) for item in items]


@given(st.lists(ITEMS, max_size=4))
def test_a_buffer_is_what_was_appended(parts):
    buffer = Buffer()
    for part in parts:
        buffer.append(item_arrays.from_integers(part))
    expected = [item for part in parts for item in part]
    assert buffer.to_integers() == expected
    assert buffer.extremes == ((min(expected), max(expected)) if expected else (0, 0))


@pytest.mark.parametrize(
    ("items", "dtype"),
    [([1, -128], np.int8), ([128], np.int16), ([1 << 15], np.int32), ([-(1 << 63)], np.int64)],
)
def test_a_buffer_holds_the_narrowest_type(items, dtype):
    buffer = Buffer()
    buffer.append(item_arrays.from_integers(items).astype(np.int64))
    assert buffer.array.dtype == dtype


def test_copies_do_not_share_items():
    buffer = Buffer([1, 2, 3])
    copy = buffer.copy_of(0, 2)
    buffer.clear_first(2)
    assert copy.to_integers() == [1, 2]
    assert buffer.to_integers() == [0, 0, 3]


@given(ITEMS.filter(bool))
def test_a_block_is_stored_at_the_narrowest_width(items):
    block = WeightBlock.of_integers(items)
    width = next(
        w for w in (1, 2, 4, 8, 16, 32) if all(-(1 << (8 * w - 1)) <= i < 1 << (8 * w - 1) for i in items)
    )
    packed = b"".join(item.to_bytes(width, "big", signed=True) for item in items)
    assert block.encoded == bytes([width]) + packed
    assert WeightBlock.decode(block.encoded) == block
    assert block.to_integers() == items
    assert block.bound == max(abs(item) for item in items)


@pytest.mark.parametrize("encoded", ["", "00", "01", "03010203", "020102ff", "020001", "ff01"])
def test_decoding_refuses_what_encodes_no_block(encoded):
    with pytest.raises(SmartVMError):
        WeightBlock.decode(bytes.fromhex(encoded))
