"""Differential fuzzing: random programs from a seed, run here and by independent EVMs, and compared."""

from __future__ import annotations

from smartvm.vm.fuzzing.campaign import Difference, Tally, run_campaign
from smartvm.vm.fuzzing.peers import PEERS, Peer, PeerUnavailable
from smartvm.vm.fuzzing.scenario import Scenario, make_scenario

__all__ = [
    "PEERS",
    "Difference",
    "Peer",
    "PeerUnavailable",
    "Scenario",
    "Tally",
    "make_scenario",
    "run_campaign",
]
