"""An LSTM as a contract: compile it, deploy it, upload its weights, classify handwritten digits.

python examples/lstm/lstm.py [PICTURE.png ...]     the ten digits of examples/lenet5 when none is named
python examples/lstm/lstm.py --accuracy            float and on-chain accuracy on all held-out digits
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import smartvm
from rich.console import Console
from rich.table import Table
from smartvm.examples.networks import deploy_network, network_named, parameters_of
from smartvm.examples.networks.accuracy import print_accuracy
from smartvm.examples.networks.digits import held_out_digits, read_picture
from smartvm.examples.networks.layers import Recurrence
from smartvm.examples.networks.lstm import float_logits
from smartvm.examples.networks.parameters import EXAMPLES

HERE = Path(__file__).resolve().parent
NETWORK = network_named("lstm")


def classify(contract: smartvm.Contract, paths: list[Path], console: Console) -> None:
    """Classify pictures, a line for each."""
    table = Table("picture", "digit", "gas", "time")
    for path in paths:
        picture = read_picture(path).reshape(-1)
        contract.classify(picture)
        began = time.perf_counter()
        result = contract.classify.look(picture)
        spent = time.perf_counter() - began
        table.add_row(path.name, str(result.value), f"{result.gas_used:,}", f"{spent * 1e3:.1f} ms")
    console.print(table)


def accuracy(contract: smartvm.Contract, console: Console) -> None:
    """Share of held-out digits that the trained floats and the contract get right."""
    pictures, labels = held_out_digits()
    with np.load(HERE / "float_weights.npz") as data:
        parameters = {name: data[name] for name in data.files}
    gates = NETWORK.weighted[0]
    assert isinstance(gates, Recurrence)
    of_floats = float_logits(gates, pictures.astype(np.float32) / 255, parameters).argmax(axis=1)
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
        contract = deploy_network(smartvm.Chain(), NETWORK, parameters_of(NETWORK))
        if options.accuracy:
            accuracy(contract, console)
        if options.pictures or not options.accuracy:
            classify(contract, options.pictures or sorted((EXAMPLES / "lenet5" / "digits").glob("*.png")), console)
    except smartvm.SmartVMError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
