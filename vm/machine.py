"""The machine: executes messages over a world state, at one fork, by one instruction table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from smartvm.instructions.model import InstructionTable
from smartvm.vm.forks import Fork, fork_named
from smartvm.vm.messages import (
    Address,
    BlockEnvironment,
    Engine,
    ExecutionResult,
    Message,
    TransactionEnvironment,
)
from smartvm.vm.tracing import Tracer
from smartvm.vm.world import WorldState


class Machine:
    """Executes messages. Not for use from two threads at once.

    A transaction is: ``begin_transaction``, then ``call`` or ``create`` (any number), then ``finish_transaction``.
    Whoever drives it (``vm.transaction``) checks validity, buys gas, sets the sender's nonce, applies authorizations
    and pays refunds and the coinbase on ``state`` itself.
    """

    def __init__(
        self,
        table: InstructionTable,
        fork: Fork | str,
        state: WorldState,
        block: BlockEnvironment,
        *,
        microcode: Mapping[str, bytes] | None = None,
        engine: Engine = "auto",
        tracer: Tracer | None = None,
    ) -> None:
        self.table = table
        self.fork = fork if isinstance(fork, Fork) else fork_named(fork)
        self.state = state
        self.block = block
        self.microcode = dict(microcode or {})
        self.engine = engine
        self.tracer = tracer

    def begin_transaction(
        self,
        environment: TransactionEnvironment,
        warm_addresses: Iterable[Address] = (),
        warm_slots: Iterable[tuple[Address, int]] = (),
    ) -> None:
        """Start a transaction: transient storage, access sets, refund counter, logs and created marks are empty.

        The machine itself warms the precompiled contracts, the origin and (EIP-3651) the coinbase; the caller gives
        the target, the access list and the authorities of EIP-7702.
        """
        raise NotImplementedError

    def call(self, message: Message) -> ExecutionResult:
        """Execute a call. A failure undoes all its changes."""
        raise NotImplementedError

    def create(self, message: Message) -> ExecutionResult:
        """Execute a creation by ``message.caller``, whose nonce must still be the one that the address is made of
        (``created_address``): the machine increments it."""
        raise NotImplementedError

    def touch(self, address: Address) -> None:
        """Mark the account as touched: EIP-161 deletes it in ``finish_transaction`` when it is empty."""
        raise NotImplementedError

    def add_refund(self, amount: int) -> None:
        """Add to the refund counter (EIP-7702's authorizations)."""
        raise NotImplementedError

    def finish_transaction(self) -> None:
        """Write touched slots back to the state, delete self-destructed and (since EIP-161) touched empty accounts."""
        raise NotImplementedError
