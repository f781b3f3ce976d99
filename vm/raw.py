"""Runs code once or many times outside of any chain: the ``--code`` form of ``smartvm run``.

``python -m smartvm.vm.raw --code 0x… --input 0x… --gas N --bench K`` prints the same JSON line.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping
from typing import Any

from smartvm.instructions.loader import load_table
from smartvm.instructions.model import InstructionTable
from smartvm.vm.forks import Fork
from smartvm.vm.machine import Machine
from smartvm.vm.messages import BlockEnvironment, Engine, ExecutionResult, Message, TransactionEnvironment
from smartvm.vm.state.memory import MemoryStore
from smartvm.vm.tracing import Tracer
from smartvm.vm.world import WorldState

#: The executing account and who calls it; nothing else exists.
ACCOUNT = bytes.fromhex("00000000000000000000000000000000c0de0001")
SENDER = bytes.fromhex("00000000000000000000000000000000c0de0002")


def run_raw(
    code: bytes,
    data: bytes,
    gas: int,
    *,
    repetitions: int = 0,
    table: InstructionTable | None = None,
    fork: Fork | str = Fork.CANCUN,
    engine: Engine = "auto",
    tracer: Tracer | None = None,
    microcode: Mapping[str, bytes] | None = None,
) -> tuple[ExecutionResult, dict[str, Any]]:
    """Execute ``code`` as the code of the called account at depth 0, value 0.

    With ``repetitions`` it is executed once to warm up and then so many times, each from the same fresh
    state. The result of the last and the mapping that ``--json`` prints: output, gas_used, success, bench_ns,
    bench_cpu_ns, jit_ns.
    """
    state = WorldState(MemoryStore())
    state.set_nonce(ACCOUNT, 1)
    machine = Machine(
        table or load_table("evm"),
        fork,
        state,
        BlockEnvironment(),
        microcode=microcode,
        engine=engine,
        tracer=tracer,
    )
    jit_ns = machine.interpreter.compile_ns
    message = Message(SENDER, ACCOUNT, gas, data, code=code)
    fresh = state.snapshot()
    wall: list[int] = []
    processor: list[int] = []
    for i in range(repetitions + 1):
        machine.begin_transaction(TransactionEnvironment(SENDER), [SENDER, ACCOUNT])
        cpu, began = time.process_time_ns(), time.perf_counter_ns()
        result = machine.call(message)
        ended, cpu_ended = time.perf_counter_ns(), time.process_time_ns()
        state.revert(fresh)
        machine.arenas.forget_digests()
        if i:
            wall.append(ended - began)
            processor.append(cpu_ended - cpu)
    report: dict[str, Any] = {
        "output": "0x" + result.output.hex(),
        "gas_used": result.gas_used,
        "success": result.success,
        "bench_ns": wall,
        "jit_ns": jit_ns,
        "bench_cpu_ns": processor,
    }
    if result.error is not None:
        report["error"] = result.error.message
    return result, report


def _hexadecimal(text: str) -> bytes:
    if text.startswith("@"):
        with open(text[1:]) as file:
            text = file.read().strip()
    return bytes.fromhex(text.removeprefix("0x"))


def main(arguments: list[str] | None = None) -> int:
    """The command; exit status 0 on success, 1 when the call failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--code", required=True, type=_hexadecimal)
    parser.add_argument("--input", default=b"", type=_hexadecimal)
    parser.add_argument("--gas", default=10**12, type=int)
    parser.add_argument("--bench", default=0, type=int)
    parser.add_argument("--fork", default="cancun")
    parser.add_argument("--engine", default="auto", choices=("interpreter", "compiled", "auto"))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    result, report = run_raw(
        options.code,
        options.input,
        options.gas,
        repetitions=options.bench,
        fork=options.fork,
        engine=options.engine,
    )
    print(json.dumps(report))
    return 0 if result.success else 1


if __name__ == "__main__":
    sys.exit(main())
