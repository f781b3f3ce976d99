"""The state behind a machine: accounts, storage, code and weight blocks, with Merkle-Patricia roots."""

from __future__ import annotations

from smartvm.vm.state.blocks import BlockEntry, HeldBlock
from smartvm.vm.state.key_value import StoreError
from smartvm.vm.state.memory import MemoryStore
from smartvm.vm.state.model import (
    EMPTY_CODE_HASH,
    EMPTY_TRIE_ROOT,
    Account,
    AccountChange,
    StateChanges,
    StateStore,
)
from smartvm.vm.state.persistent import PersistentStore

__all__ = [
    "EMPTY_CODE_HASH",
    "EMPTY_TRIE_ROOT",
    "Account",
    "AccountChange",
    "BlockEntry",
    "HeldBlock",
    "MemoryStore",
    "PersistentStore",
    "StateChanges",
    "StateStore",
    "StoreError",
]
