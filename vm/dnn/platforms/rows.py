"""Large dense layers straight from the entries of their blocks: nothing to decode, to lay out and to hold twice.

The platform ``rows`` takes a whole map's products with a large block of at most 2 bytes a weight, where items fit 16
bits and a run of products 32 (``row_kernels``). Its layout is the entry itself, in memory or a file mapped to memory;
loading it reads the pages.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from smartvm.vm.dnn import items as item_arrays
from smartvm.vm.dnn.buffer import Buffer
from smartvm.vm.dnn.compiling.machine_code import row_kernels
from smartvm.vm.dnn.items import ItemArray
from smartvm.vm.dnn.operations import Convolution, Operation
from smartvm.vm.dnn.platforms.kernel_sets import ROWS_TOGETHER
from smartvm.vm.dnn.shapes import Correlation, Ends, Transposed
from smartvm.vm.dnn.weights.blocks import WeightBlock

#: Bytes of the smallest block that is taken: smaller ones are laid out for tiles in no time, and stay in the caches.
LEAST_BYTES = 1 << 19

_KEY = "rows"
_PAGE = 4096
_MOST_TERMS = 1 << 32
_RUN_LIMIT = 1 << 31


def takes(block: WeightBlock, shape: Correlation) -> bool:
    """Whether the platform takes a shape of which the block is the weights."""
    return (
        block.stored_bytes >= LEAST_BYTES
        and block.width <= 2
        and shape.is_whole_map
        and shape.groups == 1
        and shape.kernels >= ROWS_TOGETHER
        and shape.terms < _MOST_TERMS
    )


def _packed(block: WeightBlock) -> npt.NDArray[np.uint8]:
    return block.prepare(_KEY, lambda: _read(block))


def _read(block: WeightBlock) -> npt.NDArray[np.uint8]:
    packed = np.frombuffer(block.packed, np.uint8)
    if block.extremes_are_known:
        packed[::_PAGE].max()  # a byte of each page, so that no page has to be found later
    else:
        low, high = row_kernels.touch(packed, block.width)
        block.note_extremes(int(low), int(high))
    return packed


@dataclass(slots=True)
class RowWork:
    """A product that a Buffer puts off; nothing joins it. ``values`` are the map's items, which do not change
    meanwhile."""

    values: npt.NDArray[np.int16]
    packed: npt.NDArray[np.uint8]
    width: int
    kernels: int
    run: int
    bound: int

    @property
    def channels(self) -> int:
        """Of the result, as if it were channel by channel."""
        return 1

    def __len__(self) -> int:
        return self.kernels

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
        out = np.empty(self.kernels, np.int64)
        row_kernels.multiply_rows(self.values, self.packed, self.width, self.kernels, self.run, out)
        items, low, high = item_arrays.narrowed(out)
        return items, (low, high)


class Rows:
    """The platform; see the module."""

    name = "rows"

    def load_block(self, block: WeightBlock, shape: Correlation | Transposed, ends: Ends | None = None) -> bool:
        """See ``dispatcher.Platform``."""
        if not isinstance(shape, Correlation) or not takes(block, shape):
            return False
        _packed(block)
        return True

    def run(self, buffer: Buffer, operation: Operation) -> bool:
        """See ``dispatcher.Platform``."""
        if not isinstance(operation, Convolution):
            return False
        block, shape = operation.block, operation.shape
        if buffer.bound >= 1 << 15 or not takes(block, shape):
            return False
        packed = _packed(block)
        product = block.bound * buffer.bound
        run = (_RUN_LIMIT - 1) // (2 * product) if product else _RUN_LIMIT
        if run < 1:
            return False
        values: Any = item_arrays.as_type(buffer.array, np.int16)
        buffer.defer(RowWork(values, packed, block.width, shape.kernels, run, product * shape.terms))
        return True
