"""Time per gas of every DNN instruction's worst cases, against the interpreter's ordinary instructions.

    python benchmarks/dnn_gas.py [--only NAME ...] [--json FILE]

A DNN instruction must not buy more than twice the machine time per unit of gas that the dearest ordinary
instruction does on the same machine; exit status 1 when one does. An attacker chooses the dearest, so that is the
limit, as it is where Ethereum's own prices are set; all ordinary instructions are printed, and of the DNN
instructions how many cases are dearer than the dearest that needs no other frame.

An instruction's time and gas are those that a loop with it takes more than the same loop without it, so that neither a
call's fixed costs nor what the instruction needs before it count. Each case runs on a machine whose compiled handlers
execute DNN instructions where they can (as in a process that executed many), and on one whose kernels do (as in a fresh
process). CPU time of the process (the machine may be shared), the least of several runs, turn by turn. The programs are
in ``dnn_gas_cases.py``.
"""

from __future__ import annotations

import os

os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", NUMBA_NUM_THREADS="1")  # before NumPy loads its BLAS

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from dnn_gas_cases import COUNTER, Case, Program, call, cases
from rich.console import Console
from rich.progress import track
from rich.table import Table
from smartvm.instructions.loader import load_table
from smartvm.vm import BlockEnvironment, Machine, Message, TransactionEnvironment, WorldState
from smartvm.vm.machine import DnnEngine
from smartvm.vm.state import PersistentStore
from smartvm.vm.state.memory import MemoryStore

SENDER = bytes(18) + b"\xc0\xdd"
ACCOUNT = bytes(18) + b"\xc0\xde"  # beyond the precompiled contracts
STOPPING = 0xC0DF  # an account whose code does nothing
EMPTY = 0xC0E0  # none
GAS = 10**15
TABLE = load_table()
OPCODES = {name: instruction.opcode for name, instruction in TABLE.by_name.items()}
ENGINES: tuple[DnnEngine, ...] = ("handlers", "kernels")

#: How long a loop should run, in nanoseconds, and how many rounds it may have.
_LOOP_NS = 3_000_000
_MOST_ROUNDS = 100_000
#: Slots of the state on disk.
_SLOTS = 2000


@dataclass(frozen=True)
class Measurement:
    """Nanoseconds and gas of one execution; ``engine`` executed it."""

    name: str
    what: str
    engine: str
    gas: float
    nanoseconds: float

    @property
    def per_gas(self) -> float:
        """Nanoseconds per unit of gas."""
        return self.nanoseconds / self.gas


