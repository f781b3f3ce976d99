"""A process whose machine code is all on disk needs no compiler for it, and computes the same as one without."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from smartvm.vm.native.object_code import can_load

ROOT = Path(__file__).resolve().parents[2]

TOKEN = """
import smartvm

chain = smartvm.Chain()
token = chain.deploy("examples/erc20/Token.sol", "Token", "Coin", "C", 1000)
token.transfer(chain.accounts[1], 5)
results = [token.last.gas_used, token.balanceOf(chain.accounts[1]), chain.accounts[0]]
"""

PRECOMPILES = """
from smartvm.vm.precompiles import blake2, bn254

word = (1).to_bytes(32, "big")
generator = word + (2).to_bytes(32, "big")
results = [blake2.compress(bytes([0, 0, 0, 12]) + bytes(209)).hex(), bn254.multiply(generator + word[:31] + b"7").hex()]
"""

#: By name; each sets ``results``.
PROGRAMS = {"token": TOKEN, "precompiled contracts": PRECOMPILES}

#: Leaves loading to LLVM, as on systems where objects are loaded by it.
BY_LLVM = """
from smartvm.vm.native import machine_code
machine_code.can_load = lambda: False
"""

REPORT = """
import json, sys
print(json.dumps([results, sorted(name for name in sys.modules if name.split(".")[0] in ("numba", "llvmlite"))]))
"""


def outcome(program: str, **environment: str) -> tuple[list[object], list[str], str]:
    """What a program in a fresh process gives, the compilers' modules that it loaded, and what it said on stderr."""
    command = [sys.executable, "-c", program + REPORT]
    ended = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, check=True
    )
    results, modules = json.loads(ended.stdout)
    return results, modules, ended.stderr


loads_objects = pytest.mark.skipif(not can_load(), reason="objects are loaded by LLVM here")


@loads_objects
@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_a_warm_process_loads_neither_numba_nor_llvm(program: str) -> None:
    outcome(program)
    _, modules, said = outcome(program)
    assert not {"numba", "llvmlite.binding"} & set(modules)
    assert not said


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_code_that_llvm_loads_computes_the_same(program: str) -> None:
    assert outcome(BY_LLVM + program)[0] == outcome(program)[0]
