"""Time per gas of every DNN instruction's worst cases, against the interpreter's ordinary instructions.

    python benchmarks/dnn_gas.py [--json FILE]

A DNN instruction must not buy more than twice the machine time per unit of gas that the dearest ordinary
instruction does on the same machine; exit status 1 when one does. Time is CPU time (the machine may be
shared), the fastest of several runs, the kernel's own and that of the door to it (popping operands, building the
context), which is measured with BUF_SIZE, whose kernel does nothing.
"""

from __future__ import annotations

import os

os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")  # before NumPy loads its BLAS

import argparse
import json
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table
from smartvm.instructions.loader import load_table
from smartvm.vm import BlockEnvironment, KernelEvent, Machine, Message, TransactionEnvironment, WorldState
from smartvm.vm.dnn import WeightBlock
from smartvm.vm.state.memory import MemoryStore

ACCOUNT = bytes(18) + b"\xc0\xde"  # beyond the precompiled contracts
SENDER = bytes(18) + b"\xc0\xdd"
GAS = 10**13
FORK = "osaka"
TABLE = load_table()
OPCODES = {name: instruction.opcode for name, instruction in TABLE.by_name.items()}

Step = str | int
Program = list[Step]


@dataclass(frozen=True)
class Case:
    """``program`` with the instruction to measure last; ``blocks`` by id."""

    name: str
    what: str
    program: Program
    blocks: dict[int, WeightBlock]


@dataclass(frozen=True)
class Measurement:
    """Nanoseconds and gas of one execution."""

    name: str
    what: str
    gas: float
    nanoseconds: float

    @property
    def per_gas(self) -> float:
        """Nanoseconds per unit of gas."""
        return self.nanoseconds / self.gas


def assembled(program: Sequence[Step]) -> bytes:
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


def call(name: str, *operands: int) -> Program:
    """The instruction with its operands pushed, the first on top."""
    return [*reversed(operands), name]


def machine_with(blocks: dict[int, WeightBlock]) -> Machine:
    """A machine whose account holds the blocks."""
    state = WorldState(MemoryStore())
    state.set_nonce(ACCOUNT, 1)
    for block_id, block in blocks.items():
        state.set_block(ACCOUNT, block_id, block.encoded)
    return Machine(TABLE, FORK, state, BlockEnvironment())


def execute(machine: Machine, code: bytes) -> tuple[int, int]:
    """Nanoseconds and gas of one call."""
    machine.begin_transaction(TransactionEnvironment(SENDER), [SENDER, ACCOUNT])
    began = time.thread_time_ns()
    result = machine.call(Message(SENDER, ACCOUNT, GAS, code=code))
    ended = time.thread_time_ns()
    if not result.success:
        raise SystemExit(f"a benchmark program failed: {result.error and result.error.message}")
    return ended - began, result.gas_used


# -- ordinary instructions

_COUNT = 200

#: Instruction, what stands before it each time, what after it.
ORDINARY: list[tuple[str, Program, Program]] = [
    ("ADD", [3, "DUP1"], ["POP"]),
    ("MUL", [(1 << 255) - 19, "DUP1"], ["POP"]),
    ("DIV", [(1 << 128) + 1, (1 << 256) - 1], ["POP"]),
    ("SDIV", [3, (1 << 255) + 1], ["POP"]),
    ("MULMOD", [(1 << 255) - 19, (1 << 256) - 1, (1 << 256) - 3], ["POP"]),
    ("EXP", [(1 << 256) - 1, 3], ["POP"]),
    ("KECCAK256", [32, 0], ["POP"]),
    ("KECCAK256", [4096, 0], ["POP"]),
    ("MLOAD", [64], ["POP"]),
    ("MSTORE", [1, 64], []),
    ("MCOPY", [1024, 0, 2048], []),
    ("CALLDATACOPY", [1024, 0, 0], []),
    ("SLOAD", [1], ["POP"]),
    ("SSTORE", [1, 1], []),
    ("TLOAD", [1], ["POP"]),
    ("BALANCE", [2], ["POP"]),
    ("EXTCODEHASH", [2], ["POP"]),
    ("LOG1", [1, 32, 0], []),
    ("STATICCALL", [0, 0, 0, 0, 99, 0], ["POP"]),
]


def ordinary() -> Iterator[Measurement]:
    """Each ordinary instruction with the pushes and pops that it needs, many times in one code."""
    machine = machine_with({})
    for name, before, after in ORDINARY:
        code = assembled([*before, name, *after] * _COUNT)
        nanoseconds, gas = min(execute(machine, code) for _ in range(100))
        what = f"{before[0]} bytes" if name == "KECCAK256" else ""
        yield Measurement(name, what, gas / _COUNT, nanoseconds / _COUNT)


# -- DNN instructions


def ones(count: int, value: int = 1) -> WeightBlock:
    """A block of equal items."""
    return WeightBlock.of_integers([value] * count)


def filled(count: int, value: int) -> Program:
    """A Buffer of ``count`` items of ``value``."""
    return [*call("BUF_INIT", count), *call("BUF_FIL", value)]


