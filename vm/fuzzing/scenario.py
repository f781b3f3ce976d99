"""A random pre-state with contracts that may call one another, and a transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from smartvm.instructions.model import InstructionTable
from smartvm.vm.forks import Fork
from smartvm.vm.fuzzing.programs import ProgramWriter, Vocabulary
from smartvm.vm.keccak import keccak256
from smartvm.vm.messages import BlockEnvironment
from smartvm.vm.state import EMPTY_CODE_HASH, Account, AccountChange
from smartvm.vm.transactions import (
    AccessListEntry,
    Authorization,
    Signature,
    Transaction,
    TransactionType,
    address_of,
    sign_transaction,
)
from smartvm.vm.transactions.encoding import sign_authorization

_KEYS = [bytes(31) + bytes((n,)) for n in (1, 2, 3)]
_SENDER = address_of(_KEYS[0])
_CONTRACTS = [bytes.fromhex(f"c0de{n:036x}") for n in range(1, 5)]
_COINBASE = bytes.fromhex("c01b" + "00" * 17 + "0e")
_BLOCK_NUMBER = 300


def hash_of_block(number: int) -> bytes:
    """What BLOCKHASH gives here and in every peer: the Keccak-256 of the number in decimal."""
    return keccak256(str(number).encode())


@dataclass(frozen=True, slots=True)
class Scenario:
    """One case: ``name`` is enough to make it again."""

    name: str
    fork: Fork
    accounts: Mapping[bytes, AccountChange]
    block: BlockEnvironment
    sender: bytes
    transaction: Transaction


def _account(
    nonce: int, balance: int, code: bytes = b"", slots: Mapping[int, int] | None = None
) -> AccountChange:
    code_hash = keccak256(code) if code else EMPTY_CODE_HASH
    return AccountChange(Account(nonce, balance, code_hash), code, slots=dict(slots or {}))


def _access_list(draw: Random) -> tuple[AccessListEntry, ...]:
    return tuple(
        AccessListEntry(draw.choice(_CONTRACTS), tuple(draw.randrange(4) for _ in range(draw.randrange(3))))
        for _ in range(draw.randrange(3))
    )


def _authorizations(draw: Random) -> tuple[Authorization, ...]:
    unsigned = [
        Authorization(
            draw.choice((0, 1, 1, 2)),
            draw.choice((*_CONTRACTS, bytes(20), bytes(19) + b"\x04")),
            draw.choice((0, 0, 1)),
            Signature(0, 0, 0),
        )
        for _ in range(draw.randrange(1, 4))
    ]
    return tuple(sign_authorization(entry, draw.choice(_KEYS)) for entry in unsigned)


def _transaction(draw: Random, fork: Fork, vocabulary: Vocabulary) -> Transaction:
    kinds = [TransactionType.LEGACY]
    if fork >= Fork.BERLIN:
        kinds.append(TransactionType.ACCESS_LIST)
    if fork >= Fork.LONDON:
        kinds.append(TransactionType.FEE_MARKET)
    if fork >= Fork.CANCUN:
        kinds.append(TransactionType.BLOB)
    if fork >= Fork.PRAGUE:
        kinds.append(TransactionType.SET_CODE)
    kind = draw.choice(kinds)
    to: bytes | None = draw.choice(_CONTRACTS[:2])
    data = draw.randbytes(draw.choice((0, 0, 4, 36, 68)))
    if kind < TransactionType.BLOB and draw.random() < 0.06:
        to, data = None, ProgramWriter(draw, vocabulary).program(10)
    price = draw.choice((10, 12, 1_000))
    priority = draw.choice((0, 2, price)) if kind >= TransactionType.FEE_MARKET else price
    transaction = Transaction(
        type=kind,
        chain_id=None if kind == TransactionType.LEGACY else 1,
        nonce=0,
        max_priority_fee_per_gas=priority,
        max_fee_per_gas=price,
        gas_limit=draw.choice((60_000, 100_000, 250_000)),
        to=to,
        value=draw.choice((0, 0, 1, 1_000)),
        data=data,
        access_list=_access_list(draw) if kind >= TransactionType.ACCESS_LIST else (),
        max_fee_per_blob_gas=5 if kind == TransactionType.BLOB else 0,
        blob_hashes=(b"\x01" + draw.randbytes(31),) if kind == TransactionType.BLOB else (),
        authorizations=_authorizations(draw) if kind == TransactionType.SET_CODE else (),
    )
    return sign_transaction(transaction, _KEYS[0])


def make_scenario(table: InstructionTable, fork: Fork, seed: str, index: int) -> Scenario:
    """The scenario with this number of this seed."""
    name = f"{seed}/{fork.label}/{index}"
    draw = Random(name)
    authorities = [address_of(key) for key in _KEYS]
    vocabulary = Vocabulary(table, fork, [*_CONTRACTS, *authorities, _COINBASE])
    accounts = {_SENDER: _account(0, 10**18)}
    if draw.random() < 0.5:
        accounts[authorities[1]] = _account(0, 5)
    for address in _CONTRACTS[: draw.randrange(2, len(_CONTRACTS) + 1)]:
        code = ProgramWriter(draw, vocabulary).program(draw.choice((3, 8, 16, 24)))
        if code.startswith(b"\xef"):
            code = b"\x5b" + code  # EIP-3541: no account has such code
        slots = {draw.randrange(4): draw.choice((1, 2, (1 << 256) - 1)) for _ in range(draw.randrange(3))}
        accounts[address] = _account(1, draw.choice((0, 1, 10**9)), code, slots)
    block = BlockEnvironment(
        number=_BLOCK_NUMBER,
        timestamp=1_700_000_000,
        coinbase=_COINBASE,
        gas_limit=30_000_000,
        difficulty=0x20000 if fork < Fork.PARIS else 0,
        prev_randao=int.from_bytes(draw.randbytes(32), "big") if fork >= Fork.PARIS else 0,
        base_fee=7 if fork >= Fork.LONDON else 0,
        block_hash=hash_of_block,
    )
    return Scenario(name, fork, accounts, block, _SENDER, _transaction(draw, fork, vocabulary))
