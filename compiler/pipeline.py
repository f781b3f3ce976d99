"""One compilation: sources in, and every result made when it is first asked for.

``CompilationUnit`` holds what concerns all sources (parsing, analysis); ``CompiledContract`` what concerns
one contract (lowering, code, artifacts). Errors are collected in ``sink``.
"""

from __future__ import annotations

import dataclasses
import gc
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from smartvm.compiler.diagnostics import DiagnosticSink, FatalDiagnostic
from smartvm.compiler.imports import SourceReader, no_reader
from smartvm.compiler.library import with_library
from smartvm.compiler.settings import CompilerSettings
from smartvm.compiler.source import SourceText
from smartvm.compiler.source_set import SourceSet

if TYPE_CHECKING:
    from smartvm.compiler.analysis.model import SemanticModel
    from smartvm.compiler.artifacts.generated_sources import GeneratedSource
    from smartvm.compiler.ast import nodes
    from smartvm.compiler.backend import AssembledObject, BackendSettings
    from smartvm.compiler.grammar.tokens import Documentation as Comment
    from smartvm.compiler.lowering import ContractLowering
    from smartvm.compiler.natspec import Documentation
    from smartvm.compiler.yul import ast as yul
    from smartvm.compiler.yul.dialect import Dialect

#: Deep enough for every tree that the parsers let pass; an ordinary thread's stack holds as many frames.
RECURSION_LIMIT = 12_000

_DEPLOYED = re.compile(r"_(\d+)_deployed$")


@contextmanager
def deep_recursion() -> Iterator[None]:
    """Allow the recursion that nested source text needs, for the time of a compilation; and look for no cycles among
    its objects meanwhile: hardly any are dropped before it ends, and looking takes a quarter of the time."""
    before, collects = sys.getrecursionlimit(), gc.isenabled()
    sys.setrecursionlimit(max(before, RECURSION_LIMIT))
    gc.disable()
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
        if collects:
            gc.enable()


class CompilationFailed(Exception):
    """A phase ended in errors, which are in the unit's sink."""


