"""The cache on disk: what is read is what was written, or nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from smartvm.disk_cache import DiskCache, private_folder


def entries(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def test_what_is_written_is_read_by_another_process(tmp_path: Path) -> None:
    folder = tmp_path / "below" / "cache"
    DiskCache(folder).write("a", b"payload")
    assert DiskCache(folder).read("a") == b"payload"
    assert DiskCache(folder).read("b") is None
    assert folder.stat().st_mode & 0o777 == 0o700


def test_damaged_and_foreign_entries_are_absent(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    cache = DiskCache(folder)
    cache.write("a", b"payload" * 10)
    path = folder / "a"
    whole = path.read_bytes()
    os.rename(path, folder / "b")
    assert cache.read("b") is None  # an entry under another's name
    for damaged in (whole[:-1], whole[:20], b"", whole[:-1] + b"?", whole + b"?", b"{}"):
        path.write_bytes(damaged)
        assert cache.read("a") is None
    cache.write("a", b"again")
    assert cache.read("a") == b"again"
    path.unlink()
    path.mkdir()
    cache.write("a", b"in the way")
    assert cache.read("a") is None


def test_a_folder_that_others_may_write_is_not_used(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    DiskCache(folder).write("a", b"payload")
    folder.chmod(0o777)
    assert DiskCache(folder).read("a") is None
    DiskCache(folder).write("b", b"payload")
    folder.chmod(0o700)
    assert DiskCache(folder).read("b") is None
    elsewhere = tmp_path / "link"
    elsewhere.symlink_to(folder)
    assert DiskCache(elsewhere).read("a") is None


def test_a_folder_that_cannot_be_made_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    cache = DiskCache(tmp_path / "file" / "cache")
    cache.write("a", b"payload")
    cache.trim()
    assert cache.read("a") is None
    monkeypatch.setenv("SMARTVM_CACHE_DIR", str(tmp_path / "file"))
    assert private_folder("x") is None


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root writes everywhere")
def test_a_read_only_folder_is_no_error(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    DiskCache(folder).write("a", b"payload")
    folder.chmod(0o500)
    try:
        cache = DiskCache(folder)
        cache.write("b", b"payload")
        assert cache.read("a") == b"payload"
        assert cache.read("b") is None
    finally:
        folder.chmod(0o700)


def test_the_entries_used_last_stay_within_the_limit(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    cache = DiskCache(folder, limit=5000)
    for index in range(8):
        cache.write(f"e{index}", bytes(1000))
        os.utime(folder / f"e{index}", (1000 + index, 1000 + index))
    assert cache.read("e0") is not None  # a use: it is young again
    (folder / ".left-1-2.new").write_bytes(b"")
    os.utime(folder / ".left-1-2.new", (1000, 1000))
    cache.trim()
    left = [path.name for path in entries(folder)]
    assert left == ["e0", "e5", "e6", "e7"]
    assert not (folder / ".left-1-2.new").exists()


def test_processes_that_write_at_once_leave_whole_entries(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    program = (
        "import sys; from pathlib import Path; from smartvm.disk_cache import DiskCache\n"
        "cache = DiskCache(Path(sys.argv[1]))\n"
        "for turn in range(200):\n"
        "    name = f'e{turn % 5}'; found = cache.read(name)\n"
        "    assert found in (None, name.encode() * 5000), found\n"
        "    cache.write(name, name.encode() * 5000)\n"
    )
    running = [subprocess.Popen([sys.executable, "-c", program, str(folder)]) for _ in range(3)]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    assert all(DiskCache(folder).read(f"e{i}") == f"e{i}".encode() * 5000 for i in range(5))
    assert not [path for path in folder.iterdir() if path.name.endswith(".new")]
    assert time.time() - (folder / "e0").stat().st_mtime < 3600
