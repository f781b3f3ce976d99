"""Running many scenarios against peers, and keeping count."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from smartvm.instructions.model import InstructionTable
from smartvm.vm.forks import Fork
from smartvm.vm.fuzzing.peers import Peer
from smartvm.vm.fuzzing.scenario import make_scenario


@dataclass(frozen=True, slots=True)
class Difference:
    """A scenario, by its number, on which a peer disagrees."""

    index: int
    peer: str
    message: str


@dataclass(slots=True)
class Tally:
    """What was compared so far, by peer."""

    compared: dict[str, int] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)


def run_campaign(
    table: InstructionTable,
    fork: Fork,
    peers: Mapping[str, Peer],
    seed: str,
    indexes: Iterable[int],
    *,
    on_difference: Callable[[Difference], None] | None = None,
) -> Tally:
    """Compare the scenarios with these numbers of ``seed`` with every peer."""
    tally = Tally(dict.fromkeys(peers, 0))
    for index in indexes:
        scenario = make_scenario(table, fork, seed, index)
        for name, peer in peers.items():
            message = peer.check(scenario)
            tally.compared[name] += 1
            if message is not None:
                difference = Difference(index, name, message)
                tally.differences.append(difference)
                if on_difference is not None:
                    on_difference(difference)
    return tally
