"""Transactions as bytes: decoding, encoding, what is signed, and who signed it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import coincurve
from smartvm.vm import rlp
from smartvm.vm.forks import LATEST_FORK, Fork
from smartvm.vm.keccak import keccak256
from smartvm.vm.precompiles.secp256k1 import recover
from smartvm.vm.transactions.model import (
    AccessListEntry,
    Authorization,
    InvalidTransaction,
    Signature,
    Transaction,
    TransactionType,
)

_HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0
_AUTHORIZATION_MAGIC = b"\x05"
_NAMES = {
    TransactionType.LEGACY: ("nonce", "gas price", "gas limit", "to", "value", "data"),
    TransactionType.ACCESS_LIST: (
        "chain id",
        "nonce",
        "gas price",
        "gas limit",
        "to",
        "value",
        "data",
        "access list",
    ),
    TransactionType.FEE_MARKET: (
        "chain id",
        "nonce",
        "max priority fee",
        "max fee",
        "gas limit",
        "to",
        "value",
        "data",
        "access list",
    ),
}
_NAMES[TransactionType.BLOB] = (*_NAMES[TransactionType.FEE_MARKET], "max blob fee", "blob hashes")
_NAMES[TransactionType.SET_CODE] = (*_NAMES[TransactionType.FEE_MARKET], "authorizations")
#: Widest numbers in bits; others have 256.
_BITS = {"nonce": 64, "gas limit": 64, "y parity": 8}


# ---------------------------------------------------------------- encoding


def _payload(transaction: Transaction) -> list[rlp.Encodable]:
    """The fields without the signature."""
    t = transaction
    fees: list[rlp.Encodable]
    if t.type >= TransactionType.FEE_MARKET:
        fees = [t.max_priority_fee_per_gas, t.max_fee_per_gas]
    else:
        fees = [t.max_fee_per_gas]
    fields: list[rlp.Encodable] = [t.nonce, *fees, t.gas_limit, t.to or b"", t.value, t.data]
    if t.type == TransactionType.LEGACY:
        return fields
    words = [
        (entry.address, tuple(slot.to_bytes(32, "big") for slot in entry.slots)) for entry in t.access_list
    ]
    fields = [t.chain_id or 0, *fields, words]
    if t.type == TransactionType.BLOB:
        fields += [t.max_fee_per_blob_gas, t.blob_hashes]
    if t.type == TransactionType.SET_CODE:
        fields.append(
            [
                [a.chain_id, a.address, a.nonce, a.signature.y_parity, a.signature.r, a.signature.s]
                for a in t.authorizations
            ]
        )
    return fields


def _prefix(transaction: Transaction) -> bytes:
    return bytes((transaction.type,)) if transaction.type else b""


def signing_hash(transaction: Transaction) -> bytes:
    """What the sender signs (EIP-155 where a legacy transaction names a chain)."""
    fields = _payload(transaction)
    if transaction.type == TransactionType.LEGACY and transaction.chain_id is not None:
        fields += [transaction.chain_id, 0, 0]
    return keccak256(_prefix(transaction) + rlp.encode(fields))


def encode_transaction(transaction: Transaction) -> bytes:
    """The signed transaction as a block holds it. Raises ``ValueError`` without a signature."""
    signature = transaction.signature
    if signature is None:
        raise ValueError("the transaction is not signed")
    v = signature.y_parity
    if transaction.type == TransactionType.LEGACY:
        v += 27 if transaction.chain_id is None else 35 + 2 * transaction.chain_id
    fields = [*_payload(transaction), v, signature.r, signature.s]
    return _prefix(transaction) + rlp.encode(fields)


def transaction_hash(transaction: Transaction) -> bytes:
    """The hash that names the signed transaction."""
    return keccak256(encode_transaction(transaction))


def _sign(message_hash: bytes, secret_key: bytes) -> Signature:
    signature = coincurve.PrivateKey(secret_key).sign_recoverable(message_hash, hasher=None)
    return Signature(
        signature[64], int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")
    )


def sign_transaction(transaction: Transaction, secret_key: bytes) -> Transaction:
    """The transaction with its signature by a 32-byte key."""
    return replace(transaction, signature=_sign(signing_hash(transaction), secret_key))


def sign_authorization(authorization: Authorization, secret_key: bytes) -> Authorization:
    """The authorization with its signature by a 32-byte key."""
    return replace(authorization, signature=_sign(_authorization_hash(authorization), secret_key))


def address_of(secret_key: bytes) -> bytes:
    """The address of a 32-byte key's owner. Raises ``ValueError`` for 0 and for the order and above."""
    return keccak256(coincurve.PrivateKey(secret_key).public_key.format(compressed=False)[1:])[12:]


# ---------------------------------------------------------------- who signed


def _recover(message_hash: bytes, signature: Signature, *, upper_half: bool = False) -> bytes | None:
    if signature.y_parity not in (0, 1) or (signature.s > _HALF_ORDER and not upper_half):
        return None
    return recover(message_hash, signature.y_parity, signature.r, signature.s)


