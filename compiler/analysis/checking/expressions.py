"""Checks operators, assignments, tuples, conditionals, literals and names."""

from __future__ import annotations

from smartvm.compiler.analysis import types as t
from smartvm.compiler.analysis.address_checksum import checksummed_address, passes_checksum
from smartvm.compiler.analysis.checking.base import CheckerBase
from smartvm.compiler.analysis.context import Note, symbol_range
from smartvm.compiler.analysis.model import MagicVariable, Symbol
from smartvm.compiler.analysis.type_names import elementary_type, type_of_symbol
from smartvm.compiler.analysis.types import rationals
from smartvm.compiler.ast import nodes
from smartvm.compiler.diagnostics import FatalDiagnostic

USER_DEFINABLE_OPERATORS = frozenset(
    {"|", "&", "^", "~", "+", "-", "*", "/", "%", "==", "!=", "<", ">", "<=", ">="}
)


def function_type_of(symbol: Symbol, internal: bool, declared: t.DeclaredTypes) -> t.FunctionType | None:
    """The function type under which overload resolution sees a declaration; None when it has none of that
    kind."""
    match symbol:
        case MagicVariable():
            return symbol.type if isinstance(symbol.type, t.FunctionType) else None
        case nodes.FunctionDefinition():
            if internal:
                return None if t.visibility_of(symbol) == "external" else t.function_type(symbol, declared)
            return t.function_type(symbol, declared, "external") if t.is_public(symbol) else None
        case nodes.EventDefinition():
            return t.event_type(symbol, declared) if internal else None
        case nodes.ErrorDefinition():
            return t.error_type(symbol, declared) if internal else None
        case nodes.VariableDeclaration():
            return t.getter_type(symbol, declared) if not internal and t.is_public(symbol) else None
    return None


