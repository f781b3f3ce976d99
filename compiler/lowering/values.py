"""What an expression leaves behind: values, and places that can be read and written."""

from __future__ import annotations

from collections.abc import Mapping

from smartvm.compiler.analysis import types
from smartvm.compiler.ast import nodes
from smartvm.compiler.lowering.storage import Space
from smartvm.compiler.yul import ast as yul
from smartvm.records import dataclass, field


@dataclass(frozen=True, slots=True)
class Value:
    """A value of a type in its Yul variables.

    Each slot is a literal, a variable, or an expression without effects over variables that do not change
    until the
    value is used: it may be evaluated at any time, but should be used once (``FunctionLowering.bound``).
    """

    type: types.Type
    slots: tuple[yul.Expression, ...] = ()

    @property
    def slot(self) -> yul.Expression:
        """The only slot."""
        (only,) = self.slots
        return only


@dataclass(frozen=True, slots=True)
class FunctionValue(Value):
    """A function about to be called: its bound first argument and call options, and what it was made from.

    ``definition`` is the internal function that the expression names, after virtual lookup.
    """

    definition: nodes.FunctionDefinition | None = None
    self_value: Value | None = None
    options: Mapping[str, yul.Expression] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TupleValue(Value):
    """Several values; None is a gap."""

    components: tuple[Value | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Something that can be read and written."""

    type: types.Type


@dataclass(frozen=True, slots=True)
class LocalPlace(Place):
    """Local variables of the Yul function; ``raw``: the one that keeps the word for assembly."""

    names: tuple[str, ...]
    raw: str | None = None


@dataclass(frozen=True, slots=True)
class StoragePlace(Place):
    """A variable in storage or transient storage: its slot, and the byte in it (a number, or given at run
    time)."""

    slot: yul.Expression
    offset: int | yul.Expression
    space: Space = "storage"


@dataclass(frozen=True, slots=True)
class MemoryPlace(Place):
    """A word in memory, or a byte of a byte array."""

    address: yul.Expression
    is_byte: bool = False


@dataclass(frozen=True, slots=True)
class ImmutablePlace(Place):
    """An immutable: a word in memory while the contract is created."""

    variable: nodes.VariableDeclaration


@dataclass(frozen=True, slots=True)
class TuplePlace(Place):
    """Several places; None skips a component."""

    places: tuple[Place | None, ...]
