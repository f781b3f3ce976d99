"""Arrays of items: the one representation that Buffers, blocks and kernels share.

An *item* is a signed 256-bit integer. An *item array* is either

- narrow: a one-dimensional NumPy array of int8, int16, int32 or int64, or
- wide: a C-contiguous ``uint64`` array of shape ``(n, 4)``, each row one item in two's complement, least
  significant limb first.

Which of them holds given items never shows in a result: it is chosen from the items' extremes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

ItemArray: TypeAlias = npt.NDArray[Any]

LIMBS = 4
WORD_BYTES = 32
WORD_MODULUS = 1 << 256
ITEM_MIN = -(1 << 255)
ITEM_MAX = (1 << 255) - 1
INT64_MIN = -(1 << 63)
INT64_MAX = (1 << 63) - 1

_NARROW_TYPES: tuple[tuple[int, npt.DTypeLike], ...] = (
    (7, np.int8),
    (15, np.int16),
    (31, np.int32),
    (63, np.int64),
)


def to_signed(word: int) -> int:
    """The signed value of an unsigned 256-bit word."""
    return word - WORD_MODULUS if word >> 255 else word


def wrap(value: int) -> int:
    """``value`` reduced to 256 bits two's complement."""
    return to_signed(value % WORD_MODULUS)


def truncated_quotient(a: int, b: int) -> int:
    """a / b truncated toward zero; 0 when b = 0."""
    if b == 0:
        return 0
    quotient = abs(a) // abs(b)
    return -quotient if (a < 0) != (b < 0) else quotient


def is_wide(array: ItemArray) -> bool:
    """Whether the array is of limbs."""
    return array.ndim == 2


def empty() -> ItemArray:
    """No items."""
    return np.zeros(0, np.int8)


def zeros(count: int) -> ItemArray:
    """``count`` items of 0, at the narrowest type."""
    return np.zeros(count, np.int8)


def filled(count: int, value: int) -> ItemArray:
    """``count`` items of ``value`` (signed), at the narrowest type."""
    dtype = narrow_type(value, value)
    if dtype is not None:
        return np.full(count, value, dtype)
    array = np.empty((count, LIMBS), np.uint64)
    array[:] = _limbs_of(value)
    return array


def narrow_type(low: int, high: int) -> npt.DTypeLike | None:
    """The narrowest integer type that holds ``low`` … ``high``; None when 64 bits do not."""
    for bits, dtype in _NARROW_TYPES:
        if low >= -(1 << bits) and high < (1 << bits):
            return dtype
    return None


def _limbs_of(value: int) -> npt.NDArray[np.uint64]:
    return np.frombuffer((value % WORD_MODULUS).to_bytes(WORD_BYTES, "little"), "<u8").astype(np.uint64)


def from_integers(values: Iterable[int]) -> ItemArray:
    """An item array of Python integers, each in the range of an item."""
    values = list(values)
    if not values:
        return empty()
    dtype = narrow_type(min(values), max(values))
    if dtype is not None:
        return np.array(values, dtype)
    data = b"".join((value % WORD_MODULUS).to_bytes(WORD_BYTES, "little") for value in values)
    return np.frombuffer(data, "<u8").astype(np.uint64).reshape(-1, LIMBS)


def to_integers(array: ItemArray) -> list[int]:
    """The items as Python integers."""
    if not is_wide(array):
        return [int(value) for value in array.tolist()]
    data = np.ascontiguousarray(array).astype("<u8").tobytes()
    return [
        int.from_bytes(data[start : start + WORD_BYTES], "little", signed=True)
        for start in range(0, len(data), WORD_BYTES)
    ]


def extremes(array: ItemArray) -> tuple[int, int]:
    """The least and the greatest item; ``(0, 0)`` of none."""
    if len(array) == 0:
        return 0, 0
    if not is_wide(array):
        return int(np.minimum.reduce(array)), int(np.maximum.reduce(array))  # quicker to call than min, max
    # imported on use: programs without wide items need no compiled kernel
    from smartvm.vm.dnn.compiling.machine_code import native

    least, greatest = to_integers(array[list(native.wide_extremes(array))])
    return least, greatest


def magnitude_of(low: int, high: int) -> int:
    """The largest magnitude of items between two extremes."""
    return max(-low, high)


def widen(array: ItemArray) -> ItemArray:
    """The same items as limbs."""
    if is_wide(array):
        return array
    wide = np.empty((len(array), LIMBS), np.uint64)
    values = array.astype(np.int64)
    wide[:, 0] = values.view(np.uint64)
    wide[:, 1:] = (values >> 63).view(np.uint64)[:, None]
    return wide


