"""Fees, refunds, authorizations and receipts of executed transactions."""

from __future__ import annotations

from dataclasses import replace

import pytest
from smartvm.instructions.loader import load_table
from smartvm.vm import BlockEnvironment, Fork, Log, Machine, WorldState
from smartvm.vm.state import Account, AccountChange, MemoryStore
from smartvm.vm.transactions import (
    AccessListEntry,
    Authorization,
    InvalidTransaction,
    Receipt,
    Signature,
    Transaction,
    TransactionResult,
    TransactionType,
    address_of,
    encode_receipt,
    execute_transaction,
    logs_bloom,
    sign_transaction,
)
from smartvm.vm.transactions.encoding import sign_authorization

TABLE = load_table("evm")
KEY, AUTHORITY_KEY = bytes([1]) * 32, bytes([2]) * 32
SENDER, AUTHORITY = address_of(KEY), address_of(AUTHORITY_KEY)
CONTRACT, COINBASE, NOBODY = bytes([0xC0]) * 20, bytes([0xCB]) * 20, bytes([0xDD]) * 20
BALANCE = 10**18
FEE = Transaction(
    TransactionType.FEE_MARKET,
    1,
    max_priority_fee_per_gas=2,
    max_fee_per_gas=100,
    gas_limit=200_000,
    to=CONTRACT,
)


def run(
    transaction: Transaction,
    code: bytes = b"",
    *,
    fork: Fork = Fork.CANCUN,
    slots: dict[int, int] | None = None,
) -> tuple[TransactionResult, WorldState]:
    state = WorldState(MemoryStore())
    state.set_balance(SENDER, BALANCE)
    if code:
        state.set_code(CONTRACT, code)
    for slot, word in (slots or {}).items():
        state.set_storage(CONTRACT, slot, word)
    state.commit()
    base_fee = 7 if fork >= Fork.LONDON else 0
    block = BlockEnvironment(coinbase=COINBASE, base_fee=base_fee, gas_limit=30_000_000)
    machine = Machine(TABLE, fork, state, block, engine="interpreter")
    return execute_transaction(machine, sign_transaction(transaction, KEY)), state


def test_transfer_pays_sender_receiver_and_coinbase() -> None:
    result, state = run(replace(FEE, to=NOBODY, value=5))
    assert result.success
    assert result.sender == SENDER
    assert (result.gas_used, result.gas_price) == (21_000, 9)
    assert state.balance(NOBODY) == 5
    assert state.balance(COINBASE) == 2 * 21_000  # the base fee is burnt
    assert state.balance(SENDER) == BALANCE - 5 - 9 * 21_000
    assert state.nonce(SENDER) == 1


def test_invalid_transaction_leaves_the_state_alone() -> None:
    state = WorldState(MemoryStore())
    state.set_balance(SENDER, 1)
    before = state.root()
    machine = Machine(TABLE, Fork.CANCUN, state, BlockEnvironment(gas_limit=30_000_000))
    with pytest.raises(InvalidTransaction):
        execute_transaction(machine, sign_transaction(FEE, KEY))
    assert state.root() == before


def test_failure_takes_all_gas_and_keeps_the_nonce() -> None:
    result, state = run(replace(FEE, value=1), b"\xfe")
    assert not result.success
    assert result.gas_used == 200_000
    assert result.logs == ()
    assert state.nonce(SENDER) == 1
    assert state.balance(CONTRACT) == 0


