"""The example networks as contracts in the VM against onnxruntime float32: latency, and peak memory of the process.

    python benchmarks/networks.py [--network NAME ...] [--repetitions N] [--json FILE] [--no-memory] [--no-latency]

Latency: scale 1,000, batch 1, warm, one thread. Both sides are timed in the same run, turn by turn, by CPU time (the
machine may be shared); the fastest of N counts. A call is everything from calldata to returndata; what of it is not
spent in DNN instructions is reported as the VM's own. Every result is checked against NumPy's 64-bit integers.

Memory: VmHWM of a fresh process that opens the state on disk, in which the weights were uploaded before, and calls the
contract, against that of a fresh process that runs the same network in onnxruntime; AlexNet under a limit of 2 GiB.
Needs onnx and onnxruntime.
"""

from __future__ import annotations

import os

os.environ.update(
    OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", NUMBA_NUM_THREADS="1"
)  # before NumPy loads its BLAS

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import smartvm
from rich.console import Console
from rich.table import Table
from smartvm.examples.networks import (
    NETWORKS,
    Network,
    argument,
    contract_path,
    deploy_network,
    integer_output,
    network_named,
    parameters_of,
    places,
    sample_input,
)
from smartvm.examples.networks.deployment import CALL_GAS

#: The slowest allowed, as a ratio to onnxruntime.
LIMITS = {"lenet5": 10.0, "lstm": 2.5, "resnet18": 1.1, "mobilenet": 1.7, "alexnet": 1.1}

#: Address space of the processes that run AlexNet.
ALEXNET_BYTES = 2 << 30

#: Calls in the memory processes: the second one shows what repeated use adds.
CALLS = 3

#: The process that onnxruntime's memory is measured in imports nothing but NumPy and onnxruntime.
ONNXRUNTIME_PROCESS = f"""
import json, sys
import numpy, onnxruntime
def memory():
    fields = dict(line.split(":", 1) for line in open("/proc/self/status"))
    return {{name: int(fields[name].split()[0]) for name in ("VmHWM", "VmRSS")}}
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
before = memory()
session = onnxruntime.InferenceSession(sys.argv[1] + "/model.onnx", options, ["CPUExecutionProvider"])
inputs = {{"input": numpy.load(sys.argv[1] + "/input.npy")}}
for _ in range({CALLS}):
    session.run(None, inputs)
print(json.dumps({{"start": before, "end": memory()}}))
"""


