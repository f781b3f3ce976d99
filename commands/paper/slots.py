"""What loading a storage slot takes."""

from __future__ import annotations

import tempfile

from smartvm.commands.paper.measurement import Duration, least_duration
from smartvm.instructions.loader import load_table

_ADDRESS = bytes(19) + b"\x55"
#: Loads slots 0 … calldata − 1: for { } i { } { i := sub(i, 1) pop(sload(i)) }
_LOOP = bytes.fromhex("5f35" + "5b" + "600190038054508060025700")
_COLD_LOAD_GAS = 2100


def load_time(count: int, repetitions: int = 3) -> Duration:
    """Milliseconds that a slot takes in a loop of SLOAD over ``count`` slots of a state on disk, opened anew each
    time."""
    from smartvm.vm.machine import Machine
    from smartvm.vm.messages import BlockEnvironment, Message, TransactionEnvironment
    from smartvm.vm.state import Account, AccountChange, PersistentStore
    from smartvm.vm.world import WorldState

    data = count.to_bytes(32, "big")
    durations = []
    with tempfile.TemporaryDirectory() as folder:
        store = PersistentStore.open_at(folder)
        store.commit({_ADDRESS: AccountChange(Account(1), slots={slot: 1000 + slot % 1000 for slot in range(count)})})
        store.close()
        for _ in range(repetitions):
            store = PersistentStore.open_at(folder)
            machine = Machine(load_table("default"), "osaka", WorldState(store), BlockEnvironment())
            machine.begin_transaction(TransactionEnvironment())
            results = []
            message = Message(bytes(20), _ADDRESS, 1 << 50, data, code=_LOOP)
            durations.append(least_duration(lambda: results.append(machine.call(message)), 1))  # noqa: B023
            machine.close()
            store.close()
            if not results[0].success or results[0].gas_used < _COLD_LOAD_GAS * count:
                raise RuntimeError(f"the loop over slots failed: {results[0].error}")
    best = Duration(min(d.wall for d in durations), min(d.processor for d in durations))
    return best.times(1 / count)
