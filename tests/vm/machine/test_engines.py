"""Random programs give the same result, gas, logs and storage in the interpreter, when compiled, and when
traced."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smartvm.vm import ExecutionResult, Machine
from smartvm.vm.trace import GasProfiler

CALLEE = b"\x07" * 20

#: Instructions with their stack operands; offsets and sizes are masked to stay affordable now and then.
PLAIN = {
    **dict.fromkeys(
        [
            "ADD",
            "MUL",
            "SUB",
            "DIV",
            "SDIV",
            "MOD",
            "SMOD",
            "SIGNEXTEND",
            "LT",
            "GT",
            "SLT",
            "SGT",
            "EQ",
            "AND",
            "OR",
            "XOR",
            "BYTE",
            "SHL",
            "SHR",
            "SAR",
        ],
        2,
    ),
    **dict.fromkeys(["ADDMOD", "MULMOD"], 3),
    **dict.fromkeys(["ISZERO", "NOT", "CLZ", "CALLDATALOAD", "SLOAD", "TLOAD", "BALANCE", "EXTCODESIZE"], 1),
    **dict.fromkeys(
        [
            "ADDRESS",
            "CALLER",
            "CALLDATASIZE",
            "RETURNDATASIZE",
            "CODESIZE",
            "PC",
            "MSIZE",
            "GAS",
            "TIMESTAMP",
        ],
        0,
    ),
}

SMALL = st.integers(0, 300)
VALUES = st.one_of(
    SMALL, st.sampled_from([2**255, 2**256 - 1, 2**64, 2**64 - 1, 2**128]), st.integers(0, 2**256 - 1)
)


@st.composite
def programs(draw: st.DrawFn) -> str:
    """Blocks with labels, jumps among them both ways, and every kind of effect. Loops end by gas."""
    count = draw(st.integers(1, 5))
    lines: list[str] = []
    for number in range(count):
        lines.append(f":b{number}")
        for _ in range(draw(st.integers(0, 8))):
            kind = draw(st.integers(0, 11))
            if kind <= 3:
                name = draw(st.sampled_from(sorted(PLAIN)))
                operands = " ".join(str(draw(VALUES)) for _ in range(PLAIN[name]))
                lines.append(f"{operands} {name}")
            elif kind == 4:
                lines.append(
                    draw(st.sampled_from(["DUP1", "DUP2", "DUP5", "SWAP1", "SWAP2", "POP", "SWAP3 POP"]))
                )
            elif kind == 5:
                lines.append(f"{draw(SMALL)} " + draw(st.sampled_from(["MLOAD", "SLOAD", "CALLDATALOAD"])))
            elif kind == 6:
                lines.append(
                    f"{draw(VALUES)} {draw(SMALL)} " + draw(st.sampled_from(["MSTORE", "MSTORE8", "SSTORE"]))
                )
            elif kind == 7:
                lines.append(f"{draw(SMALL)} {draw(SMALL)} KECCAK256")
            elif kind == 8:
                lines.append(f"{draw(SMALL)} {draw(SMALL)} LOG0")
            elif kind == 9:
                lines.append(f"0 0 {draw(SMALL)} 0 0 0x{CALLEE.hex()} {draw(SMALL)}00 CALL")
            elif kind == 10:
                lines.append(f"{draw(SMALL)} SLOAD 1 ADD DUP1 {draw(SMALL)} SSTORE")
            else:
                lines.append(f"{draw(SMALL)} {draw(SMALL)} {draw(SMALL)} MCOPY")
        target = draw(st.integers(0, count - 1))
        lines.append(
            draw(
                st.sampled_from(
                    [
                        "",
                        f"@b{target} JUMP",
                        f"DUP1 @b{target} JUMPI",
                        f"1 @b{target} JUMPI",
                        f"@b{target} SWAP1 POP JUMP",
                        # a return address on the stack, as internal functions have
                        f"@b{target} @b{draw(st.integers(0, count - 1))} JUMP",
                        "64 0 RETURN",
                        "32 0 REVERT",
                    ]
                )
            )
        )
    return "1 2 3 4 5 6 " + " ".join(lines)


def observed(machine: Machine, result: ExecutionResult) -> tuple[object, ...]:
    return (
        result.success,
        result.reverted,
        result.output,
        result.gas_left,
        result.refund,
        tuple(result.logs),
        result.error.kind if result.error else None,
        sorted(machine.arenas.changed_slots()),
    )


@settings(max_examples=60, deadline=None)
@given(text=programs(), gas=st.integers(0, 60_000))
def test_engines_agree(make_world, asm, text: str, gas: int) -> None:
    seen = []
    profiler = GasProfiler()
    for options in ({"engine": "interpreter"}, {"engine": "compiled"}, {"tracer": profiler}):
        world = make_world(**options)
        world.state.set_code(CALLEE, asm("0 SLOAD 1 ADD 0 SSTORE 32 0 RETURN"))
        seen.append(observed(world.machine, world.run(asm(text), gas=gas)))
    # Which halt it was may differ where several are due: a block is refused as a whole.
    comparable = [s[:6] + s[7:] for s in seen]
    assert comparable[0] == comparable[1] == comparable[2]
    if seen[0][0]:
        assert sum(spent for _, spent in profiler.by_instruction.values()) == gas - seen[0][3]


LOOPS = {
    "counting": "0 :loop 1 ADD DUP1 1000 GT @loop JUMPI 0 MSTORE 32 0 RETURN",
    "memory": "0 :loop DUP1 DUP1 32 MUL MSTORE 1 ADD DUP1 500 GT @loop JUMPI 32 MUL 0 RETURN",
    "storage": "0 :loop DUP1 DUP1 SSTORE DUP1 SLOAD POP 1 ADD DUP1 40 GT @loop JUMPI STOP",
    "nested": "0 0 :outer 0 :inner DUP3 DUP2 MUL DUP3 ADD SWAP2 POP 1 ADD DUP1 20 GT @inner JUMPI"
    " POP SWAP1 1 ADD SWAP1 DUP2 30 GT @outer JUMPI 0 MSTORE 32 0 RETURN",
    "internal function": "0 :loop @back DUP2 @double JUMP :back POP 1 ADD DUP1 300 GT @loop JUMPI"
    " 0 MSTORE 32 0 RETURN :double DUP1 ADD SWAP1 JUMP",
    "call in a loop": "0 :loop 0 0 0 0 0 4 GAS CALL POP 1 ADD DUP1 50 GT @loop JUMPI STOP",
    "dynamic jump in a loop": "0 :loop 1 ADD DUP1 1 AND 0 CALLDATALOAD ADD POP @next 0 ADD JUMP :next"
    " DUP1 90 GT @loop JUMPI 0 MSTORE 32 0 RETURN",
    "ends by gas": "0 :loop 1 ADD @loop JUMP",
    "ends by the stack": "0 :loop DUP1 1 ADD @loop JUMP",
    "bad jump": "0 :loop 1 ADD DUP1 100 GT @loop JUMPI 3 JUMP",
}


@pytest.mark.parametrize("name", LOOPS)
@pytest.mark.parametrize("gas", [3_000, 29_999, 1_000_000])
def test_loops_agree(make_world, asm, name: str, gas: int) -> None:
    seen = []
    for engine in ("interpreter", "compiled", "compiled"):
        world = make_world(engine=engine)
        seen.append(observed(world.machine, world.run(asm(LOOPS[name]), gas=gas)))
    assert seen[0] == seen[1] == seen[2]
