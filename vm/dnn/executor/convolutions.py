"""Convolutions as handlers find them: a weight block, packed for the 16-bit route, in the shape of an instruction."""

from __future__ import annotations

from math import prod

import numpy as np
import numpy.typing as npt
from smartvm.vm.dnn.executor.compiling import handler_address
from smartvm.vm.dnn.executor.layout import CONVOLUTION
from smartvm.vm.dnn.platforms import rows
from smartvm.vm.dnn.platforms.deferred import prepare
from smartvm.vm.dnn.platforms.panels import BYTES
from smartvm.vm.dnn.shapes import shape_of
from smartvm.vm.dnn.weights.blocks import WeightBlock

#: Instructions that become convolutions.
CONVOLUTIONS = frozenset({"CONV_3D", "CONV_MUL", "CONV_SING", "FULL_CON"})

#: What gas depends on must be below, so that handlers' sums do not overflow.
_COUNT_LIMIT = 1 << 40
#: Items of windows that handlers gather at once; more are gathered bit by bit by kernels.
_GATHERED_ITEMS = 1 << 17


class Convolution:
    """A CONVOLUTION structure and the arrays that it refers to."""

    def __init__(self, opcode: int, name: str, operands: tuple[int, ...], block: WeightBlock) -> None:
        """Raises ``ValueError`` where there is no plan that handlers can follow."""
        shape = shape_of(name, operands)
        if shape is None or rows.takes(block, shape):
            raise ValueError("not by panels")
        prepared = prepare(block, shape)
        if prepared is None:
            raise ValueError("no plan")
        plan, packed = prepared
        self._key = block.prepared_key
        reads = 0 if shape.is_matrix or shape.is_whole_map else shape.groups * shape.terms * shape.positions
        items = shape.groups * shape.inputs * prod(shape.sizes)
        if max(shape.products, reads, items) >= _COUNT_LIMIT:
            raise ValueError("no plan for handlers")
        if plan.gathered and shape.positions * plan.length > _GATHERED_ITEMS:
            raise ValueError("too many windows")
        weights = packed.weights
        kind = "settle_words" if plan.offsets is None else "settle_taps"
        if plan.step == BYTES:
            kind = "settle_quads"
        elif plan.offsets is None and not plan.gathered and plan.window[0] == plan.window[4] == 1:
            kind = "settle_row" if weights.itemsize == 2 else "settle_row_of_bytes"
        elif weights.itemsize == 1:
            raise ValueError("bytes of several stretches")
        cells = items // plan.map_channels
        height, width = (1, cells) if shape.is_whole_map and plan.offsets is None else shape.sizes[1:]
        # windows are gathered of channels in their own order
        map_channels = 1 if plan.gathered else plan.map_channels
        self.operands = operands
        self.block = block
        self._fields = np.zeros(CONVOLUTION.size, np.int64)
        self._kept: list[npt.NDArray[np.generic]] = [weights, packed.sums, plan.window]
        if plan.offsets is not None:
            self._kept.append(plan.offsets)
        fields = {
            "opcode": opcode,
            "items": items,
            "map_channels": map_channels,
            "height": height,
            "width": width,
            "kernels": shape.kernels,
            "positions": shape.positions,
            "terms": shape.terms,
            "products": shape.products,
            "reads": max(reads, items),
            "top": plan.padding[0],
            "left": plan.padding[1],
            "copied": plan.copied,
            "weights": weights.ctypes.data,
            "weight_items": len(weights),
            "settle": handler_address(kind),
            "window": plan.window.ctypes.data,
            "offsets": 0 if plan.offsets is None else plan.offsets.ctypes.data,
            "taps": 0 if plan.offsets is None else len(plan.offsets),
            "norm": packed.norm,
            "sums": packed.sums.ctypes.data if plan.step == BYTES else 0,
            "gathered": plan.gathered,
            "inputs": shape.inputs,
            "stride": shape.stride,
        }
        for field, value in fields.items():
            self._fields[CONVOLUTION[field]] = value
        for field, numbers in (
            ("sizes", shape.sizes),
            ("kernel", shape.kernel),
            ("outputs", shape.outputs),
            ("padding", shape.padding),
        ):
            self._fields[CONVOLUTION[field] : CONVOLUTION[field] + 3] = numbers
        start = CONVOLUTION["operands"]
        self._fields[start : start + len(operands) - 1] = operands[1:]

    @property
    def is_current(self) -> bool:
        """Whether the block is not packed for another route by now."""
        return self.block.prepared_key in (None, self._key)

    @property
    def address(self) -> int:
        """Where the structure is."""
        return self._fields.ctypes.data
