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
from typing import Any

import numpy as np
import numpy.typing as npt
import smartvm
from PIL import Image, UnidentifiedImageError
from rich.console import Console
from rich.progress import track
from rich.table import Table
from smartvm.abi import decode, encode, type_from_json
from smartvm.instructions.loader import load_table
from smartvm.vm import BlockEnvironment, KernelEvent, Machine, Message, TransactionEnvironment, WorldState
from smartvm.vm.state.memory import MemoryStore
from train import LAYERS, forward

HERE = Path(__file__).resolve().parent
SENDER = bytes.fromhex("f39fd6e51aad88f6f4ce6ab8827279cfffb92266")
TRANSACTION_GAS = 16_777_216  # EIP-7825: no transaction may have more

Picture = npt.NDArray[np.uint8]


class LeNet5:
    """The deployed contract."""

    def __init__(self, source: Path) -> None:
        (contract,) = smartvm.compile_files(source, ["abi", "bin"]).values()
        functions = (entry for entry in contract["abi"] if entry["type"] == "function")
        self._functions: dict[str, dict[str, Any]] = {entry["name"]: entry for entry in functions}
        state = WorldState(MemoryStore())
        state.set_balance(SENDER, 10**18)
        self.machine = Machine(load_table("default"), "osaka", state, BlockEnvironment())
        self.machine.begin_transaction(TransactionEnvironment(SENDER), [SENDER])
        result = self.machine.create(
            Message(SENDER, bytes(20), TRANSACTION_GAS, bytes.fromhex(contract["bin"]))
        )
        self.machine.finish_transaction()
        if result.created_address is None:
            raise SystemExit(f"the deployment failed: {result.error and result.error.message}")
        self.address = result.created_address
        self.code_size = len(state.code(self.address))
        self.deployment_gas = result.gas_used

    def call(self, function: str, *arguments: object) -> tuple[Any, int, float]:
        """Call a function by its name: its result, gas, seconds."""
        entry = self._functions[function]
        inputs = [type_from_json(parameter) for parameter in entry["inputs"]]
        signature = f"{function}({','.join(parameter['type'] for parameter in entry['inputs'])})"
        data = smartvm.abi.keccak256(signature.encode())[:4] + encode(inputs, arguments)
        self.machine.begin_transaction(TransactionEnvironment(SENDER), [SENDER, self.address])
        began = time.perf_counter()
        result = self.machine.call(Message(SENDER, self.address, TRANSACTION_GAS, data))
        seconds = time.perf_counter() - began
        self.machine.finish_transaction()
        if not result.success:
            reason = result.error.message if result.error else f"reverted: 0x{result.output.hex()}"
            raise SystemExit(f"{function} failed: {reason}")
        values = decode([type_from_json(parameter) for parameter in entry["outputs"]], result.output)
        return (values[0] if values else None), result.gas_used, seconds


def upload(contract: LeNet5, console: Console) -> None:
    """Store the trained integers: layer n's weights as block 2n, its bias as block 2n + 1."""
    total_gas = total_bytes = 0
    with np.load(HERE / "weights.npz") as weights:
        for n, (layer, _, _) in enumerate(LAYERS, start=1):
            for block, part in ((2 * n, "weights"), (2 * n + 1, "bias")):
                items = weights[f"{layer}_{part}"].reshape(-1)
                packed = items.astype(items.dtype.newbyteorder(">")).tobytes()
                _, gas, _ = contract.call("upload", block, items.itemsize, packed)
                total_gas += gas
                total_bytes += len(packed)
    console.print(f"uploaded {2 * len(LAYERS)} weight blocks: {total_bytes:,} bytes, {total_gas:,} gas")


def read_picture(path: Path) -> Picture:
    """A picture file as 28×28 gray values."""
    try:
        with Image.open(path) as image:
            gray = image.convert("L")
    except FileNotFoundError:
        raise SystemExit(f"there is no file {path}") from None
    except (OSError, UnidentifiedImageError):
        raise SystemExit(f"{path} is no picture") from None
    if gray.size != (28, 28):
        gray = gray.resize((28, 28), Image.Resampling.BICUBIC)
    return np.asarray(gray)


def shape_text(event: KernelEvent) -> str:
    """What a layer makes of what, from its operands."""
    operands = event.operands
    match event.name:
        case "CONV_MUL":
            _, c, o, h, w, k, s, p = operands
            return f"{c}x{h}x{w} -> {o}x{(h + 2 * p - k) // s + 1}x{(w + 2 * p - k) // s + 1}"
        case "POOL_MAX":
            c, h, w, k, s = operands
            return f"{c}x{h}x{w} -> {c}x{(h - k) // s + 1}x{(w - k) // s + 1}"
        case "FULL_CON":
            _, c, h, w, o = operands
            return f"{c * h * w} -> {o}"
        case "MTOB" | "BTOM":
            return f"{operands[1]} items"
        case "BUF_BIAS":
            return f"block {operands[0]}"
        case "BUF_SCL0":
            return f"x {operands[0]}"
        case "BUF_SCL1":
            return f"/ {operands[0]}"
        case _:
            return ""


def classify(contract: LeNet5, paths: Sequence[Path], console: Console) -> None:
    """Classify pictures; a line for each, then what each layer of the last one took."""
    events: list[KernelEvent] = []
    pictures = [(path, read_picture(path)) for path in paths]
    contract.call("classify", pictures[0][1].reshape(-1))  # the first call decodes the weights
    contract.machine.observer = events.append
    results = Table("picture", "digit", "gas", "time", title="classify(int256[])")
    for path, picture in pictures:
        events.clear()
        digit, gas, seconds = contract.call("classify", picture.reshape(-1))
        results.add_row(path.name, str(digit), f"{gas:,}", f"{seconds * 1e3:.2f} ms")
    contract.machine.observer = None
    layers = Table("instruction", "shape", "gas", "µs", title=f"layers of {paths[-1].name}")
    for column in (*results.columns[1:], *layers.columns[2:]):
        column.justify = "right"
    for event in events:
        microseconds = f"{event.nanoseconds / 1e3:.1f}"
        layers.add_row(event.name.lower(), shape_text(event), f"{event.gas:,}", microseconds)
    layers.add_section()
    total = sum(event.nanoseconds for event in events) / 1e3
    layers.add_row("all", "", f"{sum(event.gas for event in events):,}", f"{total:.1f}")
    console.print(results)
    console.print(layers)


def accuracy(contract: LeNet5, console: Console) -> None:
    """Share of held-out digits that the trained floats and the contract get right."""
    with np.load(HERE / "held_out.npz") as data:
        pictures, labels = data["pictures"], data["labels"].astype(int)
    with np.load(HERE / "float_weights.npz") as data:
        parameters = {name: data[name] for name in data.files}
    logits, _ = forward(parameters, pictures.astype(np.float32) / 255)
    of_floats = logits.argmax(axis=1)
    of_contract = np.array(
        [
            contract.call("classify", picture.reshape(-1))[0]
            for picture in track(pictures, "classifying on chain", console=console, transient=True)
        ]
    )
    console.print(f"{len(labels)} held-out digits")
    for name, digits in (("float", of_floats), ("on chain, integers", of_contract)):
        right = int((digits == labels).sum())
        console.print(f"accuracy, {name}: {right / len(labels):.2%} ({right} right)")
    console.print(f"same digit in {int((of_floats == of_contract).sum())} of {len(labels)}")


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
        contract = LeNet5(HERE / "LeNet5.sol")
        console.print(
            f"deployed LeNet5: {contract.code_size:,} bytes of code, {contract.deployment_gas:,} gas"
        )
        upload(contract, console)
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
