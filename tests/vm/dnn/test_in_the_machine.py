"""DNN instructions executed by the machine: frames, accounts, reverts, tables."""

from __future__ import annotations

import pytest
from smartvm.instructions.loader import load_table
from smartvm.vm import BlockEnvironment, HaltKind, Machine, Message, TransactionEnvironment, WorldState
from smartvm.vm.dnn import WeightBlock
from smartvm.vm.state.memory import MemoryStore

ACCOUNT, OTHER, SENDER = (bytes(18) + end for end in (b"\xc0\x01", b"\xc0\x02", b"\xc0\x03"))


def assemble(table, *steps):
    code = bytearray()
    for step in steps:
        if isinstance(step, str):
            code.append(table.by_name[step].opcode)
            continue
        size = max(1, (step.bit_length() + 7) // 8)
        code += bytes([0x5F + size]) + step.to_bytes(size, "big")
    return bytes(code)


def call(name, *operands):
    return [*reversed(operands), name]


#: Return the word on top of the stack.
RETURN = [0, "MSTORE", 32, 0, "RETURN"]


class World:
    def __init__(self, table="default", engine="auto"):
        self.table = load_table(table)
        self.state = WorldState(MemoryStore())
        self.machine = Machine(self.table, "osaka", self.state, BlockEnvironment(), engine=engine)

    def code(self, account, *steps):
        self.state.set_code(account, assemble(self.table, *steps))

    def run(self, gas=10_000_000, is_static=False):
        self.machine.begin_transaction(TransactionEnvironment(SENDER), [SENDER, ACCOUNT])
        result = self.machine.call(Message(SENDER, ACCOUNT, gas, is_static=is_static))
        self.machine.finish_transaction()
        return result

    def word(self, **options):
        result = self.run(**options)
        assert result.success, result.error
        return int.from_bytes(result.output, "big")

    def block(self, account, block_id):
        encoded = self.state.block(account, block_id)
        return None if encoded is None else WeightBlock.decode(encoded).to_integers()


SET = [*call("BUF_INIT", 3), *call("BUF_FIL", 7)]


@pytest.mark.parametrize("table", ["default", "paper"])
@pytest.mark.parametrize("engine", ["interpreter", "auto"])
def test_a_network_runs_under_either_table(table, engine):
    world = World(table, engine)
    layers = [*call("BTOS1", 9, 4), *call("FULL_CON", 9, 4, 1, 1, 1), *call("BTOS0", 0, 1)]
    world.code(ACCOUNT, *call("BUF_INIT", 4), *call("BUF_FIL", 3), *layers, *RETURN)
    assert world.word() == 36
    assert world.block(ACCOUNT, 9) == [3, 3, 3, 3]


def test_the_paper_table_has_the_published_opcodes():
    table = load_table("paper")
    published = {
        "CONV_SING": 0x21,
        "BUF_SCL1": 0x2F,
        "BUF_BIAS": 0x30,
        "MTOB": 0x31,
        "BTOS1": 0x34,
        "BUF_COPY": 0x3A,
    }
    assert {name: table.by_name[name].opcode for name in published} == published


def test_ethereum_alone_has_no_dnn_instruction():
    world = World("evm")
    world.state.set_code(ACCOUNT, assemble(load_table("default"), *SET))
    assert world.run().error.kind is HaltKind.INVALID_INSTRUCTION


def test_every_frame_has_its_own_buffer():
    world = World()
    world.code(OTHER, *SET)
    called = call("CALL", 100_000, int.from_bytes(OTHER, "big"), 0, 0, 0, 0, 0)
    world.code(ACCOUNT, *call("BUF_INIT", 5), *called, "POP", "BUF_SIZE", *RETURN)
    assert world.word() == 5


def test_a_failure_names_instruction_place_expected_and_found():
    world = World()
    world.code(ACCOUNT, *SET, *call("POOL_MAX", 1, 2, 2, 1, 1))
    result = world.run()
    assert not result.success
    assert result.gas_left == 0
    assert result.error.instruction == "POOL_MAX"
    assert result.error.program_counter == 16
    assert "1x2x2 = 4 items" in result.error.message
    assert "3 items" in result.error.message


def test_a_delegate_call_uses_the_callers_blocks():
    world = World()
    world.code(OTHER, *SET, *call("BTOS1", 1, 3))
    called = call("DELEGATECALL", 1_000_000, int.from_bytes(OTHER, "big"), 0, 0, 0, 0)
    world.code(ACCOUNT, *called, *RETURN)
    assert world.word() == 1
    assert world.block(ACCOUNT, 1) == [7, 7, 7]
    assert world.block(OTHER, 1) is None


def test_a_revert_takes_blocks_and_their_warmth_back():
    world = World()
    world.state.set_block(OTHER, 2, WeightBlock.of_integers([1]).encoded)
    world.code(OTHER, *SET, *call("BTOS1", 1, 3), *call("BUF_BIAS", 2), *call("REVERT", 0, 0))
    called = call("CALL", 1_000_000, int.from_bytes(OTHER, "big"), 0, 0, 0, 0, 0)
    gas_of_call = ["GAS", *called, "POP", "GAS", "SWAP1", "SUB"]
    # the second call pays the same as the first but for the account, which stays warm
    world.code(ACCOUNT, *called, "POP", *gas_of_call, *gas_of_call, "SUB", *RETURN)
    assert world.word() == 0
    assert world.block(OTHER, 1) is None


def test_blocks_stay_warm_within_a_transaction_and_are_cold_in_the_next():
    world = World()
    world.state.set_block(ACCOUNT, 2, WeightBlock.of_integers([1]).encoded)
    priced = ["GAS", *call("BUF_BIAS", 2), "GAS", "SWAP1", "SUB"]
    world.code(ACCOUNT, *priced, *priced, "SWAP1", "SUB", *RETURN)
    constants = dict(world.table.constants)
    difference = constants["block_cold_access"] - constants["block_warm_access"]
    assert world.word() == difference
    assert world.word() == difference


def test_storing_in_a_static_call_halts():
    world = World()
    world.code(ACCOUNT, *call("BTOS1", 1, 0))
    result = world.run(is_static=True)
    assert result.error.instruction == "BTOS1"
    assert "static" in result.error.message


@pytest.mark.parametrize("room", [1, 0])
def test_pushing_items_halts_where_the_stack_is_full(room):
    world = World()
    steps = [*call("BUF_INIT", 1000)] + [0] * (24 - room)
    world.code(ACCOUNT, *steps, *call("BTOS0", 0, 1000), "BUF_SIZE", "POP")
    # BTOS0's own operands are popped before it pushes
    assert world.run().success is (room == 1)


def test_memory_is_paid_for_as_by_mload_and_mstore():
    world = World()
    world.code(ACCOUNT, *call("BUF_INIT", 40), *call("BTOM", 4000, 40), "MSIZE", *RETURN)
    assert world.word() == (4000 + 1280 + 31) // 32 * 32
