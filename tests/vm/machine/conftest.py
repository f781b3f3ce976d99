"""A small assembler and ways to run its code."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from smartvm.instructions.loader import load_table
from smartvm.vm import BlockEnvironment, ExecutionResult, Machine, Message, TransactionEnvironment, WorldState
from smartvm.vm.state.memory import MemoryStore

SENDER = b"\x5e" * 20
ACCOUNT = b"\xac" * 20


class World:
    """Accounts, and a machine on them."""

    def __init__(
        self, fork: str = "osaka", engine: str = "interpreter", table: str = "evm", **options: object
    ) -> None:
        self.state = WorldState(MemoryStore())
        self.state.set_balance(SENDER, 10**20)
        self.block = BlockEnvironment(
            number=1000, timestamp=99, coinbase=b"\xcb" * 20, base_fee=7, prev_randao=5
        )
        self.machine = Machine(
            table if not isinstance(table, str) else load_table(table),  # type: ignore[arg-type]
            fork,
            self.state,
            self.block,
            engine=engine,  # type: ignore[arg-type]
            **options,  # type: ignore[arg-type]
        )

    def begin(self, *warm: bytes) -> None:
        self.machine.begin_transaction(TransactionEnvironment(SENDER, 11), [SENDER, ACCOUNT, *warm])

    def run(
        self, code: bytes, *, data: bytes = b"", gas: int = 1_000_000, value: int = 0, static: bool = False
    ) -> ExecutionResult:
        """Execute ``code`` as the code of ACCOUNT, in a transaction of its own."""
        self.begin()
        return self.machine.call(Message(SENDER, ACCOUNT, gas, data, value, static, code))


def assemble(text: str) -> bytes:
    """Mnemonics of the `default` table; a number becomes the shortest PUSH, ``0x…/N`` a PUSHN; ``:name`` is a
    JUMPDEST and ``@name`` pushes it (PUSH2)."""
    table = load_table()
    opcodes = {i.name: i.opcode for i in table.instructions if i.until is None}
    code = bytearray()
    labels: dict[str, int] = {}
    uses: list[tuple[int, str]] = []
    for token in text.split():
        if token.startswith(":"):
            labels[token[1:]] = len(code)
            code.append(opcodes["JUMPDEST"])
        elif token.startswith("@"):
            code.append(opcodes["PUSH2"])
            uses.append((len(code), token[1:]))
            code += b"\0\0"
        elif token[0].isdigit() or token[0] == "-":
            number, _, width = token.partition("/")
            value = int(number, 0) % 2**256
            size = int(width) if width else (value.bit_length() + 7) // 8
            code.append(opcodes["PUSH1"] - 1 + size)
            code += value.to_bytes(size, "big")
        else:
            code.append(opcodes[token])
    for place, name in uses:
        code[place : place + 2] = labels[name].to_bytes(2, "big")
    return bytes(code)


#: Returns the word on top of the stack.
RETURN_TOP = " 0 MSTORE 32 0 RETURN"


@pytest.fixture(scope="session")
def asm() -> Callable[[str], bytes]:
    return assemble


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture(scope="session")
def make_world() -> type[World]:
    return World


@pytest.fixture
def top() -> Callable[..., int]:
    """Run code that leaves a word on the stack; the word."""

    def run(text: str, fork: str = "osaka", **options: object) -> int:
        result = World(fork).run(assemble(text + RETURN_TOP), **options)  # type: ignore[arg-type]
        assert result.success, result.error
        return int.from_bytes(result.output, "big")

    return run
