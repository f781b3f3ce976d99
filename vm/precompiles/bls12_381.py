"""The BLS12-381 contracts (EIP-2537), through arkworks.

A field element is 64 bytes, big-endian, below the field's order (so its first 16 bytes are zero); a point of
G1 is x, y; of G2 likewise with two elements each, real part first; the point at infinity is all zeros.
"""

from __future__ import annotations

from py_arkworks_bls12381 import GT, G1Point, G2Point, Scalar
from smartvm.vm.precompiles.bls12_381_discounts import G1_DISCOUNTS, G2_DISCOUNTS
from smartvm.vm.precompiles.model import PrecompileFailure

_ELEMENT = 64
_PADDING = bytes(16)
_G1 = 2 * _ELEMENT
_G2 = 4 * _ELEMENT
_SCALAR = 32


def _strip(data: bytes) -> bytes:
    """The elements without their 16 bytes of padding, which have to be zero. arkworks checks the rest."""
    elements = []
    for offset in range(0, len(data), _ELEMENT):
        if data[offset : offset + 16] != _PADDING:
            raise PrecompileFailure
        elements.append(data[offset + 16 : offset + _ELEMENT])
    return b"".join(elements)


def _pad(data: bytes) -> bytes:
    return b"".join(_PADDING + data[offset : offset + 48] for offset in range(0, len(data), 48))


def _g1(data: bytes, *, in_subgroup: bool) -> G1Point:
    decode = G1Point.from_xy_bytes_be if in_subgroup else G1Point.from_xy_bytes_unchecked_be
    try:
        return decode(_strip(data))
    except ValueError:
        raise PrecompileFailure from None


def _g2(data: bytes, *, in_subgroup: bool) -> G2Point:
    decode = G2Point.from_xy_bytes_be if in_subgroup else G2Point.from_xy_bytes_unchecked_be
    try:
        return decode(_strip(data))
    except ValueError:
        raise PrecompileFailure from None


def _count(data: bytes, size: int) -> int:
    """How many parts of ``size`` bytes the input has: at least one, and nothing left over."""
    count, rest = divmod(len(data), size)
    if count == 0 or rest:
        raise PrecompileFailure
    return count


def _discounted(pairs: int, price: int, discounts: tuple[int, ...]) -> int:
    if pairs == 0:
        return 0  # an empty input fails in the run
    return pairs * price * discounts[min(pairs, len(discounts)) - 1] // 1000


def g1_msm_gas(data: bytes) -> int:
    """12,000 a pair, discounted by their number."""
    return _discounted(len(data) // (_G1 + _SCALAR), 12_000, G1_DISCOUNTS)


def g2_msm_gas(data: bytes) -> int:
    """22,500 a pair, discounted by their number."""
    return _discounted(len(data) // (_G2 + _SCALAR), 22_500, G2_DISCOUNTS)


def pairing_gas(data: bytes) -> int:
    """37,700 and 32,600 a pair."""
    return 37_700 + 32_600 * (len(data) // (_G1 + _G2))


def g1_add(data: bytes) -> bytes:
    """The sum of two points of the curve, which need not be in the subgroup."""
    if len(data) != 2 * _G1:
        raise PrecompileFailure
    total = _g1(data[:_G1], in_subgroup=False) + _g1(data[_G1:], in_subgroup=False)
    return _pad(total.to_xy_bytes_be())


def g2_add(data: bytes) -> bytes:
    """The sum of two points of the twist, which need not be in the subgroup."""
    if len(data) != 2 * _G2:
        raise PrecompileFailure
    total = _g2(data[:_G2], in_subgroup=False) + _g2(data[_G2:], in_subgroup=False)
    return _pad(total.to_xy_bytes_be())


def g1_msm(data: bytes) -> bytes:
    """The sum of points times scalars; the points have to be in the subgroup, the scalars may be any
    words."""
    size = _G1 + _SCALAR
    points, scalars = [], []
    for index in range(_count(data, size)):
        part = data[index * size : (index + 1) * size]
        points.append(_g1(part[:_G1], in_subgroup=True))
        scalars.append(Scalar.from_be_bytes_mod_order(part[_G1:]))
    return _pad(G1Point.multiexp_unchecked(points, scalars).to_xy_bytes_be())


def g2_msm(data: bytes) -> bytes:
    """As ``g1_msm``, in G2."""
    size = _G2 + _SCALAR
    points, scalars = [], []
    for index in range(_count(data, size)):
        part = data[index * size : (index + 1) * size]
        points.append(_g2(part[:_G2], in_subgroup=True))
        scalars.append(Scalar.from_be_bytes_mod_order(part[_G2:]))
    return _pad(G2Point.multiexp_unchecked(points, scalars).to_xy_bytes_be())


def pairing(data: bytes) -> bytes:
    """The word 1 when the product of the pairings is one, else the word 0."""
    size = _G1 + _G2
    firsts, seconds = [], []
    for index in range(_count(data, size)):
        part = data[index * size : (index + 1) * size]
        firsts.append(_g1(part[:_G1], in_subgroup=True))
        seconds.append(_g2(part[_G1:], in_subgroup=True))
    return int(GT.pairing_check(firsts, seconds)).to_bytes(32, "big")


def map_fp_to_g1(data: bytes) -> bytes:
    """A point of the subgroup for a field element (RFC 9380's map_to_curve and clear_cofactor)."""
    if len(data) != _ELEMENT:
        raise PrecompileFailure
    try:
        point = G1Point.map_from_fp_be(_strip(data))
    except ValueError:
        raise PrecompileFailure from None
    return _pad(point.to_xy_bytes_be())


def map_fp2_to_g2(data: bytes) -> bytes:
    """As ``map_fp_to_g1``, for an element of the quadratic extension."""
    if len(data) != 2 * _ELEMENT:
        raise PrecompileFailure
    try:
        point = G2Point.map_from_fp2_be(_strip(data))
    except ValueError:
        raise PrecompileFailure from None
    return _pad(point.to_xy_bytes_be())
