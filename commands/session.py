"""A little world for one contract: an account that sends, a machine, and a state that may outlive the
process."""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from smartvm.commands.options import UsageError
from smartvm.errors import SmartVMError
from smartvm.instructions.model import InstructionTable
from smartvm.keccak import keccak256

if TYPE_CHECKING:
    from smartvm.vm.messages import Engine, ExecutionResult
    from smartvm.vm.state.persistent import PersistentStore
    from smartvm.vm.tracing import Tracer

#: Who sends when nobody is named, and what a sender that does not exist yet is given.
DEFAULT_SENDER = bytes.fromhex("f39fd6e51aad88f6f4ce6ab8827279cfffb92266")
INITIAL_BALANCE = 10**24


class Session:
    """Deploys and calls contracts; a context manager. With ``state_path``, a folder, the state is
    read from there at the start and written there by ``commit``."""

    def __init__(
        self,
        table: InstructionTable,
        fork: str,
        sender: bytes,
        *,
        state_path: str | None = None,
        engine: Engine = "auto",
        tracer: Tracer | None = None,
        block_cache_bytes: int | None = None,
        prefetch: bool = True,
        weights_as_slots: bool = False,
    ) -> None:
        from smartvm.extensions import kernels, microcode
        from smartvm.vm.dnn.weights.block_cache import DEFAULT_LIMIT
        from smartvm.vm.machine import Machine
        from smartvm.vm.messages import BlockEnvironment
        from smartvm.vm.state.memory import MemoryStore
        from smartvm.vm.state.persistent import PersistentStore
        from smartvm.vm.world import WorldState

        # Imports the kernels' modules, also those that lie beside the table, before the machine looks for
        # them.
        kernels(table)
        self.sender = sender
        self._store: PersistentStore | None = None
        if state_path is not None:
            self._store = PersistentStore.open_at(state_path)
        self.state = WorldState(self._store if self._store is not None else MemoryStore())
        if not self.state.exists(sender):
            self.state.set_balance(sender, INITIAL_BALANCE)
        code = microcode(table, fork)
        self.machine = Machine(
            table,
            fork,
            self.state,
            BlockEnvironment(),
            microcode=code,
            engine=engine,
            tracer=tracer,
            block_cache_bytes=DEFAULT_LIMIT if block_cache_bytes is None else block_cache_bytes,
            prefetch=prefetch,
            weights_as_slots=weights_as_slots,
        )

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.machine.close()
        if self._store is not None:
            self._store.close()

    def commit(self) -> None:
        """Keep what has changed."""
        self.state.commit()

    def _check_balance(self, value: int) -> None:
        balance = self.state.balance(self.sender)
        if balance < value:
            raise UsageError(f"the sender 0x{self.sender.hex()} has {balance} wei, {value} are to be sent")

    def deploy(self, code: bytes, gas: int, value: int = 0) -> ExecutionResult:
        """Run creation code; the new contract's address is the result's ``created_address``."""
        from smartvm.vm.messages import Message, TransactionEnvironment

        self._check_balance(value)
        self.machine.begin_transaction(TransactionEnvironment(self.sender), [self.sender])
        result = self.machine.create(Message(self.sender, bytes(20), gas, code, value))
        self.machine.finish_transaction()
        return result

    def call(self, target: bytes, data: bytes, gas: int, value: int = 0) -> ExecutionResult:
        """Call a contract."""
        from smartvm.vm.messages import Message, TransactionEnvironment

        self._check_balance(value)
        self.machine.begin_transaction(TransactionEnvironment(self.sender), [self.sender, target])
        self.state.set_nonce(self.sender, self.state.nonce(self.sender) + 1)
        result = self.machine.call(Message(self.sender, target, gas, data, value))
        self.machine.finish_transaction()
        return result


class Deployments:
    """Which contract lies where in a state: ``contracts.json`` beside it maps what was deployed (creation
    code with arguments, by hash) to addresses."""

    def __init__(self, state_path: str | None) -> None:
        self._path: Path | None = None
        if state_path is not None:
            place = Path(state_path)
            self._path = Path(f"{place}.contracts.json") if place.is_file() else place / "contracts.json"
        self._addresses: dict[str, str] = {}
        if self._path is not None and self._path.exists():
            try:
                document = json.loads(self._path.read_text(encoding="utf-8"))
                self._addresses = {str(key): str(value) for key, value in document.items()}
            except (OSError, ValueError, AttributeError):
                raise SmartVMError(
                    f"`{self._path}` is damaged", hint="remove it, or name the address: --at"
                ) from None

    @staticmethod
    def _key(code: bytes) -> str:
        return keccak256(code).hex()

    def find(self, code: bytes) -> bytes | None:
        """The address at which this creation code was deployed last."""
        text = self._addresses.get(self._key(code), "")
        try:
            address = bytes.fromhex(text.removeprefix("0x"))
        except ValueError:
            return None
        return address if len(address) == 20 else None

    def record(self, code: bytes, address: bytes) -> None:
        """Remember a deployment; nothing where there is no state file."""
        self._addresses[self._key(code)] = "0x" + address.hex()
        if self._path is not None:
            written = self._path.with_suffix(".json.new")
            written.write_text(json.dumps(self._addresses, indent=1) + "\n", encoding="utf-8")
            written.replace(self._path)  # whole or not at all, whenever the process is killed
