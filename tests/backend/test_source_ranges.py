"""Every instruction stands for a range of the source, or says that it stands for none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from smartvm.compiler.backend import AssembledObject, AssemblyItem
from smartvm.compiler.pipeline import CompilationUnit
from smartvm.compiler.settings import CompilerSettings
from smartvm.compiler.source import NO_SOURCE

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [
    ROOT / "examples" / "erc20" / "Token.sol",
    *(
        ROOT / "tests" / "functional" / "solidity" / "cases" / name
        for name in ("abi_coding.sol", "storage_arrays.sol", "inheritance.sol", "functions_as_values.sol")
    ),
]
#: Functions that are Solidity's; all others are the compiler's utility functions.
OWN = re.compile(r"(fun|modifier|constructor|getter|abstract)_")


def objects(text: str, optimize: bool) -> Iterator[AssembledObject]:
    unit = CompilationUnit({"a.sol": text}, CompilerSettings(optimize=optimize))
    for contract in unit.contracts.values():
        if contract.is_deployable:
            yield contract.assembled
            yield contract.deployed


def functions(part: AssembledObject) -> Iterator[tuple[str, list[AssemblyItem]]]:
    """The instructions of each Yul function, by its name; "" for the code outside of functions."""
    starts = {entry.offset: entry.name for entry in part.functions}
    found: dict[str, list[AssemblyItem]] = {}
    name = ""
    for item in part.items:
        name = starts.get(item.offset, name)
        if item.opcode is not None:
            found.setdefault(name, []).append(item)
    yield from found.items()


def straight_runs(items: list[AssemblyItem]) -> Iterator[list[AssemblyItem]]:
    """The instructions between jump targets."""
    run: list[AssemblyItem] = []
    for item in items:
        if item.name == "JUMPDEST" and run:
            yield run
            run = []
        run.append(item)
    yield run


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_instructions_without_range_are_shared_by_several_places(path: Path, optimize: bool) -> None:
    text = path.read_text()
    size = len(text.encode())
    for part in objects(text, optimize):
        for name, items in functions(part):
            for item in items:
                source = item.source
                assert source == NO_SOURCE or (source.file == 0 and 0 <= source.start <= source.end <= size)
            if name and not OWN.match(name):
                continue
            for run in straight_runs(items):
                if any(item.source == NO_SOURCE for item in run):
                    # An end of the execution that several places share, or what separates code from data.
                    assert run[-1].name in ("REVERT", "INVALID", "RETURN", "STOP", "JUMP"), (name, run)


def text_of(text: str, item: AssemblyItem) -> str:
    return text[item.source.start : item.source.end]


HEAD = "// SPDX-License-Identifier: MIT\npragma solidity ^0.8.0;\n"


def test_inlined_utility_code_stands_for_the_expression_that_it_computes() -> None:
    text = HEAD + "contract C { function f(uint a, uint b) external pure returns (uint) { return a + b; } }"
    (_, deployed) = objects(text, True)
    shown = {item.name: text_of(text, item) for item in deployed.items}
    assert shown["ADD"] == "a + b"
    assert shown["CALLDATALOAD"].startswith("function f(")


def test_utility_function_that_serves_one_place_stands_for_it(optimize: bool) -> None:
    text = HEAD + "contract C { string s; function f(string calldata t) external { s = t; } }"
    (_, deployed) = objects(text, optimize)
    stores = [text_of(text, item) for item in deployed.items if item.name == "SSTORE"]
    assert stores
    assert set(stores) == {"s = t"}


def test_ends_that_places_share_stand_for_neither() -> None:
    text = HEAD + (
        "contract C { function f(uint a) external pure returns (uint) {\n"
        "require(a != 1, 'same');\nif (a > 5) revert('same');\nif (a == 3) revert('other');\nreturn a; } }"
    )
    (_, deployed) = objects(text, True)
    reverts = [item for item in deployed.items if item.name == "REVERT"]
    shown = {text_of(text, item) if item.source != NO_SOURCE else "" for item in reverts}
    assert "" in shown
    assert any("other" in place for place in shown)
