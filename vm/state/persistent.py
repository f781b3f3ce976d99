"""The state on disk: a ``StateStore`` over an embedded key-value store, tries included.

Keys, by their first byte: ``a`` address: an account's leaf; ``s`` address, slot: a word; ``w`` address, id: a
weight block; ``c`` hash: code; ``t`` path: a node of the state's trie; ``u`` hash of the address, path: a
node of a storage trie; ``r``: the root. Trie nodes stand under their path, so that a change replaces them and
no garbage remains. Large weight blocks are files beside the store, named by their entries: reading them through a
database takes several times as long.
"""

from __future__ import annotations

import struct
from pathlib import Path
from weakref import WeakValueDictionary

from smartvm.vm import rlp
from smartvm.vm.state import leaves
from smartvm.vm.state.blocks import LARGE_BYTES, BlockEntry, BlockFiles, HeldBlock
from smartvm.vm.state.key_value import KeyValueStore, SqliteKeyValueStore, StoreError
from smartvm.vm.state.model import (
    EMPTY_CODE_HASH,
    EMPTY_TRIE_ROOT,
    Account,
    AccountChange,
    StateChanges,
)
from smartvm.vm.state.trie import Trie

#: The database's name where a state has a folder of its own.
STATE_FILE = "state.sqlite"

_ROOT_KEY = b"r"

#: What stands for a block in a file: a width byte that no block has, whether the extremes are known, its size,
#: the extremes in two's complement, the file's name.
_FILED = struct.Struct(">B?Q32s32s32s")


def _word(value: int) -> bytes:
    return value.to_bytes(32, "big")


class _Batch:
    """What one commit writes."""

    def __init__(self) -> None:
        self.deleted_prefixes: list[bytes] = []
        self.values: dict[bytes, bytes | None] = {}
        self.files: dict[str, BlockEntry] = {}
        self.removed_files: list[str] = []


