"""Keys and values of the state's tries: accounts, storage slots, weight blocks."""

from __future__ import annotations

from functools import lru_cache

from smartvm.vm import rlp
from smartvm.vm.keccak import keccak256
from smartvm.vm.state.blocks import LARGE_BYTES, PART_BYTES, BlockEntry
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


class BlockValue:
    """A weight block's leaf: width byte and packed items, read when they are needed. ``key`` is where a store
    keeps the block besides the trie; without it the trie's node holds it."""

    __slots__ = ("entry", "key")

    def __init__(self, entry: BlockEntry, key: bytes | None = None) -> None:
        self.entry = entry
        self.key = key

    def load(self) -> bytes:
        """The leaf's value."""
        return rlp.encode_bytes(self.entry.encoded())

    def leaf_hash(self, encoded_path: bytes) -> bytes | None:
        """The hash of the leaf's node, of which ``encoded_path`` is the first item, without a copy of the
        block; None for small blocks, which need no such care."""
        size = self.entry.size
        if size < LARGE_BYTES:
            return None
        from Crypto.Hash import keccak

        block_head = rlp.length_prefix(0x80, size)
        value_head = rlp.length_prefix(0x80, len(block_head) + size)
        rest = len(value_head) + len(block_head) + size
        node_head = rlp.length_prefix(0xC0, len(encoded_path) + rest)
        state = keccak.new(digest_bits=256, data=node_head + encoded_path + value_head + block_head)
        for start in range(0, size, PART_BYTES):
            state.update(self.entry.part(start, PART_BYTES))
        return bytes(state.digest())
