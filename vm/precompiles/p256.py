"""P256VERIFY: ECDSA on secp256r1 (EIP-7951), through OpenSSL."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_PRIME = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
_TRUE = (1).to_bytes(32, "big")


def verify(data: bytes) -> bytes:
    """Hash, r, s, x and y of the public key, each a word. The word 1 when the signature holds, else empty."""
    if len(data) != 160:
        return b""
    r, s, x, y = (int.from_bytes(data[i : i + 32], "big") for i in (32, 64, 96, 128))
    if not (0 < r < _ORDER and 0 < s < _ORDER and x < _PRIME and y < _PRIME):
        return b""
    try:
        key = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
        key.verify(encode_dss_signature(r, s), data[:32], ec.ECDSA(Prehashed(SHA256())))
    except (InvalidSignature, ValueError):  # ValueError: the key is not a point of the curve
        return b""
    return _TRUE
