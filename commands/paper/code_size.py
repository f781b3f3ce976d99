"""Fig. 11: source lines and bytecode length with and without DNN instructions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import smartvm
from smartvm.commands.paper.measurement import Measurement
from smartvm.examples.networks import contract_path
from smartvm.examples.networks.layers import Network
from smartvm.examples.networks.parameters import EXAMPLES

FIGURE = "Fig. 11"
_LINES = (
    "lines of the contract's source that are neither empty nor comment; smartvm/nn.sol, of which a call is one "
    "instruction, is not counted"
)
_BYTES = "bytes of deployed code, optimizer on, metadata included"


def code_sizes(network: Network) -> Iterator[Measurement]:
    """Lines and bytes of a network's contract, and of the one in plain Solidity where there is one."""
    yield from _sizes(network, contract_path(network), "with DNN instructions")
    plain = EXAMPLES / network.folder / f"{network.name}Plain.sol"
    if plain.is_file():
        yield from _sizes(network, plain, "without")
        return
    for quantity, definition in (("source lines", _LINES), ("bytecode", _BYTES)):
        note = "only LeNet-5 is written in plain Solidity"
        yield Measurement(FIGURE, network.folder, f"{quantity} without", None, "", definition, note)


def source_lines(text: str) -> int:
    """Lines that are neither empty nor comment."""
    lines = (line.partition("//")[0].strip() for line in text.splitlines())
    return sum(1 for line in lines if line and not line.startswith(("/*", "*")))


def _sizes(network: Network, path: Path, which: str) -> Iterator[Measurement]:
    contracts = smartvm.compile_files([path], ["bin-runtime"], optimize=True)
    code = next(made["bin-runtime"] for name, made in contracts.items() if name.endswith(f":{path.stem}"))
    lines = source_lines(path.read_text("utf-8"))
    yield Measurement(FIGURE, network.folder, f"source lines {which}", lines, "lines", _LINES)
    yield Measurement(FIGURE, network.folder, f"bytecode {which}", len(code) // 2, "bytes", _BYTES)
