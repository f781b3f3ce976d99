"""Scopes: what names mean where (docs/control-structures.rst, Scoping and Declarations)."""

from __future__ import annotations

from collections.abc import Iterator

from smartvm.compiler.analysis.context import symbol_name
from smartvm.compiler.analysis.model import MagicVariable, SemanticModel, Symbol
from smartvm.compiler.analysis.types import visibility_of
from smartvm.compiler.ast import nodes
from smartvm.compiler.source import SourceRange
from smartvm.records import dataclass, field


def is_visible_in_contract(symbol: Symbol) -> bool:
    """Whether the plain name can be used within its own contract: not for external functions."""
    if isinstance(symbol, nodes.FunctionDefinition):
        return symbol.kind in ("function", "freeFunction") and visibility_of(symbol) != "external"
    return not isinstance(symbol, nodes.VariableDeclaration) or visibility_of(symbol) != "external"


def is_visible_as_unqualified_name(symbol: Symbol, model: SemanticModel) -> bool:
    """Whether the plain name means it at all: not for members of structs and enums, parameters of events and
    of functions without body."""
    if isinstance(symbol, MagicVariable):
        return True
    scope = model.scope.get(symbol.id)
    if isinstance(
        scope, nodes.StructDefinition | nodes.EnumDefinition | nodes.EventDefinition | nodes.ErrorDefinition
    ):
        return False
    return not (isinstance(scope, nodes.FunctionDefinition) and scope.body is None)


def _kind_of_overloads(symbol: Symbol) -> type | None:
    for kind in (nodes.FunctionDefinition, nodes.EventDefinition, MagicVariable):
        if isinstance(symbol, kind):
            return kind
    return None


@dataclass
class Scope:
    """The names of one scope. ``invisible`` holds local variables before their declaration is complete, and
    external functions. ``homonym_candidates`` are names to compare with those of the enclosing scopes."""

    enclosing: Scope | None
    declarations: dict[str, list[Symbol]] = field(default_factory=dict)
    invisible: dict[str, list[Symbol]] = field(default_factory=dict)
    homonym_candidates: list[tuple[str, SourceRange]] = field(default_factory=list)
    inner: list[Scope] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.enclosing is not None:
            self.enclosing.inner.append(self)

    def conflicting(self, symbol: Symbol, name: str | None = None) -> Symbol | None:
        """What already stands under the name and cannot stand together with the symbol."""
        name = name or symbol_name(symbol)
        present = self.declarations.get(name, []) + self.invisible.get(name, [])
        kind = _kind_of_overloads(symbol)
        if kind is not None:
            return next((other for other in present if not isinstance(other, kind)), None)
        if len(present) == 1 and present[0] is symbol:
            return None
        return present[0] if present else None

    def register(
        self,
        symbol: Symbol,
        model: SemanticModel,
        name: str | None = None,
        location: SourceRange | None = None,
        invisible: bool = False,
    ) -> bool:
        """Add a symbol; False when the name is taken."""
        name = name or symbol_name(symbol)
        if not name:
            return True
        if self.conflicting(symbol, name) is not None:
            return False
        if self.enclosing is not None and is_visible_as_unqualified_name(symbol, model):
            assert not isinstance(symbol, MagicVariable)
            self.homonym_candidates.append((name, location or symbol.src))
        listed = (self.invisible if invisible else self.declarations).setdefault(name, [])
        if not any(other is symbol for other in listed):
            listed.append(symbol)
        return True

    def activate(self, name: str) -> None:
        """Make a local variable visible from here on."""
        waiting = self.invisible.get(name)
        if waiting is not None:
            self.declarations.setdefault(name, []).append(waiting[0])
            del self.invisible[name]

    def resolve(
        self,
        name: str,
        model: SemanticModel,
        recursive: bool = False,
        also_invisible: bool = False,
        only_unqualified: bool = False,
    ) -> list[Symbol]:
        """What a name means here: all declarations of the innermost scope that knows it."""
        scope: Scope | None = self
        while scope is not None:
            found = list(scope.declarations.get(name, ()))
            if also_invisible:
                found += scope.invisible.get(name, ())
            if only_unqualified:
                found = [symbol for symbol in found if is_visible_as_unqualified_name(symbol, model)]
            if found or not recursive:
                return found
            scope = scope.enclosing
        return []

    def homonyms(self, model: SemanticModel) -> Iterator[tuple[SourceRange, list[Symbol]]]:
        """Names that shadow others: where, and what they shadow; inner scopes first."""
        for scope in self.inner:
            yield from scope.homonyms(model)
        if self.enclosing is None:
            return
        for name, location in self.homonym_candidates:
            found = self.enclosing.resolve(name, model, recursive=True, also_invisible=True)
            if found:
                yield location, found

    def similar_names(self, name: str) -> list[str]:
        """Names that are nearly the given one, for suggestions; innermost scope first."""
        limit = 2 if len(name) > 3 else len(name) // 2
        result: list[str] = []
        scope: Scope | None = self
        while scope is not None:
            for known in [*scope.declarations, *scope.invisible]:
                if known not in result and _is_within_distance(name, known, limit):
                    result.append(known)
            scope = scope.enclosing
        return result


def _is_within_distance(a: str, b: str, limit: int) -> bool:
    """Whether at most ``limit`` insertions, deletions, replacements or swaps of neighbours turn ``a`` into
    ``b``."""
    if a == b:
        return True
    if abs(len(a) - len(b)) > limit or len(a) * len(b) > 6400:
        return False
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        last, before, row = before, row, [i] + [0] * len(b)
        for j, y in enumerate(b, 1):
            row[j] = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                row[j] = min(row[j], last[j - 2] + 1)
    return row[-1] <= limit
