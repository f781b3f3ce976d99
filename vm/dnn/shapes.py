"""The shapes of convolutions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

Sizes = tuple[int, int, int]

#: The least and the greatest item.
Ends = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Correlation:
    """The shape of a correlation. Directions are depth, rows, columns (depth 1 in two dimensions).

    ``groups`` groups of ``inputs`` channels each; ``kernels`` output channels in all, spread evenly over the
    groups.
    """

    groups: int
    inputs: int
    kernels: int
    sizes: Sizes
    kernel: Sizes
    outputs: Sizes
    stride: int
    padding: Sizes

    @property
    def terms(self) -> int:
        """Products that one output item sums."""
        return self.inputs * prod(self.kernel)

    @property
    def positions(self) -> int:
        """Output items of one channel."""
        return prod(self.outputs)

    @property
    def products(self) -> int:
        """Multiply-accumulates in all, those with padding included."""
        return self.kernels * self.terms * self.positions

    @property
    def is_matrix(self) -> bool:
        """Whether the windows of the map are its own places, so that the map is the matrix of windows."""
        return self.kernel == (1, 1, 1) and self.stride == 1 and self.padding == (0, 0, 0)

    @property
    def is_whole_map(self) -> bool:
        """Whether the only window is the whole map."""
        return self.kernel == self.sizes and self.padding == (0, 0, 0)


def depthwise(channels: int, height: int, width: int, kernel: int, stride: int, padding: int) -> Correlation:
    """CONV_SING's shape: each channel by its own kernel."""
    return _plane(channels, 1, channels, height, width, kernel, stride, padding)


def convolution(
    channels: int, kernels: int, height: int, width: int, kernel: int, stride: int, padding: int
) -> Correlation:
    """CONV_MUL's shape."""
    return _plane(1, channels, kernels, height, width, kernel, stride, padding)


def _plane(
    groups: int, inputs: int, kernels: int, height: int, width: int, kernel: int, stride: int, padding: int
) -> Correlation:
    rows, columns = ((side + 2 * padding - kernel) // stride + 1 for side in (height, width))
    return Correlation(
        groups,
        inputs,
        kernels,
        (1, height, width),
        (1, kernel, kernel),
        (1, rows, columns),
        stride,
        (0, padding, padding),
    )


def volume(
    channels: int, kernels: int, depth: int, height: int, kernel: int, stride: int, padding: int
) -> Correlation:
    """CONV_3D's shape: maps as wide as high."""
    layers, side = ((size + 2 * padding - kernel) // stride + 1 for size in (depth, height))
    return Correlation(
        groups=1,
        inputs=channels,
        kernels=kernels,
        sizes=(depth, height, height),
        kernel=(kernel, kernel, kernel),
        outputs=(layers, side, side),
        stride=stride,
        padding=(padding, padding, padding),
    )


def full_connection(channels: int, height: int, width: int, outputs: int) -> Correlation:
    """FULL_CON's shape: the only window is the whole map."""
    sizes = (1, height, width)
    return Correlation(1, channels, outputs, sizes, sizes, (1, 1, 1), 1, (0, 0, 0))


def shape_of(name: str, operands: Sequence[int]) -> Correlation | None:
    """The shape of CONV_SING, CONV_MUL, CONV_3D or FULL_CON with known operands (block id first), if it is one at
    all."""
    _, *sizes = operands
    if name not in ("CONV_SING", "CONV_MUL", "CONV_3D", "FULL_CON") or max(sizes) >= 1 << 32:
        return None
    if name == "FULL_CON":
        channels, height, width, outputs = sizes
        return full_connection(channels, height, width, outputs) if min(sizes) >= 1 else None
    channels, kernels, height, width, kernel, stride, padding = sizes
    if min(sizes[:-1]) < 1 or min(height, width) + 2 * padding < kernel:
        return None
    if name == "CONV_3D":
        return volume(channels, kernels, height, width, kernel, stride, padding)
    if name == "CONV_MUL":
        return convolution(channels, kernels, height, width, kernel, stride, padding)
    return depthwise(channels, height, width, kernel, stride, padding) if kernels == channels else None


@dataclass(frozen=True, slots=True)
class Transposed:
    """The shape of a transposed convolution: rows and columns."""

    inputs: int
    kernels: int
    sizes: tuple[int, int]
    kernel: int
    outputs: tuple[int, int]
    stride: int
    padding: int

    @property
    def terms(self) -> int:
        """Products that one output item sums, at most."""
        return self.inputs * self.kernel * self.kernel

    @property
    def products(self) -> int:
        """Multiply-accumulates in all, those cropped away included."""
        return self.terms * self.kernels * self.sizes[0] * self.sizes[1]
