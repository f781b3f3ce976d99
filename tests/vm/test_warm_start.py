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

NETWORK = """
import smartvm
from smartvm.vm.dnn import Buffer, WeightBlock
from smartvm.vm.dnn.operations import Activation, Convolution
from smartvm.vm.dnn.platforms.dispatcher import execute
from smartvm.vm.dnn.shapes import Correlation

network = smartvm.Chain().deploy("examples/lenet5/LeNet5.sol", "LeNet5")
network.upload_weights("examples/lenet5/weights.npz")
image = [(37 * i) % 256 for i in range(28 * 28)]
results = [network.logits(image) for _ in range(8)]
buffer = Buffer(range(162))
shape = Correlation(1, 2, 3, (1, 9, 9), (1, 3, 3), (1, 7, 7), 1, (0, 0, 0))
execute(buffer, Convolution(WeightBlock.of_integers([(13 * i) % 99 - 50 for i in range(54)]), shape))
results.append(buffer.to_integers())
execute(buffer, Activation("softmax", 1000))
results.append(buffer.to_integers())
"""

#: By name; each sets ``results``.
PROGRAMS = {"token": TOKEN, "precompiled contracts": PRECOMPILES, "network": NETWORK}

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
