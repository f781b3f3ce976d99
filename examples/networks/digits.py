"""Handwritten digits: scikit-learn's as 28×28 pictures, in a training and a held-out part, and pictures from files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

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
    from sklearn.datasets import load_digits

    digits = load_digits()
    pictures = np.stack([enlarged(picture) for picture in digits.images])
    labels = digits.target.astype(np.int64)
    order = np.random.default_rng(SPLIT_SEED).permutation(len(labels))
    held_out = order[: round(len(order) * HELD_OUT_SHARE)]
    training = order[len(held_out) :]
    return pictures[training], labels[training], pictures[held_out], labels[held_out]


def shifted(pictures: npt.NDArray[np.float32], random: np.random.Generator) -> npt.NDArray[np.float32]:
    """Each picture moved by up to two cells, so that the network does not learn places by heart."""
    moves = random.integers(-2, 3, (len(pictures), 2))
    return np.stack([np.roll(p, tuple(move), axis=(0, 1)) for p, move in zip(pictures, moves, strict=True)])


def held_out_digits() -> tuple[Pictures, Labels]:
    """The held-out pictures and their labels, from the file that ``examples/lenet5`` ships."""
    with np.load(Path(__file__).resolve().parent.parent / "lenet5" / "held_out.npz") as data:
        return data["pictures"], data["labels"].astype(np.int64)


def read_picture(path: Path) -> Pictures:
    """A picture file as 28×28 gray values."""
    try:
        with Image.open(path) as image:
            gray = image.convert("L")
    except FileNotFoundError:
        raise SystemExit(f"there is no file {path}") from None
    except (OSError, UnidentifiedImageError):
        raise SystemExit(f"{path} is no picture") from None
    if gray.size != (28, 28):
        gray = gray.resize((28, 28), Image.Resampling.BICUBIC)
    return np.asarray(gray)
