#!/usr/bin/env python3
"""How much memory bytecode can make the VM take for its gas, in the worst programs that we know.

    python benchmarks/vm_memory.py [--gas 30000000]

Each program runs in a process of its own until its gas ends; printed is the growth of resident memory over
that of a program that does nothing.
"""

from __future__ import annotations

import argparse
import math
import resource
import subprocess
import sys

from smartvm.instructions.loader import load_table
from smartvm.vm import BlockEnvironment, Machine, Message, TransactionEnvironment, WorldState
from smartvm.vm.state.memory import MemoryStore

ACCOUNT = b"\xac" * 20
SENDER = b"\x5e" * 20

#: GAS gives a new number each time. The loops start at program counter 0.
LOOP = "5b{}600056"

INIT_CODE_SIZE = 49_152


def largest_memory(gas: int) -> str:
    """MLOAD of the last word that ``gas`` pays for: words * words / 512 + 3 * words."""
    words = (math.isqrt(2_359_296 + 2048 * (gas - 1000)) - 1536) // 2
    return f"63{32 * (words - 1):08x}5150"


def programs(gas: int) -> dict[str, tuple[str, str]]:
    """Name to (fork, code in hexadecimal)."""
    call_self = "5f5f5f5f5f305af1"
    return {
        "nothing": ("osaka", "00"),
        "memory of one frame": ("osaka", largest_memory(gas)),
        "memory of nested frames": ("osaka", "5f61588052" + call_self),
        "stacks of nested frames": ("osaka", "5f" * 900 + call_self),
        "transient slots written": ("osaka", LOOP.format("5a805d")),
        "slots read": ("osaka", LOOP.format("5a5450")),
        "slots read in Frontier": ("frontier", LOOP.format("5a5450")),
        "logs": ("osaka", LOOP.format("6120005fa0")),
        "accounts read": ("osaka", LOOP.format("5a3150")),
        "accounts read in Frontier": ("frontier", LOOP.format("5a3150")),
        "code analysed": (
            "osaka",
            f"61{INIT_CODE_SIZE:04x}60175f395b5a5f5261{INIT_CODE_SIZE:04x}5f5ff050600856".ljust(46, "0")
            + "5b" * INIT_CODE_SIZE,
        ),
        "data returned": ("osaka", LOOP.format("5f5f620100005f60045afa50")),
    }


def measure(name: str, gas: int) -> int:
    """Run one program; the process' peak of resident memory in KiB."""
    fork, code = programs(gas)[name]
    state = WorldState(MemoryStore())
    state.set_code(ACCOUNT, bytes.fromhex(code))
    machine = Machine(load_table("evm"), fork, state, BlockEnvironment(), engine="interpreter")
    machine.begin_transaction(TransactionEnvironment(SENDER), [SENDER, ACCOUNT])
    machine.call(Message(SENDER, ACCOUNT, gas))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--gas", type=int, default=30_000_000)
    parser.add_argument("--one", help="measure one program in this process and print KiB")
    options = parser.parse_args()
    if options.one:
        print(measure(options.one, options.gas))
        return
    base = 0
    for name in programs(options.gas):
        command = [sys.executable, __file__, "--one", name, "--gas", str(options.gas)]
        peak = int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        base = base or peak
        grown = max(peak - base, 0) * 1024
        print(f"{name:28s} {grown / 1e6:8.1f} MB {grown / options.gas:8.2f} bytes per gas", flush=True)


if __name__ == "__main__":
    main()
