"""Weight blocks in the state: large ones in files, roots, reverts, sweeping."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from smartvm.vm import rlp
from smartvm.vm.keccak import keccak256
from smartvm.vm.state import Account, AccountChange, HeldBlock, MemoryStore, PersistentStore
from smartvm.vm.state.blocks import LARGE_BYTES, BlockUnreadable, FiledBlock
from smartvm.vm.state.trie import Trie
from smartvm.vm.world import WorldState

ADDRESS = bytes(19) + b"\x07"
SMALL = b"\x01\x05\x06"
LARGE = b"\x02" + np.random.default_rng(3).integers(0, 256, 3 * LARGE_BYTES, np.uint8).tobytes()


def root_by_definition(blocks: dict[int, bytes], slots: dict[int, int]) -> bytes:
    """The storage root of a fresh trie, as the specification spells it out."""
    trie = Trie()
    for block_id, block in blocks.items():
        trie.put(keccak256(b"smartvm.block" + block_id.to_bytes(32, "big")), rlp.encode_bytes(block))
    for slot, word in slots.items():
        trie.put(keccak256(slot.to_bytes(32, "big")), rlp.encode_integer(word))
    return trie.root()


def state_root(storage_root: bytes) -> bytes:
    trie = Trie()
    trie.put(keccak256(ADDRESS), rlp.encode([b"\x01", b"", storage_root, keccak256(b"")]))
    return trie.root()


def change(blocks: dict[int, bytes | None], **more: object) -> dict[bytes, AccountChange]:
    entries = {key: None if block is None else HeldBlock(block, (-5, 9)) for key, block in blocks.items()}
    return {ADDRESS: AccountChange(Account(1), blocks=entries, **more)}  # type: ignore[arg-type]


def files_of(path: Path) -> list[Path]:
    folder = path.with_name(path.name + ".blocks")
    return sorted(folder.iterdir()) if folder.is_dir() else []


@pytest.mark.parametrize("blocks", [{3: LARGE}, {3: LARGE, 4: SMALL, 5: LARGE + LARGE[1:]}, {0: SMALL}])
def test_root_is_the_specifications(tmp_path: Path, blocks: dict[int, bytes]) -> None:
    slots = {number: number + 1 for number in range(40)}
    expected = state_root(root_by_definition(blocks, slots))
    memory, disk = MemoryStore(), PersistentStore.open(tmp_path / "s")
    for store in (memory, disk):
        store.commit(change(blocks, slots=slots))
        assert store.root() == expected
    disk.close()


def test_root_follows_changes_beside_large_blocks(tmp_path: Path) -> None:
    """Deleting and adding keys moves a large block's leaf in the trie, in this process and in a later one."""
    blocks = {number: LARGE[: LARGE_BYTES + 1 + 2 * number] for number in range(6)}
    disk = PersistentStore.open(tmp_path / "s")
    disk.commit(change(blocks))
    slots: dict[int, int] = {}
    for number in range(5):
        disk.close()
        disk = PersistentStore.open(tmp_path / "s")
        slots |= {1000 * number + k: 1 for k in range(20)}
        disk.commit(change({number: None}, slots=slots))
        del blocks[number]
        assert disk.root() == state_root(root_by_definition(blocks, slots))
        assert len(files_of(tmp_path / "s")) == len(blocks)
    disk.commit(change({}, slots=dict.fromkeys(slots, 0)))
    assert disk.root() == state_root(root_by_definition(blocks, {}))
    disk.close()


def test_large_block_is_a_file_and_small_one_is_not(tmp_path: Path) -> None:
    store = PersistentStore.open(tmp_path / "s")
    store.commit(change({1: LARGE, 2: SMALL}))
    store.close()
    store = PersistentStore.open(tmp_path / "s")
    large, small = store.block(ADDRESS, 1), store.block(ADDRESS, 2)
    assert isinstance(large, FiledBlock)
    assert large.encoded() == LARGE
    assert (large.size, large.held_bytes, large.extremes) == (len(LARGE), 0, (-5, 9))
    assert bytes(large.part(100, 50)) == LARGE[100:150]
    assert small is not None
    assert small.encoded() == SMALL
    assert store.block(ADDRESS, 1) is large
    assert len(files_of(tmp_path / "s")) == 1
    assert (tmp_path / "s").stat().st_size < len(LARGE)
    store.close()


