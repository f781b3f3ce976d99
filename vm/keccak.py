"""KECCAK-256 for Python callers. Executed code uses the compiled one of ``vm.native``."""

from __future__ import annotations

from Crypto.Hash import keccak as _keccak


def keccak256(data: bytes | bytearray | memoryview) -> bytes:
    """The Keccak-256 hash, 32 bytes."""
    return _keccak.new(digest_bits=256, data=data).digest()
