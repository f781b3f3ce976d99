"""What a transaction costs before it runs, and which ones no block may hold."""

from __future__ import annotations

from dataclasses import replace

import pytest
from smartvm.vm import BlockEnvironment, Fork, WorldState
from smartvm.vm.state import Account, AccountChange, MemoryStore
from smartvm.vm.transactions import (
    AccessListEntry,
    Authorization,
    InvalidTransaction,
    Signature,
    Transaction,
    TransactionType,
    blob_base_fee,
    blob_schedule,
    intrinsic_gas,
)
from smartvm.vm.transactions.validity import admit

SENDER, OTHER = bytes([1]) * 20, bytes([2]) * 20
AUTHORIZATION = Authorization(1, OTHER, 0, Signature(0, 1, 1))
LONDON_BLOCK = BlockEnvironment(base_fee=7, gas_limit=30_000_000)


def state(nonce: int = 0, balance: int = 10**18, code: bytes = b"") -> WorldState:
    store = MemoryStore()
    store.commit({SENDER: AccountChange(Account(nonce, balance))})
    world = WorldState(store)
    if code:
        world.set_code(SENDER, code)
    return world


@pytest.mark.parametrize(
    ("fork", "transaction", "charged", "floor"),
    [
        (Fork.FRONTIER, Transaction(data=b"\0\1"), 21_000 + 4 + 68, 0),
        (Fork.HOMESTEAD, Transaction(data=b"\0\1"), 53_000 + 4 + 68, 0),
        (Fork.ISTANBUL, Transaction(to=OTHER, data=b"\0\1"), 21_000 + 4 + 16, 0),
        (Fork.SHANGHAI, Transaction(data=b"\0" * 33), 53_000 + 4 * 33 + 4, 0),
        (
            Fork.BERLIN,
            Transaction(TransactionType.ACCESS_LIST, to=OTHER, access_list=(AccessListEntry(OTHER, (1, 2)),)),
            21_000 + 2_400 + 2 * 1_900,
            0,
        ),
        (Fork.PRAGUE, Transaction(to=OTHER, data=b"\0\1"), 21_020, 21_050),
        (
            Fork.PRAGUE,
            Transaction(TransactionType.SET_CODE, to=OTHER, authorizations=(AUTHORIZATION,) * 2),
            71_000,
            21_000,
        ),
    ],
)
def test_intrinsic_gas(fork: Fork, transaction: Transaction, charged: int, floor: int) -> None:
    gas = intrinsic_gas(transaction, fork)
    assert (gas.charged, gas.floor) == (charged, floor)


PLAIN = Transaction(gas_limit=100_000, to=OTHER, max_fee_per_gas=10, max_priority_fee_per_gas=10)
FEES = replace(PLAIN, type=TransactionType.FEE_MARKET, chain_id=1, max_priority_fee_per_gas=1)
BLOBS = replace(FEES, type=TransactionType.BLOB, blob_hashes=(b"\1" * 32,), max_fee_per_blob_gas=1)
DELEGATION = b"\xef\x01\x00" + OTHER


@pytest.mark.parametrize(
    ("fork", "transaction", "reason"),
    [
        (Fork.ISTANBUL, replace(PLAIN, type=TransactionType.ACCESS_LIST), "no transactions of type 1"),
        (Fork.BERLIN, FEES, "no transactions of type 2"),
        (Fork.SHANGHAI, BLOBS, "no transactions of type 3"),
        (Fork.CANCUN, replace(FEES, type=TransactionType.SET_CODE), "no transactions of type 4"),
        (Fork.LONDON, replace(PLAIN, value=2**256), "value has more than 256 bits"),
        (Fork.LONDON, replace(PLAIN, nonce=2**64 - 1), "EIP-2681"),
        (Fork.OSAKA, replace(PLAIN, gas_limit=2**24 + 1), "EIP-7825"),
        (Fork.CANCUN, replace(BLOBS, to=None), "cannot create a contract"),
        (Fork.SHANGHAI, replace(PLAIN, to=None, data=bytes(49_153), gas_limit=10**6), "at most 49152"),
        (Fork.LONDON, replace(FEES, max_priority_fee_per_gas=11), "above the max fee"),
        (Fork.PRAGUE, replace(FEES, type=TransactionType.SET_CODE), "list of authorizations is empty"),
        (Fork.CANCUN, replace(BLOBS, blob_hashes=()), "has 0 blobs"),
        (Fork.CANCUN, replace(BLOBS, blob_hashes=(b"\1" * 32,) * 7), "has 7 blobs, expected 1 to 6"),
        (Fork.OSAKA, replace(BLOBS, blob_hashes=(b"\1" * 32,) * 7), "has 7 blobs, expected 1 to 6"),
        (Fork.CANCUN, replace(BLOBS, blob_hashes=(b"\2" * 32,)), "version of KZG"),
        (Fork.CANCUN, replace(BLOBS, max_fee_per_blob_gas=0), "max blob fee 0 is below"),
        (Fork.LONDON, replace(FEES, chain_id=5), "for chain 5, this is chain 1"),
        (Fork.LONDON, replace(PLAIN, gas_limit=30_000_001), "that the block has left"),
        (Fork.LONDON, replace(PLAIN, gas_limit=20_999), "below the intrinsic gas, 21000"),
        (Fork.PRAGUE, replace(PLAIN, gas_limit=22_000, data=b"\1" * 50), "below the intrinsic gas, 23000"),
        (Fork.LONDON, replace(FEES, max_fee_per_gas=6), "below the block's base fee, 7"),
        (Fork.LONDON, replace(PLAIN, nonce=1), "nonce 1 is not the sender's, 0"),
        (Fork.LONDON, replace(PLAIN, value=10**18), "the transaction may cost"),
    ],
)
def test_invalid_transactions_are_refused_with_their_reason(
    fork: Fork, transaction: Transaction, reason: str
) -> None:
    with pytest.raises(InvalidTransaction, match=reason):
        admit(transaction, SENDER, state(), LONDON_BLOCK, fork)


def test_senders_with_code_are_refused_unless_it_delegates() -> None:
    with pytest.raises(InvalidTransaction, match="EIP-3607"):
        admit(PLAIN, SENDER, state(code=b"\0"), LONDON_BLOCK, Fork.PRAGUE)
    admit(PLAIN, SENDER, state(code=DELEGATION), LONDON_BLOCK, Fork.PRAGUE)


def test_effective_price_is_base_fee_and_tip() -> None:
    assert admit(FEES, SENDER, state(), LONDON_BLOCK, Fork.LONDON).gas_price == 8
    assert (
        admit(replace(FEES, max_priority_fee_per_gas=9), SENDER, state(), LONDON_BLOCK, Fork.LONDON).gas_price
        == 10
    )
    assert admit(PLAIN, SENDER, state(), LONDON_BLOCK, Fork.LONDON).gas_price == 10
    assert admit(BLOBS, SENDER, state(), LONDON_BLOCK, Fork.CANCUN).blob_fee == 2**17


def test_prague_allows_nine_blobs() -> None:
    admit(replace(BLOBS, blob_hashes=(b"\1" * 32,) * 9), SENDER, state(), LONDON_BLOCK, Fork.PRAGUE)


@pytest.mark.parametrize(
    ("excess", "fee"),
    [(0, 1), (2_314_057, 1), (2_314_058, 2), (10 * 2**20, 23), (148_099_578, 18446739238971471609)],
)
def test_blob_base_fee(excess: int, fee: int) -> None:
    # e ** (excess / fraction), by the integer series of EIP-4844
    assert blob_base_fee(excess, blob_schedule(Fork.CANCUN).update_fraction) == fee
