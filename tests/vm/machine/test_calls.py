"""Calls, creations and self-destruction."""

from __future__ import annotations

import pytest
from smartvm.vm import HaltKind, Message
from smartvm.vm.call_instructions import created_address, created_address_with_salt

ACCOUNT, OTHER, THIRD = b"\xac" * 20, b"\x07" * 20, b"\x33" * 20


def call(kind: str, address: bytes, *, gas: str = "GAS", value: int | None = 0, out: str = "32 0") -> str:
    middle = "" if kind in ("DELEGATECALL", "STATICCALL") else f"{value} "
    return f"{out} 0 0 {middle}0x{address.hex()} {gas} {kind}"


def word(result) -> int:
    assert result.success, result.error
    return int.from_bytes(result.output, "big")


RETURN_WORD = " POP 32 0 RETURN"


def test_each_kind_of_call_sees_its_own_environment(world, asm) -> None:
    world.state.set_balance(ACCOUNT, 100)
    world.state.set_code(OTHER, asm("CALLVALUE 0 MSTORE 32 0 RETURN"))
    world.state.set_code(THIRD, asm("ADDRESS CALLER XOR 0 MSTORE 32 0 RETURN"))
    assert word(world.run(asm(call("CALL", OTHER, value=3) + RETURN_WORD))) == 3
    assert word(world.run(asm(call("CALLCODE", OTHER, value=4) + RETURN_WORD))) == 4
    assert word(world.run(asm(call("DELEGATECALL", OTHER) + RETURN_WORD), value=9)) == 9
    own, other = int.from_bytes(ACCOUNT, "big"), int.from_bytes(THIRD, "big")
    sender = int.from_bytes(b"\x5e" * 20, "big")
    assert word(world.run(asm(call("CALL", THIRD) + RETURN_WORD))) == own ^ other
    assert word(world.run(asm(call("CALLCODE", THIRD) + RETURN_WORD))) == own ^ own
    assert word(world.run(asm(call("DELEGATECALL", THIRD) + RETURN_WORD))) == own ^ sender
    assert word(world.run(asm(call("STATICCALL", THIRD) + RETURN_WORD))) == own ^ other


def test_value_moves_and_comes_back_with_a_revert(world, asm) -> None:
    world.state.set_balance(ACCOUNT, 100)
    world.state.set_code(THIRD, asm("0 0 REVERT"))
    assert word(world.run(asm(call("CALL", OTHER, value=60) + " 0 MSTORE 32 0 RETURN"))) == 1
    assert (world.state.balance(ACCOUNT), world.state.balance(OTHER)) == (40, 60)
    assert word(world.run(asm(call("CALL", THIRD, value=40) + " 0 MSTORE 32 0 RETURN"))) == 0
    assert (world.state.balance(ACCOUNT), world.state.balance(THIRD)) == (40, 0)
    assert word(world.run(asm(call("CALL", OTHER, value=41) + " 0 MSTORE 32 0 RETURN"))) == 0


def test_a_call_keeps_a_64th_of_the_gas(world, asm) -> None:
    world.state.set_code(OTHER, asm("GAS 0 MSTORE 32 0 RETURN"))
    world.begin(OTHER)
    code = asm(call("STATICCALL", OTHER) + RETURN_WORD)
    result = world.machine.call(Message(b"\x5e" * 20, ACCOUNT, 100_000, code=code))
    before = 100_000 - (3 + 2 + 2 + 2 + 3 + 2) - 100 - 3  # pushes, GAS, the call, memory for the output
    assert word(result) == before - before // 64 - 2


def test_the_stipend_comes_on_top(world, asm) -> None:
    world.state.set_balance(ACCOUNT, 100)
    world.state.set_code(OTHER, asm("GAS 0 MSTORE 32 0 RETURN"))
    assert word(world.run(asm(call("CALL", OTHER, gas="0", value=1) + RETURN_WORD))) == 2300 - 2


