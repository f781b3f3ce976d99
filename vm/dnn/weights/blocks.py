"""Weight blocks: sequences of items as one entry of an account's storage, packed at the narrowest width."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from threading import RLock, get_ident
from time import perf_counter_ns
from typing import TypeVar, cast

import numpy as np
from smartvm.errors import SmartVMError
from smartvm.vm.dnn import items as item_arrays
from smartvm.vm.dnn.items import ItemArray
from smartvm.vm.state.blocks import PART_BYTES, BlockEntry, HeldBlock

#: Bytes an item that a block may be packed at.
WIDTHS = (1, 2, 4, 8, 16, 32)

_Prepared = TypeVar("_Prepared")


def storage_width(low: int, high: int) -> int:
    """The narrowest of ``WIDTHS`` that holds all items between two extremes."""
    return next(width for width in WIDTHS if item_arrays.fits_width(low, high, width))


class WeightBlock:
    """An immutable block: at least one item.

    It is read from the state's entry when its items are asked for: as one array (``array``), or a range at a
    time (``items``). What a kernel makes of them, its own layout, is kept with the block, so that it is made
    once; the array is then dropped, so that no block is held twice. May be used from several threads.
    """

    def __init__(self, entry: BlockEntry) -> None:
        """The block of a well-formed entry (``decode`` checks one)."""
        self.entry = entry
        #: Bytes an item takes in the entry.
        self.width: int = entry.part(0, 1)[0]
        #: Number of items.
        self.count: int = (entry.size - 1) // self.width
        self._lock = RLock()
        self._array: ItemArray | None = None
        self._array_is_used = False
        self._extremes = entry.extremes
        self._prepared: tuple[Hashable, object] = (None, None)
        self._prepared_bytes = 0
        self._on_growth: Callable[[WeightBlock, int], None] | None = None
        self._is_ahead = False  # whether it is being made before it is needed, by the thread ``_maker``
        self._maker = 0
        self._meanwhile: Callable[[], None] | None = None

    @classmethod
    def of_array(cls, array: ItemArray) -> WeightBlock:
        """The block of an item array's items, at the narrowest width."""
        low, high = item_arrays.extremes(array)
        width = storage_width(low, high)
        if width <= 8:
            packed: bytes | memoryview = item_arrays.as_type(array, f"i{width}").astype(f">i{width}").data.cast("B")
        else:
            packed = item_arrays.to_big_endian(array, width)
        return cls(HeldBlock(b"".join((bytes((width,)), packed)), (low, high)))

    @classmethod
    def of_integers(cls, items: Iterable[int]) -> WeightBlock:
        """The block of Python integers, each in the range of an item."""
        return cls.of_array(item_arrays.from_integers(items))

    @classmethod
    def decode(cls, encoded: bytes) -> WeightBlock:
        """The block that ``encoded`` stands for.

        Raises ``SmartVMError`` when it is not the encoding of any block: another width byte, a length that is
        no multiple of it, no item at all, or a width that is not the narrowest.
        """
        if not encoded or encoded[0] not in WIDTHS:
            raise SmartVMError(f"a weight block starts with its width ({', '.join(map(str, WIDTHS))})")
        width = encoded[0]
        if len(encoded) == 1 or (len(encoded) - 1) % width:
            raise SmartVMError(
                f"a weight block of width {width} holds {len(encoded) - 1} bytes, not a multiple"
            )
        block = cls(HeldBlock(encoded))
        if storage_width(*block.extremes) != width:
            raise SmartVMError(
                f"a weight block is packed at {width} bytes an item where fewer hold its items"
            )
        return block

    @property
    def encoded(self) -> bytes:
        """The entry in storage: width byte, then the packed items."""
        return self.entry.encoded()

    @property
    def packed(self) -> memoryview:
        """The items at ``width`` bytes, big-endian two's complement: as the entry holds them, without a copy."""
        return self.entry.view()[1:]

    @property
    def stored_bytes(self) -> int:
        """Bytes of the entry in storage."""
        return self.entry.size

    def __len__(self) -> int:
        return self.count

    # -- items

    @property
    def array(self) -> ItemArray:
        """The items as an item array; not to be changed. Kept until a kernel keeps its own layout, and for good
        when it is asked for after that."""
        array = self._array
        if array is None:
            began = perf_counter_ns()
            self._work_while_made()
            with self._lock:
                array = self._array
                if array is None:
                    array = self._array = self._read(0, self.count)
                    self._array_is_used = self._prepared_bytes > 0
            self._grown(began)
        return array

    def items(self, first: int, last: int) -> ItemArray:
        """The items ``first`` … ``last − 1``; not to be changed. Other than ``array`` it keeps nothing: for
        layouts that are made of a range after the other."""
        array = self._array
        if array is not None:
            return array[first:last]
        return self._read(first, last)

    def _read(self, first: int, last: int) -> ItemArray:
        width, entry = self.width, self.entry
        if width > 8:
            start = 1 + first * width
            array = item_arrays.from_big_endian(entry.part(start, (last - first) * width), width)
        else:
            array = np.empty(last - first, f"=i{width}")
            step = PART_BYTES // width
            extremes: list[tuple[int, int]] = []
            measures = self._extremes is None and last - first == self.count
            for at in range(first, last, step):
                count = min(step, last - at)
                part = np.frombuffer(entry.part(1 + at * width, count * width), f">i{width}")
                target = array[at - first : at - first + count]
                target[:] = part
                if measures:
                    extremes.append(item_arrays.extremes(target))
            if measures:
                self._extremes = min(low for low, _ in extremes), max(high for _, high in extremes)
        array.flags.writeable = False
        return array

    @property
    def extremes(self) -> tuple[int, int]:
        """The least and the greatest item."""
        if self._extremes is None:
            array = self.array
            if self._extremes is None:
                self._extremes = item_arrays.extremes(array)
        return self._extremes

    @property
    def extremes_are_known(self) -> bool:
        """Whether ``extremes`` costs nothing."""
        return self._extremes is not None

    def note_extremes(self, low: int, high: int) -> None:
        """Take what a kernel found while it read all items: their least and their greatest."""
        if self._extremes is None:
            self._extremes = low, high

    @property
    def bound(self) -> int:
        """The largest magnitude of the items."""
        return item_arrays.magnitude_of(*self.extremes)

    def to_integers(self) -> list[int]:
        """The items as Python integers."""
        return item_arrays.to_integers(self.array)

    # -- kernels' layouts

    def prepared(self, key: Hashable) -> object | None:
        """What ``keep`` was given last, if it was under ``key`` (a kernel's own layout of the items), else
        None."""
        kept_key, value = self._prepared
        return value if kept_key == key else None

    @property
    def prepared_key(self) -> Hashable:
        """Under which key a layout is kept; None where there is none."""
        return self._prepared[0]

    @property
    def is_ready(self) -> bool:
        """Whether items or a layout are there."""
        return self._array is not None or self._prepared[0] is not None

    def keep(self, key: Hashable, value: _Prepared) -> _Prepared:
        """Keep a kernel's own layout of the items under ``key``, and return it: an array, or several in a tuple,
        list or dataclass. One layout is kept: a block that is used in many shapes must not take many times its
        memory."""
        with self._lock:
            self._prepared = (key, value)
            self._prepared_bytes = sum(_owned_bytes(array) for array in _arrays(value))
            if self._prepared_bytes and not self._array_is_used and not self._shared_with(value):
                self._array = None
        self._grown()
        return value

    def prepare(self, key: Hashable, make: Callable[[], _Prepared]) -> _Prepared:
        """The layout kept under ``key``; made by ``make`` and kept if there is none, once though several threads
        ask."""
        value = self.prepared(key)
        if value is None:
            began = perf_counter_ns()
            self._work_while_made()
            with self._lock:
                value = self.prepared(key)
                if value is None:
                    value = make()
                    self.keep(key, value)
            self._grown(began)
        return cast(_Prepared, value)

    def make_ahead(self, make: Callable[[], None], meanwhile: Callable[[], None] | None = None) -> None:
        """Call ``make``, which asks for the array or prepares a layout, before it is needed. Whoever needs it
        while it is being made calls ``meanwhile`` and then waits. Does nothing when something is there."""
        if self.is_ready:
            return
        with self._lock:
            self._maker, self._meanwhile = get_ident(), meanwhile
            self._is_ahead = True
            try:
                make()
            finally:
                self._is_ahead = False
                self._meanwhile = None

    def _shared_with(self, value: object) -> bool:
        """Whether a layout is made of the array's own memory."""
        own = self._array
        return own is not None and any(np.may_share_memory(own, array) for array in _arrays(value))

    # -- memory

    @property
    def held_bytes(self) -> int:
        """Bytes of memory that the block takes: its entry, if that is in memory, its array, its layout."""
        array, (_, value) = self._array, self._prepared
        total = self.entry.held_bytes + self._prepared_bytes
        if array is not None and not self._shared_with(value):
            total += array.nbytes
        return total

    def on_growth(self, tell: Callable[[WeightBlock, int], None] | None) -> None:
        """Call ``tell`` whenever ``held_bytes`` may have changed, from whatever thread changed it, with the
        nanoseconds that whoever needs the items waited for them."""
        self._on_growth = tell

    def _work_while_made(self) -> None:
        """Where another thread is at making what is needed: do other work that it has before it."""
        if self._is_ahead and self._meanwhile is not None and self._maker != get_ident():
            self._meanwhile()

    def _grown(self, began: int | None = None) -> None:
        tell = self._on_growth
        if tell is not None:
            waited = 0 if began is None or self._is_ahead else perf_counter_ns() - began
            tell(self, waited)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, WeightBlock) and (self.entry is other.entry or self.encoded == other.encoded)

    def __hash__(self) -> int:
        return hash((self.width, self.count))

    def __repr__(self) -> str:
        return f"WeightBlock({self.count} items of {self.width} bytes)"


def _arrays(value: object, depth: int = 2) -> Iterator[np.ndarray]:
    """The arrays that a layout consists of."""
    if isinstance(value, np.ndarray):
        yield value
    elif depth:
        if isinstance(value, (tuple, list)):
            parts: Iterable[object] = value
        elif isinstance(value, dict):
            parts = value.values()
        elif hasattr(value, "__slots__"):
            parts = [getattr(value, name, None) for name in value.__slots__]
        else:
            parts = getattr(value, "__dict__", {}).values()
        for part in parts:
            yield from _arrays(part, depth - 1)


def _owned_bytes(array: np.ndarray) -> int:
    """Bytes of the memory behind an array, of which it may be a view."""
    base = array
    while isinstance(base.base, np.ndarray):
        base = base.base
    return base.nbytes
