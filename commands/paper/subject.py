"""A network made ready: its contract and weights in a state on disk, which machines of any options open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import smartvm
from smartvm.examples.networks import (
    argument,
    deploy_network,
    integer_output,
    logits,
    parameters_of,
    sample_input,
)
from smartvm.examples.networks.deployment import CALL_GAS
from smartvm.examples.networks.layers import Network
from smartvm.vm.messages import ExecutionResult

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Subject:
    """A network, its parameters, a picture, and where its state is."""

    network: Network
    parameters: Mapping[str, Array]
    picture: Array
    state: Path
    address: str
    abi: list[Mapping[str, Any]]
    calldata: bytes

    @contextmanager
    def chain(self, **machine_options: Any) -> Iterator[smartvm.Chain]:
        """A chain over the state on disk."""
        chain = smartvm.Chain(state=self.state, **machine_options)
        try:
            yield chain
        finally:
            chain.close()

    def call(self, chain: smartvm.Chain) -> ExecutionResult:
        """Run ``logits`` on the picture. Raises SmartVMError when it fails."""
        result = chain.transact(self.address, self.calldata, gas=CALL_GAS, keep=False)
        if not result.success:
            raise smartvm.SmartVMError(f"{self.network.name} failed: {result.error}")
        return result

    def check(self) -> None:
        """Raise SmartVMError when the contract's scores are not the network's integers."""
        with self.chain() as chain:
            found = logits(self.network, self.contract(chain), self.picture)
        if not np.array_equal(found, integer_output(self.network, self.parameters, self.picture)):
            raise smartvm.SmartVMError(f"{self.network.name}: the contract's scores are not the network's integers")

    def contract(self, chain: smartvm.Chain) -> smartvm.Contract:
        """The contract on a chain."""
        return chain.at(self.address, self.abi)


def made_ready(network: Network, folder: Path) -> Subject:
    """Deploy the network and upload its weights to a state in ``folder``."""
    parameters = parameters_of(network)
    picture = sample_input(network)
    folder.mkdir(parents=True, exist_ok=True)
    chain = smartvm.Chain(state=folder)
    try:
        contract = deploy_network(chain, network, parameters)
        chain.commit()
        calldata = contract.logits.encode(argument(network, picture))
        return Subject(network, parameters, picture, folder, contract.address, contract.abi, calldata)
    finally:
        chain.close()