def recover_sender(transaction: Transaction, fork: Fork = LATEST_FORK) -> bytes:
    """The 20-byte address of the sender. Raises ``InvalidTransaction``: also for s above half the order since
    Homestead (EIP-2), and for signatures that name a chain before Spurious Dragon (EIP-155)."""
    if transaction.signature is None:
        raise InvalidTransaction("the transaction is not signed")
    if transaction.chain_id is not None and fork < Fork.SPURIOUS_DRAGON:
        raise InvalidTransaction(f"{fork.label} knows no signatures that name a chain")
    sender = _recover(signing_hash(transaction), transaction.signature, upper_half=fork < Fork.HOMESTEAD)
    if sender is None:
        raise InvalidTransaction("the signature is no valid one")
    return sender


def _authorization_hash(authorization: Authorization) -> bytes:
    fields = (authorization.chain_id, authorization.address, authorization.nonce)
    return keccak256(_AUTHORIZATION_MAGIC + rlp.encode(fields))


def recover_authority(authorization: Authorization) -> bytes | None:
    """Who signed an authorization, or None (EIP-7702)."""
    return _recover(_authorization_hash(authorization), authorization.signature)


# ---------------------------------------------------------------- decoding


def _number(item: rlp.Item, what: str) -> int:
    value = rlp.decode_integer(item, what)
    bits = _BITS.get(what, 256)
    if value >> bits:
        raise InvalidTransaction(f"{what} has more than {bits} bits")
    return value


def _fixed(item: rlp.Item, what: str, *lengths: int) -> bytes:
    if not isinstance(item, bytes) or len(item) not in lengths:
        raise InvalidTransaction(f"{what} is not {' or '.join(map(str, lengths))} bytes long")
    return item


def _list(item: rlp.Item, what: str, length: int | None = None) -> Sequence[rlp.Item]:
    if isinstance(item, bytes):
        raise InvalidTransaction(f"{what} is not a list")
    if length is not None and len(item) != length:
        raise InvalidTransaction(f"{what} has {len(item)} fields, expected {length}")
    return item


def _access_list(item: rlp.Item) -> tuple[AccessListEntry, ...]:
    entries = []
    for entry in _list(item, "access list"):
        address, slots = _list(entry, "access list entry", 2)
        words = tuple(
            int.from_bytes(_fixed(slot, "access list slot", 32), "big")
            for slot in _list(slots, "access list slots")
        )
        entries.append(AccessListEntry(_fixed(address, "access list address", 20), words))
    return tuple(entries)


def _authorization(item: rlp.Item) -> Authorization:
    chain_id, address, nonce, y_parity, r, s = _list(item, "authorization", 6)
    return Authorization(
        _number(chain_id, "chain id"),
        _fixed(address, "authorization address", 20),
        _number(nonce, "nonce"),
        Signature(_number(y_parity, "y parity"), _number(r, "r"), _number(s, "s")),
    )


def _legacy_chain(v: int) -> tuple[int | None, int]:
    """Chain id and parity that a legacy transaction's v says (EIP-155)."""
    if v in (27, 28):
        return None, v - 27
    if v < 35:
        raise InvalidTransaction(f"v is {v}, expected 27, 28, or 35 and above")
    return (v - 35) // 2, (v - 35) % 2


def decode_transaction(data: bytes) -> Transaction:
    """A signed transaction from its bytes. Raises ``InvalidTransaction`` or ``RLPError``, both
    ``SmartVMError``."""
    if not data:
        raise InvalidTransaction("the transaction is empty")
    kind = TransactionType.LEGACY
    body = data
    if data[0] < 0x80:
        if data[0] not in (1, 2, 3, 4):
            raise InvalidTransaction(f"no transaction has type {data[0]}")
        kind, body = TransactionType(data[0]), data[1:]
    names = (*_NAMES[kind], "y parity" if kind else "v", "r", "s")
    items = dict(zip(names, _list(rlp.decode(body), "transaction", len(names)), strict=True))
    data_item = items["data"]
    if not isinstance(data_item, bytes):
        raise InvalidTransaction("data is a list")
    if kind == TransactionType.LEGACY:
        chain_id, y_parity = _legacy_chain(_number(items["v"], "v"))
    else:
        chain_id, y_parity = _number(items["chain id"], "chain id"), _number(items["y parity"], "y parity")
    if kind >= TransactionType.FEE_MARKET:
        priority_fee = _number(items["max priority fee"], "max priority fee")
        max_fee = _number(items["max fee"], "max fee")
    else:
        priority_fee = max_fee = _number(items["gas price"], "gas price")
    blob_hashes = tuple(
        _fixed(item, "blob hash", 32) for item in _list(items.get("blob hashes", ()), "blob hashes")
    )
    return Transaction(
        type=kind,
        chain_id=chain_id,
        nonce=_number(items["nonce"], "nonce"),
        max_priority_fee_per_gas=priority_fee,
        max_fee_per_gas=max_fee,
        gas_limit=_number(items["gas limit"], "gas limit"),
        to=_fixed(items["to"], "to", 0, 20) or None,
        value=_number(items["value"], "value"),
        data=data_item,
        access_list=_access_list(items.get("access list", ())),
        max_fee_per_blob_gas=_number(items.get("max blob fee", b""), "max blob fee"),
        blob_hashes=blob_hashes,
        authorizations=tuple(map(_authorization, _list(items.get("authorizations", ()), "authorizations"))),
        signature=Signature(y_parity, _number(items["r"], "r"), _number(items["s"], "s")),
    )
