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
                "metadata": {"appendCBOR": False},
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


@pytest.mark.parametrize("version", ["homestead", "tangerineWhistle", "spuriousDragon"])
def test_versions_without_revert_use_its_opcode_as_solc_does(version: str) -> None:
    """There the opcode is none, so that the execution ends and takes all gas."""
    result = compiled(version, True)
    assert not [e for e in result["errors"] if e["severity"] == "error"]
    code = result["contracts"]["C.sol"]["C"]["evm"]["bytecode"]["object"]
    assert "fd" in code
    used = set(result["contracts"]["C.sol"]["C"]["evm"]["bytecode"]["opcodes"].split())
    assert "REVERT" in used
    assert not used & {"RETURNDATASIZE", "RETURNDATACOPY", "STATICCALL", "SHL", "SHR", "SAR", "PUSH0"}


def errors(version: str, body: str) -> list[str]:
    source = f"// SPDX-License-Identifier: MIT\npragma solidity ^0.8.0;\ncontract C {{ {body} }}"
    settings = {"evmVersion": version, "outputSelection": {"*": {"*": ["evm.bytecode"]}}}
    request = {"language": "Solidity", "sources": {"C.sol": {"content": source}}, "settings": settings}
    found = smartvm.compile_standard(request).get("errors", [])
    return [e["errorCode"] for e in found if e["severity"] == "error"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("function f(C c) external { try c.f(c) {} catch Error(string memory) {} catch {} }", "1812"),
        ("function f(C c) external { try c.f(c) {} catch (bytes memory) {} }", "9908"),
        ("function f(address a) external { (, bytes memory b) = a.call(''); b; }", "9574"),
        ("function f(address a) external view { a.staticcall(''); }", "5052"),
        ("function f() external { assembly { pop(staticcall(0, 0, 0, 0, 0, 0)) } }", "1503"),
        ("function f() external view returns (uint) { return block.chainid; }", "3081"),
    ],
)
def test_what_a_version_lacks_is_refused_with_solcs_code(body: str, code: str) -> None:
    assert errors("spuriousDragon", body)[0] == code
    assert errors("osaka", body) == []
