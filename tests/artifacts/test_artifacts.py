"""Artifacts of contracts: ABI, layout, documentation, metadata."""

from __future__ import annotations

import json
from typing import Any

import pytest
from smartvm.compiler.artifacts.content_hash import base58, ipfs_hash, ipfs_url, swarm_hash
from smartvm.compiler.linker import LinkError, link_text, placeholder
from smartvm.compiler.natspec import parse_comment
from smartvm.compiler.pipeline import CompilationUnit, CompiledContract
from smartvm.compiler.settings import CompilerSettings, MetadataSettings

HEAD = "// SPDX-License-Identifier: MIT\npragma solidity ^0.8.0;\n"


def compiled(text: str, name: str = "C", settings: CompilerSettings | None = None) -> CompiledContract:
    return CompilationUnit({"a.sol": HEAD + text}, settings).contracts["a.sol", name]


def test_abi_is_sorted_by_type_and_name_with_overloads_by_selector() -> None:
    contract = compiled(
        "contract C { event E(uint indexed a, bytes b); error R(int x); "
        "struct S { uint a; T[] t; } struct T { bool b; }\n"
        "enum K { A } constructor(K k) payable {} receive() external payable {} fallback() external {}\n"
        "function b(S calldata s) external view returns (C, address payable) {} "
        "function a(uint) external pure {}\n"
        "function a() external pure {} uint[2][] public v; }"
    )
    assert [(entry["type"], entry.get("name")) for entry in contract.abi] == [
        ("constructor", None), ("error", "R"), ("event", "E"), ("fallback", None), ("function", "a"),
        ("function", "a"), ("function", "b"), ("function", "v"), ("receive", None),
    ]  # fmt: skip
    by_name = {entry.get("name", entry["type"]): entry for entry in contract.abi}
    assert by_name["constructor"] == {
        "type": "constructor",
        "stateMutability": "payable",
        "inputs": [{"name": "k", "internalType": "enum C.K", "type": "uint8"}],
    }
    assert by_name["E"]["inputs"][0] == {
        "name": "a",
        "internalType": "uint256",
        "type": "uint256",
        "indexed": True,
    }
    (structure,) = by_name["b"]["inputs"]
    assert (structure["type"], structure["internalType"]) == ("tuple", "struct C.S")
    assert structure["components"][1] == {
        "name": "t",
        "internalType": "struct C.T[]",
        "type": "tuple[]",
        "components": [{"name": "b", "internalType": "bool", "type": "bool"}],
    }
    assert [item["internalType"] for item in by_name["b"]["outputs"]] == ["contract C", "address payable"]
    assert [item["type"] for item in by_name["v"]["inputs"]] == ["uint256", "uint256"]


def test_errors_used_from_elsewhere_are_in_the_abi() -> None:
    contract = compiled(
        "error Far(uint a); library L { error Near(); } contract C { function f() public payable { g(); } "
        "function g() internal { if (msg.value > 0) revert Far(1); revert L.Near(); } }"
    )
    assert [entry["name"] for entry in contract.abi if entry["type"] == "error"] == ["Far", "Near"]


def test_library_lists_only_what_others_can_call() -> None:
    contract = compiled(
        "library C { struct S { uint a; } "
        "function a(S storage s) external view returns (uint) { return s.a; } "
        "function b(uint x) public pure returns (uint) { return x; } function c(uint x) public {} }"
    )
    assert [entry["name"] for entry in contract.abi] == ["b"]
    assert set(contract.method_identifiers) == {"a(C.S storage)", "b(uint256)", "c(uint256)"}


def test_storage_layout_packs_and_describes_types() -> None:
    contract = compiled(
        "contract B { uint8 a; } contract C is B { bool b; uint128[3] c; "
        "mapping(address => S) d; struct S { uint16 x; "
        "bytes y; } string e; uint constant F = 1; uint immutable g = 2; uint transient h; }"
    )
    layout = contract.storage_layout
    placed = [(entry["label"], entry["slot"], entry["offset"]) for entry in layout["storage"]]
    assert placed == [("a", "0", 0), ("b", "0", 1), ("c", "1", 0), ("d", "3", 0), ("e", "4", 0)]
    types = {about["label"]: about for about in layout["types"].values()}
    assert types["uint128[3]"]["numberOfBytes"] == "64"
    assert types["mapping(address => struct C.S)"]["encoding"] == "mapping"
    assert [member["slot"] for member in types["struct C.S"]["members"]] == ["0", "1"]
    assert [entry["label"] for entry in contract.transient_storage_layout["storage"]] == ["h"]
    assert compiled("contract C {}").storage_layout == {"storage": [], "types": None}


def test_layout_at_moves_storage() -> None:
    contract = compiled("contract C layout at 2**255 { uint a; }")
    assert contract.storage_layout["storage"][0]["slot"] == str(2**255)


