"""LeNet-5 in plain Solidity, part by part, and what other networks would take so."""

from __future__ import annotations

from dataclasses import dataclass

import smartvm
from smartvm.commands.paper.executed import counting_table
from smartvm.commands.paper.measurement import Duration, least_duration
from smartvm.examples.networks import deploy_plain, network_named, parameters_of, sample_input
from smartvm.examples.networks.layers import Network
from smartvm.examples.networks.parameters import EXAMPLES
from smartvm.instructions.loader import load_table

_GAS = 1 << 40

_PARTS = """
contract Parts is LeNet5Plain {
    function readAll() external view returns (uint256 count) {
        for (uint256 id = 2; id < 12; id++) count += items(id).length;
    }
    function firstLayer(int256[] memory x) external view returns (int256[] memory) {
        return conv2d(x, 2, Shape(1, 6, 28, 5));
    }
}
"""


@dataclass(frozen=True, slots=True)
class PlainTimes:
    """What LeNet-5 in plain Solidity takes: a call, and of that reading and unpacking weights."""

    whole: Duration
    fetch: Duration

    def estimated(self, network: Network) -> tuple[Duration, Duration]:
        """Fetch and compute of another network, by its weights and its multiply-accumulates."""
        lenet = network_named("lenet5")
        fetch = self.fetch.times(network.weight_count / lenet.weight_count)
        return fetch, (self.whole - self.fetch).times(network.products / lenet.products)


def _contract(chain: smartvm.Chain) -> smartvm.Contract:
    text = (EXAMPLES / "lenet5" / "LeNet5Plain.sol").read_text("utf-8").replace("private view", "internal view")
    return deploy_plain(chain, parameters_of(network_named("lenet5")), text + _PARTS, "Parts")


def plain_times(repetitions: int) -> PlainTimes:
    """Milliseconds on the interpreter."""
    contract = _contract(smartvm.Chain(engine="interpreter"))
    picture = sample_input(network_named("lenet5")).reshape(-1)
    whole = least_duration(lambda: contract.logits.look(picture, gas=_GAS), repetitions)
    return PlainTimes(whole, least_duration(lambda: contract.readAll.look(gas=_GAS), repetitions))


def plain_instructions() -> tuple[int, int]:
    """Instructions that a call executes, and its first layer without what comes before it."""
    contract = _contract(smartvm.Chain(counting_table(load_table("default")), engine="interpreter"))
    picture = sample_input(network_named("lenet5")).reshape(-1)
    whole = contract.logits.look(picture, gas=_GAS).gas_used
    first = contract.firstLayer.look(picture, gas=_GAS).gas_used
    return whole, first
