"""A project that is compiled again and again, with and without what was kept."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from smartvm.compiler.incremental.options import IncrementalOptions, Report
from smartvm.compiler.standard_json import compile_standard

HEAD = "// SPDX-License-Identifier: MIT\npragma solidity ^0.8.0;\n"

#: Base.sol <- Left.sol, Right.sol <- Both.sol; Alone.sol by itself. Each reports something.
PROJECT = {
    "Alone.sol": HEAD
    + """
contract Alone {
    uint256 immutable limit = 7;
    uint256 transient temporary;
    function f(uint256 unused) external returns (uint256) { temporary = limit; return temporary; }
}
""",
    "Base.sol": HEAD
    + """
abstract contract Base {
    struct Item { uint256 amount; address owner; }
    event Changed(Item item);
    Item internal item;
    uint256 immutable start = 3;
    function stop() internal virtual { revert("stop"); }
    function change(uint256 amount) external { item = Item(amount, msg.sender); emit Changed(item); }
    function halt() external { stop(); item.amount = 1; }
    function first() external view returns (uint256) { return start; }
}
""",
    "Both.sol": HEAD
    + """
import "./Left.sol";
import {Right} from "./Right.sol";
contract Both {
    Left public left = new Left();
    Right public right = new Right();
    function sum(uint256 x) external view returns (uint256) { uint256 y; return x; }
}
""",
    "Left.sol": HEAD
    + """
import "./Base.sol";
/// @title Left
contract Left is Base {
    uint256 transient seen;
    function name() external pure returns (string memory) { return "left"; }
}
""",
    "Right.sol": HEAD
    + """
import "./Base.sol";
contract Right is Base { function twice(uint256 x) external returns (uint256) { return 2 * x; } }
""",
}

#: What forge asks for.
OUTPUTS = (
    "abi", "metadata", "evm.methodIdentifiers", "evm.bytecode.object", "evm.bytecode.sourceMap",
    "evm.bytecode.linkReferences", "evm.deployedBytecode.object", "evm.deployedBytecode.sourceMap",
    "evm.deployedBytecode.linkReferences", "evm.deployedBytecode.immutableReferences",
)  # fmt: skip


class Project:
    """Sources, and compilations of them. ``compiled`` holds the names of what the last one compiled."""

    head = HEAD

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sources = dict(PROJECT)
        self.settings: dict[str, Any] = {"optimizer": {"enabled": True}}
        self.selection: dict[str, dict[str, Sequence[str]]] = {"*": {"*": OUTPUTS}}
        self.compiled: list[str] = []
        self.processes = 0

    @property
    def request(self) -> dict[str, Any]:
        selection = {file: {name: list(asked) for name, asked in of.items()} for file, of in self.selection.items()}
        return {
            "language": "Solidity",
            "sources": {name: {"content": text} for name, text in self.sources.items()},
            "settings": {**self.settings, "outputSelection": selection},
        }

    def _note(self, report: Report) -> None:
        self.compiled, self.processes = list(report.compiled), report.processes

    def compile(self, jobs: int = 1) -> str:
        """The answer as text, with the cache."""
        options = IncrementalOptions(self.folder, jobs=jobs, report=self._note)
        return json.dumps(compile_standard(self.request, None, options))

    def fresh(self) -> str:
        """The answer without the cache, in one process."""
        return json.dumps(compile_standard(self.request, None, IncrementalOptions()))

    def edit(self, name: str, old: str, new: str) -> None:
        assert old in self.sources[name]
        self.sources[name] = self.sources[name].replace(old, new)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "compiled")
