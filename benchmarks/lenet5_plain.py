"""LeNet-5 with DNN instructions against LeNet-5 in plain Solidity, on the same machine.

    python benchmarks/lenet5_plain.py [--pictures N] [--repetitions N] [--json FILE]

Both are ``logits`` of the contracts in examples/lenet5, with the same trained weights (blocks here, packed in ordinary
slots there), on machines of the same options (``engine="interpreter"``). Every picture's scores must be the same. The
plain contract is compiled by smartvm and, where node and ``SMARTVM_SOLC`` (the folder of the npm package solc) are, by
solc; optimizer off and on; its DNN peer always by smartvm with the same setting.

- *message call*: ``Machine.call`` of a begun transaction, what the VM executes, from calldata to returndata;
- *transaction*: ``Chain.transact``, which also begins and ends a transaction and undoes the call;
- *warm*: called before, handlers compiled, decoded weights at hand. Gas is charged as for a first access;
- *instructions*: executed ones, counted by an instruction table under which each costs 1 gas.

CPU time of the process (the machine may be shared), fastest of N, the contracts turn by turn. How the SmartVM paper
compiled its plain contract is not known; 17.58 million instructions were executed in the first layer (17.6 to 17.7
million here by solc with its optimizer). The row that is judged is the hardest: both by smartvm with the optimizer,
whose plain code executes least. Exit status 1 when scores differ or that row's message call is not at least 1,000 times
as fast with DNN instructions.
"""

from __future__ import annotations

import os

os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", NUMBA_NUM_THREADS="1")  # before NumPy loads its BLAS

import argparse
import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import smartvm
from rich.console import Console
from rich.table import Table
from smartvm.api.chain import address_bytes
from smartvm.api.weights import FIRST_ID
from smartvm.commands.paper.executed import counting_table
from smartvm.commands.paper.measurement import process_milliseconds
from smartvm.examples.networks.digits import held_out_digits
from smartvm.examples.networks.parameters import EXAMPLES
from smartvm.instructions.loader import load_table
from smartvm.vm.messages import Message, TransactionEnvironment

sys.path.insert(0, str(Path(__file__).parent / "artifacts"))
from compare import run_solc

FOLDER = EXAMPLES / "lenet5"
ENGINE = "interpreter"
GAS = 1 << 40
#: The least ratio, of the code that this names.
LEAST_RATIO = 1000.0
JUDGED = "smartvm, optimizer on"

Compiled = Mapping[str, Any]


@dataclass(frozen=True)
class Code:
    """A contract as some compiler made it: ``setting`` says how, ``optimized`` whether the optimizer was on."""

    contract: str
    setting: str
    optimized: bool
    compiled: Compiled


@dataclass(frozen=True)
class Row:
    """What was measured of one contract's code; times in milliseconds."""

    contract: str
    setting: str
    code_bytes: int
    gas: int
    instructions: int
    call_ms: float
    transaction_ms: float
    call_ratio: float | None = None
    transaction_ratio: float | None = None


def own_codes() -> Iterator[Code]:
    """Both contracts, by smartvm."""
    chain = smartvm.Chain(engine=ENGINE)
    for contract in ("LeNet5", "LeNet5Plain"):
        for optimized in (False, True):
            path = FOLDER / f"{contract}.sol"
            found = chain.compile(path, optimize=optimized)
            chosen = next(outputs for name, outputs in found.items() if name.endswith(f":{contract}"))
            yield Code(contract, f"smartvm, optimizer {'on' if optimized else 'off'}", optimized, chosen)


def solc_codes(package: str) -> Iterator[Code]:
    """The plain contract by solc: its standard pipeline with the optimizer off and on, and the one over Yul."""
    text = (FOLDER / "LeNet5Plain.sol").read_text("utf-8")
    for optimized, by_yul in ((False, False), (True, False), (True, True)):
        settings = {
            "optimizer": {"enabled": optimized, "runs": 200},
            "viaIR": by_yul,
            "evmVersion": "osaka",
            "outputSelection": {"*": {"*": ["abi", "evm.bytecode.object"]}},
        }
        request = {"language": "Solidity", "sources": {"p": {"content": text}}, "settings": settings}
        answer = run_solc(package, request)
        outputs = answer.get("contracts", {}).get("p", {}).get("LeNet5Plain", {})
        if "evm" not in outputs:
            raise SystemExit(f"solc made no code ({settings}): {answer.get('errors')}")
        name = f"solc, optimizer {'on' if optimized else 'off'}{', via IR' if by_yul else ''}"
        compiled = {"abi": outputs["abi"], "bin": outputs["evm"]["bytecode"]["object"]}
        yield Code("LeNet5Plain", name, optimized, compiled)


