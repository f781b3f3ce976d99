"""Results do not depend on how many threads BLAS takes, nor on the vector instructions that kernels use."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from smartvm.vm.dnn.platforms import kernel_sets

PROGRAM = """
import hashlib, random
import numpy as np
from smartvm.vm.dnn import Buffer, WeightBlock
from smartvm.vm.dnn.operations import Convolution
from smartvm.vm.dnn.platforms.dispatcher import execute
from smartvm.vm.dnn.compiling.machine_code import row_kernels
from smartvm.vm.dnn.shapes import Correlation
def correlate(buffer, block, shape):
    execute(buffer, Convolution(block, shape))
    return buffer.to_integers()
random = random.Random(1)
digest = hashlib.sha256()
cases = (7, 3, 4, 9, 3), (20, 8, 16, 12, 3), (24, 5, 3, 7, 5), (30, 2, 2, 6, 3), (200, 2, 2, 5, 3)
for bits, c, o, side, k in cases:
    limit = 1 << bits
    buffer = Buffer([random.randrange(-limit, limit) for _ in range(c * side * side)])
    block = WeightBlock.of_integers([random.randrange(-limit, limit) for _ in range(o * c * k * k)])
    output = side - k + 1
    shape = Correlation(1, c, o, (1, side, side), (1, k, k), (1, output, output), 1, (0, 0, 0))
    digest.update(repr(correlate(buffer, block, shape)).encode())
for bits, c, side, k, s in (7, 40, 5, 3, 1), (12, 35, 6, 3, 2), (20, 35, 4, 2, 1):
    limit = 1 << bits
    buffer = Buffer([random.randrange(-limit, limit) for _ in range(c * side * side)])
    block = WeightBlock.of_integers([random.randrange(-99, 99) for _ in range(c * k * k)])
    output = (side - k) // s + 1
    shape = Correlation(c, 1, c, (1, side, side), (1, k, k), (1, output, output), s, (0, 0, 0))
    digest.update(repr(correlate(buffer, block, shape)).encode())
for low, high in (0, 127), (-64, 63), (0, 255), (-300, 300):
    buffer = Buffer([low, high] + [random.randrange(low, high + 1) for _ in range(30 * 26 * 26 - 2)])
    block = WeightBlock.of_integers([random.randrange(-63, 64) for _ in range(128 * 30 * 9)])
    shape = Correlation(1, 30, 128, (1, 26, 26), (1, 3, 3), (1, 26, 26), 1, (0, 1, 1))
    digest.update(repr(correlate(buffer, block, shape)).encode())
values = np.array([random.randrange(-9, 9) for _ in range(77)], np.int16)
packed = np.frombuffer(random.randbytes(2 * 77 * 6), np.uint8)
for width in 1, 2:
    sums = np.empty(6, np.int64)
    row_kernels.multiply_rows(values, packed, width, 6, 3, sums)
    digest.update(sums.tobytes())
print(digest.hexdigest())
"""


def run(**environment):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True,
        text=True,
        timeout=600,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_thread_counts_and_processors_give_the_same_bits(tmp_path):
    once = run(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")
    assert run(OPENBLAS_NUM_THREADS="4", OMP_NUM_THREADS="4", NUMBA_NUM_THREADS="4") == once
    assert run(NUMBA_CPU_NAME="generic", NUMBA_CPU_FEATURES="", NUMBA_CACHE_DIR=str(tmp_path)) == once


@pytest.mark.parametrize("name", [kernels.name for kernels in kernel_sets.available_sets()])
def test_every_set_of_kernels_that_the_host_has_gives_the_same_bits(name):
    assert run(**{kernel_sets.VARIABLE: name}) == run()


def test_a_set_that_the_host_lacks_is_refused():
    available = kernel_sets.available_sets()
    absent = next(kernels for kernels in kernel_sets.KERNEL_SETS if kernels not in available)
    done = subprocess.run(
        [sys.executable, "-c", "import smartvm.vm.dnn.instructions.kernels"],
        capture_output=True,
        text=True,
        env={**os.environ, kernel_sets.VARIABLE: absent.name},
    )
    assert done.returncode != 0
    assert f"`{absent.name}`, which this processor cannot run" in done.stderr
