"""MODEXP: base ** exponent mod modulus on numbers of any length (EIP-198), through GMP.

The input is three words (lengths of base, exponent and modulus in bytes) followed by the three numbers; what
lies behind its end is zero.
"""

from __future__ import annotations

import gmpy2
from smartvm.vm.precompiles.model import PrecompileFailure

#: EIP-7823: no number is longer, in bytes.
_LONGEST = 1024


def _lengths(data: bytes) -> tuple[int, int, int]:
    head = data[:96].ljust(96, b"\0")
    return (
        int.from_bytes(head[0:32], "big"),
        int.from_bytes(head[32:64], "big"),
        int.from_bytes(head[64:96], "big"),
    )


def _number(data: bytes, offset: int, length: int) -> int:
    """The big-endian number at ``offset``; only the bytes that the input has are ever touched."""
    if offset >= len(data):
        return 0
    present = data[offset : offset + length]
    return int.from_bytes(present, "big") << (8 * (length - len(present)))


def _exponent_head(data: bytes, base_length: int, exponent_length: int) -> int:
    """The exponent's first 32 bytes, or all of a shorter one."""
    return _number(data, 96 + base_length, min(32, exponent_length))


def _iterations(exponent_length: int, head: int, bits_per_further_byte: int) -> int:
    bits = max(head.bit_length() - 1, 0)
    if exponent_length > 32:
        bits += bits_per_further_byte * (exponent_length - 32)
    return max(bits, 1)


def gas_eip198(data: bytes) -> int:
    """Byzantium's price."""
    base_length, exponent_length, modulus_length = _lengths(data)
    longest = max(base_length, modulus_length)
    if longest <= 64:
        complexity = longest**2
    elif longest <= 1024:
        complexity = longest**2 // 4 + 96 * longest - 3072
    else:
        complexity = longest**2 // 16 + 480 * longest - 199_680
    head = _exponent_head(data, base_length, exponent_length)
    return complexity * _iterations(exponent_length, head, 8) // 20


def gas_eip2565(data: bytes) -> int:
    """Berlin's price."""
    base_length, exponent_length, modulus_length = _lengths(data)
    words = (max(base_length, modulus_length) + 7) // 8
    head = _exponent_head(data, base_length, exponent_length)
    return max(200, words**2 * _iterations(exponent_length, head, 8) // 3)


def gas_eip7883(data: bytes) -> int:
    """Osaka's price. Lengths above EIP-7823's bound fail in ``modexp_bounded`` whatever is paid."""
    base_length, exponent_length, modulus_length = _lengths(data)
    longest = max(base_length, modulus_length)
    words = (longest + 7) // 8
    complexity = 16 if longest <= 32 else 2 * words**2
    head = _exponent_head(data, base_length, exponent_length)
    return max(500, complexity * _iterations(exponent_length, head, 16))


def modexp(data: bytes) -> bytes:
    """The power, as long as the modulus; zero for a modulus of zero."""
    base_length, exponent_length, modulus_length = _lengths(data)
    if modulus_length == 0:
        # Also where a free input names an exponent of astronomical length.
        return b""
    modulus = _number(data, 96 + base_length + exponent_length, modulus_length)
    if modulus == 0:
        return bytes(modulus_length)
    base = _number(data, 96, base_length)
    exponent = _number(data, 96 + base_length, exponent_length)
    return int(gmpy2.powmod(base, exponent, modulus)).to_bytes(modulus_length, "big")


def modexp_bounded(data: bytes) -> bytes:
    """Osaka's: fails when a length is above 1,024 bytes (EIP-7823)."""
    if max(_lengths(data)) > _LONGEST:
        raise PrecompileFailure
    return modexp(data)
