"""The shapes of convolutions."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

Sizes = tuple[int, int, int]


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
