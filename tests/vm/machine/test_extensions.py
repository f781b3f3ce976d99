"""Instructions of a table of one's own, executed behind the door: native, by a kernel, by microcode."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import pytest
from smartvm.errors import SmartVMError
from smartvm.instructions.loader import load_table
from smartvm.vm import HaltKind

TABLE = """
extends = "default"
name = "own"

[instructions.TWICE]
opcode = 0xb1
operands = ["x"]
results = ["y"]
gas = 7
kernel = "own_kernels:twice"
family = "own"
description = "x and x again."

[instructions.SUMMARY]
opcode = 0xb2
operands = ["offset", "size"]
results = ["sum", "count"]
gas = 5
kernel = "own_kernels:summary"
reads = ["memory"]
family = "own"
description = "Sum and count of bytes of memory."

[instructions.WRONG]
opcode = 0xb3
operands = []
gas = 1
kernel = "own_kernels:wrong"
family = "own"
description = "Its kernel is faulty."

[instructions.PICKY]
opcode = 0xb4
operands = ["x"]
gas = 1
kernel = "own_kernels:picky"
family = "own"
description = "Wants 7."

[instructions.KEEP]
opcode = 0xb5
operands = ["slot", "value"]
results = ["old"]
gas = 100
kernel = "own_kernels:keep"
writes = ["storage"]
reads = ["storage"]
family = "own"
description = "Exchanges a slot's word."
"""


def twice(context) -> int:
    return context.operands[0] * 2 % 2**256


def summary(context) -> tuple[int, int]:
    offset, size = context.operands
    context.gas.charge(3 * size)
    return sum(context.memory.read(offset, size)), size


def wrong(context) -> int:
    raise ZeroDivisionError("oh")


def picky(context) -> None:
    if context.operands[0] != 7:
        raise context.halt("7", str(context.operands[0]))


def keep(context) -> int:
    slot, value = context.operands
    old = context.storage.get(slot)
    context.storage.set(slot, value)
    return old


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_world):
    module = types.ModuleType("own_kernels")
    for function in (twice, summary, wrong, picky, keep):
        setattr(module, function.__name__, function)
    monkeypatch.setitem(sys.modules, "own_kernels", module)
    path = tmp_path / "own.toml"
    path.write_text(TABLE)
    return make_world(table=load_table(path))


TOP = bytes.fromhex("5f5260205ff3")  # 0 MSTORE 32 0 RETURN


def test_a_kernel_pops_pushes_and_costs_what_the_table_says(own) -> None:
    result = own.run(bytes.fromhex("6015b1") + TOP)
    assert int.from_bytes(result.output, "big") == 42
    assert result.gas_used == 3 + 7 + 2 + 3 + 3 + 3 + 2


def test_results_come_first_on_top_and_memory_is_paid_for(own) -> None:
    # byte 5 at 0, then SUMMARY(0, 33): sum on top of count
    result = own.run(bytes.fromhex("60055f5360215fb2") + bytes.fromhex("5f5260205260405ff3"))
    assert [int.from_bytes(result.output[i : i + 32], "big") for i in (0, 32)] == [5, 33]
    assert result.gas_used == 3 + 2 + 3 + 3 + 3 + 2 + 5 + 3 + 99 + 2 + 3 + 3 + 3 + 3 + 2


def test_a_halt_names_instruction_place_and_values(own) -> None:
    result = own.run(bytes.fromhex("6006b4"))
    assert result.error.kind is HaltKind.INSTRUCTION_FAILURE
    assert result.error.message == "PICKY at 2: expected 7, found 6"
    assert result.gas_left == 0


def test_running_out_of_gas_in_a_kernel_is_out_of_gas(own) -> None:
    assert own.run(bytes.fromhex("61ffff5fb2"), gas=5000).error.kind is HaltKind.OUT_OF_GAS


def test_a_faulty_kernel_is_the_users_error_in_one_message(own) -> None:
    with pytest.raises(SmartVMError, match="the kernel of WRONG failed: ZeroDivisionError: oh"):
        own.run(b"\xb3")


def test_storage_of_a_kernel_is_journalled_and_static_calls_refuse_it(own) -> None:
    exchange = bytes.fromhex("60096003b5")  # KEEP(3, 9)
    result = own.run(exchange + bytes.fromhex("50600354") + TOP)  # POP, SLOAD(3)
    assert int.from_bytes(result.output, "big") == 9
    own.state.set_code(b"\x07" * 20, exchange + bytes.fromhex("5f5ffd"))
    call = bytes.fromhex("5f5f5f5f5f73") + b"\x07" * 20 + bytes.fromhex("5af150")
    own.run(call)
    assert own.machine.storage(b"\x07" * 20, 3) == 0
    assert own.run(exchange, static=True).error.kind is HaltKind.STATIC_VIOLATION


def test_stack_needs_of_an_extension_are_checked(own) -> None:
    assert own.run(b"\xb1").error.kind is HaltKind.STACK_UNDERFLOW


def test_a_missing_kernel_is_told(tmp_path: Path, make_world) -> None:
    path = tmp_path / "own.toml"
    path.write_text(TABLE.replace("own_kernels", "no_such_module"))
    with pytest.raises(SmartVMError, match="no_such_module"):
        make_world(table=load_table(path))


def test_buffers_belong_to_the_frame(make_world) -> None:
    world = make_world(table="default")
    table = load_table()
    code = {i.name: bytes([i.opcode]) for i in table.instructions}
    three_items = bytes.fromhex("6003") + code["BUF_INIT"]
    world.state.set_code(b"\x07" * 20, code["BUF_SIZE"] + three_items + TOP)
    call = bytes.fromhex("60205f5f5f5f73") + b"\x07" * 20 + bytes.fromhex("5af150")
    # the callee starts with an empty Buffer, and leaves the caller's alone
    result = world.run(three_items + call + code["BUF_SIZE"] + bytes.fromhex("60205260405ff3"))
    assert [int.from_bytes(result.output[i : i + 32], "big") for i in (0, 32)] == [0, 3]


def test_a_dnn_failure_names_what_was_expected(make_world) -> None:
    world = make_world(table="default")
    opcode = load_table().by_name["BUF_FREE"].opcode
    error = world.run(bytes([0x60, 0x01, opcode])).error
    assert error.message.startswith("BUF_FREE at 2: expected ")
    assert "found" in error.message
