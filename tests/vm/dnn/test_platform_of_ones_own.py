"""A platform behind the public interface takes every heavy instruction, and gives what the CPU gives: results, gas and
failures of single instructions and of a whole network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import smartvm
from smartvm.vm.dnn import KERNELS, Buffer, reference
from smartvm.vm.dnn.operations import INSTRUCTIONS, Activation, Convolution, MatrixProduct, Pooling
from smartvm.vm.dnn.platforms import dispatcher
from smartvm.vm.dnn.shapes import Correlation

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "lenet5"
BLOCK, BIAS = 7, 8


class Twin:
    """Computes with Python's integers. Convolutions are carried out when somebody looks at the items; until then
    bias, division and rectification join them."""

    name = "twin"

    def __init__(self):
        self.loaded: list[object] = []
        self.taken: list[object] = []

    def load_block(self, block, shape, ends=None):
        self.loaded.append(shape)
        return True

    def run(self, buffer, operation):
        self.taken.append(operation)
        if isinstance(operation, Convolution):
            buffer.defer(TwinWork(buffer, operation))
        else:
            buffer.replace(Buffer(computed(buffer, operation)).array)
        return True


class TwinWork:
    channels = 1

    def __init__(self, buffer, convolution):
        shape = convolution.shape
        self.bound = buffer.bound * convolution.block.bound * shape.terms
        self._length = shape.kernels * shape.positions
        self._items = buffer.to_integers()
        self._convolution = convolution
        self._steps = []

    def __len__(self):
        return self._length

    def _join(self, step):
        self._steps.append(step)
        return True

    def add_bias(self, block):
        self.bound += block.bound
        return self._join(lambda items: reference.buf_bias(items, block.to_integers()))

    def divide(self, divisor):
        return self._join(lambda items: reference.buf_scl1(items, divisor))

    def rectify(self, cap):
        return self._join(lambda items: reference.act_rl(items, cap))

    def carry_out(self):
        items = convolved(self._items, self._convolution)
        for step in self._steps:
            items = step(items)
        return Buffer(items).array, (min(items), max(items))


def convolved(items, convolution):
    weights, shape = convolution.block.to_integers(), convolution.shape
    depth, height, width = shape.sizes
    if shape.groups > 1:
        sizes = shape.groups, height, width, shape.kernel[1], shape.stride, shape.padding[1]
        return reference.conv_sing(items, weights, *sizes)
    if shape.is_whole_map:
        return reference.full_con(items, weights, shape.kernels)
    if depth > 1:
        sizes = shape.inputs, shape.kernels, depth, height, shape.kernel[0], shape.stride, shape.padding[0]
        return reference.conv_3d(items, weights, *sizes)
    sizes = shape.inputs, shape.kernels, height, width, shape.kernel[1], shape.stride, shape.padding[1]
    return reference.conv_mul(items, weights, *sizes)


def computed(buffer, operation):
    if isinstance(operation, MatrixProduct):
        first, second = operation.first.to_integers(), operation.second.to_integers()
        return reference.mat_mul(first, second, operation.rows, operation.inner, operation.columns)
    items = buffer.to_integers()
    if isinstance(operation, Activation):
        names = {"softmax": reference.act_sm0, "sigmoid": reference.act_sm1, "tanh": reference.act_tanh}
        return names[operation.function](items, operation.scale)
    if isinstance(operation, Pooling):
        sizes = operation.channels, *operation.sizes, operation.kernel, operation.stride
        if operation.kind == "average":
            return reference.pool_avg(items, *sizes)
        if operation.padding == 0:
            return reference.pool_max(items, *sizes)
        return reference.pool_ol(items, sizes[0], sizes[1], *sizes[3:], operation.padding)
    shape = operation.shape
    sizes = shape.inputs, shape.kernels, *shape.sizes, shape.kernel, shape.stride, shape.padding
    return reference.conv_tpd(items, operation.block.to_integers(), *sizes)


@pytest.fixture
def twin(monkeypatch):
    platform = Twin()
    monkeypatch.setattr(dispatcher, "PLATFORMS", (platform, *dispatcher.PLATFORMS))
    return platform


#: Name, operands, items of the Buffer, items of the block.
CASES = [
    ("CONV_SING", (BLOCK, 3, 3, 4, 3, 2, 1, 1), 36, 12),
    ("CONV_MUL", (BLOCK, 2, 3, 4, 3, 2, 1, 0), 24, 24),
    ("CONV_3D", (BLOCK, 2, 1, 3, 3, 2, 1, 0), 54, 16),
    ("CONV_TPD", (BLOCK, 2, 2, 3, 2, 2, 2, 1), 12, 16),
    ("FULL_CON", (BLOCK, 2, 3, 2, 4), 12, 48),
    ("POOL_MAX", (2, 4, 3, 2, 1), 24, 0),
    ("POOL_AVG", (2, 4, 3, 2, 1), 24, 0),
    ("POOL_OL", (2, 3, 2, 1, 1), 18, 0),
    ("MAT_MUL", (0, 320), 3, 0),
    ("ACT_SM0", (10,), 5, 0),
    ("ACT_SM1", (10,), 5, 0),
    ("ACT_TANH", (10,), 5, 0),
]


def test_the_cases_are_all_instructions_that_platforms_run():
    assert {name for name, *_ in CASES} == INSTRUCTIONS


@pytest.mark.parametrize(("name", "operands", "count", "weights"), CASES, ids=[name for name, *_ in CASES])
def test_every_heavy_instruction_goes_through_it(twin, new_frame, monkeypatch, name, operands, count, weights):
    def outcome():
        frame = new_frame()
        frame.fill([(5 * i) % 23 - 9 for i in range(count)])
        frame.put_words(0, [2, 3, 1, 2, 3, 4, 5, 6])
        frame.put_words(320, [3, 2, 1, -2, 3, 4, -5, 6])
        if weights:
            frame.put_block(BLOCK, [(7 * i) % 19 - 8 for i in range(weights)])
        frame.run(name, *operands)
        return frame.items(), frame.gas.remaining

    found = outcome()
    assert len(twin.taken) == 1
    assert len(twin.loaded) == (weights > 0)
    monkeypatch.undo()
    assert outcome() == found
    assert len(twin.taken) == 1


def test_an_empty_buffer_is_no_operation(twin, new_frame):
    frame = new_frame()
    for name in ("ACT_SM0", "ACT_SM1", "ACT_TANH"):
        frame.run(name, 10)
        assert frame.items() == []
    assert twin.taken == []


def test_what_follows_a_convolution_joins_it_on_the_platform(twin, new_frame):
    frame = new_frame()
    frame.fill(list(range(12)))
    frame.put_block(BLOCK, list(range(-12, 12)))
    frame.put_block(BIAS, [7, -8])
    for name, operands in (
        ("FULL_CON", (BLOCK, 12, 1, 1, 2)),
        ("BUF_BIAS", (BIAS,)),
        ("BUF_SCL1", (3,)),
        ("ACT_RL", (0,)),
    ):
        frame.operands = operands
        frame.gas_rule = frame.table.gas(frame.table.by_name[name], "osaka")
        KERNELS[name](frame)
    assert frame.buffer.deferred is not None
    sums = reference.full_con(list(range(12)), list(range(-12, 12)), 2)
    assert frame.items() == reference.act_rl(reference.buf_scl1(reference.buf_bias(sums, [7, -8]), 3), 0)


def outcomes(contract, data, limits):
    """Of a call at each gas limit: success, output, gas, and what failed."""
    found = []
    for limit in limits:
        result = contract.chain.transact(contract.address, data, gas=limit, keep=False)
        error = result.error
        found.append((result.success, result.output, result.gas_used, str(error) if error else None))
    return found


def lenet5():
    chain = smartvm.Chain()
    chain.machine.dnn = "handlers"  # which must leave the platform's instructions to it
    contract = chain.deploy(EXAMPLE / "LeNet5.sol", "LeNet5", gas=16_777_216)
    contract.upload_weights(EXAMPLE / "weights.npz", block_gas_limit=16_777_216)
    return contract


def test_lenet5_is_computed_by_it_alone_with_the_same_results_gas_and_failures(twin, monkeypatch):
    with np.load(EXAMPLE / "held_out.npz") as data:
        picture = data["pictures"][3].reshape(-1).astype(int).tolist()
    limits = 10_000_000, 120_000, 90_000, 60_000
    contract = lenet5()
    data = contract.logits.encode(picture)
    found = outcomes(contract, data, limits)
    whole = [type(operation).__name__ for operation in twin.taken[:7]]
    assert whole == ["Convolution", "Pooling", "Convolution", "Pooling", "Convolution", "Convolution", "Convolution"]
    assert sum(isinstance(shape, Correlation) for shape in twin.loaded) >= 5
    assert [success for success, *_ in found] == [True, False, False, False]
    taken = len(twin.taken)
    monkeypatch.undo()
    assert outcomes(lenet5(), data, limits) == found
    assert len(twin.taken) == taken
