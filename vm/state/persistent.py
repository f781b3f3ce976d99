"""The state on disk: a ``StateStore`` over an embedded key-value store, tries included.

Keys, by their first byte: ``a`` address: an account's leaf; ``s`` address, slot: a word; ``w`` address, id: a
weight block; ``c`` hash: code; ``t`` path: a node of the state's trie; ``u`` hash of the address, path: a
node of a storage trie; ``r``: the root. Trie nodes stand under their path, so that a change replaces them and
no garbage remains.
"""

from __future__ import annotations

from pathlib import Path

from smartvm.vm import rlp
from smartvm.vm.state import leaves
from smartvm.vm.state.key_value import KeyValueStore, SqliteKeyValueStore
from smartvm.vm.state.model import (
    EMPTY_CODE_HASH,
    EMPTY_TRIE_ROOT,
    Account,
    AccountChange,
    StateChanges,
)
from smartvm.vm.state.trie import Trie

_ROOT_KEY = b"r"


def _word(value: int) -> bytes:
    return value.to_bytes(32, "big")


class _Batch:
    """What one commit writes."""

    def __init__(self) -> None:
        self.deleted_prefixes: list[bytes] = []
        self.values: dict[bytes, bytes | None] = {}


class PersistentStore:
    """A ``StateStore`` that outlives the process. Each ``commit`` is one step on disk and costs O(k log
    n)."""

    def __init__(self, entries: KeyValueStore) -> None:
        self._entries = entries
        self._root = entries.get(_ROOT_KEY) or EMPTY_TRIE_ROOT

    @classmethod
    def open(cls, path: str | Path) -> PersistentStore:
        """Open or create a state in a file. Raises ``StoreError``."""
        return cls(SqliteKeyValueStore(path))

    def close(self) -> None:
        """Close the file; the store is not to be used after."""
        self._entries.close()

    def _leaf(self, address: bytes) -> tuple[Account, bytes] | None:
        """The account and its storage root."""
        data = self._entries.get(b"a" + address)
        if data is None:
            return None
        nonce, balance, storage_root, code_hash = rlp.decode(data)
        account = Account(
            rlp.decode_integer(nonce, "nonce"),  # type: ignore[arg-type]
            rlp.decode_integer(balance, "balance"),  # type: ignore[arg-type]
            bytes(code_hash),  # type: ignore[arg-type]
        )
        return account, bytes(storage_root)  # type: ignore[arg-type]

    def account(self, address: bytes) -> Account | None:
        """See ``StateStore``."""
        leaf = self._leaf(address)
        return None if leaf is None else leaf[0]

    def code(self, code_hash: bytes) -> bytes:
        """See ``StateStore``."""
        if code_hash == EMPTY_CODE_HASH:
            return b""
        code = self._entries.get(b"c" + code_hash)
        if code is None:
            raise KeyError(code_hash)
        return code

    def slot(self, address: bytes, slot: int) -> int:
        """See ``StateStore``."""
        data = self._entries.get(b"s" + address + _word(slot))
        return 0 if data is None else int.from_bytes(data, "big")

    def block(self, address: bytes, block_id: int) -> bytes | None:
        """See ``StateStore``."""
        return self._entries.get(b"w" + address + _word(block_id))

    def has_storage(self, address: bytes) -> bool:
        """See ``StateStore``."""
        leaf = self._leaf(address)
        return leaf is not None and leaf[1] != EMPTY_TRIE_ROOT

    def root(self) -> bytes:
        """See ``StateStore``."""
        return self._root

    def commit(self, changes: StateChanges) -> None:
        """See ``StateStore``."""
        batch = _Batch()
        state = Trie(lambda path: self._entries.get(b"t" + path), self._root)
        for address, change in changes.items():
            if change is None:
                self._clear_storage(batch, address)
                batch.values[b"a" + address] = None
                state.delete(leaves.account_key(address))
                continue
            if change.code is not None:
                batch.values[b"c" + change.account.code_hash] = change.code
            leaf = leaves.account_value(change.account, self._apply_storage(batch, address, change))
            batch.values[b"a" + address] = leaf
            state.put(leaves.account_key(address), leaf)
        root, nodes = state.flush()
        for path, node in nodes.items():
            batch.values[b"t" + path] = node
        batch.values[_ROOT_KEY] = root
        self._entries.write(batch.deleted_prefixes, batch.values)
        self._root = root

    def _clear_storage(self, batch: _Batch, address: bytes) -> None:
        batch.deleted_prefixes += [b"s" + address, b"w" + address, b"u" + leaves.account_key(address)]

    def _apply_storage(self, batch: _Batch, address: bytes, change: AccountChange) -> bytes:
        """Write the slots and blocks; the account's new storage root."""
        leaf = self._leaf(address)
        root = EMPTY_TRIE_ROOT if leaf is None else leaf[1]
        if change.clears_storage and root != EMPTY_TRIE_ROOT:
            self._clear_storage(batch, address)
            root = EMPTY_TRIE_ROOT
        if not (change.slots or change.blocks):
            return root
        prefix = b"u" + leaves.account_key(address)
        trie = Trie(lambda path: self._entries.get(prefix + path), root)
        for slot, word in change.slots.items():
            if word:
                batch.values[b"s" + address + _word(slot)] = _shortest(word)
                trie.put(leaves.slot_key(slot), leaves.slot_value(word))
            else:
                batch.values[b"s" + address + _word(slot)] = None
                trie.delete(leaves.slot_key(slot))
        for block_id, block in change.blocks.items():
            batch.values[b"w" + address + _word(block_id)] = block
            if block is not None:
                trie.put(leaves.block_key(block_id), leaves.block_value(block))
            else:
                trie.delete(leaves.block_key(block_id))
        root, nodes = trie.flush()
        for path, node in nodes.items():
            batch.values[prefix + path] = node
        return root


def _shortest(word: int) -> bytes:
    """A word's bytes without leading zeros."""
    return word.to_bytes((word.bit_length() + 7) // 8, "big")
