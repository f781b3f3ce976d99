"""KECCAK-256 (as Ethereum uses it: with the padding of the original submission, not that of SHA-3)."""

from __future__ import annotations

from Crypto.Hash import keccak


def keccak256(data: bytes) -> bytes:
    """The 32 bytes of the hash."""
    return keccak.new(digest_bits=256, data=data).digest()
