"""What platforms compute: the heavy instructions, once their operands are checked and their gas is paid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from smartvm.vm.dnn.buffer import Buffer
from smartvm.vm.dnn.shapes import Correlation, Transposed
from smartvm.vm.dnn.weights.blocks import WeightBlock


@dataclass(frozen=True, slots=True)
class Convolution:
    """CONV_SING, CONV_MUL, CONV_3D, FULL_CON: the Buffer's map is correlated with the block's kernels."""

    block: WeightBlock
    shape: Correlation


@dataclass(frozen=True, slots=True)
class TransposedConvolution:
    """CONV_TPD."""

    block: WeightBlock
    shape: Transposed


@dataclass(frozen=True, slots=True)
class MatrixProduct:
    """MAT_MUL: ``first``, of ``rows`` x ``inner`` items, times ``second``, of ``inner`` x ``columns``."""

    first: Buffer
    second: Buffer
    rows: int
    inner: int
    columns: int


@dataclass(frozen=True, slots=True)
class Pooling:
    """POOL_MAX, POOL_OL (``kind`` maximum), POOL_AVG (average, without padding): windows of ``kernel`` x ``kernel``
    cells of maps of ``sizes``, at ``outputs`` places."""

    kind: Literal["maximum", "average"]
    channels: int
    sizes: tuple[int, int]
    kernel: int
    stride: int
    padding: int
    outputs: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Activation:
    """ACT_SM0, ACT_SM1, ACT_TANH at a scale, of at least one item. (ACT_RL joins what a Buffer stands for.)"""

    function: Literal["softmax", "sigmoid", "tanh"]
    scale: int


Operation: TypeAlias = Convolution | TransposedConvolution | MatrixProduct | Pooling | Activation

#: Instructions that become operations.
INSTRUCTIONS = frozenset(
    {
        *("CONV_SING", "CONV_MUL", "CONV_3D", "CONV_TPD", "FULL_CON", "MAT_MUL", "POOL_MAX", "POOL_AVG", "POOL_OL"),
        *("ACT_SM0", "ACT_SM1", "ACT_TANH"),
    }
)