class PersistentStore:
    """A ``StateStore`` that outlives the process. Each ``commit`` is one step on disk and costs O(k log
    n)."""

    def __init__(self, entries: KeyValueStore, files: BlockFiles | None = None) -> None:
        """``files`` keeps large blocks; without it they are entries like others. With it, ``entries`` is a
        ``SqliteKeyValueStore``."""
        self._entries = entries
        self._files = files
        self._swept = False
        self._blocks: WeakValueDictionary[bytes, HeldBlock] = WeakValueDictionary()
        self._root = entries.get(_ROOT_KEY) or EMPTY_TRIE_ROOT

    @classmethod
    def open(cls, path: str | Path) -> PersistentStore:
        """Open or create a state in a file, with the folder ``blocks`` beside it (named after it, where the file
        is not ``state.sqlite``). Raises ``StoreError``."""
        path = Path(path)
        folder = path.with_name("blocks" if path.name == STATE_FILE else f"{path.name}.blocks")
        return cls(SqliteKeyValueStore(path), BlockFiles(folder))

    @classmethod
    def open_at(cls, place: str | Path) -> PersistentStore:
        """Open or create a state in a folder, which is made when it is not there; or in ``place`` itself where
        that is a file, as earlier versions wrote it. Raises ``StoreError``."""
        path = Path(place)
        if path.is_file():
            return cls.open(path)
        try:
            path.mkdir(exist_ok=True)
        except OSError as error:
            raise StoreError(f"cannot keep the state in `{place}`: {error.strerror}") from None
        return cls.open(path / STATE_FILE)

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

    def block(self, address: bytes, block_id: int) -> BlockEntry | None:
        """See ``StateStore``."""
        return self._block_at(b"w" + address + _word(block_id))

    def _block_at(self, key: bytes) -> BlockEntry | None:
        known: BlockEntry | None = self._blocks.get(key)
        if known is not None:
            return known
        data = self._entries.get(key)
        if data is None:
            return None
        entry: BlockEntry = HeldBlock(data)
        if data[:1] == b"\0":
            if self._files is None:
                raise StoreError("the state's weight blocks are in files that this store does not know")
            _, known_extremes, size, low, high, name = _FILED.unpack(data)
            extremes = int.from_bytes(low, "big", signed=True), int.from_bytes(high, "big", signed=True)
            entry = self._files.open(name.decode(), size, extremes if known_extremes else None)
        self._blocks[key] = entry  # type: ignore[assignment]
        return entry

    def _block_value(self, key: bytes) -> leaves.BlockValue:
        entry = self._block_at(key)
        if entry is None:
            raise StoreError("the state lacks a weight block that its trie has")
        return leaves.BlockValue(entry, key)

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
        self._write(batch)
        self._root = root

    def _write(self, batch: _Batch) -> None:
        files, entries = self._files, self._entries
        if files is None:
            entries.write(batch.deleted_prefixes, batch.values)
        else:
            assert isinstance(entries, SqliteKeyValueStore)
            try:
                entries.write(batch.deleted_prefixes, batch.values, lambda: self._write_files(files, batch))
            except BaseException:
                files.remove(batch.files)
                raise
        for key in list(self._blocks):
            if key in batch.values or key.startswith(tuple(batch.deleted_prefixes)):
                del self._blocks[key]
        if files is not None:
            files.remove(batch.removed_files)

    def _write_files(self, files: BlockFiles, batch: _Batch) -> None:
        try:
            if not self._swept:
                assert isinstance(self._entries, SqliteKeyValueStore)
                heads = self._entries.heads(b"w", _FILED.size)
                files.sweep({name for _, head in heads if (name := _file_name(head)) is not None})
                self._swept = True
            files.write(batch.files)
        except OSError as error:
            raise StoreError(f"cannot write weight blocks: {error.strerror or error}") from None

    def _clear_storage(self, batch: _Batch, address: bytes) -> None:
        if self._files is not None:
            assert isinstance(self._entries, SqliteKeyValueStore)
            for _, head in self._entries.heads(b"w" + address, _FILED.size):
                name = _file_name(head)
                if name is not None:
                    batch.removed_files.append(name)
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
        trie = Trie(lambda path: self._entries.get(prefix + path), root, self._block_value)
        for slot, word in change.slots.items():
            if word:
                batch.values[b"s" + address + _word(slot)] = _shortest(word)
                trie.put(leaves.slot_key(slot), leaves.slot_value(word))
            else:
                batch.values[b"s" + address + _word(slot)] = None
                trie.delete(leaves.slot_key(slot))
        for block_id, block in change.blocks.items():
            key = b"w" + address + _word(block_id)
            batch.values[key] = self._stored_block(batch, key, block)
            if block is not None:
                large = self._files is not None and block.size >= LARGE_BYTES
                trie.put(leaves.block_key(block_id), leaves.BlockValue(block, key if large else None))
            else:
                trie.delete(leaves.block_key(block_id))
        root, nodes = trie.flush()
        for path, node in nodes.items():
            batch.values[prefix + path] = node
        return root


    def _stored_block(self, batch: _Batch, key: bytes, block: BlockEntry | None) -> bytes | None:
        """What stands at a block's key; a large one goes to a file."""
        if self._files is None:
            return None if block is None else block.encoded()
        name = _file_name(self._entries.get(key) or b"")
        if name is not None:
            batch.removed_files.append(name)
        if block is None or block.size < LARGE_BYTES:
            return None if block is None else block.encoded()
        name = self._files.new_name()
        batch.files[name] = block
        low, high = block.extremes or (0, 0)
        return _FILED.pack(
            0,
            block.extremes is not None,
            block.size,
            low.to_bytes(32, "big", signed=True),
            high.to_bytes(32, "big", signed=True),
            name.encode(),
        )


def _file_name(head: bytes) -> str | None:
    """The file's name, of what stands at a block's key; None where the block stands there itself."""
    return None if head[:1] != b"\0" else _FILED.unpack(head)[-1].decode()


def _shortest(word: int) -> bytes:
    """A word's bytes without leading zeros."""
    return word.to_bytes((word.bit_length() + 7) // 8, "big")
