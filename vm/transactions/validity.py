"""Whether a block may hold a transaction, and what it pays before anything runs."""

from __future__ import annotations

from dataclasses import dataclass

from smartvm.vm.forks import Fork
from smartvm.vm.messages import BlockEnvironment
from smartvm.vm.state.model import EMPTY_CODE_HASH
from smartvm.vm.transactions.blobs import GAS_PER_BLOB, BlobSchedule, blob_schedule
from smartvm.vm.transactions.model import InvalidTransaction, Transaction, TransactionType
from smartvm.vm.world import WorldState

_INTRODUCED = {
    TransactionType.LEGACY: Fork.FRONTIER,
    TransactionType.ACCESS_LIST: Fork.BERLIN,
    TransactionType.FEE_MARKET: Fork.LONDON,
    TransactionType.BLOB: Fork.CANCUN,
    TransactionType.SET_CODE: Fork.PRAGUE,
}
_LARGEST_INIT_CODE = 49_152  # EIP-3860
_LARGEST_GAS_LIMIT = 1 << 24  # EIP-7825
_VERSION_KZG = 1
DELEGATION_PREFIX = b"\xef\x01\x00"  # EIP-7702
DELEGATION_LENGTH = 23
AUTHORIZATION_PRICE = 25_000


@dataclass(frozen=True, slots=True)
class IntrinsicGas:
    """``charged`` is gone before the first instruction; ``floor`` is the least that is paid in the end
    (EIP-7623)."""

    charged: int
    floor: int


@dataclass(frozen=True, slots=True)
class Admission:
    """What a valid transaction pays: the effective gas price and the blobs' fee, in wei."""

    intrinsic_gas: IntrinsicGas
    gas_price: int
    blob_fee: int


def is_delegation(code: bytes) -> bool:
    """Whether the code names another account's code (EIP-7702)."""
    return len(code) == DELEGATION_LENGTH and code.startswith(DELEGATION_PREFIX)


