"""Yul tree -> readable text, with ``/// @src`` comments that ``parser`` reads back.

The layout is solc's: four spaces a level, a comment where the range changes, its snippet for people to read.
"""

from __future__ import annotations

from collections.abc import Mapping

from smartvm.compiler.source import NO_SOURCE, SourceRange, SourceText
from smartvm.compiler.yul import ast

_INDENT = "    "
_SNIPPET_LENGTH = 60


def print_object(
    yul_object: ast.Object, sources: Mapping[int, SourceText] | None = None, *, origins: bool = True
) -> str:
    """The object as text. ``sources`` are those that the nodes' ranges refer to: with them, comments show a
    snippet.

    ``origins=False`` leaves all ``@src`` and ``@use-src`` comments out.
    """
    return _Printer(sources or {}, origins).object(yul_object) + "\n"


def print_block(block: ast.Block) -> str:
    """A block as text, without comments."""
    printer = _Printer({}, False)
    printer.block(block, "")
    return "\n".join(printer.lines)


def print_statement(statement: ast.Statement) -> str:
    """A statement as text, without comments."""
    printer = _Printer({}, False)
    printer.statement(statement, "")
    return "\n".join(printer.lines)


def print_expression(expression: ast.Expression) -> str:
    """An expression as text."""
    if isinstance(expression, ast.FunctionCall):
        return f"{expression.name}({', '.join([print_expression(a) for a in expression.arguments])})"
    if isinstance(expression, ast.Identifier):
        return expression.name
    return print_literal(expression)


def print_literal(literal: ast.Literal) -> str:
    """A literal in the spelling that it carries, else the plainest one of its kind."""
    if literal.text is not None:
        return literal.text
    if literal.kind == "string":
        return quote(literal.data if literal.data is not None else _word_bytes(literal))
    if literal.kind == "hex_string":
        return f'hex"{(literal.data if literal.data is not None else _word_bytes(literal)).hex()}"'
    value = literal.value or 0
    if literal.kind == "boolean":
        return "true" if value else "false"
    return str(value) if value < 256 else hex(value)


def _word_bytes(literal: ast.Literal) -> bytes:
    return (literal.value or 0).to_bytes(32, "big").rstrip(b"\0")


def quote(data: bytes) -> str:
    """A string literal in double quotes with these bytes."""
    return '"' + "".join(_ESCAPED[byte] for byte in data) + '"'


_ESCAPED = [
    {9: "\\t", 10: "\\n", 13: "\\r", 34: '\\"', 92: "\\\\"}.get(
        byte, chr(byte) if 32 <= byte < 127 else f"\\x{byte:02x}"
    )
    for byte in range(256)
]


class _Printer:
    def __init__(self, sources: Mapping[int, SourceText], origins: bool) -> None:
        self.sources = sources
        self.origins = origins
        self.lines: list[str] = []
        self.shown = NO_SOURCE

    def object(self, yul_object: ast.Object) -> str:
        self._object(yul_object, "")
        return "\n".join(self.lines)

    def _object(self, yul_object: ast.Object, indent: str) -> None:
        if self.origins and yul_object.source_names:
            names = ", ".join(f"{index}:{quote(name.encode())}" for index, name in yul_object.source_names)
            self.lines.append(f"{indent}/// @use-src {names}")
        self.lines.append(f"{indent}object {quote(yul_object.name.encode())} {{")
        inner = indent + _INDENT
        self.shown = NO_SOURCE
        known = {index for index, _ in yul_object.source_names}
        outer_origins, self.origins = self.origins, self.origins and bool(known)
        self.block(yul_object.code, inner, prefix="code ")
        self.origins = outer_origins
        for part in yul_object.sub_objects:
            if isinstance(part, ast.Object):
                self._object(part, inner)
            else:
                self.lines.append(f'{inner}data {quote(part.name.encode())} hex"{part.data.hex()}"')
        self.lines.append(indent + "}")

    def _origin(self, source: SourceRange, indent: str) -> None:
        if not self.origins or source == self.shown:
            return
        self.shown = source
        comment = f"{indent}/// @src {source.file}:{source.start}:{source.end if source.start >= 0 else -1}"
        text = self.sources.get(source.file)
        if text is not None and source.start >= 0:
            snippet = text.slice(source).split("\n")[0].rstrip("\r")
            if len(snippet) > _SNIPPET_LENGTH or "\n" in text.slice(source):
                snippet = snippet[:_SNIPPET_LENGTH] + "..."
            comment += f"  {quote(snippet.encode())}"
        self.lines.append(comment)

    def block(self, block: ast.Block, indent: str, prefix: str = "", suffix: str = "") -> None:
        """``prefix { ... } suffix``; an empty block, and one short statement without comments, stay on a
        line."""
        if not block.statements:
            self.lines.append(f"{indent}{prefix}{{ }}{suffix}")
            return
        if len(block.statements) == 1 and isinstance(block.statements[0], _SHORT):
            only = block.statements[0]
            if not self.origins or only.source == self.shown:
                text = f"{indent}{prefix}{{ {self._short(only)} }}{suffix}"
                if len(text) <= 100:
                    self.lines.append(text)
                    return
        self.lines.append(f"{indent}{prefix}{{")
        inner = indent + _INDENT
        for statement in block.statements:
            self.statement(statement, inner)
        self.lines.append(f"{indent}}}{suffix}")

    @staticmethod
    def _short(statement: ast.Statement) -> str:
        match statement:
            case ast.ExpressionStatement(expression):
                return print_expression(expression)
            case ast.VariableDeclaration(names, None):
                return f"let {', '.join(names)}"
            case ast.VariableDeclaration(names, value) if value is not None:
                return f"let {', '.join(names)} := {print_expression(value)}"
            case ast.Assignment(names, value):
                return f"{', '.join(names)} := {print_expression(value)}"
            case ast.Break():
                return "break"
            case ast.Continue():
                return "continue"
            case _:
                return "leave"

    def statement(self, statement: ast.Statement, indent: str) -> None:
        self._origin(statement.source, indent)
        match statement:
            case ast.Block():
                self.block(statement, indent)
            case ast.FunctionDefinition(name, parameters, returns, body):
                arrow = f"-> {', '.join(returns)} " if returns else ""
                self.block(body, indent, prefix=f"function {name}({', '.join(parameters)}) {arrow}")
            case ast.If(condition, body):
                self.block(body, indent, prefix=f"if {print_expression(condition)} ")
            case ast.Switch(expression, cases):
                self.lines.append(f"{indent}switch {print_expression(expression)}")
                for case in cases:
                    label = f"case {print_literal(case.value)} " if case.value is not None else "default "
                    self.block(case.body, indent, prefix=label)
            case ast.ForLoop(pre, condition, post, body):
                self.block(pre, indent, prefix="for ")
                self.lines.append(f"{indent}{print_expression(condition)}")
                self.block(post, indent)
                self.block(body, indent)
            case _:
                self.lines.append(indent + self._short(statement))


_SHORT = (
    ast.ExpressionStatement,
    ast.VariableDeclaration,
    ast.Assignment,
    ast.Break,
    ast.Continue,
    ast.Leave,
)
