"""The fuzzer makes the same programs from the same seed, reaches everything, and notices what is wrong."""

from __future__ import annotations

import pytest
from smartvm.instructions.loader import load_table
from smartvm.vm import Fork
from smartvm.vm.fuzzing import PEERS, PeerUnavailable, Scenario, make_scenario, run_campaign

TABLE = load_table("evm")


def test_scenarios_depend_on_seed_and_number_alone() -> None:
    first, again = (make_scenario(TABLE, Fork.OSAKA, "seed", 3) for _ in range(2))
    assert first == again
    assert make_scenario(TABLE, Fork.OSAKA, "seed", 4) != first
    assert make_scenario(TABLE, Fork.OSAKA, "other", 3) != first


@pytest.mark.parametrize("fork", [Fork.FRONTIER, Fork.LONDON, Fork.OSAKA])
def test_every_instruction_of_the_fork_is_written(fork: Fork) -> None:
    written: set[int] = set()
    for index in range(150):
        for change in make_scenario(TABLE, fork, "reach", index).accounts.values():
            written.update(change.code or b"")
    missing = {row.name for opcode, row in TABLE.for_fork(fork.label).items() if opcode not in written}
    assert not missing


def test_every_type_of_transaction_is_sent() -> None:
    assert {make_scenario(TABLE, Fork.PRAGUE, "types", i).transaction.type for i in range(60)} == {
        0,
        1,
        2,
        3,
        4,
    }


class Contrarian:
    """A peer that disagrees on every third scenario."""

    def check(self, scenario: Scenario) -> str | None:
        return "no" if int(scenario.name.rsplit("/", 1)[1]) % 3 == 0 else None


def test_differences_are_told_by_number() -> None:
    told = []
    tally = run_campaign(TABLE, Fork.CANCUN, {"peer": Contrarian()}, "s", range(7), on_difference=told.append)
    assert [difference.index for difference in tally.differences] == [0, 3, 6]
    assert told == tally.differences
    assert tally.compared == {"peer": 7}


@pytest.mark.peer
@pytest.mark.parametrize(
    ("peer", "fork"), [("pyrevm", Fork.CANCUN), ("eels", Fork.OSAKA), ("eels", Fork.HOMESTEAD)]
)
def test_peers_agree_on_a_few_programs(peer: str, fork: Fork) -> None:
    pytest.importorskip({"pyrevm": "pyrevm", "eels": "ethereum.forks.osaka"}[peer])
    peers = {peer: PEERS[peer](TABLE, fork, "interpreter")}
    assert run_campaign(TABLE, fork, peers, "test", range(25)).differences == []


@pytest.mark.peer
def test_forks_that_a_peer_lacks_are_refused() -> None:
    pytest.importorskip("pyrevm")
    with pytest.raises(PeerUnavailable, match="ends at cancun"):
        PEERS["pyrevm"](TABLE, Fork.OSAKA, "interpreter")
