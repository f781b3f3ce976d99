"""A deployed contract as a Python object: its functions are methods, its results Python values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smartvm.abi import (
    AbiError,
    AbiType,
    Signature,
    decode,
    describe_revert,
    encode,
    signature_of,
    type_from_json,
)
from smartvm.api.storage_reader import StorageReader
from smartvm.errors import SmartVMError
from smartvm.keccak import keccak256

if TYPE_CHECKING:
    from smartvm.api.chain import Chain
    from smartvm.api.weights import Place, PlannedBlock, UploadResult
    from smartvm.vm.messages import ExecutionResult, Log


class ContractError(SmartVMError):
    """A contract is asked for something that it does not have, or with arguments that do not fit."""


@dataclass(frozen=True)
class Event:
    """A log by the contract's ABI: ``event.arguments["value"]``, or ``event.value`` where the name is free.
    Indexed arguments of dynamic type are their hash."""

    name: str
    arguments: Mapping[str, Any]
    address: str

    def __getattr__(self, name: str) -> Any:
        try:
            return self.arguments[name]
        except KeyError:
            raise AttributeError(f"the event `{self.name}` has no argument `{name}`") from None


@dataclass(frozen=True)
class TransactionResult:
    """What a transaction came to. ``value`` is what the function returned: None, one value, or a tuple."""

    success: bool
    value: Any
    output: bytes
    gas_used: int
    events: tuple[Event, ...] = ()
    logs: Sequence[Log] = ()
    reason: str | None = None


class Reverted(SmartVMError):
    """A transaction failed. ``reason`` tells why; ``result`` holds the rest."""

    exit_code = 1

    def __init__(self, result: TransactionResult) -> None:
        self.reason = result.reason or "without a reason"
        self.result = result
        super().__init__(f"reverted: {self.reason}")


class Contract:
    """A contract on a chain. ``contract.name(arguments)`` calls a function and gives its value; ``last`` is
    the result of the last transaction. Functions whose name is taken by Python are reached by
    ``contract.function(name)``."""

    def __init__(self, chain: Chain, address: str, compiled: Mapping[str, Any]) -> None:
        self.chain = chain
        self.address = address
        self.abi: list[Mapping[str, Any]] = list(compiled["abi"])
        self.bytecode: str = str(compiled.get("bin", "")).removeprefix("0x")
        self.storage_layout: Mapping[str, Any] | None = compiled.get("storage-layout")
        self.last: TransactionResult | None = None
        self._entries: dict[str, list[Mapping[str, Any]]] = {}
        for entry in self.abi:
            if entry.get("type") == "function":
                self._entries.setdefault(str(entry["name"]), []).append(entry)

    def __getattr__(self, name: str) -> Function:
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            return self.function(name)
        except ContractError as error:
            raise AttributeError(str(error)) from None

    def __dir__(self) -> list[str]:
        return sorted({*object.__dir__(self), *self._entries})

    def __repr__(self) -> str:
        return (
            f"<Contract at {self.address or 'no address'} with {', '.join(self._entries) or 'no functions'}>"
        )

    def function(self, name: str) -> Function:
        """A function by name, or by signature (``f(uint256)``) where several share a name. ContractError if
        none."""
        if "(" in name:
            wanted = name.replace(" ", "")
            for entry in self._entries.get(wanted.partition("(")[0], []):
                if str(signature_of(entry)) == wanted:
                    return Function(self, name, [entry])
        elif name in self._entries:
            return Function(self, name, self._entries[name])
        close = get_close_matches(name, self._entries, 3)
        known = ", ".join(close or self._entries) or "it has none"
        raise ContractError(f"the contract has no function `{name}`", hint=f"known: {known}")

    def creation_code(self, arguments: Sequence[Any]) -> bytes:
        """Bytecode and encoded constructor arguments."""
        if not self.bytecode:
            raise ContractError("an interface or abstract contract cannot be deployed")
        if "__$" in self.bytecode:
            raise ContractError(
                "the bytecode lacks the address of a library", hint='give libraries={"source:Name": "0x..."}'
            )
        constructors = [entry for entry in self.abi if entry.get("type") == "constructor"]
        entry: Mapping[str, Any] = constructors[0] if constructors else {}
        types = [type_from_json(parameter) for parameter in entry.get("inputs", ())]
        return bytes.fromhex(self.bytecode) + _encode(Signature("constructor", tuple(types)), arguments)

    def describe(self, result: ExecutionResult, outputs: Sequence[AbiType] = ()) -> TransactionResult:
        """An execution's result in terms of the ABI."""
        value: Any = None
        reason: str | None = None
        if result.success and outputs:
            values = decode(outputs, result.output)
            value = values[0] if len(values) == 1 else values
        elif not result.success:
            reason = (
                result.error.message if result.error is not None else describe_revert(self.abi, result.output)
            )
        events = tuple(event for log in result.logs if (event := self._event(log)) is not None)
        return TransactionResult(
            result.success, value, result.output, result.gas_used, events, result.logs, reason
        )

    def _event(self, log: Log) -> Event | None:
        for entry in self.abi:
            if entry.get("type") != "event" or entry.get("anonymous") or not log.topics:
                continue
            inputs = entry["inputs"]
            indexed = [item for item in inputs if item.get("indexed")]
            if len(indexed) != len(log.topics) - 1 or _topic_of(entry) != log.topics[0]:
                continue
            try:
                plain = iter(decode([type_from_json(i) for i in inputs if not i.get("indexed")], log.data))
                topics = iter(log.topics[1:])
                arguments = {
                    item["name"] or f"_{place}": _indexed(type_from_json(item), next(topics))
                    if item.get("indexed")
                    else next(plain)
                    for place, item in enumerate(inputs)
                }
            except AbiError:
                continue
            return Event(str(entry["name"]), arguments, "0x" + log.address.hex())
        return None

    def read(self, variable: str, *keys: Any) -> Any:
        """The value of a state variable, private ones too; ``keys`` go into mappings, arrays and structs:
        ``token.read("_balances", alice)``. Raises ContractError without a storage layout or such a
        variable."""
        if self.storage_layout is None:
            raise ContractError("the contract was not compiled with a storage layout")
        return StorageReader(self.storage_layout, lambda slot: self.chain.storage(self.address, slot)).read(
            variable, keys
        )

    def upload_weights(
        self,
        weights: str | Path | Mapping[str, Any],
        *,
        places: Mapping[str, int | Place] | None = None,
        first_id: int | None = None,
        function: str = "upload",
        block_gas_limit: int | None = None,
        sender: str | None = None,
        progress: Callable[[PlannedBlock], None] | None = None,
    ) -> UploadResult:
        """Store a network's weights through the contract's upload function, one transaction a block
        (docs/weights.md). ``weights`` is a ``.npz`` file, or arrays by name; ``places`` gives their block
        ids, else they are numbered from ``first_id`` on. Blocks that are there already are not sent again.

        Raises WeightsError for arrays that cannot be blocks, UploadFailed when the contract does not store
        one.
        """
        from smartvm.api import weights as weight_arrays

        entry = weight_arrays.upload_entry(self.abi, function)
        limit = weight_arrays.BLOCK_GAS_LIMIT if block_gas_limit is None else block_gas_limit
        method = Function(self, function, [entry])

        def send(block_id: int, width: int, items: bytes) -> TransactionResult:
            try:
                return method.send(block_id, width, items, gas=limit, sender=sender)
            except Reverted as error:
                return error.result

        uploader = weight_arrays.Uploader(
            send,
            lambda block_id: self.chain.weight_block(self.address, block_id),
            self.chain.machine.plan.constants.get("block_write_byte", 0),
            limit,
        )
        given = None
        if places is not None:
            given = {
                name: place if isinstance(place, weight_arrays.Place) else weight_arrays.Place(place)
                for name, place in places.items()
            }
        with weight_arrays.open_weights(weights) as arrays:
            blocks = weight_arrays.plan_blocks(
                arrays, given, weight_arrays.FIRST_ID if first_id is None else first_id
            )
            return uploader.upload(blocks, progress or (lambda block: None))

    def storage(self, slot: int) -> int:
        """The word in a storage slot."""
        return self.chain.storage(self.address, slot)

    @property
    def balance(self) -> int:
        """The contract's wei."""
        return self.chain.balance(self.address)


