"""What the network examples share: their layers, weights, integer and float meaning, and how they get on a chain."""

from smartvm.examples.networks.deployment import argument, contract_path, deploy_network, deploy_plain, logits, places
from smartvm.examples.networks.layers import Network
from smartvm.examples.networks.models import NETWORKS, network_named
from smartvm.examples.networks.parameters import parameters_of, sample_input
from smartvm.examples.networks.reference import integer_output

__all__ = [
    "NETWORKS",
    "Network",
    "argument",
    "contract_path",
    "deploy_network",
    "deploy_plain",
    "integer_output",
    "logits",
    "network_named",
    "parameters_of",
    "places",
    "sample_input",
]
