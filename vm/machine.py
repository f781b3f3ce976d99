"""The machine: executes messages over a world state, at one fork, by one instruction table."""

from __future__ import annotations

import ctypes
import math
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from smartvm.instructions.model import Instruction, InstructionTable
from smartvm.vm.access import TransactionRecord
from smartvm.vm.account_instructions import ACCOUNT_INSTRUCTIONS
from smartvm.vm.arenas import Arenas
from smartvm.vm.call_instructions import (
    CALL_INSTRUCTIONS,
    MAX_CODE_SIZE,
    created_address,
    resume_after_call,
    resume_after_create,
)
from smartvm.vm.code import AnalysedCode, code_cache
from smartvm.vm.diagnosis import halt_of_host, halt_of_reason
from smartvm.vm.dnn.block_cache import DEFAULT_LIMIT, BlockCache
from smartvm.vm.dnn.executor.directory import BlockDirectory
from smartvm.vm.dnn.executor.layout import EXECUTOR
from smartvm.vm.dnn.prefetch import Prefetcher, prepare_ahead
from smartvm.vm.extensions import extension_executor
from smartvm.vm.forks import Fork, fork_named
from smartvm.vm.frame import Frame, Marks
from smartvm.vm.halts import ExceptionalHalt
from smartvm.vm.messages import (
    Address,
    BlockEnvironment,
    DnnEngine,
    Engine,
    ExecutionResult,
    HaltInformation,
    HaltKind,
    Message,
    TransactionEnvironment,
)
from smartvm.vm.microcode import MICROCODE, leave_microcode
from smartvm.vm.native.layout import ACCOUNT_FACTS, BUFFERS_WITHHELD, MACHINE, PARAMETERS, Reason
from smartvm.vm.native.library import address_of_bytes, interpreter
from smartvm.vm.outcome import Outcome
from smartvm.vm.plan import execution_plan
from smartvm.vm.precompiles.model import PrecompileFailure
from smartvm.vm.precompiles.registry import precompiles_at
from smartvm.vm.state.model import EMPTY_CODE_HASH
from smartvm.vm.steps import step_event
from smartvm.vm.tier import PATIENCE, compiled_tier
from smartvm.vm.tracing import FrameEndEvent, FrameEvent, KernelEvent, Tracer
from smartvm.vm.world import WorldState

if TYPE_CHECKING:
    from smartvm.vm.dnn.executor.engine import DnnExecutor

_DELEGATION_PREFIX = b"\xef\x01\x00"  # EIP-7702
_DELEGATION_SIZE = 23

