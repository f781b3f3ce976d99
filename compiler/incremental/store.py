"""What is kept on disk: facts about source texts, and results of sources."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from smartvm.compiler.incremental.digests import compiler_digest, text_digest
from smartvm.compiler.incremental.results import SourceResult, unpack
from smartvm.disk_cache import DiskCache
from smartvm.records import dataclass


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """What a text alone tells: the paths that it imports, how many nodes its tree has, its contracts."""

    imports: tuple[str, ...]
    node_count: int
    contracts: tuple[str, ...]


class ResultStore:
    """Facts and results by digest; nothing here fails for what the disk does."""

    def __init__(self, folder: Path, limit: int) -> None:
        self._cache = DiskCache(folder, limit)
        self._facts: dict[str, SourceFacts | None] = {}

    def facts(self, text: str) -> SourceFacts | None:
        """What is known of a text without a look at it."""
        name = self._facts_name(text)
        if name not in self._facts:
            self._facts[name] = _read_facts(self._cache.read(name))
        return self._facts[name]

    def keep_facts(self, text: str, facts: SourceFacts) -> None:
        """Remember what a text told."""
        name = self._facts_name(text)
        if self._facts.get(name) != facts:
            self._facts[name] = facts
            written = json.dumps([facts.imports, facts.node_count, facts.contracts])
            self._cache.write(name, written.encode())

    def _facts_name(self, text: str) -> str:
        return "source-" + hashlib.sha256(f"{compiler_digest()} {text_digest(text)}".encode()).hexdigest()

    def result(self, key: str) -> SourceResult | None:
        """A kept result."""
        data = self._cache.read(f"result-{key}")
        return None if data is None else unpack(data)

    def keep(self, key: str, packed: bytes) -> None:
        """Remember a result."""
        self._cache.write(f"result-{key}", packed)

    def trim(self) -> None:
        """Keep to the limit; call it last."""
        self._cache.trim()

    def known_imports(self, text: str) -> Sequence[str] | None:
        """The paths that a text imports, where they are known."""
        facts = self.facts(text)
        return None if facts is None else facts.imports


def _read_facts(data: bytes | None) -> SourceFacts | None:
    if data is None:
        return None
    try:
        imports, node_count, contracts = json.loads(data)
        return SourceFacts(tuple(imports), int(node_count), tuple(contracts))
    except (ValueError, TypeError):
        return None
