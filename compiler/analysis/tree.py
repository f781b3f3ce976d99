"""Walking the syntax tree: the children of a node in the order in which solc visits them."""

from __future__ import annotations

import dataclasses
import operator
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from smartvm.compiler.ast import nodes

#: Where the order of the fields is not the order of the visit.
_ORDER: dict[type, tuple[str, ...]] = {
    nodes.FunctionDefinition: (
        "documentation", "override", "parameters", "return_parameters", "modifiers", "body",
    ),
    nodes.ModifierDefinition: ("documentation", "parameters", "override", "body"),
    nodes.VariableDeclaration: ("type_name", "override", "value", "documentation"),
    nodes.ContractDefinition: ("documentation", "base_contracts", "storage_layout", "nodes"),
    nodes.UsingForDirective: ("functions", "type_name"),
    nodes.ImportDirective: (),
}  # fmt: skip

_NODE_CLASSES = {
    name for name, thing in vars(nodes).items() if isinstance(thing, type) and issubclass(thing, nodes.Node)
} | {"UsingForFunction"}


def _child_fields(cls: type[nodes.Node]) -> tuple[str, ...]:
    if cls in _ORDER:
        return _ORDER[cls]
    names = []
    for field in dataclasses.fields(cls):
        mentioned = set(re.findall(r"\w+", str(field.type)))
        if mentioned & _NODE_CLASSES and "yul" not in mentioned:
            names.append(field.name)
    return tuple(names)


def _finder(cls: type[nodes.Node]) -> Callable[[nodes.Node], Sequence[nodes.Node]]:
    """The function that gives the children of a class's nodes, made for its fields: each is one node, one or none, or
    several (of which some may be missing, or all)."""
    fields = _child_fields(cls)
    if not fields:
        return lambda node: ()
    written = {field.name: str(field.type) for field in dataclasses.fields(cls)}
    if all("None" not in written[name] and not written[name].startswith("tuple") for name in fields):
        getter: Callable[[nodes.Node], Any] = operator.attrgetter(*fields)
        return getter if len(fields) > 1 else lambda node: (getter(node),)
    only = written[fields[0]]
    if len(fields) == 1 and only.startswith("tuple") and "None" not in only and "UsingFor" not in only:
        return operator.attrgetter(fields[0])
    lines = ["def find(node):", " found = []"]
    for name in fields:
        several, optional = written[name].startswith("tuple"), "None" in written[name]
        lines.append(f" value = node.{name}")
        if optional:
            lines.append(" if value is not None:")
        if "UsingFor" in written[name]:
            step = "found.extend([item.path for item in value])"
        elif several:
            step = "found.extend([item for item in value if item is not None])" if optional else "found.extend(value)"
        else:
            step = "found.append(value)"
        lines.append((" " if optional else "") + " " + step)
    lines.append(" return found")
    made: dict[str, Any] = {}
    exec("\n".join(lines), made)
    finder: Callable[[nodes.Node], Sequence[nodes.Node]] = made["find"]
    return finder


class _Finders(dict[type, Callable[[nodes.Node], Sequence[nodes.Node]]]):
    """By class, each made when its first node is met."""

    def __missing__(self, cls: type) -> Callable[[nodes.Node], Sequence[nodes.Node]]:
        made = self[cls] = _finder(cls)
        return made


_FINDERS = _Finders()


def children(node: nodes.Node) -> Sequence[nodes.Node]:
    """The nodes directly below, in order."""
    return _FINDERS[type(node)](node)


def walk(node: nodes.Node) -> Iterator[nodes.Node]:
    """The node and all below it, parents first, in order."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        stack.extend(children(current)[::-1])