def as_type(array: ItemArray, dtype: npt.DTypeLike | None) -> ItemArray:
    """The same items in a type known to hold them (None: limbs); no copy when it is already that type."""
    if dtype is None:
        return widen(array)
    if is_wide(array):
        array = np.ascontiguousarray(array[:, 0]).view(np.int64)
    return array.astype(dtype, copy=False)


def narrowed(array: ItemArray) -> tuple[ItemArray, int, int]:
    """The same items in the narrowest type, with their extremes."""
    low, high = extremes(array)
    return as_type(array, narrow_type(low, high)), low, high


def concatenated(first: ItemArray, second: ItemArray) -> ItemArray:
    """The items of ``first``, then those of ``second``, in the wider of their types."""
    if is_wide(first) or is_wide(second):
        return np.concatenate((widen(first), widen(second)))
    return np.concatenate((first, second))


def from_big_endian(data: bytes | bytearray | memoryview, width: int) -> ItemArray:
    """Items of ``width`` bytes each (1–32), big-endian two's complement, without gaps; ``data`` is a multiple
    of it.

    The type is the narrowest for 1, 2, 4 and 8 bytes; for others the narrowest that the items allow.
    """
    if width in (1, 2, 4, 8):
        return np.frombuffer(data, f">i{width}").astype(f"=i{width}")
    if width == WORD_BYTES:
        return _from_words(np.frombuffer(data, np.uint64).reshape(-1, LIMBS))
    raw = np.frombuffer(data, np.uint8).reshape(-1, width)
    container = 8 if width < 8 else WORD_BYTES
    padded = np.empty((len(raw), container), np.uint8)
    padded[:, container - width :] = raw
    padded[:, : container - width] = np.where(raw[:, :1] & 0x80, 0xFF, 0)
    if container == 8:
        return padded.view(">i8").reshape(-1).astype(np.int64)
    return _from_words(padded.view(np.uint64))


def _from_words(words: npt.NDArray[np.uint64]) -> ItemArray:
    """Items of big-endian words, given as rows of four 8-byte groups in memory order: int64 where all fit."""
    low = words[:, -1].copy().view(">i8").astype(np.int64)
    sign = (low >> 63).view(np.uint64)  # all zeros or all ones: the same in either byte order
    if bool((words[:, :-1] == sign[:, None]).all()):
        return low
    return np.ascontiguousarray(words.view(">u8").astype(np.uint64)[:, ::-1])


def to_big_endian(array: ItemArray, width: int) -> bytes:
    """The items at ``width`` bytes each, big-endian two's complement; every item must fit (see
    ``fits_width``)."""
    if width in (1, 2, 4, 8):
        return as_type(array, f"i{width}").astype(f">i{width}").tobytes()
    if width < 8:
        raw = as_type(array, np.int64).astype(">i8").view(np.uint8).reshape(-1, 8)
    else:
        raw = np.ascontiguousarray(widen(array)[:, ::-1].astype(">u8")).view(np.uint8).reshape(-1, WORD_BYTES)
    return raw[:, raw.shape[1] - width :].tobytes()


def fits_width(low: int, high: int, width: int) -> bool:
    """Whether all items between two extremes fit ``width`` bytes two's complement."""
    limit = 1 << (8 * width - 1)
    return -limit <= low and high < limit


def clamped_to_int64(array: ItemArray, limit: int) -> npt.NDArray[np.int64]:
    """The items as int64, each clamped to −``limit`` … ``limit`` (below 2^63)."""
    if not is_wide(array):
        return np.clip(array.astype(np.int64), -limit, limit)
    values = np.ascontiguousarray(array[:, 0]).view(np.int64)
    top = np.ascontiguousarray(array[:, -1]).view(np.int64)
    sign = (values >> 63).view(np.uint64)
    beyond = (array[:, 1:] != sign[:, None]).any(axis=1)
    result: npt.NDArray[np.int64] = np.clip(
        np.where(beyond, np.where(top < 0, -limit, limit), values), -limit, limit
    )
    return result


def channels_first(array: ItemArray, channels: int) -> ItemArray:
    """Items of a map that is channels last, channel by channel."""
    if is_wide(array):
        return np.ascontiguousarray(array.reshape(-1, channels, LIMBS).transpose(1, 0, 2)).reshape(-1, LIMBS)
    return np.ascontiguousarray(array.reshape(-1, channels).T).reshape(-1)


def channels_last(array: ItemArray, channels: int) -> ItemArray:
    """Items of a map that is channel by channel, channels last."""
    if is_wide(array):
        return np.ascontiguousarray(array.reshape(channels, -1, LIMBS).transpose(1, 0, 2)).reshape(-1, LIMBS)
    return np.ascontiguousarray(array.reshape(channels, -1).T).reshape(-1)