@dataclass(frozen=True)
class Function:
    """A function of a contract (or several of one name). Calling it sends a transaction where the function
    may change state, and only looks where it is ``view`` or ``pure``; keyword arguments are sender, value and
    gas."""

    contract: Contract = field(repr=False)
    name: str = ""
    entries: Sequence[Mapping[str, Any]] = field(default=(), repr=False)

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        entry = self._entry(arguments)
        keep = entry.get("stateMutability") not in ("view", "pure")
        return self._send(entry, arguments, keep, options).value

    def send(self, *arguments: Any, **options: Any) -> TransactionResult:
        """Call as a transaction, and give all that is known of its result: value, gas, events."""
        return self._send(self._entry(arguments), arguments, True, options)

    def look(self, *arguments: Any, **options: Any) -> TransactionResult:
        """Call without keeping any change of the state."""
        return self._send(self._entry(arguments), arguments, False, options)

    def encode(self, *arguments: Any) -> bytes:
        """The calldata of a call."""
        signature = signature_of(self._entry(arguments))
        return signature.selector + _encode(signature, arguments)

    def _entry(self, arguments: Sequence[Any]) -> Mapping[str, Any]:
        fitting = [entry for entry in self.entries if len(entry["inputs"]) == len(arguments)]
        usable = []
        for entry in fitting:
            try:
                encode(signature_of(entry).types, arguments)
            except AbiError:
                continue
            usable.append(entry)
        if len(usable) == 1:
            return usable[0]
        if usable:
            known = ", ".join(str(signature_of(entry)) for entry in usable)
            raise ContractError(
                f"the arguments fit several functions `{self.name}`",
                hint=f'choose: contract.function("...") with one of {known}',
            )
        return (fitting or self.entries)[0]  # encoding reports what does not fit

    def _send(
        self, entry: Mapping[str, Any], arguments: Sequence[Any], keep: bool, options: Mapping[str, Any]
    ) -> TransactionResult:
        unknown = set(options) - {"sender", "value", "gas"}
        if unknown:
            raise ContractError(f"unknown option `{min(unknown)}`", hint="known: sender, value, gas")
        signature = signature_of(entry)
        data = signature.selector + _encode(signature, arguments)
        contract = self.contract
        outputs = [type_from_json(parameter) for parameter in entry.get("outputs", ())]
        executed = contract.chain.transact(contract.address, data, keep=keep, **options)
        result = contract.describe(executed, outputs)
        contract.last = result
        if not result.success:
            raise Reverted(result)
        return result


def _encode(signature: Signature, arguments: Sequence[Any]) -> bytes:
    if len(arguments) != len(signature.types):
        raise ContractError(
            f"`{signature}` takes {len(signature.types)} arguments, {len(arguments)} are given"
        )
    given = [argument.address if isinstance(argument, Contract) else argument for argument in arguments]
    try:
        return encode(signature.types, given)
    except AbiError as error:
        raise ContractError(f"`{signature}`: {error.message}") from None


def _topic_of(entry: Mapping[str, Any]) -> bytes:
    return keccak256(str(signature_of(entry)).encode())


def _indexed(abi_type: AbiType, topic: bytes) -> Any:
    if abi_type.is_dynamic or abi_type.kind in ("array", "tuple"):
        return topic
    return decode([abi_type], topic)[0]
