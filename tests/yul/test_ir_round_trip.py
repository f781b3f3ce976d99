"""The IR of a contract, printed, is valid Yul and compiles to the same bytecode."""

from __future__ import annotations

from pathlib import Path

import pytest
from smartvm.compiler.backend import BackendSettings
from smartvm.compiler.source import SourceText
from smartvm.compiler.standalone_yul import compile_yul
from smartvm.compiler.standard_json import compile_standard
from smartvm.instructions.loader import load_table

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.mark.parametrize("optimize", [False, True])
@pytest.mark.parametrize("path", ["erc20/Token.sol", "lenet5/LeNet5.sol"])
def test_printed_ir_compiles_to_the_same_bytecode(path, optimize):
    output = compile_standard(
        {
            "language": "Solidity",
            "sources": {"a.sol": {"content": (EXAMPLES / path).read_text(encoding="utf-8")}},
            "settings": {
                "optimizer": {"enabled": optimize},
                "outputSelection": {"*": {"*": ["ir", "evm.bytecode.object"]}},
            },
        }
    )
    contracts = [c for c in output["contracts"]["a.sol"].values() if c["ir"]]
    assert contracts
    for contract in contracts:
        source = SourceText("a.yul", contract["ir"], 0)
        compiled = compile_yul(source, load_table(), "osaka", BackendSettings(optimize, 200))
        assert compiled.assembled.bytecode.hex() == contract["evm"]["bytecode"]["object"]
