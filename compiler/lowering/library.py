"""Utility functions written as Yul text: asked for by name, made once per compilation, parsed once per
process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache

from smartvm.compiler.yul import ast as yul
from smartvm.compiler.yul.parser import parse_yul_text
from smartvm.errors import InternalError
from smartvm.records import dataclass


@dataclass(frozen=True, slots=True)
class Utility:
    """A finished function and the names of the utility functions it calls."""

    definition: yul.FunctionDefinition
    uses: tuple[str, ...]


@lru_cache(maxsize=16384)
def parse_function(text: str) -> yul.FunctionDefinition:
    """The one function that a text defines. Texts carry no positions, so equal texts share a tree."""
    block = parse_yul_text("{" + text + "}")
    (definition,) = block.statements
    if not isinstance(definition, yul.FunctionDefinition):
        raise InternalError(f"not a function: {text}")
    return definition


class UtilityLibrary:
    """All utility functions of a compilation. A name determines its function (under one
    ``LoweringSettings``)."""

    def __init__(self) -> None:
        self._utilities: dict[str, Utility] = {}
        self._collectors: list[dict[str, None]] = []

    @contextmanager
    def collecting(self, into: dict[str, None]) -> Iterator[None]:
        """Everything that is asked for inside is noted in ``into`` (in order)."""
        self._collectors.append(into)
        try:
            yield
        finally:
            self._collectors.pop()

    def define(self, name: str, text: Callable[[], str]) -> str:
        """The function ``name``, made from ``text()`` at its first use. Returns the name."""
        if self._collectors:
            self._collectors[-1][name] = None
        if name in self._utilities:
            return name
        uses: dict[str, None] = {}
        with self.collecting(uses):
            # A function that calls itself finds its own name taken.
            self._utilities[name] = Utility(_UNFINISHED, ())
            definition = parse_function(text())
        if definition.name != name:
            raise InternalError(f"{name} is defined as {definition.name}")
        self._utilities[name] = Utility(definition, tuple(uses))
        return name

    def closure(self, names: Iterable[str]) -> list[yul.FunctionDefinition]:
        """The functions named and all that they call, each once, in the order of first use."""
        found: dict[str, yul.FunctionDefinition] = {}
        pending = list(names)[::-1]
        while pending:
            name = pending.pop()
            if name not in found:
                utility = self._utilities[name]
                found[name] = utility.definition
                pending.extend(reversed(utility.uses))
        return list(found.values())


_UNFINISHED = yul.FunctionDefinition("", (), (), yul.Block(()))
