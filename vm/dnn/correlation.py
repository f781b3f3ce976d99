"""Exact correlation of feature maps with kernels: the routes, and the choice among them.

A route is exact when none of its partial sums can leave the range in which its arithmetic is: ``bound`` (the
largest magnitude of the items × that of the weights × the number of terms) limits every partial sum in every
order of summation. The 16-bit route, which is by far the fastest, has a finer bound of its own (``panels``).
float64 represents each integer up to 2^53, so sums below that are exact whatever the BLAS does (fused or not, in
any order, on any number of threads); int64 is exact below 2^63; the wide route computes modulo 2^256, which is
what an item is reduced to.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from smartvm.vm.dnn import items as item_arrays
from smartvm.vm.dnn import native
from smartvm.vm.dnn.blocks import WeightBlock
from smartvm.vm.dnn.buffer import Buffer
from smartvm.vm.dnn.deferred import work_for
from smartvm.vm.dnn.items import ItemArray
from smartvm.vm.dnn.shapes import Correlation, Transposed

Route = Literal["int16", "float64", "int64", "wide"]

#: Bytes of gathered windows that are alive at a time: about a second-level cache.
_GATHERED_BYTES = 1 << 19


def route_for(bound: int) -> Route:
    """The fastest route that is exact for partial sums up to ``bound``, the 16-bit one apart."""
    if bound < 1 << 53:
        return "float64"
    return "int64" if bound < 1 << 63 else "wide"


def bound_of(buffer: Buffer, block: WeightBlock, terms: int) -> int:
    """The largest magnitude that a sum of ``terms`` products can reach."""
    return buffer.bound * block.bound * terms


class PlainWork:
    """A correlation on the routes of this module, put off like any other; nothing joins it.

    It holds the Buffer's items, which must not change meanwhile.
    """

    channels = 1  # the result is channel by channel

    def __init__(self, buffer: Buffer, block: WeightBlock, shape: Correlation) -> None:
        self.bound = bound_of(buffer, block, shape.terms)
        self._source = Buffer()
        self._source.replace(buffer.stored, buffer.extremes, buffer.layout)
        self._block = block
        self._shape = shape

    def __len__(self) -> int:
        return self._shape.kernels * self._shape.positions

    def add_bias(self, block: WeightBlock) -> bool:
        """Not put off."""
        return False

    def divide(self, divisor: int) -> bool:
        """Not put off."""
        return False

    def rectify(self, cap: int) -> bool:
        """Not put off."""
        return False

    def carry_out(self) -> tuple[ItemArray, tuple[int, int]]:
        """The items and their extremes."""
        maps = _correlated(self._source, self._block, self._shape, route_for(self.bound))
        items, low, high = item_arrays.narrowed(maps)
        return items, (low, high)


def correlate(buffer: Buffer, block: WeightBlock, shape: Correlation, route: Route | None = None) -> ItemArray:
    """The output maps: items in the route's type, or integers as float64. ``route`` forces one (tests); it
    must be exact for the bound."""
    if route in (None, "int16"):
        work = work_for(buffer.stored, buffer.layout, buffer.extremes, block, shape)
        if work is not None:
            return item_arrays.channels_first(work.carry_out()[0], work.channels)
        route = route_for(bound_of(buffer, block, shape.terms))
    return _correlated(buffer, block, shape, route)


def _correlated(buffer: Buffer, block: WeightBlock, shape: Correlation, route: Route | None) -> ItemArray:
    if route == "wide":
        return _correlate_wide(buffer, block, shape)
    if shape.groups > 1:
        return _correlate_channels(buffer, block, shape)
    if route == "float64":
        return _correlate_float64(buffer, block, shape)
    return _correlate_int64(buffer, block, shape)


def float64_rows(block: WeightBlock, rows: int) -> npt.NDArray[np.float64]:
    """The block's items as ``rows`` rows of float64, kept with the block (exact below 2^53)."""
    return block.prepare(
        ("float64", rows), lambda: item_arrays.as_type(block.items(0, block.count), np.float64).reshape(rows, -1)
    )


def int64_items(block: WeightBlock) -> npt.NDArray[np.int64]:
    """The block's items as int64."""
    return item_arrays.as_type(block.array, np.int64)


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


def _gathered(values: npt.NDArray[Any], shape: Correlation) -> Iterator[tuple[int, Any]]:
    """The matrix of windows, a slice at a time: (first place, rows)."""
    row = shape.terms
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