def assembled(program: Sequence[str | int]) -> bytes:
    """Mnemonics, and integers as the shortest PUSH."""
    code = bytearray()
    for step in program:
        if isinstance(step, str):
            code.append(OPCODES[step])
            continue
        value = step % (1 << 256)
        size = max(1, (value.bit_length() + 7) // 8)
        code.append(OPCODES["PUSH1"] + size - 1)
        code += value.to_bytes(size, "big")
    return bytes(code)


def loop(first: Program, body: Program, rounds: int) -> bytes:
    """``first``, then ``body`` so many times, over the counter that it finds on the stack."""
    start = assembled((*first, rounds))
    again = (1, "SWAP1", "SUB", "DUP1", len(start), "JUMPI")
    return start + assembled(("JUMPDEST", *body, *again))


@contextmanager
def machine_for(case: Case, engine: DnnEngine) -> Iterator[Machine]:
    """A machine whose account holds the case's blocks."""
    with tempfile.TemporaryDirectory() as folder:
        store = PersistentStore.open_at(folder) if case.cold else MemoryStore()
        state = WorldState(store)
        state.set_nonce(ACCOUNT, 1)
        state.set_balance(ACCOUNT, 10**18)
        state.set_code(STOPPING.to_bytes(20, "big"), b"\0")
        for block_id, block in case.blocks.items():
            state.set_block(ACCOUNT, block_id, block.encoded)
        if case.cold:
            for slot in range(_SLOTS if not case.blocks else 0):
                state.set_storage(ACCOUNT, slot, slot + 1)
            state.commit()
        options = {"block_cache_bytes": 0} if case.cold else {}
        machine = Machine(TABLE, "osaka", state, BlockEnvironment(), dnn=engine, **options)
        try:
            yield machine
        finally:
            machine.close()
            if isinstance(store, PersistentStore):
                store.close()


def execute(machine: Machine, code: bytes) -> tuple[int, int]:
    """Nanoseconds and gas of a message call, whose changes are undone."""
    before = machine.state.snapshot()
    machine.begin_transaction(TransactionEnvironment(SENDER), [SENDER, ACCOUNT])
    began = time.process_time_ns()
    result = machine.call(Message(SENDER, ACCOUNT, GAS, code=code))
    ended = time.process_time_ns()
    if not result.success:
        raise SystemExit(f"a benchmark program failed: {result.error and result.error.message}")
    machine.state.revert(before)
    return ended - began, result.gas_used


def measured(case: Case, engine: DnnEngine, repetitions: int, steps: int = 1) -> Measurement:
    """What the case's step takes, of which the loop holds ``steps`` one after the other."""
    bodies = (*case.before, *case.step * steps, *case.after), (*case.before, *case.after)
    # what happens once (memory that grows, for one) happens before either loop; a counted step needs the counter
    first = case.first if case.counted else (*case.first, *bodies[0])
    with machine_for(case, engine) as machine:
        most = (len(case.blocks) or _SLOTS) if case.cold else _MOST_ROUNDS
        try:
            execute(machine, loop(first, bodies[0], min(8, most)))
            nothing = execute(machine, loop(first, (), 1))[0]
            few = min(8, most)
            a_round = max(1, (execute(machine, loop(first, bodies[0], few))[0] - nothing) // few)
            rounds = most if case.cold else max(2, min(most, _LOOP_NS // a_round))
            codes = [loop(first, body, rounds) for body in bodies]
            found = [[execute(machine, code) for code in codes] for _ in range(repetitions)]
        except SystemExit as error:
            raise SystemExit(f"{case.name}, {case.what} ({engine}): {error}") from None
    with_it, without = (min(turn[place][0] for turn in found) for place in (0, 1))
    gas = found[0][0][1] - found[0][1][1]
    per = rounds * steps
    return Measurement(case.name, case.what, engine, gas / per, max(0, with_it - without) / per)


#: Instruction, what is special, its program with what it needs and leaves, and whether each round finds another slot or
#: account in a state on disk.
ORDINARY: tuple[tuple[str, str, Program, bool], ...] = (
    ("ADD", "", (3, (1 << 255) - 19, "ADD", "POP"), False),
    ("MUL", "", ((1 << 255) - 19, (1 << 254) + 7, "MUL", "POP"), False),
    ("DIV", "", ((1 << 128) + 1, (1 << 256) - 1, "DIV", "POP"), False),
    ("SDIV", "", (3, (1 << 255) + 1, "SDIV", "POP"), False),
    ("MULMOD", "", ((1 << 255) - 19, (1 << 256) - 1, (1 << 256) - 3, "MULMOD", "POP"), False),
    ("EXP", "", ((1 << 256) - 1, 3, "EXP", "POP"), False),
    ("KECCAK256", "32 bytes", (32, 0, "KECCAK256", "POP"), False),
    ("KECCAK256", "4096 bytes", (4096, 0, "KECCAK256", "POP"), False),
    ("MLOAD", "", (64, "MLOAD", "POP"), False),
    ("MSTORE", "", (1, 64, "MSTORE"), False),
    ("MCOPY", "1024 bytes", (1024, 0, 2048, "MCOPY"), False),
    ("CALLDATACOPY", "1024 bytes", (1024, 0, 0, "CALLDATACOPY"), False),
    ("SLOAD", "warm", (1, "SLOAD", "POP"), False),
    ("SLOAD", "cold, on disk", (*call("SLOAD", COUNTER), "POP"), True),
    ("SSTORE", "warm", (1, 1, "SSTORE"), False),
    ("SSTORE", "cold, on disk", call("SSTORE", COUNTER, 7), True),
    ("TLOAD", "", (1, "TLOAD", "POP"), False),
    ("TSTORE", "", (1, 1, "TSTORE"), False),
    ("BALANCE", "warm", (EMPTY, "BALANCE", "POP"), False),
    ("BALANCE", "cold, on disk", (*call("BALANCE", COUNTER), "POP"), True),
    ("EXTCODEHASH", "warm", (STOPPING, "EXTCODEHASH", "POP"), False),
    ("EXTCODECOPY", "warm", call("EXTCODECOPY", STOPPING, 0, 0, 32), False),
    ("LOG1", "", (1, 32, 0, "LOG1"), False),
    ("STATICCALL", "no code", (*call("STATICCALL", 0, EMPTY, 0, 0, 0, 0), "POP"), False),
    ("STATICCALL", "STOP", (*call("STATICCALL", 0, STOPPING, 0, 0, 0, 0), "POP"), False),
    ("DELEGATECALL", "STOP", (*call("DELEGATECALL", 0, STOPPING, 0, 0, 0, 0), "POP"), False),
    ("CALL", "STOP, 1 wei", (*call("CALL", 0, STOPPING, 1, 0, 0, 0, 0), "POP"), False),
    ("STATICCALL", "identity", (*call("STATICCALL", 10**6, 4, 0, 32, 0, 32), "POP"), False),
    ("STATICCALL", "ecadd", (*call("STATICCALL", 10**6, 6, 0, 128, 0, 64), "POP"), False),
    ("STATICCALL", "modexp", (*call("STATICCALL", 10**6, 5, 0, 192, 0, 32), "POP"), False),
    ("CREATE2", "no code", (*call("CREATE2", 0, 0, 0, COUNTER), "POP"), False),
)
#: Those that need no frame but their own.
_FRAMES = {"STATICCALL", "DELEGATECALL", "CALL", "CREATE2"}


def ordinary(repetitions: int) -> Iterator[Measurement]:
    """Each ordinary instruction with the pushes and pops that it needs."""
    for name, what, step, cold in ORDINARY:
        case = Case(name, what, step, cold=cold)
        yield measured(case, "handlers", repetitions, 1 if case.counted else 32)


def print_ordinary(found: Sequence[Measurement], console: Console) -> None:
    """The dearest first."""
    table = Table("instruction", "", "gas", "ns", "ns/gas", title="ordinary instructions, with their operands")
    for column in table.columns[2:]:
        column.justify = "right"
    for m in sorted(found, key=lambda m: -m.per_gas):
        table.add_row(m.name, m.what, f"{m.gas:,.0f}", f"{m.nanoseconds:,.0f}", f"{m.per_gas:.2f}")
    console.print(table)


def print_dnn(found: Sequence[Measurement], limit: float, dear: float, console: Console) -> None:
    """The dearest cases of each instruction, by handlers and by kernels."""
    worst: dict[str, list[Measurement]] = {}
    for m in found:
        worst.setdefault(m.name, []).append(m)
    columns = "instruction", "worst cases", "by", "gas", "ns", "ns/gas", "of the limit"
    table = Table(*columns, title="DNN instructions")
    for column in table.columns[3:]:
        column.justify = "right"
    for name, ones in worst.items():
        for engine in ENGINES:
            for m in sorted((m for m in ones if m.engine == engine), key=lambda m: -m.per_gas)[:2]:
                colour = "red" if m.per_gas > limit else "yellow" if m.per_gas > dear else ""
                numbers = f"{m.gas:,.0f}", f"{m.nanoseconds:,.0f}", f"{m.per_gas:.2f}", f"{m.per_gas / limit:.2f}"
                table.add_row(name, m.what, engine, *numbers, style=colour)
    console.print(table)


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", metavar="FILE", type=Path, help="write all measurements")
    parser.add_argument("--repetitions", type=int, default=4)
    parser.add_argument("--only", metavar="NAME", action="append", help="a DNN instruction; may be repeated")
    options = parser.parse_args()
    console = Console(width=150)
    plain = list(ordinary(options.repetitions))
    print_ordinary(plain, console)
    slowest = max(plain, key=lambda m: m.per_gas)
    limit = 2 * slowest.per_gas
    without_frames = max((m for m in plain if m.name not in _FRAMES), key=lambda m: m.per_gas)
    console.print(
        f"limit {limit:.2f} ns/gas: twice {slowest.name} {slowest.what}; dearest without another frame "
        f"{without_frames.per_gas:.2f} ({without_frames.name} {without_frames.what}), "
        f"median {statistics.median(m.per_gas for m in plain):.2f}"
    )
    chosen = [case for case in cases() if not options.only or case.name in options.only]
    found = [
        measured(case, engine, options.repetitions)
        for case in track(chosen, console=console, transient=True)
        for engine in ENGINES
    ]
    print_dnn(found, limit, without_frames.per_gas, console)
    for engine in ENGINES:
        ones = [m for m in found if m.engine == engine]
        over = sum(m.per_gas > without_frames.per_gas for m in ones)
        failed = sum(m.per_gas > limit for m in ones)
        console.print(
            f"{engine}: {len(ones)} cases, median {statistics.median(m.per_gas for m in ones):.2f} ns/gas, {over} "
            f"dearer than {without_frames.name} {without_frames.what}, {failed} beyond the limit"
        )
    if options.json:
        document = {"limit": limit, "ordinary": [asdict(m) for m in plain], "dnn": [asdict(m) for m in found]}
        options.json.write_text(json.dumps(document, indent=1) + "\n")
    return 1 if any(m.per_gas > limit for m in found) else 0


if __name__ == "__main__":
    sys.exit(main())
