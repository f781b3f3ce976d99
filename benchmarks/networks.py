"""The example networks as contracts in the VM against onnxruntime float32: latency, and peak memory of the process.

    python benchmarks/networks.py [--network NAME ...] [--repetitions N] [--json FILE] [--no-memory] [--no-latency]

Latency: scale 1,000, batch 1, warm, one thread. Both sides are timed in the same run, turn by turn, by CPU time of the
process (the machine may be shared); the fastest of N counts. A call is everything from calldata to returndata; what a
call costs that executes no DNN instruction (of `owner()`, same contract) stands beside it as the VM's own. Every result
is checked against NumPy's integers.

Memory: VmHWM of a fresh process that opens the state on disk, in which the weights were uploaded before, and calls the
contract, against that of a fresh process that runs the same network in onnxruntime; AlexNet's contract under a limit of
2 GiB of address space. Needs onnx and onnxruntime: pip install -e '.[bench]'.
"""

from __future__ import annotations

import os

os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", NUMBA_NUM_THREADS="1")  # before NumPy loads its BLAS

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from smartvm.commands.paper import native, process_memory
from smartvm.commands.paper.measurement import process_milliseconds
from smartvm.commands.paper.subject import Subject, made_ready
from smartvm.examples.networks import NETWORKS, integer_output, logits, network_named

#: The slowest allowed, as a ratio to onnxruntime.
SLOWEST = {"lenet5": 10.0, "lstm": 2.5, "resnet18": 1.1, "mobilenet": 1.7, "alexnet": 1.1}

#: Address space of the process that runs AlexNet.
ALEXNET_BYTES = 2 << 30


def latency(subject: Subject, repetitions: int) -> dict[str, Any]:
    """Both sides' milliseconds for one network."""
    network = subject.network
    model = native.NativeModel(network, subject.parameters)
    inputs = model.inputs(subject.picture)
    with subject.chain() as chain:
        chain.machine.dnn = "handlers"  # warm: compiled at once, not when an instruction was executed often
        gas = subject.call(chain).gas_used
        found = logits(network, subject.contract(chain), subject.picture)
        expected = model.run(inputs)
        owner = subject.contract(chain).owner.encode()
        best = process_milliseconds(
            {
                "vm": lambda: subject.call(chain),
                "own": lambda: chain.transact(subject.address, owner, keep=False),
                "onnxruntime": lambda: model.run(inputs),
            },
            repetitions,
        )
    return {
        "network": network.folder,
        "weights": network.weight_count,
        "products": network.products,
        "gas": gas,
        "vm_ms": best["vm"],
        "own_ms": best["own"],
        "onnxruntime_ms": best["onnxruntime"],
        "ratio": best["vm"] / best["onnxruntime"],
        "slowest_allowed": SLOWEST[network.folder],
        "largest_difference": float(np.abs(found / 1000 - expected).max()),
        "largest_score": float(np.abs(expected).max()),
    }


def memory(subject: Subject) -> dict[str, Any]:
    """Peak memory of both sides' processes in MiB."""
    network = subject.network
    limit = ALEXNET_BYTES if network.folder == "alexnet" else None
    ours = process_memory.contract_process(subject, limit)
    words = np.frombuffer(bytes.fromhex(ours["output"]), ">i8").reshape(-1, 4)[2:, 3]
    if not np.array_equal(words, integer_output(network, subject.parameters, subject.picture)):
        raise SystemExit(f"{network.name}: the contract's result is wrong")
    theirs = process_memory.native_process(subject)
    return {
        "network": network.folder,
        "vm_mib": ours["peak"] / 1024,
        "vm_start_mib": ours["start"] / 1024,
        "onnxruntime_mib": theirs["peak"] / 1024,
        "onnxruntime_start_mib": theirs["start"] / 1024,
        "ratio": ours["peak"] / theirs["peak"],
        "address_space_limit": limit,
    }


def print_latency(rows: list[dict[str, Any]], console: Console) -> None:
    """The table of latencies."""
    table = Table("network", "gas", "VM ms", "own ms", "ORT ms", "ratio", "at most", title="latency, CPU time")
    for column in table.columns[1:]:
        column.justify = "right"
    for row in rows:
        milliseconds = [f"{row[name]:,.3f}" for name in ("vm_ms", "own_ms", "onnxruntime_ms")]
        ratios = f"{row['ratio']:.2f}", f"{row['slowest_allowed']:.1f}"
        table.add_row(row["network"], f"{row['gas']:,}", *milliseconds, *ratios)
    console.print(table)


def print_memory(rows: list[dict[str, Any]], console: Console) -> None:
    """The table of memory."""
    table = Table("network", "VM MiB", "at start", "ORT MiB", "at start", "ratio", title="peak memory of the process")
    for column in table.columns[1:]:
        column.justify = "right"
    names = ("vm_mib", "vm_start_mib", "onnxruntime_mib", "onnxruntime_start_mib")
    for row in rows:
        table.add_row(row["network"], *(f"{row[name]:,.0f}" for name in names), f"{row['ratio']:.2f}")
    console.print(table)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--network", action="append", choices=sorted(NETWORKS))
    parser.add_argument("--repetitions", type=int, default=10)
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--no-memory", action="store_true")
    parser.add_argument("--no-latency", action="store_true")
    options = parser.parse_args()
    if not native.is_available():
        raise SystemExit(native.MISSING)
    console = Console()
    report: dict[str, list[dict[str, Any]]] = {"latency": [], "memory": []}
    for name in options.network or NETWORKS:
        with tempfile.TemporaryDirectory() as folder:
            subject = made_ready(network_named(name), Path(folder))
            subject.check()
            if not options.no_latency:
                report["latency"].append(latency(subject, options.repetitions))
            if not options.no_memory:
                report["memory"].append(memory(subject))
    if report["latency"]:
        print_latency(report["latency"], console)
    if report["memory"]:
        print_memory(report["memory"], console)
    if options.json:
        Path(options.json).write_text(json.dumps(report, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
