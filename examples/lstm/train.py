"""Train the LSTM on scikit-learn's digits with NumPy alone, and write what the example ships.

    python examples/lstm/train.py        # two minutes on one core

Writes ``weights.npz`` (integers: weights × 1,000, biases × 1,000,000) and ``float_weights.npz`` (what was trained).
The held-out pictures are those of ``examples/lenet5``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from smartvm.examples.networks.digits import Labels, load_split
from smartvm.examples.networks.layers import Recurrence
from smartvm.examples.networks.lstm import float_logits, sequence
from smartvm.examples.networks.models import lstm
from smartvm.examples.networks.parameters import quantised
from smartvm.examples.networks.training import Array, Parameters, cross_entropy, trained

HERE = Path(__file__).resolve().parent
GATES, DENSE = lstm().weighted
assert isinstance(GATES, Recurrence)
HIDDEN = GATES.hidden


def initial_parameters(random: np.random.Generator) -> Parameters:
    """Uniform weights of variance 1 / (3 inputs), no bias but 1 for the gate that forgets."""
    parameters: Parameters = {}
    for layer in (GATES, DENSE):
        limit = 1 / np.sqrt(layer.terms)
        weights = random.uniform(-limit, limit, layer.weights_shape)
        parameters[f"{layer.name}_weights"] = weights.astype(np.float32)
        parameters[f"{layer.name}_bias"] = np.zeros(layer.outputs, np.float32)
    parameters[f"{GATES.name}_bias"][HIDDEN : 2 * HIDDEN] = 1
    return parameters


def gradients(parameters: Parameters, pictures: Array, labels: Labels) -> tuple[float, Parameters]:
    """Mean cross-entropy of a batch and its gradient by every parameter, back through all steps."""
    weights = parameters["gates1_weights"]
    hidden = cell = np.zeros((len(pictures), HIDDEN), np.float32)
    kept = []
    for row in sequence(pictures):
        inputs = np.concatenate([hidden, row], axis=1)
        sums = inputs @ weights.T + parameters["gates1_bias"]
        g = np.tanh(sums[:, :HIDDEN])
        f, i, o = np.split(1 / (1 + np.exp(-sums[:, HIDDEN:])), 3, axis=1)
        before, cell = cell, f * cell + i * g
        squashed = np.tanh(cell)
        hidden = o * squashed
        kept.append((inputs, g, f, i, o, before, squashed))
    logits = hidden @ parameters["dense2_weights"].T + parameters["dense2_bias"]
    loss, slope = cross_entropy(logits, labels)
    result: Parameters = {
        "gates1_weights": np.zeros_like(weights),
        "gates1_bias": np.zeros_like(parameters["gates1_bias"]),
        "dense2_weights": slope.T @ hidden,
        "dense2_bias": slope.sum(axis=0),
    }
    of_hidden = slope @ parameters["dense2_weights"]
    of_cell = np.zeros_like(of_hidden)
    for inputs, g, f, i, o, before, squashed in reversed(kept):
        of_cell = of_cell + of_hidden * o * (1 - squashed**2)
        of_sums = np.concatenate(
            [
                of_cell * i * (1 - g**2),
                of_cell * before * f * (1 - f),
                of_cell * g * i * (1 - i),
                of_hidden * squashed * o * (1 - o),
            ],
            axis=1,
        )
        result["gates1_weights"] += of_sums.T @ inputs
        result["gates1_bias"] += of_sums.sum(axis=0)
        of_hidden = (of_sums @ weights)[:, :HIDDEN]
        of_cell = of_cell * f
    return loss, result


def train(pictures: Array, labels: Labels, epochs: int, seed: int) -> Parameters:
    """Adam with a rate that falls to zero along a cosine; gradients longer than 1 are shortened."""
    random = np.random.default_rng(seed)
    start = initial_parameters(random)
    return trained(start, gradients, pictures, labels, epochs=epochs, rate=3e-3, random=random, longest=1.0)


def main() -> None:
    """Train, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--epochs", type=int, default=50)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    pictures, labels, held_out, held_out_labels = load_split()
    parameters = train(pictures.astype(np.float32) / 255, labels, options.epochs, options.seed)
    logits = float_logits(GATES, held_out.astype(np.float32) / 255, parameters)
    accuracy = (logits.argmax(axis=1) == held_out_labels).mean()
    print(f"float accuracy on {len(held_out)} held-out digits: {accuracy:.2%}")
    np.savez_compressed(HERE / "weights.npz", **quantised(parameters))
    np.savez_compressed(HERE / "float_weights.npz", **parameters)


if __name__ == "__main__":
    main()
