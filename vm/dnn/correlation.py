"""Exact correlation of feature maps with kernels: the routes, and the choice among them.

A route is exact when none of its partial sums can leave the range in which its arithmetic is: ``bound`` (the
largest magnitude of the items × that of the weights × the number of terms) limits every partial sum in every
order of summation. int16 products are exact in int32 accumulators over so few terms that their sums stay
below 2^31; sums of such chunks are added in int64. float64 represents each integer up to 2^53, so sums below
that are exact whatever the BLAS does (fused or not, in any order, on any number of threads); int64 is exact
below 2^63; the wide route computes modulo 2^256, which is what an item is reduced to.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any, Literal, cast

import numpy as np
import numpy.typing as npt
from smartvm.vm.dnn import dot_products, native
from smartvm.vm.dnn import items as item_arrays
from smartvm.vm.dnn.blocks import WeightBlock
from smartvm.vm.dnn.buffer import Buffer
from smartvm.vm.dnn.items import ItemArray

Route = Literal["int16", "float64", "int64", "wide"]
Sizes = tuple[int, int, int]

#: Bytes of gathered windows that are alive at a time: about a second-level cache.
_GATHERED_BYTES = 1 << 19


@dataclass(frozen=True, slots=True)
class Correlation:
    """The shape of a correlation. Directions are depth, rows, columns (depth 1 in two dimensions).

    ``groups`` groups of ``inputs`` channels each; ``kernels`` output channels in all, spread evenly over the
    groups.
    """

    groups: int
    inputs: int
    kernels: int
    sizes: Sizes
    kernel: Sizes
    outputs: Sizes
    stride: int
    padding: Sizes

    @property
    def terms(self) -> int:
        """Products that one output item sums."""
        return self.inputs * prod(self.kernel)

    @property
    def positions(self) -> int:
        """Output items of one channel."""
        return prod(self.outputs)

    @property
    def products(self) -> int:
        """Multiply-accumulates in all, those with padding included."""
        return self.kernels * self.terms * self.positions

    @property
    def is_matrix(self) -> bool:
        """Whether the windows of the map are its own places, so that the map is the matrix of windows."""
        return self.kernel == (1, 1, 1) and self.stride == 1 and self.padding == (0, 0, 0)

    @property
    def is_whole_map(self) -> bool:
        """Whether the only window is the whole map."""
        return self.kernel == self.sizes and self.padding == (0, 0, 0)


#: Terms below which a map that is its own matrix of windows is left to BLAS, which needs no transposed copy
#: of it.
_FEW_TERMS = 32


def route_for(bound: int, *operands: Buffer | WeightBlock) -> Route:
    """The fastest route that is exact for partial sums up to ``bound`` over ``operands`` (none given: not
    int16)."""
    if operands and bound < 1 << 63 and _exact_terms(*operands) >= dot_products.ROW_STEP:
        return "int16"
    if bound < 1 << 53:
        return "float64"
    return "int64" if bound < 1 << 63 else "wide"


def _exact_terms(*operands: Buffer | WeightBlock) -> int:
    """How many products of items of the operands certainly sum to less than 2^31; 0 where an item is not
    int16."""
    bounds = [operand.bound for operand in operands]
    if max(bounds) >= 1 << 15:
        return 0
    return ((1 << 31) - 1) // max(1, prod(bounds))


def bound_of(buffer: Buffer, block: WeightBlock, terms: int) -> int:
    """The largest magnitude that a sum of ``terms`` products can reach."""
    return buffer.bound * block.bound * terms


def correlate(
    buffer: Buffer, block: WeightBlock, shape: Correlation, route: Route | None = None
) -> ItemArray:
    """The output maps: items in the route's type, or integers as float64. ``route`` forces one (tests); it
    must be exact for the bound."""
    if route is None:
        route = route_for(bound_of(buffer, block, shape.terms), buffer, block)
    if route == "wide":
        return _correlate_wide(buffer, block, shape)
    if shape.groups > 1:
        return _correlate_channels(buffer, block, shape)
    if route == "int16" and shape.is_matrix and shape.terms < _FEW_TERMS:
        route = "float64"
    if route == "int16":
        return _correlate_int16(buffer, block, shape)
    if route == "float64":
        return _correlate_float64(buffer, block, shape)
    return _correlate_int64(buffer, block, shape)


def float64_rows(block: WeightBlock, rows: int) -> npt.NDArray[np.float64]:
    """The block's items as ``rows`` rows of float64, kept with the block (exact below 2^53)."""
    kept = block.prepared(("float64", rows))
    if kept is None:
        kept = block.keep(("float64", rows), item_arrays.as_type(block.array, np.float64).reshape(rows, -1))
    return cast("npt.NDArray[np.float64]", kept)


