"""``evm.gasEstimates``: what deployment and calls cost, as far as a bound is known
(docs/using-the-compiler.rst)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from smartvm.compiler.pipeline import CompiledContract

#: Gas for each byte of deployed code (Yellow Paper, G_codedeposit).
CODE_DEPOSIT_GAS = 200

#: solc's word for "no bound is known".
UNBOUNDED = "infinite"


def gas_estimates(contract: CompiledContract) -> dict[str, Any]:
    """Creation and external functions. Depositing the code has an exact price; executing code has no bound
    that holds for every state and input, which is said as ``infinite``."""
    deposit = CODE_DEPOSIT_GAS * len(contract.deployed.bytecode)
    estimates: dict[str, Any] = {
        "creation": {
            "codeDepositCost": str(deposit),
            "executionCost": UNBOUNDED,
            "totalCost": UNBOUNDED,
        }
    }
    if contract.method_identifiers:
        estimates["external"] = dict.fromkeys(contract.method_identifiers, UNBOUNDED)
    return estimates