@pytest.mark.parametrize("end", ["overwrite", "delete block", "clear storage", "delete account"])
def test_file_goes_with_its_block(tmp_path: Path, end: str) -> None:
    store = PersistentStore.open(tmp_path / "s")
    store.commit(change({1: LARGE, 2: LARGE}))
    names = files_of(tmp_path / "s")
    entry = store.block(ADDRESS, 1)
    assert entry is not None
    if end == "overwrite":
        store.commit(change({1: LARGE[:-1]}))
        assert len(set(files_of(tmp_path / "s")) & set(names)) == 1
    elif end == "delete block":
        store.commit(change({1: None}))
        assert len(files_of(tmp_path / "s")) == 1
    else:
        store.commit(change({}, clears_storage=True) if end == "clear storage" else {ADDRESS: None})
        assert files_of(tmp_path / "s") == []
    assert store.block(ADDRESS, 1) is not entry
    with pytest.raises(BlockUnreadable, match="cannot read the weight block"):
        entry.encoded()
    store.close()


def test_what_a_killed_process_left_is_swept_away(tmp_path: Path) -> None:
    killed_before_the_end = (
        "import os, signal, sys\n"
        "from smartvm.vm.state import *\n"
        "from smartvm.vm.state.blocks import BlockFiles\n"
        "store = PersistentStore.open(sys.argv[1])\n"
        "store.commit({bytes(20): AccountChange(Account(1), blocks={1: HeldBlock(b'\\1' * 100000)})})\n"
        "written = BlockFiles.write\n"
        "def write(self, entries):\n"
        "    written(self, entries)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "BlockFiles.write = write\n"
        "store.commit({bytes(20): AccountChange(Account(2), blocks={1: HeldBlock(b'\\1' * 200000)})})\n"
    )
    path = tmp_path / "s"
    killed = subprocess.run([sys.executable, "-c", killed_before_the_end, str(path)], timeout=120)
    assert killed.returncode == -signal.SIGKILL
    assert len(files_of(path)) == 2
    store = PersistentStore.open(path)
    assert store.account(bytes(20)) == Account(1)
    entry = store.block(bytes(20), 1)
    assert entry is not None
    assert entry.encoded() == b"\1" * 100000
    store.commit({ADDRESS: AccountChange(Account(1))})
    assert len(files_of(path)) == 1
    assert entry.encoded() == b"\1" * 100000
    store.close()


def test_missing_or_cut_file_is_an_error_in_words(tmp_path: Path) -> None:
    store = PersistentStore.open(tmp_path / "s")
    store.commit(change({1: LARGE}))
    entry = store.block(ADDRESS, 1)
    assert entry is not None
    (file,) = files_of(tmp_path / "s")
    os.truncate(file, 1000)
    with pytest.raises(BlockUnreadable, match="is cut off"):
        entry.encoded()
    file.unlink()
    with pytest.raises(BlockUnreadable, match="cannot read the weight block"):
        entry.part(0, 1)
    store.close()


@pytest.mark.parametrize("on_disk", [False, True])
def test_blocks_are_reverted_like_slots(tmp_path: Path, on_disk: bool) -> None:
    store = PersistentStore.open(tmp_path / "s") if on_disk else MemoryStore()
    state = WorldState(store)
    state.set_nonce(ADDRESS, 1)
    state.set_block(ADDRESS, 1, LARGE)
    state.commit()
    committed = state.block_entry(ADDRESS, 1)
    before = state.snapshot()
    state.set_block(ADDRESS, 1, SMALL)
    middle = state.snapshot()
    state.set_block(ADDRESS, 1, None)
    state.set_block(ADDRESS, 2, LARGE)
    assert (state.block(ADDRESS, 1), state.block(ADDRESS, 2)) == (None, LARGE)
    state.revert(middle)
    assert (state.block(ADDRESS, 1), state.block(ADDRESS, 2)) == (SMALL, None)
    state.delete_account(ADDRESS)
    assert state.block(ADDRESS, 1) is None
    state.revert(before)
    assert state.block_entry(ADDRESS, 1) is committed
    assert state.block(ADDRESS, 1) == LARGE
    if isinstance(store, PersistentStore):
        store.close()
