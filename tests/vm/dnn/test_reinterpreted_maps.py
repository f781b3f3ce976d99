"""The items that a layer leaves are read as a map of other channels: as the specification has it, they are one
sequence."""

from __future__ import annotations

import random

import pytest
from smartvm.vm.dnn import KERNELS, reference

FIRST, SECOND = 7, 8


@pytest.mark.parametrize("side", [4, 6])
@pytest.mark.parametrize(
    ("name", "operands", "weights"),
    [
        ("FULL_CON", lambda n: (n, 1, 1, 3), lambda n: 3 * n),
        ("FULL_CON", lambda n: (1, n, 1, 3), lambda n: 3 * n),
        ("FULL_CON", lambda n: (n // 4, 2, 2, 3), lambda n: 3 * n),
        ("CONV_MUL", lambda n: (n, 3, 1, 1, 1, 1, 0), lambda n: 3 * n),
        ("CONV_MUL", lambda n: (n // 4, 3, 2, 2, 2, 1, 1), lambda n: 3 * n),
        ("CONV_MUL", lambda n: (n // 16, 5, 4, 4, 3, 1, 1), lambda n: 5 * n // 16 * 9),
        ("CONV_SING", lambda n: (n // 4, n // 4, 2, 2, 2, 1, 1), lambda n: n),
        ("POOL_MAX", lambda n: (n // 4, 2, 2, 2, 1), None),
        ("POOL_AVG", lambda n: (n // 16, 4, 4, 2, 2), None),
        ("BUF_BIAS", None, lambda n: n // 4),
    ],
)
def test_layer_over_a_map_of_other_channels(new_frame, side, name, operands, weights):
    draw = random.Random(side)
    kernels = 16
    count = kernels * side * side
    frame = new_frame()
    x = [draw.randrange(-900, 900) for _ in range(3 * side * side)]
    first = [draw.randrange(-900, 900) for _ in range(kernels * 3 * 9)]
    frame.fill(x)
    frame.put_block(FIRST, first)
    shape = (FIRST, 3, kernels, side, side, 3, 1, 1)
    middle = reference.conv_mul(x, first, *shape[1:])
    arguments = operands(count) if operands is not None else ()
    if weights is None:
        expected = getattr(reference, name.lower())(middle, *arguments)
    else:
        second = [draw.randrange(-900, 900) for _ in range(weights(count))]
        frame.put_block(SECOND, second)
        if name == "BUF_BIAS":
            expected = reference.buf_bias(middle, second)
        elif name == "FULL_CON":
            expected = reference.full_con(middle, second, arguments[-1])
        elif name == "CONV_SING":
            expected = reference.conv_sing(middle, second, arguments[0], *arguments[2:])
        else:
            expected = reference.conv_mul(middle, second, *arguments)
        arguments = (SECOND, *arguments)
    for step, values in (("CONV_MUL", shape), (name, arguments)):  # nobody looks in between
        instruction = frame.table.by_name[step]
        frame.operands = tuple(values)
        frame.gas_rule = frame.table.gas(instruction, "osaka")
        KERNELS[step](frame)
    assert frame.items() == expected
