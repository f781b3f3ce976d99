"""Sends a network's weights to a contract: arrays of integers become the weight blocks that it reads.

The contract stores a block with its own function, by convention ``upload(uint256 id, uint256 width, bytes
items)``; docs/weights.md tells the convention, and how arrays get their ids.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt
from smartvm.errors import SmartVMError
from smartvm.vm.dnn.weights.blocks import WeightBlock, storage_width

if TYPE_CHECKING:
    from smartvm.api.contract import TransactionResult

#: The function that stores a block, where none is named.
UPLOAD_FUNCTION = "upload"
#: Types of its parameters: block id, bytes of an item, the items.
UPLOAD_TYPES = ("uint256", "uint256", "bytes")
#: Id of a file's first array, where nothing else is said: layer n's weights are block 2n, its bias 2n + 1.
FIRST_ID = 2
#: Gas that one transaction, and so one block of the chain, may use where nothing else is said.
BLOCK_GAS_LIMIT = 1 << 32

Array: TypeAlias = npt.NDArray[Any]
#: Weights by name, in the order of their ids.
Arrays: TypeAlias = Mapping[str, Callable[[], Array]]


class WeightsError(SmartVMError):
    """Weights that cannot be what a contract is to hold, or that it does not take."""


class UploadFailed(WeightsError):
    """The contract did not store a block."""

    exit_code = 1


@dataclass(frozen=True)
class Place:
    """Where an array goes: block ``first_id``, or, split along its first axis, that and the next ``parts`` −
    1."""

    first_id: int
    parts: int = 1


@dataclass(frozen=True)
class PlannedBlock:
    """One block to be stored: ``name`` for messages, ``stored_bytes`` in the state, width byte included."""

    block_id: int
    name: str
    stored_bytes: int
    load: Callable[[], Array] = field(repr=False)

    def encoded(self) -> bytes:
        """The block as the state holds it: width byte, then the items in that width."""
        return _block_of(self.load()).encoded

    def __str__(self) -> str:
        return f"block {self.block_id} (`{self.name}`, {self.stored_bytes:,} bytes)"


@dataclass(frozen=True)
class UploadResult:
    """What an upload came to. ``skipped`` blocks were there already with the right content."""

    sent: int
    skipped: int
    stored_bytes: int
    gas_used: int


def _block_of(items: Array) -> WeightBlock:
    if items.dtype == np.uint64 and items.max() > np.iinfo(np.int64).max:
        return WeightBlock.of_integers(items.tolist())
    return WeightBlock.of_array(_signed(items))


def _signed(items: Array) -> Array:
    """The items in a signed type that holds them."""
    if items.dtype.kind == "u":
        items = items.astype(f"=i{min(8, 2 * items.itemsize)}")
    return items.astype(items.dtype.newbyteorder("="), copy=False)


# --- reading
# ------------------------------------------------------------------------------------------------------


@contextmanager
def open_weights(source: str | Path | Mapping[str, Any]) -> Iterator[Arrays]:
    """The arrays of a ``.npz`` file, or those given, by name; a file's are read when they are asked for.

    Raises ``WeightsError`` for a file that is none.
    """
    if isinstance(source, Mapping):
        yield {str(name): partial(np.asarray, array) for name, array in source.items()}
        return
    path = Path(source)
    try:
        file = np.load(path, allow_pickle=False)
    except FileNotFoundError:
        raise WeightsError(f"no file `{path}`") from None
    except IsADirectoryError:
        raise WeightsError(f"`{path}` is a folder, a .npz file is expected") from None
    except OSError as error:
        raise WeightsError(f"cannot read `{path}`: {error.strerror or error}") from None
    except (ValueError, EOFError, zipfile.BadZipFile):
        raise WeightsError(f"`{path}` is no .npz file") from None
    if isinstance(file, np.ndarray):
        raise WeightsError(f"`{path}` holds one array without a name, a .npz file is expected")
    with file:
        reader = _Reader(file, path)
        yield {name: partial(reader.read, name) for name in file.files}


class _Reader:
    """Reads a file's arrays; the last one is kept, since its parts are asked for one after the other."""

    def __init__(self, file: Any, path: Path) -> None:
        self._file = file
        self._path = path
        self._last: tuple[str, Array] | None = None

    def read(self, name: str) -> Array:
        """An array. Raises ``WeightsError``."""
        if self._last is None or self._last[0] != name:
            self._last = None
            self._last = name, _member(self._file, name, self._path)
        return self._last[1]


