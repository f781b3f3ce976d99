"""Transactions of types 0 to 4: decoding, validity by fork, execution, receipts."""

from __future__ import annotations

from smartvm.vm.transactions.blobs import BlobSchedule, blob_base_fee, blob_schedule
from smartvm.vm.transactions.encoding import (
    address_of,
    decode_transaction,
    encode_transaction,
    recover_sender,
    sign_transaction,
    transaction_hash,
)
from smartvm.vm.transactions.execution import TransactionResult, execute_transaction
from smartvm.vm.transactions.model import (
    AccessListEntry,
    Authorization,
    InvalidTransaction,
    Signature,
    Transaction,
    TransactionType,
)
from smartvm.vm.transactions.receipts import Receipt, encode_receipt, logs_bloom, logs_hash
from smartvm.vm.transactions.validity import intrinsic_gas

__all__ = [
    "AccessListEntry",
    "Authorization",
    "BlobSchedule",
    "InvalidTransaction",
    "Receipt",
    "Signature",
    "Transaction",
    "TransactionResult",
    "TransactionType",
    "address_of",
    "blob_base_fee",
    "blob_schedule",
    "decode_transaction",
    "encode_receipt",
    "encode_transaction",
    "execute_transaction",
    "intrinsic_gas",
    "logs_bloom",
    "logs_hash",
    "recover_sender",
    "sign_transaction",
    "transaction_hash",
]
