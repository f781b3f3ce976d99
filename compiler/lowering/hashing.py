"""KECCAK-256, from which selectors, topics and literals' hashes are made."""

from __future__ import annotations

from functools import lru_cache

from Crypto.Hash import keccak


@lru_cache(maxsize=65536)
def keccak256(data: bytes) -> bytes:
    """The 32-byte hash."""
    return keccak.new(digest_bits=256, data=data).digest()


def selector(signature: str) -> int:
    """The four-byte selector of a function or error signature."""
    return int.from_bytes(keccak256(signature.encode("utf-8"))[:4], "big")


def topic(signature: str) -> int:
    """The word that an event's signature hashes to."""
    return int.from_bytes(keccak256(signature.encode("utf-8")), "big")
