"""Statements whose variables are not declared yet, and where each declaration goes: in the innermost block
around all uses, at the first of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from smartvm.compiler.source import NO_SOURCE, SourceRange
from smartvm.compiler.yul import ast as yul
from smartvm.records import dataclass, field


@dataclass(slots=True)
class Set:
    """``names := value``, which may turn out to be a declaration."""

    names: tuple[str, ...]
    value: yul.Expression
    source: SourceRange = NO_SOURCE


@dataclass(slots=True)
class Compound:
    """An ``if`` (one body), a ``switch`` (a body for each of ``cases``) or a loop without end (neither condition
    nor cases)."""

    condition: yul.Expression | None
    bodies: list[list[Item]]
    cases: tuple[yul.Literal | None, ...] = ()
    source: SourceRange = NO_SOURCE


Item = Set | Compound | yul.ExpressionStatement | yul.Break | yul.Continue | yul.Leave


@dataclass(slots=True)
class _List:
    parent: _List | None
    index: int
    depth: int
    #: Position of a statement to the names that are declared there.
    declared: dict[int, list[str]] = field(default_factory=dict)


class Declarer:
    """Turns items into statements; ``known`` names (parameters, results) are declared already."""

    def __init__(self, known: Iterable[str]) -> None:
        self._known = frozenset(known)
        self._places: dict[str, tuple[_List, int]] = {}
        self._lists: dict[int, _List] = {}

    def statements(self, items: list[Item]) -> tuple[yul.Statement, ...]:
        """The statements with all declarations."""
        self._walk(items, None, 0)
        for name, (place, index) in self._places.items():
            place.declared.setdefault(index, []).append(name)
        return self._close(items)

    # ------------------------------------------------------------------ finding places

    def _walk(self, items: list[Item], parent: _List | None, index: int) -> None:
        own = _List(parent, index, parent.depth + 1 if parent is not None else 0)
        self._lists[id(items)] = own
        for i, item in enumerate(items):
            if isinstance(item, Set):
                for name in (*item.names, *names_in(item.value)):
                    self._refer(name, own, i)
            elif isinstance(item, yul.ExpressionStatement):
                for name in names_in(item.expression):
                    self._refer(name, own, i)
            elif isinstance(item, Compound):
                if item.condition is not None:
                    for name in names_in(item.condition):
                        self._refer(name, own, i)
                for body in item.bodies:
                    self._walk(body, own, i)

    def _refer(self, name: str, place: _List, index: int) -> None:
        if name in self._known:
            return
        found = self._places.get(name)
        if found is None:
            self._places[name] = (place, index)
            return
        common, first = found
        while place.depth > common.depth:
            assert place.parent is not None
            index, place = place.index, place.parent
        while common is not place:
            assert common.parent is not None
            first, common = common.index, common.parent
            if place.depth > common.depth:
                assert place.parent is not None
                place = place.parent
        self._places[name] = (common, first)

    # ------------------------------------------------------------------ writing

    def _close(self, items: list[Item]) -> tuple[yul.Statement, ...]:
        declared = self._lists[id(items)].declared
        result: list[yul.Statement] = []
        for i, item in enumerate(items):
            names = declared.get(i, [])
            if isinstance(item, Set):
                here = bool(names) and set(item.names) <= set(names)
                before = [name for name in names if not here or name not in item.names]
                if before:
                    result.append(yul.VariableDeclaration(tuple(before), None, item.source))
                make = yul.VariableDeclaration if here else yul.Assignment
                result.append(make(item.names, item.value, item.source))
                continue
            if names:
                result.append(yul.VariableDeclaration(tuple(names), None, item.source))
            if isinstance(item, Compound):
                result.append(self._compound(item))
            else:
                result.append(item)
        return tuple(result)

    def _compound(self, item: Compound) -> yul.Statement:
        bodies = [yul.Block(self._close(body), item.source) for body in item.bodies]
        if item.condition is None:
            return _loop(bodies[0].statements, item.source)
        if not item.cases:
            return yul.If(item.condition, bodies[0], item.source)
        cases = tuple(
            yul.Case(value, body, item.source) for value, body in zip(item.cases, bodies, strict=True)
        )
        return yul.Switch(item.condition, cases, item.source)


def _loop(body: tuple[yul.Statement, ...], source: SourceRange) -> yul.ForLoop:
    """A loop whose leading exit becomes its condition, and whose last assignments its post block."""
    condition: yul.Expression = yul.Literal("number", 1, source=source)
    if body and isinstance(body[0], yul.If):
        first = body[0]
        if len(first.body.statements) == 1 and isinstance(first.body.statements[0], yul.Break):
            condition, body = negated(first.condition), body[1:]
    post: list[yul.Assignment] = []
    if not any(_continues(statement) for statement in body):
        inner = {name for s in body if isinstance(s, yul.VariableDeclaration) for name in s.names}
        kept: list[yul.Statement] = []
        read: set[str] = set()
        written: set[str] = set()
        while body and isinstance(last := body[-1], yul.Assignment):
            # What stays must neither read what the post block writes nor write what it reads.
            reads = set(names_in(last.value))
            if (
                inner.isdisjoint(last.names)
                and inner.isdisjoint(reads)
                and not (read & set(last.names) or written & reads or written & set(last.names))
            ):
                post.insert(0, last)
            elif isinstance(last.value, yul.FunctionCall):
                break  # what calls do stays in order
            else:
                kept.insert(0, last)
                read |= reads
                written |= set(last.names)
            body = body[:-1]
        body = (*body, *kept)
    return yul.ForLoop(
        yul.Block((), source), condition, yul.Block(tuple(post), source), yul.Block(body, source), source
    )


def _continues(statement: yul.Statement) -> bool:
    """Whether a statement contains a ``continue`` of the loop around it."""
    match statement:
        case yul.Continue():
            return True
        case yul.If(_, body):
            return any(map(_continues, body.statements))
        case yul.Switch(_, cases):
            return any(_continues(inner) for case in cases for inner in case.body.statements)
        case _:
            return False


def negated(condition: yul.Expression) -> yul.Expression:
    """A condition that holds when the given one does not."""
    if isinstance(condition, yul.FunctionCall) and condition.name == "iszero":
        return condition.arguments[0]
    return yul.FunctionCall("iszero", (condition,), condition.source)


def names_in(expression: yul.Expression) -> Iterator[str]:
    """The variables that an expression reads."""
    work = [expression]
    while work:
        part = work.pop()
        if isinstance(part, yul.Identifier):
            yield part.name
        elif isinstance(part, yul.FunctionCall):
            work += part.arguments
