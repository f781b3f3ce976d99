"""Contract and semantic model -> Yul object.

``lower_contract`` lowers one contract; ``ContractLowering`` several of one compilation, sharing what they
have in common.
"""

from __future__ import annotations

from smartvm.compiler.analysis.model import SemanticModel
from smartvm.compiler.ast.nodes import ContractDefinition
from smartvm.compiler.lowering import (
    assembly,
    builtin_calls,
    calls,
    events_errors,
    expressions,
    external_calls,
    indexing,
    members,
    operators,
    statements,
    try_catch,
)
from smartvm.compiler.lowering.contracts import ContractLowering
from smartvm.compiler.lowering.settings import LoweringSettings
from smartvm.compiler.yul.ast import Object

__all__ = ["ContractLowering", "LoweringSettings", "lower_contract"]

#: Modules that register what they lower when they are imported.
_REGISTERED = (
    assembly,
    builtin_calls,
    calls,
    events_errors,
    expressions,
    external_calls,
    indexing,
    members,
    operators,
    statements,
    try_catch,
)


def lower_contract(contract: ContractDefinition, model: SemanticModel, settings: LoweringSettings) -> Object:
    """The creation object of a contract, which holds the deployed object and those of the contracts it
    creates.

    Raises ``FatalDiagnostic`` (solc's code 1834) for a feature that is not supported.
    """
    return ContractLowering(model, settings).lower(contract)
