"""Reads state variables out of storage by a contract's storage layout
(docs/internals/layout_in_storage.rst)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from smartvm.abi import checksum_address
from smartvm.errors import SmartVMError
from smartvm.keccak import keccak256

_WORD = 32
_INTEGER = re.compile(r"(u?)int(\d+)")
_FIXED_BYTES = re.compile(r"bytes(\d+)")


class StorageError(SmartVMError):
    """A variable, key or type that cannot be read."""


class StorageReader:
    """``layout`` is ``storageLayout`` of Standard JSON; ``load`` gives the word in a slot."""

    def __init__(self, layout: Mapping[str, Any], load: Callable[[int], int]) -> None:
        self.layout = layout
        self.types: Mapping[str, Mapping[str, Any]] = layout.get("types") or {}
        self.load = load

    def read(self, variable: str, keys: Sequence[Any] = ()) -> Any:
        """The variable's value after following ``keys``: a mapping's key, an array's index, a struct's
        member."""
        entry = next((e for e in self.layout["storage"] if e["label"] == variable), None)
        if entry is None:
            known = ", ".join(e["label"] for e in self.layout["storage"]) or "none"
            raise StorageError(f"there is no state variable `{variable}`", hint=f"known: {known}")
        slot, offset, type_name = int(entry["slot"]), int(entry["offset"]), str(entry["type"])
        for key in keys:
            slot, offset, type_name = self._follow(slot, type_name, key)
        return self._value(slot, offset, type_name)

    def _follow(self, slot: int, type_name: str, key: Any) -> tuple[int, int, str]:
        about = self.types[type_name]
        if about["encoding"] == "mapping":
            place = keccak256(self._key(str(about["key"]), key) + slot.to_bytes(_WORD, "big"))
            return int.from_bytes(place, "big"), 0, str(about["value"])
        if "members" in about:
            for member in about["members"]:
                if member["label"] == key:
                    return slot + int(member["slot"]), int(member["offset"]), str(member["type"])
            raise StorageError(f"`{about['label']}` has no member `{key}`")
        if "base" in about:
            length = self._length(slot, type_name)
            if not isinstance(key, int) or not 0 <= key < length:
                raise StorageError(f"`{about['label']}` has {length} elements, there is none at {key!r}")
            return self._element(slot, type_name, key)
        raise StorageError(f"`{about['label']}` has no parts, `{key!r}` leads nowhere")

    def _key(self, type_name: str, key: Any) -> bytes:
        """A mapping's key as it is hashed: values padded to a word, strings and bytes as they are."""
        if isinstance(key, str) and not key.startswith("0x"):
            return key.encode()
        if type_name.startswith(("t_string", "t_bytes_")):
            return bytes.fromhex(key[2:]) if isinstance(key, str) else bytes(key)
        if isinstance(key, str):
            key = bytes.fromhex(key[2:])
        if isinstance(key, bytes):
            is_left_aligned = _FIXED_BYTES.fullmatch(str(self.types[type_name]["label"])) is not None
            return key.ljust(_WORD, b"\0") if is_left_aligned else key.rjust(_WORD, b"\0")
        return (int(key) % 2**256).to_bytes(_WORD, "big")

    def _length(self, slot: int, type_name: str) -> int:
        about = self.types[type_name]
        if about["encoding"] == "dynamic_array":
            return self.load(slot)
        return int(str(about["label"]).rpartition("[")[2][:-1])

    def _element(self, slot: int, type_name: str, index: int) -> tuple[int, int, str]:
        about = self.types[type_name]
        if about["encoding"] == "dynamic_array":
            slot = int.from_bytes(keccak256(slot.to_bytes(_WORD, "big")), "big")
        base = str(about["base"])
        size = int(self.types[base]["numberOfBytes"])
        if (
            size <= _WORD // 2
            and self.types[base]["encoding"] == "inplace"
            and "members" not in self.types[base]
        ):
            per_slot = _WORD // size
            return slot + index // per_slot, index % per_slot * size, base
        return slot + index * -(-size // _WORD), 0, base

    def _value(self, slot: int, offset: int, type_name: str) -> Any:
        about = self.types[type_name]
        if about["encoding"] == "mapping":
            raise StorageError(f"`{about['label']}` cannot be read as a whole: give a key")
        if about["encoding"] == "bytes":
            data = self._bytes(slot)
            return data.decode("utf-8", "replace") if about["label"] == "string" else data
        if "members" in about:
            return {
                member["label"]: self._value(
                    slot + int(member["slot"]), int(member["offset"]), str(member["type"])
                )
                for member in about["members"]
                if self.types[member["type"]]["encoding"] != "mapping"
            }
        if "base" in about:
            return [
                self._value(*self._element(slot, type_name, index))
                for index in range(self._length(slot, type_name))
            ]
        size = int(about["numberOfBytes"])
        return _plain((self.load(slot) >> 8 * offset) % 256**size, size, str(about["label"]))

    def _bytes(self, slot: int) -> bytes:
        word = self.load(slot)
        if not word & 1:
            return word.to_bytes(_WORD, "big")[: (word & 0xFF) // 2]
        length = word // 2
        first = int.from_bytes(keccak256(slot.to_bytes(_WORD, "big")), "big")
        words = [self.load(first + i).to_bytes(_WORD, "big") for i in range(-(-length // _WORD))]
        return b"".join(words)[:length]


def _plain(number: int, size: int, label: str) -> Any:
    """A value type's bytes as a Python value."""
    integer = _INTEGER.fullmatch(label)
    if integer is not None:
        is_negative = not integer[1] and number >> (8 * size - 1)
        return number - 256**size if is_negative else number
    if label == "bool":
        return bool(number)
    if label.startswith(("address", "contract ")):
        return checksum_address(number.to_bytes(20, "big"))
    if _FIXED_BYTES.fullmatch(label) or label.startswith("function "):
        return number.to_bytes(size, "big")
    return number
