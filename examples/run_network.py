"""Deploy one of the example networks on a chain in memory, upload its weights, and give it a picture.

    python examples/run_network.py resnet18            # which class, gas and time, and what each layer took

The big networks' weights are random, of a fixed seed, and so is the picture: what they answer means nothing, what it
costs does. AlexNet's upload takes a minute and a gigabyte.
"""

from __future__ import annotations

import argparse
import sys
import time

import smartvm
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from smartvm.examples.networks import (
    NETWORKS,
    argument,
    deploy_network,
    network_named,
    parameters_of,
    places,
    sample_input,
)
from smartvm.examples.networks.deployment import CALL_GAS
from smartvm.examples.networks.layer_events import layer_table
from smartvm.vm import KernelEvent

#: How often the picture is classified; the fastest call counts.
CALLS = 4


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("network", choices=sorted(NETWORKS))
    network = network_named(parser.parse_args().network)
    console = Console(highlight=False)
    parameters = parameters_of(network)
    blocks = sum(place.parts for place in places(network).values())
    try:
        with Progress(console=console, transient=True) as progress:
            task = progress.add_task("uploading", total=blocks)
            contract = deploy_network(
                smartvm.Chain(), network, parameters, progress=lambda block: progress.advance(task)
            )
        console.print(f"{network.name}: {network.weight_count:,} weights in {blocks} blocks, biases included")
        data = contract.classify.encode(argument(network, sample_input(network)))
        fastest, layers = float("inf"), list[KernelEvent]()
        for _ in range(CALLS):
            events: list[KernelEvent] = []
            contract.chain.machine.observer = events.append
            began = time.perf_counter()
            result = contract.chain.transact(contract.address, data, gas=CALL_GAS, keep=False)
            spent = time.perf_counter() - began
            if spent < fastest:
                fastest, layers = spent, events
    except smartvm.SmartVMError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    table = Table("class", "gas", "time")
    table.add_row(str(int.from_bytes(result.output, "big")), f"{result.gas_used:,}", f"{fastest * 1e3:.1f} ms")
    console.print(table)
    console.print(layer_table(layers, "layers"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
