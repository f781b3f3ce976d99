"""Weight blocks: sequences of items as one entry of an account's storage, packed at the narrowest width."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from functools import cached_property
from typing import TypeVar

from smartvm.errors import SmartVMError
from smartvm.vm.dnn import items as item_arrays
from smartvm.vm.dnn.items import ItemArray

#: Bytes an item that a block may be packed at.
WIDTHS = (1, 2, 4, 8, 16, 32)

_Prepared = TypeVar("_Prepared")


def storage_width(low: int, high: int) -> int:
    """The narrowest of ``WIDTHS`` that holds all items between two extremes."""
    return next(width for width in WIDTHS if item_arrays.fits_width(low, high, width))


class WeightBlock:
    """An immutable block: at least one item.

    ``width`` is the bytes an item takes and ``packed`` the items in that width, big-endian two's complement.
    What kernels make of the items (their own layouts) is kept with the block, so that it is made once.
    """

    def __init__(self, width: int, packed: bytes) -> None:
        self.width = width
        self.packed = packed
        self._prepared: tuple[Hashable, object] = (None, None)

    @classmethod
    def of_array(cls, array: ItemArray) -> WeightBlock:
        """The block of an item array's items, at the narrowest width."""
        width = storage_width(*item_arrays.extremes(array))
        return cls(width, item_arrays.to_big_endian(array, width))

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
        block = cls(encoded[0], encoded[1:])
        if not block.packed or len(block.packed) % block.width:
            raise SmartVMError(
                f"a weight block of width {block.width} holds {len(block.packed)} bytes, not a multiple"
            )
        if storage_width(*block.extremes) != block.width:
            raise SmartVMError(
                f"a weight block is packed at {block.width} bytes an item where fewer hold its items"
            )
        return block

    @property
    def encoded(self) -> bytes:
        """The entry in storage: width byte, then the packed items."""
        return bytes((self.width,)) + self.packed

    @cached_property
    def count(self) -> int:
        """Number of items."""
        return len(self.packed) // self.width

    def __len__(self) -> int:
        return self.count

    @cached_property
    def array(self) -> ItemArray:
        """The items as an item array; not to be changed."""
        array = item_arrays.from_big_endian(self.packed, self.width)
        array.flags.writeable = False
        return array

    @cached_property
    def extremes(self) -> tuple[int, int]:
        """The least and the greatest item."""
        return item_arrays.extremes(self.array)

    @property
    def bound(self) -> int:
        """The largest magnitude of the items."""
        return item_arrays.magnitude_of(*self.extremes)

    def to_integers(self) -> list[int]:
        """The items as Python integers."""
        return item_arrays.to_integers(self.array)

    def prepared(self, key: Hashable) -> object | None:
        """What ``keep`` was given last, if it was under ``key`` (a kernel's own layout of the items), else
        None."""
        return self._prepared[1] if self._prepared[0] == key else None

    def keep(self, key: Hashable, value: _Prepared) -> _Prepared:
        """Keep a kernel's own layout of the items under ``key``, and return it. One layout is kept: a block
        that is used in many shapes must not take many times its memory."""
        self._prepared = (key, value)
        return value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, WeightBlock) and self.width == other.width and self.packed == other.packed

    def __hash__(self) -> int:
        return hash((self.width, self.packed))

    def __repr__(self) -> str:
        return f"WeightBlock({self.count} items of {self.width} bytes)"
