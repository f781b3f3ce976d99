"""Kernels are called with what they take, give back what they compute, and run without Numba once they are compiled."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from smartvm.vm.dnn.compiling.machine_code import activation_float, native
from smartvm.vm.dnn.executor.handlers import FUNCTIONS, HANDLERS
from smartvm.vm.dnn.platforms import kernel_sets
from smartvm.vm.native.object_code import can_load

PACKAGE = Path(kernel_sets.__file__).parents[1]


def test_results_are_numbers_or_tuples() -> None:
    first, second = np.array([30000, -5], np.int16), np.array([30000, 5], np.int16)
    out = np.zeros(2, np.int16)
    assert native.add_items(first, second, out) == (0, 60000)
    assert out.tolist() == [-5536, 0]
    assert native.dot_rows(np.array([[1, 2]]), np.array([[3, 4], [5, 6]]), sums := np.zeros((2, 1), int)) is None
    assert sums.tolist() == [[11], [17]]
    assert isinstance(activation_float._exponential(-1.0), float)
    assert abs(activation_float._exponential(-1.0) - 0.36787944117144233) < 1e-15


def test_each_combination_of_types_is_compiled_by_itself() -> None:
    for kind in (np.int8, np.int16, np.int32, np.int64):
        values = np.array([1, 9, 3, 4, 5, 6, 7, 8, 2], kind)
        out = np.zeros(1, kind)
        native.pool_maximum(values, (3, 3), 1, 3, (1, 1), 1, 0, out)
        assert out.tolist() == [9]


def test_calls_of_other_types_follow_each_other() -> None:
    for _ in range(3):
        for kind in (np.int16, np.int64, np.int32):
            for sizes in ((2, 2), (1, 4)):
                out = np.zeros(1, kind)
                native.pool_maximum(np.array([1, 5, 4, 3], kind), sizes, 1, min(sizes), (1, 1), 2, 0, out)
                assert out.tolist() == [5 if sizes == (2, 2) else 1]
    matrix = np.array([[1, 2], [3, 4]])
    out = np.zeros((2, 2), int)
    native.dot_rows(matrix, matrix, out)
    native.dot_rows(matrix.astype(np.int32), matrix, out)
    assert out.tolist() == [[5, 11], [11, 25]]


def test_views_without_gaps_are_taken_where_they_are() -> None:
    numbers = np.arange(100, dtype=np.int16)
    out = np.zeros(30, np.int16)
    assert native.add_items(numbers[10:20], numbers[:10], out[10:20]) == (10, 28)
    assert out.tolist() == [0] * 10 + list(range(10, 30, 2)) + [0] * 10


def test_numpys_numbers_are_numbers() -> None:
    out = np.zeros(1, np.int16)
    sizes = (np.int64(2), np.int64(2))
    native.pool_maximum(np.array([1, 2, 4, 3], np.int16), sizes, np.int64(1), 2, (1, 1), 1, np.int32(0), out)
    assert out.tolist() == [4]


def test_arrays_with_gaps_are_refused() -> None:
    numbers = np.arange(20, dtype=np.int16)
    with pytest.raises(ValueError, match="without gaps"):
        native.add_items(numbers[::2], numbers[:10], np.zeros(10, np.int16))
    with pytest.raises(ValueError, match="without gaps"):
        native.dot_rows(np.arange(4).reshape(2, 2).T, np.arange(4).reshape(2, 2), np.zeros((2, 2), int))


def test_what_kernels_do_not_take_is_refused() -> None:
    numbers = np.arange(10, dtype=np.int16)
    with pytest.raises(TypeError, match="byte order"):
        native.add_items(numbers.astype(">i2"), numbers, numbers)
    with pytest.raises(TypeError, match="str"):
        native.add_items("numbers", numbers, numbers)


def test_threads_share_kernels() -> None:
    def run(seed: int) -> tuple[int, int]:
        numbers = np.arange(seed, seed + 5000, dtype=np.int16)
        result: tuple[int, int] = native.add_items(numbers, numbers, np.zeros(5000, np.int16))
        return result

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(run, range(200))) == [(2 * seed, 2 * (seed + 4999)) for seed in range(200)]


def test_memory_that_kernels_take_is_given_back() -> None:
    width = 1 << 19  # a line of a megabyte, which the kernel allocates
    values, out = np.zeros(2 * width, np.int16), np.zeros(width // 2, np.int16)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(1000):
        native.pool_maximum(values, (2, width), 1, 2, (1, width // 2), 2, 0, out)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 << 10  # KiB: a leak would be a gibibyte


def test_every_handler_is_a_function_of_its_module() -> None:
    for place in (*HANDLERS.values(), *FUNCTIONS.values()):
        module, _, name = place.partition(".")
        assert f"\ndef {name}(" in (PACKAGE / "executor" / f"{module}.py").read_text(), place


@pytest.mark.skipif(not can_load(), reason="objects are loaded by LLVM here")
@pytest.mark.parametrize("name", [kernels.name for kernels in kernel_sets.available_sets()])
def test_each_set_of_kernels_is_kept_by_itself(name: str) -> None:
    program = (
        "import sys, numpy as np\n"
        "from smartvm.vm.dnn.platforms.kernel_sets import KERNELS\n"
        "from smartvm.vm.dnn.compiling.machine_code import panel_kernels\n"
        "out = np.zeros(9 * KERNELS.channels, np.int16)\n"
        "panel_kernels.place_map(np.arange(6, dtype=np.int16), 1, 3, 2, 1, 2, 1, 1, out)\n"
        "print(KERNELS.name, out[:24].tolist(), 'numba' in sys.modules)\n"
    )
    environment = {**os.environ, kernel_sets.VARIABLE: name}
    for _ in range(2):
        command = [sys.executable, "-c", program]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == f"{name} {[0] * 12 + list(range(6)) + [0] * 6} False\n"
    assert not done.stderr
