"""The Yul abstract syntax tree: immutable nodes, each with the Solidity (or Yul) source range it stands for.

Follows "Specification of Yul" and "Specification of Yul Object" in Solidity's documentation (docs/yul.rst).
Builtin functions are ordinary names here; which names are builtins is the dialect's matter.
"""

from __future__ import annotations

from typing import Literal as OneOf

from smartvm.compiler.source import NO_SOURCE, SourceRange
from smartvm.records import dataclass, field


@dataclass(frozen=True, slots=True)
class Literal:
    """A literal. ``value`` is its 256-bit word; for strings that do not fit a word (arguments of
    ``dataoffset``, ``verbatim`` and their like) ``value`` is None and ``data`` alone counts. ``text`` is
    the spelling to print (None: printed from the value)."""

    kind: OneOf["number", "boolean", "string", "hex_string"]
    value: int | None
    data: bytes | None = None
    text: str | None = None
    source: SourceRange = NO_SOURCE


@dataclass(frozen=True, slots=True)
class Identifier:
    """A use of a variable, or the name of a called function."""

    name: str
    source: SourceRange = NO_SOURCE


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """``name(arguments...)``; arguments are evaluated from right to left."""

    name: str
    arguments: tuple[Expression, ...]
    source: SourceRange = NO_SOURCE


Expression = Literal | Identifier | FunctionCall


@dataclass(frozen=True, slots=True)
class ExpressionStatement:
    """A call that returns nothing."""

    expression: Expression
    source: SourceRange = NO_SOURCE


@dataclass(frozen=True, slots=True)
class VariableDeclaration:
    """``let names := value``; without a value all names start as zero."""

    names: tuple[str, ...]
    value: Expression | None
    source: SourceRange = NO_SOURCE


@dataclass(frozen=True, slots=True)
class Assignment:
    """``names := value``."""

    names: tuple[str, ...]
    value: Expression
    source: SourceRange = NO_SOURCE


@dataclass(frozen=True, slots=True)
class Block:
    """``{ statements }``, a scope."""

    statements: tuple[Statement, ...]
    source: SourceRange = NO_SOURCE


@dataclass(frozen=True, slots=True)
class FunctionDefinition:
    """``function name(parameters) -> returns { body }``."""

    name: str
    parameters: tuple[str, ...]
    returns: tuple[str, ...]
    body: Block
    source: SourceRange = NO_SOURCE


@dataclass(frozen=True, slots=True)
class If:
    """``if condition { body }``."""

    condition: Expression
    body: Block
    source: SourceRange = NO_SOURCE


@dataclass(frozen=True, slots=True)
class Case:
    """A case of a switch; the default has the value None and stands last."""

    value: Literal | None
    body: Block
    source: SourceRange = NO_SOURCE


@dataclass(frozen=True, slots=True)
class Switch:
    """``switch expression case ... default ...``."""

    expression: Expression
    cases: tuple[Case, ...]
    source: SourceRange = NO_SOURCE


@dataclass(frozen=True, slots=True)
class ForLoop:
    """``for pre condition post body``; names declared in ``pre`` are visible in all parts."""

    pre: Block
    condition: Expression
    post: Block
    body: Block
    source: SourceRange = NO_SOURCE


@dataclass(frozen=True, slots=True)
class Break:
    """Leaves the innermost loop."""

    source: SourceRange = NO_SOURCE


@dataclass(frozen=True, slots=True)
class Continue:
    """Goes to the innermost loop's post block."""

    source: SourceRange = NO_SOURCE


@dataclass(frozen=True, slots=True)
class Leave:
    """Returns from the innermost function."""

    source: SourceRange = NO_SOURCE


Statement = (
    ExpressionStatement
    | VariableDeclaration
    | Assignment
    | Block
    | FunctionDefinition
    | If
    | Switch
    | ForLoop
    | Break
    | Continue
    | Leave
)


@dataclass(frozen=True, slots=True)
class Data:
    """A named data section of an object; a name that starts with "." is reachable by no ``dataoffset``."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Object:
    """A Yul object: code, sub-objects and data, and the sources its ranges refer to (index to name,
    printed as ``@use-src``)."""

    name: str
    code: Block
    sub_objects: tuple[Object | Data, ...] = ()
    source_names: tuple[tuple[int, str], ...] = field(default=())
