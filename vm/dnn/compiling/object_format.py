"""What an object of machine code looks like that Numba made: known to those who make and to those who load it.

A *kind* tells an argument of a kernel: an array's item type and number of dimensions (``h1``), ``i`` an integer,
``f`` a float, ``t3`` a tuple of three integers.
"""

from __future__ import annotations

from collections.abc import Sequence

#: The function of an object. Of a kernel, it takes the address of 64-bit words: the places of the results, then
#: arrays (the addresses of their Python objects), then numbers, then the tuples' numbers; it returns one of the below.
ENTRY = "entry"

#: A text: for each result of a kernel ``i`` (64 bits, signed) or ``f`` (float64), between parentheses if they are a
#: tuple.
RESULTS = "results"

#: A kernel did its work; it needed memory that there is not; it did nothing, since an array has gaps, or items not in
#: their own order, or since an array has items of another type or another number of dimensions.
DONE, NO_MEMORY, NOT_CONTIGUOUS, OTHER_TYPES = 0, 1, 2, 3


def words_of(kind: str) -> int:
    """How many words an argument takes."""
    return int(kind[1:]) if is_tuple(kind) else 1


def is_tuple(kind: str) -> bool:
    """Whether an argument is a tuple of integers."""
    return kind[0] == "t"


def is_array(kind: str) -> bool:
    """Whether an argument is an array."""
    return kind not in ("i", "f") and not is_tuple(kind)


def order_of(kinds: Sequence[str]) -> list[int]:
    """The places of arguments in the order of their words."""
    return sorted(range(len(kinds)), key=lambda place: (not is_array(kinds[place]), is_tuple(kinds[place])))