class Deployed:
    """A contract on a chain of its own, with its weights."""

    def __init__(self, code: Code, parameters: Mapping[str, Any], **options: Any) -> None:
        self.chain = smartvm.Chain(engine=ENGINE, **options)
        self.contract = self.chain.deploy_compiled(code.compiled, gas=GAS)
        for block, items in enumerate(parameters.values(), FIRST_ID):
            packed = items.astype(items.dtype.newbyteorder(">")).tobytes()
            self.contract.upload.send(block, items.itemsize, packed, gas=GAS)
        self._target = address_bytes(self.contract.address)
        self._sender = address_bytes(self.chain.sender)

    def calldata(self, picture: Any) -> bytes:
        """Of ``logits``."""
        return bytes(self.contract.logits.encode(picture.reshape(-1)))

    def transact(self, data: bytes) -> tuple[bytes, int]:
        """Output and gas of a transaction that changes nothing."""
        result = self.chain.transact(self.contract.address, data, gas=GAS, keep=False)
        if not result.success:
            raise SystemExit(f"a contract failed: {result.error and result.error.message}")
        return result.output, result.gas_used

    @contextmanager
    def transaction(self) -> Iterator[Callable[[bytes], int]]:
        """Begin a transaction; what is given calls the contract in it and returns nanoseconds of CPU time."""
        machine = self.chain.machine
        machine.begin_transaction(TransactionEnvironment(self._sender), [self._sender, self._target])

        def call(data: bytes) -> int:
            began = time.process_time_ns()
            result = machine.call(Message(self._sender, self._target, GAS, data))
            ended = time.process_time_ns()
            if not result.success:
                raise SystemExit(f"a contract failed: {result.error and result.error.message}")
            return ended - began

        yield call
        machine.finish_transaction()

    def call_ns(self, data: bytes) -> int:
        """CPU time of a message call alone, in a transaction of its own."""
        with self.transaction() as call:
            return call(data)


def call_milliseconds(deployed: Sequence[Deployed], data: Sequence[bytes], repetitions: int) -> list[float]:
    """Milliseconds of a message call of each: the fastest, turn by turn."""
    best = [float("inf")] * len(deployed)
    for _ in range(repetitions):
        for number, one in enumerate(deployed):
            spent = 0
            while spent < 5_000_000:
                took = one.call_ns(data[number])
                spent += took
                best[number] = min(best[number], took / 1e6)
    return best


def measure(codes: Sequence[Code], pictures: Any, repetitions: int) -> list[Row]:
    """All rows. SystemExit when two contracts give different scores."""
    with np.load(FOLDER / "weights.npz") as data:
        parameters = {name: data[name] for name in data.files}
    deployed = [Deployed(code, parameters, dnn="handlers") for code in codes]
    expected: list[bytes] = []
    for one, code in zip(deployed, codes, strict=True):
        outputs = [one.transact(one.calldata(picture))[0] for picture in pictures]
        expected = expected or outputs
        if outputs != expected:
            raise SystemExit(f"{code.contract} ({code.setting}): scores differ from {codes[0].contract}'s")
    counted = []
    for code in codes:
        one = Deployed(code, parameters, table=counting_table(load_table("default")), dnn="handlers")
        counted.append(one.transact(one.calldata(pictures[0]))[1])
    data = [one.calldata(pictures[0]) for one in deployed]
    calls = call_milliseconds(deployed, data, repetitions)
    runs = {
        str(number): (lambda one=one, given=given: one.transact(given))
        for number, (one, given) in enumerate(zip(deployed, data, strict=True))
    }
    transactions = process_milliseconds(runs, repetitions)
    rows = []
    for number, (code, one) in enumerate(zip(codes, deployed, strict=True)):
        peer = next(n for n, c in enumerate(codes) if c.contract == "LeNet5" and c.optimized == code.optimized)
        plain = code.contract != "LeNet5"
        rows.append(
            Row(
                code.contract,
                code.setting,
                len(one.chain.code(one.contract.address)),
                one.transact(data[number])[1],
                counted[number],
                calls[number],
                transactions[str(number)],
                calls[number] / calls[peer] if plain else None,
                transactions[str(number)] / transactions[str(peer)] if plain else None,
            )
        )
    return rows


def shown(rows: Sequence[Row], pictures: int, console: Console) -> None:
    """The table."""
    columns = "contract", "compiled by", "bytes", "gas", "instructions", "call ms", "trans. ms", "call x", "trans. x"
    table = Table(*columns, title=f"LeNet-5 on the interpreter, CPU time; {pictures} pictures with the same scores")
    for column in table.columns[2:]:
        column.justify = "right"
    for row in rows:
        judged = row.call_ratio is not None and row.setting == JUDGED
        ratios = ["" if r is None else f"{r:,.0f}" for r in (row.call_ratio, row.transaction_ratio)]
        numbers = f"{row.code_bytes:,}", f"{row.gas:,}", f"{row.instructions:,}"
        times = f"{row.call_ms:,.3f}", f"{row.transaction_ms:,.3f}"
        table.add_row(row.contract, row.setting, *numbers, *times, *ratios, style="bold" if judged else "")
    console.print(table)
    console.print(f"Judged: the message call of LeNet5Plain ({JUDGED}), at least {LEAST_RATIO:,.0f} x.")


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=5, help="pictures whose scores are compared")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    codes = list(own_codes())
    package = os.environ.get("SMARTVM_SOLC")
    console = Console(width=150)
    if package and shutil.which("node"):
        codes += solc_codes(package)
    else:
        console.print("without solc's code: needs node, and SMARTVM_SOLC to the folder of the npm package solc")
    pictures = held_out_digits()[0][: options.pictures]
    rows = measure(codes, pictures, options.repetitions)
    shown(rows, len(pictures), console)
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")
    judged = [row.call_ratio for row in rows if row.setting == JUDGED and row.call_ratio is not None]
    return 1 if min(judged) < LEAST_RATIO else 0


if __name__ == "__main__":
    sys.exit(main())
