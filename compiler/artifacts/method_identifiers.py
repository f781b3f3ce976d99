"""Signatures and selectors of a contract's interface (docs/abi-spec.rst, "Function Selector")."""

from __future__ import annotations

from smartvm.compiler.analysis.model import SemanticModel
from smartvm.compiler.analysis.types import FunctionType
from smartvm.compiler.analysis.types.declarations import interface_functions
from smartvm.compiler.ast import nodes


def method_identifiers(contract: nodes.ContractDefinition, model: SemanticModel) -> dict[str, str]:
    """``transfer(address,uint256)`` to eight hex digits without ``0x``, by signature."""
    return {
        signature: f"{selector:08x}"
        for signature, selector in sorted(
            (function.external_signature(), selector)
            for selector, function in interface_functions(contract, model)
        )
    }


def error_and_event_identifiers(
    contract: nodes.ContractDefinition, model: SemanticModel
) -> dict[str, dict[str, str]]:
    """The selectors of errors and the topics of events, as ``solc --hashes`` lists them."""
    from smartvm.compiler.artifacts.abi import interface_events
    from smartvm.keccak import keccak256

    def signature(declaration: nodes.Declaration) -> str:
        declared = model.type_of_declaration(declaration)
        assert isinstance(declared, FunctionType)
        return declared.external_signature()

    events = {
        text: keccak256(text.encode()).hex()
        for text in sorted(signature(event) for event in interface_events(contract, model))
    }
    errors = {
        text: keccak256(text.encode())[:4].hex()
        for text in sorted(signature(error) for error in model.facts(contract).used_errors)
    }
    return {"errors": errors, "events": events}
