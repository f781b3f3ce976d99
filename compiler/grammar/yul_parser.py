"""Yul text -> tree by the LALR grammar ``yul.lark``: the declarative definition of what
``compiler.yul.parser`` accepts.

The compiler itself uses the parser written by hand, which is several times as fast and says more when it
fails; the tests hold the two against each other on every construct. Tools that want Yul's grammar as data
take it from here.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from lark import Lark, Token, Transformer
from lark.exceptions import UnexpectedInput, VisitError
from smartvm.compiler.yul import ast
from smartvm.compiler.yul.tokens import decode_hex_string, decode_string
from smartvm.errors import SmartVMError, TextPosition


class YulSyntaxError(SmartVMError):
    """The text is no Yul."""


@lru_cache(maxsize=1)
def yul_grammar() -> Lark:
    """The LALR parser of ``yul.lark``."""
    text = Path(__file__).with_name("yul.lark").read_text(encoding="utf-8")
    return Lark(text, start="source", parser="lalr", maybe_placeholders=True)


def parse_by_grammar(text: str, name: str = "<yul>") -> ast.Object:
    """The tree of a Yul source, without ranges; raises ``YulSyntaxError``."""
    try:
        result: ast.Object = _TreeBuilder().transform(yul_grammar().parse(text))
    except UnexpectedInput as error:
        position = TextPosition(name, max(error.line, 1), max(error.column, 1))
        raise YulSyntaxError("this is no Yul", position=position) from None
    except VisitError as error:
        raise YulSyntaxError(str(error.orig_exc)) from None
    return result


def _word(data: bytes) -> int | None:
    return int.from_bytes(data.ljust(32, b"\0"), "big") if len(data) <= 32 else None


class _TreeBuilder(Transformer[Token, Any]):
    """One method for each rule of the grammar."""

    def source(self, children: list[Any]) -> ast.Object:
        only = children[0]
        return ast.Object("object", only) if isinstance(only, ast.Block) else only

    def object(self, children: list[Any]) -> ast.Object:
        name, code, *parts = children
        return ast.Object(name.data.decode(), code, tuple(parts))

    def data(self, children: list[Any]) -> ast.Data:
        name, content = children
        data = decode_hex_string(str(content)) if isinstance(content, Token) else content.data
        return ast.Data(name.data.decode(), data)

    def block(self, children: list[Any]) -> ast.Block:
        return ast.Block(tuple(children))

    def function_definition(self, children: list[Any]) -> ast.FunctionDefinition:
        name, parameters, returns, body = children
        return ast.FunctionDefinition(name, parameters or (), returns or (), body)

    def variable_declaration(self, children: list[Any]) -> ast.VariableDeclaration:
        return ast.VariableDeclaration(*children)

    def assignment(self, children: list[Any]) -> ast.Assignment:
        return ast.Assignment(*children)

    def expression_statement(self, children: list[Any]) -> ast.ExpressionStatement:
        return ast.ExpressionStatement(*children)

    def if_statement(self, children: list[Any]) -> ast.If:
        return ast.If(*children)

    def switch_statement(self, children: list[Any]) -> ast.Switch:
        expression, *cases = children
        return ast.Switch(expression, tuple(case for case in cases if case is not None))

    def case(self, children: list[Any]) -> ast.Case:
        return ast.Case(*children)

    def default(self, children: list[Any]) -> ast.Case:
        return ast.Case(None, children[0])

    def for_loop(self, children: list[Any]) -> ast.ForLoop:
        return ast.ForLoop(*children)

    def break_statement(self, children: list[Any]) -> ast.Break:
        return ast.Break()

    def continue_statement(self, children: list[Any]) -> ast.Continue:
        return ast.Continue()

    def leave_statement(self, children: list[Any]) -> ast.Leave:
        return ast.Leave()

    def function_call(self, children: list[Any]) -> ast.FunctionCall:
        name, *arguments = children
        return ast.FunctionCall(name, tuple(a for a in arguments if a is not None))

    def identifier(self, children: list[Any]) -> ast.Identifier:
        return ast.Identifier(children[0])

    def names(self, children: list[Any]) -> tuple[str, ...]:
        return tuple(children)

    def name(self, children: list[Any]) -> str:
        return str(children[0])

    def object_word(self, children: list[Any]) -> str:
        return "object"

    def code_word(self, children: list[Any]) -> str:
        return "code"

    def data_word(self, children: list[Any]) -> str:
        return "data"

    def number(self, children: list[Any]) -> ast.Literal:
        value = int(children[0], 0)
        return ast.Literal("number", None if value >> 256 else value, None, str(children[0]))

    def string(self, children: list[Any]) -> ast.Literal:
        data = decode_string(str(children[0]))
        return ast.Literal("string", _word(data), data, str(children[0]))

    def hex_string(self, children: list[Any]) -> ast.Literal:
        data = decode_hex_string(str(children[0]))
        return ast.Literal("hex_string", _word(data), data, str(children[0]))

    def true_literal(self, children: list[Any]) -> ast.Literal:
        return ast.Literal("boolean", 1, None, "true")

    def false_literal(self, children: list[Any]) -> ast.Literal:
        return ast.Literal("boolean", 0, None, "false")
