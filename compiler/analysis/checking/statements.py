"""Checks statements."""

from __future__ import annotations

from smartvm.compiler.analysis import types as t
from smartvm.compiler.analysis.checking.expressions import ExpressionChecks
from smartvm.compiler.analysis.checking.members import AccessChecks
from smartvm.compiler.analysis.model import CatchKinds
from smartvm.compiler.ast import nodes

_LOW_LEVEL_CALLS = frozenset({"bare_call", "bare_call_code", "bare_delegate_call", "bare_static_call"})


class StatementChecks(ExpressionChecks, AccessChecks):
    """Statements; those without rules of their own are visited part by part."""

    def visit_IfStatement(self, node: nodes.IfStatement) -> None:
        """``if``."""
        self.expect_type(node.condition, t.BOOL)
        self.visit(node.true_body)
        if node.false_body is not None:
            self.visit(node.false_body)

    def visit_WhileStatement(self, node: nodes.WhileStatement) -> None:
        """``while`` and ``do ... while``."""
        self.expect_type(node.condition, t.BOOL)
        self.visit(node.body)

    def visit_ForStatement(self, node: nodes.ForStatement) -> None:
        """``for``."""
        if node.initialization_expression is not None:
            self.visit(node.initialization_expression)
        if node.condition is not None:
            self.expect_type(node.condition, t.BOOL)
        if node.loop_expression is not None:
            self.visit(node.loop_expression)
        self.visit(node.body)

    def visit_Return(self, node: nodes.Return) -> None:
        """``return``."""
        if node.expression is not None:
            self.visit(node.expression)
        parameters = self.model.function_return_parameters.get(node.id)
        if node.expression is None:
            if parameters is not None and parameters.parameters:
                self.context.type_error(6777, node, "The function returns values, which are missing here.")
            return
        if parameters is None:
            self.context.type_error(7552, node, "Modifiers return no values.")
            return
        expected = tuple(self.type_of_variable(p) for p in parameters.parameters)
        found = self.type_of(node.expression)
        count_message = f"The function returns {len(expected)} values, another number is given."
        if isinstance(found, t.TupleType):
            target = t.TupleType(expected)
            if len(found.components) != len(expected):
                self.context.type_error(5132, node, count_message)
            elif not t.is_implicitly_convertible_to(found, target):
                self.context.type_error(
                    5992,
                    node.expression,
                    f"{found.human_readable_name()} cannot be converted implicitly to the returned types "
                    f"{target.human_readable_name()}.",
                )
        elif len(expected) != 1:
            self.context.type_error(8863, node, count_message)
        elif not t.is_implicitly_convertible_to(found, expected[0]):
            self.context.type_error(
                6359,
                node.expression,
                f"{found.human_readable_name()} cannot be converted implicitly to the returned type "
                f"{expected[0].human_readable_name()}{self.why_not(found, expected[0])}",
            )

    def _called_kind(self, call: nodes.Expression) -> str | None:
        """The kind of function that a call calls; None when it is no function call."""
        if not isinstance(call, nodes.FunctionCall) or self.model.call_kind.get(call.id) != "function_call":
            return None
        function = self.type_of(call.expression)
        return function.kind if isinstance(function, t.FunctionType) else None

    def visit_EmitStatement(self, node: nodes.EmitStatement) -> None:
        """``emit``."""
        self.visit(node.event_call)
        if self._called_kind(node.event_call) != "event":
            self.context.type_error(9292, node.event_call.expression, '"emit" takes the call of an event.')

    def visit_RevertStatement(self, node: nodes.RevertStatement) -> None:
        """``revert Error(...);``"""
        self.visit(node.error_call)
        if self._called_kind(node.error_call) != "error":
            self.context.type_error(1885, node.error_call.expression, '"revert" takes an error here.')

    def visit_ExpressionStatement(self, node: nodes.ExpressionStatement) -> None:
        """An expression of which the value is not used."""
        expression = node.expression
        self.visit(expression)
        type_ = self.type_of(expression)
        if isinstance(type_, t.RationalNumberType) and type_.mobile_type() is None:
            self.context.type_error(3757, expression, "This number has no type that can hold it.")
        kind = self._called_kind(expression)
        if kind in _LOW_LEVEL_CALLS:
            self.context.warning(
                9302, node, "The result of this low-level call, whether it failed, is not used."
            )
        elif kind == "send":
            self.context.warning(
                5878, node, '"send" may fail, and its result is not used. "transfer" would revert.'
            )

    def visit_VariableDeclarationStatement(self, node: nodes.VariableDeclarationStatement) -> None:
        """A declaration of local variables."""
        if node.initial_value is None:
            if len(node.declarations) != 1 or node.declarations[0] is None:
                return
            only = node.declarations[0]
            if isinstance(self.type_of_variable(only), t.MappingType):
                self.context.type_error(
                    4182, only, "A local mapping refers to a state variable: it needs an initial value."
                )
            self.visit(only)
            return
        self.visit(node.initial_value)
        value = self.type_of(node.initial_value)
        values: tuple[t.Type | None, ...] = value.components if isinstance(value, t.TupleType) else (value,)
        variables = node.declarations
        if variables and len(values) != len(variables):
            self.context.type_error(
                7364, node, f"{len(variables)} variables are declared, but there are {len(values)} values."
            )
        for variable, found in zip(variables, values, strict=False):
            if variable is None or found is None:
                continue
            self.visit(variable)
            expected = self.type_of_variable(variable)
            if not t.is_implicitly_convertible_to(found, expected):
                self._wrong_initial_value(node, found, expected)

    def _wrong_initial_value(
        self, node: nodes.VariableDeclarationStatement, found: t.Type, expected: t.Type
    ) -> None:
        message = (
            f"Type {found.human_readable_name()} cannot be converted implicitly to the variable's type "
            f"{expected.human_readable_name()}"
        )
        mobile = (
            found.mobile_type() if isinstance(found, t.RationalNumberType) and found.is_fractional else None
        )
        if mobile is None:
            self.context.type_error(9574, node, message + self.why_not(found, expected))
        elif mobile == expected:
            self.context.type_error(5107, node, message + "; an explicit conversion is possible.")
        else:
            self.context.type_error(
                4486, node, f"{message}. Convert it to {mobile.human_readable_name()} or explicitly."
            )

    # --- try --------------------------------------------------------------------------------------

    def visit_TryStatement(self, node: nodes.TryStatement) -> None:
        """``try ... catch``."""
        self.visit(node.external_call)
        for clause in node.clauses:
            self.visit_children(clause)
        call = node.external_call
        function = None
        if isinstance(call, nodes.FunctionCall) and self.model.call_kind.get(call.id) == "function_call":
            function = self.type_of(call.expression)
        code = 5347 if function is None else 2536
        if not isinstance(function, t.FunctionType) or function.kind not in (
            "external",
            "creation",
            "delegate_call",
        ):
            self.context.type_error(code, call, '"try" takes an external call or the creation of a contract.')
            return
        self.model.try_calls.add(call.id)
        self._check_success_clause(node.clauses[0], function)
        self._check_catch_clauses(node)

    def _check_success_clause(self, clause: nodes.TryCatchClause, function: t.FunctionType) -> None:
        if clause.parameters is None:
            return
        returned = function.return_types
        if not self.settings.at_least("byzantium"):
            returned = function.return_types_without_dynamic_types()
        parameters = clause.parameters.parameters
        if len(returned) != len(parameters):
            self.context.type_error(
                2800,
                clause,
                f"The function returns {len(returned)} values, the clause declares {len(parameters)} "
                f"variables.",
            )
        for parameter, type_ in zip(parameters, returned, strict=False):
            found = self.type_of_variable(parameter)
            if found != type_:
                self.context.type_error(
                    6509,
                    parameter,
                    f"The returned value has type {type_.human_readable_name()}, the variable "
                    f"{found.human_readable_name()}.",
                )

    def _check_catch_clauses(self, node: nodes.TryStatement) -> None:
        found: dict[str, nodes.TryCatchClause] = {}
        duplicate = {"": 5320, "Error": 1036, "Panic": 6732}
        for clause in node.clauses[1:]:
            name = clause.error_name
            if name not in duplicate:
                self.context.type_error(
                    3542, clause, "Clauses are `catch (...)`, `catch Error(...)` and `catch Panic(...)`."
                )
                continue
            if name in found:
                self.context.type_error(
                    duplicate[name],
                    clause,
                    "The try statement has such a catch clause already.",
                    [("The first one:", found[name].src)],
                )
            found[name] = clause
            self._check_catch_clause(clause)
        self.model.try_clauses[node.id] = CatchKinds(
            node.clauses[0], found.get("Error"), found.get("Panic"), found.get("")
        )

    def _check_catch_clause(self, clause: nodes.TryCatchClause) -> None:
        parameters = clause.parameters.parameters if clause.parameters is not None else ()
        only = self.type_of_variable(parameters[0]) if len(parameters) == 1 else None
        returndata = self.settings.at_least("byzantium")
        old_version = "EVM versions before byzantium have only `catch { ... }`."
        if clause.error_name == "":
            if parameters:
                if only != t.BYTES_MEMORY:
                    self.context.type_error(
                        6231, clause, "This clause is `catch (bytes memory ...) { ... }` or `catch { ... }`."
                    )
                if not returndata:
                    self.context.type_error(9908, clause, old_version)
            return
        if not returndata:
            self.context.type_error(1812, clause, old_version)
        if clause.error_name == "Error":
            if only != t.STRING_MEMORY:
                self.context.type_error(
                    2943, clause, "This clause is `catch Error(string memory ...) { ... }`."
                )
        elif only != t.UINT256:
            self.context.type_error(1271, clause, "This clause is `catch Panic(uint ...) { ... }`.")