class CompilationUnit:
    """All sources of one compilation. Phases: ``units`` (parsed), ``model`` (analysed), ``contracts``.

    ``is_requested`` names the sources to analyse, which brings in what they import; None: all. ``known_imports`` is
    ``SourceSet``'s."""

    def __init__(
        self,
        sources: Mapping[str, str],
        settings: CompilerSettings | None = None,
        reader: SourceReader = no_reader,
        is_requested: Callable[[str], bool] | None = None,
        known_imports: Callable[[str], Sequence[str] | None] = lambda text: None,
    ) -> None:
        self.settings = settings or CompilerSettings()
        self.sink = DiagnosticSink()
        self.source_set = SourceSet(
            dict(sources),
            self.settings.imports,
            with_library(reader),
            known_imports,
            lambda: self._assembly_dialect,
        )
        self._is_requested = is_requested
        self._whole: CompilationUnit | None = None
        self._part: Sequence[str] | None = None
        self._metadata_sources: dict[str, dict[str, Any]] = {}

    @classmethod
    def of(cls, source_set: SourceSet, settings: CompilerSettings, analysed_names: Sequence[str]) -> CompilationUnit:
        """A compilation whose sources are found and laid out already."""
        made = cls({}, settings)
        made.source_set, made.analysed_names = source_set, analysed_names
        return made

    def part(self, names: Iterable[str]) -> CompilationUnit:
        """A compilation of some of the sources, with all that they import. Indices and node ids are those of the
        whole, whose ids must be laid out (``lay_out``)."""
        made = CompilationUnit({}, self.settings)
        made.source_set, made._whole = self.source_set, self
        found = self.source_set.closure(list(names))
        made._part = [name for name in self.source_set.texts if name in found]
        return made

    # --- sources ----------------------------------------------------------------------------------

    @property
    def sources(self) -> Mapping[str, SourceText]:
        """All sources by name; their index is their place in the order of names."""
        return self.source_set.by_name

    @property
    def sources_by_index(self) -> Mapping[int, SourceText]:
        """Sources as diagnostics and printers look them up."""
        return self.source_set.by_index

    def lay_out(self, node_count: Callable[[str], int | None]) -> bool:
        """Give each source the range of its node ids; sources of which ``node_count`` does not know how many nodes
        they have are parsed. False when one has errors."""
        following = 1
        for name in self.source_set.texts:
            count = node_count(name)
            if count is None:
                parsed = self.source_set.parse(name, following)
                if parsed.unit is None or any(item.severity == "error" for item in parsed.diagnostics):
                    return False
                count = parsed.node_count
            self.source_set.first_ids[name], self.source_set.node_counts[name] = following, count
            following += count
        return True

    # --- phases -----------------------------------------------------------------------------------

    @cached_property
    def units(self) -> Mapping[str, nodes.SourceUnit]:
        """The syntax trees by source name. Raises CompilationFailed when one has errors."""
        units: dict[str, nodes.SourceUnit] = {}
        following = 1
        for name in self.source_set.texts if self._part is None else self._part:
            first = following if self._part is None else self.source_set.first_ids[name]
            parsed = self.source_set.parse(name, first)
            following = first + parsed.node_count
            self.sink.turn(name, "parsed")
            for item in parsed.diagnostics:
                self.sink.add(item)
            if parsed.unit is not None:
                units[name] = parsed.unit
        self._stop_on_errors()
        return {name: units[name] for name in sorted(units)}

    @cached_property
    def analysed_names(self) -> Sequence[str]:
        """The names of the requested sources and of all that they import, sorted; no source is parsed for it."""
        names = self.source_set.texts if self._part is None else self._part
        if self._is_requested is None:
            return sorted(names)
        return sorted(self.source_set.closure([name for name in names if self._is_requested(name)]))

    @cached_property
    def analysed_units(self) -> Mapping[str, nodes.SourceUnit]:
        """The syntax trees of the requested sources and of all that they import."""
        return {name: self.units[name] for name in self.analysed_names}

    @cached_property
    def model(self) -> SemanticModel:
        """What analysis found out. Raises CompilationFailed when it found errors."""
        from smartvm.compiler.analysis import analyze
        from smartvm.compiler.analysis.settings import AnalysisSettings

        units, listed = self.analysed_units, (self._whole or self).analysed_names
        settings = AnalysisSettings(self.settings.evm_version, self.settings.table, self.settings.optimize)
        try:
            model = analyze(list(units.values()), [self.sources[name] for name in listed], settings, self.sink)
        except FatalDiagnostic:
            raise CompilationFailed from None
        self._stop_on_errors()
        return model

    def _stop_on_errors(self) -> None:
        if self.sink.has_errors:
            raise CompilationFailed

    @cached_property
    def contracts(self) -> Mapping[tuple[str, str], CompiledContract]:
        """Every contract by source name and contract name, in solc's order."""
        from smartvm.compiler.ast import nodes

        self.model  # noqa: B018  (only analysed contracts are compiled)
        return {
            (name, node.name): CompiledContract(self, name, node)
            for name, unit in self.analysed_units.items()
            for node in sorted(
                (node for node in unit.nodes if isinstance(node, nodes.ContractDefinition)),
                key=lambda contract: contract.name,
            )
        }

    @cached_property
    def _contracts_by_id(self) -> Mapping[int, CompiledContract]:
        return {contract.definition.id: contract for contract in self.contracts.values()}

    def contract_by_id(self, node_id: int) -> CompiledContract:
        """The contract whose definition has an id."""
        return self._contracts_by_id[node_id]

    def documentation_comments(self, name: str) -> Mapping[int, Comment]:
        """The documentation comments of a source by the offset of the token that follows."""
        return self.source_set.tokens(name).documentation

    @cached_property
    def documentation(self) -> Documentation:
        """The NatSpec tags of all declarations."""
        from smartvm.compiler.natspec import Documentation

        return Documentation(self.model)

    def metadata_sources(self, name: str) -> dict[str, dict[str, Any]]:
        """A source and all that it imports, as metadata describes them."""
        from smartvm.compiler.artifacts.metadata import referenced_sources, source_entry

        for source in (listed := referenced_sources(name, self.units)):
            if source not in self._metadata_sources:
                self._metadata_sources[source] = source_entry(
                    self.sources[source], self.units[source], self.settings
                )
        return {source: self._metadata_sources[source] for source in listed}

    @cached_property
    def lowering(self) -> ContractLowering:
        """What lowers the unit's contracts, each once."""
        from smartvm.compiler.lowering import ContractLowering, LoweringSettings

        settings = self.settings
        return ContractLowering(
            self.model,
            LoweringSettings(settings.evm_version, settings.revert_strings, settings.optimize),
            self.sink,
        )

    @cached_property
    def _assembly_dialect(self) -> Dialect:
        from smartvm.compiler.yul.dialect import dialect_for
        from smartvm.instructions.forks import canonical_fork

        return dialect_for(self.settings.table, canonical_fork(self.settings.evm_version), objects=False)

    @cached_property
    def dialect(self) -> Dialect:
        """The builtins of generated Yul."""
        from smartvm.compiler.yul.dialect import dialect_for
        from smartvm.instructions.forks import canonical_fork

        return dialect_for(self.settings.table, canonical_fork(self.settings.evm_version))


