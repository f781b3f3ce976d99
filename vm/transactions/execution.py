"""Executing a transaction: buying gas, authorizations, the call or creation, refunds, fees."""

from __future__ import annotations

from dataclasses import dataclass

from smartvm.vm.forks import Fork
from smartvm.vm.machine import Machine
from smartvm.vm.messages import ExecutionResult, Log, Message, TransactionEnvironment
from smartvm.vm.state.model import EMPTY_CODE_HASH
from smartvm.vm.transactions.blobs import GAS_PER_BLOB, BlobSchedule
from smartvm.vm.transactions.encoding import recover_authority, recover_sender
from smartvm.vm.transactions.model import Authorization, Transaction
from smartvm.vm.transactions.validity import (
    AUTHORIZATION_PRICE,
    DELEGATION_PREFIX,
    admit,
    is_delegation,
)
from smartvm.vm.world import WorldState

_AUTHORIZATION_BASE_PRICE = 12_500
_NO_ADDRESS = bytes(20)
_LAST_NONCE = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class TransactionResult:
    """What a valid transaction came to. ``gas_used`` is after refunds, ``logs`` are empty unless it
    succeeded."""

    sender: bytes
    execution: ExecutionResult
    gas_used: int
    gas_price: int
    blob_gas_used: int

    @property
    def success(self) -> bool:
        """Whether it did what it was sent for."""
        return self.execution.success

    @property
    def logs(self) -> tuple[Log, ...]:
        """Its events."""
        return tuple(self.execution.logs) if self.execution.success else ()


def _authorize(state: WorldState, authorization: Authorization, chain_id: int, warm: set[bytes]) -> int:
    """Set the authority's delegation, if all is in order; the refund (EIP-7702, behavior)."""
    if authorization.chain_id not in (0, chain_id) or authorization.nonce >= _LAST_NONCE:
        return 0
    authority = recover_authority(authorization)
    if authority is None:
        return 0
    warm.add(authority)
    if state.code_hash(authority) != EMPTY_CODE_HASH and not is_delegation(state.code(authority)):
        return 0
    if state.nonce(authority) != authorization.nonce:
        return 0
    refund = AUTHORIZATION_PRICE - _AUTHORIZATION_BASE_PRICE if state.exists(authority) else 0
    cleared = authorization.address == _NO_ADDRESS
    state.set_code(authority, b"" if cleared else DELEGATION_PREFIX + authorization.address)
    state.set_nonce(authority, authorization.nonce + 1)
    return refund


def execute_transaction(
    machine: Machine,
    transaction: Transaction,
    *,
    sender: bytes | None = None,
    gas_available: int | None = None,
    schedule: BlobSchedule | None = None,
) -> TransactionResult:
    """Execute a transaction on the machine's state, which is changed but not committed.

    ``sender`` is recovered from the signature when not given. ``gas_available`` is what the block has left
    (all its gas if None); ``schedule`` replaces the fork's limits on blobs. Raises ``InvalidTransaction``,
    with the state untouched, for what no block may hold.
    """
    t, state, fork = transaction, machine.state, machine.fork
    if sender is None:
        sender = recover_sender(t, fork)
    admission = admit(t, sender, state, machine.block, fork, gas_available=gas_available, schedule=schedule)
    price = admission.gas_price
    state.set_balance(sender, state.balance(sender) - t.gas_limit * price - admission.blob_fee)
    warm = {entry.address for entry in t.access_list}
    refund = 0
    if t.to is not None:
        warm.add(t.to)
        state.set_nonce(sender, t.nonce + 1)  # a creation does this itself: the address depends on it
        for authorization in t.authorizations:
            refund += _authorize(state, authorization, machine.block.chain_id, warm)
    slots = [(entry.address, slot) for entry in t.access_list for slot in entry.slots]
    machine.begin_transaction(TransactionEnvironment(sender, price, t.blob_hashes), warm, slots)
    machine.add_refund(refund)
    gas = t.gas_limit - admission.intrinsic_gas.charged
    if t.to is None:
        result = machine.create(Message(sender, _NO_ADDRESS, gas, t.data, t.value))
    else:
        result = machine.call(Message(sender, t.to, gas, t.data, t.value))

    used = t.gas_limit - result.gas_left
    used -= min(used // (5 if fork >= Fork.LONDON else 2), result.refund)  # EIP-3529
    used = max(used, admission.intrinsic_gas.floor)
    state.set_balance(sender, state.balance(sender) + (t.gas_limit - used) * price)
    coinbase = machine.block.coinbase
    tip = price - machine.block.base_fee if fork >= Fork.LONDON else price
    machine.touch(coinbase)
    if tip * used:
        state.set_balance(coinbase, state.balance(coinbase) + tip * used)
    machine.finish_transaction()
    return TransactionResult(sender, result, used, price, GAS_PER_BLOB * len(t.blob_hashes))
