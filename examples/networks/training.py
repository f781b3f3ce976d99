"""Training by gradient descent in NumPy alone, which the trained examples share."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from smartvm.examples.networks.digits import Labels, shifted

Array = npt.NDArray[np.float32]
Parameters = dict[str, Array]

#: Loss of a batch of pictures and labels, and its gradient by every parameter.
Gradients = Callable[[Parameters, Array, Labels], tuple[float, Parameters]]

#: Pictures of a batch.
_BATCH = 32


def cross_entropy(logits: Array, labels: Labels) -> tuple[float, Array]:
    """Mean cross-entropy of a batch's logits (pictures, classes), and its gradient by them."""
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    loss = float(-np.log(shares[np.arange(len(labels)), labels] + 1e-12).mean())
    shares[np.arange(len(labels)), labels] -= 1
    return loss, (shares / len(labels)).astype(np.float32)


def trained(
    parameters: Parameters,
    gradients: Gradients,
    pictures: Array,
    labels: Labels,
    *,
    epochs: int,
    rate: float,
    random: np.random.Generator,
    longest: float = np.inf,
) -> Parameters:
    """Parameters after some epochs of Adam over pictures that are shifted at random: its rate falls from ``rate`` to
    zero along a cosine; gradients longer than ``longest`` are shortened. Prints each epoch's loss."""
    parameters = dict(parameters)
    mean = {name: np.zeros_like(value) for name, value in parameters.items()}
    square = {name: np.zeros_like(value) for name, value in parameters.items()}
    steps = epochs * (len(labels) // _BATCH)
    step = 0
    for epoch in range(epochs):
        order = random.permutation(len(labels))
        losses = []
        for start in range(0, len(order) - _BATCH + 1, _BATCH):
            chosen = order[start : start + _BATCH]
            loss, slopes = gradients(parameters, shifted(pictures[chosen], random), labels[chosen])
            losses.append(loss)
            step += 1
            now = rate * 0.5 * (1 + np.cos(np.pi * step / steps))
            length = np.sqrt(sum(float((slope**2).sum()) for slope in slopes.values()))
            for name, slope in slopes.items():
                slope = slope / max(1.0, length / longest)
                mean[name] = 0.9 * mean[name] + 0.1 * slope
                square[name] = 0.999 * square[name] + 0.001 * slope * slope
                corrected = mean[name] / (1 - 0.9**step)
                deviation = np.sqrt(square[name] / (1 - 0.999**step)) + 1e-8
                parameters[name] = (parameters[name] - now * corrected / deviation).astype(np.float32)
        print(f"epoch {epoch + 1:2}: loss {np.mean(losses):.4f}", flush=True)
    return parameters
