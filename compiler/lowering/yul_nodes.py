"""Short constructors of Yul nodes, and the writer that collects the statements of a function."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from smartvm.compiler.source import NO_SOURCE, SourceRange
from smartvm.compiler.yul import ast as yul

WORD_MASK = (1 << 256) - 1


def number(value: int, source: SourceRange = NO_SOURCE) -> yul.Literal:
    """A number literal; negative values become their two's complement word."""
    return yul.Literal("number", value & WORD_MASK, source=source)


def string(text: str, source: SourceRange = NO_SOURCE) -> yul.Literal:
    """A string literal that names an object, an immutable or a library."""
    data = text.encode("utf-8")
    value = int.from_bytes(data.ljust(32, b"\0"), "big") if len(data) <= 32 else None
    return yul.Literal("string", value, data=data, source=source)


def name(text: str, source: SourceRange = NO_SOURCE) -> yul.Identifier:
    """A variable."""
    return yul.Identifier(text, source)


def call(function: str, *arguments: yul.Expression, source: SourceRange = NO_SOURCE) -> yul.FunctionCall:
    """A call."""
    return yul.FunctionCall(function, arguments, source)


def is_atom(expression: yul.Expression) -> bool:
    """Whether the expression may be written twice at no cost: a literal or a variable."""
    return not isinstance(expression, yul.FunctionCall)


def literal_value(expression: yul.Expression) -> int | None:
    """The word of a literal, None for anything else."""
    return expression.value if isinstance(expression, yul.Literal) else None


class YulWriter:
    """Collects statements; ``source`` is the range given to what is written next."""

    def __init__(self) -> None:
        self.source = NO_SOURCE
        self._blocks: list[list[yul.Statement]] = [[]]
        self._counters: dict[str, int] = {}

    # --- names -------------------------------------------------------------------------------------

    def fresh(self, prefix: str) -> str:
        """A name that this function has not used yet."""
        count = self._counters.get(prefix, 0) + 1
        self._counters[prefix] = count
        return f"{prefix}_{count}"

    # --- statements --------------------------------------------------------------------------------

    def append(self, statement: yul.Statement) -> None:
        """Add a finished statement."""
        self._blocks[-1].append(statement)

    def let(self, names: Sequence[str], value: yul.Expression | None) -> None:
        """``let names := value``; nothing for a call that returns nothing."""
        if names:
            self.append(yul.VariableDeclaration(tuple(names), value, self.source))
        elif value is not None:
            self.do(value)

    def assign(self, names: Sequence[str], value: yul.Expression) -> None:
        """``names := value``."""
        if names:
            self.append(yul.Assignment(tuple(names), value, self.source))
        else:
            self.do(value)

    def do(self, expression: yul.Expression) -> None:
        """A call as a statement; a value without effect is dropped."""
        if isinstance(expression, yul.FunctionCall):
            self.append(yul.ExpressionStatement(expression, self.source))

    def bind(self, value: yul.Expression, prefix: str = "expr") -> yul.Identifier:
        """Put a value into a new variable and return it."""
        new = self.fresh(prefix)
        self.let([new], value)
        return yul.Identifier(new, self.source)

    def atom(self, value: yul.Expression, prefix: str = "expr") -> yul.Expression:
        """The value itself if it may be repeated, else a new variable that holds it."""
        return value if is_atom(value) else self.bind(value, prefix)

    @contextmanager
    def nested(self) -> Iterator[list[yul.Statement]]:
        """Collects what is written inside into the list it gives."""
        block: list[yul.Statement] = []
        self._blocks.append(block)
        try:
            yield block
        finally:
            self._blocks.pop()

    def block(self, statements: Iterable[yul.Statement]) -> yul.Block:
        """A block at the current source range."""
        return yul.Block(tuple(statements), self.source)

    def statements(self) -> tuple[yul.Statement, ...]:
        """What was written at the outermost level."""
        return tuple(self._blocks[0])

    def call(self, function: str, *arguments: yul.Expression) -> yul.FunctionCall:
        """A call node at the current source range."""
        return yul.FunctionCall(function, arguments, self.source)

    def number(self, value: int) -> yul.Literal:
        """A number literal at the current source range."""
        return number(value, self.source)

    def if_(self, condition: yul.Expression, body: Iterable[yul.Statement]) -> None:
        """``if condition { body }``."""
        self.append(yul.If(condition, self.block(body), self.source))
