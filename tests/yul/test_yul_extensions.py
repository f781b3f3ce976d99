"""An instruction given in Yul means the same as microcode and, where the VM lacks it, as code."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smartvm.compiler.backend import BackendSettings
from smartvm.compiler.source import SourceText
from smartvm.compiler.standalone_yul import compile_yul
from smartvm.extensions import kernels, microcode, without_extensions
from smartvm.instructions.loader import load_table
from smartvm.vm import BlockEnvironment, Machine, Message, TransactionEnvironment, WorldState
from smartvm.vm.state.memory import MemoryStore

TABLE = """
extends = "default"
[instructions.MAC]
opcode = 0xb0
operands = ["a", "b", "c"]
results = ["sum"]
gas = 9
pure = true
yul = "add(mul(a, b), c)"

[instructions.DIVMOD]
opcode = 0xb1
operands = ["a", "b"]
results = ["quotient", "remainder"]
gas = 12
pure = true
yul = "quotient := div(a, b) remainder := sub(a, mac(quotient, b, 0))"

[instructions.PUT]
opcode = 0xb2
operands = ["slot", "value"]
gas = 5100
reads = ["memory"]
writes = ["storage", "memory"]
yul = '''
if gt(value, 0xffffffff) { mstore(0, value) revert(0, 32) }
sstore(slot, value)
mstore(add(slot, 0x100), value)
'''

[instructions.TRIANGLE]
opcode = 0xb3
operands = ["n"]
results = ["sum"]
gas = { base = 5, dynamic = "microcode", percent = 50 }
pure = true
yul = "for { n := and(n, 63) } n { n := sub(n, 1) } { sum := add(sum, n) }"

[instructions.ANSWER]
opcode = 0xb4
operands = []
results = ["number_of_all"]
gas = 2
pure = true
yul = "42"
"""

PROGRAM = """
object "P" { code {
    let a, b := divmod(calldataload(0), calldataload(32))
    mstore(0, mac(a, b, triangle(a)))
    put(and(b, 31), calldataload(64))
    mstore(32, add(sload(and(b, 31)), answer()))
    mstore(64, mload(add(and(b, 31), 0x100)))
    return(0, 96)
} }
"""


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    file = tmp_path_factory.mktemp("t") / "t.toml"
    file.write_text(TABLE)
    return load_table(file)


@pytest.fixture(scope="module")
def programs(table):
    """Bytecode, table and microcode of each way to run the program."""
    found = []
    for expand in (False, True):
        for optimize in (False, True):
            compiled = compile_yul(
                SourceText("p.yul", PROGRAM, 0),
                table,
                "osaka",
                BackendSettings(optimize),
                expand_extensions=expand,
            )
            used = without_extensions(table) if expand else table
            found.append((compiled.assembled.bytecode, used, {} if expand else microcode(table)))
    return found


def run(bytecode, table, codes, data, gas=1_000_000):
    machine = Machine(table, "osaka", WorldState(MemoryStore()), BlockEnvironment(), microcode=codes)
    machine.begin_transaction(TransactionEnvironment(bytes(20)))
    return machine.call(Message(bytes(20), b"\x11" * 20, gas, data, code=bytecode))


WORDS = st.integers(0, 2**256 - 1) | st.integers(0, 100)


@settings(max_examples=40, deadline=None)
@given(WORDS, WORDS, st.integers(0, 2**33))
def test_microcode_and_compiled_in_code_give_the_same(programs, a, b, value):
    data = b"".join(word.to_bytes(32, "big") for word in (a, b, value))
    results = [run(*program, data) for program in programs]
    assert len({(r.success, r.reverted, r.output) for r in results}) == 1
    assert results[0].error is None
    quotient, remainder = (a // b, a % b) if b else (0, a)
    n = quotient & 63
    if value <= 0xFFFFFFFF:
        expected = [(quotient * remainder + n * (n + 1) // 2) % 2**256, value + 42]
        assert [int.from_bytes(results[0].output[i : i + 32], "big") for i in (0, 32)] == expected
    else:
        assert results[0].output == value.to_bytes(32, "big")


def test_expanded_table_is_the_one_that_was_extended(table):
    assert without_extensions(table).digest == load_table("default").digest
    assert without_extensions(load_table("default")) is load_table("default")


def test_metered_microcode_costs_its_share_and_stops_when_gas_ends(table):
    def compiled(text):
        return compile_yul(
            SourceText("p.yul", "{ " + text + " }", 0), table, "osaka", BackendSettings(False)
        ).assembled.bytecode

    codes = microcode(table)
    costs = [
        run(compiled(f"sstore(0, 0) pop(triangle({n}))"), table, codes, b"").gas_used for n in (0, 1, 2, 3)
    ]
    steps = {b - a for a, b in pairwise(costs)}
    assert max(steps) - min(steps) <= 1
    assert min(steps) > 10
    halted = run(compiled("pop(triangle(63))"), table, codes, b"", gas=200)
    assert not halted.success
    assert halted.error is not None
    assert halted.gas_used == 200


def test_kernel_beside_the_table_is_imported(tmp_path):
    (tmp_path / "kernels_of_test.py").write_text(
        "def double(context):\n    return context.operands[0] * 2 % 2**256\n"
    )
    (tmp_path / "t.toml").write_text(
        'extends = "default"\n[instructions.DOUBLE]\nopcode = 0xb0\n'
        'operands = ["x"]\nresults = ["y"]\ngas = 3\n'
        'pure = true\nkernel = "kernels_of_test:double"\n'
    )
    table = load_table(tmp_path / "t.toml")
    assert set(kernels(table)) == {"DOUBLE"}
    source = SourceText("p.yul", "{ mstore(0, double(21)) return(0, 32) }", 0)
    bytecode = compile_yul(source, table, "osaka", BackendSettings()).assembled.bytecode
    assert int.from_bytes(run(bytecode, table, {}, b"").output, "big") == 42