@pytest.mark.parametrize(("fork", "quotient", "refund"), [(Fork.BERLIN, 2, 15_000), (Fork.LONDON, 5, 4_800)])
def test_refund_is_capped(fork: Fork, quotient: int, refund: int) -> None:
    clear = b"\x60\0\x60\0\x55"  # SSTORE 0 at slot 0, which holds 1
    legacy = replace(FEE, type=TransactionType.LEGACY, chain_id=None, max_priority_fee_per_gas=100)
    result, state = run(legacy, clear, fork=fork, slots={0: 1})
    before = 21_000 + 6 + 5_000
    assert result.gas_used == before - min(refund, before // quotient)
    assert state.storage(CONTRACT, 0) == 0


def test_access_list_makes_slots_warm() -> None:
    load = b"\x60\0\x54\0"
    listed = replace(FEE, access_list=(AccessListEntry(CONTRACT, (0,)),))
    assert run(FEE, load)[0].gas_used == 21_000 + 3 + 2_100
    assert run(listed, load)[0].gas_used == 21_000 + 2_400 + 1_900 + 3 + 100


def test_data_has_a_floor_since_prague() -> None:
    data = b"\1" * 1_000
    assert run(replace(FEE, data=data))[0].gas_used == 21_000 + 16 * 1_000
    assert run(replace(FEE, data=data), fork=Fork.PRAGUE)[0].gas_used == 21_000 + 40 * 1_000


def test_creation_leaves_code_at_the_address_of_sender_and_nonce() -> None:
    init = b"\x60\x01\x60\0\x53\x60\x01\x60\0\xf3"  # returns the byte 1
    result, state = run(replace(FEE, to=None, data=init))
    assert result.success
    created = result.execution.created_address
    assert created is not None
    assert state.code(created) == b"\x01"
    assert state.nonce(created) == 1
    assert state.nonce(SENDER) == 1


def test_authorization_delegates_and_refunds_existing_authorities() -> None:
    store_caller = b"\x33\x60\0\x55\0"
    good = sign_authorization(Authorization(1, CONTRACT, 0, Signature(0, 0, 0)), AUTHORITY_KEY)
    stale = sign_authorization(Authorization(0, NOBODY, 0, Signature(0, 0, 0)), AUTHORITY_KEY)
    foreign = sign_authorization(Authorization(2, NOBODY, 1, Signature(0, 0, 0)), AUTHORITY_KEY)
    transaction = replace(
        FEE, type=TransactionType.SET_CODE, to=AUTHORITY, authorizations=(good, stale, foreign)
    )
    result, state = run(transaction, store_caller, fork=Fork.PRAGUE)
    assert result.success
    assert state.code(AUTHORITY) == b"\xef\x01\x00" + CONTRACT
    assert state.nonce(AUTHORITY) == 1
    assert state.storage(AUTHORITY, 0) == int.from_bytes(SENDER, "big")
    assert state.storage(CONTRACT, 0) == 0
    assert result.gas_used == 21_000 + 3 * 25_000 + 2 + 3 + 22_100

    back = sign_authorization(Authorization(1, bytes(20), 1, Signature(0, 0, 0)), KEY)
    result, state = run(
        replace(FEE, type=TransactionType.SET_CODE, to=NOBODY, authorizations=(back,)), fork=Fork.PRAGUE
    )
    assert state.nonce(SENDER) == 2
    assert state.code(SENDER) == b""
    assert result.gas_used == 46_000 - 46_000 // 5  # 12,500 are due for an authority that existed


def test_empty_coinbase_does_not_come_into_being_since_spurious_dragon() -> None:
    free = replace(
        FEE,
        type=TransactionType.LEGACY,
        chain_id=None,
        to=NOBODY,
        value=1,
        max_priority_fee_per_gas=0,
        max_fee_per_gas=0,
    )
    assert run(free, fork=Fork.HOMESTEAD)[1].exists(COINBASE)
    assert not run(free, fork=Fork.SPURIOUS_DRAGON)[1].exists(COINBASE)


def test_receipt_of_a_logging_transaction() -> None:
    bloom = pytest.importorskip("eth_bloom")
    log = Log(CONTRACT, (bytes(31) + b"\x07", bytes(32)), b"data")
    expected = bloom.BloomFilter()
    expected.extend((CONTRACT, *log.topics))
    assert logs_bloom([log]) == int(expected).to_bytes(256, "big")
    rlp = pytest.importorskip("rlp")
    fields = [b"\x01", b"\x52\x08", logs_bloom([log]), [[CONTRACT, list(log.topics), b"data"]]]
    assert encode_receipt(Receipt(TransactionType.FEE_MARKET, 1, 21_000, (log,))) == b"\x02" + rlp.encode(
        fields
    )
    legacy = Receipt(TransactionType.LEGACY, bytes(32), 21_000, ())
    assert encode_receipt(legacy) == rlp.encode([bytes(32), b"\x52\x08", bytes(256), []])


def test_accounts_given_to_a_store_are_found() -> None:
    store = MemoryStore()
    store.commit({SENDER: AccountChange(Account(3, 4))})
    assert WorldState(store).nonce(SENDER) == 3
