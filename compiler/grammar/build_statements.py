"""Actions for statements."""

from __future__ import annotations

import bisect
from typing import Any

from smartvm.compiler.ast import nodes
from smartvm.compiler.grammar.build_expressions import Arguments, ExpressionActions
from smartvm.compiler.grammar.quoted import decode_string
from smartvm.compiler.grammar.yul_positions import check_positions
from smartvm.compiler.source import SourceRange
from smartvm.compiler.yul import ast as yul
from smartvm.compiler.yul.builtin_names import check_builtin_names


class StatementActions(ExpressionActions):
    """Statements: each action is named as its rule in solidity.lark."""

    # --- blocks and control flow
    # ----------------------------------------------------------------------------------

    def block(self, opening: int, *rest: Any) -> nodes.Block:
        *statements, closing = rest
        source = self.covering(opening, closing)
        return nodes.Block(self.next_id(), source, tuple(statements), unchecked=False)

    def unchecked_block(self, unchecked: int, opening: int, *rest: Any) -> nodes.Block:
        del opening
        *statements, closing = rest
        source = self.covering(unchecked, closing)
        return nodes.Block(self.next_id(), source, tuple(statements), unchecked=True)

    def misplaced_unchecked(self, block: nodes.Block) -> nodes.Block:
        source = SourceRange(block.src.start, len("unchecked"), self.file)
        self.sink.error(
            "ParserError", 5296, source, "`unchecked` blocks can stand only inside of regular blocks."
        )
        return block

    def if_statement(
        self,
        if_: int,
        condition: nodes.Expression,
        true_body: nodes.Statement,
        false_body: nodes.Statement | None = None,
    ) -> nodes.IfStatement:
        end = (false_body or true_body).src.end
        return nodes.IfStatement(
            self.next_id(), self.span(self.starts[if_], end), condition, true_body, false_body
        )

    def while_statement(
        self, while_: int, condition: nodes.Expression, body: nodes.Statement
    ) -> nodes.WhileStatement:
        source = self.span(self.starts[while_], body.src.end)
        return nodes.WhileStatement(self.next_id(), source, condition, body, is_do_while=False)

    def do_while_statement(
        self, do: int, body: nodes.Statement, condition: nodes.Expression, semicolon: int
    ) -> nodes.WhileStatement:
        source = self.covering(do, semicolon)
        return nodes.WhileStatement(self.next_id(), source, condition, body, is_do_while=True)

    def for_statement(
        self,
        for_: int,
        initialization: nodes.Statement | None,
        condition: nodes.Expression | None,
        loop: nodes.ExpressionStatement | None,
        body: nodes.Statement,
    ) -> nodes.ForStatement:
        source = self.span(self.starts[for_], body.src.end)
        return nodes.ForStatement(self.next_id(), source, initialization, condition, loop, body)

    def try_statement(
        self, try_: int, call: nodes.Expression, *clauses: nodes.TryCatchClause
    ) -> nodes.TryStatement:
        source = self.span(self.starts[try_], clauses[-1].src.end)
        return nodes.TryStatement(self.next_id(), source, call, clauses)

    def success_clause(
        self,
        first: int | nodes.Block,
        parameters: nodes.ParameterList | None = None,
        block: nodes.Block | None = None,
    ) -> nodes.TryCatchClause:
        if isinstance(first, nodes.Block):
            return nodes.TryCatchClause(self.next_id(), first.src, "", None, first)
        assert block is not None
        source = self.span(self.starts[first], block.src.end)
        return nodes.TryCatchClause(self.next_id(), source, "", parameters, block)

    def catch_all(self, catch: int, block: nodes.Block) -> nodes.TryCatchClause:
        return nodes.TryCatchClause(
            self.next_id(), self.span(self.starts[catch], block.src.end), "", None, block
        )

    def catch_unnamed(
        self, catch: int, parameters: nodes.ParameterList, block: nodes.Block
    ) -> nodes.TryCatchClause:
        return nodes.TryCatchClause(
            self.next_id(), self.span(self.starts[catch], block.src.end), "", parameters, block
        )

    def catch_named(
        self, catch: int, name: int, parameters: nodes.ParameterList, block: nodes.Block
    ) -> nodes.TryCatchClause:
        source = self.span(self.starts[catch], block.src.end)
        return nodes.TryCatchClause(self.next_id(), source, self.spelling(name), parameters, block)

    def return_statement(
        self, return_: int, expression: nodes.Expression | None, semicolon: int
    ) -> nodes.Return:
        # Without an expression solc's range takes the semicolon in.
        end = self.ends[semicolon] if expression is None else expression.src.end
        return nodes.Return(self.next_id(), self.span(self.starts[return_], end), expression)

    def continue_statement(self, token: int) -> nodes.Continue:
        return nodes.Continue(self.next_id(), self.at(token))

    def break_statement(self, token: int) -> nodes.Break:
        return nodes.Break(self.next_id(), self.at(token))

    def placeholder_statement(self, token: int) -> nodes.PlaceholderStatement:
        return nodes.PlaceholderStatement(self.next_id(), self.at(token))

    def throw_statement(self, token: int) -> nodes.Block:
        self.sink.error(
            "SyntaxError", 4538, self.at(token), "`throw` is gone: use `revert()`, `require` or `assert`."
        )
        return nodes.Block(self.next_id(), self.at(token), (), unchecked=False)

    # --- simple statements
    # ----------------------------------------------------------------------------------------

    def expression_statement(self, expression: nodes.Expression) -> nodes.ExpressionStatement:
        if self.text[expression.src.start] == "(":
            self._refuse_empty_tuple(expression)
        return nodes.ExpressionStatement(self.next_id(), expression.src, expression)

    def _refuse_empty_tuple(self, expression: nodes.Expression) -> None:
        """``() = f();`` and ``(,) = f();``: a statement cannot start with a tuple of nothing."""
        tokens = self.tokens
        first = bisect.bisect_left(self.starts, expression.src.start) + 1
        while tokens.names[tokens.kinds[first]] == "COMMA":
            first += 1
        if tokens.names[tokens.kinds[first]] == "RPAR":
            raise self.fatal(6933, first, "Expected an expression but found `)`.")

    def emit_statement(
        self, emit: int, event: nodes.Expression, arguments: Arguments, closing: int
    ) -> nodes.EmitStatement:
        call = self.function_call(event, arguments, closing)
        return nodes.EmitStatement(self.next_id(), self.covering(emit, closing), call)

    def revert_statement(
        self, revert: int, error: nodes.Expression, arguments: Arguments, closing: int
    ) -> nodes.RevertStatement:
        call = self.function_call(error, arguments, closing)
        return nodes.RevertStatement(self.next_id(), self.covering(revert, closing), call)

    def declared_location(self, location: int, *others: int) -> list[int]:
        return [location, *others]

    def declaration(self, type_name: nodes.TypeName, *rest: Any) -> nodes.VariableDeclaration:
        *attributes, name = rest
        return self.variable(type_name, attributes[0] if attributes else [], name)

    def declaration_statement(
        self, declaration: nodes.VariableDeclaration, value: nodes.Expression | None
    ) -> nodes.VariableDeclarationStatement:
        source = declaration.src
        if value is not None:
            source = self.span(source.start, value.src.end)
        return nodes.VariableDeclarationStatement(self.next_id(), source, (declaration,), value)

    def declaration_tuple(
        self, opening: int, *items: Any
    ) -> tuple[int, tuple[nodes.VariableDeclaration | None, ...]]:
        declarations: list[nodes.VariableDeclaration | None] = []
        current: nodes.VariableDeclaration | None = None
        for item in items:
            if isinstance(item, int):
                declarations.append(current)
                current = None
            else:
                current = item
        return opening, (*declarations, current)

    def tuple_declaration_statement(
        self, declared: tuple[int, tuple[nodes.VariableDeclaration | None, ...]], value: nodes.Expression
    ) -> nodes.VariableDeclarationStatement:
        opening, declarations = declared
        source = self.span(self.starts[opening], value.src.end)
        return nodes.VariableDeclarationStatement(self.next_id(), source, declarations, value)

    def variable(
        self, type_name: nodes.TypeName, attributes: list[int], name: int
    ) -> nodes.VariableDeclaration:
        """A declared variable; the family of declarations says how."""
        raise NotImplementedError

    # --- inline assembly
    # ------------------------------------------------------------------------------------------

    def inline_assembly(
        self, assembly: int, dialect: int | None, flags: tuple[str, ...] | None, block: yul.Block
    ) -> nodes.InlineAssembly:
        if dialect is not None and decode_string(self.spelling(dialect)) != b"evmasm":
            raise self.fatal(4531, dialect, 'The only assembly dialect is "evmasm".')
        first = bisect.bisect_left(self.starts, block.source.start)
        kinds = self.tokens.kinds[first : bisect.bisect_left(self.starts, block.source.end)]
        if not self.position_bound.isdisjoint(kinds):
            check_positions(block, self.sink)
        if self.dialect is not None:
            check_builtin_names(block, self.dialect(), self.sink, self.source)
        start = self.starts[assembly]
        comment = self.tokens.documentation.get(start)
        documentation = None
        if comment is not None and comment.text:
            documentation = nodes.StructuredDocumentation(
                self.next_id(), self.span(comment.start, comment.end), comment.text
            )
        return nodes.InlineAssembly(
            self.next_id(),
            self.span(start, block.source.end),
            None if dialect is None else "evmasm",
            flags,
            block,
            documentation,
        )

    def assembly_flags(self, *tokens: int) -> tuple[str, ...]:
        return tuple(decode_string(self.spelling(token)).decode("utf-8", "replace") for token in tokens)