_STATE_VERSION = MACHINE["state_version"]
_BLOCKS_VERSION = EXECUTOR["version"]
_LOGS_USED = MACHINE["logs_used"]
_REFUND = MACHINE["refund"]
_BLOB_HASHES = MACHINE["blob_hashes"]
_BLOB_HASH_COUNT = MACHINE["blob_hash_count"]
_JOURNAL_COUNT = MACHINE["journal_count"]
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
        self._tier = compiled_tier(self.interpreter, self.plan)
        self._patience = PATIENCE[engine]
        self.codes = code_cache(
            self.interpreter, self.plan, traced=tracer is not None, patience=self._patience.jumps_back
        )
        self._compiles = engine != "interpreter" and tracer is None
        self._microcodes = code_cache(self.interpreter, self.plan)  # never traced: one instruction
        self.memory_constants = (
            self.plan.constants["memory_word"],
            self.plan.constants["memory_quadratic_divisor"],
        )
        self._rules = {name: dict(self.plan.rule(name).constants) for name in self.plan.opcodes}
        self._precompiles = {
            address.to_bytes(20, "big"): contract for address, contract in precompiles_at(self.fork).items()
        }
        self.blocks = BlockCache(block_cache_bytes)
        self.weights_as_slots = weights_as_slots
        self.prefetcher = None
        if prefetch and not weights_as_slots:
            self.prefetcher = Prefetcher(self.plan.lookahead, self.blocks, prepare_ahead)
        self.dnn = dnn
        self._dnn_fields = np.zeros(EXECUTOR.size, np.uint64)
        self.block_directory = BlockDirectory(self._dnn_fields.data)
        self.blocks.on_drop = self.block_directory.forget
        self.arenas.machine[MACHINE["dnn"]] = self._dnn_fields.ctypes.data
        self._dnn_executor: DnnExecutor | None = None
        self._host = self._host_instructions()
        self._blob_hashes = b""
        self._executed_ns = 0  # by all calls until now, compiling included
        self._compiling_ns = 0
        self._started_ns = time.perf_counter_ns()
        self._write_environment()
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
        executor = self._dnn_executor if self._observer is None else None
        self.arenas.machine[_DNN_HANDLERS] = 0 if executor is None else executor.handlers

    def dnn_executor(self, instruction: Instruction) -> DnnExecutor | None:
        """The executor whose handlers take turns with kernels, if any do; made for the first DNN instruction."""
        if self._dnn_executor is None:
            implementation = instruction.implementation
            if self.dnn == "kernels" or implementation is None or implementation.kind != "native":
                return None
            # imported on use: programs without DNN instructions need no compiler of kernels
            from smartvm.vm.dnn.executor.engine import DnnExecutor

            self._dnn_executor = DnnExecutor(
                self.plan, self.arenas.frames_address, self._dnn_fields.data, self.dnn == "handlers"
            )
            self._choose_handlers()
        return self._dnn_executor

    def withhold_buffers(self, frame: Frame) -> None:
        """Leave all DNN instructions of a frame to kernels."""
        if self._dnn_executor is not None:
            self._dnn_executor.take(frame)
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
        if self.prefetcher is not None:
            self.prefetcher.end_transaction()
        arenas = self.arenas
        arenas.clear_slots()
        arenas.shrink()
        arenas.machine[_LOGS_USED] = 0
        arenas.machine[_REFUND] = 0
        arenas.set_word("origin", int.from_bytes(environment.origin, "big"))
        arenas.set_word("gas_price", environment.gas_price)
        self._blob_hashes = b"".join(h[::-1] for h in environment.blob_hashes)
        arenas.machine[_BLOB_HASHES] = address_of_bytes(self._blob_hashes)
        arenas.machine[_BLOB_HASH_COUNT] = len(environment.blob_hashes)
        self.block_directory.begin_transaction()
        self._tags: dict[bytes, int] = {}
        self._tagged: list[bytes] = [b""]
        warm = [*self._precompiles, environment.origin, *warm_addresses]
        if self.fork >= Fork.SHANGHAI:
            warm.append(self.block.coinbase)
        self.record = TransactionRecord(self.state, warm)
        for address, slot in warm_slots:
            arenas.set_slot_flags(self.slot_entry(address, slot), 1)

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
                if state.exists(address) and state.is_empty(address):
                    state.delete_account(address)
        self.begin_transaction(TransactionEnvironment())

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

    # -- frames

    def delegation(self, address: bytes) -> bytes | None:
        """The address that an account's code delegates to (EIP-7702)."""
        if self.fork < Fork.PRAGUE:
            return None
        code = self.state.code(address)
        if len(code) == _DELEGATION_SIZE and code.startswith(_DELEGATION_PREFIX):
            return code[len(_DELEGATION_PREFIX) :]
        return None

    def _marks(self) -> Marks:
        machine = self.arenas.machine
        return (
            self.state.snapshot(),
            machine[_JOURNAL_COUNT],
            machine[_LOGS_USED],
            machine[_REFUND],
            self.block_directory.mark,
        )

    def _revert(self, marks: Marks) -> None:
        machine = self.arenas.machine
        self.state.revert(marks[0])
        if machine[_JOURNAL_COUNT] > marks[1]:
            self.interpreter.revert_slots(self.arenas.machine_address, marks[1])
        machine[_LOGS_USED] = marks[2]
        machine[_REFUND] = marks[3]
        self.block_directory.revert(marks[4])

    def _transfer(self, sender: bytes, receiver: bytes, amount: int) -> None:
        self.touch(receiver)
        if amount and sender != receiver:
            state = self.state
            state.set_balance(sender, state.balance(sender) - amount)
            state.set_balance(receiver, state.balance(receiver) + amount)

    def enter(
        self,
        *,
        kind: str,
        depth: int,
        caller: bytes,
        target: bytes,
        code_address: bytes,
        code: bytes,
        value: int,
        transferred: int,
        data: bytes,
        gas: int,
        is_static: bool,
        memory_start: int,
        may_be_precompiled: bool = True,
        caller_gas: int | None = None,
    ) -> Frame | Outcome:
        """A call's frame, or at once the outcome of a precompiled contract or of no code. The value is
        transferred from ``caller``; the caller has it."""
        if self.tracer is not None:
            self.tracer.enter(
                FrameEvent(kind, depth + 1, caller, target, code_address, value, data, gas, caller_gas)
            )
        marks = self._marks()
        if kind != "DELEGATECALL":
            self._transfer(caller, target, transferred)
        precompile = self._precompiles.get(code_address) if may_be_precompiled else None
        if precompile is not None:
            outcome = self._run_precompile(precompile, data, gas)
        elif not code or (not may_be_precompiled and code_address in self._precompiles):
            outcome = Outcome(True, b"", gas)
        else:
            frame = self.new_frame(
                kind, depth, code, caller, target, code_address, value, data, gas, is_static, memory_start
            )
            frame.marks = marks
            return frame
        if not outcome.success:
            self._revert(marks)
        self._trace_end(depth, outcome)
        return outcome

    def new_frame(
        self,
        kind: str,
        depth: int,
        code: bytes,
        caller: bytes,
        address: bytes,
        code_address: bytes,
        value: int,
        data: bytes,
        gas: int,
        is_static: bool,
        memory_start: int,
    ) -> Frame:
        """A frame about to start; nothing of the state changes."""
        codes = self._microcodes if kind == MICROCODE else self.codes
        analysed = codes.get(code)
        if self._compiles and kind != MICROCODE:
            analysed.entries += 1
            if analysed.entries == self._patience.entries:
                self._compile(analysed, 0)
        return Frame(
            self.arenas,
            self.memory_constants,
            kind,
            depth,
            analysed,
            caller,
            address,
            code_address,
            value,
            data,
            gas,
            is_static,
            memory_start,
            self.storage_tag(address),
            self.state.storage_known_empty(address),
        )

    def _run_precompile(self, precompile: object, data: bytes, gas: int) -> Outcome:
        price = precompile.gas(data)  # type: ignore[attr-defined]
        if price > gas:
            return self._failed(HaltKind.OUT_OF_GAS)
        try:
            output = precompile.run(data)  # type: ignore[attr-defined]
        except PrecompileFailure as failure:
            return self._failed(HaltKind.PRECOMPILE_FAILURE, str(failure))
        return Outcome(True, output, gas - price)

    @staticmethod
    def _failed(kind: HaltKind, message: str = "") -> Outcome:
        return Outcome(False, b"", 0, HaltInformation(kind, None, None, message or kind.value))

    def enter_creation(
        self,
        *,
        kind: str,
        depth: int,
        caller: bytes,
        address: bytes,
        init_code: bytes,
        value: int,
        gas: int,
        memory_start: int,
        caller_gas: int | None = None,
    ) -> Frame | Outcome:
        """A creation's frame; or its outcome when the address is taken. The creator's nonce is already
        incremented."""
        if self.tracer is not None:
            self.tracer.enter(
                FrameEvent(kind, depth + 1, caller, address, address, value, init_code, gas, caller_gas)
            )
        state = self.state
        if state.nonce(address) or state.code_hash(address) != EMPTY_CODE_HASH or state.has_storage(address):
            outcome = self._failed(HaltKind.ADDRESS_COLLISION)
            self._trace_end(depth, outcome)
            return outcome
        marks = self._marks()
        self.record.created.add(address)
        if state.exists(address):
            state.clear_storage(address)
        if self.fork >= Fork.SPURIOUS_DRAGON:
            state.set_nonce(address, 1)
        self._transfer(caller, address, value)
        frame = self.new_frame(
            kind, depth, init_code, caller, address, address, value, b"", gas, False, memory_start
        )
        frame.marks = marks
        frame.new_account = address
        return frame

    # -- execution

    def _execute(self, first: Frame) -> Outcome:
        frames = [first]
        run = self.interpreter.run
        state, machine_fields = self.state, self.arenas.machine
        self._started_ns = time.perf_counter_ns() - self._executed_ns
        try:
            return self._execute_frames(frames, run, state, machine_fields)
        finally:
            self._executed_ns = time.perf_counter_ns() - self._started_ns

    def _execute_frames(
        self,
        frames: list[Frame],
        run: Callable[[int], int],
        state: WorldState,
        machine_fields: memoryview,
    ) -> Outcome:
        dnn_fields = self._dnn_fields.data
        while True:
            frame = frames[-1]
            machine_fields[_STATE_VERSION] = state.version
            dnn_fields[_BLOCKS_VERSION] = state.blocks_version
            code = run(frame.structure_address)
            reason = code & 0xFF
            if reason == Reason.HOST:
                entered = self._run_host_instruction(frame)
                if entered is None:
                    continue
                if isinstance(entered, Frame):
                    if self._dnn_executor is not None:
                        self._dnn_executor.settle(frame)
                    frames.append(entered)
                    continue
                outcome = entered
            elif reason > Reason.HOST:
                self._serve(frame, reason)
                continue
            else:
                outcome = self._outcome(frame, Reason(reason), code >> 8)
            frames.pop()
            if frame.microcode_of is not None:
                ended = self._leave_microcode(frames[-1], frame, outcome, reason)
                if ended is None:
                    continue
                frame = frames.pop()
                outcome = ended
            outcome = self._end(frame, outcome)
            if not frames:
                return outcome
            if frame.new_account is not None:
                resume_after_create(frames[-1], frame.new_account, outcome)
            else:
                resume_after_call(frames[-1], frame.output_area, outcome)

    def _run_host_instruction(self, frame: Frame) -> Frame | Outcome | None:
        try:
            return self._host[frame.field("detail")](self, frame)
        except ExceptionalHalt as halt:
            return Outcome(False, b"", 0, halt_of_host(self.plan, frame, halt))

    def _compile(self, code: AnalysedCode, head: int) -> bool:
        """Compile a region, if that pays; whether the matter is settled."""
        affordable = math.inf
        if self.engine == "auto":
            affordable = time.perf_counter_ns() - self._started_ns - 2 * self._compiling_ns
        spent = self._tier.compile(code, head, affordable)
        if spent is None:
            return False
        self._compiling_ns += spent
        return True

    def _compile_hot_block(self, frame: Frame) -> None:
        if not self._compile(frame.code, frame.code.program_counter(frame.field("detail"))):
            # ask again later: the counter starts anew
            ctypes.c_uint64.from_address(frame.field("needed")).value = self._patience.jumps_back

    def _leave_microcode(self, parent: Frame, frame: Frame, outcome: Outcome, reason: int) -> Outcome | None:
        try:
            return leave_microcode(self, parent, frame, outcome, stopped=reason == Reason.STOP)
        except ExceptionalHalt as halt:
            return Outcome(False, b"", 0, halt_of_host(self.plan, parent, halt))

    def _serve(self, frame: Frame, reason: int) -> None:
        """Give compiled code what it asks for."""
        arenas = self.arenas
        if reason == Reason.LOAD_SLOT:
            key = frame.word("missing_key")
            arenas.insert_slot(frame.field("storage_tag"), key, self.state.storage(frame.address, key))
        elif reason == Reason.TRACE:
            assert self.tracer is not None
            self.tracer.step(step_event(self.plan, frame, self.refund))
        elif reason == Reason.HOT:
            self._compile_hot_block(frame)
        elif reason == Reason.GROW_MEMORY:
            end = frame.memory_start + frame.field("needed")
            arenas.require_memory(end, frame.memory_start + frame.memory_size, frame.depth)
        elif reason == Reason.GROW_SLOTS:
            arenas.grow_slots()
        elif reason == Reason.GROW_JOURNAL:
            arenas.grow_journal()
        else:
            arenas.grow_logs(frame.field("needed"))

    def _outcome(self, frame: Frame, reason: Reason, component: int) -> Outcome:
        if reason == Reason.STOP:
            return Outcome(True, b"", frame.gas)
        if reason in (Reason.RETURN, Reason.REVERT):
            output = frame.read_memory(frame.field("output_offset"), frame.field("output_size"))
            return Outcome(reason == Reason.RETURN, output, frame.gas)
        return Outcome(False, b"", 0, halt_of_reason(self.plan, frame, reason, component))

    def _end(self, frame: Frame, outcome: Outcome) -> Outcome:
        """Keep or undo the frame's changes; a creation's output becomes code."""
        if self._dnn_executor is not None:
            self._dnn_executor.release(frame)
        if outcome.success and frame.new_account is not None:
            outcome = self._deposit_code(frame.new_account, outcome)
        if not outcome.success:
            self._revert(frame.marks)
        self._trace_end(frame.depth, outcome)
        return outcome

    def _deposit_code(self, address: bytes, outcome: Outcome) -> Outcome:
        code = outcome.output
        if self.fork >= Fork.LONDON and code.startswith(b"\xef"):
            return self._failed(HaltKind.CODE_PREFIX)
        price = len(code) * self.constant("CREATE", "per_code_byte")
        if price > outcome.gas_left:
            if self.fork >= Fork.HOMESTEAD:
                return self._failed(HaltKind.OUT_OF_GAS)
            return Outcome(True, b"", outcome.gas_left)
        if self.fork >= Fork.SPURIOUS_DRAGON and len(code) > MAX_CODE_SIZE:
            return self._failed(
                HaltKind.CODE_SIZE, f"{len(code)} bytes of code, at most {MAX_CODE_SIZE} are allowed"
            )
        self.state.set_code(address, code)
        return Outcome(True, code, outcome.gas_left - price)

    def _trace_end(self, depth: int, outcome: Outcome) -> None:
        if self.tracer is None:
            return
        error = None
        if outcome.halt is not None:
            error = outcome.halt.message
        elif not outcome.success:
            error = "execution reverted"
        self.tracer.exit(FrameEndEvent(depth + 1, outcome.output, outcome.gas_left, error))

    # -- messages

    def call(self, message: Message) -> ExecutionResult:
        """Execute a call. A failure undoes all its changes."""
        logs_start = self.arenas.machine[_LOGS_USED]
        if message.value and self.state.balance(message.caller) < message.value:
            return self._result(message, self._failed(HaltKind.INSUFFICIENT_BALANCE), logs_start, None)
        delegate = self.delegation(message.target) if message.code is None else None
        code_address = message.target
        if delegate is not None:
            self.record.warm.add(delegate)
            code_address = delegate
        code = self.state.code(code_address) if message.code is None else message.code
        entered = self.enter(
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
        outcome = self._execute(entered) if isinstance(entered, Frame) else entered
        return self._result(message, outcome, logs_start, None)

    def created_address(self, creator: Address) -> Address:
        """The address of what ``create`` will create for ``creator`` now."""
        return created_address(creator, self.state.nonce(creator))

    def create(self, message: Message) -> ExecutionResult:
        """Execute a creation by ``message.caller``, whose nonce must still be the one that the address is
        made of (``created_address``): the machine increments it."""
        logs_start = self.arenas.machine[_LOGS_USED]
        if self.state.balance(message.caller) < message.value:
            return self._result(message, self._failed(HaltKind.INSUFFICIENT_BALANCE), logs_start, None)
        address = self.created_address(message.caller)
        self.state.set_nonce(message.caller, self.state.nonce(message.caller) + 1)
        self.record.warm.add(address)
        entered = self.enter_creation(
            kind="CREATE",
            depth=0,
            caller=message.caller,
            address=address,
            init_code=message.data,
            value=message.value,
            gas=message.gas,
            memory_start=0,
        )
        outcome = self._execute(entered) if isinstance(entered, Frame) else entered
        return self._result(message, outcome, logs_start, address)

    def _result(
        self, message: Message, outcome: Outcome, logs_start: int, created: bytes | None
    ) -> ExecutionResult:
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
