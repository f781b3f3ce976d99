"""Utility functions as a source of their own, and what debuggers learn about functions."""

from __future__ import annotations

from typing import Any

import pytest
from smartvm.compiler.standard_json import compile_standard

TEXT = """// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;
contract C {
    uint public x;
    struct S { uint a; string b; }
    S s;
    constructor(string memory t) { s.b = t; }
    function f(uint[] memory a, string calldata b) external returns (uint) { s.b = b; return a.length + g(x); }
    function g(uint a) internal pure returns (uint) { return a + 1; }
    function h(uint[] memory a, string memory b) external returns (S memory) { s.b = b; x = a.length + g(2); return s; }
}"""

Json = dict[str, Any]


def code_of(*, via_ir: bool = False, optimize: bool = False) -> Json:
    request = {
        "language": "Solidity",
        "sources": {"a.sol": {"content": TEXT}, "b.sol": {"content": "// SPDX-License-Identifier: MIT"}},
        "settings": {
            "viaIR": via_ir,
            "optimizer": {"enabled": optimize},
            "outputSelection": {"*": {"*": ["evm.bytecode", "evm.deployedBytecode"]}},
        },
    }
    evm: Json = compile_standard(request)["contracts"]["a.sol"]["C"]["evm"]
    return evm


def ranges(source_map: str) -> list[tuple[int, int, int]]:
    """Start, length and file of each instruction."""
    found: list[tuple[int, int, int]] = []
    current = ["", "", ""]
    for entry in source_map.split(";"):
        for place, value in enumerate(entry.split(":")[:3]):
            current[place] = value or current[place]
        found.append((int(current[0]), int(current[1]), int(current[2])))
    return found


@pytest.mark.parametrize("optimize", [True, False], ids=["optimized", "plain"])
@pytest.mark.parametrize("kind", ["bytecode", "deployedBytecode"])
def test_utility_functions_are_a_source_that_the_source_map_refers_to(kind: str, optimize: bool) -> None:
    code = code_of(optimize=optimize)[kind]
    (source,) = code["generatedSources"]
    assert (source["id"], source["language"], source["name"]) == (2, "Yul", "#utility.yul")
    text = source["contents"]
    by_place = {
        tuple(map(int, node["src"].split(":"))): node["name"]
        for node in source["ast"]["statements"]
        if node["nodeType"] == "YulFunctionDefinition"
    }
    referred = {place for place in ranges(code["sourceMap"]) if place[2] == 2}
    assert referred
    for start, length, _ in referred:
        name = by_place[start, length, 2]
        assert text[start : start + length].startswith(f"function {name}(")
        assert text[start + length - 1] == "}"
        assert code["functionDebugData"][name]["entryPoint"] is not None


def test_instructions_keep_their_number_and_the_users_ranges() -> None:
    plain, with_ir = code_of()["deployedBytecode"], code_of(via_ir=True)["deployedBytecode"]
    ours, bare = ranges(plain["sourceMap"]), ranges(with_ir["sourceMap"])
    assert len(ours) == len(bare)
    assert [place for place in bare if place[2] >= 0] == [place for place in ours if place[2] in (0, 1)]
    assert with_ir["generatedSources"] == []


def test_solidity_functions_have_the_names_and_ids_that_solc_gives_them() -> None:
    code = code_of(optimize=True)
    deployed = code["deployedBytecode"]["functionDebugData"]
    named = {name.split("_")[0]: entry for name, entry in deployed.items() if name.startswith("@")}
    assert set(named) == {"@f", "@g", "@h", "@x"}
    assert named["@f"]["parameterSlots"] == 3  # the string in calldata takes two
    assert named["@g"] == {**named["@g"], "parameterSlots": 1, "returnSlots": 1}
    for name, entry in deployed.items():
        assert (entry["id"] is not None) == name.startswith("@")
        assert entry["id"] is None or name.endswith(f"_{entry['id']}")
    (constructor,) = [name for name in code["bytecode"]["functionDebugData"] if name.startswith("@_")]
    assert constructor.startswith("@_")
    with_ir = code_of(via_ir=True)["deployedBytecode"]["functionDebugData"]
    assert any(name.startswith("fun_f_") for name in with_ir)


def test_entry_points_are_jump_targets_and_inlined_functions_have_none() -> None:
    deployed = code_of()["deployedBytecode"]
    code = bytes.fromhex(deployed["object"])
    for entry in deployed["functionDebugData"].values():
        assert entry["entryPoint"] is None or code[entry["entryPoint"]] == 0x5B
    inlined = code_of(optimize=True)["deployedBytecode"]["functionDebugData"]
    assert None in {entry["entryPoint"] for entry in inlined.values()}
