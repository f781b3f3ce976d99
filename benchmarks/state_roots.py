#!/usr/bin/env python3
"""How long state roots take after blocks of changes, in states of several sizes.

    python benchmarks/state_roots.py [--accounts 1000,10000,100000] [--changes 200]

Each block changes the balance of ``--changes`` random accounts. Times are of commit and root together, CPU
time of this process for the state in memory, wall time for the one on disk.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from smartvm.vm.state import Account, AccountChange, MemoryStore, PersistentStore

_BLOCKS = 7


def address(number: int) -> bytes:
    """An address of its own for each number."""
    return (number * 0x9E3779B97F4A7C15 % (1 << 160)).to_bytes(20, "big")


def time_blocks(
    store: MemoryStore | PersistentStore, accounts: int, changes: int, clock: Callable[[], float]
) -> float:
    """The median seconds of a block."""
    draw = random.Random(1)
    for first in range(0, accounts, 10_000):
        numbers = range(first, min(accounts, first + 10_000))
        store.commit({address(number): AccountChange(Account(0, number + 1)) for number in numbers})
    store.root()
    took = []
    for block in range(_BLOCKS):
        chosen = {address(draw.randrange(accounts)) for _ in range(changes)}
        start = clock()
        store.commit({one: AccountChange(Account(block + 1, draw.getrandbits(80))) for one in chosen})
        store.root()
        took.append(clock() - start)
    return statistics.median(took)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--accounts", default="1000,10000,100000")
    parser.add_argument("--changes", type=int, default=200)
    arguments = parser.parse_args()
    print(f"{'accounts':>10}{'memory, ms':>14}{'disk, ms':>14}    a block of {arguments.changes} changes")
    for accounts in map(int, arguments.accounts.split(",")):
        memory = time_blocks(MemoryStore(), accounts, arguments.changes, time.process_time)
        with tempfile.TemporaryDirectory() as folder:
            store = PersistentStore.open(Path(folder) / "state.db")
            disk = time_blocks(store, accounts, arguments.changes, time.perf_counter)
            store.close()
        print(f"{accounts:10,}{memory * 1e3:14.2f}{disk * 1e3:14.2f}", flush=True)


if __name__ == "__main__":
    main()
