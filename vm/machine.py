"""The machine: executes messages over a world state, at one fork, by one instruction table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from smartvm.instructions.model import Instruction, InstructionTable
from smartvm.vm.access import TransactionRecord
from smartvm.vm.account_instructions import ACCOUNT_INSTRUCTIONS
from smartvm.vm.arenas import Arenas
from smartvm.vm.call_instructions import CALL_INSTRUCTIONS, created_address
from smartvm.vm.code import code_cache
from smartvm.vm.dnn.executor.directory import BlockDirectory
from smartvm.vm.dnn.executor.layout import EXECUTOR
from smartvm.vm.dnn.weights.block_cache import DEFAULT_LIMIT, BlockCache
from smartvm.vm.dnn.weights.prefetch import Prefetcher, prepare_ahead
from smartvm.vm.entering import enter, enter_creation, failed
from smartvm.vm.execution import execute
from smartvm.vm.extensions import extension_executor
from smartvm.vm.forks import Fork, fork_named
from smartvm.vm.frame import Frame
from smartvm.vm.hot_code import HotCode
from smartvm.vm.messages import (
    Address,
    BlockEnvironment,
    DnnEngine,
    Engine,
    ExecutionResult,
    HaltKind,
    Message,
    TransactionEnvironment,
)
from smartvm.vm.native.layout import ACCOUNT_FACTS, BUFFERS_WITHHELD, MACHINE, PARAMETERS
from smartvm.vm.native.library import address_of_bytes, interpreter
from smartvm.vm.outcome import Outcome
from smartvm.vm.plan import execution_plan
from smartvm.vm.precompiles.registry import precompiles_at
from smartvm.vm.tracing import KernelEvent, Tracer
from smartvm.vm.world import WorldState

if TYPE_CHECKING:
    from smartvm.vm.dnn.executor.engine import DnnExecutor

_DELEGATION_PREFIX = b"\xef\x01\x00"  # EIP-7702
_DELEGATION_SIZE = 23

_LOGS_USED = MACHINE["logs_used"]
_REFUND = MACHINE["refund"]
_BLOB_HASHES = MACHINE["blob_hashes"]
_BLOB_HASH_COUNT = MACHINE["blob_hash_count"]
_DNN_HANDLERS = MACHINE["dnn_handlers"]

HostInstruction = Callable[["Machine", Frame], "Frame | Outcome | None"]


class Machine:
    """Executes messages. Not for use from two threads at once.

    A transaction is: ``begin_transaction``, then ``call`` or ``create`` (any number), then
    ``finish_transaction``. Whoever drives it (``vm.transaction``) checks validity, buys gas, sets the
    sender's nonce, applies authorizations and pays refunds and the coinbase on ``state`` itself.
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
        block_cache_bytes: int = DEFAULT_LIMIT,
        prefetch: bool = True,
        weights_as_slots: bool = False,
        dnn: DnnEngine = "auto",
    ) -> None:
        """``block_cache_bytes`` limits the memory of decoded weight blocks; ``prefetch``: a second thread prepares
        blocks ahead of their use; ``weights_as_slots``: blocks are ordinary slots, for comparison;
        ``dnn``: see ``DnnEngine``."""
        self.table = table
        self.fork = fork if isinstance(fork, Fork) else fork_named(fork)
        self.state = state
        self.block = block
        self.microcode = dict(microcode or {})
        self.engine = engine
        self.tracer = tracer
        self._observer: Callable[[KernelEvent], None] | None = None
        self.plan = execution_plan(table, self.fork)
        self.interpreter = interpreter()
        self.arenas = Arenas(self.interpreter)
        self._rules = {name: dict(self.plan.rule(name).constants) for name in self.plan.opcodes}
        self.blocks = BlockCache(block_cache_bytes)
        self.weights_as_slots = weights_as_slots
        self.prefetcher = None
        if prefetch and not weights_as_slots:
            self.prefetcher = Prefetcher(self.plan.lookahead, self.blocks, prepare_ahead)
        self.dnn = dnn
        fields = np.zeros(EXECUTOR.size, np.uint64)
        #: The DNN executor's structure.
        self.dnn_fields = fields.data
        self.block_directory = BlockDirectory(self.dnn_fields)
        self.blocks.on_drop = self.block_directory.forget
        self.blocks.other_uses = self.block_directory
        self.arenas.machine[MACHINE["dnn"]] = fields.ctypes.data
        #: The executor whose handlers take turns with kernels, once there is one.
        self.active_dnn_executor: DnnExecutor | None = None
        self.hot_code = HotCode(self.interpreter, self.plan, engine, tracer is not None)
        self.codes = code_cache(
            self.interpreter, self.plan, traced=tracer is not None, patience=self.hot_code.jumps_back
        )
        self.microcodes = code_cache(self.interpreter, self.plan)  # never traced: one instruction
        self.memory_constants = self.plan.constants["memory_word"], self.plan.constants["memory_quadratic_divisor"]
        self.precompiles = {
            address.to_bytes(20, "big"): contract for address, contract in precompiles_at(self.fork).items()
        }
        self.host_instructions = self._host_instructions()
        self._warms_coinbase = self.fork >= Fork.SHANGHAI
        self._blob_hashes = b""
        self._write_environment()
        self._forget_transaction()
        self.begin_transaction(TransactionEnvironment())

    def close(self) -> None:
        """End the machine's second thread, if it has one, and drop decoded weight blocks."""
        if self.prefetcher is not None:
            self.prefetcher.close()
        self.blocks.clear()

    # -- tables

    def constants(self, name: str) -> dict[str, int]:
        """The constants of an instruction's gas rule."""
        return self._rules[name]

    def constant(self, name: str, constant: str) -> int:
        """One of them, 0 when the rule lacks it."""
        return self._rules[name].get(constant, 0)

    def _host_instructions(self) -> dict[int, HostInstruction]:
        """What Python executes, by opcode."""
        known: dict[str, HostInstruction] = {**ACCOUNT_INSTRUCTIONS, **CALL_INSTRUCTIONS}
        result: dict[int, HostInstruction] = {}
        for opcode, instruction in self.plan.instructions.items():
            if instruction.implementation is not None:
                result[opcode] = extension_executor(self.plan, instruction, self.microcode)
            elif instruction.name in known:
                result[opcode] = known[instruction.name]
        return result

    def _write_environment(self) -> None:
        block, arenas = self.block, self.arenas
        for name in ("timestamp", "number", "prev_randao", "difficulty", "gas_limit", "chain_id", "base_fee"):
            arenas.set_word(name, getattr(block, name))
        arenas.set_word("blob_base_fee", block.blob_base_fee)
        arenas.set_word("coinbase", int.from_bytes(block.coinbase, "big"))
        start = MACHINE["parameters"]
        for i in range(len(PARAMETERS)):
            arenas.machine[start + i] = self.plan.parameters[i]

    # -- DNN instructions

    @property
    def observer(self) -> Callable[[KernelEvent], None] | None:
        """Receives an event after each kernel; for profiles. Meanwhile kernels execute all DNN instructions."""
        return self._observer

    @observer.setter
    def observer(self, observer: Callable[[KernelEvent], None] | None) -> None:
        self._observer = observer
        self._choose_handlers()

    def _choose_handlers(self) -> None:
        executor = self.active_dnn_executor if self._observer is None else None
        self.arenas.machine[_DNN_HANDLERS] = 0 if executor is None else executor.handlers

    def dnn_executor(self, instruction: Instruction) -> DnnExecutor | None:
        """The executor whose handlers take turns with kernels, if any do; made for the first DNN instruction."""
        if self.active_dnn_executor is None:
            implementation = instruction.implementation
            if self.dnn == "kernels" or implementation is None or implementation.kind != "native":
                return None
            # imported on use: programs without DNN instructions need no compiler of kernels
            from smartvm.vm.dnn.executor.engine import DnnExecutor

            self.active_dnn_executor = DnnExecutor(
                self.plan, self.arenas.frames_address, self.dnn_fields, self.dnn == "handlers"
            )
            self._choose_handlers()
        return self.active_dnn_executor

    def withhold_buffers(self, frame: Frame) -> None:
        """Leave all DNN instructions of a frame to kernels."""
        if self.active_dnn_executor is not None:
            self.active_dnn_executor.take(frame)
        frame.set_field("buffers", BUFFERS_WITHHELD)

    # -- transactions

    def begin_transaction(
        self,
        environment: TransactionEnvironment,
        warm_addresses: Iterable[Address] = (),
        warm_slots: Iterable[tuple[Address, int]] = (),
    ) -> None:
        """Start a transaction: transient storage, access sets, refund counter, logs and created marks are
        empty.

        The machine itself warms the precompiled contracts, the origin and (EIP-3651) the coinbase; the caller
        gives the target, the access list and the authorities of EIP-7702.
        """
        self.transaction = environment
        arenas = self.arenas
        if len(self._tagged) > 1:  # without a tag no code has run since all was forgotten
            self._forget_transaction()
        arenas.machine[_REFUND] = 0
        arenas.set_word("origin", int.from_bytes(environment.origin, "big"))
        arenas.set_word("gas_price", environment.gas_price)
        if environment.blob_hashes:
            self._blob_hashes = b"".join(h[::-1] for h in environment.blob_hashes)
            arenas.machine[_BLOB_HASHES] = address_of_bytes(self._blob_hashes)
        arenas.machine[_BLOB_HASH_COUNT] = len(environment.blob_hashes)
        always = (environment.origin, self.block.coinbase) if self._warms_coinbase else (environment.origin,)
        self.record = TransactionRecord(self.state, self.precompiles, always, warm_addresses)
        for address, slot in warm_slots:
            arenas.set_slot_flags(self.slot_entry(address, slot), 1)

    def _forget_transaction(self) -> None:
        if self.prefetcher is not None:
            self.prefetcher.end_transaction()
        arenas = self.arenas
        arenas.clear_slots()
        arenas.shrink()
        arenas.machine[_LOGS_USED] = 0
        arenas.machine[_REFUND] = 0
        self.block_directory.begin_transaction()
        self._tags: dict[bytes, int] = {}
        self._tagged: list[bytes] = [b""]

    def finish_transaction(self) -> None:
        """Write touched slots back to the state, delete self-destructed and (since EIP-161) touched empty
        accounts."""
        state, record = self.state, self.record
        for tag, key, value in self.arenas.changed_slots():
            address = self._tagged[tag]
            if address not in record.destroyed:
                state.set_storage(address, key, value)
        for address in record.destroyed:
            state.delete_account(address)
        if self.fork >= Fork.SPURIOUS_DRAGON:
            for address in record.touched_addresses():
                if state.is_empty(address) and state.exists(address):
                    state.delete_account(address)
        self._forget_transaction()

    def touch(self, address: Address) -> None:
        """Mark the account as touched: EIP-161 deletes it in ``finish_transaction`` when it is empty. Before
        that EIP a touched account comes into being."""
        if self.fork >= Fork.SPURIOUS_DRAGON:
            self.record.touch(address)
        elif not self.state.exists(address):
            self.state.create_account(address)

    @property
    def refund(self) -> int:
        """The transaction's refund counter."""
        counter = self.arenas.machine[_REFUND]
        return counter - (1 << 64) if counter >> 63 else counter

    def add_refund(self, amount: int) -> None:
        """Add to the refund counter (EIP-7702's authorizations)."""
        self.arenas.machine[_REFUND] = (self.refund + amount) & ((1 << 64) - 1)

    # -- storage

    def storage_tag(self, address: bytes) -> int:
        """The number that stands for an account in the slot table."""
        tag = self._tags.get(address)
        if tag is None:
            tag = self._tags[address] = len(self._tagged)
            self._tagged.append(address)
        return tag

    def slot_entry(self, address: bytes, key: int) -> int:
        """The slot's entry in the slot table, loaded when it was not there."""
        tag = self.storage_tag(address)
        entry = self.arenas.find_slot(tag, key)
        if entry is None:
            entry = self.arenas.insert_slot(tag, key, self.state.storage(address, key))
        return entry

    def storage(self, address: bytes, key: int) -> int:
        """A slot's present word, also in the middle of a transaction."""
        return self.arenas.slot_word(self.slot_entry(address, key), "current")

    # -- accounts

    def external_code_hash(self, address: bytes) -> int:
        """What EXTCODEHASH gives: 0 for an account that does not exist or is empty (EIP-1052)."""
        state = self.state
        absent = not state.exists(address) or state.is_empty(address)
        return 0 if absent else int.from_bytes(state.code_hash(address), "big")

    def remember_account(self, address: bytes) -> None:
        """Let compiled code know a warm account, until any account changes."""
        state, arenas = self.state, self.arenas
        key = int.from_bytes(address, "big")
        entry = arenas.find_slot(ACCOUNT_FACTS, key)
        if entry is None:
            entry = arenas.insert_slot(ACCOUNT_FACTS, key, 0)
        arenas.set_account_facts(
            entry,
            state.version,
            state.balance(address),
            self.external_code_hash(address),
            len(state.code(address)),
        )

    def delegation(self, address: bytes) -> bytes | None:
        """The address that an account's code delegates to (EIP-7702)."""
        if self.fork < Fork.PRAGUE:
            return None
        code = self.state.code(address)
        if len(code) == _DELEGATION_SIZE and code.startswith(_DELEGATION_PREFIX):
            return code[len(_DELEGATION_PREFIX) :]
        return None

    # -- messages

    def call(self, message: Message) -> ExecutionResult:
        """Execute a call. A failure undoes all its changes."""
        logs_start = self.arenas.machine[_LOGS_USED]
        if message.value and self.state.balance(message.caller) < message.value:
            return self._result(message, failed(HaltKind.INSUFFICIENT_BALANCE), logs_start, None)
        code_address, delegate, code = message.target, None, message.code
        if code is None:
            delegate = self.delegation(message.target)
            if delegate is not None:
                self.record.warm.add(delegate)
                code_address = delegate
            code = self.state.code(code_address)
        entered = enter(
            self,
            kind="CALL",
            depth=0,
            caller=message.caller,
            target=message.target,
            code_address=code_address,
            code=code,
            value=message.value,
            transferred=message.value,
            data=message.data,
            gas=message.gas,
            is_static=message.is_static,
            memory_start=0,
            may_be_precompiled=delegate is None and message.code is None,
        )
        outcome = execute(self, entered) if isinstance(entered, Frame) else entered
        return self._result(message, outcome, logs_start, None)

    def created_address(self, creator: Address) -> Address:
        """The address of what ``create`` will create for ``creator`` now."""
        return created_address(creator, self.state.nonce(creator))

    def create(self, message: Message) -> ExecutionResult:
        """Execute a creation by ``message.caller``, whose nonce must still be the one that the address is
        made of (``created_address``): the machine increments it."""
        logs_start = self.arenas.machine[_LOGS_USED]
        if self.state.balance(message.caller) < message.value:
            return self._result(message, failed(HaltKind.INSUFFICIENT_BALANCE), logs_start, None)
        address = self.created_address(message.caller)
        self.state.set_nonce(message.caller, self.state.nonce(message.caller) + 1)
        self.record.warm.add(address)
        entered = enter_creation(
            self,
            kind="CREATE",
            depth=0,
            caller=message.caller,
            address=address,
            init_code=message.data,
            value=message.value,
            gas=message.gas,
            memory_start=0,
        )
        outcome = execute(self, entered) if isinstance(entered, Frame) else entered
        return self._result(message, outcome, logs_start, address)

    def _result(self, message: Message, outcome: Outcome, logs_start: int, created: bytes | None) -> ExecutionResult:
        return ExecutionResult(
            success=outcome.success,
            reverted=outcome.reverted,
            output=outcome.output,
            gas_used=message.gas - outcome.gas_left,
            gas_left=outcome.gas_left,
            refund=self.refund,
            logs=self.arenas.logs(logs_start),
            error=outcome.halt,
            created_address=created if outcome.success else None,
        )
