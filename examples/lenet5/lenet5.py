"""LeNet-5 as a contract: compile it, deploy it, upload its weights, classify handwritten digits.

python examples/lenet5/lenet5.py [PICTURE.png ...]     the ten digits beside this file when none is named
python examples/lenet5/lenet5.py --accuracy            float and on-chain accuracy on all held-out digits
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import smartvm
from rich.console import Console
from rich.table import Table
from smartvm.examples.networks.accuracy import print_accuracy
from smartvm.examples.networks.digits import held_out_digits, read_picture
from smartvm.examples.networks.layer_events import layer_table
from smartvm.vm import KernelEvent
from train import LAYERS, forward

HERE = Path(__file__).resolve().parent
TRANSACTION_GAS = 16_777_216  # EIP-7825: no transaction may have more

#: How often each picture is classified; the fastest call counts.
CALLS = 5

def deploy(chain: smartvm.Chain) -> smartvm.Contract:
    """Compile the contract and put it on the chain."""
    return chain.deploy(HERE / "LeNet5.sol", "LeNet5", gas=TRANSACTION_GAS)


def upload(contract: smartvm.Contract) -> tuple[int, int]:
    """Store the trained integers: layer n's weights as block 2n, its bias as block 2n + 1. Returns bytes and
    gas."""
    result = contract.upload_weights(HERE / "weights.npz", block_gas_limit=TRANSACTION_GAS)
    return result.stored_bytes, result.gas_used


def classify(contract: smartvm.Contract, paths: Sequence[Path], console: Console) -> None:
    """Classify pictures; a line for each, then what each layer of the last one took. Times are those of the
    fastest of several calls: the machine does other things too."""
    chain = contract.chain
    calls = [(path.name, contract.classify.encode(read_picture(path).reshape(-1))) for path in paths]
    results = Table("picture", "digit", "gas", "time", title=f"classify(int256[]), fastest of {CALLS} calls")
    for name, data in calls:
        fastest = float("inf")
        for _ in range(CALLS):
            began = time.perf_counter()
            result = chain.transact(contract.address, data, keep=False)
            fastest = min(fastest, time.perf_counter() - began)
        digit = int.from_bytes(result.output, "big")
        results.add_row(name, str(digit), f"{result.gas_used:,}", f"{fastest * 1e3:.2f} ms")
    layers: list[KernelEvent] = []
    chain.machine.observer = layers.append
    chain.transact(contract.address, calls[-1][1], keep=False)
    chain.machine.observer = None
    for column in results.columns[1:]:
        column.justify = "right"
    console.print(results)
    console.print(layer_table(layers, f"layers of {calls[-1][0]}, each by itself"))


def accuracy(contract: smartvm.Contract, console: Console) -> None:
    """Share of held-out digits that the trained floats and the contract get right."""
    pictures, labels = held_out_digits()
    with np.load(HERE / "float_weights.npz") as data:
        parameters = {name: data[name] for name in data.files}
    logits, _ = forward(parameters, pictures.astype(np.float32) / 255)
    of_floats = logits.argmax(axis=1)
    print_accuracy(contract, pictures, labels, of_floats, console)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pictures", nargs="*", type=Path, metavar="PICTURE.png")
    parser.add_argument("--accuracy", action="store_true", help="measure the accuracy on all held-out digits")
    options = parser.parse_args()
    console = Console(highlight=False)
    try:
        chain = smartvm.Chain()
        contract = deploy(chain)
        size = len(chain.code(contract.address))
        console.print(f"deployed LeNet5: {size:,} bytes of code, {contract.last.gas_used:,} gas")
        size, gas = upload(contract)
        console.print(f"uploaded {2 * len(LAYERS)} weight blocks: {size:,} bytes, {gas:,} gas")
        if options.accuracy:
            accuracy(contract, console)
        if options.pictures or not options.accuracy:
            classify(contract, options.pictures or sorted((HERE / "digits").glob("*.png")), console)
    except smartvm.SmartVMError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
