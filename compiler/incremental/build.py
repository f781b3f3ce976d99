"""A compilation of Solidity sources for some outputs, through the cache: what all front doors of the compiler use."""

from __future__ import annotations

from collections.abc import Mapping

from smartvm.compiler.imports import SourceReader, no_reader
from smartvm.compiler.incremental.digests import compiler_digest
from smartvm.compiler.incremental.engine import Engine, Results
from smartvm.compiler.incremental.options import IncrementalOptions, options_from_environment
from smartvm.compiler.incremental.store import ResultStore
from smartvm.compiler.output_selection import OutputSelection
from smartvm.compiler.pipeline import CompilationUnit
from smartvm.compiler.settings import CompilerSettings


class Build:
    """``unit`` holds the sources and, in its sink, what is reported about them. ``options`` are those of the
    environment where they are not given."""

    def __init__(
        self,
        sources: Mapping[str, str],
        settings: CompilerSettings,
        selection: OutputSelection,
        reader: SourceReader = no_reader,
        options: IncrementalOptions | None = None,
    ) -> None:
        self._options = options or options_from_environment()
        self._selection = selection
        cache = self._options.cache
        usable = cache is not None and compiler_digest() is not None
        self._store = ResultStore(cache, self._options.limit) if cache is not None and usable else None
        self.unit = CompilationUnit(
            sources,
            settings,
            reader,
            selection.requested_sources,
            self._store.known_imports if self._store is not None else lambda text: None,
        )

    def results(self) -> Results:
        """The results of all analysed sources, by name. Raises CompilationFailed and what else the compiler raises;
        even where it does not, the unit's sink may hold errors."""
        return Engine(self.unit, self._selection, self._options, self._store).results()
