"""Numbers of the curve bn254 (alt_bn128), and Python's view of its field: constants for the compiled kernels.

Elements of the prime field are kept in Montgomery form, as four 64-bit limbs, least significant first. The
tower is Fp2 = Fp[u]/(u^2 + 1), Fp6 = Fp2[v]/(v^3 - xi), Fp12 = Fp6[w]/(w^2 - v) with xi = 9 + u. Source:
EIP-196, EIP-197.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

PRIME = 21888242871839275222246405745257275088696311157297823662689037894645226208583
ORDER = 21888242871839275222246405745257275088548364400416034343698204186575808495617
#: The parameter x from which the Barreto-Naehrig family makes the prime and the order.
PARAMETER = 4965661367192848881

LIMBS = 4
_RADIX = 1 << 256

Fp2 = tuple[int, int]
XI: Fp2 = (9, 1)


def to_montgomery(value: int) -> bytes:
    """An element's limbs as 32 bytes."""
    return (value * _RADIX % PRIME).to_bytes(32, "little")


def from_montgomery(limbs: bytes) -> int:
    """The element that 32 bytes of limbs stand for."""
    return int.from_bytes(limbs, "little") * pow(_RADIX, -1, PRIME) % PRIME


def fp2_multiply(a: Fp2, b: Fp2) -> Fp2:
    """The product in Fp2."""
    return (a[0] * b[0] - a[1] * b[1]) % PRIME, (a[0] * b[1] + a[1] * b[0]) % PRIME


def fp2_power(base: Fp2, exponent: int) -> Fp2:
    """A power in Fp2."""
    result: Fp2 = (1, 0)
    while exponent:
        if exponent & 1:
            result = fp2_multiply(result, base)
        base = fp2_multiply(base, base)
        exponent >>= 1
    return result


def fp2_inverse(a: Fp2) -> Fp2:
    """1/a."""
    norm_inverse = pow(a[0] * a[0] + a[1] * a[1], -1, PRIME)
    return a[0] * norm_inverse % PRIME, -a[1] * norm_inverse % PRIME


#: The twist is y^2 = x^3 + 3/xi.
TWIST_B: Fp2 = fp2_multiply((3, 0), fp2_inverse(XI))


def elements(*values: int | Fp2) -> NDArray[np.uint64]:
    """Elements of Fp or Fp2 one behind the other, as the kernels hold them."""
    parts: list[bytes] = []
    for value in values:
        parts.extend(map(to_montgomery, value if isinstance(value, tuple) else (value,)))
    return np.frombuffer(b"".join(parts), dtype=np.uint64)


def frobenius_constants() -> list[Fp2]:
    """xi^(j (p^k - 1) / 6) for k = 1, 2, 3 (outer) and j = 0 ... 5: what the k-th Frobenius map multiplies
    the coefficient of w^j with, after conjugating it when k is odd."""
    return [fp2_power(XI, j * (PRIME**k - 1) // 6) for k in (1, 2, 3) for j in range(6)]
