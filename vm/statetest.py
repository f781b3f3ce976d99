"""Ethereum state tests (the GeneralStateTests format): reading fixtures, running their cases, judging the
result.

Semantics are those that the fixtures were made with: one transaction on the pre-state, as a block without
system calls, withdrawals or reward; chain 1 unless the fixture says otherwise; the hash of block n is the
Keccak-256 of n in decimal.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smartvm.errors import SmartVMError
from smartvm.instructions.model import InstructionTable
from smartvm.vm.forks import Fork, UnknownForkError, fork_named
from smartvm.vm.keccak import keccak256
from smartvm.vm.machine import Machine
from smartvm.vm.messages import BlockEnvironment, Engine
from smartvm.vm.state import EMPTY_CODE_HASH, Account, AccountChange, MemoryStore
from smartvm.vm.trace import StandardTracer
from smartvm.vm.transactions import (
    AccessListEntry,
    Authorization,
    BlobSchedule,
    InvalidTransaction,
    Signature,
    Transaction,
    TransactionType,
    address_of,
    blob_base_fee,
    blob_schedule,
    execute_transaction,
    logs_hash,
)
from smartvm.vm.world import WorldState

_DEFAULT_BASE_FEE = 10  # geth's, for fixtures of London and later that name none
_BIG_INTEGER = "0x:bigint "


class FixtureError(SmartVMError):
    """A fixture that is not what the format says."""


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What a case came to. ``exception`` says why the transaction is invalid, ``error`` why the case could
    not run; with an ``error`` the rest is empty."""

    name: str
    fork: str
    index: int
    passed: bool
    state_root: bytes = b""
    logs_hash: bytes = b""
    exception: str | None = None
    gas_used: int = 0
    error: str | None = None

    def as_json(self, file: str) -> str:
        """The line of output: geth's keys, and a few more."""
        row: dict[str, object] = {"file": file, "name": self.name, "fork": self.fork, "index": self.index}
        if self.error is not None:
            row |= {"pass": False, "error": self.error}
        else:
            row |= {
                "pass": self.passed,
                "stateRoot": "0x" + self.state_root.hex(),
                "logsHash": "0x" + self.logs_hash.hex(),
                "exception": self.exception,
                "gasUsed": self.gas_used,
            }
        return json.dumps(row)


# ---------------------------------------------------------------- reading


def _get(mapping: Any, key: str, where: str) -> Any:
    if not isinstance(mapping, Mapping):
        raise FixtureError(f"{where} is not an object")
    if key not in mapping:
        raise FixtureError(f"{where} has no `{key}`")
    return mapping[key]


def _integer(value: Any, where: str) -> int:
    """Hex with 0x (the bare prefix is 0), decimal text, or a JSON number. Never negative; any size."""
    try:
        if isinstance(value, bool) or not isinstance(value, (int, str)):
            raise ValueError
        number = value if isinstance(value, int) else _integer_of_text(value.removeprefix(_BIG_INTEGER))
        if number < 0:
            raise ValueError
        return number
    except ValueError:
        raise FixtureError(f"{where} is not a number: {value!r}") from None


def _integer_of_text(text: str) -> int:
    if text in ("", "0x"):
        return 0
    return int(text, 16) if text.startswith("0x") else int(text)


def _bytes(value: Any, where: str, length: int | None = None) -> bytes:
    try:
        if not isinstance(value, str):
            raise ValueError
        data = bytes.fromhex(value.removeprefix("0x"))
        if length is not None and len(data) != length:
            raise ValueError
        return data
    except ValueError:
        expected = "hex" if length is None else f"{length} bytes in hex"
        raise FixtureError(f"{where} is not {expected}: {str(value)[:80]!r}") from None


def _word(value: Any, where: str) -> int:
    number = _integer(value, where)
    if number >> 256:
        raise FixtureError(f"{where} has more than 256 bits")
    return number


def _items(value: Any, where: str) -> Sequence[Any]:
    if not isinstance(value, list):
        raise FixtureError(f"{where} is not a list")
    return value


