"""Train LeNet-5 on scikit-learn's digits with NumPy alone, and write what the example ships.

    python examples/lenet5/train.py        # half a minute on one core

Writes ``weights.npz`` (integers: weights × 1,000, biases × 1,000,000, which is the scale of the sums they are
added to), ``float_weights.npz`` (what was trained), ``held_out.npz`` (pictures that training never saw) and
``digits/*.png`` (the first of these of each class).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image
from smartvm.examples.networks.digits import Labels, load_split
from smartvm.examples.networks.parameters import quantised
from smartvm.examples.networks.training import Array, Parameters, cross_entropy, trained

HERE = Path(__file__).resolve().parent

#: Layer, shape of its weights, and whether 2×2 maximum pooling follows.
LAYERS: tuple[tuple[str, tuple[int, ...], bool], ...] = (
    ("conv1", (6, 1, 5, 5), True),
    ("conv2", (16, 6, 5, 5), True),
    ("conv3", (120, 16, 4, 4), False),
    ("dense1", (84, 120), False),
    ("dense2", (10, 84), False),
)


def initial_parameters(random: np.random.Generator) -> Parameters:
    """He's initialisation: normal weights of variance 2 / inputs, no bias."""
    parameters: Parameters = {}
    for name, shape, _ in LAYERS:
        deviation = np.sqrt(2 / np.prod(shape[1:]))
        parameters[f"{name}_weights"] = (random.standard_normal(shape) * deviation).astype(np.float32)
        parameters[f"{name}_bias"] = np.zeros(shape[0], np.float32)
    return parameters


def windows_of(x: Array, side: int) -> Array:
    """All windows of ``side``×``side`` as rows: (pictures, rows, columns, channels·side·side)."""
    windows = np.lib.stride_tricks.sliding_window_view(x, (side, side), axis=(2, 3)).transpose(0, 2, 3, 1, 4, 5)
    return windows.reshape(*windows.shape[:3], -1)


def forward(parameters: Parameters, pictures: Array) -> tuple[Array, list[tuple[Array, ...]]]:
    """Logits of a batch (pictures, 28, 28), and what each layer keeps for the backward pass."""
    x = pictures[:, None]
    kept: list[tuple[Array, ...]] = []
    for name, shape, pooled in LAYERS:
        weights, bias = parameters[f"{name}_weights"], parameters[f"{name}_bias"]
        last = name == LAYERS[-1][0]
        if len(shape) == 2:
            flat = x.reshape(len(x), -1)
            sums = flat @ weights.T + bias
            kept.append((flat, sums))
            x = sums if last else np.maximum(sums, 0)
            continue
        rows = windows_of(x, shape[-1])
        sums = (rows @ weights.reshape(shape[0], -1).T + bias).transpose(0, 3, 1, 2)
        active = np.maximum(sums, 0)
        kept.append((x, rows, sums))
        x = active
        if pooled:
            count, channels, height, width = active.shape
            quads = active.reshape(count, channels, height // 2, 2, width // 2, 2).transpose(0, 1, 2, 4, 3, 5)
            quads = quads.reshape(count, channels, height // 2, width // 2, 4)
            kept[-1] = (*kept[-1], quads)
            x = quads.max(axis=-1)
    return x, kept


def gradients(parameters: Parameters, pictures: Array, labels: Labels) -> tuple[float, Parameters]:
    """Mean cross-entropy of a batch and its gradient by every parameter."""
    logits, kept = forward(parameters, pictures)
    loss, slope = cross_entropy(logits, labels)
    result: Parameters = {}
    for (name, shape, pooled), layer in zip(reversed(LAYERS), reversed(kept), strict=True):
        weights = parameters[f"{name}_weights"]
        if len(shape) == 2:
            flat, sums = layer
            if name != LAYERS[-1][0]:
                slope = slope.reshape(sums.shape) * (sums > 0)
            result[f"{name}_weights"] = slope.T @ flat
            result[f"{name}_bias"] = slope.sum(axis=0)
            slope = slope @ weights
            continue
        x, rows, sums = layer[:3]
        if pooled:
            quads = layer[3]
            winner = quads.argmax(axis=-1)[..., None]
            spread = np.zeros_like(quads)
            np.put_along_axis(spread, winner, slope.reshape(quads.shape[:-1])[..., None], axis=-1)
            count, channels, height, width = sums.shape
            spread = spread.reshape(count, channels, height // 2, width // 2, 2, 2).transpose(0, 1, 2, 4, 3, 5)
            slope = spread.reshape(sums.shape)
        slope = slope.reshape(sums.shape) * (sums > 0)
        flat_slope = slope.transpose(0, 2, 3, 1).reshape(-1, shape[0])
        result[f"{name}_weights"] = (flat_slope.T @ rows.reshape(len(flat_slope), -1)).reshape(shape)
        result[f"{name}_bias"] = flat_slope.sum(axis=0)
        if name != LAYERS[0][0]:
            side = shape[-1]
            padded = np.pad(slope, ((0, 0), (0, 0), (side - 1, side - 1), (side - 1, side - 1)))
            turned = weights[:, :, ::-1, ::-1].transpose(1, 0, 2, 3).reshape(shape[1], -1)
            slope = (windows_of(padded, side) @ turned.T).transpose(0, 3, 1, 2)
            slope = np.ascontiguousarray(slope)
            assert slope.shape == x.shape
    return loss, result


def train(pictures: Array, labels: Labels, epochs: int, seed: int) -> Parameters:
    """Adam with a rate that falls to zero along a cosine."""
    random = np.random.default_rng(seed)
    start = initial_parameters(random)
    return trained(start, gradients, pictures, labels, epochs=epochs, rate=2e-3, random=random)


def main() -> None:
    """Train, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    pictures, labels, held_out, held_out_labels = load_split()
    parameters = train(pictures.astype(np.float32) / 255, labels, options.epochs, options.seed)
    logits, _ = forward(parameters, held_out.astype(np.float32) / 255)
    accuracy = (logits.argmax(axis=1) == held_out_labels).mean()
    print(f"float accuracy on {len(held_out)} held-out digits: {accuracy:.2%}")
    np.savez_compressed(HERE / "weights.npz", **quantised(parameters))
    np.savez_compressed(HERE / "float_weights.npz", **parameters)
    np.savez_compressed(HERE / "held_out.npz", pictures=held_out, labels=held_out_labels.astype(np.uint8))
    (HERE / "digits").mkdir(exist_ok=True)
    for digit in range(10):
        index = int(np.flatnonzero(held_out_labels == digit)[0])
        Image.fromarray(held_out[index]).save(HERE / "digits" / f"{digit}.png")


if __name__ == "__main__":
    main()