@pytest.mark.parametrize("engine", ["interpreter", "compiled"])
def test_calls_nest_1024_deep_and_no_deeper(make_world, asm, engine: str) -> None:
    world = make_world("frontier", engine)  # no 63/64 rule: gas is no limit
    body = f"0x00/1 SLOAD 1 ADD 0x00/1 SSTORE 0x00/1 0x00/1 0x00/1 0x00/1 0x00/1 0x{ACCOUNT.hex()} GAS"
    code = asm(body + " 100000 SWAP1 SUB CALL POP STOP")
    world.state.set_code(ACCOUNT, code)
    world.begin()
    result = world.machine.call(Message(b"\x5e" * 20, ACCOUNT, 1_000_000_000))
    assert result.success, result.error
    assert world.machine.storage(ACCOUNT, 0) == 1025


def test_return_data_of_a_call(world, asm) -> None:
    world.state.set_code(OTHER, asm("0x1234 0 MSTORE 2 30 REVERT"))
    code = asm(
        call("CALL", OTHER, out="0 0") + " POP RETURNDATASIZE 0 0 RETURNDATACOPY RETURNDATASIZE 0 RETURN"
    )
    assert world.run(code).output == b"\x12\x34"


def test_output_beyond_the_area_is_cut(world, asm) -> None:
    world.state.set_code(OTHER, asm("-1 0 MSTORE 32 0 RETURN"))
    assert word(world.run(asm(call("CALL", OTHER, out="3 0") + RETURN_WORD))) == 0xFFFFFF << 232


def test_precompiled_contracts_answer(world, asm) -> None:
    code = asm(f"0xabcdef 0 MSTORE 32 32 3 29 0 {4} GAS CALL POP 32 32 RETURN")
    assert world.run(code).output == b"\xab\xcd\xef".ljust(32, b"\0")


INIT = "0x{runtime} 0 MSTORE {size} {offset} RETURN"


def init_code(asm, runtime: bytes) -> bytes:
    return asm(INIT.format(runtime=runtime.hex(), size=len(runtime), offset=32 - len(runtime)))


def deploy(asm, init: bytes, end: str, value: int = 0, salt: int | None = None) -> bytes:
    """Code that creates with ``init`` (which it holds at its end), then goes on with ``end``."""
    kind = "CREATE" if salt is None else f"0x{salt:02x}/1 SWAP3 SWAP2 SWAP1 CREATE2"
    for size in (2, 2):
        text = f"{len(init)} 0x{size:04x}/2 0 CODECOPY "
        if salt is None:
            text += f"{len(init)} 0 {value} {kind} {end}"
        else:
            text += f"{salt} {len(init)} 0 {value} CREATE2 {end}"
        size = len(asm(text))
        code = asm(text.replace("0x0002/2", f"0x{size:04x}/2"))
    return code + init


def test_create_deposits_code_at_the_address_of_the_nonce(world, asm) -> None:
    world.state.set_nonce(ACCOUNT, 5)
    runtime = asm("42 0 MSTORE 32 0 RETURN")
    result = world.run(deploy(asm, init_code(asm, runtime), "0 MSTORE 32 0 RETURN"))
    address = created_address(ACCOUNT, 5)
    assert result.output[12:] == address
    assert world.state.code(address) == runtime
    assert (world.state.nonce(ACCOUNT), world.state.nonce(address)) == (6, 1)


def test_create2_address(world, asm) -> None:
    init = init_code(asm, b"\x00")
    result = world.run(deploy(asm, init, "0 MSTORE 32 0 RETURN", salt=9))
    assert result.output[12:] == created_address_with_salt(ACCOUNT, 9, init)


@pytest.mark.parametrize(
    ("fork", "runtime", "works"), [("berlin", "ef", True), ("london", "ef", False), ("london", "fe", True)]
)
def test_code_may_not_start_with_ef_since_london(
    make_world, asm, fork: str, runtime: str, works: bool
) -> None:
    world = make_world(fork)
    init = init_code(asm, bytes.fromhex(runtime)).replace(b"\x5f", b"\x60\x00")
    code = deploy(asm, init, "0x00/1 MSTORE 32 0x00/1 RETURN").replace(b"\x5f", b"\x60\x00")
    world.begin()
    result = world.machine.create(Message(b"\x5e" * 20, b"", 1_000_000, init))
    assert result.success == works
    assert result.created_address == (created_address(b"\x5e" * 20, 0) if works else None)
    assert code


