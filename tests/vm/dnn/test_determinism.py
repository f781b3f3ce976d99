"""Results do not depend on how many threads BLAS takes, nor on the processor's vector instructions."""

from __future__ import annotations

import os
import subprocess
import sys

PROGRAM = """
import hashlib, random
from smartvm.vm.dnn import Buffer, WeightBlock
from smartvm.vm.dnn.correlation import Correlation, correlate
from smartvm.vm.dnn.items import to_integers
random = random.Random(1)
digest = hashlib.sha256()
cases = (7, 3, 4, 9, 3), (20, 8, 16, 12, 3), (24, 5, 3, 7, 5), (30, 2, 2, 6, 3), (200, 2, 2, 5, 3)
for bits, c, o, side, k in cases:
    limit = 1 << bits
    buffer = Buffer([random.randrange(-limit, limit) for _ in range(c * side * side)])
    block = WeightBlock.of_integers([random.randrange(-limit, limit) for _ in range(o * c * k * k)])
    output = side - k + 1
    shape = Correlation(1, c, o, (1, side, side), (1, k, k), (1, output, output), 1, (0, 0, 0))
    digest.update(repr(to_integers(correlate(buffer, block, shape))).encode())
print(digest.hexdigest())
"""


def run(**environment):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_thread_counts_and_processors_give_the_same_bits(tmp_path):
    once = run(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")
    assert run(OPENBLAS_NUM_THREADS="4", OMP_NUM_THREADS="4", NUMBA_NUM_THREADS="4") == once
    assert run(NUMBA_CPU_NAME="generic", NUMBA_CPU_FEATURES="", NUMBA_CACHE_DIR=str(tmp_path)) == once
