"""The state in memory: dictionaries for reading, tries that follow when a root is asked for."""

from __future__ import annotations

from dataclasses import dataclass, field

from smartvm.vm.state import leaves
from smartvm.vm.state.blocks import BlockEntry
from smartvm.vm.state.model import EMPTY_CODE_HASH, EMPTY_TRIE_ROOT, Account, StateChanges
from smartvm.vm.state.trie import Trie


@dataclass(slots=True)
class _Storage:
    slots: dict[int, int] = field(default_factory=dict)
    blocks: dict[int, BlockEntry] = field(default_factory=dict)
    trie: Trie = field(default_factory=Trie)
    #: What changed since the trie was brought up to date.
    changed_slots: set[int] = field(default_factory=set)
    changed_blocks: set[int] = field(default_factory=set)

    def root(self) -> bytes:
        for slot in self.changed_slots:
            word = self.slots.get(slot)
            if word is None:
                self.trie.delete(leaves.slot_key(slot))
            else:
                self.trie.put(leaves.slot_key(slot), leaves.slot_value(word))
        for block_id in self.changed_blocks:
            block = self.blocks.get(block_id)
            if block is None:
                self.trie.delete(leaves.block_key(block_id))
            else:
                self.trie.put(leaves.block_key(block_id), leaves.BlockValue(block))
        self.changed_slots.clear()
        self.changed_blocks.clear()
        return self.trie.root()


class MemoryStore:
    """A ``StateStore`` that ends with the process. A root after k changes costs O(k log n)."""

    def __init__(self) -> None:
        self._accounts: dict[bytes, Account] = {}
        self._storages: dict[bytes, _Storage] = {}
        self._codes: dict[bytes, bytes] = {EMPTY_CODE_HASH: b""}
        self._trie = Trie()
        self._changed: set[bytes] = set()

    def account(self, address: bytes) -> Account | None:
        """See ``StateStore``."""
        return self._accounts.get(address)

    def code(self, code_hash: bytes) -> bytes:
        """See ``StateStore``."""
        return self._codes[code_hash]

    def slot(self, address: bytes, slot: int) -> int:
        """See ``StateStore``."""
        storage = self._storages.get(address)
        return 0 if storage is None else storage.slots.get(slot, 0)

    def block(self, address: bytes, block_id: int) -> BlockEntry | None:
        """See ``StateStore``."""
        storage = self._storages.get(address)
        return None if storage is None else storage.blocks.get(block_id)

    def has_storage(self, address: bytes) -> bool:
        """See ``StateStore``."""
        storage = self._storages.get(address)
        return storage is not None and bool(storage.slots or storage.blocks)

    def commit(self, changes: StateChanges) -> None:
        """See ``StateStore``."""
        for address, change in changes.items():
            self._changed.add(address)
            if change is None:
                self._accounts.pop(address, None)
                self._storages.pop(address, None)
                continue
            self._accounts[address] = change.account
            if change.code is not None:
                self._codes[change.account.code_hash] = change.code
            if change.clears_storage:
                self._storages.pop(address, None)
            if not (change.slots or change.blocks):
                continue
            storage = self._storages.get(address)
            if storage is None:
                storage = self._storages[address] = _Storage()
            for slot, word in change.slots.items():
                if word:
                    storage.slots[slot] = word
                else:
                    storage.slots.pop(slot, None)
            storage.changed_slots.update(change.slots)
            for block_id, block in change.blocks.items():
                if block is not None:
                    storage.blocks[block_id] = block
                else:
                    storage.blocks.pop(block_id, None)
            storage.changed_blocks.update(change.blocks)

    def root(self) -> bytes:
        """See ``StateStore``."""
        for address in self._changed:
            account = self._accounts.get(address)
            if account is None:
                self._trie.delete(leaves.account_key(address))
                continue
            storage = self._storages.get(address)
            storage_root = EMPTY_TRIE_ROOT if storage is None else storage.root()
            self._trie.put(leaves.account_key(address), leaves.account_value(account, storage_root))
        self._changed.clear()
        return self._trie.root()
