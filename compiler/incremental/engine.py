"""Decides which sources of a compilation are made anew, has them made, and puts the whole together."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence

from smartvm.compiler.diagnostics import ONCE_A_COMPILATION, ONCE_A_PLACE, DiagnosticSink
from smartvm.compiler.incremental.compile_sources import compile_part, compile_sources, source_numbers
from smartvm.compiler.incremental.digests import compiler_digest, settings_digest, text_digest
from smartvm.compiler.incremental.options import IncrementalOptions, Report
from smartvm.compiler.incremental.results import (
    IR_OUTPUTS,
    MOVABLE_OUTPUTS,
    SourceResult,
    merged_diagnostics,
    moved,
    unpack,
)
from smartvm.compiler.incremental.store import ResultStore, SourceFacts
from smartvm.compiler.output_selection import OutputSelection
from smartvm.compiler.pipeline import CompilationUnit
from smartvm.compiler.source_set import import_order

Results = Mapping[str, SourceResult]


class Engine:
    """One compilation. ``unit`` holds all sources; where there is a store, it is the unit's ``known_imports``."""

    def __init__(
        self,
        unit: CompilationUnit,
        selection: OutputSelection,
        options: IncrementalOptions,
        store: ResultStore | None,
    ) -> None:
        self._unit = unit
        self._selection = selection
        self._options = options
        self._store = store
        self._keys: dict[str, str] = {}

    def results(self) -> Results:
        """The results of all analysed sources. The unit's sink holds everything that was reported.

        Raises CompilationFailed and what else the compiler raises.
        """
        unit = self._unit
        settings = settings_digest(unit.settings) if self._store is not None else None
        if (settings is None and self._options.jobs == 1) or unit.source_set.missing or not self._lay_out():
            return self._whole()
        kept: dict[str, SourceResult] = {}
        if settings is not None:
            self._find_keys(settings)
            kept = self._kept()
        missing = [name for name in unit.analysed_names if name not in kept]
        if not missing:
            self._report([], 1)
            return self._merged(kept)
        groups = self._groups(missing)
        if len(groups) == 1 and len(missing) == len(unit.analysed_names):
            made: Results = self._whole()
            if not unit.sink.has_errors:
                self._keep({name: result.packed() for name, result in made.items()})
            return made
        packed = self._made(groups)
        if packed is None:
            # Something is wrong with the sources: only the whole compilation reports it in its place.
            return self._whole()
        self._keep(packed)
        self._report(missing, len(groups))
        for name, data in packed.items():
            result = unpack(data)
            assert result is not None
            kept[name] = result
        return self._merged(kept)

    def _whole(self) -> Results:
        names = self._unit.analysed_names
        self._report(names, 1)
        return compile_sources(self._unit, names, self._selection)

    def _report(self, compiled: Sequence[str], processes: int) -> None:
        if self._options.report is not None:
            self._options.report(Report(len(self._unit.analysed_names), tuple(compiled), processes))

    # --- keys ---------------------------------------------------------------------------------------

    def _lay_out(self) -> bool:
        """Number the nodes of all sources; False when one has errors."""
        sources = self._unit.source_set
        store = self._store
        if store is None:
            return self._unit.lay_out(lambda name: None)

        def node_count(name: str) -> int | None:
            facts = store.facts(sources.texts[name])
            return None if facts is None else facts.node_count

        if not self._unit.lay_out(node_count):
            return False
        for name, text in sources.texts.items():
            if store.facts(text) is None:
                store.keep_facts(text, self._facts(name))
        return True

    def _facts(self, name: str) -> SourceFacts:
        from smartvm.compiler.ast import nodes
        from smartvm.compiler.grammar.solidity_parser import import_paths

        sources = self._unit.source_set
        parsed = sources.parse(name, sources.first_ids[name])
        assert parsed.unit is not None
        contracts = (node.name for node in parsed.unit.nodes if isinstance(node, nodes.ContractDefinition))
        return SourceFacts(tuple(import_paths(sources.tokens(name))), parsed.node_count, tuple(contracts))

    def _find_keys(self, settings: str) -> None:
        """Of each source: the digest of everything on which its result depends."""
        unit, sources, store = self._unit, self._unit.source_set, self._store
        assert store is not None
        digests = {name: text_digest(text) for name, text in sources.texts.items()}
        wants_code = self._selection.wants_code
        for name in unit.analysed_names:
            facts = store.facts(sources.texts[name])
            assert facts is not None
            requests = {
                contract: sorted(set(self._selection.requests(name, contract))) for contract in ("", *facts.contracts)
            }
            selected = [contract for contract in facts.contracts if self._selection.selects(name, contract)]
            asked = {request for listed in requests.values() for request in listed}
            # In the order of node ids: where something is sorted by id, that order counts.
            needed = sorted(sources.closure([name]), key=sources.first_ids.__getitem__)
            described = [
                compiler_digest(),
                settings,
                name,
                [[source, digests[source]] for source in needed],
                requests,
                selected if wants_code else None,
                self._bound_to(name, asked),
            ]
            self._keys[name] = hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()

    def _bound_to(self, name: str, asked: set[str]) -> object:
        """The indices and ids without which a result is of no use; None where it can be moved to any."""
        if not asked.isdisjoint(IR_OUTPUTS):
            # The IR lists all sources of the compilation.
            sources = self._unit.source_set
            return [[[other, sources.first_ids[other]] for other in sources.texts], list(self._unit.analysed_names)]
        if asked <= MOVABLE_OUTPUTS:
            return None
        numbers = source_numbers(self._unit, name)
        return [numbers.indices, numbers.first_ids, numbers.count]

    # --- results --------------------------------------------------------------------------------------

    def _kept(self) -> dict[str, SourceResult]:
        assert self._store is not None
        found: dict[str, SourceResult] = {}
        for name, key in self._keys.items():
            result = self._store.result(key)
            if result is not None:
                result = moved(result, source_numbers(self._unit, name))
            if result is not None:
                found[name] = result
        return found

    def _keep(self, packed: Mapping[str, bytes]) -> None:
        if self._store is None or not self._keys:
            return
        for name, data in packed.items():
            self._store.keep(self._keys[name], data)
        self._store.trim()

    def _groups(self, names: Sequence[str]) -> Sequence[Sequence[str]]:
        """Which sources are compiled together."""
        if self._options.jobs == 1 or len(names) == 1:
            return [names]
        from smartvm.compiler.incremental.partition import partition
        from smartvm.compiler.incremental.processes import can_start

        return partition(self._unit.source_set, names, self._options.jobs) if can_start() else [names]

    def _made(self, groups: Sequence[Sequence[str]]) -> dict[str, bytes] | None:
        """Packed results of the groups; None when there are errors."""
        if len(groups) == 1:
            return compile_part(self._unit, groups[0], self._selection)
        from smartvm.compiler.incremental.processes import compile_in_processes

        return compile_in_processes(self._unit, groups, self._selection)

    def _merged(self, results: Results) -> Results:
        """The results in order, with what is reported about the whole in the unit's sink."""
        unit = self._unit
        names = unit.analysed_names
        ordered = {name: results[name] for name in names}
        imports = {name: unit.source_set.imported[name] for name in names}
        ranks = {
            "parsed": {name: rank for rank, name in enumerate(unit.source_set.texts)},
            "imported": {name: rank for rank, name in enumerate(import_order(imports))},
            "named": {name: rank for rank, name in enumerate(names)},
        }
        unit.sink = DiagnosticSink()
        for item in merged_diagnostics(ordered.values(), ranks, ONCE_A_COMPILATION, ONCE_A_PLACE):
            unit.sink.add(item)
        return ordered