#: A value for each tier of proven width: int16 products, float64, int64, 256 bits.
VALUES = {"int16": 100, "float64": 1 << 20, "int64": 1 << 28, "wide": 1 << 250}


def cases() -> Iterator[Case]:
    """The shapes that make the most work out of the least gas."""
    for width, value in VALUES.items():
        weight = {"int16": 100, "float64": 1 << 20, "int64": 1 << 27, "wide": 1 << 200}[width]
        big = 32 if width == "wide" else 64
        for c, o, side, k, s, p in [
            (1, 1, big, 1, 1, 0),
            (1, 1, big, 3, 1, 1),
            (1, 1, big, 1, 2, 0),
            (1, 64, 14, 3, 1, 1),
            (16, 1, 16, 5, 1, 2),
            (64, 64, 1, 3, 1, 1),
            (16, 16, big // 2, 3, 1, 1),
            (1, 1, 2, 2, 1, 30),
            (1, 1, 1, 1, 1, 0),
        ]:
            what = f"{width} C={c} O={o} {side}x{side} k={k} s={s} p={p}"
            blocks = {1: ones(o * c * k * k, weight), 2: ones(c * k * k, weight)}
            layer = filled(c * side * side, value)
            yield Case("CONV_MUL", what, [*layer, *call("CONV_MUL", 1, c, o, side, side, k, s, p)], blocks)
            yield Case("CONV_SING", what, [*layer, *call("CONV_SING", 2, c, c, side, side, k, s, p)], blocks)
            if (side - 1) * s - 2 * p + k >= 1:
                yield Case(
                    "CONV_TPD", what, [*layer, *call("CONV_TPD", 1, c, o, side, side, k, s, p)], blocks
                )
        for c, o, side, k in [(1, 1, 8, 3), (4, 4, 6, 2), (1, 1, 12, 1)]:
            what = f"{width} C={c} O={o} {side}^3 k={k}"
            layer = filled(c * side**3, value)
            blocks = {1: ones(o * c * k**3, weight)}
            yield Case("CONV_3D", what, [*layer, *call("CONV_3D", 1, c, o, side, side, k, 1, 0)], blocks)
        for n, o in [(1, 1), (1, 2048), (2048, 1), (256, 256), (1024, 1024)]:
            if width == "wide" and n * o > 1 << 17:
                continue
            what = f"{width} {n} -> {o}"
            blocks = {1: ones(n * o, weight)}
            yield Case("FULL_CON", what, [*filled(n, value), *call("FULL_CON", 1, n, 1, 1, o)], blocks)
        for rows, inner, columns in [(1, 1, 1), (64, 1, 64), (1, 512, 1), (32, 32, 32), (1, 64, 64)]:
            what = f"{width} {rows}x{inner}x{columns}"
            second = 32 * (2 + rows * inner)
            program: Program = [*filled(max(rows * inner, inner * columns), value)]
            program += call("BTOM", 64, rows * inner) + call("BTOM", second + 64, inner * columns)
            for at, number in ((0, rows), (32, inner), (second, inner), (second + 32, columns)):
                program += call("MSTORE", at, number)
            yield Case("MAT_MUL", what, [*program, *call("MAT_MUL", 0, second)], {})
        for c, side, k, s in [
            (1, 64, 1, 1),
            (1, 64, 2, 2),
            (1, 64, 3, 1),
            (64, 8, 8, 8),
            (1, 1, 1, 1),
            (1, 64, 1, 64),
        ]:
            what = f"{width} C={c} {side}x{side} k={k} s={s}"
            layer = filled(c * side * side, value)
            yield Case("POOL_MAX", what, [*layer, *call("POOL_MAX", c, side, side, k, s)], {})
            yield Case("POOL_AVG", what, [*layer, *call("POOL_AVG", c, side, side, k, s)], {})
            yield Case("POOL_OL", what, [*layer, *call("POOL_OL", c, side, k, s, k - 1)], {})
        for n in (1, 4096):
            layer = filled(n, value)
            what = f"{width} {n} items"
            blocks = {1: ones(n, weight)}
            yield Case("ACT_RL", what, [*layer, *call("ACT_RL", 1)], {})
            yield Case("BUF_SCL0", what, [*layer, *call("BUF_SCL0", 3)], {})
            yield Case("BUF_SCL1", what, [*layer, *call("BUF_SCL1", 3)], {})
            yield Case("BUF_BIAS", what, [*layer, *call("BUF_BIAS", 1)], blocks)
            for name in ("BUF_ADD", "BUF_MUL", "BUF_CAT"):
                yield Case(name, what, [*layer, *call("BUF_COPY", 0, n), name], {})
            yield Case("BUF_SWAP", what, [*layer, *call("BUF_COPY", 0, 1), "BUF_SWAP"], {})
            yield Case("BUF_COPY", what, [*layer, *call("BUF_COPY", 0, n)], {})
            yield Case("BUF_CLS", what, [*layer, *call("BUF_CLS", n)], {})
            yield Case("BUF_FIL", what, [*call("BUF_INIT", n), *call("BUF_FIL", value)], {})
            yield Case("BUF_ALLO", what, [*layer, *call("BUF_ALLO", n)], {})
            yield Case("BUF_FREE", what, [*layer, *call("BUF_FREE", n)], {})
            yield Case("MTOB", what, [*layer, *call("BTOM", 0, n), *call("MTOB", 0, n)], {})
            yield Case("BTOM", what, [*layer, *call("BTOM", 0, n), *call("BTOM", 0, n)], {})
            for size in (1, 7, 32) if width != "wide" else (32,):
                if value < 1 << (8 * size - 1):
                    packed = [*layer, *call("BTOM_PACK", 0, n, size)]
                    yield Case("BTOM_PACK", f"{what} of {size} bytes", packed * 2, {})
                    yield Case(
                        "MTOB_PACK", f"{what} of {size} bytes", [*packed, *call("MTOB_PACK", 0, n, size)], {}
                    )
            yield Case("BTOS1", what, [*layer, *call("BTOS1", 1, n)], {})
        yield Case("BTOS0", f"{width} 500 items", [*filled(500, value), *call("BTOS0", 0, 500)], {})
    for n in (1, 4096):
        yield Case("BUF_INIT", f"{n} items", [*call("BUF_INIT", n), *call("BUF_INIT", n)], {})
    for scale in (1000, (1 << 16) - 1, 1 << 16, 1 << 40, 1 << 254):
        for n in (1, 512):
            # distinct items, so that nothing is computed once for many
            steps: Program = []
            for i in range(n):
                steps += [*call("MSTORE", 32 * i, (i * 977 - 200_000) * scale // 100_000)]
            steps += call("MTOB", 0, n)
            for name in ("ACT_SM0", "ACT_SM1", "ACT_TANH"):
                yield Case(name, f"v={scale} {n} distinct items", [*steps, *call(name, scale)], {})


def measured(case: Case, door: float, repetitions: int) -> Measurement:
    """The fastest execution of a case's last instruction."""
    machine = machine_with(case.blocks)
    last: list[KernelEvent] = []
    machine.observer = lambda event: last.append(event)
    code = assembled(case.program)
    best: KernelEvent | None = None
    spent = 0
    for i in range(repetitions):
        last.clear()
        nanoseconds, _ = execute(machine, code)
        spent += nanoseconds
        if best is None or last[-1].nanoseconds < best.nanoseconds:
            best = last[-1]
        if i > 2 and spent > 300_000_000:
            break
    assert best is not None
    assert best.name == case.name
    return Measurement(case.name, case.what, best.gas, best.nanoseconds + door)


def door_time() -> float:
    """Nanoseconds to reach a kernel and come back."""
    machine = machine_with({})
    busy = assembled(["BUF_SIZE", "POP"] * _COUNT)
    idle = assembled([0, "POP"] * _COUNT)
    fast, slow = (min(execute(machine, code)[0] for _ in range(60)) for code in (idle, busy))
    return (slow - fast) / _COUNT


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", metavar="FILE", help="write all measurements")
    parser.add_argument("--repetitions", type=int, default=40)
    parser.add_argument("--only", metavar="NAME", help="one DNN instruction")
    options = parser.parse_args()
    console = Console()
    plain = list(ordinary())
    limit = 2 * max(m.per_gas for m in plain)
    table = Table("instruction", "operands", "gas", "ns", "ns/gas", title="ordinary instructions")
    for m in sorted(plain, key=lambda m: -m.per_gas):
        table.add_row(m.name, m.what[:50], f"{m.gas:.0f}", f"{m.nanoseconds:.0f}", f"{m.per_gas:.2f}")
    console.print(table)
    door = door_time()
    console.print(
        f"median {statistics.median(m.per_gas for m in plain):.2f} ns/gas; door {door:.0f} ns; "
        f"limit {limit:.2f} ns/gas"
    )
    results = [
        measured(case, door, options.repetitions)
        for case in cases()
        if options.only is None or case.name == options.only
    ]
    worst: dict[str, list[Measurement]] = {}
    for m in results:
        worst.setdefault(m.name, []).append(m)
    table = Table(
        "instruction", "worst cases", "gas", "ns", "ns/gas", "of the limit", title="DNN instructions"
    )
    for name, found in worst.items():
        for m in sorted(found, key=lambda m: -m.per_gas)[:3]:
            colour = "red" if m.per_gas > limit else ""
            share = f"{m.per_gas / limit:.2f}"
            row = (name, m.what, f"{m.gas:.0f}", f"{m.nanoseconds:.0f}", f"{m.per_gas:.2f}", share)
            table.add_row(*row, style=colour)
    console.print(table)
    if options.json:
        with open(options.json, "w") as file:
            json.dump(
                {"ordinary": [asdict(m) for m in plain], "dnn": [asdict(m) for m in results]}, file, indent=1
            )
    return 1 if any(m.per_gas > limit for m in results) else 0


if __name__ == "__main__":
    sys.exit(main())
