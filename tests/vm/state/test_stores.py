"""Both stores hold the same state, and the one on disk survives being killed."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smartvm.vm import rlp
from smartvm.vm.keccak import keccak256
from smartvm.vm.state import (
    EMPTY_TRIE_ROOT,
    Account,
    AccountChange,
    HeldBlock,
    MemoryStore,
    PersistentStore,
    StateChanges,
    StoreError,
)
from smartvm.vm.state.key_value import SqliteKeyValueStore
from smartvm.vm.state.trie import Trie

ADDRESSES = [bytes(19) + bytes((n,)) for n in range(6)]
SLOTS = st.dictionaries(st.integers(0, 5), st.sampled_from([0, 1, 2**255]), max_size=4)
BLOCKS = st.dictionaries(st.integers(0, 2), st.none() | st.just(HeldBlock(b"\x01abc")), max_size=2)
CHANGES = st.dictionaries(
    st.sampled_from(ADDRESSES),
    st.none()
    | st.builds(
        AccountChange,
        account=st.builds(Account, nonce=st.integers(0, 3), balance=st.integers(0, 2**256 - 1)),
        clears_storage=st.booleans(),
        slots=SLOTS,
        blocks=BLOCKS,
    ),
    max_size=4,
)


class DictionaryStore:
    """The key-value interface over a dictionary."""

    def __init__(self) -> None:
        self.entries: dict[bytes, bytes] = {}

    def get(self, key: bytes) -> bytes | None:
        return self.entries.get(key)

    def write(self, deleted_prefixes: list[bytes], values: dict[bytes, bytes | None]) -> None:
        for prefix in deleted_prefixes:
            for key in [key for key in self.entries if key.startswith(prefix)]:
                del self.entries[key]
        for key, value in values.items():
            if value is None:
                self.entries.pop(key, None)
            else:
                self.entries[key] = value

    def close(self) -> None:
        """Nothing is held."""


@given(st.lists(CHANGES, max_size=6))
def test_memory_and_disk_agree(batches: list[StateChanges]) -> None:
    memory, entries = MemoryStore(), DictionaryStore()
    disk = PersistentStore(entries)
    for changes in batches:
        memory.commit(changes)
        disk.commit(changes)
        assert memory.root() == disk.root()
        for address in ADDRESSES:
            assert memory.account(address) == disk.account(address)
            assert memory.has_storage(address) == disk.has_storage(address)
            for number in range(6):
                assert memory.slot(address, number) == disk.slot(address, number)
                one, other = memory.block(address, number), disk.block(address, number)
                assert (one and one.encoded()) == (other and other.encoded())
    disk.commit(dict.fromkeys(ADDRESSES))
    assert disk.root() == EMPTY_TRIE_ROOT
    assert set(entries.entries) == {b"r"}


def test_root_of_an_account_with_slot_and_block_is_spelled_out() -> None:
    address, items = ADDRESSES[1], b"\x02\x00\x01\xff\xff"
    store = MemoryStore()
    code = b"\x60\x00"
    account = Account(1, 5, keccak256(code))
    store.commit({address: AccountChange(account, code, slots={7: 9}, blocks={3: HeldBlock(items)})})
    storage = Trie()
    storage.put(keccak256((7).to_bytes(32, "big")), b"\x09")
    storage.put(keccak256(b"smartvm.block" + (3).to_bytes(32, "big")), rlp.encode_bytes(items))
    state = Trie()
    leaf = rlp.encode([b"\x01", b"\x05", storage.root(), keccak256(code)])
    state.put(keccak256(address), leaf)
    assert store.root() == state.root()
    assert store.code(account.code_hash) == code


@settings(max_examples=10)
@given(st.lists(CHANGES, min_size=1, max_size=4))
def test_file_reopens_at_the_last_commit(
    tmp_path_factory: pytest.TempPathFactory, batches: list[StateChanges]
) -> None:
    path = tmp_path_factory.mktemp("state") / "state.db"
    memory = MemoryStore()
    for changes in batches:
        store = PersistentStore.open(path)
        assert store.root() == memory.root()
        store.commit(changes)
        memory.commit(changes)
        store.close()
    store = PersistentStore.open(path)
    assert store.root() == memory.root()
    store.close()


WRITER = """
import sys
from smartvm.vm.state import Account, AccountChange, PersistentStore
store = PersistentStore.open(sys.argv[1])
for number in range(10**9):
    slots = {number * 50 + k: number + 1 for k in range(50)}
    store.commit({bytes(20): AccountChange(Account(nonce=number + 1), slots=slots)})
    print(number + 1, store.root().hex(), flush=True)
"""


def test_killed_writer_leaves_a_committed_state(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    reported = [writer.stdout.readline() for _ in range(5)]
    time.sleep(random.random() * 0.05)
    os.kill(writer.pid, signal.SIGKILL)
    reported += writer.stdout.readlines()
    writer.wait()
    lines = [line.split() for line in reported if line.endswith("\n")]
    store = PersistentStore.open(path)
    account = store.account(bytes(20))
    assert account is not None
    assert account.nonce in (int(lines[-1][0]), int(lines[-1][0]) + 1)
    memory = MemoryStore()
    for number in range(account.nonce):
        slots = {number * 50 + k: number + 1 for k in range(50)}
        memory.commit({bytes(20): AccountChange(Account(nonce=number + 1), slots=slots)})
    assert store.root() == memory.root()
    if account.nonce == int(lines[-1][0]):
        assert store.root().hex() == lines[-1][1]
    store.commit({bytes(20): AccountChange(Account(nonce=0), clears_storage=True)})
    assert not store.has_storage(bytes(20))


def test_file_that_is_no_state_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database, whatever its name says; long enough to be looked at" * 20)
    with pytest.raises(StoreError, match=r"cannot open the state in .*notes\.txt"):
        PersistentStore.open(path)


def test_other_programs_databases_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE notes (text)")
    connection.commit()
    connection.close()
    with pytest.raises(StoreError, match="another program's database"):
        PersistentStore.open(path)


def test_locked_state_is_an_error_in_words(tmp_path: Path) -> None:
    store = PersistentStore.open(tmp_path / "state.db")
    other = sqlite3.connect(tmp_path / "state.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    store._entries._connection.execute("PRAGMA busy_timeout = 10")  # type: ignore[attr-defined]
    with pytest.raises(StoreError, match="cannot write the state"):
        store.commit({ADDRESSES[0]: AccountChange(Account(1))})
    other.execute("ROLLBACK")
    store.commit({ADDRESSES[0]: AccountChange(Account(1))})
    assert store.account(ADDRESSES[0]) == Account(1)


def test_failed_batch_leaves_nothing(tmp_path: Path) -> None:
    store = SqliteKeyValueStore(tmp_path / "kv.db")
    store.write([], {b"k": b"1"})
    with pytest.raises(StoreError):
        store.write([b"k"], {b"l": b"2", b"m": object()})  # type: ignore[dict-item]
    assert store.get(b"k") == b"1"
    assert store.get(b"l") is None
    store.close()
