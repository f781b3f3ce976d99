"""POOL_MAX, POOL_AVG and POOL_OL."""

from __future__ import annotations

import numpy as np
from smartvm.vm.dnn import gas, native
from smartvm.vm.dnn import items as item_arrays
from smartvm.vm.dnn.buffer import Buffer
from smartvm.vm.dnn.convolution import output_side
from smartvm.vm.dnn.items import ItemArray, truncated_quotient
from smartvm.vm.dnn.operands import require_length, require_size
from smartvm.vm.extension import InstructionContext

_Sides = tuple[int, int]


def pool_max(context: InstructionContext) -> None:
    """POOL_MAX(C, H, W, k, s): signed maximum of each window."""
    channels, sizes, kernel, stride, outputs = _plain_operands(context)
    _charge(context, channels, outputs, kernel, context.buffer.bound)
    pooled = maximum(context.buffer, channels, sizes, kernel, stride, 0, outputs)
    context.buffer.hold(pooled, channels)


def pool_avg(context: InstructionContext) -> None:
    """POOL_AVG(C, H, W, k, s): exact sum of each window over k², truncated toward zero."""
    channels, sizes, kernel, stride, outputs = _plain_operands(context)
    bound = context.buffer.bound * kernel * kernel
    _charge(context, channels, outputs, kernel, bound)
    pooled = average(context.buffer, channels, sizes, kernel, stride, outputs, bound)
    context.buffer.hold(pooled, channels)


def pool_ol(context: InstructionContext) -> None:
    """POOL_OL(C, H, k, s, p): maximum of overlapping windows of square maps; padded cells never win."""
    channels, side, kernel, stride, padding = context.operands
    for name, value in (("channels", channels), ("height", side), ("kernel", kernel), ("stride", stride)):
        require_size(context, name, value, least=1)
    require_size(context, "padding", padding)
    if padding >= kernel:
        raise context.halt(f"padding below the kernel ({kernel})", str(padding))
    output = output_side(context, "height", side, kernel, stride, padding)
    require_length(context, channels * side * side, f"{channels}x{side}x{side}")
    _charge(context, channels, (output, output), kernel, context.buffer.bound)
    result = maximum(context.buffer, channels, (side, side), kernel, stride, padding, (output, output))
    context.buffer.hold(result, channels)


def _plain_operands(context: InstructionContext) -> tuple[int, _Sides, int, int, _Sides]:
    """Channels, sides, kernel, stride and output sides of pooling without padding."""
    channels, height, width, kernel, stride = context.operands
    names = ("channels", "height", "width", "kernel", "stride")
    for name, value in zip(names, context.operands, strict=True):
        require_size(context, name, value, least=1)
    outputs = (
        output_side(context, "height", height, kernel, stride, 0),
        output_side(context, "width", width, kernel, stride, 0),
    )
    require_length(context, channels * height * width, f"{channels}x{height}x{width}")
    return channels, (height, width), kernel, stride, outputs


def _charge(context: InstructionContext, channels: int, outputs: _Sides, kernel: int, bound: int) -> None:
    length = channels * outputs[0] * outputs[1]
    gas.charge_growth(context, length, len(context.buffer))
    gas.charge_window_reads(context, max(length * kernel * kernel, len(context.buffer)), bound)


def maximum(
    buffer: Buffer, channels: int, sizes: _Sides, kernel: int, stride: int, padding: int, outputs: _Sides
) -> ItemArray:
    """Maximum of each window's cells inside the map, channels last. Wide items are compared by their ranks."""
    array = buffer.channels_last(channels)
    if item_arrays.is_wide(array):
        order, ranks = _ranks(array)
        return array[order[_pooled_maximum(ranks, channels, sizes, kernel, stride, padding, outputs)]]
    return _pooled_maximum(array, channels, sizes, kernel, stride, padding, outputs)


def _pooled_maximum(
    values: ItemArray, channels: int, sizes: _Sides, kernel: int, stride: int, padding: int, outputs: _Sides
) -> ItemArray:
    out = np.empty(channels * outputs[0] * outputs[1], values.dtype)
    native.pool_maximum(values, sizes, channels, kernel, outputs, stride, padding, out)
    return out


def _ranks(array: ItemArray) -> tuple[ItemArray, ItemArray]:
    """The order that sorts wide items, and each item's place in it."""
    columns = [array[:, position] for position in range(item_arrays.LIMBS)]
    columns[-1] = columns[-1].astype(np.int64)
    order = np.lexsort(columns)
    ranks = np.empty(len(order), np.int64)
    ranks[order] = np.arange(len(order))
    return order, ranks


def average(
    buffer: Buffer, channels: int, sizes: _Sides, kernel: int, stride: int, outputs: _Sides, bound: int
) -> ItemArray:
    """Sum of each window over kernel², truncated toward zero, channels last. ``bound`` limits the sums."""
    array = buffer.channels_last(channels)
    if bound < 1 << 63 and kernel < 1 << 31:
        narrow = bound < 1 << 31 and kernel < 1 << 15
        line: ItemArray = np.empty(channels * sizes[1], np.int32 if narrow else np.int64)
        out = np.empty(channels * outputs[0] * outputs[1], array.dtype)  # an average fits its items' type
        native.pool_average(array, sizes, channels, kernel, outputs, stride, line, out)
        return out
    integers = _average_integers(buffer.to_integers(), channels, sizes, kernel, stride, outputs)
    return item_arrays.channels_last(item_arrays.from_integers(integers), channels)


def _average_integers(
    x: list[int], channels: int, sizes: _Sides, kernel: int, stride: int, outputs: _Sides
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