def int64_items(block: WeightBlock) -> npt.NDArray[np.int64]:
    """The block's items as int64."""
    return item_arrays.as_type(block.array, np.int64)


def int16_rows(block: WeightBlock, rows: int) -> npt.NDArray[np.int16]:
    """The block's items as ``rows`` rows of int16, zero-filled to whole vectors, kept with the block."""
    kept = block.prepared(("int16", rows))
    if kept is None:
        items = item_arrays.as_type(block.array, np.int16).reshape(rows, -1)
        padded = np.zeros((rows, _padded(items.shape[1])), np.int16)
        padded[:, : items.shape[1]] = items
        kept = block.keep(("int16", rows), padded)
    return cast("npt.NDArray[np.int16]", kept)


def _padded(terms: int) -> int:
    return -(-terms // dot_products.ROW_STEP) * dot_products.ROW_STEP


def _correlate_int16(buffer: Buffer, block: WeightBlock, shape: Correlation) -> ItemArray:
    exact = _exact_terms(buffer, block)
    out = np.zeros((shape.kernels, shape.positions), np.int32 if shape.terms <= exact else np.int64)
    chunk = exact - exact % dot_products.ROW_STEP
    values = item_arrays.as_type(buffer.array, np.int16)
    if shape.is_whole_map:
        weights = int16_rows(block, shape.kernels)
        window = np.zeros((1, weights.shape[1]), np.int16)
        window[0, : len(values)] = values
        dot_products.add_dot_rows(window, weights, chunk, out)
    elif _reads_in_place(shape, chunk):
        _add_in_place(values, block, shape, chunk, out)
    else:
        weights = int16_rows(block, shape.kernels)
        for first, windows in _gathered(values, shape, weights.shape[1]):
            if len(windows) == shape.positions:
                dot_products.add_dot_rows(windows, weights, chunk, out)
            else:
                part = np.zeros((shape.kernels, len(windows)), out.dtype)
                dot_products.add_dot_rows(windows, weights, chunk, part)
                out[:, first : first + len(windows)] = part
    return out.reshape(-1)


def _reads_in_place(shape: Correlation, chunk: int) -> bool:
    """Whether windows are better read from a padded map with the channels innermost, where each kernel row of
    a window is one stretch, than gathered: when that map is no larger than all gathered windows, and filling
    the stretches up to whole vectors costs less than half of the products."""
    if shape.sizes[0] != 1 or shape.kernel[0] != 1 or shape.padding[0]:
        return False
    stretch = _padded(shape.inputs * shape.kernel[2])
    _, height, width = (size + 2 * padding for size, padding in zip(shape.sizes, shape.padding, strict=True))
    return (
        stretch <= chunk
        and height * width * shape.inputs <= shape.terms * shape.positions
        and 2 * shape.kernel[1] * stretch <= 3 * _padded(shape.terms)
    )


def _add_in_place(
    values: npt.NDArray[np.int16], block: WeightBlock, shape: Correlation, chunk: int, out: npt.NDArray[Any]
) -> None:
    channels, height, width = shape.inputs, shape.sizes[1], shape.sizes[2]
    top, left = shape.padding[1], shape.padding[2]
    row_items = (width + 2 * left) * channels
    padded = np.empty((height + 2 * top) * row_items + dot_products.ROW_STEP, np.int16)
    padded[:] = 0
    inner = padded[: -dot_products.ROW_STEP].reshape(height + 2 * top, width + 2 * left, channels)
    inner[top : top + height, left : left + width] = values.reshape(channels, height, width).transpose(
        1, 2, 0
    )
    rows = np.arange(shape.outputs[1]) * (shape.stride * row_items)
    columns = np.arange(shape.outputs[2]) * (shape.stride * channels)
    starts = (rows[:, None] + columns).reshape(-1)
    weights = _stretches(block, shape)
    dot_products.add_dot_segments(padded, starts, weights, shape.kernel[1], row_items, chunk, out)


def _stretches(block: WeightBlock, shape: Correlation) -> npt.NDArray[np.int16]:
    """The kernels as rows of stretches, channels innermost, each zero-filled to whole vectors; kept with the
    block."""
    key = ("stretches", shape.kernels, shape.inputs, shape.kernel)
    kept = block.prepared(key)
    if kept is None:
        _, height, width = shape.kernel
        items = item_arrays.as_type(block.array, np.int16).reshape(shape.kernels, shape.inputs, height, width)
        stretch = width * shape.inputs
        filled = np.zeros((shape.kernels, height, _padded(stretch)), np.int16)
        filled[:, :, :stretch] = items.transpose(0, 2, 3, 1).reshape(shape.kernels, height, stretch)
        kept = block.keep(key, filled.reshape(shape.kernels, -1))
    return cast("npt.NDArray[np.int16]", kept)


def _correlate_float64(buffer: Buffer, block: WeightBlock, shape: Correlation) -> ItemArray:
    weights = float64_rows(block, shape.kernels)
    values = item_arrays.as_type(buffer.array, np.float64)
    if shape.is_matrix:
        return (weights @ values.reshape(shape.inputs, -1)).reshape(-1)
    if shape.is_whole_map:
        return weights @ values
    out = np.empty((shape.kernels, shape.positions))
    for first, windows in _gathered(values, shape):
        np.matmul(weights, windows.T, out=out[:, first : first + len(windows)])
    return out.reshape(-1)


def _correlate_int64(buffer: Buffer, block: WeightBlock, shape: Correlation) -> ItemArray:
    weights = int64_items(block).reshape(shape.kernels, -1)
    out = np.empty((shape.kernels, shape.positions), np.int64)
    for first, windows in _gathered(item_arrays.as_type(buffer.array, np.int64), shape):
        part = np.empty((shape.kernels, len(windows)), np.int64)
        native.dot_rows(windows, weights, part)
        out[:, first : first + len(windows)] = part
    return out.reshape(-1)


def _gathered(
    values: npt.NDArray[Any], shape: Correlation, row: int | None = None
) -> Iterator[tuple[int, Any]]:
    """The matrix of windows, a slice at a time: (first place, rows). ``row`` items a row, zero-filled at the
    end."""
    row = shape.terms if row is None else row
    step = max(1, min(shape.positions, _GATHERED_BYTES // (row * values.itemsize)))
    source = np.empty(len(values) + native.COPY_STEP, values.dtype)
    source[: len(values)] = values
    windows = np.empty(step * row + native.COPY_STEP, values.dtype)
    for first in range(0, shape.positions, step):
        count = min(step, shape.positions - first)
        native.gather_windows(
            source,
            shape.inputs,
            shape.sizes,
            shape.kernel,
            shape.outputs,
            shape.stride,
            shape.padding,
            first,
            count,
            row,
            windows,
        )
        yield first, windows[: count * row].reshape(count, row)


def _correlate_channels(buffer: Buffer, block: WeightBlock, shape: Correlation) -> ItemArray:
    """Depthwise, in int32 where the sums stay below 2^31, else in int64 (below 2^63)."""
    narrow = bound_of(buffer, block, shape.terms) < 1 << 31 and max(buffer.bound, block.bound) < 1 << 31
    dtype: npt.DTypeLike = np.int32 if narrow else np.int64
    out = np.empty((shape.groups, *shape.outputs[1:]), dtype)
    native.correlate_channels(
        item_arrays.as_type(buffer.array, dtype).reshape(shape.groups, *shape.sizes[1:]),
        item_arrays.as_type(block.array, dtype).reshape(shape.groups, *shape.kernel[1:]),
        shape.sizes[1:],
        shape.kernel[1],
        shape.outputs[1:],
        shape.stride,
        shape.padding[1],
        out,
    )
    return out.reshape(-1)


def _correlate_wide(buffer: Buffer, block: WeightBlock, shape: Correlation) -> ItemArray:
    out = np.zeros((shape.kernels * shape.positions, item_arrays.LIMBS), np.uint64)
    values = np.ascontiguousarray(item_arrays.widen(buffer.array))
    # widened a few kernels at a time, so that the weights' limbs stay in the cache; groups are not split
    step = shape.kernels
    if shape.groups == 1:
        step = max(1, _GATHERED_BYTES // (shape.terms * item_arrays.WORD_BYTES))
    for first in range(0, shape.kernels, step):
        last = min(shape.kernels, first + step)
        weights = np.ascontiguousarray(
            item_arrays.widen(block.array[first * shape.terms : last * shape.terms])
        )
        part = out[first * shape.positions : last * shape.positions]
        if shape.groups == 1 and (shape.is_matrix or shape.is_whole_map):
            native.multiply_matrices_wide(weights, values, last - first, shape.terms, shape.positions, part)
            continue
        native.correlate_wide(
            values,
            weights,
            shape.groups,
            shape.inputs,
            shape.sizes,
            shape.kernel,
            shape.outputs,
            shape.stride,
            shape.padding,
            part,
        )
    return out


@dataclass(frozen=True, slots=True)
class Transposed:
    """The shape of a transposed convolution: rows and columns."""

    inputs: int
    kernels: int
    sizes: tuple[int, int]
    kernel: int
    outputs: tuple[int, int]
    stride: int
    padding: int

    @property
    def terms(self) -> int:
        """Products that one output item sums, at most."""
        return self.inputs * self.kernel * self.kernel

    @property
    def products(self) -> int:
        """Multiply-accumulates in all, those cropped away included."""
        return self.terms * self.kernels * self.sizes[0] * self.sizes[1]


def transpose(buffer: Buffer, block: WeightBlock, shape: Transposed, route: Route | None = None) -> ItemArray:
    """The output maps of a transposed convolution."""
    if route is None:
        route = route_for(bound_of(buffer, block, shape.terms))
    if route == "wide":
        return _transpose_wide(buffer, block, shape)
    floating = route == "float64"
    dtype: npt.DTypeLike = np.float64 if floating else np.int64
    weights = float64_rows(block, shape.inputs) if floating else int64_items(block).reshape(shape.inputs, -1)
    maps = item_arrays.as_type(buffer.array, dtype).reshape(shape.inputs, -1)
    out = np.zeros((shape.kernels, *shape.outputs), dtype)
    places = maps.shape[1]
    step = max(1, min(places, _GATHERED_BYTES // (8 * weights.shape[1])))
    for first in range(0, places, step):
        products = maps[:, first : first + step].T @ weights
        native.scatter_products(
            products, first, shape.sizes, shape.kernel, shape.outputs, shape.stride, shape.padding, out
        )
    return out.reshape(-1)


def _transpose_wide(buffer: Buffer, block: WeightBlock, shape: Transposed) -> ItemArray:
    out = np.zeros((shape.kernels * prod(shape.outputs), item_arrays.LIMBS), np.uint64)
    native.transpose_wide(
        np.ascontiguousarray(item_arrays.widen(buffer.array)),
        np.ascontiguousarray(item_arrays.widen(block.array)),
        shape.inputs,
        shape.kernels,
        shape.sizes,
        shape.kernel,
        shape.outputs,
        shape.stride,
        shape.padding,
        out,
    )
    return out
