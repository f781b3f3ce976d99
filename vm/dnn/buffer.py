"""The Buffer: one feature map of a call frame, at the narrowest type that its items allow."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import numpy as np
from smartvm.vm.dnn import items as item_arrays
from smartvm.vm.dnn.items import ItemArray
from smartvm.vm.dnn.weights.blocks import WeightBlock

#: Buffers that a frame may save (BUF_COPY); one more halts.
MAX_SAVED_BUFFERS = 64


class Deferred(Protocol):
    """Work whose result a Buffer stands for: at least one item, a map whose ``channels`` are last (1: a map channel by
    channel). The item-wise instructions behind it ask whether they may join it. ``bound`` limits the results as
    they now stand."""

    bound: int

    def __len__(self) -> int: ...

    @property
    def channels(self) -> int: ...

    def carry_out(self) -> tuple[ItemArray, tuple[int, int]]: ...

    def add_bias(self, block: WeightBlock) -> bool: ...

    def divide(self, divisor: int) -> bool: ...

    def rectify(self, cap: int) -> bool: ...


class Buffer:
    """An elastic sequence of items.

    Kernels change it in place, so whoever holds a reference keeps the frame's Buffer. Appending is amortised:
    the backing array doubles. Dropping items neither copies nor narrows, so that no sequence of cheap
    instructions costs more time than it pays for.

    Two things stay inside. A map may be kept channels last, the order that convolutions and pooling read and
    write best (``layout`` channels; 1: in the Buffer's own order), and work may be put off until the items are
    looked at, so that what follows is done in the same pass (``deferred``): who moves Buffers about and need not see
    the items had better leave them be while ``deferred`` is not None.
    """

    __slots__ = ("_deferred", "_extremes", "_layout", "_length", "_limit", "_store")

    def __init__(self, items: Iterable[int] = ()) -> None:
        self._store: ItemArray = item_arrays.from_integers(items)
        self._length = len(self._store)
        self._extremes: tuple[int, int] | None = None
        self._limit: int | None = None
        self._layout = 1
        self._deferred: Deferred | None = None

    @classmethod
    def of_array(cls, array: ItemArray) -> Buffer:
        """A Buffer that takes over an item array (the caller must not change it afterwards)."""
        buffer = cls()
        buffer.replace(array)
        return buffer

    def __len__(self) -> int:
        return self._length

    @property
    def array(self) -> ItemArray:
        """The items as an item array: a view, valid until the next change."""
        self.settle()
        if self._layout > 1:
            self._store = item_arrays.channels_first(self._store[: self._length], self._layout)
            self._layout = 1
        return self._store[: self._length]

    def settle(self) -> None:
        """Carry out the work that was put off."""
        if self._deferred is not None:
            work, self._deferred = self._deferred, None
            items, self._extremes = work.carry_out()
            self._store = items
            self._layout = work.channels

    @property
    def deferred(self) -> Deferred | None:
        """The work that is put off, if any: item-wise instructions may add to it."""
        return self._deferred

    def defer(self, work: Deferred) -> None:
        """Stand for the result of ``work``."""
        self.replace(item_arrays.empty())
        self._length = len(work)
        self._deferred = work

    @property
    def layout(self) -> int:
        """How the items lie in ``stored``: a map of so many channels, channels last; 1 in their own order."""
        self.settle()
        return self._layout

    @property
    def stored(self) -> ItemArray:
        """The items in the order of ``layout``: a view, valid until the next change."""
        self.settle()
        return self._store[: self._length]

    def channels_last(self, channels: int) -> ItemArray:
        """The items of a map of so many channels, channels last, in which order they are kept from now on."""
        if self.layout != channels:
            self._store = item_arrays.channels_last(self.array, channels)
            self._layout = channels
        return self._store[: self._length]

    @property
    def extremes(self) -> tuple[int, int]:
        """The least and the greatest item, exactly ((0, 0) when empty): a visible fact of the items, so that
        gas may depend on it. Costs one pass over the items after a change that may have removed an
        extreme."""
        self.settle()
        if self._extremes is None:
            self._extremes = item_arrays.extremes(self.stored)
        return self._extremes

    @property
    def bound(self) -> int:
        """The largest magnitude of the items, exactly; 0 when empty."""
        return item_arrays.magnitude_of(*self.extremes)

    @property
    def limit(self) -> int:
        """A magnitude that no item exceeds: the exact one where it is known, else what it was before items went. For
        what nobody sees: it may depend on the way on which the items came."""
        if self._extremes is None and self._limit is not None:
            return self._limit
        return self.bound

    @property
    def backing(self) -> ItemArray:
        """The array of which ``stored`` are the first items, with the room behind them."""
        self.settle()
        return self._store

    def hold_first(self, store: ItemArray, length: int, layout: int, limit: int) -> None:
        """Hold the first ``length`` items of ``store``, taking it over with the room behind them; no magnitude exceeds
        ``limit``."""
        self.replace(store, None, layout)
        self._length = length
        self._limit = limit

    def to_integers(self) -> list[int]:
        """The items as Python integers."""
        return item_arrays.to_integers(self.array)

    def replace(self, array: ItemArray, extremes: tuple[int, int] | None = None, layout: int = 1) -> None:
        """Hold the items of ``array`` instead, in the order of ``layout``, taking it over; ``extremes`` when the
        caller knows them exactly."""
        self._store = array
        self._length = len(array)
        self._extremes = extremes
        self._limit = None
        self._layout = layout
        self._deferred = None

    def hold(self, array: ItemArray, layout: int = 1) -> None:
        """Hold the items of ``array`` instead, in the narrowest type; they may also be integers as
        float64."""
        narrow, low, high = item_arrays.narrowed(array)
        self.replace(narrow, (low, high), layout)

    def append(self, array: ItemArray) -> None:
        """Append items."""
        if len(array) == 0:
            return
        array, low, high = item_arrays.narrowed(array)
        if self._length == 0:
            self.replace(array.copy(), (low, high))
            return
        self._in_order()
        wide = item_arrays.is_wide(self._store) or item_arrays.is_wide(array)
        dtype = None if wide else np.promote_types(self._store.dtype, array.dtype)
        total = self._length + len(array)
        same_type = item_arrays.is_wide(self._store) if wide else self._store.dtype == dtype
        if total > len(self._store) or not same_type:
            capacity = max(total, 2 * self._length)
            shape = (capacity, item_arrays.LIMBS) if wide else (capacity,)
            store = np.empty(shape, np.uint64 if wide else dtype)
            store[: self._length] = item_arrays.as_type(self.array, dtype)
            self._store = store
        elif not self._store.flags.writeable:
            self._store = self._store.copy()
        self._store[self._length : total] = item_arrays.as_type(array, dtype)
        self._length = total
        if self._extremes is not None:
            self._extremes = min(low, self._extremes[0]), max(high, self._extremes[1])
        elif self._limit is not None:
            self._limit = max(self._limit, item_arrays.magnitude_of(low, high))

    def append_zeros(self, count: int) -> None:
        """Append ``count`` items of 0."""
        self.append(item_arrays.zeros(count))

    def clear_first(self, count: int) -> None:
        """Set the first ``count`` items to 0."""
        if count == 0:
            return
        self._in_order()
        if not self._store.flags.writeable:
            self._store = self._store.copy()
        self._store[:count] = 0
        self._forget_extremes()

    def drop_last(self, count: int) -> None:
        """Drop the last ``count`` items; an empty Buffer gives its memory back."""
        if count == 0:
            return
        self._in_order()
        self._length -= count
        self._forget_extremes()
        if self._length == 0:
            self.replace(item_arrays.empty())

    def _forget_extremes(self) -> None:
        """Items went that may have been an extreme; what is left is within what there was."""
        if self._extremes is not None:
            self._limit = item_arrays.magnitude_of(*self._extremes)
            self._extremes = None

    def _in_order(self) -> None:
        """Keep the items in their own order: before what changes single ones. Whoever shortens a map again and
        again pays for reordering it once."""
        if self._deferred is not None or self._layout > 1:
            self._store = self.array

    def copy_of(self, start: int, end: int) -> Buffer:
        """A new Buffer of the items ``start`` … ``end − 1``."""
        if start == 0 and end == self._length:
            copy = Buffer()
            copy.replace(self.stored.copy(), self._extremes, self.layout)
            return copy
        return Buffer.of_array(self.array[start:end].copy())

    def exchange(self, other: Buffer) -> None:
        """Exchange the contents of two Buffers."""
        for name in self.__slots__:
            mine = getattr(self, name)
            setattr(self, name, getattr(other, name))
            setattr(other, name, mine)
