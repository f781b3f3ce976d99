"""Transactions as bytes: both ways, signed, and mutilated."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smartvm.errors import SmartVMError
from smartvm.vm.forks import Fork
from smartvm.vm.transactions import (
    AccessListEntry,
    Authorization,
    InvalidTransaction,
    Signature,
    Transaction,
    TransactionType,
    address_of,
    decode_transaction,
    encode_transaction,
    recover_sender,
    sign_transaction,
    transaction_hash,
)
from smartvm.vm.transactions.encoding import recover_authority, sign_authorization, signing_hash

KEY = bytes([0x46]) * 32
ADDRESSES = st.binary(min_size=20, max_size=20)
WORDS = st.integers(0, 2**256 - 1)
SMALL = st.integers(0, 2**64 - 1)
SIGNATURES = st.builds(Signature, st.integers(0, 1), WORDS, WORDS)
AUTHORIZATIONS = st.builds(Authorization, WORDS, ADDRESSES, SMALL, SIGNATURES)
ACCESS_LISTS = st.lists(
    st.builds(AccessListEntry, ADDRESSES, st.lists(WORDS, max_size=2).map(tuple)), max_size=2
).map(tuple)


@st.composite
def transactions(draw: st.DrawFn) -> Transaction:
    kind = draw(st.sampled_from(TransactionType))
    fee = draw(WORDS)
    legacy_chain = draw(st.none() | st.integers(0, 2**32))
    return Transaction(
        type=kind,
        chain_id=draw(SMALL) if kind else legacy_chain,
        nonce=draw(SMALL),
        max_priority_fee_per_gas=draw(WORDS) if kind >= TransactionType.FEE_MARKET else fee,
        max_fee_per_gas=fee,
        gas_limit=draw(SMALL),
        to=draw(st.none() | ADDRESSES),
        value=draw(WORDS),
        data=draw(st.binary(max_size=60)),
        access_list=draw(ACCESS_LISTS) if kind else (),
        max_fee_per_blob_gas=draw(WORDS) if kind == TransactionType.BLOB else 0,
        blob_hashes=draw(st.lists(st.binary(min_size=32, max_size=32), max_size=2).map(tuple))
        if kind == TransactionType.BLOB
        else (),
        authorizations=draw(st.lists(AUTHORIZATIONS, max_size=2).map(tuple))
        if kind == TransactionType.SET_CODE
        else (),
        signature=draw(SIGNATURES),
    )


@given(transactions())
def test_round_trip(transaction: Transaction) -> None:
    assert decode_transaction(encode_transaction(transaction)) == transaction


@given(transactions())
@settings(max_examples=30)
def test_signer_is_recovered(transaction: Transaction) -> None:
    assert recover_sender(sign_transaction(transaction, KEY)) == address_of(KEY)


def test_example_of_eip155() -> None:
    transaction = Transaction(
        chain_id=1,
        nonce=9,
        max_fee_per_gas=20 * 10**9,
        max_priority_fee_per_gas=20 * 10**9,
        gas_limit=21_000,
        to=bytes([0x35]) * 20,
        value=10**18,
    )
    assert (
        signing_hash(transaction).hex() == "daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53"
    )
    signed = sign_transaction(transaction, KEY)
    assert encode_transaction(signed).hex() == (
        "f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025"
        "a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276"
        "a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83"
    )
    assert len(transaction_hash(signed)) == 32


def test_upper_half_of_s_is_refused() -> None:
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    signed = sign_transaction(Transaction(to=bytes(20)), KEY)
    assert signed.signature is not None
    mirrored = Signature(1 - signed.signature.y_parity, signed.signature.r, order - signed.signature.s)
    encoded = encode_transaction(Transaction(to=bytes(20), signature=mirrored))
    with pytest.raises(InvalidTransaction, match="signature"):
        recover_sender(decode_transaction(encoded))
    assert recover_sender(decode_transaction(encoded), Fork.FRONTIER) == address_of(KEY)


def test_signatures_name_chains_since_spurious_dragon() -> None:
    signed = sign_transaction(Transaction(to=bytes(20), chain_id=1), KEY)
    assert recover_sender(signed, Fork.SPURIOUS_DRAGON) == address_of(KEY)
    with pytest.raises(InvalidTransaction, match="name a chain"):
        recover_sender(signed, Fork.HOMESTEAD)


def test_unsigned_transactions_have_no_sender() -> None:
    with pytest.raises(InvalidTransaction, match="not signed"):
        recover_sender(Transaction())
    with pytest.raises(ValueError, match="not signed"):
        encode_transaction(Transaction())


def test_authority_is_recovered() -> None:
    unsigned = Authorization(1, bytes(20), 7, Signature(0, 0, 0))
    assert recover_authority(unsigned) is None
    assert recover_authority(sign_authorization(unsigned, KEY)) == address_of(KEY)


@given(st.binary(max_size=40))
def test_nonsense_is_refused_in_words(data: bytes) -> None:
    with pytest.raises(SmartVMError):
        decode_transaction(data)


@given(transactions(), st.data())
def test_mutilated_transactions_are_decoded_or_refused(transaction: Transaction, data: st.DataObject) -> None:
    encoded = bytearray(encode_transaction(transaction))
    position = data.draw(st.integers(0, len(encoded) - 1))
    encoded[position] ^= data.draw(st.integers(1, 255))
    try:
        decoded = decode_transaction(bytes(encoded))
    except SmartVMError:
        return
    assert encode_transaction(decoded) == bytes(encoded)
