"""scikit-learn's bundled handwritten digits as 28×28 pictures, split into a training and a held-out part."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

#: The share that training never sees, and the seed that draws it.
HELD_OUT_SHARE = 0.2
SPLIT_SEED = 5

Pictures = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]


def enlarged(picture: npt.NDArray[np.float64]) -> Pictures:
    """An 8×8 digit of values 0 … 16 as 28×28 gray values: bicubic to 20×20 with a margin of 4, as in
    MNIST."""
    small = Image.fromarray(np.round(picture * (255 / 16)).astype(np.uint8))
    canvas = np.zeros((28, 28), np.uint8)
    canvas[4:24, 4:24] = np.asarray(small.resize((20, 20), Image.Resampling.BICUBIC))
    return canvas


def load_split() -> tuple[Pictures, Labels, Pictures, Labels]:
    """Training pictures and labels, held-out pictures and labels. Needs scikit-learn (``pip install
    smartvm[train]``)."""
    from sklearn.datasets import load_digits  # type: ignore[import-not-found, unused-ignore]

    digits = load_digits()
    pictures = np.stack([enlarged(picture) for picture in digits.images])
    labels = digits.target.astype(np.int64)
    order = np.random.default_rng(SPLIT_SEED).permutation(len(labels))
    held_out = order[: round(len(order) * HELD_OUT_SHARE)]
    training = order[len(held_out) :]
    return pictures[training], labels[training], pictures[held_out], labels[held_out]
