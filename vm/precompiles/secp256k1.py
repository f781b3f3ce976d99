"""ECRECOVER: the address whose key signed a hash (Yellow Paper, appendix E), through libsecp256k1."""

from __future__ import annotations

import coincurve
from Crypto.Hash import keccak

_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def recover(message_hash: bytes, recovery_id: int, r: int, s: int) -> bytes | None:
    """The 20-byte address that signed ``message_hash``, or None when no key did.

    ``recovery_id`` is the parity, 0 or 1, of the ephemeral point's y. Any 0 < s < n is taken; EIP-2's lower
    half is the caller's matter.
    """
    if not (0 < r < _ORDER and 0 < s < _ORDER):
        return None
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes((recovery_id,))
    try:
        key = coincurve.PublicKey.from_signature_and_message(signature, message_hash, hasher=None)
    except Exception:  # coincurve raises a bare Exception where no point has this x
        return None
    digest: bytes = keccak.new(digest_bits=256, data=key.format(compressed=False)[1:]).digest()
    return digest[12:]


def recover_address(data: bytes) -> bytes:
    """Hash, v (27 or 28), r, s, each a word; missing bytes count as zero. The address as a word, or empty."""
    data = data[:128].ljust(128, b"\0")
    v = int.from_bytes(data[32:64], "big")
    if v not in (27, 28):
        return b""
    address = recover(
        data[:32], v - 27, int.from_bytes(data[64:96], "big"), int.from_bytes(data[96:128], "big")
    )
    return b"" if address is None else bytes(12) + address
