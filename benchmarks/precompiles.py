#!/usr/bin/env python3
"""How much gas a second each precompiled contract computes, on inputs that are dear for what they cost.

    python benchmarks/precompiles.py [--fork osaka] [--seconds 0.3] [--json FILE]

The slowest line is what an attacker would choose. CPU time of this process is measured, so that other work on
the machine disturbs less.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import time
from collections.abc import Iterator

import coincurve
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from py_arkworks_bls12381 import G1Point, G2Point, Scalar
from smartvm.vm.forks import fork_named
from smartvm.vm.precompiles import Precompile, precompiles_at

DRAW = random.Random(1)
BN254_ORDER = 21888242871839275222246405745257275088548364400416034343698204186575808495617
BN254_PRIME = 21888242871839275222246405745257275088696311157297823662689037894645226208583
#: The generator of bn254's second group, as the contract takes it.
BN254_G2 = (
    11559732032986387107991004021392285783925812861821192530917403151452391805634,
    10857046999023057135944570762232829481370756359578518086990519993285655852781,
    4082367875863433681332203403145435568316851327593401208105741076214120093531,
    8495653923123431417604973247489272438418190587263600148770280649306958101930,
)


def words(*values: int) -> bytes:
    """Numbers as 32 bytes each."""
    return b"".join(value.to_bytes(32, "big") for value in values)


def _ecrecover() -> bytes:
    digest = DRAW.randbytes(32)
    signature = coincurve.PrivateKey(b"\1" * 32).sign_recoverable(digest, hasher=None)
    return digest + words(27 + signature[64]) + signature[:64]


def _p256() -> bytes:
    key, digest = ec.generate_private_key(ec.SECP256R1()), DRAW.randbytes(32)
    r, s = decode_dss_signature(key.sign(digest, ec.ECDSA(Prehashed(SHA256()))))
    point = key.public_key().public_numbers()
    return digest + words(r, s, point.x, point.y)


def _modexp(base: int, exponent: int, modulus: int) -> bytes:
    """Numbers of these lengths with all bits set, the modulus odd or even by chance."""
    return words(base, exponent, modulus) + b"\xff" * (base + exponent) + DRAW.randbytes(modulus)


def _padded(point: bytes) -> bytes:
    return b"".join(bytes(16) + point[i : i + 48] for i in range(0, len(point), 48))


def _bls_g1() -> bytes:
    return _padded((G1Point() * Scalar(DRAW.getrandbits(250))).to_xy_bytes_be())


def _bls_g2() -> bytes:
    return _padded((G2Point() * Scalar(DRAW.getrandbits(250))).to_xy_bytes_be())


def _point_evaluation() -> bytes:
    infinity = b"\xc0" + bytes(47)
    return b"\x01" + hashlib.sha256(infinity).digest()[1:] + words(2, 0) + infinity + infinity


def inputs() -> Iterator[tuple[int, str, bytes]]:
    """Address, what is special about the input, input."""
    yield 0x01, "good signature", _ecrecover()
    yield 0x02, "64 bytes", bytes(64)
    yield 0x02, "1 MiB", bytes(1 << 20)
    yield 0x03, "64 bytes", bytes(64)
    yield 0x03, "1 MiB", bytes(1 << 20)
    yield 0x04, "1 MiB", bytes(1 << 20)
    for base, exponent, modulus in (
        (32, 32, 32),
        (64, 64, 64),
        (256, 256, 256),
        (512, 3, 512),
        (1024, 1024, 1024),
    ):
        yield 0x05, f"{base}, {exponent}, {modulus} bytes", _modexp(base, exponent, modulus)
    yield 0x06, "two points", words(1, 2) + words(1, BN254_PRIME - 2)[:64]
    yield 0x07, "long scalar", words(1, 2, BN254_ORDER - 2)
    pair = words(1, 2, *BN254_G2)
    yield 0x08, "1 pair", pair
    yield 0x08, "8 pairs", pair * 8
    yield 0x09, "12 rounds", (12).to_bytes(4, "big") + DRAW.randbytes(208) + b"\1"
    yield 0x09, "2^20 rounds", (1 << 20).to_bytes(4, "big") + DRAW.randbytes(208) + b"\1"
    yield 0x0A, "proof that holds", _point_evaluation()
    yield 0x0B, "two points", _bls_g1() + _bls_g1()
    yield 0x0C, "1 pair", _bls_g1() + b"\xff" * 32
    yield 0x0C, "128 pairs", b"".join(_bls_g1() + DRAW.randbytes(32) for _ in range(128))
    yield 0x0D, "two points", _bls_g2() + _bls_g2()
    yield 0x0E, "1 pair", _bls_g2() + b"\xff" * 32
    yield 0x0E, "128 pairs", b"".join(_bls_g2() + DRAW.randbytes(32) for _ in range(128))
    yield 0x0F, "1 pair", _bls_g1() + _bls_g2()
    yield 0x0F, "8 pairs", b"".join(_bls_g1() + _bls_g2() for _ in range(8))
    yield 0x10, "an element", bytes(17) + DRAW.randbytes(47)
    yield 0x11, "an element", (bytes(17) + DRAW.randbytes(47)) * 2
    yield 0x100, "good signature", _p256()


def measure(contract: Precompile, data: bytes, seconds: float) -> float:
    """Seconds of CPU for one run with its pricing, the least of several."""
    contract.run(data)
    best, spent = float("inf"), 0.0
    while spent < seconds:
        start = time.process_time()
        contract.gas(data)
        contract.run(data)
        one = time.process_time() - start
        repetitions = max(1, int(0.01 / max(one, 1e-7)))
        start = time.process_time()
        for _ in range(repetitions):
            contract.gas(data)
            contract.run(data)
        took = time.process_time() - start
        best = min(best, took / repetitions)
        spent += took + one
    return best


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--fork", default="osaka")
    parser.add_argument("--seconds", type=float, default=0.3, help="for each line")
    parser.add_argument("--json", help="write the figures to this file")
    arguments = parser.parse_args()
    contracts = precompiles_at(fork_named(arguments.fork))
    rows = []
    print(f"{'contract':22}{'input':22}{'gas':>12}{'us':>12}{'Mgas/s':>10}")
    for address, label, data in inputs():
        if address not in contracts:
            continue
        contract = contracts[address]
        gas, took = contract.gas(data), measure(contract, data, arguments.seconds)
        rows.append({"contract": contract.name, "input": label, "gas": gas, "seconds": took})
        print(
            f"{contract.name:22}{label:22}{gas:12,}{took * 1e6:12,.1f}{gas / took / 1e6:10,.1f}", flush=True
        )
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump({"fork": arguments.fork, "rows": rows}, file, indent=1)


if __name__ == "__main__":
    main()
