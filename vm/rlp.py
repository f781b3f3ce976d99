"""Recursive Length Prefix: how Ethereum writes byte strings and nested lists (Yellow Paper, appendix B).

The `rlp` package of PyPI does this too, but imports for a third of a second, which every run of a small
contract would pay.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from smartvm.errors import SmartVMError

Item: TypeAlias = "bytes | Sequence[Item]"
#: What can be encoded: numbers stand for their shortest byte strings.
Encodable: TypeAlias = "bytes | int | Sequence[Encodable]"

#: Deeper lists are refused: nothing of Ethereum nests more than four deep, and recursion is bounded by it.
_DEEPEST = 64


class RLPError(SmartVMError):
    """Bytes that are not the one encoding of an item."""


def length_prefix(kind: int, length: int) -> bytes:
    """What stands before ``length`` bytes: of a byte string (``kind`` 0x80) that is not a single byte below 0x80, or
    of a list's items (0xc0)."""
    if length < 56:
        return bytes((kind + length,))
    size = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((kind + 55 + len(size),)) + size


def encode_bytes(data: bytes) -> bytes:
    """A byte string."""
    if len(data) == 1 and data[0] < 0x80:
        return data
    return length_prefix(0x80, len(data)) + data


def encode_integer(value: int) -> bytes:
    """A number as the shortest big-endian byte string; 0 is the empty one."""
    return encode_bytes(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def encode_encoded(items: Iterable[bytes]) -> bytes:
    """A list of items that are encoded already."""
    payload = b"".join(items)
    return length_prefix(0xC0, len(payload)) + payload


def encode(item: Encodable) -> bytes:
    """Any item."""
    if isinstance(item, int):
        return encode_integer(item)
    if isinstance(item, (bytes, bytearray, memoryview)):
        return encode_bytes(bytes(item))
    return encode_encoded(encode(part) for part in item)


def decode(data: bytes) -> Item:
    """The one item that ``data`` is. Raises ``RLPError`` for anything else, and for encodings that are not
    shortest."""
    item, end = _decode_at(data, 0, len(data), 0)
    if end != len(data):
        raise RLPError(f"RLP: {len(data) - end} bytes follow the item")
    return item


def decode_integer(item: Item, what: str) -> int:
    """The number that a decoded item is; ``what`` names it in the error."""
    if not isinstance(item, bytes):
        raise RLPError(f"RLP: {what} is a list, expected a number")
    if item[:1] == b"\0":
        raise RLPError(f"RLP: {what} has leading zeros")
    return int.from_bytes(item, "big")


def _decode_at(data: bytes, start: int, end: int, depth: int) -> tuple[Item, int]:
    if start >= end:
        raise RLPError("RLP: an item is missing")
    prefix = data[start]
    if prefix < 0x80:
        return data[start : start + 1], start + 1
    is_list = prefix >= 0xC0
    short = prefix - (0xC0 if is_list else 0x80)
    first = start + 1
    if short < 56:
        length = short
    else:
        size = short - 55
        digits = data[first : first + size]
        length = int.from_bytes(digits, "big")
        if first + size > end or digits[0] == 0 or length < 56:
            raise RLPError(f"RLP: the length at byte {start} is not encoded as it should be")
        first += size
    last = first + length
    if last > end:
        raise RLPError(f"RLP: the item at byte {start} has {length} bytes, {end - first} are left")
    if not is_list:
        if length == 1 and data[first] < 0x80:
            raise RLPError(f"RLP: the byte at {first} is encoded longer than it should be")
        return data[first:last], last
    if depth == _DEEPEST:
        raise RLPError(f"RLP: lists are nested more than {_DEEPEST} deep")
    items = []
    while first < last:
        item, first = _decode_at(data, first, last, depth + 1)
        items.append(item)
    return items, last
