"""Large dense layers are computed from their blocks' entries: the same items and gas as by any other way."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from smartvm.vm.dnn import KERNELS, Buffer, WeightBlock, reference
from smartvm.vm.dnn.compiling.machine_code import row_kernels
from smartvm.vm.dnn.operations import Convolution
from smartvm.vm.dnn.platforms import rows
from smartvm.vm.dnn.platforms.dispatcher import PLATFORMS, VARIABLE, Rows, load_block
from smartvm.vm.dnn.platforms.kernel_sets import KERNELS as KERNEL_SET
from smartvm.vm.dnn.platforms.kernel_sets import ROWS_TOGETHER as ROWS
from smartvm.vm.dnn.shapes import convolution, full_connection
from smartvm.vm.state.blocks import BlockFiles

WEIGHTS = 7
STEP = 2 * KERNEL_SET.lanes


@given(
    terms=st.integers(1, 4 * STEP + 3),
    kernels=st.integers(ROWS, 2 * ROWS + 1),
    width=st.sampled_from([1, 2]),
    run=st.integers(1, 5),
    seed=st.integers(0, 2**32 - 1),
)
def test_rows_of_big_endian_weights_are_multiplied_exactly(terms, kernels, width, run, seed):
    random = np.random.default_rng(seed)
    weights = random.integers(-(1 << 8 * width - 1), 1 << 8 * width - 1, (kernels, terms))
    # two products of a step and ``run`` of them stay below 2^31
    most = min((1 << 15) - 1, ((1 << 31) - 1) // (2 * run << 8 * width - 1))
    values = random.integers(-most, most + 1, terms).astype(np.int16)
    packed = np.frombuffer(weights.astype(f">i{width}").tobytes(), np.uint8)
    out = np.empty(kernels, np.int64)
    row_kernels.multiply_rows(values, packed, width, kernels, run, out)
    assert out.tolist() == (weights.astype(np.int64) @ values).tolist()


def dense(frame, weights, x, outputs):
    frame.fill(x)
    frame.put_block(WEIGHTS, weights)
    frame.operands = (WEIGHTS, len(x), 1, 1, outputs)
    frame.gas_rule = frame.table.gas(frame.table.by_name["FULL_CON"], "osaka")
    KERNELS["FULL_CON"](frame)
    return frame.items(), frame.gas.remaining


@pytest.mark.parametrize(
    ("weight", "item"),
    [(1, 1), (127, 32767), (-128, -32767), (32767, 32767), (-32768, -32767), (-32768, -32768), (3, 1 << 20), (0, 9)],
)
@pytest.mark.parametrize("outputs", [1, ROWS, ROWS + 1])
def test_a_dense_layer_is_the_same_with_and_without(new_frame, monkeypatch, weight, item, outputs):
    monkeypatch.setattr(rows, "LEAST_BYTES", 0)
    terms = 2 * STEP + 1
    weights = [weight - (weight > 0) * (i % 3 == 2) for i in range(terms * outputs)]
    x = [item if i % 5 else -(item // 2) for i in range(terms)]
    found = []
    for platform in PLATFORMS:
        monkeypatch.setenv(VARIABLE, platform.name)
        found.append(dense(new_frame(), weights, x, outputs))
    monkeypatch.delenv(VARIABLE)
    found.append(dense(new_frame(), weights, x, outputs))
    assert found[0][0] == reference.full_con(x, weights, outputs)
    assert all(result == found[0] for result in found)


def test_only_large_whole_maps_of_short_weights_are_taken(monkeypatch):
    layer, small = full_connection(1 << 10, 1, 1, 1 << 10), full_connection(16, 1, 1, 16)
    assert rows.takes(WeightBlock.of_array(np.full(1 << 20, 300)), layer)
    assert not rows.takes(WeightBlock.of_array(np.full(1 << 8, 300)), small)
    assert not rows.takes(WeightBlock.of_array(np.full(1 << 20, 1 << 20)), layer)
    assert not rows.takes(WeightBlock.of_array(np.full(1 << 20, 300)), convolution(1 << 10, 1 << 10, 2, 2, 1, 1, 0))


def test_a_block_in_a_file_is_read_where_it_is(tmp_path, monkeypatch):
    monkeypatch.setattr(rows, "LEAST_BYTES", 0)
    weights = np.arange(-50, 50).reshape(10, 10) * 300
    held = WeightBlock.of_array(weights.reshape(-1))
    files = BlockFiles(tmp_path)
    files.write({"block": held.entry})
    for extremes in (held.extremes, None):
        block = WeightBlock(files.open("block", held.stored_bytes, extremes))
        load_block(block, full_connection(10, 1, 1, 10))
        assert block.is_ready
        assert block.extremes == held.extremes
        buffer = Buffer(range(10))
        assert Rows().run(buffer, Convolution(block, full_connection(10, 1, 1, 10)))
        items = buffer.to_integers()
        assert items == (weights @ np.arange(10)).tolist()
        assert buffer.extremes == (min(items), max(items))
