"""The world state that executions read and change: a journalled overlay over a ``StateStore``."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from smartvm.vm.state.blocks import BlockEntry, HeldBlock
from smartvm.vm.state.model import EMPTY_CODE_HASH, Account, AccountChange, StateChanges, StateStore

__all__ = ["WorldState"]


class _AccountState:
    """An account as loaded from the store and changed since. ``slots`` and ``blocks`` hold changes only."""

    __slots__ = (
        "balance",
        "blocks",
        "changed",
        "code",
        "code_hash",
        "exists",
        "loaded",
        "nonce",
        "slots",
        "storage_cleared",
        "stored",
    )

    def __init__(self, account: Account | None) -> None:
        self.exists = account is not None
        self.nonce = account.nonce if account else 0
        self.balance = account.balance if account else 0
        self.code_hash = account.code_hash if account else EMPTY_CODE_HASH
        self.code: bytes | None = b"" if self.code_hash == EMPTY_CODE_HASH else None
        self.slots: dict[int, int] = {}
        self.blocks: dict[int, BlockEntry | None] = {}
        self.storage_cleared = False
        self.changed = False
        #: Slots' words as the store has them, and whether it has any storage of the account (None: not asked yet).
        self.loaded: dict[int, int] = {}
        self.stored: bool | None = None


#: Words of the store that are remembered, in all.
_MOST_LOADED = 1 << 16

_ABSENT = _AccountState(None)


class WorldState:
    """Accounts, their storage slots and weight blocks. Addresses are 20 bytes, amounts wei, words integers.

    Every change is journalled: ``snapshot`` and ``revert`` cost O(changes). ``commit`` writes all changes to
    the store and forgets the journal. While a transaction runs, the machine keeps slots it touched in arrays
    of its own and writes them back in ``Machine.finish_transaction``.
    """

    def __init__(self, store: StateStore) -> None:
        self.store = store
        self._accounts: dict[bytes, _AccountState] = {}
        self._journal: list[Callable[[], object]] = []
        self._codes: dict[bytes, bytes] = {}
        self._loaded_count = 0
        #: Changes with every change of an account and with every revert.
        self.version = 1
        #: Changes with every change of a weight block, and with every revert of one.
        self.blocks_version = 1

    # -- accounts

    def _account(self, address: bytes) -> _AccountState:
        """The account, to read: one object stands for all that do not exist."""
        state = self._accounts.get(address)
        if state is None:
            account = self.store.account(address)
            state = self._accounts[address] = _ABSENT if account is None else _AccountState(account)
        return state

    def _own(self, address: bytes) -> _AccountState:
        """The account, to change."""
        state = self._account(address)
        if state is _ABSENT:
            state = self._accounts[address] = _AccountState(None)
        return state

    def _set(self, state: _AccountState, name: str, value: object) -> None:
        old = getattr(state, name)
        if old is value:
            return
        setattr(state, name, value)
        self.version += 1
        self._journal.append(lambda: setattr(state, name, old))

    def _change(self, address: bytes) -> _AccountState:
        state = self._own(address)
        if not state.exists:
            self._set(state, "exists", True)
        state.changed = True
        return state

    def exists(self, address: bytes) -> bool:
        """Whether the state has the account, be it empty."""
        return self._account(address).exists

    def is_empty(self, address: bytes) -> bool:
        """No code, nonce 0 and balance 0 (EIP-161); an account that does not exist is empty."""
        state = self._account(address)
        return state.nonce == 0 and state.balance == 0 and state.code_hash == EMPTY_CODE_HASH

    def create_account(self, address: bytes) -> None:
        """Make the account exist, empty if it did not."""
        self._change(address)

    def delete_account(self, address: bytes) -> None:
        """Remove the account with its code, slots and blocks."""
        state = self._own(address)
        self._set(state, "exists", False)
        self._set(state, "nonce", 0)
        self._set(state, "balance", 0)
        self._set(state, "code_hash", EMPTY_CODE_HASH)
        self._set(state, "code", b"")
        self.clear_storage(address)
        state.changed = True

    def balance(self, address: bytes) -> int:
        """Balance in wei, 0 without account."""
        return self._account(address).balance

    def set_balance(self, address: bytes, balance: int) -> None:
        """Set the balance; makes the account exist."""
        self._set(self._change(address), "balance", balance)

    def nonce(self, address: bytes) -> int:
        """Nonce, 0 without account."""
        return self._account(address).nonce

    def set_nonce(self, address: bytes, nonce: int) -> None:
        """Set the nonce; makes the account exist."""
        self._set(self._change(address), "nonce", nonce)

    def code_hash(self, address: bytes) -> bytes:
        """Keccak-256 of the code (of nothing, without account)."""
        return self._account(address).code_hash

    def code(self, address: bytes) -> bytes:
        """The account's code."""
        state = self._account(address)
        if state.code is None:
            state.code = self._codes.get(state.code_hash)
            if state.code is None:
                state.code = self.store.code(state.code_hash)
        return state.code

    def set_code(self, address: bytes, code: bytes) -> None:
        """Set the code; makes the account exist."""
        from smartvm.vm.keccak import keccak256

        state = self._change(address)
        code_hash = keccak256(code) if code else EMPTY_CODE_HASH
        self._codes[code_hash] = code
        self._set(state, "code_hash", code_hash)
        self._set(state, "code", code)

    # -- storage

    def storage(self, address: bytes, slot: int) -> int:
        """The slot's word."""
        state = self._account(address)
        value = state.slots.get(slot)
        if value is not None:
            return value
        if state.storage_cleared or not state.exists:
            return 0
        value = state.loaded.get(slot)
        if value is None:
            if self._loaded_count >= _MOST_LOADED:
                self._forget_loaded()
            value = state.loaded[slot] = self.store.slot(address, slot)
            self._loaded_count += 1
        return value

    def _forget_loaded(self) -> None:
        for state in self._accounts.values():
            state.loaded.clear()
        self._loaded_count = 0

    def _has_stored(self, address: bytes, state: _AccountState) -> bool:
        if state.stored is None:
            state.stored = self.store.has_storage(address)
        return state.stored

    def set_storage(self, address: bytes, slot: int, value: int) -> None:
        """Set a slot's word; does not make the account exist."""
        state = self._own(address)
        self._put(state.slots, slot, value)
        state.changed = True

    def _put(self, mapping: dict[int, int] | dict[int, BlockEntry | None], key: int, value: object) -> None:
        had, old = key in mapping, mapping.get(key)
        mapping[key] = value  # type: ignore[assignment]

        def undo() -> None:
            if had:
                mapping[key] = old  # type: ignore[assignment]
            else:
                del mapping[key]

        self._journal.append(undo)

    def block(self, address: bytes, block_id: int) -> bytes | None:
        """A weight block as width byte and packed items, or None."""
        entry = self.block_entry(address, block_id)
        return None if entry is None else entry.encoded()

    def block_entry(self, address: bytes, block_id: int) -> BlockEntry | None:
        """A weight block's entry, or None: the same object until the block is changed."""
        state = self._account(address)
        if block_id in state.blocks:
            return state.blocks[block_id]
        if state.storage_cleared or not state.exists:
            return None
        return self.store.block(address, block_id)

    def set_block(self, address: bytes, block_id: int, block: BlockEntry | bytes | None) -> None:
        """Set or (None) delete a weight block, given as an entry or as its bytes."""
        state = self._own(address)
        if isinstance(block, bytes):
            block = HeldBlock(block)
        self._put(state.blocks, block_id, block)
        state.changed = True
        self._blocks_changed()

    def _blocks_changed(self) -> None:
        self.blocks_version += 1
        self._journal.append(self._count_blocks_version)

    def _count_blocks_version(self) -> None:
        self.blocks_version += 1

    def has_storage(self, address: bytes) -> bool:
        """Whether any slot or block is set."""
        state = self._account(address)
        if any(state.slots.values()) or any(b is not None for b in state.blocks.values()):
            return True
        # An account whose slots were all set to 0 singly since the last commit still counts as having some
        return not state.storage_cleared and state.exists and self._has_stored(address, state)

    def storage_known_empty(self, address: bytes) -> bool:
        """Whether no slot was set before this transaction, so that the store need not be asked for any."""
        state = self._account(address)
        if state.slots and any(state.slots.values()):
            return False
        return state.storage_cleared or not state.exists or not self._has_stored(address, state)

    def clear_storage(self, address: bytes) -> None:
        """Drop all slots and blocks."""
        state = self._own(address)
        self._set(state, "slots", {})
        self._set(state, "blocks", {})
        self._set(state, "storage_cleared", True)
        state.changed = True
        self._blocks_changed()

    # -- journal

    def snapshot(self) -> int:
        """A mark to ``revert`` to."""
        return len(self._journal)

    def on_revert(self, undo: Callable[[], object]) -> None:
        """Call ``undo`` when a ``revert`` goes back behind this moment."""
        self._journal.append(undo)

    def revert(self, snapshot: int) -> None:
        """Undo all changes since ``snapshot``."""
        journal = self._journal
        self.version += 1
        while len(journal) > snapshot:
            journal.pop()()

    # -- results

    def accounts(self) -> Iterator[tuple[bytes, Account]]:
        """Address and content of every existing account that was read or changed here."""
        for address, state in self._accounts.items():
            if state.exists:
                yield address, Account(state.nonce, state.balance, state.code_hash)

    def changes(self) -> StateChanges:
        """What ``commit`` will write."""
        result: dict[bytes, AccountChange | None] = {}
        for address, state in self._accounts.items():
            if not state.changed:
                continue
            if not state.exists:
                result[address] = None
                continue
            result[address] = AccountChange(
                Account(state.nonce, state.balance, state.code_hash),
                self._codes.get(state.code_hash),
                state.storage_cleared,
                dict(state.slots),
                dict(state.blocks),
            )
        return result

    def commit(self) -> None:
        """Write all changes to the store; snapshots taken before are void."""
        self.store.commit(self.changes())
        self._accounts.clear()
        self._journal.clear()
        self._codes.clear()
        self._loaded_count = 0

    def root(self) -> bytes:
        """The state root with all changes, which are committed for it."""
        self.commit()
        return self.store.root()
