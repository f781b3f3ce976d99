"""The 16-bit route: which correlations it holds for, the packed weights, and the work that Buffers put off.

Exact where items and weights fit 16 bits and no sum of one kernel can leave int32: the largest sum of magnitudes of one
kernel (counted when it is packed, and far below largest weight x number of terms) times the largest item, plus
the bias, stays below 2^31. Items that are too large for that are cut into limbs, of which each is (``Limbs``).

Its functions need nothing of a frame: an executor of whole regions calls ``plan_of`` and ``panels_of`` once, and then
the kernels of ``panel_kernels`` on their arrays (``correlate_taps`` where the plan has offsets, else
``correlate_panels``), as ``deferred.PanelWork`` does.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt
from smartvm.vm.dnn import panel_kernels
from smartvm.vm.dnn.blocks import WeightBlock
from smartvm.vm.dnn.shapes import Correlation

#: Sums of a single pass stay below.
SUM_LIMIT = 1 << 31
#: Sums of limbs stay below, where float64 divides exactly.
LIMB_SUM_LIMIT = 1 << 51
#: Passes over limbs beyond which float64 BLAS is as fast.
_MOST_LIMBS = 4
#: Bytes of a block that are read at a time to be packed.
_PACKED_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class PanelPlan:
    """How a shape is computed.

    Weights are packed as ``kernels`` of ``inputs`` channels x ``rows`` x ``columns``. The map is read with
    ``padding`` (top, left) around it, ``copied`` when it cannot be read where it is; or its windows are ``gathered``
    as rows. ``window`` are the numbers that the kernels take, ``offsets`` a depthwise kernel's taps.
    """

    kernels: int
    inputs: int
    rows: int
    columns: int
    padding: tuple[int, int]
    copied: bool
    gathered: bool
    window: npt.NDArray[np.int64]
    offsets: npt.NDArray[np.int64] | None = None

    @property
    def length(self) -> int:
        """Items of a stretch, filled up to an even number."""
        return _even(self.columns * self.inputs)

    @property
    def map_channels(self) -> int:
        """Channels of the map that is read, beside each other."""
        return self.kernels if self.offsets is not None else self.inputs


def _even(count: int) -> int:
    return count + count % 2


@lru_cache(maxsize=256)
def plan_of(shape: Correlation) -> PanelPlan | None:
    """The plan of a shape; None where this route has none, or its numbers are beyond what kernels count with (such
    a shape is seen before its gas is asked for)."""
    line = (shape.sizes[2] + 2 * shape.padding[2]) * max(shape.inputs, shape.kernels)
    if max(shape.positions, shape.terms, shape.stride * line, prod(shape.sizes) * shape.inputs) >= 1 << 62:
        return None
    if shape.groups > 1:
        return _depthwise_plan(shape) if shape.inputs == 1 else None
    if shape.is_whole_map:
        cells = prod(shape.sizes)
        copied = cells * shape.inputs % 2 == 1
        window = _window(1, 1, 0, 0, 1, _even(cells * shape.inputs), 0)
        return PanelPlan(shape.kernels, shape.inputs, 1, cells, (0, 0), copied, False, window)
    _, top, left = shape.padding
    _, height, width = (size + 2 * padding for size, padding in zip(shape.sizes, shape.padding, strict=True))
    flat = shape.sizes[0] == 1 and shape.kernel[0] == 1 and shape.padding[0] == 0
    if flat and (top == left == 0 or height * width * shape.inputs <= shape.terms * shape.positions):
        line = width * shape.inputs
        stretch = shape.kernel[2] * shape.inputs
        window = _window(
            shape.positions,
            shape.outputs[2],
            shape.stride * line,
            shape.stride * shape.inputs,
            shape.kernel[1],
            _even(stretch),
            line,
        )
        copied = top > 0 or left > 0 or stretch % 2 == 1
        return PanelPlan(
            shape.kernels, shape.inputs, shape.kernel[1], shape.kernel[2], (top, left), copied, False, window
        )
    length = _even(shape.terms)
    window = _window(shape.positions, shape.positions, 0, length, 1, length, 0)
    return PanelPlan(shape.kernels, 1, 1, shape.terms, (0, 0), False, True, window)


def _depthwise_plan(shape: Correlation) -> PanelPlan | None:
    channels = shape.kernels
    _, top, left = shape.padding
    _, height, width = (size + 2 * padding for size, padding in zip(shape.sizes, shape.padding, strict=True))
    if channels != shape.groups or channels < panel_kernels.CHANNELS or shape.sizes[0] != 1 or shape.kernel[0] != 1:
        return None
    if (top or left) and height * width > shape.terms * shape.positions:
        return None
    line = width * channels
    window = _window(
        shape.positions, shape.outputs[2], shape.stride * line, shape.stride * channels, 0, 0, 0
    )
    rows, columns = shape.kernel[1], shape.kernel[2]
    offsets = (np.arange(rows)[:, None] * line + np.arange(columns) * channels).reshape(-1)
    if len(offsets) % 2:
        offsets = np.append(offsets, 0)
    copied = top > 0 or left > 0
    return PanelPlan(channels, 1, rows, columns, (top, left), copied, False, window, offsets)


def _window(*numbers: int) -> npt.NDArray[np.int64]:
    return np.array(numbers, np.int64)


@dataclass(frozen=True, slots=True)
class Panels:
    """Packed weights, and the largest sum of magnitudes of one kernel."""

    weights: npt.NDArray[Any]
    norm: int

    @property
    def nbytes(self) -> int:
        """Bytes that they take."""
        return int(self.weights.nbytes)


def panels_of(block: WeightBlock, plan: PanelPlan) -> Panels:
    """The block's weights packed for a plan, kept with the block. The block's width is at most 2 bytes.

    A matrix-vector product waits for memory alone, so its weights stay bytes where they are bytes.
    """
    taps = plan.offsets is not None
    narrow = block.width == 1 and plan.window[0] == 1 and not taps
    key = ("panels", plan.kernels, plan.inputs, plan.rows, plan.columns, taps, narrow)
    return block.prepare(key, lambda: _packed(block, plan, np.int8 if narrow else np.int16))


def _packed(block: WeightBlock, plan: PanelPlan, dtype: type[np.signedinteger[Any]]) -> Panels:
    panel = panel_kernels.CHANNELS
    panels = -(-plan.kernels // panel)
    if plan.offsets is not None:
        weights: npt.NDArray[Any] = np.empty(panels * panel * len(plan.offsets), dtype)
        packed = np.frombuffer(block.packed, np.uint8)
        taps = plan.rows * plan.columns
        found = panel_kernels.pack_taps(packed, block.width, plan.kernels, taps, weights)
        block.note_extremes(int(found[1]), int(found[2]))
        return Panels(weights, int(found[0]))
    weights = np.empty(panels * panel * plan.rows * plan.length, dtype)
    kernel_bytes = plan.inputs * plan.rows * plan.columns * block.width
    step = max(1, _PACKED_BYTES // (panel * kernel_bytes)) * panel
    parts = []
    for first in range(0, plan.kernels, step):
        count = min(step, plan.kernels - first)
        packed = np.frombuffer(block.entry.part(1 + first * kernel_bytes, count * kernel_bytes), np.uint8)
        target = weights[first * plan.rows * plan.length :]
        parts.append(
            panel_kernels.pack_panels(packed, block.width, count, plan.inputs, plan.rows, plan.columns, target)
        )
    block.note_extremes(min(int(part[1]) for part in parts), max(int(part[2]) for part in parts))
    return Panels(weights, max(int(part[0]) for part in parts))


@dataclass(frozen=True, slots=True)
class Limbs:
    """Items as ``count`` limbs of ``bits`` bits each, −2^(bits − 1) … 2^(bits − 1) − 1: x = Σ limb_i·2^(bits·i)."""

    count: int
    bits: int


@lru_cache(maxsize=256)
def limbs_for(norm: int, bound: int, bias: int = 0) -> Limbs | None:
    """The fewest limbs of items up to ``bound`` that kernels of a norm sum exactly; None where that is no gain.

    One limb of 16 bits is the item itself.
    """
    if bound < 1 << 15 and norm * bound + bias < SUM_LIMIT:
        return Limbs(1, 16)
    if norm * bound + bias >= LIMB_SUM_LIMIT or norm == 0:
        return None
    # limbs up to 2^(bits - 1) in magnitude: norm·2^(bits - 1) < 2^31
    bits = min(16, ((SUM_LIMIT - 1) // norm).bit_length())
    if bits < 2:
        return None
    for count in range(2, _MOST_LIMBS + 1):
        # each limb taken away leaves less than |x| / 2^bits + 1
        if (bound >> (bits * (count - 1))) + 2 < 1 << (bits - 1):
            return Limbs(count, bits)
    return None


def cut(values: npt.NDArray[np.int16], limbs: Limbs) -> npt.NDArray[np.int16]:
    """Items as rows of limbs, the lowest first."""
    rest = values.astype(np.int64)
    rows = np.empty((limbs.count, len(values)), np.int16)
    half = 1 << (limbs.bits - 1)
    for i in range(limbs.count - 1):
        low = ((rest + half) & (2 * half - 1)) - half
        rows[i] = low
        rest = (rest - low) >> limbs.bits
    rows[-1] = rest
    return rows


def placed(
    values: npt.NDArray[np.int16], shape: Correlation, plan: PanelPlan, layout: int
) -> npt.NDArray[np.int16]:
    """The map as the plan's window numbers read it: channels last, padded. ``values`` are channel by channel
    (``layout`` 1) or ``layout`` channels last."""
    channels = plan.map_channels
    cells = len(values) // channels
    if not plan.copied and (layout == channels or cells == 1 or channels == 1):
        return values
    height, width = (1, cells) if shape.is_whole_map else (shape.sizes[1], shape.sizes[2])
    top, left = plan.padding
    # a stretch of an odd number of items reads one beyond, which meets a weight of 0
    out = np.empty((height + 2 * top) * (width + 2 * left) * channels + 1, np.int16)
    steps = (1, channels) if layout == channels else (cells, 1)
    panel_kernels.place_map(values, height, width, channels, *steps, top, left, out)
    return out
