"""The platform that takes everything: BLAS where floats are exact, 64-bit and 256-bit integers elsewhere."""

from __future__ import annotations

from smartvm.vm.dnn import items as item_arrays
from smartvm.vm.dnn.buffer import Buffer
from smartvm.vm.dnn.items import ItemArray
from smartvm.vm.dnn.operations import Activation, Convolution, MatrixProduct, Operation, Pooling
from smartvm.vm.dnn.platforms.activated import activated
from smartvm.vm.dnn.platforms.correlation import bound_of, correlate, multiply, transpose
from smartvm.vm.dnn.platforms.pooled import pooled
from smartvm.vm.dnn.shapes import Correlation, Ends, Transposed
from smartvm.vm.dnn.weights.blocks import WeightBlock


class Plain:
    """Convolutions are put off, though nothing joins them; the rest is computed at once."""

    name = "plain"

    def load_block(self, block: WeightBlock, shape: Correlation | Transposed, ends: Ends | None = None) -> bool:
        """See ``Platform``."""
        return True

    def run(self, buffer: Buffer, operation: Operation) -> bool:
        """See ``Platform``."""
        if isinstance(operation, Convolution):
            buffer.defer(_PlainWork(buffer, operation))
        elif isinstance(operation, Pooling):
            buffer.hold(pooled(buffer, operation), operation.channels)
        elif isinstance(operation, Activation):
            buffer.replace(activated(buffer, operation))
        elif isinstance(operation, MatrixProduct):
            buffer.hold(multiply(operation))
        else:
            buffer.hold(transpose(buffer, operation.block, operation.shape))
        return True


class _PlainWork:
    """A convolution that holds the Buffer's items, which must not change meanwhile."""

    channels = 1  # the result is channel by channel

    def __init__(self, buffer: Buffer, convolution: Convolution) -> None:
        self.bound = bound_of(buffer, convolution.block, convolution.shape.terms)
        self._source = Buffer()
        self._source.replace(buffer.stored, buffer.extremes, buffer.layout)
        self._convolution = convolution

    def __len__(self) -> int:
        return self._convolution.shape.kernels * self._convolution.shape.positions

    def add_bias(self, block: WeightBlock) -> bool:
        """Not put off."""
        return False

    def divide(self, divisor: int) -> bool:
        """Not put off."""
        return False

    def rectify(self, cap: int) -> bool:
        """Not put off."""
        return False

    def carry_out(self) -> tuple[ItemArray, tuple[int, int]]:
        """The items and their extremes."""
        maps = correlate(self._source, self._convolution.block, self._convolution.shape)
        items, low, high = item_arrays.narrowed(maps)
        return items, (low, high)
