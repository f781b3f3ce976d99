"""One description of an operation for both forms in which it is needed: Yul text in templates, Yul nodes
in code."""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar

from smartvm.compiler.lowering.settings import LoweringSettings
from smartvm.compiler.source import SourceRange
from smartvm.compiler.yul import ast as yul

WORD = 1 << 256
ExpressionForm = TypeVar("ExpressionForm")


class Notation(Protocol[ExpressionForm]):
    """Builds calls and numbers in some form."""

    def call(self, name: str, *arguments: ExpressionForm) -> ExpressionForm:
        """A call."""
        ...

    def number(self, value: int) -> ExpressionForm:
        """A number, taken modulo 2**256."""
        ...


class TextNotation:
    """Yul text."""

    def call(self, name: str, *arguments: str) -> str:
        """``name(arguments)``."""
        return f"{name}({', '.join(arguments)})"

    def number(self, value: int) -> str:
        """Small numbers in decimal, the rest in hexadecimal."""
        value %= WORD
        return str(value) if value < 65536 else hex(value)


class NodeNotation:
    """Yul nodes at a source range."""

    def __init__(self, source: SourceRange) -> None:
        self.source = source

    def call(self, name: str, *arguments: yul.Expression) -> yul.Expression:
        """A call node."""
        return yul.FunctionCall(name, arguments, self.source)

    def number(self, value: int) -> yul.Expression:
        """A literal node."""
        return yul.Literal("number", value % WORD, source=self.source)


class Shifts(Generic[ExpressionForm]):
    """Shifts by constants, by multiplication where the EVM version has no shift instructions (before
    EIP-145)."""

    def __init__(self, notation: Notation[ExpressionForm], settings: LoweringSettings) -> None:
        self.notation = notation
        self.settings = settings

    def left(self, bits: int, value: ExpressionForm) -> ExpressionForm:
        """``value << bits``."""
        n = self.notation
        if bits == 0:
            return value
        if self.settings.has_bitwise_shifting:
            return n.call("shl", n.number(bits), value)
        return n.call("mul", value, n.number(1 << bits))

    def right(self, bits: int, value: ExpressionForm) -> ExpressionForm:
        """``value >> bits``, unsigned."""
        n = self.notation
        if bits == 0:
            return value
        if self.settings.has_bitwise_shifting:
            return n.call("shr", n.number(bits), value)
        return n.call("div", value, n.number(1 << bits))


TEXT = TextNotation()
