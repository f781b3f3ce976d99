"""Pooling on the CPU: in the narrowest type that holds the sums, wide items by their ranks or as Python integers."""

from __future__ import annotations

import numpy as np
from smartvm.vm.dnn import items as item_arrays
from smartvm.vm.dnn.buffer import Buffer
from smartvm.vm.dnn.compiling.machine_code import native
from smartvm.vm.dnn.items import ItemArray, truncated_quotient
from smartvm.vm.dnn.operations import Pooling
from smartvm.vm.dnn.platforms.kernel_sets import COPY_STEP


def pooled(buffer: Buffer, pooling: Pooling) -> ItemArray:
    """The result, channels last; the Buffer's map is channels last from then on."""
    return _maximum(buffer, pooling) if pooling.kind == "maximum" else _average(buffer, pooling)


def _maximum(buffer: Buffer, pooling: Pooling) -> ItemArray:
    """Maximum of each window's cells inside the map. Wide items are compared by their ranks."""
    array = buffer.channels_last(pooling.channels)
    if item_arrays.is_wide(array):
        order, ranks = _ranks(array)
        return array[order[_narrow_maximum(ranks, pooling)]]
    return _narrow_maximum(array, pooling)


def _narrow_maximum(values: ItemArray, pooling: Pooling) -> ItemArray:
    channels, outputs = pooling.channels, pooling.outputs
    out = np.empty(channels * outputs[0] * outputs[1], values.dtype)
    native.pool_maximum(
        values, pooling.sizes, channels, pooling.kernel, outputs, pooling.stride, pooling.padding, out
    )
    return out


def _ranks(array: ItemArray) -> tuple[ItemArray, ItemArray]:
    """The order that sorts wide items, and each item's place in it."""
    columns = [array[:, position] for position in range(item_arrays.LIMBS)]
    columns[-1] = columns[-1].astype(np.int64)
    order = np.lexsort(columns)
    ranks = np.empty(len(order), np.int64)
    ranks[order] = np.arange(len(order))
    return order, ranks


def _average(buffer: Buffer, pooling: Pooling) -> ItemArray:
    """Sum of each window over kernel², truncated toward zero."""
    channels, sizes, kernel, outputs = pooling.channels, pooling.sizes, pooling.kernel, pooling.outputs
    bound = buffer.bound * kernel * kernel  # limits the sums
    array = buffer.channels_last(channels)
    if bound < 1 << 63 and kernel < 1 << 31:
        if item_arrays.is_wide(array):  # they were not narrowed when they became small
            array = item_arrays.as_type(array, np.int64)
        narrow = bound < 1 << 31 and kernel < 1 << 15
        line: ItemArray = np.empty(channels * sizes[1] + COPY_STEP, np.int32 if narrow else np.int64)
        out = np.empty(channels * outputs[0] * outputs[1], array.dtype)  # an average fits its items' type
        native.pool_average(array, sizes, channels, kernel, outputs, pooling.stride, line, out)
        return out
    integers = _average_integers(buffer.to_integers(), channels, sizes, kernel, pooling.stride, outputs)
    return item_arrays.channels_last(item_arrays.from_integers(integers), channels)


def _average_integers(
    x: list[int], channels: int, sizes: tuple[int, int], kernel: int, stride: int, outputs: tuple[int, int]
) -> list[int]:
    height, width = sizes
    area = kernel * kernel
    result = []
    for channel in range(channels):
        for row in range(outputs[0]):
            starts = [(channel * height + row * stride + a) * width for a in range(kernel)]
            for column in range(0, outputs[1] * stride, stride):
                total = sum(sum(x[start + column : start + column + kernel]) for start in starts)
                result.append(truncated_quotient(total, area))
    return result
