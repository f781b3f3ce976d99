"""Independent EVMs that a scenario can be compared with. They are imported when asked for: none is a
dependency.

``eels``: Ethereum's execution specification (ethereum-execution) processes the whole transaction, decoded
from our bytes; state root, gas and logs are compared. ``pyrevm``: revm executes the transaction's message;
success, output, gas, refund, logs and every account are compared.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol

from smartvm.errors import SmartVMError
from smartvm.instructions.model import InstructionTable
from smartvm.vm.forks import Fork
from smartvm.vm.fuzzing.scenario import Scenario, hash_of_block
from smartvm.vm.machine import Machine
from smartvm.vm.messages import Engine, Message, TransactionEnvironment
from smartvm.vm.state import MemoryStore
from smartvm.vm.transactions import (
    InvalidTransaction,
    Transaction,
    encode_transaction,
    execute_transaction,
    intrinsic_gas,
)
from smartvm.vm.world import WorldState

#: EELS calls itself for each call frame, a few Python frames each.
_DEEP_ENOUGH = 20_000


class PeerUnavailable(SmartVMError):
    """An EVM that is not installed, or lacks the fork."""


class Peer(Protocol):
    """An EVM to compare with."""

    def check(self, scenario: Scenario) -> str | None:
        """What differs, or None."""
        ...


def _machine(table: InstructionTable, scenario: Scenario, engine: Engine) -> tuple[Machine, WorldState]:
    store = MemoryStore()
    store.commit(scenario.accounts)
    state = WorldState(store)
    return Machine(table, scenario.fork, state, scenario.block, engine=engine), state


def _differences(ours: Mapping[str, object], theirs: Mapping[str, object]) -> str | None:
    parts = [
        f"{key}: {str(value)[:200]} here, {str(theirs[key])[:200]} there"
        for key, value in ours.items()
        if value != theirs[key]
    ]
    return "; ".join(parts) or None


# ---------------------------------------------------------------- EELS


class Eels:
    """The execution specification of one fork."""

    def __init__(self, table: InstructionTable, fork: Fork, engine: Engine) -> None:
        self._table = table
        self._engine = engine
        # EELS has no folder for Petersburg: its Constantinople is without EIP-1283.
        folder = "constantinople" if fork in (Fork.CONSTANTINOPLE, Fork.PETERSBURG) else fork.label
        if fork == Fork.CONSTANTINOPLE:
            raise PeerUnavailable("eels has no Constantinople with EIP-1283; take petersburg")
        try:
            self._fork, self._vm, self._state, self._types, self._transactions = (
                importlib.import_module(f"ethereum.forks.{folder}.{name}")
                for name in ("fork", "vm", "state", "fork_types", "transactions")
            )
            self._numbers = importlib.import_module("ethereum_types.numeric")
            self._bytes = importlib.import_module("ethereum_types.bytes")
            self._rlp = importlib.import_module("ethereum_rlp.rlp")
        except ImportError as error:
            raise PeerUnavailable(
                f"eels is not installed: {error}", hint="pip install ethereum-execution"
            ) from None
        sys.setrecursionlimit(max(sys.getrecursionlimit(), _DEEP_ENOUGH))

    def _pre_state(self, scenario: Scenario) -> Any:
        state = self._state.State()
        uint, u256 = self._numbers.Uint, self._numbers.U256
        for address, change in scenario.accounts.items():
            account = self._types.Account(
                nonce=uint(change.account.nonce),
                balance=u256(change.account.balance),
                code=change.code or b"",
            )
            self._state.set_account(state, self._types.Address(address), account)
            for slot, word in change.slots.items():
                key = self._bytes.Bytes32(slot.to_bytes(32, "big"))
                self._state.set_storage(state, self._types.Address(address), key, u256(word))
        return state

    def _environment(self, scenario: Scenario, state: Any) -> Any:
        block, numbers, bytes32 = scenario.block, self._numbers, self._bytes.Bytes32
        values = {
            "chain_id": numbers.U64(block.chain_id),
            "state": state,
            "block_gas_limit": numbers.Uint(block.gas_limit),
            "block_hashes": [hash_of_block(block.number - back) for back in range(256, 0, -1)],
            "coinbase": self._types.Address(block.coinbase),
            "number": numbers.Uint(block.number),
            "base_fee_per_gas": numbers.Uint(block.base_fee),
            "time": numbers.U256(block.timestamp),
            "difficulty": numbers.Uint(block.difficulty),
            "prev_randao": bytes32(block.prev_randao.to_bytes(32, "big")),
            "excess_blob_gas": numbers.U64(0),
            "parent_beacon_block_root": bytes32(bytes(32)),
        }
        wanted = self._vm.BlockEnvironment.__dataclass_fields__
        return self._vm.BlockEnvironment(**{name: value for name, value in values.items() if name in wanted})

    def _decoded(self, data: bytes) -> Any:
        if data[0] < 0x80:
            return self._transactions.decode_transaction(data)
        kinds = ("LegacyTransaction", "Transaction")
        kind = next(getattr(self._transactions, name) for name in kinds if hasattr(self._transactions, name))
        return self._rlp.decode_to(kind, data)

    def _theirs(self, scenario: Scenario) -> Mapping[str, object]:
        state = self._pre_state(scenario)
        environment, output = self._environment(scenario, state), self._vm.BlockOutput()
        transaction = self._decoded(encode_transaction(scenario.transaction))
        try:
            self._fork.process_transaction(environment, output, transaction, self._numbers.Uint(0))
        except Exception as error:
            if type(error).__module__.startswith("ethereum."):  # the specification refuses the transaction
                return {"valid": False, "gas": 0, "logs": [], "root": self._state.state_root(state).hex()}
            raise
        logs = [
            (bytes(log.address), tuple(bytes(topic) for topic in log.topics), bytes(log.data))
            for log in output.block_logs
        ]
        root = self._state.state_root(state).hex()
        return {"valid": True, "gas": int(output.block_gas_used), "logs": logs, "root": root}

    def _ours(self, scenario: Scenario) -> Mapping[str, object]:
        machine, state = _machine(self._table, scenario, self._engine)
        try:
            result = execute_transaction(machine, scenario.transaction)
        except InvalidTransaction:
            return {"valid": False, "gas": 0, "logs": [], "root": state.root().hex()}
        logs = [(log.address, tuple(log.topics), log.data) for log in result.logs]
        return {"valid": True, "gas": result.gas_used, "logs": logs, "root": state.root().hex()}

    def check(self, scenario: Scenario) -> str | None:
        """See ``Peer``."""
        return _differences(self._ours(scenario), self._theirs(scenario))


# ---------------------------------------------------------------- pyrevm


def _text(address: bytes) -> str:
    return "0x" + address.hex()


class PyRevm:
    """revm, through pyrevm, at one fork up to Cancun."""

    def __init__(self, table: InstructionTable, fork: Fork, engine: Engine) -> None:
        self._table = table
        self._engine = engine
        try:
            self._module = importlib.import_module("pyrevm")
        except ImportError as error:
            raise PeerUnavailable(f"pyrevm is not installed: {error}", hint="pip install pyrevm") from None
        if fork > Fork.CANCUN:
            raise PeerUnavailable(f"pyrevm ends at cancun, not {fork.label}")
        names = {Fork.TANGERINE_WHISTLE: "TANGERINE", Fork.PARIS: "MERGE"}
        self._specification = names.get(fork, fork.name)

    def _evm(self, scenario: Scenario) -> Any:
        module, block = self._module, scenario.block
        environment = module.Env(
            block=module.BlockEnv(
                number=block.number,
                coinbase=_text(block.coinbase),
                timestamp=block.timestamp,
                difficulty=block.difficulty,
                prevrandao=block.prev_randao.to_bytes(32, "big"),
                basefee=block.base_fee,
                gas_limit=block.gas_limit,
                excess_blob_gas=0,
            )
        )
        evm = module.EVM(gas_limit=block.gas_limit, spec_id=self._specification, env=environment)
        for address, change in scenario.accounts.items():
            account = change.account
            information = module.AccountInfo(
                nonce=account.nonce, balance=account.balance, code=change.code or None
            )
            evm.insert_account_info(_text(address), information)
        return evm

    def check(self, scenario: Scenario) -> str | None:
        """See ``Peer``. A creation, and what the transaction has besides its message, are left to other
        peers."""
        transaction = scenario.transaction
        if transaction.to is None:
            return None
        scenario = _as_pyrevm_can(scenario)
        price, value = transaction.max_fee_per_gas, transaction.value
        machine, state = _machine(self._table, scenario, self._engine)
        gas = transaction.gas_limit - intrinsic_gas(_message_only(transaction), scenario.fork).charged
        machine.begin_transaction(TransactionEnvironment(scenario.sender, price), [transaction.to])
        result = machine.call(Message(scenario.sender, transaction.to, gas, transaction.data, value))
        refund = result.refund
        destroyed = set(machine.record.destroyed)  # pyrevm's call stops short of deleting them
        machine.finish_transaction()
        evm = self._evm(scenario)
        try:
            output = evm.message_call(
                caller=_text(scenario.sender),
                to=_text(transaction.to),
                calldata=transaction.data,
                value=value,
                gas=transaction.gas_limit,
                gas_price=price,
            )
        except RuntimeError as error:
            output = _output_of_revert(str(error))
        theirs_result = evm.result
        logs = [(log.address, tuple(log.topics), log.data) for log in result.logs] if result.success else []
        used = transaction.gas_limit - result.gas_left
        quotient = 5 if scenario.fork >= Fork.LONDON else 2
        refunded = min(refund, used // quotient) if result.success else 0
        ours = {
            "success": result.success,
            "gas": used - refunded,
            "output": result.output,
            "logs": logs,
        }
        theirs = {
            "success": theirs_result.is_success,
            "gas": theirs_result.gas_used,
            "output": output,
            "logs": [
                (bytes.fromhex(log.address[2:]), tuple(map(_topic, log.topics)), bytes(log.data[1]))
                for log in (theirs_result.logs if theirs_result.is_success else [])
            ],
        }
        return _differences(ours, theirs) or self._compare_accounts(evm, state, scenario, destroyed)

    def _compare_accounts(
        self, evm: Any, state: WorldState, scenario: Scenario, destroyed: set[bytes]
    ) -> str | None:
        changes = state.changes()
        for address in {*changes, *scenario.accounts} - destroyed:
            information = evm.basic(_text(address))
            ours = (state.nonce(address), state.balance(address), state.code_hash(address).hex())
            theirs = (information.nonce, information.balance, bytes(information.code_hash).hex())
            if ours != theirs:
                return f"account {address.hex()}: {ours} here, {theirs} there"
            change, before = changes.get(address), scenario.accounts.get(address)
            slots = {*(change.slots if change else ()), *(before.slots if before else ())}
            for slot in slots:
                word, other = state.storage(address, slot), evm.storage(_text(address), slot)
                if word != other:
                    return f"slot {slot:#x} of {address.hex()}: {word:#x} here, {other:#x} there"
        return None


def _as_pyrevm_can(scenario: Scenario) -> Scenario:
    """The scenario with empty storage, for slots given to pyrevm are sometimes warm and sometimes not, and
    without base fee, for its calls have none."""
    accounts = {address: replace(change, slots={}) for address, change in scenario.accounts.items()}
    return replace(scenario, accounts=accounts, block=replace(scenario.block, base_fee=0))


def _message_only(transaction: Transaction) -> Transaction:
    """The transaction without what pyrevm is not given."""
    return replace(transaction, access_list=(), authorizations=())


def _topic(topic: Any) -> bytes:
    return bytes.fromhex(topic[2:]) if isinstance(topic, str) else bytes(topic)


def _output_of_revert(text: str) -> bytes:
    """pyrevm tells what a reverted call returned in the text of its error only."""
    mark = "output: 0x"
    if mark not in text:
        return b""
    return bytes.fromhex(text.split(mark, 1)[1].split()[0].rstrip("}"))


#: How to make each peer.
PEERS: Mapping[str, Callable[[InstructionTable, Fork, Engine], Peer]] = {"eels": Eels, "pyrevm": PyRevm}
