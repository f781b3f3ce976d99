"""What a transaction is: one class for the types 0 to 4."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from smartvm.errors import SmartVMError


class InvalidTransaction(SmartVMError):
    """A transaction that the chain refuses; the state is untouched."""


class TransactionType(IntEnum):
    """EIP-2718's types."""

    LEGACY = 0
    ACCESS_LIST = 1  #: EIP-2930
    FEE_MARKET = 2  #: EIP-1559
    BLOB = 3  #: EIP-4844
    SET_CODE = 4  #: EIP-7702


@dataclass(frozen=True, slots=True)
class Signature:
    """``y_parity`` is 0 or 1 in a good signature, whatever the type writes for it."""

    y_parity: int
    r: int
    s: int


@dataclass(frozen=True, slots=True)
class AccessListEntry:
    """An address and slots of it that a transaction pays to have warm (EIP-2930)."""

    address: bytes
    slots: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Authorization:
    """Leave to make ``address`` the code of whoever signed it (EIP-7702); chain 0 is any chain."""

    chain_id: int
    address: bytes
    nonce: int
    signature: Signature


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction; prices in wei a unit of gas.

    One without EIP-1559's two fees has its gas price in both. ``to`` is None for a creation. ``chain_id`` is
    None for a legacy transaction that names none (before EIP-155). ``signature`` is None where the sender is
    known otherwise.
    """

    type: TransactionType = TransactionType.LEGACY
    chain_id: int | None = None
    nonce: int = 0
    max_priority_fee_per_gas: int = 0
    max_fee_per_gas: int = 0
    gas_limit: int = 21_000
    to: bytes | None = None
    value: int = 0
    data: bytes = b""
    access_list: tuple[AccessListEntry, ...] = ()
    max_fee_per_blob_gas: int = 0
    blob_hashes: tuple[bytes, ...] = ()
    authorizations: tuple[Authorization, ...] = ()
    signature: Signature | None = None