def _entries(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise FixtureError(f"{where} is not an object")
    return value


def _pre_state(pre: Any) -> dict[bytes, AccountChange]:
    accounts = {}
    for name, content in _entries(pre, "`pre`").items():
        where = f"account {name}"
        code = _bytes(_get(content, "code", where), f"code of {where}")
        storage = _entries(_get(content, "storage", where), f"storage of {where}")
        slots = {
            _word(slot, f"a slot of {where}"): _word(word, f"slot {slot} of {where}")
            for slot, word in storage.items()
        }
        accounts[_bytes(name, "an address in `pre`", 20)] = AccountChange(
            Account(
                _integer(_get(content, "nonce", where), f"nonce of {where}"),
                _word(_get(content, "balance", where), f"balance of {where}"),
                keccak256(code) if code else EMPTY_CODE_HASH,
            ),
            code,
            slots={slot: word for slot, word in slots.items() if word},
        )
    return accounts


def _access_list(value: Any) -> tuple[AccessListEntry, ...]:
    return tuple(
        AccessListEntry(
            _bytes(_get(entry, "address", "access list entry"), "access list address", 20),
            tuple(
                _word(slot, "access list slot")
                for slot in _items(_get(entry, "storageKeys", "access list entry"), "`storageKeys`")
            ),
        )
        for entry in _items(value, "access list")
    )


def _authorization(entry: Any) -> Authorization:
    where = "authorization"
    numbers = {}
    for key, bits in (("chainId", 256), ("nonce", 64), ("r", 256), ("s", 256)):
        numbers[key] = _integer(_get(entry, key, where), f"{key} of an {where}")
        if numbers[key] >> bits:
            # Such a list has no encoding, so the transaction that holds it is none.
            raise InvalidTransaction(f"{key} of an authorization has more than {bits} bits")
    parity = entry.get("yParity", entry.get("v"))
    y_parity = _integer(parity, f"y parity of an {where}")
    if y_parity >> 8:
        raise InvalidTransaction("y parity of an authorization has more than 8 bits")
    return Authorization(
        numbers["chainId"],
        _bytes(_get(entry, "address", where), f"address of an {where}", 20),
        numbers["nonce"],
        Signature(y_parity, numbers["r"], numbers["s"]),
    )


def _kind(fields: Mapping[str, Any], access_list: Any) -> TransactionType:
    if "authorizationList" in fields:
        return TransactionType.SET_CODE
    if "blobVersionedHashes" in fields or "maxFeePerBlobGas" in fields:
        return TransactionType.BLOB
    if "maxFeePerGas" in fields:
        return TransactionType.FEE_MARKET
    return TransactionType.LEGACY if access_list is None else TransactionType.ACCESS_LIST


def _pick(fields: Mapping[str, Any], key: str, indexes: Mapping[str, Any], axis: str) -> Any:
    choices = _items(_get(fields, key, "`transaction`"), f"`{key}`")
    index = _integer(_get(indexes, axis, "`indexes`"), f"index of {axis}")
    if index >= len(choices):
        raise FixtureError(f"index {index} of {axis} is beyond the {len(choices)} that `{key}` has")
    return choices[index]


def _transaction(fields: Mapping[str, Any], indexes: Mapping[str, Any]) -> Transaction:
    access_lists = fields.get("accessLists")
    access_list = None if access_lists is None else _pick(fields, "accessLists", indexes, "data")
    kind = _kind(fields, access_list)
    if kind >= TransactionType.FEE_MARKET:
        max_fee = _integer(fields.get("maxFeePerGas", "0x0"), "`maxFeePerGas`")
        priority_fee = _integer(fields.get("maxPriorityFeePerGas", "0x0"), "`maxPriorityFeePerGas`")
    else:
        max_fee = priority_fee = _integer(_get(fields, "gasPrice", "`transaction`"), "`gasPrice`")
    to = _get(fields, "to", "`transaction`")
    chain_id = fields.get("chainId")
    return Transaction(
        type=kind,
        chain_id=None if chain_id is None else _integer(chain_id, "`chainId`"),
        nonce=_integer(_get(fields, "nonce", "`transaction`"), "`nonce`"),
        max_priority_fee_per_gas=priority_fee,
        max_fee_per_gas=max_fee,
        gas_limit=_integer(_pick(fields, "gasLimit", indexes, "gas"), "a gas limit"),
        to=_bytes(to, "`to`", 20) if to not in ("", "0x", None) else None,
        value=_integer(_pick(fields, "value", indexes, "value"), "a value"),
        data=_bytes(_pick(fields, "data", indexes, "data"), "data"),
        access_list=_access_list(access_list or []),
        max_fee_per_blob_gas=_integer(fields.get("maxFeePerBlobGas", "0x0"), "`maxFeePerBlobGas`"),
        blob_hashes=tuple(
            _bytes(item, "a blob hash")
            for item in _items(fields.get("blobVersionedHashes", []), "blob hashes")
        ),
        authorizations=tuple(
            map(_authorization, _items(fields.get("authorizationList", []), "`authorizationList`"))
        ),
    )


def _sender(fields: Mapping[str, Any]) -> bytes:
    if "sender" in fields:
        return _bytes(fields["sender"], "`sender`", 20)
    key = _bytes(_get(fields, "secretKey", "`transaction`"), "`secretKey`", 32)
    try:
        return address_of(key)
    except ValueError:
        raise FixtureError("`secretKey` is no key of secp256k1") from None


def _hash_of_block(number: int) -> bytes:
    return keccak256(str(number).encode())


def _schedule(config: Any, fork_name: str, fork: Fork) -> BlobSchedule | None:
    """The fork's blob schedule, as far as the fixture does not name another."""
    if fork < Fork.CANCUN:
        return None
    known = blob_schedule(fork)
    given = config.get("blobSchedule", {}).get(fork_name) if isinstance(config, dict) else None
    if not isinstance(given, dict):
        return known
    return BlobSchedule(
        _integer(given.get("max", known.most_in_block), "`max` of the blob schedule"),
        known.most_in_transaction,
        _integer(given.get("baseFeeUpdateFraction", known.update_fraction), "`baseFeeUpdateFraction`"),
    )


def _block(environment: Any, fork: Fork, schedule: BlobSchedule | None, chain_id: int) -> BlockEnvironment:
    def number(key: str, default: int | None = None) -> int:
        if default is not None and key not in _entries(environment, "`env`"):
            return default
        return _word(_get(environment, key, "`env`"), f"`{key}`")

    excess = number("currentExcessBlobGas", 0)
    return BlockEnvironment(
        number=number("currentNumber"),
        timestamp=number("currentTimestamp"),
        coinbase=_bytes(_get(environment, "currentCoinbase", "`env`"), "`currentCoinbase`", 20),
        gas_limit=number("currentGasLimit"),
        difficulty=number("currentDifficulty", 0) if fork < Fork.PARIS else 0,
        prev_randao=number("currentRandom", 0),
        base_fee=number("currentBaseFee", _DEFAULT_BASE_FEE) if fork >= Fork.LONDON else 0,
        blob_base_fee=blob_base_fee(excess, schedule.update_fraction) if schedule else 1,
        chain_id=chain_id,
        block_hash=_hash_of_block,
    )


# ---------------------------------------------------------------- running


class _Test:
    """A test of a file: what its cases share."""

    def __init__(
        self, name: str, content: Any, table: InstructionTable, engine: Engine, tracer: StandardTracer | None
    ) -> None:
        self.name = name
        self.content = content
        self.table = table
        self.engine = engine
        self.tracer = tracer
        self.pre = _pre_state(_get(content, "pre", "the test"))
        self.fields = _entries(_get(content, "transaction", "the test"), "`transaction`")
        self.sender = _sender(self.fields)

    def run(self, fork_name: str, index: int, post: Any) -> CaseResult:
        """Run one case. Raises ``SmartVMError``."""
        fork = fork_named(fork_name)
        config = self.content.get("config", {})
        chain_id = _integer(config.get("chainid", 1), "`chainid`") if isinstance(config, dict) else 1
        schedule = _schedule(config, fork_name, fork)
        store = MemoryStore()
        store.commit(self.pre)
        state = WorldState(store)
        block = _block(_get(self.content, "env", "the test"), fork, schedule, chain_id)
        expected_root = _bytes(_get(post, "hash", "the case"), "`hash`", 32)
        expected_logs = _bytes(_get(post, "logs", "the case"), "`logs`", 32)
        exception, gas_used, logs = None, 0, logs_hash(())
        try:
            transaction = _transaction(self.fields, _entries(_get(post, "indexes", "the case"), "`indexes`"))
            machine = Machine(self.table, fork, state, block, engine=self.engine, tracer=self.tracer)
            result = execute_transaction(machine, transaction, sender=self.sender, schedule=schedule)
            gas_used, logs = result.gas_used, logs_hash(result.logs)
            if self.tracer is not None:
                self.tracer.finish(result.execution)
        except InvalidTransaction as invalid:
            exception = invalid.message
            # The block's reward of 0 still touches the coinbase, which before EIP-161 makes it exist.
            if fork < Fork.SPURIOUS_DRAGON and not state.exists(block.coinbase):
                state.create_account(block.coinbase)
        root = state.root()
        passed = (
            root == expected_root
            and logs == expected_logs
            and (exception is not None) == bool(post.get("expectException"))
        )
        return CaseResult(self.name, fork_name, index, passed, root, logs, exception, gas_used)


def _cases(content: Any, forks: Collection[str]) -> Iterator[tuple[str, int, Any]]:
    """(fork, index, post entry) of the wanted forks; fixtures and callers may spell a fork differently."""
    wanted = {_canonical(name) for name in forks}
    for fork_name, posts in _entries(_get(content, "post", "the test"), "`post`").items():
        if wanted and _canonical(fork_name) not in wanted:
            continue
        for index, post in enumerate(_items(posts, f"`post` of {fork_name}")):
            yield fork_name, index, post


def _canonical(name: str) -> Fork | str:
    try:
        return fork_named(name)
    except UnknownForkError:
        return name


def load_fixture(path: str | Path) -> dict[str, Any]:
    """The tests of a file by name. Raises ``FixtureError`` for what cannot be read or is not JSON."""
    try:
        document = json.loads(Path(path).read_bytes())
    except OSError as error:
        raise FixtureError(f"cannot read `{path}`: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise FixtureError(f"`{path}` is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise FixtureError(f"`{path}` is not an object of tests")
    return document


def run_fixture(
    tests: Mapping[str, Any],
    table: InstructionTable,
    *,
    forks: Collection[str] = (),
    engine: Engine = "auto",
    tracer: StandardTracer | None = None,
) -> Iterator[CaseResult]:
    """Run the cases of a file's tests for the named forks (all if none), in the order of the file.

    What is wrong with a test or case becomes its ``error``. Entries that are no state tests (geth's ``_info``
    at the top level, transaction tests) are left out.
    """
    for name, content in tests.items():
        if not isinstance(content, dict) or "post" not in content:
            continue
        try:
            cases = list(_cases(content, forks))
        except SmartVMError as error:
            yield CaseResult(name, "", 0, False, error=str(error))
            continue
        if not cases:
            continue
        try:
            test = _Test(name, content, table, engine, tracer)
        except SmartVMError as error:
            yield from (CaseResult(name, fork, index, False, error=str(error)) for fork, index, _ in cases)
            continue
        for fork_name, index, post in cases:
            try:
                yield test.run(fork_name, index, post)
            except SmartVMError as error:
                yield CaseResult(name, fork_name, index, False, error=str(error))
