"""The routes on vector instructions: which correlations they hold for, the packed weights, and items in limbs.

Both sum in 32 bits, modulo 2^32, so they are exact where no result leaves int32: the largest sum of magnitudes of
one kernel (counted when it is packed, and far below largest weight x number of terms) times the largest item, plus
the bias, stays below 2^31. The 16-bit route takes items and weights that fit 16 bits; items that are too large are cut
into limbs, of which each is small enough (``Limbs``). The 8-bit route takes weights of one byte and items that
span 8 bits (``byte_shift``), multiplies twice as many with an instruction, and reads half as many bytes.

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
from smartvm.vm.dnn.compiling.machine_code import panel_kernels
from smartvm.vm.dnn.platforms import kernel_sets
from smartvm.vm.dnn.shapes import Correlation
from smartvm.vm.dnn.weights.blocks import WeightBlock

#: Items of a step, which a set multiplies at once in each lane: of 16 bits, of 8 bits.
WORDS, BYTES = 2, 4

#: Sums of a single pass stay below.
SUM_LIMIT = 1 << 31
#: Sums of limbs stay below, where float64 divides exactly.
LIMB_SUM_LIMIT = 1 << 51
#: Passes over limbs beyond which float64 BLAS is as fast.
_MOST_LIMBS = 4
#: Bytes of a block that are read at a time to be packed.
_PACKED_BYTES = 1 << 20
#: Terms of the 8-bit route: so many products of a weight of one byte and an item up to 255 stay below 2^31.
_MOST_BYTE_TERMS = ((1 << 31) - 1) // (128 * 255)
#: Products from which on it is the faster one, in all and for each item of the map (measured on AVX2).
_LEAST_BYTE_PRODUCTS = 1 << 20
_LEAST_BYTE_PRODUCTS_PER_ITEM = 96


@dataclass(frozen=True, slots=True)
class PanelPlan:
    """How a shape is computed, ``step`` items at a time.

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
    step: int = WORDS

    @property
    def length(self) -> int:
        """Items of a stretch, filled up to whole steps."""
        return _whole(self.columns * self.inputs, self.step)

    @property
    def map_channels(self) -> int:
        """Channels of the map that is read, beside each other."""
        return self.kernels if self.offsets is not None else self.inputs


def _whole(count: int, step: int) -> int:
    return -(-count // step) * step


@lru_cache(maxsize=256)
def plan_of(shape: Correlation, step: int = WORDS) -> PanelPlan | None:
    """The plan of a shape on the 16-bit route, or on the 8-bit one (``BYTES``); None where the route has none, or its
    numbers are beyond what kernels count with (such a shape is seen before its gas is asked for)."""
    line = (shape.sizes[2] + 2 * shape.padding[2]) * max(shape.inputs, shape.kernels)
    if max(shape.positions, shape.terms, shape.stride * line, prod(shape.sizes) * shape.inputs) >= 1 << 62:
        return None
    if shape.groups > 1:
        return _depthwise_plan(shape) if shape.inputs == 1 and step == WORDS else None
    if shape.is_whole_map:
        cells = prod(shape.sizes)
        copied = cells * shape.inputs % step > 0
        window = _window(1, 1, 0, 0, 1, _whole(cells * shape.inputs, step), 0)
        return PanelPlan(shape.kernels, shape.inputs, 1, cells, (0, 0), copied, False, window, step=step)
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
            _whole(stretch, step),
            line,
        )
        copied = top > 0 or left > 0 or stretch % step > 0
        rows, columns = shape.kernel[1:]
        return PanelPlan(shape.kernels, shape.inputs, rows, columns, (top, left), copied, False, window, step=step)
    if step != WORDS:
        return None
    length = _whole(shape.terms, step)
    window = _window(shape.positions, shape.positions, 0, length, 1, length, 0)
    return PanelPlan(shape.kernels, 1, 1, shape.terms, (0, 0), False, True, window)


def _depthwise_plan(shape: Correlation) -> PanelPlan | None:
    channels = shape.kernels
    _, top, left = shape.padding
    _, height, width = (size + 2 * padding for size, padding in zip(shape.sizes, shape.padding, strict=True))
    if channels != shape.groups or channels < kernel_sets.KERNELS.channels:
        return None
    if shape.sizes[0] != 1 or shape.kernel[0] != 1:
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


def byte_shift(low: int, high: int, weight_bound: int) -> int | None:
    """What is to be added to items from ``low`` to ``high`` to compute on the 8-bit route; None where it does not hold.

    Shifted, items and the padding, which is 0, are such as the set's instruction takes: 0 … 255 or −128 … 127. A
    kernel's sum is then Σ w·x = Σ w·(x + shift) − shift·Σ w, whose last part is taken from the bias; as sums are taken
    modulo 2^32, they are right where Σ |w|·|x| and the bias together stay below 2^31, which the 16-bit route asks too.
    Where the set adds two products in 16 bits, 2·max|x + shift|·``weight_bound`` ≤ 2^15 − 1 keeps them exact.
    """
    low, high = min(low, 0), max(high, 0)
    if high - low > 255:
        return None
    kernels = kernel_sets.KERNELS
    shift = min(127 - high, max(0, -128 - low)) if kernels.signed_quads else -low
    largest = max(abs(low + shift), abs(high + shift))
    if kernels.narrow_sums and 2 * largest * weight_bound >= 1 << 15:
        return None
    return shift


