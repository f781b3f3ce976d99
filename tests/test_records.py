"""Dataclasses of ``smartvm.records`` behave as the standard library's."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from functools import cached_property
from types import ModuleType
from typing import Any

import pytest
from smartvm import records

BOTH = pytest.mark.parametrize("maker", [dataclasses, records], ids=["standard", "records"])


def shapes(maker: ModuleType) -> Any:
    """The same classes, made by one of the two."""

    @maker.dataclass(frozen=True, slots=True, eq=False)
    class Node:
        id: int
        place: tuple[int, int]

    @maker.dataclass(frozen=True, slots=True, eq=False)
    class Leaf(Node):
        text: str
        parts: tuple[str, ...] = ()

    @maker.dataclass(frozen=True, slots=True)
    class Type:
        name: str
        notes: dict[str, int] = maker.field(default_factory=dict, compare=False)
        owner: int = maker.field(default=3, compare=False, repr=False, kw_only=True)

    @maker.dataclass(frozen=True)
    class Range:
        start: int
        end: int

        def __post_init__(self) -> None:
            if self.end < self.start:
                raise ValueError("backwards")

        @cached_property
        def size(self) -> int:
            return self.end - self.start

    @maker.dataclass
    class Bag:
        items: list[int] = maker.field(default_factory=list)

    class Shapes:
        pass

    for made in (Node, Leaf, Type, Range, Bag):
        setattr(Shapes, made.__name__, made)
    return Shapes


@BOTH
def test_instances_hold_what_they_were_given(maker: ModuleType) -> None:
    made = shapes(maker)
    leaf = made.Leaf(1, (2, 3), text="x")
    assert (leaf.id, leaf.place, leaf.text, leaf.parts) == (1, (2, 3), "x", ())
    assert not hasattr(leaf, "__dict__")
    assert made.Bag().items is not made.Bag().items
    assert made.Type("a", owner=4).owner == 4
    with pytest.raises(TypeError):
        made.Type("a", {}, 4)
    with pytest.raises(TypeError):
        made.Leaf(1)
    assert made.Range(1, 3).size == 2
    with pytest.raises(ValueError, match="backwards"):
        made.Range(3, 1)


@BOTH
def test_comparison_and_hash(maker: ModuleType) -> None:
    made = shapes(maker)
    assert made.Type("a", {"x": 1}, owner=1) == made.Type("a", owner=2)
    assert hash(made.Type("a", {"x": 1})) == hash(made.Type("a"))
    assert made.Type("a") != made.Type("b")
    assert made.Type("a") != "a"
    assert made.Leaf(1, (0, 0), "x") != made.Leaf(1, (0, 0), "x")
    assert len({made.Leaf(1, (0, 0), "x"), made.Leaf(1, (0, 0), "x")}) == 2
    with pytest.raises(TypeError):
        hash(made.Bag())


@BOTH
def test_frozen_instances_do_not_change(maker: ModuleType) -> None:
    made = shapes(maker)
    for thing, name in ((made.Leaf(1, (0, 0), "x"), "text"), (made.Range(1, 2), "start")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(thing, name, 5)
        with pytest.raises(dataclasses.FrozenInstanceError):
            delattr(thing, name)


@BOTH
def test_the_standard_functions_take_them(maker: ModuleType) -> None:
    made = shapes(maker)
    leaf = made.Leaf(1, (2, 3), "x")
    assert dataclasses.is_dataclass(leaf)
    assert [f.name for f in dataclasses.fields(leaf)] == ["id", "place", "text", "parts"]
    assert dataclasses.replace(leaf, text="y").text == "y"
    assert made.Leaf.__match_args__ == ("id", "place", "text", "parts")
    assert repr(leaf).endswith("Leaf(id=1, place=(2, 3), text='x', parts=())")
    assert repr(made.Type("a")).endswith("Type(name='a', notes={})")
    assert copy.copy(leaf).text == "x"
    extended = dataclasses.make_dataclass("Extended", [("more", int, 5)], bases=(made.Type,), frozen=True)
    assert extended("a").more == 5


@records.dataclass(frozen=True, slots=True)
class Known:
    """At the top of the module, where ``pickle`` finds it."""

    name: str
    size: int = 0


def test_pickled_and_back() -> None:
    assert pickle.loads(pickle.dumps(Known("a", 2))) == Known("a", 2)


def test_a_mutable_default_is_refused() -> None:
    with pytest.raises(ValueError, match="default_factory"):

        @records.dataclass
        class Wrong:
            items: list[int] = []  # noqa: RUF012
