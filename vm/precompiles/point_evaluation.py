"""KZG point evaluation (EIP-4844): does a committed polynomial have the value y at z?

One pairing equation over BLS12-381, computed by arkworks. Of the ceremony's trusted setup it needs a single
point, so neither the 4,096 others are shipped nor the time spent to load them.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

from py_arkworks_bls12381 import GT, G1Point, G2Point, Scalar
from smartvm.vm.precompiles.model import PrecompileFailure

_MODULUS = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
_FIELD_ELEMENTS_PER_BLOB = 4096
_OUTPUT = _FIELD_ELEMENTS_PER_BLOB.to_bytes(32, "big") + _MODULUS.to_bytes(32, "big")
_VERSION_KZG = b"\x01"
_INFINITY = b"\xc0" + bytes(47)

#: The secret of Ethereum's KZG ceremony times G2's generator (consensus-specs, trusted_setup_4096.json).
_SETUP_G2 = bytes.fromhex(
    "b5bfd7dd8cdeb128843bc287230af38926187075cbfbefa81009a2ce615ac53d2914e5870cb452d2afaaab24f3499f72"
    "185cbfee53492714734429b7b38608e23926c911cceceac9a36851477ba4c60b087041de621000edc98edada20c1def2"
)


@lru_cache(maxsize=1)
def _setup() -> G2Point:
    return G2Point.from_compressed_bytes(_SETUP_G2)


def versioned_hash(commitment: bytes) -> bytes:
    """The 32-byte hash under which a transaction names a commitment."""
    return _VERSION_KZG + hashlib.sha256(commitment).digest()[1:]


def _point(data: bytes) -> G1Point:
    # Infinity has one encoding; arkworks takes its flag with anything behind it.
    if data[0] & 0x40 and data != _INFINITY:
        raise PrecompileFailure
    try:
        return G1Point.from_compressed_bytes(data)
    except ValueError:
        raise PrecompileFailure from None


def point_evaluation(data: bytes) -> bytes:
    """Versioned hash, z, y, commitment, proof. Two words, the blob's number of elements and the field's
    modulus, or a failure when the proof does not hold."""
    if len(data) != 192:
        raise PrecompileFailure
    z, y = int.from_bytes(data[32:64], "big"), int.from_bytes(data[64:96], "big")
    commitment = data[96:144]
    if data[:32] != versioned_hash(commitment) or z >= _MODULUS or y >= _MODULUS:
        raise PrecompileFailure
    # e(commitment - y, -1) * e(proof, secret - z) = 1, where numbers stand for multiples of the generators
    difference = _point(commitment) - G1Point() * Scalar(y)
    shifted = _setup() - G2Point() * Scalar(z)
    if not GT.pairing_check([difference, _point(data[144:192])], [-G2Point(), shifted]):
        raise PrecompileFailure
    return _OUTPUT
