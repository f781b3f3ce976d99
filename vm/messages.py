"""What goes into an execution and what comes out: environments, messages, results.

What every message needs one of is a named tuple: making one takes half of the time of a frozen dataclass.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Literal, NamedTuple

#: A code address that means: the code of ``Message.target``.
Address = bytes

#: Which of the tiers executes: ``auto`` moves hot code to the compiled tier.
Engine = Literal["interpreter", "compiled", "auto"]


#: What executes DNN instructions: ``kernels`` in Python, ``handlers`` inside the compiled interpreter wherever
#: they can, ``auto`` handlers for what was executed a few times.
DnnEngine = Literal["kernels", "handlers", "auto"]


def _no_block_hash(_number: int) -> bytes:
    return bytes(32)


@dataclass(frozen=True, slots=True)
class BlockEnvironment:
    """The block that a transaction is in. Addresses and hashes are bytes, the rest integers; ``block_hash``
    gives the hash of one of the last 256 blocks by number (the machine checks the range)."""

    number: int = 1
    timestamp: int = 1
    coinbase: Address = bytes(20)
    gas_limit: int = 30_000_000
    difficulty: int = 0
    prev_randao: int = 0
    base_fee: int = 0
    blob_base_fee: int = 1
    chain_id: int = 1
    block_hash: Callable[[int], bytes] = _no_block_hash


class TransactionEnvironment(NamedTuple):
    """What every frame of a transaction sees. ``gas_price`` is the effective one, in wei."""

    origin: Address = bytes(20)
    gas_price: int = 0
    blob_hashes: tuple[bytes, ...] = ()


class Message(NamedTuple):
    """A call, or for ``Machine.create`` a creation (``data`` is then the init code, ``target`` ignored).

    ``value`` is transferred before the code runs. ``code`` overrides the code of ``target``; nothing else of
    the account changes by that.
    """

    caller: Address
    target: Address
    gas: int
    data: bytes = b""
    value: int = 0
    is_static: bool = False
    code: bytes | None = None


@dataclass(frozen=True, slots=True)
class Log:
    """One event: address, up to four topics (32 bytes each), data."""

    address: Address
    topics: tuple[bytes, ...]
    data: bytes


class HaltKind(Enum):
    """Why a frame ended exceptionally."""

    OUT_OF_GAS = "out of gas"
    STACK_UNDERFLOW = "stack underflow"
    STACK_OVERFLOW = "stack overflow"
    INVALID_INSTRUCTION = "invalid instruction"
    INVALID_JUMP = "invalid jump destination"
    STATIC_VIOLATION = "state change in a static call"
    RETURNDATA_OUT_OF_BOUNDS = "returndata read out of bounds"
    CALL_DEPTH = "call depth limit reached"
    INSUFFICIENT_BALANCE = "insufficient balance"
    ADDRESS_COLLISION = "address collision"
    NONCE_OVERFLOW = "nonce overflow"
    CODE_SIZE = "code larger than the limit"
    CODE_PREFIX = "code starts with 0xef"
    PRECOMPILE_FAILURE = "precompiled contract failed"
    INSTRUCTION_FAILURE = "instruction failed"


@dataclass(frozen=True, slots=True)
class HaltInformation:
    """An exceptional halt: its kind, the instruction's mnemonic and program counter (None outside of code),
    and one line for people that names them with what was expected and found."""

    kind: HaltKind
    instruction: str | None
    program_counter: int | None
    message: str


class ExecutionResult(NamedTuple):
    """What a message came to.

    ``success``: it ended by STOP, RETURN or SELFDESTRUCT. ``reverted``: by REVERT. ``error`` is set when it
    halted exceptionally. ``refund`` is the counter of the transaction so far, not yet capped. ``gas_used`` +
    ``gas_left`` is the message's gas. ``logs`` are those of this message.
    """

    success: bool
    reverted: bool
    output: bytes
    gas_used: int
    gas_left: int
    refund: int
    logs: Sequence[Log]
    error: HaltInformation | None = None
    created_address: Address | None = None
