"""Weights of the networks: the trained ones that an example ships, else random ones of a fixed seed.

Random weights have the variance of He's initialisation, but long tails as trained weights have (Laplace), so that a
layer's largest weight is ten times its deviation and blocks take two bytes an item, as those of trained networks do.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from math import prod, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from smartvm.examples.networks.digits import held_out_digits
from smartvm.examples.networks.layers import SCALE, Network, Weighted

Integers = npt.NDArray[Any]
Parameters = Mapping[str, Integers]

EXAMPLES = Path(__file__).resolve().parent.parent

#: Random numbers that are drawn at a time, so that a large layer needs little memory beside its weights.
_CHUNK = 1 << 20


def parameters_of(network: Network) -> Parameters:
    """Weights times 1,000 and biases times 1,000,000 by ``NAME_weights`` and ``NAME_bias``, in the order of their
    blocks."""
    shipped = EXAMPLES / network.folder / "weights.npz"
    return shipped_parameters(network, shipped) if shipped.is_file() else dict(random_parameters(network))


def shipped_parameters(network: Network, path: Path) -> Parameters:
    """The arrays of a ``.npz`` file, which are in the order of the layers."""
    with np.load(path) as file:
        arrays = [file[name] for name in file.files]
    pairs = zip(network.weighted, arrays[::2], arrays[1::2], strict=True)
    result: dict[str, Integers] = {}
    for layer, weights, bias in pairs:
        result[f"{layer.name}_weights"] = weights.reshape(layer.weights_shape)
        result[f"{layer.name}_bias"] = bias
    return result


def random_parameters(network: Network, seed: int = 0) -> Iterator[tuple[str, Integers]]:
    """Random weights as int16 and biases as int32, layer by layer."""
    for layer in network.weighted:
        random = np.random.default_rng([seed, zlib.crc32(f"{network.name}.{layer.name}".encode())])
        yield f"{layer.name}_weights", _laplace(random, layer)
        yield f"{layer.name}_bias", np.rint(random.normal(0, 0.05 * SCALE**2, layer.outputs)).astype(np.int32)


def _laplace(random: np.random.Generator, layer: Weighted) -> npt.NDArray[np.int16]:
    mean_magnitude = layer.gain * sqrt(2 / layer.terms) / sqrt(2) * SCALE
    weights = np.empty(prod(layer.weights_shape), np.int16)
    for start in range(0, len(weights), _CHUNK):
        part = weights[start : start + _CHUNK]
        magnitudes = random.standard_exponential(len(part), np.float32) * np.float32(mean_magnitude)
        signs = random.integers(0, 2, len(part), np.int8) * 2 - 1
        part[:] = np.rint(np.minimum(magnitudes, 32_767)) * signs
    return weights.reshape(layer.weights_shape)


def sample_input(network: Network, seed: int = 0) -> Integers:
    """A held-out digit where the network reads gray values, else a picture of normal values times 1,000, as pictures
    are after normalisation."""
    if network.gray:
        digit: Integers = held_out_digits()[0][seed]
        return digit
    random = np.random.default_rng([seed, 1])
    values = random.normal(0, SCALE, network.input_shape).clip(-3 * SCALE, 3 * SCALE)
    picture: Integers = np.rint(values).astype(np.int16)
    return picture


def quantised(parameters: Mapping[str, npt.NDArray[np.float32]]) -> dict[str, Integers]:
    """Trained floats as integers: weights × 1,000 as int16, biases × 1,000,000 as int32."""
    result: dict[str, Integers] = {}
    for name, value in parameters.items():
        is_weight = name.endswith("_weights")
        scaled = np.rint(value.astype(np.float64) * (SCALE if is_weight else SCALE**2)).astype(np.int64)
        kind = np.int16 if is_weight else np.int32
        if np.abs(scaled).max() > np.iinfo(kind).max:
            raise SystemExit(f"{name} does not fit {kind.__name__} at its scale")
        result[name] = scaled.astype(kind)
    return result
