"""What is kept of a source: outputs and diagnostics, and the indices and node ids with which they were made."""

from __future__ import annotations

import json
import zlib
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from smartvm.compiler.diagnostics import Diagnostic, Origin
from smartvm.compiler.source import NO_SOURCE, SourceRange
from smartvm.records import dataclass

Json = dict[str, Any]

#: Outputs that can be moved to other indices and ids (or hold none), as outputSelection names them. All others hold
#: indices or ids in ways that only a new compilation can tell.
MOVABLE_OUTPUTS = frozenset(
    ["abi", "devdoc", "userdoc", "metadata", "evm.methodIdentifiers", "evm.gasEstimates"]
    + [f"evm.{kind}.{part}" for kind in ("bytecode", "deployedBytecode")
       for part in ("object", "opcodes", "sourceMap", "linkReferences")]
    + ["evm.deployedBytecode.immutableReferences", "evm.bytecode.immutableReferences"]
)  # fmt: skip

IR_OUTPUTS = frozenset(["ir", "irAst", "irOptimized", "irOptimizedAst"])


@dataclass(frozen=True, slots=True)
class Numbers:
    """The index, the first and the last node id of each of some sources, in the order of their ids; ``count`` is how
    many sources the compilation has, which is the index of a contract's utility functions."""

    indices: tuple[int, ...]
    first_ids: tuple[int, ...]
    last_ids: tuple[int, ...]
    count: int

    def same_widths(self, other: Numbers) -> bool:
        """Whether every id has as many digits in both."""
        return all(
            old == new or len({len(str(i)) for i in (old, old_last, new, new_last)}) == 1
            for old, old_last, new, new_last in zip(
                self.first_ids, self.last_ids, other.first_ids, other.last_ids, strict=True
            )
        )


@dataclass(frozen=True, slots=True)
class SourceResult:
    """``contracts``: outputs by contract, in order; ``ast``: the syntax tree where it is asked for; ``diagnostics``:
    everything reported in the source's turn, with where it came from. ``numbers`` are those of the source and all that
    it imports; ``spells_ids``: names of utility functions, in whose text a source map counts, hold ids."""

    numbers: Numbers
    spells_ids: bool
    contracts: Mapping[str, Json]
    ast: Any
    diagnostics: tuple[tuple[Origin, Diagnostic], ...]

    def packed(self) -> bytes:
        """For the cache, and for other processes."""
        diagnostics = [
            [origin.phase, origin.unit, origin.order, origin.group, item.severity, item.type, item.code, item.message,
             item.source, item.secondary]
            for origin, item in self.diagnostics
        ]  # fmt: skip
        made_with = self.numbers
        numbers = [made_with.indices, made_with.first_ids, made_with.last_ids, made_with.count]
        written = json.dumps(
            [numbers, self.spells_ids, self.contracts, self.ast, diagnostics], separators=(",", ":")
        )
        return zlib.compress(written.encode(), 1)


def unpack(data: bytes) -> SourceResult | None:
    """What ``packed`` made; None for anything else."""
    try:
        (indices, first_ids, last_ids, count), spells_ids, contracts, ast, listed = json.loads(zlib.decompress(data))
        diagnostics = []
        for phase, unit, order, group, severity, type_, code, message, source, secondary in listed:
            notes = tuple((note, SourceRange(*place)) for note, place in secondary)
            item = Diagnostic(severity, type_, code, message, SourceRange(*source), notes)
            diagnostics.append((Origin(phase, unit, order, group), item))
        numbers = Numbers(tuple(indices), tuple(first_ids), tuple(last_ids), count)
        return SourceResult(numbers, spells_ids, dict(contracts), ast, tuple(diagnostics))
    except (ValueError, TypeError, zlib.error, RecursionError):
        return None


def moved(result: SourceResult, numbers: Numbers) -> SourceResult | None:
    """The result with other indices and ids for the same sources; None where it cannot be told."""
    if result.numbers == numbers:
        return result
    if len(result.numbers.indices) != len(numbers.indices):
        return None
    if result.spells_ids and not result.numbers.same_widths(numbers):
        return None
    index_of = dict(zip(result.numbers.indices, numbers.indices, strict=True))
    index_of[result.numbers.count] = numbers.count
    before, after = result.numbers.first_ids, numbers.first_ids

    def id_of(old: int) -> int:
        place = bisect_right(before, old) - 1
        return after[place] + old - before[place]

    def range_of(old: SourceRange) -> SourceRange:
        return SourceRange(old.start, old.length, index_of[old.file]) if old != NO_SOURCE else old

    diagnostics = tuple(
        (
            origin,
            Diagnostic(
                item.severity,
                item.type,
                item.code,
                item.message,
                range_of(item.source),
                tuple((note, range_of(place)) for note, place in item.secondary),
            ),
        )
        for origin, item in result.diagnostics
    )
    contracts = {name: _moved_contract(entry, index_of, id_of) for name, entry in result.contracts.items()}
    return SourceResult(numbers, result.spells_ids, contracts, result.ast, diagnostics)


def _moved_contract(entry: Json, index_of: Mapping[int, int], id_of: Callable[[int], int]) -> Json:
    if "evm" not in entry:
        return entry
    evm = dict(entry["evm"])
    for kind in ("bytecode", "deployedBytecode"):
        if kind not in evm:
            continue
        code = evm[kind] = dict(evm[kind])
        if "sourceMap" in code:
            code["sourceMap"] = moved_source_map(code["sourceMap"], index_of)
        if "immutableReferences" in code:
            # Keyed by id, or by a name where the compiler itself sets it; in the order of the keys' texts.
            moved_keys = {
                str(id_of(int(key))) if key.isdigit() else key: places
                for key, places in code["immutableReferences"].items()
            }
            code["immutableReferences"] = dict(sorted(moved_keys.items()))
    return {**entry, "evm": evm}


def moved_source_map(text: str, index_of: Mapping[int, int]) -> str:
    """A compressed source map with other indices: an entry repeats the one before wherever it did."""
    written = {str(old): str(new) for old, new in index_of.items()}
    if all(old == new for old, new in written.items()):
        return text
    entries = text.split(";")
    for number, entry in enumerate(entries):
        parts = entry.split(":")
        if len(parts) > 2 and parts[2] in written:
            parts[2] = written[parts[2]]
            entries[number] = ":".join(parts)
    return ";".join(entries)


def merged_diagnostics(
    results: Iterable[SourceResult],
    ranks: Mapping[str, Mapping[str, int]],
    once: frozenset[int],
    once_a_place: frozenset[int],
) -> Sequence[Diagnostic]:
    """The diagnostics of all sources in the order in which one compilation of all reports them. ``ranks`` holds each
    source's place by kind of order."""
    keyed = []
    for result in results:
        for number, (origin, item) in enumerate(result.diagnostics):
            assert origin.unit is not None
            keyed.append(((origin.phase, origin.group, ranks[origin.order][origin.unit], number), item))
    keyed.sort(key=lambda entry: entry[0])
    seen: set[tuple[int, SourceRange]] = set()
    kept: list[Diagnostic] = []
    for _, item in keyed:
        key = (item.code or 0, item.source if item.code in once_a_place else NO_SOURCE)
        if item.code in once or item.code in once_a_place:
            if key in seen:
                continue
            seen.add(key)
        kept.append(item)
    return kept