def fastest_of(runs: dict[str, Callable[[], Any]], repetitions: int) -> dict[str, float]:
    """Milliseconds of CPU time of each, the fastest of some, taken turn by turn; short ones are timed in
    tens."""
    counts = {}
    for name, run in runs.items():
        run()
        began = time.process_time_ns()
        run()
        counts[name] = max(1, min(100, 5_000_000 // max(1, time.process_time_ns() - began)))
    best = dict.fromkeys(runs, float("inf"))
    for _ in range(repetitions):
        for name, run in runs.items():
            began = time.process_time_ns()
            for _ in range(counts[name]):
                run()
            best[name] = min(best[name], (time.process_time_ns() - began) / counts[name] / 1e6)
    return best


def own_time(chain: smartvm.Chain, call: Callable[[], Any], repetitions: int) -> float:
    """Milliseconds of a call outside DNN instructions (wall time, the least of some calls)."""
    least = float("inf")
    for _ in range(repetitions):
        spent: list[int] = []
        chain.machine.observer = lambda event, spent=spent: spent.append(event.nanoseconds)
        began = time.perf_counter_ns()
        call()
        least = min(least, (time.perf_counter_ns() - began - sum(spent)) / 1e6)
    chain.machine.observer = None
    return least


def latency(network: Network, repetitions: int) -> dict[str, Any]:
    """Both sides' milliseconds for one network."""
    import onnxruntime
    from onnx_networks import float_input, onnx_model, session_options

    parameters = parameters_of(network)
    picture = sample_input(network)
    chain = smartvm.Chain()
    contract = deploy_network(chain, network, parameters)
    data = contract.logits.encode(argument(network, picture))

    def ours() -> Any:
        return chain.transact(contract.address, data, gas=CALL_GAS, keep=False)

    result = contract.describe(ours())
    checked(network, parameters, picture, contract)
    session = onnxruntime.InferenceSession(
        onnx_model(network, parameters).SerializeToString(), session_options(), ["CPUExecutionProvider"]
    )
    inputs = {"input": float_input(network, picture)}
    (expected,) = session.run(None, inputs)
    best = fastest_of({"ours": ours, "onnxruntime": lambda: session.run(None, inputs)}, repetitions)
    values = np.array(contract.logits.look(argument(network, picture), gas=CALL_GAS).value) / 1000
    return {
        "network": network.folder,
        "weights": network.weight_count,
        "products": network.products,
        "gas": result.gas_used,
        "ours_ms": best["ours"],
        "own_ms": own_time(chain, ours, repetitions),
        "onnxruntime_ms": best["onnxruntime"],
        "ratio": best["ours"] / best["onnxruntime"],
        "limit": LIMITS[network.folder],
        "largest_difference": float(np.abs(values - expected.reshape(-1)).max()),
        "largest_score": float(np.abs(expected).max()),
    }


def checked(network: Network, parameters: Any, picture: npt.NDArray[Any], contract: smartvm.Contract) -> None:
    """Stop when the contract's integers are not the network's."""
    found = np.array(contract.logits.look(argument(network, picture), gas=CALL_GAS).value)
    if not np.array_equal(found, integer_output(network, parameters, picture)):
        raise SystemExit(f"{network.name}: the contract's result is wrong")


# --- memory -------------------------------------------------------------------------------------------


def peak_kibibytes() -> dict[str, int]:
    """The process's memory now and at its peak."""
    lines = Path("/proc/self/status").read_text().splitlines()
    fields = dict(line.split(":", 1) for line in lines)
    return {name: int(fields[name].split()[0]) for name in ("VmHWM", "VmRSS")}


def child_ours(network: Network, state: Path) -> None:
    """In a process of its own: open the state, call the contract, print the memory."""
    from smartvm.commands.session import DEFAULT_SENDER, Session
    from smartvm.instructions.loader import load_table

    with Session(load_table("default"), "osaka", DEFAULT_SENDER, state_path=str(state)) as session:
        target = bytes.fromhex((state / "address").read_text())
        data = (state / "calldata").read_bytes()
        before = peak_kibibytes()
        for _ in range(CALLS):
            result = session.call(target, data, CALL_GAS)
            if not result.success:
                raise SystemExit(f"the call failed: {result.error}")
    (state / "output").write_bytes(result.output)
    print(json.dumps({"start": before, "end": peak_kibibytes(), "gas": result.gas_used}))


def prepare(network: Network, folder: Path) -> None:
    """In a process of its own: the state with the uploaded weights, the model and the input, on disk."""
    import onnx
    from onnx_networks import float_input, onnx_model
    from smartvm.abi import encode, parse_type

    parameters = parameters_of(network)
    picture = sample_input(network)
    np.savez(folder / "weights.npz", **parameters)
    ids = {name: {"id": place.first_id, "parts": place.parts} for name, place in places(network).items()}
    (folder / "ids.json").write_text(json.dumps(ids))
    command = [
        sys.executable,
        "-m",
        "smartvm.cli",
        "upload",
        str(contract_path(network)),
        str(folder / "weights.npz"),
    ]
    command += ["--map", str(folder / "ids.json"), "--state", str(folder), "--optimize", "--json"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    (folder / "address").write_text(json.loads(done.stdout)["address"].removeprefix("0x"))
    signature = "logits(int256[])" if network.gray else "logits(bytes)"
    value = argument(network, picture)
    data = encode([parse_type(signature[7:-1])], [value])
    (folder / "calldata").write_bytes(smartvm.abi.keccak256(signature.encode())[:4] + data)
    np.save(folder / "input.npy", float_input(network, picture))
    onnx.save(onnx_model(network, parameters), str(folder / "model.onnx"))
    expected = integer_output(network, parameters, picture)
    np.save(folder / "expected.npy", expected)


def memory(network: Network) -> dict[str, Any]:
    """Peak memory of both sides."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        child("prepare", network, folder)
        limit = ALEXNET_BYTES if network.folder == "alexnet" else None
        ours = child("ours", network, folder, limit)
        found = np.frombuffer((folder / "output").read_bytes(), ">i8").reshape(-1, 4)[2:, 3]
        if not np.array_equal(found, np.load(folder / "expected.npy")):
            raise SystemExit(f"{network.name}: the contract's result is wrong")
        theirs = printed([sys.executable, "-c", ONNXRUNTIME_PROCESS, str(folder)])
    peak, other = ours["end"]["VmHWM"], theirs["end"]["VmHWM"]
    return {
        "network": network.folder,
        "ours_mib": peak / 1024,
        "ours_start_mib": ours["start"]["VmHWM"] / 1024,
        "onnxruntime_mib": other / 1024,
        "onnxruntime_start_mib": theirs["start"]["VmHWM"] / 1024,
        "ratio": peak / other,
        "limit": 1.1,
        "address_space_limit": limit,
    }


def child(kind: str, network: Network, folder: Path, limit: int | None = None) -> dict[str, Any]:
    """Run a part of the measurement in a process of its own, at most with ``limit`` bytes of address space."""
    return printed(
        [sys.executable, __file__, "--child", kind, "--network", network.folder, "--folder", str(folder)],
        limit,
    )


def printed(command: list[str], limit: int | None = None) -> dict[str, Any]:
    """What a process prints as JSON."""
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        preexec_fn=(lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit))) if limit else None,
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command[2:])}: {done.stderr}")
    lines = done.stdout.strip().splitlines()
    return json.loads(lines[-1]) if lines else {}


# --- the command --------------------------------------------------------------------------------------


def print_latency(rows: list[dict[str, Any]], console: Console) -> None:
    """The table of latencies."""
    table = Table(
        "network", "gas", "VM ms", "own ms", "ORT ms", "ratio", "at most", title="latency, CPU time"
    )
    for column in table.columns[1:]:
        column.justify = "right"
    for row in rows:
        table.add_row(
            row["network"],
            f"{row['gas']:,}",
            f"{row['ours_ms']:,.3f}",
            f"{row['own_ms']:,.3f}",
            f"{row['onnxruntime_ms']:,.3f}",
            f"{row['ratio']:.2f}",
            f"{row['limit']:.1f}",
        )
    console.print(table)


def print_memory(rows: list[dict[str, Any]], console: Console) -> None:
    """The table of memory."""
    table = Table(
        "network", "VM MiB", "at start", "ORT MiB", "at start", "ratio", title="peak memory of the process"
    )
    for column in table.columns[1:]:
        column.justify = "right"
    for row in rows:
        table.add_row(
            row["network"],
            f"{row['ours_mib']:,.0f}",
            f"{row['ours_start_mib']:,.0f}",
            f"{row['onnxruntime_mib']:,.0f}",
            f"{row['onnxruntime_start_mib']:,.0f}",
            f"{row['ratio']:.2f}",
        )
    console.print(table)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--network", action="append", choices=sorted(NETWORKS))
    parser.add_argument("--repetitions", type=int, default=10)
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--no-memory", action="store_true")
    parser.add_argument("--no-latency", action="store_true")
    parser.add_argument("--child", choices=["prepare", "ours"], help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    networks = [network_named(name) for name in options.network or NETWORKS]
    if options.child:
        {"prepare": prepare, "ours": child_ours}[options.child](networks[0], options.folder)
        return 0
    console = Console()
    report: dict[str, list[dict[str, Any]]] = {}
    if not options.no_latency:
        report["latency"] = [latency(network, options.repetitions) for network in networks]
        print_latency(report["latency"], console)
    if not options.no_memory:
        report["memory"] = [memory(network) for network in networks]
        print_memory(report["memory"], console)
    if options.json:
        Path(options.json).write_text(json.dumps(report, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
