"""Compiling for older EVM versions."""

from __future__ import annotations

from typing import Any

import pytest
import smartvm

SOURCE = """
// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;
contract C {
    mapping(address => uint96) balances;
    function put(uint96 x) external { balances[msg.sender] += x * 8; }
    function get(address a) external view returns (bytes4, uint96) { return (bytes4(uint32(2)), balances[a] / 4); }
}
"""


def compiled(version: str, optimize: bool) -> dict[str, Any]:
    return smartvm.compile_standard(
        {
            "language": "Solidity",
            "sources": {"C.sol": {"content": SOURCE}},
            "settings": {
                "evmVersion": version,
                "optimizer": {"enabled": optimize},
                "outputSelection": {"*": {"*": ["evm.bytecode"]}},
            },
        }
    )


@pytest.mark.parametrize("optimize", [False, True])
@pytest.mark.parametrize("version", ["byzantium", "constantinople", "istanbul", "london", "paris", "shanghai", "osaka"])
def test_code_uses_only_instructions_of_its_version(version: str, optimize: bool) -> None:
    bytecode = compiled(version, optimize)["contracts"]["C.sol"]["C"]["evm"]["bytecode"]
    used = set(bytecode["opcodes"].split())
    if version == "byzantium":
        assert not used & {"SHL", "SHR", "SAR"}
    if version not in ("shanghai", "osaka"):
        assert "PUSH0" not in used


def test_versions_without_revert_are_refused_by_one_message() -> None:
    errors = [e for e in compiled("homestead", False)["errors"] if e["severity"] == "error"]
    assert [e["errorCode"] for e in errors] == ["1834"]
    assert "byzantium or later" in errors[0]["message"]
