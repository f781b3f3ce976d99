"""Keys and values of the state's tries: accounts, storage slots, weight blocks."""

from __future__ import annotations

from functools import lru_cache

from smartvm.vm import rlp
from smartvm.vm.keccak import keccak256
from smartvm.vm.state.model import Account


@lru_cache(maxsize=65536)
def account_key(address: bytes) -> bytes:
    """Where an account stands in the state's trie."""
    return keccak256(address)


@lru_cache(maxsize=65536)
def slot_key(slot: int) -> bytes:
    """Where a slot stands in its account's storage trie."""
    return keccak256(slot.to_bytes(32, "big"))


def block_key(block_id: int) -> bytes:
    """Where a weight block stands in its account's storage trie (spec/dnn-instructions.md)."""
    return keccak256(b"smartvm.block" + block_id.to_bytes(32, "big"))


def account_value(account: Account, storage_root: bytes) -> bytes:
    """An account's leaf: nonce, balance, storage root, code hash."""
    return rlp.encode((account.nonce, account.balance, storage_root, account.code_hash))


def slot_value(word: int) -> bytes:
    """A slot's leaf; the word is not 0."""
    return rlp.encode_integer(word)


def block_value(block: bytes) -> bytes:
    """A weight block's leaf: width byte and packed items."""
    return rlp.encode_bytes(block)
