"""Gas and output compared with the execution specification, on good inputs and on spoiled ones."""

from __future__ import annotations

import random
from collections.abc import Iterator
from importlib import import_module
from types import SimpleNamespace

import pytest
from smartvm.vm.forks import Fork
from smartvm.vm.precompiles import PrecompileFailure, precompiles_at

pytest.importorskip("ethereum.forks.osaka")
pytestmark = pytest.mark.peer

from ethereum_types.numeric import Uint  # noqa: E402
from py_ecc import optimized_bls12_381 as bls  # noqa: E402
from py_ecc import optimized_bn128 as bn  # noqa: E402

GAS = 10**12


def eels(fork: Fork, address: int, data: bytes) -> tuple[int, bytes] | None:
    """Gas used and output, or None for a failure."""
    folder = "constantinople" if fork is Fork.PETERSBURG else fork.label
    module = import_module(f"ethereum.forks.{folder}.vm.precompiled_contracts.mapping")
    frame = SimpleNamespace(message=SimpleNamespace(data=data), gas_left=Uint(GAS), output=b"")
    contracts = {int.from_bytes(key, "big"): value for key, value in module.PRE_COMPILED_CONTRACTS.items()}
    try:
        contracts[address](frame)
    except Exception:
        return None
    return GAS - int(frame.gas_left), bytes(frame.output)


def ours(fork: Fork, address: int, data: bytes) -> tuple[int, bytes] | None:
    contract = precompiles_at(fork)[address]
    try:
        return contract.gas(data), contract.run(data)
    except PrecompileFailure:
        return None


def word(value: int) -> bytes:
    return value.to_bytes(32, "big")


def bn_g1(factor: int) -> bytes:
    if factor % bn.curve_order == 0:
        return bytes(64)
    x, y = bn.normalize(bn.multiply(bn.G1, factor % bn.curve_order))
    return word(int(x)) + word(int(y))


def bn_g2(factor: int) -> bytes:
    x, y = bn.normalize(bn.multiply(bn.G2, factor))
    return b"".join(word(int(c)) for c in (x.coeffs[1], x.coeffs[0], y.coeffs[1], y.coeffs[0]))


