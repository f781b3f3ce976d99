"""How long a network waits for its weights: per slot, in blocks, in blocks with prefetch; and what their upload takes.

    python benchmarks/weights.py [--network NAME ...] [--repetitions N] [--slots N] [--json FILE]

The state is on disk; the operating system has its files in memory. Fetching is all that stands between the state and a
kernel that multiplies: finding an entry, reading, decoding and packing it into the kernel's layout.

- *per slot*: SLOAD of every weight, one item a slot, by a loop in the EVM over slots that the transaction has not
  touched before; measured on a sample of --slots and scaled to the number of weights. With 16 items of 2 bytes in a
  slot it would be a 16th, and the work of taking them apart.
- *blocks*: the CPU time that a call on a machine without decoded blocks takes more than the next call, no prefetch.
- *waited*: the wall time that the program itself spent on fetching or waiting for it, without and with prefetch: the
  fastest of N calls, each on a machine without decoded blocks, turn by turn. What prefetch hides is the difference.

Exits with 1 when a network's blocks are fetched less than 200 times as fast as its slots, or prefetch hides less than
80 % of it (of the big three: what smaller ones wait is too short to tell).
"""

from __future__ import annotations

import os

os.environ.update(
    OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", NUMBA_NUM_THREADS="1"
)  # before NumPy loads its BLAS

import argparse
import json
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import smartvm
from rich.console import Console
from rich.table import Table
from smartvm.commands.paper.slots import load_time
from smartvm.examples.networks import (
    NETWORKS,
    Network,
    argument,
    deploy_network,
    network_named,
    parameters_of,
    sample_input,
)
from smartvm.examples.networks.deployment import CALL_GAS

BIG = ("resnet18", "mobilenet", "alexnet")
#: What these have to reach.
LEAST_RATIO = 200.0
LEAST_HIDDEN = 0.8


@dataclass(frozen=True)
class Row:
    """What was measured of a network; times in milliseconds."""

    network: str
    weights: int
    stored_bytes: int
    upload_cpu_s: float
    per_slot_ms: float
    blocks_ms: float
    waited_ms: float
    waited_with_prefetch_ms: float
    call_ms: float

    @property
    def ratio(self) -> float:
        """How many times as fast blocks are."""
        return self.per_slot_ms / self.blocks_ms

    @property
    def hidden(self) -> float:
        """The share of waiting that prefetch hides."""
        return 1 - self.waited_with_prefetch_ms / self.waited_ms


def measure(network: Network, repetitions: int, slot_ns: float) -> Row:
    """One network's figures."""
    parameters = parameters_of(network)
    picture = sample_input(network)
    with tempfile.TemporaryDirectory() as name:
        state = Path(name) / "state"
        chain = smartvm.Chain(state=state)
        began = time.process_time()
        stored = 0

        def count(block: Any) -> None:
            nonlocal stored
            stored += block.stored_bytes

        contract = deploy_network(chain, network, parameters, progress=count)
        chain.commit()
        upload = time.process_time() - began
        address, abi = contract.address, contract.abi
        chain.close()

        def calls(prefetch: bool) -> tuple[float, float, float]:
            """CPU time of a first and of a second call on a fresh machine, and what the first waited, in ms."""
            chain = smartvm.Chain(state=state, prefetch=prefetch)
            function = chain.at(address, abi).function("logits")
            data = function.encode(argument(network, picture))
            times = []
            for _ in range(2):
                waited, began = chain.machine.blocks.waited_ns, time.process_time_ns()
                result = chain.transact(address, data, gas=CALL_GAS, keep=False)
                times.append((time.process_time_ns() - began, chain.machine.blocks.waited_ns - waited))
                if not result.success:
                    raise SystemExit(f"{network.name}: the call failed: {result.error}")
            chain.close()
            return times[0][0] / 1e6, times[1][0] / 1e6, times[0][1] / 1e6

        calls(False)  # compiles the kernels
        without, with_it = [], []
        for _ in range(repetitions):
            without.append(calls(False))
            with_it.append(calls(True))
    second = min(call[1] for call in without)
    return Row(
        network.folder,
        network.weight_count,
        stored,
        upload,
        network.weight_count * slot_ns / 1e6,
        min(call[0] for call in without) - second,
        min(call[2] for call in without),
        min(call[2] for call in with_it),
        second,
    )


def print_rows(rows: list[Row], slot_ns: float, console: Console) -> None:
    """The table."""
    table = Table(
        *("network", "weights", "MB", "upload s", "per slot ms", "blocks ms", "times", "waited ms", "prefetch ms"),
        "hidden",
        "call ms",
        title=f"weights of a state on disk; a slot takes {slot_ns / 1000:.2f} µs",
    )
    for row in rows:
        table.add_row(
            row.network,
            f"{row.weights:,}",
            f"{row.stored_bytes / 1e6:.1f}",
            f"{row.upload_cpu_s:.1f}",
            f"{row.per_slot_ms:,.0f}",
            f"{row.blocks_ms:.1f}",
            f"{row.ratio:,.0f}",
            f"{row.waited_ms:.1f}",
            f"{row.waited_with_prefetch_ms:.1f}",
            f"{row.hidden:.0%}",
            f"{row.call_ms:.1f}",
        )
    console.print(table)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", action="append", choices=sorted(NETWORKS), help="default: the big three")
    parser.add_argument("--repetitions", type=int, default=7)
    parser.add_argument("--slots", type=int, default=50_000, help="slots of the sample")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    slot_ns = load_time(options.slots).processor * 1e6
    names = options.network or BIG
    rows = [measure(network_named(name), options.repetitions, slot_ns) for name in names]
    print_rows(rows, slot_ns, Console(width=130))
    if options.json:
        document = [asdict(row) | {"ratio": row.ratio, "hidden": row.hidden} for row in rows]
        options.json.write_text(json.dumps({"slot_ns": slot_ns, "networks": document}, indent=1) + "\n")
    failed = [r for r in rows if r.network in BIG and (r.ratio < LEAST_RATIO or r.hidden < LEAST_HIDDEN)]
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
