"""Which precompiled contracts each fork has, and at which price."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from types import MappingProxyType
from typing import Any

from smartvm.vm.forks import Fork
from smartvm.vm.precompiles.model import Precompile


def _of(module: str, function: str) -> Callable[[bytes], Any]:
    """A function of a module that is imported at the first call: the libraries behind it take time and memory that
    most programs need not spend."""
    found: Callable[[bytes], Any] | None = None

    def call(data: bytes) -> Any:
        nonlocal found
        if found is None:
            found = getattr(import_module(f"smartvm.vm.precompiles.{module}"), function)
        return found(data)

    return call


def _fixed(price: int) -> Callable[[bytes], int]:
    def gas(_input: bytes) -> int:
        return price

    return gas


def _entries() -> list[tuple[Fork, int, Precompile]]:
    """(first fork, address, contract); a later row replaces an earlier one at the same address."""
    return [
        (Fork.FRONTIER, 0x01, Precompile("ecrecover", _fixed(3000), _of("secp256k1", "recover_address"))),
        (Fork.FRONTIER, 0x02, Precompile("sha256", _of("basic", "sha256_gas"), _of("basic", "sha256"))),
        (Fork.FRONTIER, 0x03, Precompile("ripemd160", _of("basic", "ripemd160_gas"), _of("basic", "ripemd160"))),
        (Fork.FRONTIER, 0x04, Precompile("identity", _of("basic", "identity_gas"), _of("basic", "identity"))),
        # EIP-198, repriced by EIP-2565 and EIP-7883; bounded by EIP-7823
        (Fork.BYZANTIUM, 0x05, Precompile("modexp", _of("modexp", "gas_eip198"), _of("modexp", "modexp"))),
        (Fork.BERLIN, 0x05, Precompile("modexp", _of("modexp", "gas_eip2565"), _of("modexp", "modexp"))),
        (Fork.OSAKA, 0x05, Precompile("modexp", _of("modexp", "gas_eip7883"), _of("modexp", "modexp_bounded"))),
        # EIP-196 and EIP-197, repriced by EIP-1108
        (Fork.BYZANTIUM, 0x06, Precompile("bn254_add", _fixed(500), _of("bn254", "add"))),
        (Fork.BYZANTIUM, 0x07, Precompile("bn254_mul", _fixed(40_000), _of("bn254", "multiply"))),
        (
            Fork.BYZANTIUM,
            0x08,
            Precompile("bn254_pairing", _of("bn254", "pairing_gas_eip197"), _of("bn254", "pairing")),
        ),
        (Fork.ISTANBUL, 0x06, Precompile("bn254_add", _fixed(150), _of("bn254", "add"))),
        (Fork.ISTANBUL, 0x07, Precompile("bn254_mul", _fixed(6_000), _of("bn254", "multiply"))),
        (
            Fork.ISTANBUL,
            0x08,
            Precompile("bn254_pairing", _of("bn254", "pairing_gas_eip1108"), _of("bn254", "pairing")),
        ),
        # EIP-152
        (Fork.ISTANBUL, 0x09, Precompile("blake2f", _of("blake2", "gas"), _of("blake2", "compress"))),
        # EIP-4844
        (
            Fork.CANCUN,
            0x0A,
            Precompile("point_evaluation", _fixed(50_000), _of("point_evaluation", "point_evaluation")),
        ),
        # EIP-2537
        (Fork.PRAGUE, 0x0B, Precompile("bls12_g1add", _fixed(375), _of("bls12_381", "g1_add"))),
        (Fork.PRAGUE, 0x0C, Precompile("bls12_g1msm", _of("bls12_381", "g1_msm_gas"), _of("bls12_381", "g1_msm"))),
        (Fork.PRAGUE, 0x0D, Precompile("bls12_g2add", _fixed(600), _of("bls12_381", "g2_add"))),
        (Fork.PRAGUE, 0x0E, Precompile("bls12_g2msm", _of("bls12_381", "g2_msm_gas"), _of("bls12_381", "g2_msm"))),
        (
            Fork.PRAGUE,
            0x0F,
            Precompile("bls12_pairing_check", _of("bls12_381", "pairing_gas"), _of("bls12_381", "pairing")),
        ),
        (Fork.PRAGUE, 0x10, Precompile("bls12_map_fp_to_g1", _fixed(5_500), _of("bls12_381", "map_fp_to_g1"))),
        (Fork.PRAGUE, 0x11, Precompile("bls12_map_fp2_to_g2", _fixed(23_800), _of("bls12_381", "map_fp2_to_g2"))),
        # EIP-7951
        (Fork.OSAKA, 0x100, Precompile("p256verify", _fixed(6_900), _of("p256", "verify"))),
    ]


@cache
def precompiles_at(fork: Fork) -> Mapping[int, Precompile]:
    """The precompiled contracts of a fork by address (an integer). Read-only."""
    return MappingProxyType({address: contract for since, address, contract in _entries() if since <= fork})
