"""The machines that cases run on: smartvm's own, and revm through pyrevm where it is installed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

SENDER = bytes.fromhex("1212121212121212121212121212120000000012")
BALANCE = 10**24
GAS = 100_000_000


@dataclass(frozen=True)
class Outcome:
    """How a message ended. ``halted``: exceptionally, not by a revert."""

    success: bool
    output: bytes
    logs: tuple[tuple[tuple[bytes, ...], bytes], ...] = ()
    halted: bool = False


class Evm(Protocol):
    """One chain with one rich sender."""

    def create(self, code: bytes, value: int) -> tuple[bytes | None, Outcome]:
        """Deploy; the address, or None when that failed."""
        ...

    def call(self, to: bytes, data: bytes, value: int) -> Outcome:
        """Send a transaction."""
        ...


class SmartvmEvm:
    """smartvm's machine at the message level."""

    def __init__(self, fork: str = "osaka") -> None:
        from smartvm.instructions.loader import load_table
        from smartvm.vm.machine import Machine
        from smartvm.vm.messages import BlockEnvironment
        from smartvm.vm.state import MemoryStore
        from smartvm.vm.world import WorldState

        self.state = WorldState(MemoryStore())
        self.state.set_balance(SENDER, BALANCE)
        self.machine = Machine(
            load_table("evm"), fork, self.state, BlockEnvironment(), engine="interpreter"
        )

    def _begin(self) -> None:
        from smartvm.vm.messages import TransactionEnvironment

        self.machine.begin_transaction(TransactionEnvironment(origin=SENDER))

    def create(self, code: bytes, value: int) -> tuple[bytes | None, Outcome]:
        from smartvm.vm.messages import Message

        self._begin()
        result = self.machine.create(Message(SENDER, bytes(20), GAS, code, value))
        outcome = self._outcome(result)
        self.machine.finish_transaction()
        return (result.created_address if result.success else None), outcome

    def call(self, to: bytes, data: bytes, value: int) -> Outcome:
        from smartvm.vm.messages import Message

        self._begin()
        outcome = self._outcome(self.machine.call(Message(SENDER, to, GAS, data, value)))
        self.machine.finish_transaction()
        return outcome

    @staticmethod
    def _outcome(result: object) -> Outcome:
        logs = tuple((tuple(log.topics), bytes(log.data)) for log in result.logs)  # type: ignore[attr-defined]
        halted = result.error is not None  # type: ignore[attr-defined]
        success = bool(result.success)  # type: ignore[attr-defined]
        return Outcome(success, bytes(result.output), logs if success else (), halted)  # type: ignore[attr-defined]


class RevmEvm:
    """revm."""

    def __init__(self) -> None:
        import pyrevm

        self.sender = "0x" + SENDER.hex()
        self.evm = pyrevm.EVM(spec_id="OSAKA", gas_limit=GAS)
        self.evm.set_balance(self.sender, BALANCE)

    def create(self, code: bytes, value: int) -> tuple[bytes | None, Outcome]:
        try:
            address = self.evm.deploy(self.sender, code, value=value)
        except RuntimeError as error:
            return None, self._failure(error)
        return bytes.fromhex(address[2:]), Outcome(True, b"", self._logs())

    def call(self, to: bytes, data: bytes, value: int) -> Outcome:
        # pyrevm keeps transient storage from one call to the next.
        self.evm.reset_transient_storage()
        try:
            output = self.evm.message_call(self.sender, "0x" + to.hex(), calldata=data, value=value)
        except RuntimeError as error:
            return self._failure(error)
        return Outcome(True, bytes(output), self._logs())

    def _logs(self) -> tuple[tuple[tuple[bytes, ...], bytes], ...]:
        return tuple(
            (
                tuple(bytes.fromhex(t.removeprefix("0x")) for t in log.topics),
                bytes(log.data[1] if isinstance(log.data, tuple) else log.data),
            )
            for log in self.evm.result.logs
        )

    @staticmethod
    def _failure(error: RuntimeError) -> Outcome:
        text = str(error)
        if "output: 0x" not in text:
            return Outcome(False, b"", halted=True)
        data = text.split("output: 0x", 1)[1].split(" ", 1)[0].rstrip(" }")
        return Outcome(False, bytes.fromhex(data))
