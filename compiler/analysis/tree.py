"""Walking the syntax tree: the children of a node in the order in which solc visits them."""

from __future__ import annotations

import dataclasses
import operator
import re
from collections.abc import Callable, Iterator
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


CHILD_FIELDS: dict[type, tuple[str, ...]] = {
    thing: _child_fields(thing)
    for thing in vars(nodes).values()
    if isinstance(thing, type) and issubclass(thing, nodes.Node)
}


def _all_children(fields: tuple[str, ...]) -> Callable[[nodes.Node], tuple[nodes.Node, ...]]:
    """The general way: fields may be absent, single, or tuples with gaps."""

    def find(node: nodes.Node) -> tuple[nodes.Node, ...]:
        found: list[nodes.Node] = []
        for name in fields:
            value = getattr(node, name)
            if value is None:
                continue
            if isinstance(value, tuple):
                for item in value:
                    if isinstance(item, nodes.Node):
                        found.append(item)
                    elif item is not None:
                        found.append(item.path)
            else:
                found.append(value)
        return tuple(found)

    return find


def _children_of(cls: type[nodes.Node]) -> Callable[[nodes.Node], tuple[nodes.Node, ...]]:
    """The fastest way to a class's children: most classes have only parts that are always there."""
    fields = CHILD_FIELDS[cls]
    if not fields:
        return lambda node: ()
    written = {field.name: str(field.type) for field in dataclasses.fields(cls)}
    if all("None" not in written[name] and not written[name].startswith("tuple") for name in fields):
        getter: Callable[[nodes.Node], Any] = operator.attrgetter(*fields)
        return getter if len(fields) > 1 else lambda node: (getter(node),)
    only = written[fields[0]]
    if len(fields) == 1 and only.startswith("tuple[") and "None" not in only and "UsingFor" not in only:
        return operator.attrgetter(fields[0])
    return _all_children(fields)


_CHILDREN = {cls: _children_of(cls) for cls in CHILD_FIELDS}


def children(node: nodes.Node) -> tuple[nodes.Node, ...]:
    """The nodes directly below, in order."""
    return _CHILDREN[type(node)](node)


def walk(node: nodes.Node) -> Iterator[nodes.Node]:
    """The node and all below it, parents first, in order."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        stack.extend(children(current)[::-1])
