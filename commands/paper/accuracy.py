"""Accuracy of float and of integer inference."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from smartvm.commands.paper import native
from smartvm.commands.paper.measurement import Measurement
from smartvm.commands.paper.subject import Array, Subject
from smartvm.examples.networks import logits, sample_input
from smartvm.examples.networks.digits import held_out_digits
from smartvm.examples.networks.layers import SCALE, Network
from smartvm.examples.networks.parameters import EXAMPLES, shipped_parameters

FIGURE = "accuracy"
_TRAINED = "share of the 359 held-out digits that is named right"
_SAME = "share of pictures (held-out digits, or 4 random ones) for which both name the same class"
_DIFFERENCE = "largest difference of a score between float and integer inference, of the largest score"
_RANDOM = "its weights are random"


def accuracies(subject: Subject, pictures: int | None = None) -> Iterator[Measurement]:
    """Accuracy where the weights are trained; else how far floats and integers agree. ``pictures``: at most so many."""
    network = subject.network
    if not native.is_available():
        yield Measurement(FIGURE, network.folder, "float inference", None, "%", _TRAINED, native.MISSING)
        return
    trained = network.gray
    samples, labels = held_out_digits() if trained else (_random_pictures(network), None)
    samples = samples[:pictures]
    # where there are trained floats these, not the integers made of them
    model = native.NativeModel(network, _trained_floats(network) if trained else subject.parameters)
    of_floats = [model.run(model.inputs(picture)) for picture in samples]
    with subject.chain() as chain:
        contract = subject.contract(chain)
        of_integers = [logits(network, contract, picture) / SCALE for picture in samples]
    named = [np.array([scores.argmax() for scores in found]) for found in (of_floats, of_integers)]
    for quantity, found in zip(("float inference", "integer inference"), named, strict=True):
        value = None if labels is None else 100 * float((found == labels[: len(found)]).mean())
        note = _RANDOM if labels is None else ""
        yield Measurement(FIGURE, network.folder, quantity, value, "%", _TRAINED, note)
    same = 100 * float((named[0] == named[1]).mean())
    yield Measurement(FIGURE, network.folder, "same class", same, "%", _SAME)
    difference = max(float(np.abs(a - b).max() / np.abs(a).max()) for a, b in zip(of_floats, of_integers, strict=True))
    yield Measurement(FIGURE, network.folder, "difference", 100 * difference, "%", _DIFFERENCE)


def _random_pictures(network: Network) -> Array:
    return np.stack([sample_input(network, seed) for seed in range(4)])


def _trained_floats(network: Network) -> dict[str, Array]:
    """The floats that training gave, at the scales of the integers, as ``native`` takes them."""
    trained = shipped_parameters(network, EXAMPLES / network.folder / "float_weights.npz")
    return {name: value * (SCALE if name.endswith("_weights") else SCALE**2) for name, value in trained.items()}
