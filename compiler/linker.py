"""Library addresses in bytecode (docs/contracts/libraries.rst, docs/using-the-compiler.rst "Library
Linking")."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from smartvm.errors import SmartVMError
from smartvm.keccak import keccak256

_PLACEHOLDER = re.compile(r"__\$([0-9a-f]{34})\$__")
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")

#: Library (``source:name``) to where its address goes: (offset, 20).
References = Mapping[str, tuple[tuple[int, int], ...]]


class LinkError(SmartVMError):
    """A library address that cannot be used."""


def placeholder(library: str) -> str:
    """The 40 characters that stand for a library's address: from the hash of ``source:name``."""
    return f"__${keccak256(library.encode()).hex()[:34]}$__"


def find_address(library: str, libraries: Mapping[str, bytes]) -> bytes | None:
    """The address of ``source:name``, given under that name or under ``name`` alone."""
    if library in libraries:
        return libraries[library]
    return libraries.get(library.rpartition(":")[2])


def link_hex(bytecode: bytes, references: References, libraries: Mapping[str, bytes]) -> str:
    """Bytecode as hex digits: addresses where they are known, placeholders elsewhere."""
    digits = bytecode.hex()
    for library, places in references.items():
        address = find_address(library, libraries)
        text = address.hex() if address is not None else placeholder(library)
        for offset, length in places:
            digits = digits[: 2 * offset] + text + digits[2 * (offset + length) :]
    return digits


def unlinked(references: References, libraries: Mapping[str, bytes]) -> References:
    """The references whose libraries have no address."""
    return {
        library: places for library, places in references.items() if find_address(library, libraries) is None
    }


def link_references_json(references: References) -> dict[str, Any]:
    """References as Standard JSON has them: by source, then by library."""
    listed: dict[str, Any] = {}
    for library, places in sorted(references.items()):
        source, _, name = library.rpartition(":")
        listed.setdefault(source, {})[name] = [
            {"length": length, "start": start} for start, length in sorted(places)
        ]
    return listed


def link_text(digits: str, libraries: Mapping[str, str]) -> str:
    """Put addresses (``0x`` and 40 digits, by library name) in the place of the placeholders in hex
    digits."""
    by_hash: dict[str, str] = {}
    for library, address in libraries.items():
        if not _ADDRESS.fullmatch(address):
            raise LinkError(
                f"`{address}` is no address for the library `{library}`", hint="write 0x and 40 digits"
            )
        by_hash[placeholder(library)[3:-3]] = address[2:].lower()
    return _PLACEHOLDER.sub(lambda match: by_hash.get(match[1], match[0]), digits)
