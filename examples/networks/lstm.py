"""The long short-term memory of the example: what its steps mean, in integers and in floats.

Inputs of a step are a row of the picture and the 20 cells in the middle of the row above, 48 in all. A gate's row of
weights is for the hidden state, then for the input; gates are g (tanh), f, i, o (sigmoid), in this order.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from smartvm.examples.networks.layers import SCALE, Recurrence

Array = npt.NDArray[Any]


def truncated(values: npt.NDArray[np.int64], divisor: int) -> npt.NDArray[np.int64]:
    """Division that truncates toward zero."""
    result: npt.NDArray[np.int64] = np.sign(values) * (np.abs(values) // divisor)
    return result


def sequence(pictures: Array) -> Array:
    """Pictures (n, 28, 28) as steps: (28, n, 48)."""
    above = np.zeros_like(pictures[:, :, 4:24])
    above[:, 1:] = pictures[:, :-1, 4:24]
    return np.concatenate([pictures, above], axis=2).transpose(1, 0, 2)


def integer_hidden(
    layer: Recurrence, picture: Array, parameters: Mapping[str, Array]
) -> npt.NDArray[np.int64]:
    """The last hidden state for a picture of values 0 ... 1,000, in NumPy's 64-bit integers.

    float64 is far more exact than a thousandth, so that rounding its sigmoid and tanh gives the nearest integers.
    """
    weights = parameters[f"{layer.name}_weights"].astype(np.int64)
    bias = parameters[f"{layer.name}_bias"].astype(np.int64)
    hidden = cell = np.zeros(layer.hidden, np.int64)
    for row in sequence(picture[None])[:, 0]:
        gates = truncated(weights @ np.concatenate([hidden, row]) + bias, SCALE)
        g = _nearest(np.tanh(gates[: layer.hidden] / SCALE))
        f, i, o = _nearest(1 / (1 + np.exp(-gates[layer.hidden :] / SCALE))).reshape(3, layer.hidden)
        cell = truncated(f * cell + i * g, SCALE)
        hidden = truncated(o * _nearest(np.tanh(cell / SCALE)), SCALE)
    return hidden


def _nearest(values: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    return np.rint(values * SCALE).astype(np.int64)


def float_logits(layer: Recurrence, pictures: Array, parameters: Mapping[str, Array]) -> Array:
    """The ten scores by trained floats for pictures (n, 28, 28) of values 0 ... 1."""
    hidden = cell = np.zeros((len(pictures), layer.hidden), np.float32)
    for row in sequence(pictures):
        inputs = np.concatenate([hidden, row], axis=1)
        sums = inputs @ parameters[f"{layer.name}_weights"].T + parameters[f"{layer.name}_bias"]
        g = np.tanh(sums[:, : layer.hidden])
        f, i, o = np.split(1 / (1 + np.exp(-sums[:, layer.hidden :])), 3, axis=1)
        cell = f * cell + i * g
        hidden = o * np.tanh(cell)
    return hidden @ parameters["dense2_weights"].T + parameters["dense2_bias"]
