"""What the tests of lowering start from: a source, and the printed Yul of its contracts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from smartvm.compiler.ast import nodes
from smartvm.compiler.pipeline import CompilationUnit
from smartvm.compiler.yul import ast as yul


@pytest.fixture
def lower(monkeypatch: pytest.MonkeyPatch) -> Callable[..., yul.Object]:
    """``lower(source, contract="C", **settings)``: the lowered object, before any pass."""
    import smartvm
    from smartvm.compiler.lowering import ContractLowering, LoweringSettings

    def call(source: str, contract: str = "C", **settings: object) -> yul.Object:
        captured: list[CompilationUnit] = []
        original = CompilationUnit.__init__

        def remember(self: CompilationUnit, *arguments: object, **named: object) -> None:
            original(self, *arguments, **named)  # type: ignore[arg-type]
            captured.append(self)

        monkeypatch.setattr(CompilationUnit, "__init__", remember)
        result = smartvm.compile_standard(
            {
                "language": "Solidity",
                "sources": {"a.sol": {"content": source}},
                "settings": {"outputSelection": {"*": {"*": ["abi"]}}},
            }
        )
        monkeypatch.undo()
        errors = [e["formattedMessage"] for e in result.get("errors", ()) if e["severity"] == "error"]
        assert not errors, errors
        model = captured[0].model
        lowering = ContractLowering(model, LoweringSettings(**settings))  # type: ignore[arg-type]
        (definition,) = (
            node
            for node in model.units["a.sol"].nodes
            if isinstance(node, nodes.ContractDefinition) and node.name == contract
        )
        return lowering.lower(definition)

    return call