def root_in_fp2(real: int, imaginary: int, prime: int) -> tuple[int, int] | None:
    """A square root of real + imaginary u with u^2 = -1, where the prime is 3 modulo 4."""

    def root(value: int) -> int | None:
        candidate = pow(value, (prime + 1) // 4, prime)
        return candidate if candidate * candidate % prime == value % prime else None

    norm = root(real * real + imaginary * imaginary)
    for sign in (1, -1):
        if norm is None:
            continue
        first = root((real + sign * norm) * pow(2, -1, prime))
        if first:
            return first, imaginary * pow(2 * first, -1, prime) % prime
    return None


def point_on_twist(prime: int, b: tuple[int, int]) -> tuple[int, int, int, int]:
    """x and y of some point, which is outside of the subgroup as nearly all are."""
    for x in range(1, 100):
        y = root_in_fp2(x**3 + b[0], b[1], prime)
        if y is not None:
            return x, 0, *y
    raise AssertionError("no point found")


def bn_g2_outside_the_subgroup() -> bytes:
    x0, x1, y0, y1 = point_on_twist(bn.field_modulus, tuple(map(int, bn.b2.coeffs)))
    return b"".join(map(word, (x1, x0, y1, y0)))


def bls_element(value: int) -> bytes:
    return int(value).to_bytes(64, "big")


def bls_g1(factor: int) -> bytes:
    if factor == 0:
        return bytes(128)
    x, y = bls.normalize(bls.multiply(bls.G1, factor))
    return bls_element(int(x)) + bls_element(int(y))


def bls_g2(factor: int) -> bytes:
    if factor == 0:
        return bytes(256)
    x, y = bls.normalize(bls.multiply(bls.G2, factor))
    return b"".join(bls_element(int(c)) for c in (*x.coeffs, *y.coeffs))


#: A point of the curve that is not in the subgroup.
BLS_G1_OUTSIDE = bls_element(0) + bls_element(2)


def bls_g2_outside() -> bytes:
    return b"".join(map(bls_element, point_on_twist(bls.field_modulus, tuple(map(int, bls.b2.coeffs)))))


def cases() -> Iterator[tuple[Fork, int, bytes]]:
    draw = random.Random(4)
    for fork in (Fork.FRONTIER, Fork.OSAKA):
        for address in (1, 2, 3, 4):
            for length in (0, 1, 32, 127, 128, 200):
                yield fork, address, draw.randbytes(length)
    yield Fork.OSAKA, 1, word(5) + word(28) + word(6) + word(7)
    yield Fork.OSAKA, 1, (word(5) + word(27) + word(6) + word(7) + b"more")
    for fork in (Fork.BYZANTIUM, Fork.BERLIN, Fork.OSAKA):
        for _ in range(30):
            lengths = [draw.choice((0, 1, 2, 31, 32, 33, 64, 65, 200, 1024, 1025)) for _ in range(3)]
            body = b"".join(draw.randbytes(length) for length in lengths)
            data = b"".join(map(word, lengths)) + body
            yield fork, 5, data[: draw.choice((len(data), draw.randrange(len(data))))]
    a, b = draw.randrange(bn.curve_order), draw.randrange(bn.curve_order)
    for fork in (Fork.BYZANTIUM, Fork.OSAKA):
        yield fork, 6, bn_g1(a) + bn_g1(b)
        yield fork, 6, bn_g1(a) + bn_g1(-a)
        yield fork, 6, bn_g1(a) + bn_g1(a)
        yield fork, 6, bn_g1(a)[:63]
        yield fork, 6, b""
        yield fork, 6, word(1) + word(3)
        yield fork, 6, word(bn.field_modulus) + word(0)
        yield fork, 7, bn_g1(a) + word(b)
        yield fork, 7, bn_g1(a) + word(2**256 - 1)
        yield fork, 7, bn_g1(0) + word(7)
    for factor in (0, 1, 2, 3, bn.curve_order - 1, bn.curve_order, bn.curve_order + 1):
        yield Fork.OSAKA, 7, bn_g1(b) + word(factor)
    good = bn_g1(a) + bn_g2(b) + bn_g1(-a * b) + bn_g2(1)
    yield Fork.OSAKA, 8, good
    yield Fork.BYZANTIUM, 8, bn_g1(a) + bn_g2(b)
    yield Fork.OSAKA, 8, bn_g1(0) + bn_g2(b)
    yield Fork.OSAKA, 8, bn_g1(a) + bytes(128)
    yield Fork.OSAKA, 8, bn_g1(a) + bn_g2_outside_the_subgroup()
    yield Fork.OSAKA, 8, good[:-1]
    yield Fork.OSAKA, 8, good[:-1] + bytes((good[-1] ^ 1,))
    for rounds in (0, 1, 12, 33):
        yield Fork.ISTANBUL, 9, rounds.to_bytes(4, "big") + draw.randbytes(208) + bytes((rounds & 1,))
    yield from bls_cases(draw)


def bls_cases(draw: random.Random) -> Iterator[tuple[Fork, int, bytes]]:
    fork = Fork.PRAGUE
    a, b = draw.randrange(bls.curve_order), draw.randrange(bls.curve_order)
    outside = bls_g2_outside()
    yield fork, 0x0B, bls_g1(a) + bls_g1(b)
    yield fork, 0x0B, bls_g1(a) + bls_g1(0)
    yield fork, 0x0B, bls_g1(a) + BLS_G1_OUTSIDE
    yield fork, 0x0B, bls_g1(a) + b"\x01" + bls_g1(b)[1:]
    yield fork, 0x0B, bls_g1(a) + bls_element(bls.field_modulus) + bls_element(2)
    yield fork, 0x0C, bls_g1(a) + word(2**256 - 1)
    yield fork, 0x0C, bls_g1(a) + word(b) + bls_g1(0) + word(5) + bls_g1(b) + word(0)
    yield fork, 0x0C, BLS_G1_OUTSIDE + word(1)
    yield fork, 0x0D, bls_g2(a) + bls_g2(b)
    yield fork, 0x0D, bls_g2(a) + outside
    yield fork, 0x0E, bls_g2(a) + word(b) + bls_g2(b) + word(a)
    yield fork, 0x0E, outside + word(1)
    yield fork, 0x0F, bls_g1(a) + bls_g2(b) + bls_g1(bls.curve_order - a * b % bls.curve_order) + bls_g2(1)
    yield fork, 0x0F, bls_g1(a) + bls_g2(b)
    yield fork, 0x0F, bls_g1(0) + bls_g2(b)
    yield fork, 0x0F, bls_g1(0) + outside
    yield fork, 0x10, bls_element(a)
    yield fork, 0x10, bls_element(bls.field_modulus)
    yield fork, 0x10, bls_element(0)
    yield fork, 0x11, bls_element(a) + bls_element(b)
    yield fork, 0x11, bls_element(a) + bls_element(bls.field_modulus)


@pytest.mark.parametrize(
    ("fork", "address", "data"),
    [pytest.param(*case, id=f"{case[0].label}-{case[1]:#x}-{number}") for number, case in enumerate(cases())],
)
def test_gas_and_output_are_the_specification_s(fork: Fork, address: int, data: bytes) -> None:
    assert ours(fork, address, data) == eels(fork, address, data)


def test_p256_signatures_are_verified() -> None:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
    from cryptography.hazmat.primitives.hashes import SHA256

    key = ec.generate_private_key(ec.SECP256R1())
    numbers = key.public_key().public_numbers()
    digest = bytes(range(32))
    r, s = decode_dss_signature(key.sign(digest, ec.ECDSA(Prehashed(SHA256()))))
    good = digest + b"".join(map(word, (r, s, numbers.x, numbers.y)))
    assert ours(Fork.OSAKA, 0x100, good) == (6900, word(1)) == eels(Fork.OSAKA, 0x100, good)
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    malleable = digest + b"".join(map(word, (r, order - s, numbers.x, numbers.y)))
    assert ours(Fork.OSAKA, 0x100, malleable) == (6900, word(1)) == eels(Fork.OSAKA, 0x100, malleable)
    for position in range(0, 160, 8):
        bad = bytearray(good)
        bad[position] ^= 1
        assert ours(Fork.OSAKA, 0x100, bytes(bad)) == (6900, b"") == eels(Fork.OSAKA, 0x100, bytes(bad))
    for data in (good[:-1], good + b"\0", b"", digest + word(0) + good[64:], good[:96] + bytes(64)):
        assert ours(Fork.OSAKA, 0x100, data) == (6900, b"") == eels(Fork.OSAKA, 0x100, data)
