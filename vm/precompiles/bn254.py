"""The bn254 contracts: addition, multiplication (EIP-196) and the pairing check (EIP-197).

Additions run on Python's and GMP's integers; multiplication and pairing are compiled on first use
(``bn254_kernel``).
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import gmpy2
from smartvm.vm.precompiles.bn254_field import (
    ORDER,
    PRIME,
    TWIST_B,
    Fp2,
    elements,
    fp2_multiply,
)
from smartvm.vm.precompiles.model import PrecompileFailure

if TYPE_CHECKING:
    from smartvm.vm.precompiles.bn254_programs import Machine

Point = tuple[int, int]
TwistPoint = tuple[Fp2, Fp2]

_PAIR = 192
_thread = threading.local()


def _machine() -> Machine:
    """This thread's machine."""
    machine: Machine | None = getattr(_thread, "machine", None)
    if machine is None:
        from smartvm.vm.precompiles.bn254_programs import Machine  # imported late: it loads LLVM

        machine = _thread.machine = Machine()
    return machine


def _coordinates(data: bytes, count: int) -> list[int]:
    numbers = [int.from_bytes(data[32 * i : 32 * i + 32], "big") for i in range(count)]
    if max(numbers) >= PRIME:
        raise PrecompileFailure
    return numbers


def _decode_g1(data: bytes) -> Point | None:
    """A point of the curve, None for infinity. The whole curve is the group: its order is prime."""
    x, y = _coordinates(data, 2)
    if x == 0 and y == 0:
        return None
    if (y * y - x * x * x - 3) % PRIME:
        raise PrecompileFailure
    return x, y


def _decode_g2(data: bytes) -> TwistPoint | None:
    """A point of the twist's subgroup, None for infinity. Imaginary parts come first."""
    x1, x0, y1, y0 = _coordinates(data, 4)
    if x0 == x1 == y0 == y1 == 0:
        return None
    x, y = (x0, x1), (y0, y1)
    left, right = fp2_multiply(y, y), fp2_multiply(fp2_multiply(x, x), x)
    if (left[0] - right[0] - TWIST_B[0]) % PRIME or (left[1] - right[1] - TWIST_B[1]) % PRIME:
        raise PrecompileFailure
    if not _machine().is_in_g2(elements(x, y)):
        raise PrecompileFailure
    return x, y


def _encode(point: Point | None) -> bytes:
    if point is None:
        return bytes(64)
    return point[0].to_bytes(32, "big") + point[1].to_bytes(32, "big")


def _sum(a: Point | None, b: Point | None) -> Point | None:
    if a is None:
        return b
    if b is None:
        return a
    if a[0] != b[0]:
        slope = (b[1] - a[1]) * int(gmpy2.invert(b[0] - a[0], PRIME))
    elif a[1] == b[1]:
        slope = 3 * a[0] * a[0] * int(gmpy2.invert(2 * a[1], PRIME))  # the order is odd: y is not 0
    else:
        return None
    slope %= PRIME
    x = (slope * slope - a[0] - b[0]) % PRIME
    return x, (slope * (a[0] - x) - a[1]) % PRIME


def add(data: bytes) -> bytes:
    """The sum of two points."""
    data = data[:128].ljust(128, b"\0")
    return _encode(_sum(_decode_g1(data[:64]), _decode_g1(data[64:])))


def multiply(data: bytes) -> bytes:
    """A point times a word."""
    data = data[:96].ljust(96, b"\0")
    point = _decode_g1(data[:64])
    scalar = int.from_bytes(data[64:], "big") % ORDER
    if point is None or scalar == 0:
        return bytes(64)
    x, y, z = _machine().multiply_g1(point, scalar)
    inverse = int(gmpy2.invert(z, PRIME))
    square = inverse * inverse % PRIME
    return _encode((x * square % PRIME, y * square * inverse % PRIME))


def pairing_gas_eip197(data: bytes) -> int:
    """100,000 and 80,000 a pair."""
    return 100_000 + 80_000 * (len(data) // _PAIR)


def pairing_gas_eip1108(data: bytes) -> int:
    """45,000 and 34,000 a pair."""
    return 45_000 + 34_000 * (len(data) // _PAIR)


def pairing(data: bytes) -> bytes:
    """The word 1 when the product of the pairings is one (as it is of none), else the word 0."""
    if len(data) % _PAIR:
        raise PrecompileFailure
    rows = []
    for offset in range(0, len(data), _PAIR):
        first = _decode_g1(data[offset : offset + 64])
        second = _decode_g2(data[offset + 64 : offset + _PAIR])
        if first is not None and second is not None:
            rows.append(elements(*first, *second))
    if not rows:
        return (1).to_bytes(32, "big")
    return int(_machine().product_is_one(rows)).to_bytes(32, "big")