def test_code_size_limit(world, asm) -> None:
    for size, works in ((24576, True), (24577, False)):
        world.begin()
        result = world.machine.create(Message(b"\x5e" * 20, b"", 10_000_000, asm(f"{size} 0 RETURN")))
        assert result.success == works
        if not works:
            assert result.error.kind == HaltKind.CODE_SIZE


def test_creation_at_a_taken_address_fails(world, asm) -> None:
    world.state.set_nonce(created_address(b"\x5e" * 20, 0), 1)
    world.begin()
    result = world.machine.create(Message(b"\x5e" * 20, b"", 100_000, asm("STOP")))
    assert (result.error.kind, result.gas_left) == (HaltKind.ADDRESS_COLLISION, 0)
    assert world.state.nonce(b"\x5e" * 20) == 1


def test_self_destruct_before_and_since_cancun(make_world, asm) -> None:
    for fork, exists in (("shanghai", False), ("cancun", True)):
        world = make_world(fork)
        world.state.set_code(OTHER, asm(f"0x{THIRD.hex()} SELFDESTRUCT"))
        world.state.set_balance(OTHER, 77)
        world.run(asm(call("CALL", OTHER) + " POP"))
        world.machine.finish_transaction()
        assert world.state.balance(THIRD) == 77
        assert world.state.exists(OTHER) == exists
        assert world.state.balance(OTHER) == 0


def test_what_is_created_and_destroyed_in_one_transaction_is_gone(world, asm) -> None:
    world.begin()
    result = world.machine.create(Message(b"\x5e" * 20, b"", 100_000, asm("ADDRESS SELFDESTRUCT"), value=5))
    assert result.success
    world.machine.finish_transaction()
    assert not world.state.exists(result.created_address)


def test_transient_storage_is_gone_after_the_transaction(world, asm) -> None:
    code = asm("0 TLOAD 1 0 TSTORE 0 TLOAD 1 SHL OR 0 MSTORE 32 0 RETURN")
    assert word(world.run(code)) == 2
    world.machine.finish_transaction()
    assert word(world.run(code)) == 2


def test_a_revert_takes_warmth_back(world, asm) -> None:
    world.state.set_code(OTHER, asm("1 SLOAD 0 0 REVERT"))
    code = asm(call("DELEGATECALL", OTHER) + " POP GAS 1 SLOAD POP GAS SWAP1 SUB 0 MSTORE 32 0 RETURN")
    assert word(world.run(code)) == 3 + 2100 + 2 + 2


def test_a_delegation_runs_the_delegates_code(world, asm) -> None:
    world.state.set_code(OTHER, b"\xef\x01\x00" + THIRD)
    world.state.set_code(THIRD, asm("ADDRESS 0 MSTORE 32 0 RETURN"))
    assert word(world.run(asm(call("CALL", OTHER) + RETURN_WORD))) == int.from_bytes(OTHER, "big")
    world.begin(OTHER, THIRD)
    code = asm(call("CALL", OTHER) + RETURN_WORD)
    used = world.machine.call(Message(b"\x5e" * 20, ACCOUNT, 100_000, code=code)).gas_used
    assert used == (3 + 2 + 2 + 2 + 2 + 3 + 2) + 100 + 100 + 3 + (2 + 2 + 6 + 3 + 2) + 2 + 3 + 2


def test_memory_of_frames_is_their_own_and_zero(world, asm) -> None:
    world.state.set_code(OTHER, asm("-1 1000 MSTORE 1 0 MSTORE"))
    code = asm(
        call("CALL", OTHER, out="0 0")
        + f" POP 2000 MLOAD {call('CALL', OTHER, out='0 0')} POP 0 MSTORE 32 0 RETURN"
    )
    assert word(world.run(code)) == 0
