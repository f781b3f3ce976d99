"""Decoded blocks: read in parts, held once, kept within a limit of bytes."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from smartvm.vm.dnn.weights.block_cache import BlockCache
from smartvm.vm.dnn.weights.blocks import WeightBlock
from smartvm.vm.state.blocks import PART_BYTES, HeldBlock


def block_of(count: int, value: int = 300) -> WeightBlock:
    return WeightBlock.of_array(np.full(count, value, np.int64))


@pytest.mark.parametrize("limit", [1, 100, 2**15, 2**31, 2**63, 2**127, 2**255])
def test_items_are_read_in_ranges(limit: int) -> None:
    items = [(-1) ** k * (limit - 1 - k) if limit > k + 1 else k - limit for k in range(500)]
    block = WeightBlock.of_integers(items)
    again = WeightBlock(block.entry)
    assert [int(v) for v in WeightBlock.of_integers(items).to_integers()] == items
    assert WeightBlock.of_array(again.items(7, 200)).to_integers() == items[7:200]
    assert again.extremes == (min(items), max(items))
    assert again.to_integers() == items
    assert WeightBlock.decode(block.encoded) == block


def test_block_of_many_parts_is_the_same_as_in_one() -> None:
    values = np.random.default_rng(5).integers(-30000, 30000, PART_BYTES + 7).astype(np.int16)
    block = WeightBlock(HeldBlock(WeightBlock.of_array(values).encoded))
    assert (block.array == values).all()
    assert block.extremes == (values.min(), values.max())


def test_a_kept_layout_takes_the_arrays_place() -> None:
    block = block_of(1000)
    assert block.held_bytes == 2001
    array = block.array
    assert block.held_bytes == 2001 + 2000
    block.keep("rows", np.zeros((10, 128), np.int16))
    assert block.held_bytes == 2001 + 2560
    assert (block.array == array).all()
    assert block.held_bytes == 2001 + 2560 + 2000  # asked for beside the layout: kept from now on
    block.keep("others", (np.zeros(500, np.int16), 7, [np.zeros(5, np.int64)]))
    assert block.held_bytes == 2001 + 2000 + 1000 + 40


def test_a_layout_that_is_a_view_is_counted_once() -> None:
    block = block_of(1000)
    block.keep("matrix", block.array.reshape(10, 100))
    assert block.held_bytes == 2001 + 2000
    assert block.prepared("matrix") is not None


def test_least_recently_used_blocks_go_first() -> None:
    cache = BlockCache(limit=3 * 2001 + 3 * 2000)
    entries = [block_of(1000, 300 + k).entry for k in range(4)]
    for entry in entries[:3]:
        assert cache.block(entry).array[0] in (300, 301, 302)
    assert cache.held_bytes == 3 * 4001
    cache.block(entries[0])
    kept = cache.block(entries[2])
    cache.block(entries[3]).array.sum()
    assert [entry in cache for entry in entries] == [True, False, True, True]
    assert cache.block(entries[2]) is kept
    assert cache.held_bytes <= cache.limit


def test_layouts_count_when_they_are_made() -> None:
    cache = BlockCache(limit=10_000)
    first, second = (cache.block(block_of(1000, k).entry) for k in (300, 301))
    second.keep("rows", np.zeros(2000, np.int16))
    assert cache.held_bytes == 2001 + 2001 + 4000
    second.keep("rows", np.zeros(3500, np.int16))
    assert (first.entry in cache, second.entry in cache) == (False, True)
    assert cache.held_bytes == 2001 + 7000
    first.keep("rows", np.zeros(3500, np.int16))  # out of the cache: counts no more
    assert cache.held_bytes == 2001 + 7000


def test_a_block_beyond_the_limit_still_works() -> None:
    cache = BlockCache(limit=100)
    entry = block_of(1000).entry
    assert cache.block(entry).array.sum() == 300_000
    assert cache.block(entry) is cache.block(entry)
    cache.block(block_of(10).entry)
    assert entry not in cache
    assert len(cache) == 1


def test_threads_make_a_layout_once() -> None:
    block, made = block_of(100_000), []
    barrier = threading.Barrier(4)

    def make() -> np.ndarray:
        made.append(1)
        return block.items(0, 100_000).copy()

    def ask() -> None:
        barrier.wait()
        block.prepare("rows", make)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [1]


def test_whoever_waits_for_a_block_works_meanwhile() -> None:
    block = block_of(1000)
    begun, go_on, worked = threading.Event(), threading.Event(), []

    def make() -> None:
        begun.set()
        assert go_on.wait(20)
        block.prepare("rows", lambda: np.zeros(5, np.int16))

    def meanwhile() -> None:
        worked.append(threading.current_thread())
        go_on.set()

    maker = threading.Thread(target=lambda: block.make_ahead(make, meanwhile))
    maker.start()
    assert begun.wait(20)
    assert len(block.prepare("rows", lambda: np.zeros(9, np.int16))) == 5
    maker.join()
    assert worked == [threading.current_thread()]
