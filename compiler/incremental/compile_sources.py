"""Compiles some sources of a unit to results."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import partial

from smartvm.compiler.diagnostics import Diagnostic, Origin
from smartvm.compiler.incremental.results import Json, Numbers, SourceResult
from smartvm.compiler.output_selection import OutputSelection
from smartvm.compiler.pipeline import CompilationUnit, CompiledContract
from smartvm.records import replace


def compile_sources(unit: CompilationUnit, names: Iterable[str], selection: OutputSelection) -> dict[str, SourceResult]:
    """The results of the sources named, which are among those that the unit analyses.

    Raises CompilationFailed and what else the compiler raises; even where it does not, the unit's sink may hold
    errors: then the results are worth nothing.
    """
    from smartvm.compiler.standard_json import contract_json  # which imports this package

    wanted = sorted(names)
    unit.model  # noqa: B018  (analysis reports its errors even where no output is asked for)
    trees = {}
    for name in wanted:
        if selection.wants(name, "", "ast"):
            from smartvm.compiler.artifacts.ast_json import source_unit_json

            trees[name] = source_unit_json(unit, name, analysed=True)
    contracts: dict[str, dict[str, Json]] = {name: {} for name in wanted}
    spelling: set[str] = set()
    wants_code = selection.wants_code
    unit.sink.next_phase()
    for (source, name), contract in unit.contracts.items():
        if source not in contracts:
            continue
        unit.sink.turn(source, "named")
        contracts[source][name] = contract_json(contract, partial(selection.wants, source, name))
        if wants_code and contract.is_deployable and selection.selects(source, name):
            # As in solc, asking for any code compiles every contract that is selected at all.
            contract.assembled  # noqa: B018
        maps = any(selection.wants(source, name, f"evm.{kind}.sourceMap") for kind in ("bytecode", "deployedBytecode"))
        if maps and contract.is_deployable and _spells_ids(contract):
            spelling.add(source)
    diagnostics = _by_source(unit)
    return {
        name: SourceResult(
            source_numbers(unit, name),
            name in spelling,
            contracts[name],
            trees.get(name),
            tuple(diagnostics.get(name, ())),
        )
        for name in wanted
    }


def compile_part(unit: CompilationUnit, names: Sequence[str], selection: OutputSelection) -> dict[str, bytes] | None:
    """Packed results of some of a unit's sources; None when there are errors."""
    part = unit.part(names)
    try:
        made = compile_sources(part, names, selection)
    except Exception:
        # Whatever it is, it is found again, and reported, when the whole is compiled.
        return None
    if part.sink.has_errors:
        return None
    return {name: result.packed() for name, result in made.items()}


def source_numbers(unit: CompilationUnit, name: str) -> Numbers:
    """Of a source and all that it imports."""
    sources = unit.source_set
    needed = sources.closure([name])
    listed = sorted(needed, key=sources.first_ids.__getitem__)
    return Numbers(
        tuple(sources.by_name[source].index for source in listed),
        tuple(sources.first_ids[source] for source in listed),
        tuple(sources.first_ids[source] + sources.node_counts[source] - 1 for source in listed),
        len(sources.texts),
    )


#: Types whose names in utility functions end in a node id.
_NAMED_BY_ID = re.compile(r"t_(?:struct|enum)_")


def _spells_ids(contract: CompiledContract) -> bool:
    """Whether names of a contract's utility functions hold node ids."""
    return any(text is not None and _NAMED_BY_ID.search(text.text) for text in contract.utilities)


def _by_source(unit: CompilationUnit) -> dict[str, list[tuple[Origin, Diagnostic]]]:
    """What was reported, by the source in whose turn it was, in order."""
    sink = unit.sink
    pairs = zip(sink.origins, sink.items, strict=True)
    reported = [(index, 1, origin, item) for index, (origin, item) in enumerate(pairs)]
    reported += [(index, 0, origin, item) for index, origin, item in sink.repeated]
    reported.sort(key=lambda entry: entry[:2])
    found: dict[str, list[tuple[Origin, Diagnostic]]] = {}
    for _, _, origin, item in reported:
        name = origin.unit
        if name is None:
            source = unit.sources_by_index.get(item.source.file)
            if source is None:
                continue
            name = source.name
            origin = replace(origin, unit=name)
        found.setdefault(name, []).append((origin, item))
    return found
