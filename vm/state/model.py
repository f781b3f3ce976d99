"""Accounts and changes of the state, as they pass between the machine and the store behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from smartvm.vm.state.blocks import BlockEntry

EMPTY_CODE_HASH = bytes.fromhex("c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470")
EMPTY_TRIE_ROOT = bytes.fromhex("56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421")


@dataclass(frozen=True, slots=True)
class Account:
    """What the state's trie holds of an account besides its storage. ``balance`` in wei."""

    nonce: int = 0
    balance: int = 0
    code_hash: bytes = EMPTY_CODE_HASH


@dataclass(frozen=True, slots=True)
class AccountChange:
    """The new content of an account.

    ``code`` is given when the code hash is new to the store, else None. ``clears_storage``: all slots and
    blocks held until now are gone before ``slots`` and ``blocks`` are applied. A slot's value 0 and a block's
    None delete it. A block is what the trie's leaf holds before RLP: width byte, then packed items.
    """

    account: Account
    code: bytes | None = None
    clears_storage: bool = False
    slots: Mapping[int, int] = field(default_factory=dict)
    blocks: Mapping[int, BlockEntry | None] = field(default_factory=dict)


#: Changes by address (20 bytes); None deletes the account with its storage.
StateChanges = Mapping[bytes, AccountChange | None]


class StateStore(Protocol):
    """The state behind a machine. Reads see the last ``commit``; addresses are 20 bytes."""

    def account(self, address: bytes) -> Account | None:
        """The account, or None when the state has none."""
        ...

    def code(self, code_hash: bytes) -> bytes:
        """The code with this Keccak-256 hash (empty for the empty hash). KeyError when unknown."""
        ...

    def slot(self, address: bytes, slot: int) -> int:
        """A storage slot's word; 0 when unset."""
        ...

    def block(self, address: bytes, block_id: int) -> BlockEntry | None:
        """A weight block, or None. While nobody has changed it and somebody holds it, it is the same object."""
        ...

    def has_storage(self, address: bytes) -> bool:
        """Whether the account has any slot or block (EIP-7610 asks)."""
        ...

    def commit(self, changes: StateChanges) -> None:
        """Apply the changes, all or none."""
        ...

    def root(self) -> bytes:
        """The state's Merkle-Patricia root."""
        ...
