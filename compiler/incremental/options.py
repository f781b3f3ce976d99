"""How a compilation uses the cache and the processors."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from smartvm.disk_cache import DEFAULT_LIMIT, cache_folder
from smartvm.errors import SmartVMError
from smartvm.records import dataclass

_OFF = ("0", "off", "no", "false")


class OptionValueError(SmartVMError):
    """An environment variable that says nothing sensible."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a compilation did: how many sources it has, the names of those that were compiled (the others' results
    were kept ones), and in how many processes."""

    sources: int
    compiled: Sequence[str]
    processes: int

    def __str__(self) -> str:
        kept = self.sources - len(self.compiled)
        names = ": " + ", ".join(self.compiled) if self.compiled else ""
        processes = f" in {self.processes} processes" if self.processes > 1 else ""
        made = f"{len(self.compiled)} compiled{processes}{names}"
        return f"smartvm: {self.sources} sources, {kept} from the cache, {made}"


@dataclass(frozen=True, slots=True)
class IncrementalOptions:
    """``cache``: the folder of kept results, None for none; ``limit``: bytes that it may hold; ``jobs``: processes at
    most; ``report`` is told what was done."""

    cache: Path | None = None
    limit: int = DEFAULT_LIMIT
    jobs: int = 1
    report: Callable[[Report], object] | None = None


def options_from_environment(report: Callable[[Report], object] | None = None) -> IncrementalOptions:
    """As the variables ``SMARTVM_COMPILE_CACHE`` (``off``), ``SMARTVM_CACHE_DIR`` and ``SMARTVM_JOBS`` say. Raises
    OptionValueError."""
    switch = os.environ.get("SMARTVM_COMPILE_CACHE", "on").lower()
    if switch not in (*_OFF, "on", "1", "yes", "true", ""):
        raise OptionValueError(f"SMARTVM_COMPILE_CACHE is `{switch}`", hint="on or off")
    given = os.environ.get("SMARTVM_JOBS", "")
    if given and not (given.isascii() and given.isdigit() and int(given) > 0):
        raise OptionValueError(f"SMARTVM_JOBS is `{given}`", hint="a number of processes, 1 or more")
    cache = None if switch in _OFF else cache_folder() / "compiled"
    return IncrementalOptions(cache, jobs=int(given) if given else usable_processors(), report=report)


def usable_processors() -> int:
    """How many processors this process may use."""
    count = getattr(os, "process_cpu_count", None)  # Python 3.13
    if count is not None:
        return count() or 1
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0)) or 1
    return os.cpu_count() or 1
