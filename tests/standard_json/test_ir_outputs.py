"""The outputs ``ir``, ``irOptimized`` and their syntax trees."""

from __future__ import annotations

from typing import Any

import smartvm
from smartvm.compiler.backend import objects

SOURCE = """// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;
contract C {
    uint256 immutable start;
    uint256[] values;
    constructor(uint256 x) { start = x; }
    function sum(uint256 limit) external view returns (uint256 total) {
        total = start;
        for (uint256 i = 0; i < limit; i++) total += values[i];
    }
}
interface I {}
"""

Json = dict[str, Any]


def outputs(*names: str, language: str = "Solidity", text: str = SOURCE, optimize: bool = True) -> Json:
    result = smartvm.compile_standard(
        {
            "language": language,
            "sources": {"C": {"content": text}},
            "settings": {
                "experimental": True,
                "optimizer": {"enabled": optimize},
                "metadata": {"appendCBOR": False},
                "outputSelection": {"*": {"*": list(names)}},
            },
        }
    )
    assert not [error for error in result.get("errors", []) if error["severity"] == "error"]
    return result["contracts"]["C"]


def test_optimised_ir_is_the_program_after_the_passes_with_its_source_ranges() -> None:
    contract = outputs("ir", "irOptimized")["C"]
    assert "checked_add" in contract["ir"]
    assert "checked_add" not in contract["irOptimized"]  # inlined
    assert '/// @use-src 0:"C"' in contract["irOptimized"]
    place = SOURCE.index("i < limit")
    assert f"/// @src 0:{place}:{place + 9}" in contract["irOptimized"]
    assert "let total" in contract["irOptimized"].replace("var_total", "total")


def test_optimised_ir_compiles_to_the_code_of_the_contract() -> None:
    contract = outputs("irOptimized", "evm.bytecode")["C"]
    (again,) = outputs("evm.bytecode", language="Yul", text=contract["irOptimized"]).values()
    ratio = len(again["evm"]["bytecode"]["object"]) / len(contract["evm"]["bytecode"]["object"])
    assert 0.9 < ratio < 1.1


def test_without_optimizer_both_are_the_same_and_interfaces_have_none() -> None:
    contracts = outputs("ir", "irOptimized", optimize=False)
    assert contracts["C"]["ir"] == contracts["C"]["irOptimized"]
    assert contracts["I"] == {"ir": "", "irOptimized": ""}


def test_nothing_is_printed_that_nobody_asked_for(monkeypatch) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("the optimised program was printed")

    monkeypatch.setattr(objects, "program_to_yul", fail)
    assert set(outputs("*")["C"]).isdisjoint({"ir", "irOptimized", "irAst", "irOptimizedAst"})
    outputs("ir", "irAst")


def test_syntax_trees_give_places_in_the_text_and_in_the_source() -> None:
    contract = outputs("irOptimized", "irOptimizedAst", "irAst")["C"]
    text, tree = contract["irOptimized"], contract["irOptimizedAst"]
    assert tree["nodeType"] == "YulObject"
    (deployed,) = tree["subObjects"]
    assert deployed["name"].endswith("_deployed")
    loops = [node for node in _nodes(deployed) if node.get("nodeType") == "YulForLoop"]
    assert loops
    start, length, _ = map(int, loops[0]["nativeSrc"].split(":"))
    assert text[start : start + length].startswith("for { }")
    start, length, file = map(int, loops[0]["condition"]["src"].split(":"))
    assert (SOURCE[start : start + length], file) == ("i < limit", 0)
    assert contract["irAst"]["code"]["nodeType"] == "YulCode"


def _nodes(entry: Any) -> list[Json]:
    found: list[Json] = []
    work = [entry]
    while work:
        part = work.pop()
        if isinstance(part, dict):
            found.append(part)
            work += part.values()
        elif isinstance(part, list):
            work += part
    return found