def intrinsic_gas(transaction: Transaction, fork: Fork) -> IntrinsicGas:
    """Yellow Paper, section 6.2, with EIPs 2, 2028, 2930, 3860, 7623 and 7702."""
    data = transaction.data
    zeros = data.count(0)
    others = len(data) - zeros
    gas = 21_000 + 4 * zeros + (16 if fork >= Fork.ISTANBUL else 68) * others
    if transaction.to is None:
        if fork >= Fork.HOMESTEAD:
            gas += 32_000
        if fork >= Fork.SHANGHAI:
            gas += 2 * ((len(data) + 31) // 32)
    for entry in transaction.access_list:
        gas += 2_400 + 1_900 * len(entry.slots)
    gas += AUTHORIZATION_PRICE * len(transaction.authorizations)
    floor = 21_000 + 10 * (zeros + 4 * others) if fork >= Fork.PRAGUE else 0
    return IntrinsicGas(gas, floor)


def _check_form(transaction: Transaction, fork: Fork, schedule: BlobSchedule | None) -> None:
    """What can be said without the state."""
    t = transaction
    if fork < _INTRODUCED[t.type]:
        raise InvalidTransaction(f"{fork.label} has no transactions of type {t.type.value}")
    for name, value, bits in (
        ("nonce", t.nonce, 64),
        ("gas limit", t.gas_limit, 64),
        ("value", t.value, 256),
        ("max fee", t.max_fee_per_gas, 256),
        ("max priority fee", t.max_priority_fee_per_gas, 256),
        ("max blob fee", t.max_fee_per_blob_gas, 256),
    ):
        if value >> bits:
            raise InvalidTransaction(f"{name} has more than {bits} bits")
    if t.nonce == (1 << 64) - 1:
        raise InvalidTransaction("the nonce is 2^64 - 1, which no transaction may have (EIP-2681)")
    if fork >= Fork.OSAKA and t.gas_limit > _LARGEST_GAS_LIMIT:
        raise InvalidTransaction(f"gas limit {t.gas_limit} is above {_LARGEST_GAS_LIMIT} (EIP-7825)")
    if t.to is None:
        if t.type >= TransactionType.BLOB:
            raise InvalidTransaction(f"a transaction of type {t.type.value} cannot create a contract")
        if fork >= Fork.SHANGHAI and len(t.data) > _LARGEST_INIT_CODE:
            raise InvalidTransaction(
                f"{len(t.data)} bytes of init code, at most {_LARGEST_INIT_CODE} are allowed"
            )
    if t.max_priority_fee_per_gas > t.max_fee_per_gas:
        raise InvalidTransaction("the max priority fee is above the max fee")
    if t.type == TransactionType.SET_CODE and not t.authorizations:
        raise InvalidTransaction("the list of authorizations is empty")
    if t.type == TransactionType.BLOB:
        _check_blobs(t, schedule or blob_schedule(fork))


def _check_blobs(transaction: Transaction, schedule: BlobSchedule) -> None:
    count = len(transaction.blob_hashes)
    most = schedule.most_in_block
    if schedule.most_in_transaction is not None:
        most = min(most, schedule.most_in_transaction)
    if not 0 < count <= most:
        raise InvalidTransaction(f"the transaction has {count} blobs, expected 1 to {most}")
    if any(len(blob_hash) != 32 or blob_hash[0] != _VERSION_KZG for blob_hash in transaction.blob_hashes):
        raise InvalidTransaction("a blob hash does not start with the version of KZG commitments")


def admit(
    transaction: Transaction,
    sender: bytes,
    state: WorldState,
    block: BlockEnvironment,
    fork: Fork,
    *,
    gas_available: int | None = None,
    schedule: BlobSchedule | None = None,
) -> Admission:
    """What the transaction pays, or ``InvalidTransaction``. The state is only read.

    ``gas_available`` is what the block has left (all its gas if None); ``schedule`` replaces the fork's.
    """
    t = transaction
    _check_form(t, fork, schedule)
    if t.chain_id is not None and t.chain_id != block.chain_id:
        raise InvalidTransaction(f"the transaction is for chain {t.chain_id}, this is chain {block.chain_id}")
    available = block.gas_limit if gas_available is None else gas_available
    if t.gas_limit > available:
        raise InvalidTransaction(f"gas limit {t.gas_limit} is above the {available} that the block has left")
    gas = intrinsic_gas(t, fork)
    if t.gas_limit < max(gas.charged, gas.floor):
        raise InvalidTransaction(
            f"gas limit {t.gas_limit} is below the intrinsic gas, {max(gas.charged, gas.floor)}"
        )
    base_fee = block.base_fee if fork >= Fork.LONDON else 0
    if t.max_fee_per_gas < base_fee:
        raise InvalidTransaction(f"max fee {t.max_fee_per_gas} is below the block's base fee, {base_fee}")
    blob_gas = GAS_PER_BLOB * len(t.blob_hashes)
    if blob_gas and t.max_fee_per_blob_gas < block.blob_base_fee:
        raise InvalidTransaction(
            f"max blob fee {t.max_fee_per_blob_gas} is below the block's, {block.blob_base_fee}"
        )
    nonce = state.nonce(sender)
    if t.nonce != nonce:
        raise InvalidTransaction(f"nonce {t.nonce} is not the sender's, {nonce}")
    if state.code_hash(sender) != EMPTY_CODE_HASH and not is_delegation(state.code(sender)):
        raise InvalidTransaction("the sender has code (EIP-3607)")
    most = t.gas_limit * t.max_fee_per_gas + blob_gas * t.max_fee_per_blob_gas + t.value
    balance = state.balance(sender)
    if balance < most:
        raise InvalidTransaction(f"the sender has {balance} wei, the transaction may cost {most}")
    price = base_fee + min(t.max_priority_fee_per_gas, t.max_fee_per_gas - base_fee)
    return Admission(gas, price, blob_gas * block.blob_base_fee)
