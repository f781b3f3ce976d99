"""Exact products of feature maps and kernels, and of matrices, on the CPU: the routes, and the choice among them.

A route is exact when none of its partial sums can leave the range in which its arithmetic is: ``bound`` (the
largest magnitude of the items × that of the weights × the number of terms) limits every product and every partial
sum, in whatever order of summation. A float of p bits represents each integer up to 2^p, so below that every product
and every sum is exact, whatever the BLAS does: fused (a·b + c is a partial sum, rounded once), in any order, on any
number of threads. p is 24 in float32 and 53 in float64. (An item beyond that is rounded only where all weights are
0, and its products are 0 all the same.) int64 is exact below 2^63; the wide route computes modulo 2^256, which is what
an item is reduced to. The routes on vector instructions, which are by far the fastest, have a finer bound of their own
(``panels``).
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from smartvm.vm.dnn import items as item_arrays
from smartvm.vm.dnn.buffer import Buffer
from smartvm.vm.dnn.compiling.machine_code import native
from smartvm.vm.dnn.items import ItemArray
from smartvm.vm.dnn.operations import MatrixProduct
from smartvm.vm.dnn.platforms.kernel_sets import COPY_STEP
from smartvm.vm.dnn.shapes import Correlation, Transposed
from smartvm.vm.dnn.weights.blocks import WeightBlock

Route = Literal["float32", "float64", "int64", "wide"]

#: The types of the routes on narrow items.
_TYPES: dict[str, npt.DTypeLike] = {"float32": np.float32, "float64": np.float64, "int64": np.int64}

#: Bytes of gathered windows that are alive at a time: about a second-level cache.
_GATHERED_BYTES = 1 << 19


def route_for(bound: int) -> Route:
    """The fastest route that is exact for partial sums up to ``bound``."""
    if bound < 1 << 24:
        return "float32"
    if bound < 1 << 53:
        return "float64"
    return "int64" if bound < 1 << 63 else "wide"


def bound_of(buffer: Buffer, block: WeightBlock, terms: int) -> int:
    """The largest magnitude that a sum of ``terms`` products can reach."""
    return buffer.bound * block.bound * terms


def correlate(buffer: Buffer, block: WeightBlock, shape: Correlation, route: Route | None = None) -> ItemArray:
    """The output maps: items in the route's type, floats included. ``route`` forces one, which must be exact for the
    bound."""
    if route is None:
        route = route_for(bound_of(buffer, block, shape.terms))
    if route == "wide":
        return _correlate_wide(buffer, block, shape)
    if shape.groups > 1:
        return _correlate_channels(buffer, block, shape)
    if route == "int64":
        return _correlate_int64(buffer, block, shape)
    return _correlate_floating(buffer, block, shape, _TYPES[route])


def _rows(block: WeightBlock, rows: int, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """The block's items as ``rows`` rows; those of floats are kept with the block."""
    if np.dtype(dtype).kind == "i":
        return item_arrays.as_type(block.array, dtype).reshape(rows, -1)
    return block.prepare(
        ("rows", np.dtype(dtype).name, rows),
        lambda: item_arrays.as_type(block.items(0, block.count), dtype).reshape(rows, -1),
    )


def _correlate_floating(
    buffer: Buffer, block: WeightBlock, shape: Correlation, dtype: npt.DTypeLike
) -> ItemArray:
    weights = _rows(block, shape.kernels, dtype)
    values = item_arrays.as_type(buffer.array, dtype)
    if shape.is_matrix:
        return (weights @ values.reshape(shape.inputs, -1)).reshape(-1)
    if shape.is_whole_map:
        return weights @ values
    out = np.empty((shape.kernels, shape.positions), dtype)
    for first, windows in _gathered(values, shape):
        np.matmul(weights, windows.T, out=out[:, first : first + len(windows)])
    return out.reshape(-1)


def _correlate_int64(buffer: Buffer, block: WeightBlock, shape: Correlation) -> ItemArray:
    weights = _rows(block, shape.kernels, np.int64)
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
    source = np.empty(len(values) + COPY_STEP, values.dtype)
    source[: len(values)] = values
    windows = np.empty(step * row + COPY_STEP, values.dtype)
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
    dtype = _TYPES[route]
    weights = _rows(block, shape.inputs, dtype)
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


def multiply(product: MatrixProduct, route: Route | None = None) -> ItemArray:
    """The product of two matrices, row-major."""
    rows, inner, columns = product.rows, product.inner, product.columns
    if route is None:
        route = route_for(product.first.bound * product.second.bound * inner)
    if route == "wide":
        out = np.zeros((rows * columns, item_arrays.LIMBS), np.uint64)
        left = np.ascontiguousarray(item_arrays.widen(product.first.array))
        right = np.ascontiguousarray(item_arrays.widen(product.second.array))
        native.multiply_matrices_wide(left, right, rows, inner, columns, out)
        return out
    left = item_arrays.as_type(product.first.array, _TYPES[route]).reshape(rows, inner)
    right = item_arrays.as_type(product.second.array, _TYPES[route]).reshape(inner, columns)
    if route != "int64":
        return (left @ right).reshape(-1)
    sums = np.empty((rows, columns), np.int64)
    native.dot_rows(np.ascontiguousarray(right.T), left, sums)
    return sums.reshape(-1)
