"""The contracts of Frontier that hash or copy: SHA-256, RIPEMD-160, identity (Yellow Paper, appendix E)."""

from __future__ import annotations

import hashlib

from Crypto.Hash import RIPEMD160


def _words(length: int) -> int:
    return (length + 31) // 32


def sha256_gas(data: bytes) -> int:
    """60 and 12 a word."""
    return 60 + 12 * _words(len(data))


def sha256(data: bytes) -> bytes:
    """The 32-byte SHA-256 digest."""
    return hashlib.sha256(data).digest()


def ripemd160_gas(data: bytes) -> int:
    """600 and 120 a word."""
    return 600 + 120 * _words(len(data))


def ripemd160(data: bytes) -> bytes:
    """The RIPEMD-160 digest, left-padded to 32 bytes."""
    return bytes(12) + RIPEMD160.new(data).digest()


def identity_gas(data: bytes) -> int:
    """15 and 3 a word."""
    return 15 + 3 * _words(len(data))


def identity(data: bytes) -> bytes:
    """The input itself."""
    return bytes(data)
