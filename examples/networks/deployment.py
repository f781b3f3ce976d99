"""Puts a network's contract on a chain and uploads its weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import smartvm
from smartvm.api.weights import FIRST_ID, Place, PlannedBlock
from smartvm.examples.networks.layers import Network
from smartvm.examples.networks.parameters import EXAMPLES, Integers, Parameters

#: Gas of a call: AlexNet takes 300 million.
CALL_GAS = 1 << 40


def contract_path(network: Network) -> Path:
    """The network's Solidity file."""
    return EXAMPLES / network.folder / f"{network.name}.sol"


def places(network: Network) -> dict[str, Place]:
    """The blocks that each array goes to."""
    result: dict[str, Place] = {}
    for layer in network.weighted:
        result[f"{layer.name}_weights"] = Place(layer.block, layer.parts)
        result[f"{layer.name}_bias"] = Place(layer.bias_block)
    return result


def deploy_network(
    chain: smartvm.Chain,
    network: Network,
    parameters: Parameters,
    source: str | Path | None = None,
    progress: Callable[[PlannedBlock], None] | None = None,
) -> smartvm.Contract:
    """Compile and deploy the contract (``source``, or the example's) and store its weights; ``progress`` is told of
    each block that is stored."""
    contract = chain.deploy(contract_path(network) if source is None else source, network.name)
    contract.upload_weights(parameters, places=places(network), progress=progress)
    return contract


def deploy_plain(
    chain: smartvm.Chain, parameters: Parameters, source: str | Path | None = None, name: str = "LeNet5Plain"
) -> smartvm.Contract:
    """LeNet-5 without DNN instructions (or a contract derived from it), its weights in ordinary storage slots."""
    contract = chain.deploy(EXAMPLES / "lenet5" / "LeNet5Plain.sol" if source is None else source, name)
    for block, items in enumerate(parameters.values(), FIRST_ID):
        packed = items.astype(items.dtype.newbyteorder(">")).tobytes()
        contract.upload.send(block, items.itemsize, packed)
    return contract


def argument(network: Network, picture: Integers) -> Any:
    """The argument of ``logits`` and ``classify``."""
    return picture.reshape(-1) if network.gray else picture.astype(">i2").tobytes()


def logits(network: Network, contract: smartvm.Contract, picture: Integers) -> Integers:
    """The scores that the contract gives for a picture."""
    return np.array(contract.logits.look(argument(network, picture), gas=CALL_GAS).value)
