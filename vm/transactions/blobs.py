"""Blob gas: its price and its limits, by fork (EIP-4844, EIP-7691, EIP-7594)."""

from __future__ import annotations

from dataclasses import dataclass

from smartvm.vm.forks import Fork

GAS_PER_BLOB = 1 << 17
_MINIMUM_PRICE = 1


@dataclass(frozen=True, slots=True)
class BlobSchedule:
    """How many blobs a block and (None: as many) a transaction may have, and how fast the price follows
    demand."""

    most_in_block: int
    most_in_transaction: int | None
    update_fraction: int


_SCHEDULES = {
    Fork.CANCUN: BlobSchedule(6, None, 3_338_477),
    Fork.PRAGUE: BlobSchedule(9, None, 5_007_716),
    Fork.OSAKA: BlobSchedule(9, 6, 5_007_716),
}


def blob_schedule(fork: Fork) -> BlobSchedule:
    """The schedule in force at a fork from Cancun on."""
    return _SCHEDULES[max(known for known in _SCHEDULES if known <= fork)]


def blob_base_fee(excess_blob_gas: int, update_fraction: int) -> int:
    """The price of a unit of blob gas in wei: e ** (excess / fraction), by EIP-4844's integer series."""
    index, output = 1, 0
    term = _MINIMUM_PRICE * update_fraction
    while term > 0:
        output += term
        term = term * excess_blob_gas // (update_fraction * index)
        index += 1
    return output // update_fraction