def test_documentation_is_inherited_and_split_by_audience() -> None:
    contract = compiled(
        "interface I { /// @notice does f\n/// @param a the input\n/// @return r the output\n"
        "function f(uint a) external returns (uint r); }\n"
        "/// @title T\n/// @author A\n/// @custom:note x y\ncontract C is I {\n"
        "/// @inheritdoc I\nfunction f(uint a) external returns (uint z) {}\n"
        "/// @dev private thing\nuint internal v;\n"
        "/// text first\n/// goes on\nevent E(); function g() external { emit E(); } }"
    )
    assert contract.user_documentation == {
        "version": 1,
        "kind": "user",
        "methods": {"f(uint256)": {"notice": "does f"}},
        "events": {"E()": {"notice": "text first goes on"}},
    }
    assert contract.developer_documentation == {
        "version": 1,
        "kind": "dev",
        "title": "T",
        "author": "A",
        "custom:note": "x y",
        "methods": {"f(uint256)": {"params": {"a": "the input"}, "returns": {"z": "the output"}}},
        "stateVariables": {"v": {"details": "private thing"}},
    }


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("plain\n more", {"notice": ["plain more"]}),
        ("@dev a\n\n b\nc", {"dev": ["a b c"]}),
        ("@param a b c\n@param d e", {"param": ["b c", "e"]}),
        ("@dev\n next line", {"dev": ["next line"]}),
        ("@return x\n@return y", {"return": ["x", "y"]}),
    ],
)
def test_comment_is_split_into_tags(text: str, tags: dict[str, list[str]]) -> None:
    parsed = parse_comment(text)
    assert parsed.problems == []
    assert {name: [tag.content for tag in values] for name, values in parsed.tags.items()} == tags


def test_param_without_name_or_description_is_a_problem() -> None:
    assert [code for code, _ in parse_comment("@param").problems] == [3335]
    assert [code for code, _ in parse_comment("@param x").problems] == [9942]


def test_metadata_names_sources_settings_and_interface() -> None:
    settings = CompilerSettings(metadata=MetadataSettings(use_literal_content=True), runs=7)
    metadata: dict[str, Any] = json.loads(
        compiled("contract C { uint public x; }", settings=settings).metadata
    )
    assert metadata["language"] == "Solidity"
    assert metadata["settings"]["compilationTarget"] == {"a.sol": "C"}
    assert metadata["settings"]["optimizer"] == {"enabled": False, "runs": 7}
    assert metadata["sources"]["a.sol"]["license"] == "MIT"
    assert metadata["sources"]["a.sol"]["content"].endswith("contract C { uint public x; }")
    assert metadata["output"]["abi"][0]["name"] == "x"


def test_content_hashes_of_known_texts() -> None:
    # The empty file's CID is the one that IPFS gives for an empty file added without options.
    assert ipfs_url(b"") == "dweb:/ipfs/QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH"
    assert ipfs_url(b"hello world\n") == "dweb:/ipfs/QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o"
    assert base58(b"\0\0a") == "112g"
    assert swarm_hash(b"") == bytes(32)


@pytest.mark.parametrize("size", [4095, 4096, 4097, 128 * 4096, 128 * 4096 + 1, 256 * 1024, 256 * 1024 + 1])
def test_content_hashes_take_files_of_several_chunks(size: int) -> None:
    data = bytes(size)
    assert len(swarm_hash(data)) == 32
    assert ipfs_hash(data)[:2] == b"\x12\x20"
    assert swarm_hash(data) != swarm_hash(data + b"\0")
    assert ipfs_hash(data) != ipfs_hash(data + b"\0")


def test_placeholders_are_linked_by_name() -> None:
    code = "60" + placeholder("a.sol:L") + "00"
    address = "0x" + "ab" * 20
    assert link_text(code, {"a.sol:L": address}) == "60" + "ab" * 20 + "00"
    assert link_text(code, {"b.sol:L": address}) == code
    with pytest.raises(LinkError):
        link_text(code, {"a.sol:L": "0x12"})


def test_simple_counter_loops_are_recognised() -> None:
    from smartvm.compiler.artifacts.ast_json import source_unit_json

    def flags(body: str) -> list[bool]:
        text = HEAD + "contract C { uint s; function f(uint n) public { " + body + " } }"
        tree = source_unit_json(CompilationUnit({"a.sol": text}), "a.sol", analysed=True)
        found: list[bool] = []

        def walk(value: Any) -> None:
            if isinstance(value, dict):
                if value.get("nodeType") == "ForStatement":
                    found.append(value["isSimpleCounterLoop"])
                for part in value.values():
                    walk(part)
            elif isinstance(value, list):
                for part in value:
                    walk(part)

        walk(tree)
        return found

    assert flags("for (uint i = 0; i < n; ++i) {}") == [True]
    assert flags("for (uint i = 0; i < n; i++) { n = 1; }") == [True]
    assert flags("for (uint i = 0; i <= n; i++) {}") == [False]
    assert flags("for (uint i = 0; i < n; i++) { i += 2; }") == [False]
    assert flags("for (uint i = 0; i < n; i++) { assembly { i := 0 } }") == [False]
    assert flags("for (s = 0; s < n; s++) {}") == [False]
    assert flags("for (uint8 i = 0; i < n; i++) {}") == [False]


def test_assembly_defines_instructions_that_clients_do_not_know() -> None:
    from smartvm.compiler.artifacts.ast_json import source_unit_json
    from smartvm.instructions.loader import load_table

    instruction = next(
        i
        for i in load_table().instructions
        if i.implementation is not None and not i.operands and not i.results
    )
    name = instruction.yul_name
    text = HEAD + f"contract C {{ function f() internal {{ assembly {{ {name}() {name}() mstore(0, 1) }} }} }}"
    tree = source_unit_json(CompilationUnit({"a.sol": text}), "a.sol", analysed=True)
    block = tree["nodes"][1]["nodes"][0]["body"]["statements"][0]["AST"]
    kinds = [(statement["nodeType"], statement.get("name")) for statement in block["statements"]]
    assert kinds[0] == ("YulFunctionDefinition", name)
    assert [kind for kind, _ in kinds[1:]] == ["YulExpressionStatement"] * 3