class ExpressionChecks(CheckerBase):
    """Expressions other than calls and member or index accesses."""

    # --- names ------------------------------------------------------------------------------------

    def visit_Identifier(self, node: nodes.Identifier) -> None:
        """A plain name, after overload resolution."""
        model = self.model
        symbol = model.referenced_declaration.get(node.id)
        if symbol is None:
            symbol = self._resolve_overloads(node)
            model.referenced_declaration[node.id] = symbol
        type_ = type_of_symbol(symbol, model)
        lvalue = isinstance(symbol, nodes.VariableDeclaration) and symbol.mutability != "constant"
        if isinstance(symbol, nodes.VariableDeclaration):
            pure = symbol.mutability == "constant"
            if pure:
                model.is_constant.add(node.id)
        elif isinstance(symbol, MagicVariable):
            pure = isinstance(type_, t.FunctionType)
        else:
            pure = isinstance(type_, t.TypeType | t.ModuleType)
        self.note(node, type_, pure, lvalue)
        virtual = isinstance(
            symbol,
            nodes.FunctionDefinition
            | nodes.ModifierDefinition
            | nodes.EventDefinition
            | nodes.ErrorDefinition,
        )
        model.required_lookup[node.id] = "virtual" if virtual else "static"
        if isinstance(symbol, MagicVariable):
            self._check_deprecated(node)

    def _check_deprecated(self, node: nodes.Identifier) -> None:
        match node.name:
            case "sha3":
                self.context.type_error(3557, node, '"sha3" is now called "keccak256".')
            case "suicide":
                self.context.type_error(8050, node, '"suicide" is now called "selfdestruct".')
            case "selfdestruct":
                self.context.warning(
                    5159,
                    node,
                    '"selfdestruct" is deprecated: since the Cancun hard fork it only sends the Ether to the '
                    "beneficiary and keeps code and storage, unless the contract was created in the same "
                    "transaction "
                    "(EIP-6780). Do not use it in new contracts.",
                )
            case "now":
                self.context.type_error(7359, node, '"now" is now written "block.timestamp".')

    def _unique_candidates(self, node: nodes.Identifier) -> list[Symbol]:
        unique: list[Symbol] = []
        seen: list[tuple[t.Type, ...]] = []
        for symbol in self.context.candidates.get(node.id, ()):
            function = function_type_of(symbol, False, self.model) or function_type_of(
                symbol, True, self.model
            )
            if function is None:
                raise self.context.fatal_declaration_error(3893, node, "This function cannot be used here.")
            if function.parameter_types not in seen:
                seen.append(function.parameter_types)
                unique.append(symbol)
        return unique

    def _resolve_overloads(self, node: nodes.Identifier) -> Symbol:
        unique = self._unique_candidates(node)
        self.model.overloaded_declarations[node.id] = tuple(unique)
        if not unique:
            raise self.context.fatal_type_error(7593, node, f'Nothing fits "{node.name}".')
        if len(unique) == 1:
            return unique[0]
        arguments = self.arguments.get(node.id)
        if arguments is None:
            variables = [symbol for symbol in unique if isinstance(symbol, nodes.VariableDeclaration)]
            if not variables:
                raise self.context.fatal_type_error(
                    2144, node, f'"{node.name}" has several meanings and none of them is a variable.'
                )
            if len(variables) > 1:
                raise self.context.fatal_type_error(7589, node, f'"{node.name}" names several variables.')
            return variables[0]
        fitting = []
        for symbol in unique:
            function = function_type_of(symbol, True, self.model)
            if function is not None and t.can_take_arguments(function, arguments.types, arguments.names):
                fitting.append(symbol)
        if len(fitting) == 1:
            return fitting[0]
        notes = [(self._candidate(symbol), symbol_range(symbol)) for symbol in unique]
        raise self._ambiguous(node, bool(fitting), notes)

    def _ambiguous(self, node: nodes.Identifier, several: bool, notes: list[Note]) -> FatalDiagnostic:
        if several:
            return self.context.fatal_type_error(
                4487,
                node,
                f'Several declarations of "{node.name}" take these arguments.',
                notes,
            )
        return self.context.fatal_type_error(
            9322,
            node,
            f'No declaration of "{node.name}" takes these arguments.',
            notes,
        )

    @staticmethod
    def _candidate(symbol: Symbol) -> str:
        if isinstance(symbol, MagicVariable) and isinstance(symbol.type, t.FunctionType):
            parameters = ", ".join(p.human_readable_name() for p in symbol.type.parameter_types)
            return f"Candidate: function {symbol.name}({parameters})"
        return "Candidate:"

    def visit_IdentifierPath(self, node: nodes.IdentifierPath) -> None:
        """A dotted name outside expressions."""
        symbol = self.model.referenced_declaration.get(node.id)
        callable_ = isinstance(
            symbol,
            nodes.FunctionDefinition
            | nodes.ModifierDefinition
            | nodes.EventDefinition
            | nodes.ErrorDefinition,
        )
        virtual = callable_ and len(node.name_parts) == 1
        self.model.required_lookup[node.id] = "virtual" if virtual else "static"

    def visit_ElementaryTypeNameExpression(self, node: nodes.ElementaryTypeNameExpression) -> None:
        """A type name such as ``uint8`` in an expression."""
        name = node.type_name
        type_ = elementary_type(name.name, name.state_mutability == "payable")
        assert type_ is not None
        self.model.type_names[name.id] = type_
        self.note(node, t.TypeType(type_), pure=True)

    # --- literals ---------------------------------------------------------------------------------

    def visit_Literal(self, node: nodes.Literal) -> None:
        """A literal (docs/types/value-types.rst)."""
        if node.kind == "number":
            self._number(node)
        elif node.kind == "bool":
            self.note(node, t.BOOL, pure=True)
        else:
            self.note(node, t.StringLiteralType(node.value or b""), pure=True)

    def _number(self, node: nodes.Literal) -> None:
        digits = node.text.replace("_", "")
        is_hex = digits[:2] == "0x"
        unit = node.sub_denomination
        type_: t.Type | None = None
        if is_hex and not unit and abs(len(digits) - 42) <= 1:
            type_ = t.ADDRESS
            self._check_address(node, digits)
        if is_hex and unit:
            raise self.context.fatal_type_error(
                5145, node, f'Hexadecimal numbers take no unit; write "{node.text} * 1 {unit}".'
            )
        if unit == "years":
            self.context.type_error(4820, node, 'The unit "years" is deprecated.')
        if type_ is None:
            value = rationals.literal_value(node)
            if value is None:
                raise self.context.fatal_type_error(2826, node, "This literal has no valid value.")
            length = len(digits) - 2
            compatible = length // 2 if is_hex and length % 2 == 0 and length // 2 <= 32 else None
            type_ = t.RationalNumberType(value, compatible)
        self.note(node, type_, pure=True)

    def _check_address(self, node: nodes.Literal, digits: str) -> None:
        if len(digits) != 42:
            problem = f"it has {len(digits) - 2} hexadecimal digits instead of 40"
        elif not passes_checksum(digits):
            problem = f'its checksum is wrong; "{checksummed_address(digits)}" would be right'
        else:
            return
        self.context.syntax_error(
            9429,
            node,
            f'This looks like an address, but {problem}. If it is none, write "00" before its digits.',
        )

    # --- operators --------------------------------------------------------------------------------

    def visit_UnaryOperation(self, node: nodes.UnaryOperation) -> None:
        """``! ~ - ++ -- delete``."""
        operator, operand = node.operator, node.sub_expression
        modifying = operator in ("++", "--", "delete")
        if modifying:
            self.require_lvalue(operand, False)
        else:
            self.visit(operand)
        operand_type = self.type_of(operand)
        builtin = t.unary_operator_result(operator, operand_type)
        result = operand_type
        function: t.FunctionType | None = None
        if builtin is not None:
            result = builtin
        else:
            definitions = self.lookup.operator_definitions(
                operand_type, operator, self.definition_scope, True
            )
            if definitions:
                self.model.user_defined_function[node.id] = definitions[0]
                function = t.attached_function_type(definitions[0], self.model)
                if function.return_types:
                    result = function.return_types[0]
            else:
                message = f"The operator {operator} is not defined for {operand_type.human_readable_name()}."
                if operand_type.type_definition() is not None and operator in USER_DEFINABLE_OPERATORS:
                    message += " No user-defined operator fits either."
                if modifying:
                    raise self.context.fatal_type_error(9767, node, message)
                self.context.type_error(4907, node, message)
        pure = not modifying and self.is_pure(operand) and (function is None or function.is_pure_function)
        self.note(node, result, pure)

    def visit_BinaryOperation(self, node: nodes.BinaryOperation) -> None:
        """Arithmetic, comparison, boolean and bit operators."""
        chain = [node]
        while isinstance(chain[-1].left_expression, nodes.BinaryOperation):
            chain.append(chain[-1].left_expression)
        # Long sums nest to the left; a loop keeps Python's stack flat.
        self.visit(chain[-1].left_expression)
        for operation in reversed(chain):
            self.visit(operation.right_expression)
            self._binary(operation)

    def _binary(self, node: nodes.BinaryOperation) -> None:
        operator = node.operator
        left, right = self.type_of(node.left_expression), self.type_of(node.right_expression)
        builtin = t.binary_operator_result(operator, left, right)
        function: t.FunctionType | None = None
        common = left
        if builtin is not None:
            common = builtin
        else:
            definitions = self.lookup.operator_definitions(left, operator, self.definition_scope, False)
            if definitions:
                self.model.user_defined_function[node.id] = definitions[0]
                function = t.attached_function_type(definitions[0], self.model)
            else:
                message = (
                    f"The operator {operator} is not defined for {left.human_readable_name()} and "
                    f"{right.human_readable_name()}."
                )
                if left.type_definition() is not None and operator in USER_DEFINABLE_OPERATORS:
                    message += " No user-defined operator fits either."
                self.context.type_error(2271, node, message)
        self.model.common_type[node.id] = common
        result: t.Type = t.BOOL if operator in t.COMPARISONS else common
        if function is not None:
            if right != function.parameter_types[0]:
                self.context.type_error(
                    5653,
                    node,
                    f"The user-defined operator {operator} takes two operands of type "
                    f"{function.parameter_types[0].human_readable_name()}.",
                )
            if function.return_types:
                result = function.return_types[0]
        pure = (
            self.is_pure(node.left_expression)
            and self.is_pure(node.right_expression)
            and (function is None or function.is_pure_function)
        )
        self.note(node, result, pure)
        self._warn_of_operands(node, left, right, common)

    def _warn_of_operands(
        self, node: nodes.BinaryOperation, left: t.Type, right: t.Type, common: t.Type
    ) -> None:
        if (
            node.operator in ("==", "!=")
            and isinstance(left, t.FunctionType)
            and isinstance(right, t.FunctionType)
            and left.kind == right.kind == "internal"
        ):
            self.context.warning(
                3075,
                node,
                "Comparing internal function pointers can give unexpected results in solc's legacy pipeline "
                "with the "
                "optimizer and will be disallowed in the next breaking release.",
            )
        if isinstance(left, t.ContractType) and node.operator in t.COMPARISONS:
            self.context.warning(
                9170, node, "Comparing contracts is deprecated and will be removed: compare their addresses."
            )
        if (
            node.operator in ("**", "<<")
            and isinstance(common, t.IntegerType)
            and isinstance(right, t.IntegerType)
            and common.bits < right.bits
        ):
            kind = "exponentiation" if node.operator == "**" else "shift"
            self.context.warning(
                3149,
                node,
                f"The result of this {kind} has the type of the first operand, {common.text()}, though the "
                f"second "
                f"operand is wider ({right.text()}). Convert one of them to silence this warning.",
            )

    # --- assignments and tuples -------------------------------------------------------------------

    def _check_assigned(self, type_: t.Type, expression: nodes.Expression) -> None:
        if isinstance(expression, nodes.TupleExpression):
            components = expression.components
            if not components:
                self.context.type_error(5547, expression, "The tuple that is assigned to is empty.")
            listed: tuple[t.Type | None, ...] = (type_,)
            if isinstance(type_, t.TupleType) and len(components) != 1:
                listed = type_.components
            for component, component_type in zip(components, listed, strict=False):
                if component is not None and component_type is not None:
                    self._check_assigned(component_type, component)
        elif type_.nameable and type_.contains_nested_mapping():
            declaration = (
                self.model.referenced_declaration.get(expression.id)
                if isinstance(expression, nodes.Identifier)
                else None
            )
            if not (
                isinstance(declaration, nodes.VariableDeclaration)
                and self.facts.is_local_or_return(declaration)
            ):
                self.context.type_error(
                    9214, expression, "What contains mappings in storage cannot be assigned to as a whole."
                )

    def visit_Assignment(self, node: nodes.Assignment) -> None:
        """``=``, ``+=`` ..."""
        left, right = node.left_hand_side, node.right_hand_side
        self.require_lvalue(left, node.operator == "=")
        type_ = self.type_of(left)
        self.note(node, type_)
        self._check_assigned(type_, left)
        if isinstance(type_, t.TupleType):
            if node.operator != "=":
                self.context.type_error(4289, node, "Tuples have no compound assignment.")
            self.note(node, t.EMPTY_TUPLE)
            self.expect_type(right, type_)
        elif node.operator == "=":
            self.expect_type(right, type_)
        else:
            self.visit(right)
            right_type = self.type_of(right)
            if t.binary_operator_result(node.operator[:-1], type_, right_type) != type_:
                self.context.type_error(
                    7366,
                    node,
                    f"The operator {node.operator} is not defined for {type_.human_readable_name()} and "
                    f"{right_type.human_readable_name()}.",
                )

    def visit_TupleExpression(self, node: nodes.TupleExpression) -> None:
        """``(a, b)``, ``(a)`` or ``[a, b]``."""
        if node.id in self.model.will_be_written_to:
            self._assigned_tuple(node)
            return
        types: list[t.Type] = []
        pure = True
        element: t.Type | None = None
        for position, component in enumerate(node.components):
            if component is None:
                raise self.context.fatal_type_error(8381, node, "A component of the tuple is empty.")
            self.visit(component)
            type_ = self.type_of(component)
            types.append(type_)
            if type_ == t.EMPTY_TUPLE:
                if node.is_inline_array:
                    raise self.context.fatal_type_error(5604, component, "An element of the array is empty.")
                self.context.type_error(6473, component, "A component of the tuple is empty.")
            if (
                isinstance(type_, t.RationalNumberType)
                and len(node.components) > 1
                and type_.mobile_type() is None
            ):
                raise self.context.fatal_type_error(
                    3390, component, "This number has no type that can hold it."
                )
            if node.is_inline_array and (position == 0 or element is not None):
                mobile = type_.mobile_type()
                if mobile is None:
                    raise self.context.fatal_type_error(
                        9563, component, "This value cannot be an array's element."
                    )
                element = mobile if position == 0 else t.common_type(element, type_)
            pure = pure and self.is_pure(component)
        if node.is_inline_array:
            self.note(node, self._inline_array(node, element), pure)
        else:
            self.note(node, types[0] if len(types) == 1 else t.TupleType(tuple(types)), pure)

    def _inline_array(self, node: nodes.TupleExpression, element: t.Type | None) -> t.Type:
        if element is None:
            raise self.context.fatal_type_error(6378, node, "The elements of the array have no common type.")
        if not element.nameable:
            raise self.context.fatal_type_error(
                9656, node, "The elements' common type has no name. Convert the first element explicitly."
            )
        if element.contains_nested_mapping():
            raise self.context.fatal_type_error(
                1545, node, f"Values of type {element.human_readable_name()} exist only in storage."
            )
        return t.ArrayType(element, "memory", len(node.components))

    def _assigned_tuple(self, node: nodes.TupleExpression) -> None:
        if node.is_inline_array:
            raise self.context.fatal_type_error(3025, node, "Inline arrays cannot be assigned to.")
        types: list[t.Type | None] = []
        for component in node.components:
            if component is None:
                types.append(None)
                continue
            self.require_lvalue(component, node.id in self.ordinary_assignment)
            types.append(self.type_of(component))
        only = types[0] if len(types) == 1 else None
        self.note(node, only if only is not None else t.TupleType(tuple(types)), lvalue=True)

    def visit_Conditional(self, node: nodes.Conditional) -> None:
        """``condition ? a : b``."""
        self.expect_type(node.condition, t.BOOL)
        self.visit(node.true_expression)
        self.visit(node.false_expression)
        true_type = self.type_of(node.true_expression).mobile_type()
        false_type = self.type_of(node.false_expression).mobile_type()
        failure: FatalDiagnostic | None = None
        if true_type is None:
            failure = self.context.fatal_type_error(
                9717, node.true_expression, "This value has no type of its own."
            )
        if false_type is None:
            failure = self.context.fatal_type_error(
                3703, node.false_expression, "This value has no type of its own."
            )
        common = false_type if true_type is None else true_type
        if common is None:
            assert failure is not None
            raise failure
        if true_type is not None and false_type is not None:
            shared = t.common_type(true_type, false_type)
            if shared is None:
                self.context.type_error(
                    1080,
                    node,
                    f"The types of the two expressions, {true_type.human_readable_name()} and "
                    f"{false_type.human_readable_name()}, have no common type.",
                )
            else:
                common = shared
        pure = all(self.is_pure(e) for e in (node.condition, node.true_expression, node.false_expression))
        self.model.common_type[node.id] = common
        self.note(node, common, pure)
        if node.id in self.model.will_be_written_to:
            self.context.type_error(2212, node, "A conditional expression cannot be assigned to.")
