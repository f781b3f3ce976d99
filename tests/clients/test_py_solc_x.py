"""py-solc-x compiles through ``smartvm-solc``, and smartvm's functions of the same names return what it returns."""

from __future__ import annotations

from typing import Any

import pytest
import smartvm

pytestmark = [pytest.mark.client_solcx, pytest.mark.slow]

solcx = pytest.importorskip("solcx", reason="no py-solc-x: pip install py-solc-x")

SOURCE = """// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;
interface Priced { function price(uint256 amount) external view returns (uint256); }
library Rate { function times(uint256 a, uint256 b) external pure returns (uint256) { return a * b; } }
/// @title A shop
contract Shop is Priced {
    error Unpaid(uint256 owed);
    event Sold(address indexed buyer, uint256 amount);
    uint256 public immutable unit;
    mapping(address => uint256) public bought;
    uint256 transient busy;
    constructor(uint256 unit_) { unit = unit_; }
    /// @notice What an amount costs.
    /// @param amount how many
    function price(uint256 amount) public view returns (uint256) { return Rate.times(amount, unit); }
    function buy(uint256 amount) external payable {
        if (msg.value < price(amount)) revert Unpaid(price(amount));
        bought[msg.sender] += amount;
        busy = 0;
        emit Sold(msg.sender, amount);
    }
}
"""

REQUEST = {
    "language": "Solidity",
    "sources": {"Shop.sol": {"content": SOURCE}},
    "settings": {
        "optimizer": {"enabled": True, "runs": 200},
        "outputSelection": {"*": {"*": ["*"], "": ["ast"]}},
    },
}

#: What does not depend on the code that a compiler makes.
COMMON = ["abi", "devdoc", "hashes", "userdoc"]


def shape(value: Any) -> Any:
    """The types and keys of a result."""
    if isinstance(value, dict):
        return {key: shape(part) for key, part in value.items()}
    return type(value).__name__


def _top(value: dict[str, Any]) -> dict[str, str]:
    return {key: type(part).__name__ for key, part in value.items()}


@pytest.mark.parametrize("optimize", [False, True], ids=["plain", "optimized"])
def test_compile_source_returns_the_keys_types_and_interfaces_that_solc_gives(reference_solc, solc_script, optimize):
    reference = solcx.compile_source(SOURCE, solc_binary=reference_solc, optimize=optimize)
    through_binary = solcx.compile_source(SOURCE, solc_binary=solc_script, optimize=optimize)
    own = smartvm.compile_source(SOURCE, optimize=optimize)
    assert own == through_binary
    assert own.keys() == reference.keys() == {"<stdin>:Priced", "<stdin>:Rate", "<stdin>:Shop"}
    for name, contract in own.items():
        # solc's own assembly is the one output that has no counterpart.
        assert _top(contract) | {"asm": None} == _top(reference[name]) | {"asm": None}
        assert {key: contract[key] for key in COMMON} == {key: reference[name][key] for key in COMMON}
        assert shape(contract["storage-layout"]) == shape(reference[name]["storage-layout"])
        assert contract["ast"]["nodeType"] == reference[name]["ast"]["nodeType"]


def test_compile_files_names_contracts_as_py_solc_x_does(reference_solc, solc_script, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Shop.sol").write_text(SOURCE)
    outputs = ["abi", "bin", "bin-runtime", "hashes"]
    own = smartvm.compile_files("Shop.sol", outputs)
    assert own == solcx.compile_files("Shop.sol", outputs, solc_binary=solc_script)
    reference = solcx.compile_files("Shop.sol", outputs, solc_binary=reference_solc)
    assert own.keys() == reference.keys()
    assert all(_top(own[name]) == _top(reference[name]) for name in own)


def test_compile_standard_returns_solcs_shapes(reference_solc, solc_script):
    own = smartvm.compile_standard(REQUEST)
    assert own == solcx.compile_standard(REQUEST, solc_binary=solc_script)
    reference = solcx.compile_standard(REQUEST, solc_binary=reference_solc)
    assert own.keys() == reference.keys()
    mine, theirs = own["contracts"]["Shop.sol"], reference["contracts"]["Shop.sol"]
    assert mine.keys() == theirs.keys()
    for name, contract in mine.items():
        assert _top(contract) == _top(theirs[name])
        assert contract["abi"] == theirs[name]["abi"]
        assert contract["evm"]["methodIdentifiers"] == theirs[name]["evm"]["methodIdentifiers"]
        assert contract["evm"].keys() | {"legacyAssembly"} == theirs[name]["evm"].keys() | {"legacyAssembly"}
        for code in ("bytecode", "deployedBytecode"):
            assert _top(contract["evm"][code]) == _top(theirs[name]["evm"][code])
    linked = solcx.link_code(
        mine["Shop"]["evm"]["bytecode"]["object"], {"Shop.sol:Rate": "0x" + "12" * 20}, solc_binary=solc_script
    )
    assert "__$" not in linked


def test_errors_of_the_source_are_raised_as_solcs_are(reference_solc, solc_script):
    for solc in (solc_script, reference_solc):
        with pytest.raises(solcx.exceptions.SolcError, match=r"<stdin>:1:28") as caught:
            solcx.compile_source("contract C { uint8 small = 300; }", solc_binary=solc, output_values=["abi"])
        assert "TypeError" in str(caught.value)
