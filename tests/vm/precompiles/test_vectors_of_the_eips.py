"""Answers that the EIPs and well-known implementations give."""

from __future__ import annotations

import hashlib
import time

import pytest
from smartvm.vm.forks import Fork
from smartvm.vm.precompiles import PrecompileFailure, precompiles_at

OSAKA = precompiles_at(Fork.OSAKA)

BLAKE2B_START = bytes.fromhex(
    "48c9bdf267e6096a3ba7ca8485ae67bb2bf894fe72f36e3cf1361d5f3af54fa5"
    "d182e6ad7f520e511f6c3e2b8c68059b6bbd41fbabd9831f79217e1319cde05b"
)


def words(*values: int) -> bytes:
    return b"".join(value.to_bytes(32, "big") for value in values)


@pytest.mark.parametrize(
    ("fork", "addresses"),
    [
        (Fork.FRONTIER, [1, 2, 3, 4]),
        (Fork.SPURIOUS_DRAGON, [1, 2, 3, 4]),
        (Fork.BYZANTIUM, list(range(1, 9))),
        (Fork.ISTANBUL, list(range(1, 10))),
        (Fork.CANCUN, list(range(1, 11))),
        (Fork.PRAGUE, list(range(1, 18))),
        (Fork.OSAKA, [*range(1, 18), 0x100]),
    ],
)
def test_forks_have_the_contracts_of_their_eips(fork: Fork, addresses: list[int]) -> None:
    assert sorted(precompiles_at(fork)) == addresses


def test_hashes_of_nothing() -> None:
    assert OSAKA[2].run(b"") == hashlib.sha256().digest()
    assert OSAKA[3].run(b"") == bytes(12) + bytes.fromhex("9c1185a5c5e9fc54612808977ee8f548b2258d31")
    assert OSAKA[4].run(b"ab") == b"ab"
    assert [OSAKA[address].gas(b"x" * 33) for address in (2, 3, 4)] == [84, 840, 21]


def blake2_input(rounds: int, final: int = 1, message: bytes = b"abc") -> bytes:
    counter = len(message).to_bytes(8, "little") + bytes(8)
    return rounds.to_bytes(4, "big") + BLAKE2B_START + message.ljust(128, b"\0") + counter + bytes((final,))


def test_blake2f_with_twelve_rounds_is_blake2b() -> None:
    assert OSAKA[9].run(blake2_input(12)) == hashlib.blake2b(b"abc").digest()


def test_blake2f_without_rounds() -> None:
    # EIP-152, test vector 4
    assert OSAKA[9].run(blake2_input(0)).hex() == (
        "08c9bcf367e6096a3ba7ca8485ae67bb2bf894fe72f36e3cf1361d5f3af54fa5"
        "d282e6ad7f520e511f6c3e2b8c68059b9442be0454267ce079217e1319cde05b"
    )


def test_blake2f_costs_its_rounds() -> None:
    assert OSAKA[9].gas(blake2_input(2**32 - 1)) == 2**32 - 1


@pytest.mark.parametrize(
    "data", [b"", blake2_input(1)[:-1], blake2_input(1) + b"\0", blake2_input(1, final=2)]
)
def test_blake2f_refuses_other_lengths_and_flags(data: bytes) -> None:
    with pytest.raises(PrecompileFailure):
        OSAKA[9].run(data)


def test_modexp_by_fermat() -> None:
    prime = 2**256 - 2**32 - 977
    assert OSAKA[5].run(words(1, 32, 32) + b"\x03" + words(prime - 1, prime)) == words(1)
    # EIP-198: base 0 by length, and an input that ends early counts as zeros
    assert OSAKA[5].run(words(0, 32, 32) + words(prime - 1, prime)) == words(0)
    assert OSAKA[5].run(words(0, 0, 1) + b"\x05") == b"\x01"
    assert OSAKA[5].run(words(1, 1, 2) + b"\x03\x02") == b"\0\0"


def test_modexp_prices() -> None:
    prime = 2**256 - 2**32 - 977
    data = words(1, 32, 32) + b"\x03" + words(prime - 1, prime)
    prices = [precompiles_at(fork)[5].gas(data) for fork in (Fork.BYZANTIUM, Fork.BERLIN, Fork.OSAKA)]
    assert prices == [13056, 1360, 4080]  # EIP-198's and EIP-2565's examples; 16 * 255


def test_modexp_with_absurd_lengths_is_priced_at_once() -> None:
    started = time.perf_counter()
    huge = words(0, 2**256 - 1, 0)
    for fork in (Fork.BYZANTIUM, Fork.BERLIN):
        contract = precompiles_at(fork)[5]
        assert contract.gas(words(2**255, 2**255, 2**255)) > 2**200
        assert contract.gas(huge) <= 2**261
        assert contract.run(huge) == b""
    assert time.perf_counter() - started < 1


def test_modexp_is_bounded_since_osaka() -> None:
    OSAKA[5].run(words(1024, 0, 0))
    for lengths in ((1025, 0, 0), (0, 1025, 0), (0, 0, 1025)):
        with pytest.raises(PrecompileFailure):
            OSAKA[5].run(words(*lengths))


def test_ecrecover_gives_nothing_for_nonsense() -> None:
    assert OSAKA[1].run(b"") == b""
    assert OSAKA[1].run(words(1, 27, 1, 2**256 - 1)) == b""
    assert OSAKA[1].run(words(1, 29, 1, 1)) == b""


def test_point_evaluation_of_the_zero_polynomial() -> None:
    infinity = b"\xc0" + bytes(47)
    versioned_hash = b"\x01" + hashlib.sha256(infinity).digest()[1:]
    data = versioned_hash + words(2, 0) + infinity + infinity
    modulus = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
    assert OSAKA[10].run(data) == words(4096, modulus)
    wrong_value = versioned_hash + words(2, 1) + infinity + infinity
    wrong_hash = bytes(32) + data[32:]
    other_infinity = b"\xc0" + bytes(46) + b"\x01"
    wrong_encoding = data[:144] + other_infinity
    beyond_field = versioned_hash + words(modulus, 0) + infinity + infinity
    for wrong in (wrong_value, wrong_hash, wrong_encoding, beyond_field, data[:-1], b""):
        with pytest.raises(PrecompileFailure):
            OSAKA[10].run(wrong)


@pytest.mark.parametrize("address", [0x0B, 0x0C, 0x0D, 0x0E, 0x0F, 0x10, 0x11])
def test_bls12_refuses_an_empty_input(address: int) -> None:
    assert OSAKA[address].gas(b"") >= 0
    with pytest.raises(PrecompileFailure):
        OSAKA[address].run(b"")


def test_bn254_pairing_of_nothing_holds() -> None:
    assert OSAKA[8].run(b"") == words(1)
    with pytest.raises(PrecompileFailure):
        OSAKA[8].run(bytes(191))
