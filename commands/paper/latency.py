"""Fig. 12-15 and Table 2: end-to-end, weight-fetch and compute latency, by where the weights are."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from math import isnan, nan
from pathlib import Path

import numpy as np
import smartvm
from smartvm.commands.paper import native
from smartvm.commands.paper.measurement import Duration, Measurement, least_duration
from smartvm.commands.paper.plain import PlainTimes
from smartvm.commands.paper.slots import load_time
from smartvm.commands.paper.subject import Subject
from smartvm.vm.dnn.weights.prefetch import LEAST_BYTES

FIGURE = "Fig. 12-15, Table 2"

#: Weights that are read from slots of their own to know what one costs.
SAMPLE = 8192
_STORE_BLOCK = 2
#: Milliseconds of fetch below which nothing is said about the share that prefetch hides.
_LEAST_FETCH = 3.0
#: Calls before the one that counts as warm.
_WARMING_CALLS = 10
_GAS = 1 << 40

_DEFINITIONS = {
    "off-chain": "a client downloads all weights by calls of a get() function that reads one slot a weight and returns "
    f"an int256[] (no network between; measured over {SAMPLE:,} weights and multiplied), then computes in onnxruntime "
    "float32",
    "EVM-only": "LeNet-5 in plain Solidity on the interpreter, weights packed in slots of a state in memory; fetch is "
    "reading and unpacking them. Others are estimated from it: its fetch a weight times their weights, its computing "
    "a multiply-accumulate times theirs",
    "per slot": "DNN instructions, each weight in a slot of its own (--no-blocks) of the state on disk; fetch measured "
    f"over {SAMPLE:,} weights and multiplied, compute as with blocks",
    "per slot, SLOAD alone": f"a loop of SLOAD over {SAMPLE:,} slots of a state on disk, multiplied: the least that "
    "slots take",
    "blocks": "DNN instructions, weights in blocks of the state on disk, the first such call of a machine, "
    "--no-prefetch; fetch is how long the program waits until items are read, decoded and laid out for a kernel, "
    "compute a later call, with all of them at hand; handlers compiled, as in a process that executed some hundreds",
    "blocks + prefetch": "the same, blocks of later layers read, decoded and laid out in a second thread meanwhile; "
    f"blocks below {LEAST_BYTES // 1024} KiB are not, and the first layer's block has nothing before it",
}

#: A contract that reads a block of weights, whether they are slots or not, and one that returns them.
_STORE = """// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;
import {NN, Network} from "smartvm/nn.sol";
contract Store is Network {
    function touch(uint256 id, uint256 count) external view returns (uint256) {
        NN.reset(count); NN.bias(id);
        return NN.size();
    }
    function get(uint256 id, uint256 count) external view returns (int256[] memory) {
        NN.reset(count); NN.bias(id);
        return NN.output(count);
    }
}
"""


@dataclass(frozen=True, slots=True)
class SlotTimes:
    """What a weight in a slot of its own takes: to be read by the contract, by SLOAD alone, and to be returned to a
    client."""

    read: Duration
    load: Duration
    download: Duration


def slot_times(subject: Subject, repetitions: int) -> SlotTimes:
    """Milliseconds a weight, over the first ``SAMPLE`` of a network in a state on disk, each time opened anew."""
    arrays = [array.reshape(-1) for name, array in subject.parameters.items() if name.endswith("_weights")]
    sample = np.concatenate(arrays)[:SAMPLE]
    with tempfile.TemporaryDirectory() as name:
        chain = smartvm.Chain(state=Path(name), weights_as_slots=True)
        store = chain.deploy(_STORE, "Store")
        packed = sample.astype(sample.dtype.newbyteorder(">")).tobytes()
        store.upload.send(_STORE_BLOCK, sample.itemsize, packed, gas=_GAS)
        chain.commit()
        chain.close()

        def timed(function: str) -> Duration:
            def once() -> Duration:
                opened = smartvm.Chain(state=Path(name), weights_as_slots=True)
                call = opened.at(store.address, store.abi).function(function)
                try:
                    return least_duration(lambda: call.look(_STORE_BLOCK, len(sample), gas=_GAS), 1)
                finally:
                    opened.close()

            durations = [once() for _ in range(max(2, repetitions // 2))]
            return Duration(min(d.wall for d in durations), min(d.processor for d in durations))

        each = 1 / len(sample)
        return SlotTimes(timed("touch").times(each), load_time(SAMPLE), timed("get").times(each))


def latencies(subject: Subject, slots: SlotTimes, plain: PlainTimes, repetitions: int) -> Iterator[Measurement]:
    """All ways to have the weights, for one network."""
    network = subject.network
    weights = float(sum(array.size for array in subject.parameters.values()))
    compute = _warm_call(subject, repetitions)
    if native.is_available():
        model = native.NativeModel(network, subject.parameters)
        inputs = model.inputs(subject.picture)
        model.run(inputs)
        off_chain: Duration | None = least_duration(lambda: model.run(inputs), repetitions)
    else:
        off_chain = None
    yield from _three(subject, "off-chain", slots.download.times(weights), off_chain, native.MISSING, True)
    yield from _evm_only(subject, plain)
    yield from _three(subject, "per slot", slots.read.times(weights), compute, "", True)
    yield from _three(subject, "per slot, SLOAD alone", slots.load.times(weights), None, "", True)
    for way, prefetch in (("blocks", False), ("blocks + prefetch", True)):
        whole, fetch = _first_call(subject, repetitions, prefetch=prefetch)
        yield from _three(subject, way, fetch, compute, "", False, whole)


def _warm_call(subject: Subject, repetitions: int) -> Duration:
    """The least time of a call with all blocks decoded and laid out, and all code compiled."""
    with subject.chain(dnn="handlers") as chain:
        for _ in range(_WARMING_CALLS):
            subject.call(chain)
        return least_duration(lambda: subject.call(chain), 4 * repetitions)


def _first_call(subject: Subject, repetitions: int, *, prefetch: bool) -> tuple[Duration, Duration]:
    """The least time of the first call of a new machine, which has to fetch every block, and of that the least time
    that the program waits for them."""
    calls, waits = [], []
    for _ in range(repetitions):
        with subject.chain(prefetch=prefetch, dnn="handlers") as chain:
            owner = subject.contract(chain).owner
            owner()  # a machine that is new has other things to make than weights
            calls.append(least_duration(partial(subject.call, chain), 1))
            waits.append(chain.machine.blocks.waited_ns / 1e6)
    return Duration(min(d.wall for d in calls), min(d.processor for d in calls)), Duration(min(waits), nan)


def _evm_only(subject: Subject, plain: PlainTimes) -> Iterator[Measurement]:
    network = subject.network
    if network.folder == "lenet5":
        yield from _three(subject, "EVM-only", plain.fetch, plain.whole - plain.fetch, "", False, plain.whole)
        return
    yield from _three(subject, "EVM-only", *plain.estimated(network), "", True)


def _three(
    subject: Subject,
    way: str,
    fetch: Duration | None,
    compute: Duration | None,
    note: str,
    estimated: bool,
    whole: Duration | None = None,
) -> Iterator[Measurement]:
    if whole is None and fetch is not None and compute is not None:
        whole = fetch + compute
    for part, duration in (("end to end", whole), ("weight fetch", fetch), ("compute", compute)):
        for clock, pick in _CLOCKS.items():
            value = None if duration is None else pick(duration)
            yield Measurement(
                FIGURE,
                subject.network.folder,
                f"{way}: {part}{clock}",
                None if value is None or isnan(value) else value,
                "ms",
                _DEFINITIONS[way],
                note if duration is None else "",
                estimated,
            )


_CLOCKS: dict[str, Callable[[Duration], float]] = {
    "": lambda duration: duration.wall,
    " (CPU)": lambda duration: duration.processor,
}


def fetch_ratios(measurements: list[Measurement]) -> Iterator[Measurement]:
    """How much faster blocks are fetched than slots, what prefetch hides, and what DNN instructions gain."""
    rows = {(m.network, m.quantity): m for m in measurements if m.figure == FIGURE}
    values = {key: row.value for key, row in rows.items()}
    for network in dict.fromkeys(network for network, _ in values):
        slots, loads, blocks, ahead = (
            values[network, f"{way}: weight fetch"]
            for way in ("per slot", "per slot, SLOAD alone", "blocks", "blocks + prefetch")
        )
        if slots and loads and blocks and ahead is not None:
            definition = "weight fetch per slot (the lesser of --no-blocks and SLOAD alone) / weight fetch by blocks"
            yield Measurement(FIGURE, network, "blocks fetch faster", min(slots, loads) / blocks, "x", definition)
            hidden = 100 * (1 - ahead / blocks) if blocks >= _LEAST_FETCH else None
            note = "" if hidden is not None else f"a fetch of less than {_LEAST_FETCH:.0f} ms"
            definition = "1 - weight fetch with prefetch / without"
            yield Measurement(FIGURE, network, "prefetch hides", hidden, "%", definition, note)
        plain, layers = rows[network, "EVM-only: compute (CPU)"], values[network, "blocks: compute (CPU)"]
        if plain.value and layers:
            definition = "CPU time of computing without DNN instructions (EVM-only, interpreter) / with them"
            quantity, ratio = "DNN instructions faster", plain.value / layers
            yield Measurement(FIGURE, network, quantity, ratio, "x", definition, estimated=plain.estimated)
