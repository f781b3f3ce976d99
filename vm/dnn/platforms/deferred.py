"""Correlations that a Buffer puts off until its items are looked at, so that what follows is done in the same pass.

A bias, a division by a constant and a rectification after a convolution neither read nor write anything but the
Buffer, and their gas depends on lengths and on a bound alone that is known beforehand; so no one can tell whether
they were carried out one by one. Whatever is not absorbed here carries out what was put off, and then itself.

Why one clamp at the end does: division by d > 0, truncated, is monotone and keeps 0, hence trunc(min(max(x, a), b)/d) =
min(max(trunc(x/d), trunc(a/d)), trunc(b/d)); and trunc(trunc(x/d)/e) = trunc(x/(d·e)).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from smartvm.vm.dnn import items as item_arrays
from smartvm.vm.dnn.compiling.machine_code import native, panel_kernels
from smartvm.vm.dnn.items import ItemArray
from smartvm.vm.dnn.platforms import panels
from smartvm.vm.dnn.platforms.kernel_sets import COPY_STEP, KERNELS
from smartvm.vm.dnn.platforms.panels import Limbs, PanelPlan, Panels
from smartvm.vm.dnn.platforms.reciprocals import reciprocal_of
from smartvm.vm.dnn.shapes import Correlation
from smartvm.vm.dnn.weights.blocks import WeightBlock

_INT32 = (-(1 << 31), (1 << 31) - 1)
_INT64 = (-(1 << 63), (1 << 63) - 1)
#: Divisors are exact in float64, and so are products of two.
_MOST_DIVISOR = 1 << 31
#: Bytes of gathered windows that are alive at a time: about a second-level cache.
_GATHERED_BYTES = 1 << 19


class PanelWork:
    """A correlation on the 16-bit or the 8-bit route with what is to be done to its sums.

    ``bound`` limits the magnitude of the results as they now stand. ``values`` are the items of the map,
    ``layout`` channels last (1: channel by channel); they are not changed meanwhile. ``shift`` is added to them on the
    8-bit route.
    """

    __slots__ = (
        "_bias",
        "_divisor",
        "_high",
        "_layout",
        "_limbs",
        "_low",
        "_packed",
        "_plan",
        "_shape",
        "_shift",
        "_sum_bound",
        "_values",
        "bound",
    )

    def __init__(
        self,
        values: ItemArray,
        layout: int,
        shape: Correlation,
        plan: PanelPlan,
        packed: Panels,
        limbs: Limbs,
        bound: int,
        shift: int,
    ) -> None:
        self._values = values
        self._layout = layout
        self._shape = shape
        self._plan = plan
        self._packed = packed
        self._limbs = limbs
        self._shift = shift
        self._sum_bound = packed.norm * bound
        self.bound = self._sum_bound
        self._bias: WeightBlock | None = None
        self._divisor = 1
        self._low, self._high = _INT64

    @property
    def channels(self) -> int:
        """Channels of the result, which is channels last."""
        return self._shape.kernels

    def __len__(self) -> int:
        return self._shape.kernels * self._shape.positions

    def add_bias(self, block: WeightBlock) -> bool:
        """Add a bias; False when that cannot be put off."""
        limit = panels.SUM_LIMIT if self._limbs.count == 1 else panels.LIMB_SUM_LIMIT
        changed = self._bias is not None or self._divisor != 1 or (self._low, self._high) != _INT64
        if changed or block.count != self.channels or self._sum_bound + block.bound >= limit:
            return False
        self._bias = block
        self.bound += block.bound
        return True

    def divide(self, divisor: int) -> bool:
        """Divide, truncating; False when that cannot be put off."""
        if divisor < 1 or self._divisor * divisor > _MOST_DIVISOR:
            return False
        self._divisor *= divisor
        if (self._low, self._high) != _INT64:
            self._low = -(-self._low // divisor)  # not above 0
            self._high //= divisor
        self.bound //= divisor
        return True

    def rectify(self, cap: int) -> bool:
        """max(x, 0), and min(·, cap) when cap > 0; that can always be put off."""
        self._low = 0
        if cap:
            self._high = min(self._high, cap)
            self.bound = min(self.bound, cap)
        return True

    def carry_out(self) -> tuple[ItemArray, tuple[int, int]]:
        """The items, channels last, with their exact extremes."""
        if self._plan.gathered:
            return self._gathered()
        values = item_arrays.as_type(self._values, np.int16 if self._limbs.count == 1 else np.int64)
        if self._limbs.count == 1:
            values = panels.placed(values, self._shape, self._plan, self._layout)
            if self._plan.step == panels.BYTES:
                values = panels.as_bytes(values, self._shift)
        else:
            rows = panels.cut(values, self._limbs)
            values = np.stack([panels.placed(row, self._shape, self._plan, self._layout) for row in rows])
        self._values = item_arrays.empty()
        out: npt.NDArray[Any] = np.empty(len(self), self._first_type())
        done, low, high = self._pass(values, self._plan.window, 0, out)
        while done < self._shape.positions:
            out = _widened(out, done * self.channels)
            done, *ends = self._pass(values, self._plan.window, done, out)
            low, high = min(low, ends[0]), max(high, ends[1])
        return _narrowed(out, int(low), int(high))

    def _first_type(self) -> npt.DTypeLike:
        """A type that holds the results, or may well do so; one for single positions, to compile less."""
        if self._limbs.count > 1 or self._shape.positions == 1:
            return np.int32
        may_fit = self._divisor > 1 or self.bound < 1 << 15
        return np.int16 if may_fit else np.int32

    def _pass(
        self, values: npt.NDArray[Any], window: npt.NDArray[np.int64], first: int, out: npt.NDArray[Any]
    ) -> tuple[int, int, int]:
        weights = self._packed.weights
        channels = self.channels
        padded = -(-channels // KERNELS.channels) * KERNELS.channels
        bias: npt.NDArray[Any] = np.zeros(padded, np.int32 if self._limbs.count == 1 else np.int64)
        if self._bias is not None:
            bias[:channels] = item_arrays.as_type(self._bias.array, bias.dtype)
        if self._shift:
            bias[:channels] -= (self._shift * self._packed.sums).astype(np.int32)  # modulo 2^32
        bias[channels:] = bias[channels - 1]
        if self._limbs.count > 1:
            result = panel_kernels.correlate_limbs(
                values, self._limbs.bits, window, weights, bias, channels, float(self._divisor),
                self._low, self._high, first, out,
            )  # fmt: skip
            return result  # type: ignore[no-any-return]
        ends = max(self._low, _INT32[0]), min(self._high, _INT32[1])
        reciprocal = reciprocal_of(self._divisor)
        if self._plan.offsets is not None:
            result = panel_kernels.correlate_taps(
                values, window, self._plan.offsets, weights, bias, channels, reciprocal, *ends, first, out
            )
        else:
            result = panel_kernels.correlate_panels(
                values, window, weights, bias, channels, reciprocal, *ends, first, out
            )
        return result  # type: ignore[no-any-return]

    def _gathered(self) -> tuple[ItemArray, tuple[int, int]]:
        """Windows copied as rows, a slice at a time: maps of three dimensions, paddings far beyond the map."""
        shape, length = self._shape, self._plan.length
        values = self._values
        if self._layout > 1:
            values = item_arrays.channels_first(values, self._layout)
        wide = self._limbs.count > 1
        source = np.zeros(len(values) + COPY_STEP, np.int64 if wide else np.int16)
        source[: len(values)] = values
        step = max(1, min(shape.positions, _GATHERED_BYTES // (length * source.itemsize)))
        rows = np.empty(step * length + COPY_STEP, source.dtype)
        out: npt.NDArray[Any] = np.empty(len(self), self._first_type())
        low, high = _INT64[1], _INT64[0]
        for first in range(0, shape.positions, step):
            count = min(step, shape.positions - first)
            native.gather_windows(
                source, shape.inputs, shape.sizes, shape.kernel, shape.outputs, shape.stride, shape.padding,
                first, count, length, rows,
            )  # fmt: skip
            windows = rows[: count * length]
            if wide:
                windows = panels.cut(windows, self._limbs)
            window = np.array((count, count, 0, length, 1, length, 0), np.int64)
            done = 0
            while done < count:
                part = out[first * self.channels : (first + count) * self.channels]
                reached, *ends = self._pass(windows, window, done, part)
                if reached > done:
                    low, high = min(low, ends[0]), max(high, ends[1])
                if reached < count:
                    out = _widened(out, (first + reached) * self.channels)
                done = reached
        return _narrowed(out, int(low), int(high))


def _widened(out: npt.NDArray[Any], filled: int) -> npt.NDArray[Any]:
    """The next wider type, with the first items."""
    wide = np.empty(len(out), np.int32 if out.itemsize == 2 else np.int64)
    wide[:filled] = out[:filled]
    return wide


def _narrowed(out: npt.NDArray[Any], low: int, high: int) -> tuple[ItemArray, tuple[int, int]]:
    """The items in the narrowest type of 16 bits or more, with their extremes."""
    dtype = item_arrays.narrow_type(min(low, -(1 << 7) - 1), high)
    return item_arrays.as_type(out, dtype), (low, high)


def prepare(
    block: WeightBlock, shape: Correlation, ends: tuple[int, int] | None = None
) -> tuple[PanelPlan, Panels] | None:
    """The block's weights packed for a shape that they fill, and for items between ``ends`` where these are known;
    None where there is no plan."""
    plan = panels.plan_for(block, shape, ends)
    return None if plan is None else (plan, panels.panels_of(block, plan))


def work_for(
    values: ItemArray, layout: int, ends: tuple[int, int], block: WeightBlock, shape: Correlation
) -> PanelWork | None:
    """The work of a correlation of items between ``ends``; None where neither route holds for it."""
    bound = item_arrays.magnitude_of(*ends)
    prepared = prepare(block, shape, ends) if bound < 1 << 40 else None
    if prepared is None:
        return None
    plan, packed = prepared
    limbs = panels.limbs_for(packed.norm, bound)
    if limbs is None or (limbs.count > 1 and plan.offsets is not None):
        return None
    if layout not in (1, plan.map_channels):  # the same items read as a map of other channels
        values, layout = item_arrays.channels_first(values, layout), 1
    shift = panels.byte_shift(*ends, block.bound) if plan.step == panels.BYTES else 0
    assert shift is not None, "the plan is for these items"
    return PanelWork(values, layout, shape, plan, packed, limbs, bound, shift)
