"""Divides sources among processes."""

from __future__ import annotations

from collections.abc import Sequence

from smartvm.compiler.source_set import SourceSet
from smartvm.records import dataclass, field

#: Estimates in seconds: reading and analysing a byte of source, with all that is imported; making the code of a source
#: that reaches so many bytes; starting a process and reading its answer. They decide how work is divided, never what
#: comes out of it.
_ANALYSIS = 2.5e-6
_CODE = 3e-7
_START = 0.35

#: Processes at most: beyond, each would do little but analyse what all of them import.
_MOST = 16

#: More processes must save this part of the time at least.
_WORTHWHILE = 0.8


@dataclass
class _Group:
    names: list[str] = field(default_factory=list)
    needed: set[str] = field(default_factory=set)
    seconds: float = 0.0


def partition(sources: SourceSet, names: Sequence[str], jobs: int) -> list[list[str]]:
    """Groups of sources to compile in a process each, the longest first; one group where more would not pay.

    Every process analyses what its sources import, so sources that share imports go together where that does not
    make one process much longer than the others.
    """
    best = _divided(sources, names, 1)
    most = min(jobs, len(names), _MOST)
    for count in sorted({most, *(2**power for power in range(1, most.bit_length()))}) if most > 1 else ():
        tried = _divided(sources, names, count)
        longest = max(group.seconds for group in tried) + _START
        if longest < _WORTHWHILE * (max(group.seconds for group in best) + (_START if len(best) > 1 else 0)):
            best = tried
    ordered = sorted(best, key=lambda group: -group.seconds)
    return [sorted(group.names) for group in ordered if group.names]


def _divided(sources: SourceSet, names: Sequence[str], count: int) -> list[_Group]:
    sizes = {name: len(text) for name, text in sources.texts.items()}
    needed = {name: sources.closure([name]) for name in names}
    reached = {name: sum(sizes[other] for other in needed[name]) for name in names}
    groups = [_Group() for _ in range(count)]
    for name in sorted(names, key=lambda name: (-reached[name], name)):
        best, seconds = groups[0], float("inf")
        for group in groups:
            more = sum(sizes[other] for other in needed[name] - group.needed) * _ANALYSIS + reached[name] * _CODE
            if group.seconds + more < seconds:
                best, seconds = group, group.seconds + more
        best.names.append(name)
        best.needed |= needed[name]
        best.seconds = seconds
    return groups
