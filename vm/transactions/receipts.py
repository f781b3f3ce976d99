"""Receipts: what a block records of each transaction, and the filter of its logs (Yellow Paper, section
4.3.1)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from smartvm.vm import rlp
from smartvm.vm.keccak import keccak256
from smartvm.vm.messages import Log
from smartvm.vm.transactions.model import TransactionType

_BLOOM_BYTES = 256


@dataclass(frozen=True, slots=True)
class Receipt:
    """``outcome`` is 1 or 0 since Byzantium (EIP-658), before it the 32-byte state root after the
    transaction."""

    type: TransactionType
    outcome: int | bytes
    cumulative_gas_used: int
    logs: tuple[Log, ...]


def logs_bloom(logs: Iterable[Log]) -> bytes:
    """The 256-byte Bloom filter of addresses and topics: three bits each."""
    bits = 0
    for log in logs:
        for entry in (log.address, *log.topics):
            digest = keccak256(entry)
            for offset in (0, 2, 4):
                bits |= 1 << (int.from_bytes(digest[offset : offset + 2], "big") % (8 * _BLOOM_BYTES))
    return bits.to_bytes(_BLOOM_BYTES, "big")


def _log_items(logs: Iterable[Log]) -> list[rlp.Encodable]:
    return [(log.address, log.topics, log.data) for log in logs]


def logs_hash(logs: Iterable[Log]) -> bytes:
    """Keccak-256 of the logs' RLP, by which state tests compare them."""
    return keccak256(rlp.encode(_log_items(logs)))


def encode_receipt(receipt: Receipt) -> bytes:
    """The receipt as the receipts' trie holds it."""
    fields = (
        receipt.outcome,
        receipt.cumulative_gas_used,
        logs_bloom(receipt.logs),
        _log_items(receipt.logs),
    )
    prefix = bytes((receipt.type,)) if receipt.type else b""
    return prefix + rlp.encode(fields)
