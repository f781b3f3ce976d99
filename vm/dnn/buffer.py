"""The Buffer: one feature map of a call frame, at the narrowest type that its items allow."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from smartvm.vm.dnn import items as item_arrays
from smartvm.vm.dnn.items import ItemArray

#: Buffers that a frame may save (BUF_COPY); one more halts.
MAX_SAVED_BUFFERS = 64


class Buffer:
    """An elastic sequence of items.

    Kernels change it in place, so whoever holds a reference keeps the frame's Buffer. Appending is amortised:
    the backing array doubles. Dropping items neither copies nor narrows, so that no sequence of cheap
    instructions costs more time than it pays for.
    """

    __slots__ = ("_extremes", "_length", "_store")

    def __init__(self, items: Iterable[int] = ()) -> None:
        self._store: ItemArray = item_arrays.from_integers(items)
        self._length = len(self._store)
        self._extremes: tuple[int, int] | None = None

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
        return self._store[: self._length]

    @property
    def extremes(self) -> tuple[int, int]:
        """The least and the greatest item, exactly ((0, 0) when empty): a visible fact of the items, so that
        gas may depend on it. Costs one pass over the items after a change that may have removed an
        extreme."""
        if self._extremes is None:
            self._extremes = item_arrays.extremes(self.array)
        return self._extremes

    @property
    def bound(self) -> int:
        """The largest magnitude of the items, exactly; 0 when empty."""
        return item_arrays.magnitude_of(*self.extremes)

    def to_integers(self) -> list[int]:
        """The items as Python integers."""
        return item_arrays.to_integers(self.array)

    def replace(self, array: ItemArray, extremes: tuple[int, int] | None = None) -> None:
        """Hold the items of ``array`` instead, taking it over; ``extremes`` when the caller knows them
        exactly."""
        self._store = array
        self._length = len(array)
        self._extremes = extremes

    def hold(self, array: ItemArray) -> None:
        """Hold the items of ``array`` instead, in the narrowest type; they may also be integers as
        float64."""
        narrow, low, high = item_arrays.narrowed(array)
        self.replace(narrow, (low, high))

    def append(self, array: ItemArray) -> None:
        """Append items."""
        if len(array) == 0:
            return
        array, low, high = item_arrays.narrowed(array)
        if self._length == 0:
            self.replace(array.copy(), (low, high))
            return
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

    def append_zeros(self, count: int) -> None:
        """Append ``count`` items of 0."""
        self.append(item_arrays.zeros(count))

    def clear_first(self, count: int) -> None:
        """Set the first ``count`` items to 0."""
        if count == 0:
            return
        if not self._store.flags.writeable:
            self._store = self._store.copy()
        self._store[:count] = 0
        self._extremes = None

    def drop_last(self, count: int) -> None:
        """Drop the last ``count`` items; an empty Buffer gives its memory back."""
        if count == 0:
            return
        self._length -= count
        self._extremes = None
        if self._length == 0:
            self.replace(item_arrays.empty())

    def copy_of(self, start: int, end: int) -> Buffer:
        """A new Buffer of the items ``start`` … ``end − 1``."""
        copy = Buffer.of_array(self.array[start:end].copy())
        if start == 0 and end == self._length:
            copy._extremes = self._extremes
        return copy

    def exchange(self, other: Buffer) -> None:
        """Exchange the contents of two Buffers."""
        for name in self.__slots__:
            mine = getattr(self, name)
            setattr(self, name, getattr(other, name))
            setattr(other, name, mine)
