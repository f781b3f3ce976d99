"""Actions for expressions and type names."""

from __future__ import annotations

import bisect
from typing import Any, NamedTuple
from typing import Literal as OneOf

from smartvm.compiler.ast import nodes
from smartvm.compiler.grammar.builder import Builder
from smartvm.compiler.grammar.quoted import decode_string
from smartvm.compiler.source import SourceRange

#: Binary operators by how strongly they bind.
PRECEDENCE = {
    operator: strength
    for strength, operators in enumerate(
        [
            ("||",),
            ("&&",),
            ("==", "!="),
            ("<", ">", "<=", ">="),
            ("|",),
            ("^",),
            ("&",),
            ("<<", ">>", ">>>"),
            ("+", "-"),
            ("*", "/", "%"),
            ("**",),
        ]
    )
    for operator in operators
}


StringKind = OneOf["string", "hexString", "unicodeString"]


class Arguments(NamedTuple):
    """The arguments of a call as written; ``names`` is empty for positional ones."""

    expressions: tuple[nodes.Expression, ...]
    names: tuple[str, ...] = ()
    locations: tuple[SourceRange, ...] = ()


class ExpressionActions(Builder):
    """Expressions: each action is named as its rule in solidity.lark."""

    # --- primary
    # --------------------------------------------------------------------------------------------------

    def identifier(self, token: int) -> nodes.Identifier:
        return nodes.Identifier(self.next_id(), self.at(token), self.spelling(token))

    def elementary_expression(self, token: int) -> nodes.ElementaryTypeNameExpression:
        source = self.at(token)
        type_name = nodes.ElementaryTypeName(self.next_id(), source, self.spelling(token), None)
        return nodes.ElementaryTypeNameExpression(self.next_id(), source, type_name)

    def boolean(self, token: int) -> nodes.Literal:
        return nodes.Literal(self.next_id(), self.at(token), "bool", self.spelling(token), None, None)

    def number(self, token: int, unit: int | None) -> nodes.Literal:
        text = self.spelling(token)
        if unit is None:
            return nodes.Literal(self.next_id(), self.at(token), "number", text, None, None)
        return nodes.Literal(
            self.next_id(), self.covering(token, unit), "number", text, None, self.spelling(unit)
        )

    def string(self, *tokens: int) -> nodes.Literal:
        return self._string_literal("string", tokens)

    def hex_string(self, *tokens: int) -> nodes.Literal:
        return self._string_literal("hexString", tokens)

    def unicode_string(self, *tokens: int) -> nodes.Literal:
        return self._string_literal("unicodeString", tokens)

    def _string_literal(self, kind: StringKind, tokens: tuple[int, ...]) -> nodes.Literal:
        source = self.covering(tokens[0], tokens[-1])
        value = b"".join(decode_string(self.spelling(token)) for token in tokens)
        text = self.text[source.start : source.end].encode("latin-1").decode("utf-8", "replace")
        return nodes.Literal(self.next_id(), source, kind, text, value, None)

    def tuple_expression(self, opening: int, *rest: Any) -> nodes.TupleExpression:
        closing = rest[-1]
        assert isinstance(closing, int)
        items = rest[0]
        components = _with_gaps(items) if isinstance(items, list) else ()
        return nodes.TupleExpression(
            self.next_id(), self.covering(opening, closing), components, is_inline_array=False
        )

    def tuple_components(self, *items: Any) -> list[nodes.Expression | int]:
        return list(items)

    def inline_array(self, opening: int, *rest: Any) -> nodes.TupleExpression:
        *components, closing = rest
        return nodes.TupleExpression(
            self.next_id(),
            self.covering(opening, closing),
            tuple(components),
            is_inline_array=True,
        )

    # --- postfix
    # --------------------------------------------------------------------------------------------------

    def index_access(
        self, base: nodes.Expression, index: nodes.Expression | None, closing: int
    ) -> nodes.IndexAccess:
        return nodes.IndexAccess(self.next_id(), self.span(base.src.start, self.ends[closing]), base, index)

    def index_range_access(
        self,
        base: nodes.Expression,
        start: nodes.Expression | None,
        end: nodes.Expression | None,
        closing: int,
    ) -> nodes.IndexRangeAccess:
        return nodes.IndexRangeAccess(
            self.next_id(), self.span(base.src.start, self.ends[closing]), base, start, end
        )

    def member_access(self, base: nodes.Expression, member: int) -> nodes.MemberAccess:
        return nodes.MemberAccess(
            self.next_id(),
            self.span(base.src.start, self.ends[member]),
            base,
            self.spelling(member),
            self.at(member),
        )

    def function_call(
        self, called: nodes.Expression | int, arguments: Arguments, closing: int
    ) -> nodes.FunctionCall:
        if isinstance(called, int):
            called = self._payable(called)
        source = self.span(called.src.start, self.ends[closing])
        return nodes.FunctionCall(self.next_id(), source, called, *arguments)

    def _payable(self, token: int) -> nodes.ElementaryTypeNameExpression:
        source = self.covering(token, token + 1)  # solc's range takes the parenthesis in
        type_name = nodes.ElementaryTypeName(self.next_id(), source, "address", "payable")
        return nodes.ElementaryTypeNameExpression(self.next_id(), source, type_name)

    def call_options(
        self, called: nodes.Expression, opening: int, options: Arguments, closing: int
    ) -> nodes.FunctionCallOptions:
        del opening
        source = self.span(called.src.start, self.ends[closing])
        return nodes.FunctionCallOptions(self.next_id(), source, called, options.names, options.expressions)

    def new_expression(self, new: int, type_name: nodes.TypeName) -> nodes.NewExpression:
        return nodes.NewExpression(self.next_id(), self.span(self.starts[new], type_name.src.end), type_name)

    def positional_list(self, *expressions: Any) -> Arguments:
        if len(expressions) == 1 and isinstance(expressions[0], int):
            return Arguments(())  # an empty list: only the token that follows
        return Arguments(expressions)

    def named_argument(self, name: int, value: nodes.Expression) -> tuple[int, nodes.Expression]:
        return name, value

    def named_list(self, *arguments: Any) -> Arguments:
        pairs = [argument for argument in arguments if not isinstance(argument, int)]
        return Arguments(
            tuple(value for _, value in pairs),
            tuple(self.spelling(name) for name, _ in pairs),
            tuple(self.at(name) for name, _ in pairs),
        )

    def named_list_with_comma(self, *arguments: Any) -> Arguments:
        *pairs, comma = arguments
        self.error(2074, comma, "A comma follows the last named argument.")
        return self.named_list(*pairs)

    # --- operators
    # ------------------------------------------------------------------------------------------------

    def postfix_operation(self, operand: nodes.Expression, operator: int) -> nodes.UnaryOperation:
        source = self.span(operand.src.start, self.ends[operator])
        return nodes.UnaryOperation(self.next_id(), source, self.spelling(operator), False, operand)

    def prefix_operation(self, operator: int, operand: nodes.Expression) -> nodes.UnaryOperation:
        source = self.span(self.starts[operator], operand.src.end)
        return nodes.UnaryOperation(self.next_id(), source, self.spelling(operator), True, operand)

    def operation(self, first: nodes.Expression, *rest: Any) -> nodes.Expression:
        """``first (operator operand)*`` arranged by precedence; ``**`` binds to the right."""
        operands = [first]
        operators: list[str] = []
        for position in range(0, len(rest), 2):
            operator = self.spelling(rest[position])
            strength = PRECEDENCE[operator]
            while operators and (
                PRECEDENCE[operators[-1]] > strength
                or (PRECEDENCE[operators[-1]] == strength and operator != "**")
            ):
                self._combine(operands, operators)
            operators.append(operator)
            operands.append(rest[position + 1])
        while operators:
            self._combine(operands, operators)
        return operands[0]

    def _combine(self, operands: list[nodes.Expression], operators: list[str]) -> None:
        right = operands.pop()
        left = operands[-1]
        source = self.span(left.src.start, right.src.end)
        operands[-1] = nodes.BinaryOperation(self.next_id(), source, operators.pop(), left, right)

    def assignment(self, left: nodes.Expression, operator: int, right: nodes.Expression) -> nodes.Assignment:
        source = self.span(left.src.start, right.src.end)
        return nodes.Assignment(self.next_id(), source, self.spelling(operator), left, right)

    def conditional(
        self, condition: nodes.Expression, true: nodes.Expression, false: nodes.Expression
    ) -> nodes.Conditional:
        source = self.span(condition.src.start, false.src.end)
        return nodes.Conditional(self.next_id(), source, condition, true, false)

    # --- type names
    # -----------------------------------------------------------------------------------------------

    def elementary_type(self, token: int, mutability: int | None) -> nodes.ElementaryTypeName:
        name = self.spelling(token)
        state_mutability: nodes.StateMutability | None = "nonpayable" if name == "address" else None
        source = self.at(token)
        if mutability is not None:
            if name == "address":
                source = self.covering(token, mutability)
                state_mutability = self.keyword(mutability)
            else:
                self.error(9106, mutability, f"`{name}` takes no state mutability: only `address` does.")
        return nodes.ElementaryTypeName(self.next_id(), source, name, state_mutability)

    def elementary_type_plain(self, token: int) -> nodes.ElementaryTypeName:
        return nodes.ElementaryTypeName(self.next_id(), self.at(token), self.spelling(token), None)

    def user_defined_type(self, path: nodes.IdentifierPath) -> nodes.UserDefinedTypeName:
        return nodes.UserDefinedTypeName(self.next_id(), path.src, path)

    def identifier_path(self, *tokens: int) -> nodes.IdentifierPath:
        parts = tokens[::2]
        return nodes.IdentifierPath(
            self.next_id(),
            self.covering(tokens[0], tokens[-1]),
            tuple([self.spelling(part) for part in parts]),
            tuple([self.at(part) for part in parts]),
        )

    def array_type(
        self, base: nodes.TypeName, length: nodes.Expression | None, closing: int
    ) -> nodes.ArrayTypeName:
        return nodes.ArrayTypeName(
            self.next_id(), self.span(base.src.start, self.ends[closing]), base, length
        )

    def mapping(
        self,
        mapping: int,
        key: nodes.TypeName,
        key_name: int | None,
        value: nodes.TypeName,
        value_name: int | None,
        closing: int,
    ) -> nodes.Mapping:
        return nodes.Mapping(
            self.next_id(),
            self.covering(mapping, closing),
            key,
            *self.name(key_name),
            value,
            *self.name(value_name),
        )

    def type_from_expression(self, expression: nodes.Expression) -> nodes.TypeName:
        """What was read as an expression and turned out to be a type."""
        levels: list[nodes.IndexAccess | nodes.IndexRangeAccess] = []
        base = expression
        while isinstance(base, nodes.IndexAccess | nodes.IndexRangeAccess):
            levels.append(base)
            base = base.base_expression
        type_name: nodes.TypeName
        if isinstance(base, nodes.ElementaryTypeNameExpression):
            name = base.type_name.name
            is_address = name == "address" and not levels
            mutability: nodes.StateMutability | None = "nonpayable" if is_address else None
            type_name = nodes.ElementaryTypeName(self.next_id(), base.src, name, mutability)
        else:
            type_name = self._path_type(base, expression)
        for level in reversed(levels):
            length = None
            if isinstance(level, nodes.IndexRangeAccess):
                self.sink.error(
                    "ParserError", 5464, level.src, "An array's length is an expression, not a range."
                )
            else:
                length = level.index_expression
            type_name = nodes.ArrayTypeName(self.next_id(), level.src, type_name, length)
        return type_name

    def _path_type(self, base: nodes.Expression, whole: nodes.Expression) -> nodes.UserDefinedTypeName:
        parts: list[tuple[str, SourceRange]] = []
        while isinstance(base, nodes.MemberAccess):
            parts.append((base.member_name, base.member_location))
            base = base.expression
        if not isinstance(base, nodes.Identifier) or base.name == "type":
            token = bisect.bisect_left(self.starts, whole.src.end)
            raise self.fatal(2314, token, f"Expected `;` but found {self.describe(token)}.")
        parts.append((base.name, base.src))
        parts.reverse()
        source = self.span(base.src.start, parts[-1][1].end)
        path = nodes.IdentifierPath(
            self.next_id(), source, tuple(name for name, _ in parts), tuple(at for _, at in parts)
        )
        return nodes.UserDefinedTypeName(self.next_id(), source, path)


def _with_gaps(items: list[nodes.Expression | int]) -> tuple[nodes.Expression | None, ...]:
    """Components between commas (the integers), None where nothing stands."""
    components: list[nodes.Expression | None] = []
    current: nodes.Expression | None = None
    for item in items:
        if isinstance(item, int):
            components.append(current)
            current = None
        else:
            current = item
    return (*components, current)