def bytes_pay(shape: Correlation) -> bool:
    """Whether the 8-bit route is the faster one for a shape, where it holds: not where a map is large for what is
    computed of it, since its items are made bytes first, nor for single positions, whose weights are bytes anyway."""
    items = shape.inputs * prod(shape.sizes)
    return (
        kernel_sets.KERNELS.bytes_pay
        and shape.groups == 1
        and shape.positions > 1
        and shape.terms <= _MOST_BYTE_TERMS
        and shape.products >= max(_LEAST_BYTE_PRODUCTS, _LEAST_BYTE_PRODUCTS_PER_ITEM * items)
    )


def plan_for(block: WeightBlock, shape: Correlation, ends: tuple[int, int] | None = None) -> PanelPlan | None:
    """The plan of the fastest route for items between ``ends``. Where these are not known yet, that of the weights as
    they are packed, else the route that is likely: models with weights of one byte have items of one byte."""
    if block.width > 2:
        return None
    if block.width == 1 and bytes_pay(shape):
        if ends is not None:
            takes_bytes = byte_shift(*ends, block.bound) is not None
        else:
            key = block.prepared_key
            takes_bytes = not isinstance(key, tuple) or key[:2] != ("panels", WORDS)
        plan = plan_of(shape, BYTES) if takes_bytes else None
        if plan is not None:
            return plan
    return plan_of(shape)


@dataclass(frozen=True, slots=True)
class Panels:
    """Packed weights, the largest sum of magnitudes of one kernel, and each kernel's sum (none for depthwise ones)."""

    weights: npt.NDArray[Any]
    norm: int
    sums: npt.NDArray[np.int64]

    @property
    def nbytes(self) -> int:
        """Bytes that they take."""
        return int(self.weights.nbytes + self.sums.nbytes)


def panels_of(block: WeightBlock, plan: PanelPlan) -> Panels:
    """The block's weights packed for a plan, kept with the block. The block's width is at most 2 bytes, 1 for the
    8-bit route.

    A matrix-vector product waits for memory alone, so its weights stay bytes where they are bytes.
    """
    taps = plan.offsets is not None
    narrow = plan.step == BYTES or (block.width == 1 and plan.window[0] == 1 and not taps)
    key = ("panels", plan.step, plan.kernels, plan.inputs, plan.rows, plan.columns, taps, narrow)
    return block.prepare(key, lambda: _packed(block, plan, np.int8 if narrow else np.int16))


def _packed(block: WeightBlock, plan: PanelPlan, dtype: type[np.signedinteger[Any]]) -> Panels:
    panel = kernel_sets.KERNELS.channels
    panels = -(-plan.kernels // panel)
    if plan.offsets is not None:
        weights: npt.NDArray[Any] = np.empty(panels * panel * len(plan.offsets), dtype)
        packed = np.frombuffer(block.packed, np.uint8)
        taps = plan.rows * plan.columns
        found = panel_kernels.pack_taps(packed, block.width, plan.kernels, taps, weights)
        block.note_extremes(int(found[1]), int(found[2]))
        return Panels(weights, int(found[0]), np.empty(0, np.int64))
    weights = np.empty(panels * panel * plan.rows * plan.length, dtype)
    sums = np.empty(plan.kernels, np.int64)
    kernel_bytes = plan.inputs * plan.rows * plan.columns * block.width
    step = max(1, _PACKED_BYTES // (panel * kernel_bytes)) * panel
    parts = []
    for first in range(0, plan.kernels, step):
        count = min(step, plan.kernels - first)
        packed = np.frombuffer(block.entry.part(1 + first * kernel_bytes, count * kernel_bytes), np.uint8)
        target = weights[first * plan.rows * plan.length :]
        parts.append(
            panel_kernels.pack_panels(
                packed, block.width, count, plan.inputs, plan.rows, plan.columns, plan.step, target, sums[first:]
            )
        )
    block.note_extremes(min(int(part[1]) for part in parts), max(int(part[2]) for part in parts))
    return Panels(weights, max(int(part[0]) for part in parts), sums)


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


def as_bytes(values: npt.NDArray[np.int16], shift: int) -> npt.NDArray[Any]:
    """16-bit items as 8-bit ones, of the sign that the set takes (``byte_shift``)."""
    out = np.empty(len(values), np.int8 if kernel_sets.KERNELS.signed_quads else np.uint8)
    panel_kernels.shift_items(values, shift, out)
    return out


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
    # a stretch of no whole number of steps reads beyond, which meets weights of 0
    out = np.empty((height + 2 * top) * (width + 2 * left) * channels + plan.step - 1, np.int16)
    steps = (1, channels) if layout == channels else (cells, 1)
    panel_kernels.place_map(values, height, width, channels, *steps, top, left, out)
    return out