class CompiledContract:
    """One contract's results, each made when first asked for."""

    def __init__(self, unit: CompilationUnit, source_name: str, definition: nodes.ContractDefinition) -> None:
        self.unit = unit
        self.source_name = source_name
        self.definition = definition

    @property
    def name(self) -> str:
        """The contract's name."""
        return self.definition.name

    @property
    def is_deployable(self) -> bool:
        """Whether there is code: neither abstract nor an interface."""
        return self.unit.model.facts(self.definition).is_deployable

    # --- artifacts of the interface -----------------------------------------------------------------

    @cached_property
    def abi(self) -> list[dict[str, Any]]:
        """The ABI."""
        from smartvm.compiler.artifacts.abi import contract_abi

        return contract_abi(self.definition, self.unit.model)

    @cached_property
    def method_identifiers(self) -> dict[str, str]:
        """Selectors by signature."""
        from smartvm.compiler.artifacts.method_identifiers import method_identifiers

        return method_identifiers(self.definition, self.unit.model)

    @cached_property
    def storage_layout(self) -> dict[str, Any]:
        """Where state variables lie in storage."""
        from smartvm.compiler.artifacts.storage_layout import storage_layout

        return storage_layout(self.definition, self.source_name, self.unit.model)

    @cached_property
    def transient_storage_layout(self) -> dict[str, Any]:
        """Where state variables lie in transient storage."""
        from smartvm.compiler.artifacts.storage_layout import storage_layout

        return storage_layout(self.definition, self.source_name, self.unit.model, "transient")

    @cached_property
    def user_documentation(self) -> dict[str, Any]:
        """NatSpec for users (``userdoc``)."""
        from smartvm.compiler.artifacts.natspec import user_documentation

        return user_documentation(self.definition, self.unit.documentation)

    @cached_property
    def developer_documentation(self) -> dict[str, Any]:
        """NatSpec for developers (``devdoc``)."""
        from smartvm.compiler.artifacts.natspec import developer_documentation

        return developer_documentation(self.definition, self.unit.documentation)

    @cached_property
    def metadata(self) -> str:
        """The metadata as a JSON text."""
        from smartvm.compiler.artifacts.metadata import contract_metadata

        sources = self.unit.metadata_sources(self.source_name)
        output = {
            "abi": self.abi,
            "devdoc": self.developer_documentation,
            "userdoc": self.user_documentation,
        }
        return contract_metadata(self.definition, self.source_name, sources, self.unit.settings, output)

    # --- code -----------------------------------------------------------------------------------------

    @cached_property
    def yul_object(self) -> yul.Object:
        """The lowered contract: creation code, with the deployed code and its metadata trailer inside."""
        lowered = self.unit.lowering.lower(self.definition)
        return self._with_trailers(lowered)

    def _with_trailers(self, lowered: yul.Object) -> yul.Object:
        """Append its contract's metadata trailer to every deployed object."""
        from smartvm.compiler.artifacts.metadata import cbor_trailer
        from smartvm.compiler.yul import ast as yul

        if not self.unit.settings.metadata.append_cbor:
            return lowered
        parts = tuple(
            self._with_trailers(part) if isinstance(part, yul.Object) else part
            for part in lowered.sub_objects
        )
        deployed = _DEPLOYED.search(lowered.name)
        if deployed is not None:
            contract = self.unit.contract_by_id(int(deployed[1]))
            parts += (yul.Data(".metadata", cbor_trailer(contract.metadata, self.unit.settings)),)
        return dataclasses.replace(lowered, sub_objects=parts)

    @property
    def backend_settings(self) -> BackendSettings:
        """What the back end is asked for."""
        from smartvm.compiler.backend import BackendSettings

        return BackendSettings(self.unit.settings.optimize, self.unit.settings.runs)

    @cached_property
    def assembled(self) -> AssembledObject:
        """The bytecode, not linked. What is wrong with it is reported to the unit's sink."""
        from smartvm.compiler.backend import assemble_object
        from smartvm.compiler.code_checks import check_code

        settings, yul_object = self.unit.settings, self.yul_object
        if settings.expand_extensions:
            from smartvm.compiler.yul.extensions import ExtensionExpander

            yul_object = ExtensionExpander(self.unit.dialect).object(yul_object)
        assembled = assemble_object(yul_object, self.unit.dialect, self.backend_settings)
        check_code(self, assembled)
        return assembled

    @cached_property
    def utilities(self) -> tuple[GeneratedSource | None, GeneratedSource | None]:
        """The utility functions of the creation code and of the deployed code, each as a text. As with solc there is
        none with ``viaIR``."""
        from smartvm.compiler.artifacts.generated_sources import generated_source

        if self.unit.settings.via_ir:
            return None, None
        index, table = len(self.unit.sources), self.unit.settings.table
        return (
            generated_source(self.yul_object.code, self.assembled, index, table),
            generated_source(self.deployed_yul.code, self.deployed, index, table),
        )

    @property
    def deployed_yul(self) -> yul.Object:
        """The deployed code's part of ``yul_object``."""
        from smartvm.compiler.yul import ast as yul

        return next(
            part
            for part in self.yul_object.sub_objects
            if isinstance(part, yul.Object) and part.name.endswith("_deployed")
        )

    @property
    def deployed(self) -> AssembledObject:
        """The deployed code's part of ``assembled``."""
        return deployed_part(self.assembled)


def deployed_part(assembled: AssembledObject) -> AssembledObject:
    """The sub-object named ``..._deployed``."""
    for name, part in assembled.sub_objects.items():
        if name.endswith("_deployed"):
            return part
    raise KeyError(f"`{assembled.name}` has no deployed object")


__all__: Sequence[str] = [
    "CompilationFailed",
    "CompilationUnit",
    "CompiledContract",
    "deep_recursion",
    "deployed_part",
]
