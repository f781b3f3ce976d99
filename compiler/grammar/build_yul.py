"""Actions for inline assembly: they make the nodes of the Yul tree."""

from __future__ import annotations

from typing import Any
from typing import Literal as OneOf

from smartvm.compiler.grammar.build_declarations import DeclarationActions
from smartvm.compiler.grammar.quoted import decode_string
from smartvm.compiler.yul import ast as yul


class YulActions(DeclarationActions):
    """Yul statements and expressions: each action is named as its rule in solidity.lark."""

    def yul_block(self, opening: int, *rest: Any) -> yul.Block:
        *statements, closing = rest
        return yul.Block(tuple(statements), self.covering(opening, closing))

    def yul_break(self, token: int) -> yul.Break:
        return yul.Break(self.at(token))

    def yul_continue(self, token: int) -> yul.Continue:
        return yul.Continue(self.at(token))

    def yul_leave(self, token: int) -> yul.Leave:
        return yul.Leave(self.at(token))

    def yul_names(self, *tokens: int) -> tuple[int, ...]:
        return tokens

    def _names(self, tokens: tuple[int, ...] | None) -> tuple[str, ...]:
        return tuple(self.spelling(token) for token in tokens or ())

    def yul_variable_declaration(
        self, let: int, names: tuple[int, ...], value: yul.Expression | None
    ) -> yul.VariableDeclaration:
        end = self.ends[names[-1]] if value is None else value.source.end
        return yul.VariableDeclaration(self._names(names), value, self.span(self.starts[let], end))

    def yul_assignment(self, names: tuple[int, ...], value: yul.Expression) -> yul.Assignment:
        source = self.span(self.starts[names[0]], value.source.end)
        return yul.Assignment(self._names(names), value, source)

    def yul_expression_statement(self, call: yul.FunctionCall) -> yul.ExpressionStatement:
        return yul.ExpressionStatement(call, call.source)

    def yul_if(self, if_: int, condition: yul.Expression, body: yul.Block) -> yul.If:
        return yul.If(condition, body, self.span(self.starts[if_], body.source.end))

    def yul_switch(self, switch: int, expression: yul.Expression, *cases: yul.Case | None) -> yul.Switch:
        present = tuple(case for case in cases if case is not None)
        source = self.span(self.starts[switch], present[-1].body.source.end)
        return yul.Switch(expression, present, source)

    def yul_switch_default(self, switch: int, expression: yul.Expression, default: yul.Case) -> yul.Switch:
        return self.yul_switch(switch, expression, default)

    def yul_case(self, case: int, value: yul.Literal, body: yul.Block) -> yul.Case:
        return yul.Case(value, body, self.span(self.starts[case], body.source.end))

    def yul_default(self, default: int, body: yul.Block) -> yul.Case:
        return yul.Case(None, body, self.span(self.starts[default], body.source.end))

    def yul_for(
        self, for_: int, pre: yul.Block, condition: yul.Expression, post: yul.Block, body: yul.Block
    ) -> yul.ForLoop:
        return yul.ForLoop(pre, condition, post, body, self.span(self.starts[for_], body.source.end))

    def yul_function_definition(
        self,
        function: int,
        name: int,
        parameters: tuple[int, ...] | None,
        returns: tuple[int, ...] | None,
        body: yul.Block,
    ) -> yul.FunctionDefinition:
        return yul.FunctionDefinition(
            self.spelling(name),
            self._names(parameters),
            self._names(returns),
            body,
            self.span(self.starts[function], body.source.end),
        )

    def yul_identifier(self, token: int) -> yul.Identifier:
        return yul.Identifier(self.spelling(token), self.at(token))

    def yul_call(self, name: int, *rest: Any) -> yul.FunctionCall:
        *arguments, closing = rest
        source = self.covering(name, closing)
        return yul.FunctionCall(self.spelling(name), tuple(arguments), source)

    # --- literals
    # -------------------------------------------------------------------------------------------------

    def yul_number(self, token: int) -> yul.Literal:
        text = self.spelling(token)
        digits = text[2:] if text.startswith("0x") else text
        if "_" in text or not digits.isalnum() or (digits is text and not text.isdigit()):
            raise self.fatal(
                4828, token, f"`{text}` is not a number of Yul: no fractions, exponents or separators."
            )
        value: int | None = int(text, 0) if len(digits.lstrip("0")) <= 78 else None
        if value is not None and value >= 2**256:
            value = None  # reported when the code is checked
        return yul.Literal("number", value, None, text, self.at(token))

    def yul_string(self, token: int) -> yul.Literal:
        return self._yul_string("string", token)

    def yul_hex_string(self, token: int) -> yul.Literal:
        return self._yul_string("hex_string", token)

    def _yul_string(self, kind: OneOf["string", "hex_string"], token: int) -> yul.Literal:
        data = decode_string(self.spelling(token))
        value = int.from_bytes(data.ljust(32, b"\0"), "big") if len(data) <= 32 else None
        return yul.Literal(kind, value, data, self.spelling(token), self.at(token))

    def yul_boolean(self, token: int) -> yul.Literal:
        text = self.spelling(token)
        return yul.Literal("boolean", int(text == "true"), None, text, self.at(token))
