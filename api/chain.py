"""A chain in memory for Python users: deploy compiled contracts, call them, look at what happened.

    chain = smartvm.Chain()
    token = chain.deploy("Token.sol", "Token", 10**18)
    token.transfer(chain.accounts[1], 5)
    assert token.balanceOf(chain.accounts[1]) == 5

Each call of a function that may change state is a transaction in a block of its own; calls of ``view`` and
``pure`` functions leave the state as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smartvm.abi import checksum_address
from smartvm.api.contract import Contract, ContractError, Reverted, TransactionResult
from smartvm.instructions.forks import canonical_fork
from smartvm.instructions.loader import load_table
from smartvm.instructions.model import InstructionTable
from smartvm.keccak import keccak256

if TYPE_CHECKING:
    from smartvm.vm.messages import ExecutionResult

#: Wei that each of a chain's accounts starts with.
INITIAL_BALANCE = 10**24

#: Gas of a transaction that names none.
DEFAULT_GAS = 1_000_000_000

_ACCOUNTS = 10


class Chain:
    """Accounts, contracts and their state, executed by smartvm's machine.

    ``table`` is an instruction table, a shipped table's name or a TOML file. ``accounts`` are addresses with
    ether; the first is the sender where none is named. With ``state``, a folder, the state is read from there,
    and ``commit`` writes it there; ``close`` when done. ``machine_options`` are those of ``Machine``: ``engine``,
    ``prefetch``, ``block_cache_bytes``, ``weights_as_slots`` ...
    """

    def __init__(
        self,
        table: InstructionTable | str | Path = "default",
        evm_version: str = "osaka",
        *,
        state: str | Path | None = None,
        **machine_options: Any,
    ) -> None:
        from smartvm.extensions import kernels, microcode
        from smartvm.vm.machine import Machine
        from smartvm.vm.messages import BlockEnvironment
        from smartvm.vm.state.memory import MemoryStore
        from smartvm.vm.state.persistent import PersistentStore
        from smartvm.vm.world import WorldState

        self.table = table if isinstance(table, InstructionTable) else load_table(table)
        self.table_name = "default" if isinstance(table, InstructionTable) else str(table)
        self.evm_version = evm_version
        fork = canonical_fork(evm_version)
        kernels(self.table)
        self._store = PersistentStore.open_at(state) if state is not None else None
        self.state = WorldState(self._store if self._store is not None else MemoryStore())
        self.block = BlockEnvironment()
        self.machine = Machine(
            self.table, fork, self.state, self.block, microcode=microcode(self.table, fork), **machine_options
        )
        self.accounts = [
            checksum_address(keccak256(b"smartvm account %d" % number)[12:]) for number in range(_ACCOUNTS)
        ]
        for account in self.accounts:
            if not self.state.exists(address_bytes(account)):
                self.state.set_balance(address_bytes(account), INITIAL_BALANCE)
        self.sender = self.accounts[0]

    def commit(self) -> None:
        """Write all changes to the folder of the state, if there is one. ``anchor`` does not go back behind this."""
        self.state.commit()

    def close(self) -> None:
        """Give the folder of the state free; what was not committed is lost."""
        self.machine.close()
        if self._store is not None:
            self._store.close()

    # --- contracts ----------------------------------------------------------------------------------

    def deploy(
        self,
        source: str | Path,
        name: str | None = None,
        *arguments: Any,
        sender: str | None = None,
        value: int = 0,
        gas: int = DEFAULT_GAS,
        libraries: Mapping[str, str] | None = None,
        optimize: bool = True,
    ) -> Contract:
        """Compile and deploy a contract. ``source`` is a ``.sol`` file or Solidity text; ``name`` may be left
        out where there is only one contract; ``arguments`` are the constructor's.

        Raises CompileError, Reverted, or ContractError when there is no such contract.
        """
        contracts = self.compile(source, libraries=libraries, optimize=optimize)
        chosen = _choose(contracts if name is not None else _own(contracts, source), name)
        return self.deploy_compiled(chosen, *arguments, sender=sender, value=value, gas=gas)

    def compile(
        self,
        source: str | Path,
        *,
        libraries: Mapping[str, str] | None = None,
        optimize: bool = True,
    ) -> dict[str, dict[str, Any]]:
        """The contracts of a file or of Solidity text by ``source:Name``, compiled for this chain."""
        from smartvm.api.compile_functions import compile_files, compile_source, link_code

        options: dict[str, Any] = {
            "output_values": ["abi", "bin", "bin-runtime", "srcmap-runtime", "storage-layout", "hashes"],
            "optimize": optimize,
            "evm_version": self.evm_version,
            "instruction_table": self.table_name,
        }
        if isinstance(source, Path) or (source.endswith(".sol") and "\n" not in source):
            contracts = compile_files([source], **options)
        else:
            contracts = compile_source(source, **options)
        if libraries:
            for contract in contracts.values():
                contract["bin"] = link_code(contract["bin"], libraries)
        return contracts

    def deploy_compiled(
        self,
        compiled: Mapping[str, Any],
        *arguments: Any,
        sender: str | None = None,
        value: int = 0,
        gas: int = DEFAULT_GAS,
    ) -> Contract:
        """Deploy a contract given as compiled outputs: ``abi`` and ``bin`` (hex), ``storage-layout`` if there
        is one."""
        contract = Contract(self, "", compiled)
        code = contract.creation_code(arguments)
        origin = address_bytes(sender or self.sender)
        result = self._run(origin, None, code, value, gas)
        contract.address = (
            checksum_address(result.created_address) if result.created_address is not None else ""
        )
        contract.last = contract.describe(result)
        if not result.success:
            raise Reverted(contract.last)
        return contract

    def at(self, address: str, abi: Sequence[Mapping[str, Any]]) -> Contract:
        """A contract that is on the chain already."""
        return Contract(self, address, {"abi": list(abi), "bin": ""})

    # --- transactions ---------------------------------------------------------------------------------

    def transact(
        self,
        target: str,
        data: bytes = b"",
        *,
        sender: str | None = None,
        value: int = 0,
        gas: int = DEFAULT_GAS,
        keep: bool = True,
    ) -> ExecutionResult:
        """Send a transaction with raw calldata. ``keep`` False: only look what it would do."""
        return self._run(
            address_bytes(sender or self.sender), address_bytes(target), data, value, gas, keep=keep
        )

    def _run(
        self,
        sender: bytes,
        target: bytes | None,
        data: bytes,
        value: int,
        gas: int,
        *,
        keep: bool = True,
    ) -> ExecutionResult:
        from smartvm.vm.messages import Message, TransactionEnvironment

        if self.state.balance(sender) < value:
            raise ContractError(
                f"0x{sender.hex()} has {self.state.balance(sender)} wei, {value} are to be sent"
            )
        machine = self.machine
        before = self.state.snapshot()
        warm = [sender] if target is None else [sender, target]
        machine.begin_transaction(TransactionEnvironment(sender), warm)
        if target is None:
            result = machine.create(Message(sender, bytes(20), gas, data, value))
        else:
            self.state.set_nonce(sender, self.state.nonce(sender) + 1)
            result = machine.call(Message(sender, target, gas, data, value))
        machine.finish_transaction()
        if keep:
            self.mine()
        else:
            self.state.revert(before)
        return result

    # --- the world --------------------------------------------------------------------------------------

    def mine(self, blocks: int = 1, *, seconds: int = 12) -> None:
        """Go on by some blocks, each ``seconds`` later than the one before."""
        self._set_block(self.block.number + blocks, self.block.timestamp + blocks * seconds)

    def warp(self, timestamp: int) -> None:
        """Set the time of the next block."""
        self._set_block(self.block.number, timestamp)

    def _set_block(self, number: int, timestamp: int) -> None:
        self.block = replace(self.block, number=number, timestamp=timestamp)
        self.machine.block = self.block
        self.machine.arenas.set_word("number", number)
        self.machine.arenas.set_word("timestamp", timestamp)

    def balance(self, address: str) -> int:
        """Wei of an account."""
        return self.state.balance(address_bytes(address))

    def set_balance(self, address: str, wei: int) -> None:
        """Give an account exactly so much."""
        self.state.set_balance(address_bytes(address), wei)

    def code(self, address: str) -> bytes:
        """The code of an account."""
        return self.state.code(address_bytes(address))

    def storage(self, address: str, slot: int) -> int:
        """The word in a storage slot."""
        return self.state.storage(address_bytes(address), slot)

    def weight_block(self, address: str, block_id: int) -> bytes | None:
        """A weight block as the state holds it, width byte and packed items; None where there is none."""
        if self.machine.weights_as_slots:
            from smartvm.vm.slot_blocks import block_in_slots

            return block_in_slots(self.state, address_bytes(address), block_id)
        return self.state.block(address_bytes(address), block_id)

    @contextmanager
    def prank(self, sender: str) -> Iterator[None]:
        """Within the block, ``sender`` sends where none is named."""
        before, self.sender = self.sender, sender
        try:
            yield
        finally:
            self.sender = before

    @contextmanager
    def anchor(self) -> Iterator[None]:
        """Whatever the block does to the state is undone at its end."""
        before, block = self.state.snapshot(), self.block
        try:
            yield
        finally:
            self.state.revert(before)
            self._set_block(block.number, block.timestamp)


@contextmanager
def reverts(reason: str | None = None) -> Iterator[None]:
    """Expect the block to revert, with a reason that contains ``reason``; AssertionError when it does not."""
    try:
        yield
    except Reverted as error:
        if reason is not None and reason not in error.reason:
            raise AssertionError(f"reverted with `{error.reason}`, expected `{reason}`") from error
        return
    raise AssertionError("expected a revert, but nothing reverted")


def address_bytes(address: str | bytes) -> bytes:
    """The 20 bytes of an address given as ``0x`` text or bytes; ContractError otherwise."""
    if isinstance(address, bytes):
        if len(address) == 20:
            return address
    else:
        digits = address.removeprefix("0x")
        try:
            if len(digits) == 40:
                return bytes.fromhex(digits)
        except ValueError:
            pass
    raise ContractError(f"`{address!r}` is no address", hint="an address is 0x and 40 hexadecimal digits")


def _own(contracts: Mapping[str, dict[str, Any]], source: str | Path) -> Mapping[str, dict[str, Any]]:
    """The contracts of a file or text itself, without those of the files that it imports."""
    from smartvm.api.compile_functions import STDIN

    path = Path(source).resolve().as_posix() if isinstance(source, Path) or "\n" not in source else ""
    own = {}
    for key, contract in contracts.items():
        name = key.rpartition(":")[0]
        if name == STDIN or (path == name or path.endswith(f"/{name}")):
            own[key] = contract
    return own or contracts


def _choose(contracts: Mapping[str, dict[str, Any]], name: str | None) -> dict[str, Any]:
    if name is not None:
        found = [contract for key, contract in contracts.items() if key.rpartition(":")[2] == name]
        if not found:
            known = ", ".join(key.rpartition(":")[2] for key in contracts)
            raise ContractError(f"there is no contract `{name}`", hint=f"known: {known}")
        return found[0]
    deployable = [contract for contract in contracts.values() if contract["bin"]]
    if len(deployable) != 1:
        known = ", ".join(key.rpartition(":")[2] for key in contracts)
        raise ContractError("the source has not exactly one contract to deploy", hint=f"name one of: {known}")
    return deployable[0]


__all__ = ["Chain", "Contract", "ContractError", "Reverted", "TransactionResult", "address_bytes", "reverts"]
