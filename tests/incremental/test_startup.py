"""What is loaded to answer: little, and nothing of the VM's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from smartvm import keccak

PROGRAM = """
import io, json, sys
from smartvm.commands.solc import run
shown = sys.stdout
sys.stdout = io.TextIOWrapper(io.BytesIO(), "utf-8")
status = run(sys.argv[1:])
sys.stdout.flush()
shown.write(json.dumps([status, sorted(sys.modules)]))
"""

HEAVY = {"numpy", "numba", "llvmlite", "rich", "click", "lark", "cffi", "importlib.metadata", "tomllib", "difflib"}


def modules_loaded_by(*arguments: str, cache: Path) -> set[str]:
    environment = {**os.environ, "SMARTVM_CACHE_DIR": str(cache), "SMARTVM_COMPILE_CACHE": "on"}
    command = [sys.executable, "-c", PROGRAM, *arguments]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    status, modules = json.loads(ended.stdout)
    assert status == 0
    return set(modules)


def test_the_version_needs_no_compiler(tmp_path: Path) -> None:
    loaded = modules_loaded_by("--version", cache=tmp_path)
    assert not HEAVY & loaded
    assert not {"dataclasses", "smartvm.compiler.pipeline", "smartvm.errors"} & loaded


def test_a_compilation_loads_what_it_uses(project: Any, tmp_path: Path) -> None:
    request = tmp_path / "request.json"
    request.write_text(json.dumps(project.request))
    arguments = ("--standard-json", str(request))
    modules_loaded_by(*arguments, "--no-cache", cache=tmp_path)
    compiling = modules_loaded_by(*arguments, cache=tmp_path)
    assert not HEAVY & compiling
    assert not any(name.startswith("smartvm.vm") for name in compiling)
    assert "smartvm.compiler.backend" in compiling
    kept = modules_loaded_by(*arguments, cache=tmp_path)
    assert not {"smartvm.compiler.analysis", "smartvm.compiler.grammar.tokens", "smartvm.compiler.backend"} & kept


def test_the_hash_is_pycryptodomes(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [bytes(range(256)) * (size // 256) + bytes(size % 256) for size in (0, 1, 135, 136, 137, 1000, 100_000)]
    wrong: list[bytes] = []

    def compare() -> None:
        wrong.extend(text for text in texts * 20 if keccak.keccak256(text) != keccak._public(text))

    threads = [threading.Thread(target=compare) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    monkeypatch.setattr("Crypto.version_info", (5, 0, "0"))
    assert keccak._compiled() is None