def _member(file: Any, name: str, path: Path) -> Array:
    try:
        array: Array = file[name]
    except ValueError:
        raise WeightsError(f"`{path}`: `{name}` holds Python objects, expected integers") from None
    except (OSError, EOFError, zipfile.BadZipFile) as error:
        raise WeightsError(f"`{path}`: `{name}` is damaged: {error}") from None
    return array


def read_places(path: str | Path) -> dict[str, Place]:
    """Where arrays go, from a JSON file: ``{"name": ID}`` or ``{"name": {"id": ID, "parts": N}}``.

    Raises ``WeightsError``.
    """
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise WeightsError(f"no file `{path}`") from None
    except OSError as error:
        raise WeightsError(f"cannot read `{path}`: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise WeightsError(f"`{path}` is no JSON: {error}") from None
    if not isinstance(document, dict) or not document:
        raise WeightsError(f"`{path}` maps no names of arrays to block ids", hint='{"conv1_weights": 2}')
    return {name: _place(name, entry, path) for name, entry in document.items()}


def _place(name: str, entry: Any, path: str | Path) -> Place:
    parts: Any = 1
    if isinstance(entry, dict):
        unknown = set(entry) - {"id", "parts"}
        if unknown:
            raise WeightsError(f"`{path}`: `{name}` has the key `{min(unknown)}`", hint="known: id, parts")
        entry, parts = entry.get("id"), entry.get("parts", 1)
    if isinstance(entry, str):
        try:
            entry = int(entry, 0)
        except ValueError:
            entry = None
    if not _is_integer(entry) or not 0 <= entry < 1 << 256:
        raise WeightsError(f"`{path}`: `{name}` has no block id", hint="an id is a number from 0 to 2^256 - 1")
    if not _is_integer(parts) or not 1 <= parts < 1 << 32:
        raise WeightsError(f"`{path}`: `{name}` has the parts {parts!r}, expected a number from 1 on")
    return Place(entry, parts)


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


# --- planning
# -----------------------------------------------------------------------------------------------------


def plan_blocks(
    arrays: Arrays, places: Mapping[str, Place] | None = None, first_id: int = FIRST_ID
) -> list[PlannedBlock]:
    """The blocks to store, in the order in which they are sent. Without ``places``, arrays whose names are
    all numbers are the blocks of these ids, and others are blocks ``first_id``, ``first_id + 1`` … in their
    order.

    Reads every array once, to check it. Raises ``WeightsError`` for an array that is missing, superfluous,
    empty or not of integers, and for two of one id.
    """
    if not arrays:
        raise WeightsError("there are no arrays to upload")
    if places is None:
        if all(name.isdecimal() for name in arrays):
            places = {name: Place(int(name)) for name in arrays}
        else:
            places = {name: Place(first_id + position) for position, name in enumerate(arrays)}
    missing = [name for name in places if name not in arrays]
    if missing:
        raise WeightsError(f"the array `{missing[0]}` is missing", hint=f"there are: {_listed(arrays)}")
    beyond = [name for name in arrays if name not in places]
    if beyond:
        raise WeightsError(f"no block is named for the array `{beyond[0]}`", hint=f"named: {_listed(places)}")
    planned: list[PlannedBlock] = []
    taken: dict[int, str] = {}
    for name, place in places.items():
        for block in _planned(name, arrays[name], place):
            if block.block_id in taken:
                raise WeightsError(
                    f"block {block.block_id} is given to both `{taken[block.block_id]}` and `{block.name}`"
                )
            taken[block.block_id] = block.name
            planned.append(block)
    return planned


def _listed(names: Mapping[str, Any]) -> str:
    shown = list(names)[:12]
    return ", ".join(shown) + (", ..." if len(names) > len(shown) else "")


def _planned(name: str, load: Callable[[], Array], place: Place) -> list[PlannedBlock]:
    array = load()
    if array.dtype.kind not in "iu":
        raise WeightsError(
            f"the array `{name}` is of {array.dtype}, expected integers", hint="scale the numbers and round them"
        )
    if array.size == 0:
        raise WeightsError(f"the array `{name}` is empty; a block has at least one item")
    if place.parts > 1 and (array.ndim == 0 or array.shape[0] % place.parts):
        raise WeightsError(
            f"the array `{name}` of shape {array.shape} cannot be split into {place.parts} equal parts"
        )
    if place.first_id + place.parts > 1 << 256:
        raise WeightsError(f"`{name}` would get a block id beyond 2^256 - 1")
    flat = array.reshape(-1)
    size = array.size // place.parts
    blocks = []
    for part in range(place.parts):
        start = part * size
        items = flat[start : start + size]
        blocks.append(
            PlannedBlock(
                place.first_id + part,
                name if place.parts == 1 else f"{name}[{part}/{place.parts}]",
                1 + size * storage_width(int(items.min()), int(items.max())),
                partial(_slice, load, start, size),
            )
        )
    return blocks


def _slice(load: Callable[[], Array], start: int, size: int) -> Array:
    return load().reshape(-1)[start : start + size]


# --- sending
# ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Uploader:
    """Sends blocks in transactions, one each.

    ``send`` calls the contract's function with a block's id, width and items, ``stored`` gives a block as the
    state has it. ``write_gas`` is the price of a stored byte, ``gas_limit`` what a transaction may use.
    """

    send: Callable[[int, int, bytes], TransactionResult]
    stored: Callable[[int], bytes | None]
    write_gas: int
    gas_limit: int

    def check(self, blocks: Sequence[PlannedBlock]) -> None:
        """Raise ``WeightsError`` when a block certainly needs more gas than a transaction may use."""
        for block in blocks:
            least = block.stored_bytes * self.write_gas
            if least > self.gas_limit:
                parts = -(-least * 5 // (self.gas_limit * 4))  # a fifth more than storing alone
                raise WeightsError(
                    f"{block} takes at least {least:,} gas to store, a transaction may use {self.gas_limit:,}",
                    hint=f"raise the block gas limit, or let the contract take it in {parts} or more parts",
                )

    def upload(
        self, blocks: Sequence[PlannedBlock], progress: Callable[[PlannedBlock], None] = lambda block: None
    ) -> UploadResult:
        """Store the blocks that are not there yet; ``progress`` is called after each.

        Raises ``UploadFailed`` when a transaction fails or the contract stored something else; what was sent
        before stays.
        """
        self.check(blocks)
        sent = skipped = total = gas = 0
        for block in blocks:
            encoded = block.encoded()
            total += len(encoded)
            if self.stored(block.block_id) == encoded:
                skipped += 1
                progress(block)
                continue
            result = self.send(block.block_id, encoded[0], encoded[1:])
            if not result.success:
                raise self._failure(block, result)
            if self.stored(block.block_id) != encoded:
                raise UploadFailed(
                    f"the contract's function took {block}, but did not store these items under this id"
                )
            sent += 1
            gas += result.gas_used
            progress(block)
        return UploadResult(sent, skipped, total, gas)

    def _failure(self, block: PlannedBlock, result: TransactionResult) -> UploadFailed:
        hint = None
        if result.gas_used >= self.gas_limit:
            hint = "raise the block gas limit, or let the contract take the array in parts"
        return UploadFailed(f"{block} was not stored: {result.reason}", hint=hint)


def upload_entry(abi: Sequence[Mapping[str, Any]], name: str) -> Mapping[str, Any]:
    """The ABI entry of the function that stores a block. Raises ``WeightsError``."""
    from smartvm.abi import signature_of

    wanted = f"{name}({','.join(UPLOAD_TYPES)})"
    same = [entry for entry in abi if entry.get("type") == "function" and entry.get("name") == name]
    for entry in same:
        if str(signature_of(entry)) == wanted:
            return entry
    found = f"; it has {', '.join(str(signature_of(entry)) for entry in same)}" if same else ""
    raise WeightsError(
        f"the contract has no function {wanted} to upload with{found}",
        hint="see docs/weights.md; another name is given as the function's",
    )
