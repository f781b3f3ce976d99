"""What a network's integers mean, in NumPy: the same sums, truncations and maxima as the instructions, exactly.

Sums of products are float64 matrix products, exact while every partial sum stays below 2^53, which is checked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from smartvm.examples.networks import layers, lstm
from smartvm.examples.networks.layers import SCALE, Network, Step
from smartvm.examples.networks.lstm import truncated

Map = npt.NDArray[np.int64]

_EXACT = 1 << 53


def integer_output(network: Network, parameters: Mapping[str, npt.NDArray[Any]], picture: npt.NDArray[Any]) -> Map:
    """The integers that the network's contract returns for a picture: items times 1,000, or gray values."""
    *_, (_, scores, _) = feature_maps(network, parameters, picture)
    return scores.reshape(-1)


def feature_maps(
    network: Network, parameters: Mapping[str, npt.NDArray[Any]], picture: npt.NDArray[Any]
) -> Iterator[tuple[Step | None, Map, tuple[Map, ...]]]:
    """The feature map and the saved ones after the input (None) and after each step."""
    x: Map = picture.astype(np.int64).reshape(network.input_shape)
    if network.gray:
        x = x * SCALE // 255
    saved: list[Map] = []
    yield None, x, ()
    for step in network.steps:
        match step:
            case layers.Save():
                saved.append(x)
            case layers.Swap():
                saved[-1], x = x, saved[-1]
            case layers.AddSaved():
                x = x + saved.pop()
            case _:
                x = _applied(step, x, parameters)
        yield step, x, tuple(saved)


def _applied(step: Step, x: Map, parameters: Mapping[str, npt.NDArray[Any]]) -> Map:
    match step:
        case layers.Convolution() | layers.Dense():
            weights, bias = (
                parameters[f"{step.name}_weights"],
                parameters[f"{step.name}_bias"].astype(np.int64),
            )
            sums = _products(step, x, weights)
            return truncated(sums + bias.reshape(-1, *[1] * (sums.ndim - 1)), SCALE)
        case layers.Recurrence():
            return lstm.integer_hidden(step, x[0], parameters)
        case layers.Relu():
            rectified: Map = x.clip(0, step.cap or None)
            return rectified
        case layers.MaximumPooling():
            least = np.iinfo(np.int64).min
            windows = _windows(x, step.window, step.stride, step.padding, least)
            greatest: Map = windows.max(axis=(3, 4))
            return greatest
        case layers.GlobalAverage():
            return truncated(x.sum(axis=(1, 2)), step.side**2)
        case _:
            raise TypeError(f"{step} has no meaning by itself")


def _windows(x: Map, window: int, stride: int, padding: int, filler: int) -> Map:
    padded = np.pad(x, ((0, 0), (padding, padding), (padding, padding)), constant_values=filler)
    all_windows = np.lib.stride_tricks.sliding_window_view(padded, (window, window), axis=(1, 2))
    return all_windows[:, ::stride, ::stride]


def _products(layer: layers.Weighted, x: Map, weights: npt.NDArray[Any]) -> Map:
    if layer.terms * int(np.abs(x).max(initial=0)) * int(np.abs(weights.astype(np.int32)).max()) >= _EXACT:
        raise OverflowError(f"the sums of {layer.name} may pass 2^53")
    if not isinstance(layer, layers.Convolution):
        # in slices, so that a large layer does not need its weights as float64 all at once
        flat = x.reshape(-1).astype(np.float64)
        slices = [weights[i : i + 256].astype(np.float64) @ flat for i in range(0, len(weights), 256)]
        return np.concatenate(slices).astype(np.int64)
    windows = _windows(x, layer.kernel, layer.stride, layer.padding, 0)
    if layer.depthwise:
        sums: Map = np.einsum("chwab,cab->chw", windows, weights[:, 0].astype(np.int64))
        return sums
    rows = windows.transpose(1, 2, 0, 3, 4).reshape(windows.shape[1] * windows.shape[2], -1).astype(np.float64)
    products: Map = (weights.reshape(layer.filters, -1).astype(np.float64) @ rows.T).astype(np.int64)
    return products.reshape(layer.filters, *windows.shape[1:3])
