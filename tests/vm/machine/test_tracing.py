"""Traces: EIP-3155 lines and gas profiles."""

from __future__ import annotations

import io
import json

import pytest
from smartvm.vm.trace import GasProfiler, StandardTracer

OTHER = b"\x07" * 20


def traced(make_world, asm, text: str, gas: int = 100_000) -> tuple[list[dict], object]:
    out = io.StringIO()
    tracer = StandardTracer(out)
    world = make_world(tracer=tracer)
    world.state.set_code(OTHER, asm("1 0 SSTORE 0 0 REVERT"))
    result = world.run(asm(text), gas=gas)
    tracer.finish(result)
    return [json.loads(line) for line in out.getvalue().splitlines()], result


def test_lines_have_the_fields_of_eip_3155(make_world, asm) -> None:
    lines, result = traced(make_world, asm, "1 2 ADD 0 MSTORE 32 0 RETURN")
    assert lines[2] == {
        "pc": 4,
        "op": 1,
        "gas": hex(100_000 - 6),
        "gasCost": "0x3",
        "memSize": 0,
        "stack": ["0x1", "0x2"],
        "depth": 1,
        "returnData": "0x",
        "refund": "0x0",
        "opName": "ADD",
    }
    assert lines[4]["gasCost"] == "0x6"  # MSTORE with one word of memory
    assert lines[-1] == {"output": "0x" + "03".zfill(64), "gasUsed": hex(result.gas_used), "pass": True}


def test_a_call_costs_what_goes_along_and_deepens_the_trace(make_world, asm) -> None:
    lines, _ = traced(make_world, asm, f"0 0 0 0 0 0x{OTHER.hex()} 50000 CALL STOP")
    (call,) = [line for line in lines if line.get("opName") == "CALL"]
    assert int(call["gasCost"], 16) == 2600 + 50_000
    inner = [line for line in lines if line.get("depth") == 2]
    assert [line["opName"] for line in inner] == ["PUSH1", "PUSH0", "SSTORE", "PUSH0", "PUSH0", "REVERT"]
    assert inner[-1]["error"] == "execution reverted"


def test_the_halting_instruction_carries_the_error(make_world, asm) -> None:
    lines, _ = traced(make_world, asm, "1 2 ADD ADD")
    assert "stack underflow" in lines[-2]["error"]
    assert lines[-1]["pass"] is False
    assert "ADD at 5" in lines[-1]["error"]


@pytest.mark.parametrize(
    "text", ["1 0 SSTORE", f"0 0 0 0 0 0x{OTHER.hex()} 50000 CALL POP 64 0 KECCAK256", "0 0 0 CREATE"]
)
def test_a_profile_adds_up_to_the_gas_used(make_world, asm, text: str) -> None:
    profiler = GasProfiler()
    world = make_world(tracer=profiler)
    world.state.set_code(OTHER, asm("1 0 SSTORE"))
    result = world.run(asm(text))
    assert result.success
    assert sum(gas for _, gas in profiler.by_instruction.values()) == result.gas_used
