"""Warns of common mistakes: unused variables, statements without effect, divisions by zero."""

from __future__ import annotations

from smartvm.compiler.analysis import types as t
from smartvm.compiler.analysis.constant_evaluation import ConstantEvaluator
from smartvm.compiler.analysis.context import AnalysisContext
from smartvm.compiler.analysis.scope_facts import ScopeFacts
from smartvm.compiler.analysis.tree import children, walk
from smartvm.compiler.ast import nodes


class StaticAnalyzer:
    """One walk over each unit."""

    def __init__(self, context: AnalysisContext, constants: ConstantEvaluator) -> None:
        self.context = context
        self.model = context.model
        self.facts = ScopeFacts(context.model)
        self.constants = constants
        self._contract: nodes.ContractDefinition | None = None
        self._function: nodes.FunctionDefinition | None = None
        self._constructor = False
        self._uses: dict[int, tuple[nodes.VariableDeclaration, int]] = {}

    def check_unit(self, unit: nodes.SourceUnit) -> None:
        """Check a unit."""
        for node in unit.nodes:
            self._visit(node)

    def _visit_children(self, node: nodes.Node) -> None:
        for child in children(node):
            self._visit(child)

    def _visit(self, node: nodes.Node) -> None:
        match node:
            case nodes.ImportDirective():
                return
            case nodes.ContractDefinition():
                self._contract = node
                self._visit_children(node)
                self._contract = None
                return
            case nodes.FunctionDefinition():
                self._visit_function(node)
                return
            case nodes.Identifier():
                self._use(self.model.referenced_declaration.get(node.id))
            case nodes.VariableDeclaration():
                self._variable(node)
            case nodes.Return():
                if self._function is not None and node.expression is not None:
                    for variable in self._function.return_parameters.parameters:
                        if variable.name:
                            self._use(variable)
            case nodes.ExpressionStatement():
                if self.model.is_pure.get(node.expression.id, False):
                    self.context.warning(6133, node, "The statement has no effect.")
            case nodes.MemberAccess():
                self._member(node)
            case nodes.InlineAssembly():
                if self._function is not None:
                    for reference in self.model.external_references.get(node.id, {}).values():
                        self._use(reference.declaration)
            case nodes.BinaryOperation():
                self._binary(node)
            case nodes.FunctionCall():
                self._call(node)
            case nodes.Assignment():
                self._assignment(node)
        self._visit_children(node)

    # --- unused variables -------------------------------------------------------------------------

    def _visit_function(self, node: nodes.FunctionDefinition) -> None:
        if node.body is not None:
            self._function = node
        self._constructor = node.kind == "constructor"
        self._uses = {}
        self._visit_children(node)
        if node.body is not None and node.body.statements:
            for _, (variable, count) in sorted(self._uses.items()):
                if count == 0:
                    self._warn_unused(variable)
        self._uses = {}
        self._constructor = False
        self._function = None

    def _warn_unused(self, variable: nodes.VariableDeclaration) -> None:
        if not self.facts.is_callable_or_catch_parameter(variable):
            self.context.warning(2072, variable, f'The local variable "{variable.name}" is not used.')
            return
        in_catch = isinstance(self.model.scope.get(variable.id), nodes.TryCatchClause)
        kind = "try/catch" if in_catch else "function"
        self.context.warning(
            5667,
            variable,
            f'The {kind} parameter "{variable.name}" is not used; without a name it may stand.',
        )

    def _use(self, symbol: object, count: int = 1) -> None:
        if (
            self._function is not None
            and isinstance(symbol, nodes.VariableDeclaration)
            and self.facts.is_local(symbol)
        ):
            _, before = self._uses.get(symbol.id, (symbol, 0))
            self._uses[symbol.id] = (symbol, before + count)

    def _variable(self, node: nodes.VariableDeclaration) -> None:
        if node.name:
            self._use(node, 0)
        if not self.facts.is_state_variable(node) and node.storage_location != "storage":
            return
        type_ = self.model.variable_types.get(node.id)
        if type_ is None or node.type_name is None:
            return
        for part in _decomposition(type_):
            if part.storage_size_upper_bound() >= 1 << 64:
                self.context.warning(
                    7325,
                    node.type_name,
                    f"{part.text(True)} covers so much of storage that collisions become likely. Use "
                    f"mappings, or "
                    "dynamic arrays that grow little in each transaction.",
                )

    # --- members ----------------------------------------------------------------------------------

    def _member(self, node: nodes.MemberAccess) -> None:
        base = self.model.expression_types[node.expression.id]
        name = node.member_name
        if isinstance(base, t.MagicType):
            if base.kind == "message" and name == "gas":
                self.context.type_error(1400, node, '"msg.gas" is now written "gasleft()".')
            elif base.kind == "block" and name == "blockhash":
                self.context.type_error(8113, node, '"block.blockhash()" is now written "blockhash()".')
            elif name == "runtimeCode" and isinstance(base.type_argument, t.ContractType):
                if self._constructor_uses_assembly(base.type_argument.definition):
                    self.context.warning(
                        6417,
                        node,
                        "A constructor of the contract or a base uses assembly, so the deployed code may "
                        "differ from "
                        "this.",
                    )
            elif (
                base.kind == "message"
                and name == "data"
                and self._function is not None
                and self._function.kind == "receive"
            ):
                self.context.type_error(7139, node, 'A receive function has no "msg.data".')
        type_ = self.model.expression_types[node.id]
        if name == "callcode" and isinstance(type_, t.FunctionType) and type_.kind == "bare_call_code":
            self.context.type_error(2256, node, '"callcode" was replaced by "delegatecall".')
        if self._constructor:
            inner: nodes.Expression | None = node.expression
            while isinstance(inner, nodes.TupleExpression) and len(inner.components) == 1:
                inner = inner.components[0]
            if isinstance(inner, nodes.Identifier) and inner.name == "this":
                self.context.warning(
                    5805, inner, '"this" in a constructor: its external functions cannot be called yet.'
                )

    def _constructor_uses_assembly(self, contract: nodes.ContractDefinition) -> bool:
        for base in self.model.linearized_base_contracts(contract):
            constructor = t.constructor_of(base)
            if constructor is not None and any(
                isinstance(n, nodes.InlineAssembly) for n in walk(constructor)
            ):
                return True
        return False

    # --- operations -------------------------------------------------------------------------------

    def _binary(self, node: nodes.BinaryOperation) -> None:
        if node.operator not in ("/", "%") or not self.model.is_pure.get(node.right_expression.id, False):
            return
        if self.constants.evaluate(node.left_expression) is None:
            return
        divisor = self.constants.evaluate(node.right_expression)
        if divisor is not None and divisor.value == 0 and not isinstance(divisor.type, t.StringLiteralType):
            self.context.type_error(
                1211,
                node,
                "Division by zero." if node.operator == "/" else "Remainder of a division by zero.",
            )

    def _call(self, node: nodes.FunctionCall) -> None:
        if self.model.call_kind.get(node.id) != "function_call":
            return
        function = self.model.expression_types[node.expression.id]
        if not isinstance(function, t.FunctionType):
            return
        if function.kind in ("add_mod", "mul_mod") and len(node.arguments) == 3:
            modulus = node.arguments[2]
            if self.model.is_pure.get(modulus.id, False):
                value = self.constants.evaluate(modulus)
                if value is not None and value.value == 0:
                    self.context.type_error(4195, node, "The modulus is zero.")
        if (
            self._contract is not None
            and self._contract.contract_kind == "library"
            and function.kind == "delegate_call"
            and function.declaration is not None
            and self.model.scope.get(function.declaration.id) is self._contract
        ):
            self.context.type_error(
                6700,
                node,
                "A library cannot call its own functions externally.",
                [("The library:", self._contract.src)],
            )

    # --- assignments of tuples --------------------------------------------------------------------

    def _assignment(self, node: nodes.Assignment) -> None:
        left = self.model.expression_types[node.left_hand_side.id]
        right = self.model.expression_types[node.right_hand_side.id]
        if not isinstance(left, t.TupleType) or not isinstance(right, t.TupleType):
            return
        if not isinstance(node.left_hand_side, nodes.TupleExpression):
            return
        counts = {"to_storage": 0, "storage_to_storage": 0, "pushes": 0, "byte_accesses": 0}
        self._count(node.left_hand_side, right, counts)
        if counts["storage_to_storage"] >= 1 and counts["to_storage"] >= 2:
            self.context.warning(
                7238,
                node,
                "This copies to storage twice, without a copy between: one may be overwritten before the "
                "other is "
                "made. Copy in separate statements or through storage pointers.",
            )
        if counts["pushes"] >= 1 and counts["byte_accesses"] >= 2:
            self.context.warning(
                7239,
                node,
                "This grows a bytes array in storage while it accesses it; growing may change its layout "
                "and make "
                "references to its elements invalid. Do it in separate statements.",
            )

    def _count(self, left: nodes.TupleExpression, right: t.TupleType, counts: dict[str, int]) -> None:
        resolved = _without_parentheses(left)
        left_type = self.model.expression_types[left.id]
        if not isinstance(resolved, nodes.TupleExpression) or not isinstance(left_type, t.TupleType):
            return
        if len(left_type.components) != len(right.components):
            return
        for component, type_, value in zip(
            resolved.components, left_type.components, right.components, strict=False
        ):
            if isinstance(type_, t.ArrayType | t.StructType):
                if type_.location == "storage" and not type_.is_pointer:
                    counts["to_storage"] += 1
                    if value is not None and value.data_stored_in("storage"):
                        counts["storage_to_storage"] += 1
            elif isinstance(type_, t.FixedBytesType) and type_.size == 1:
                self._count_byte(_without_parentheses(component), counts)
            elif (
                isinstance(type_, t.TupleType)
                and isinstance(component, nodes.TupleExpression)
                and isinstance(value, t.TupleType)
            ):
                self._count(component, value, counts)

    def _count_byte(self, expression: nodes.Expression | None, counts: dict[str, int]) -> None:
        if isinstance(expression, nodes.FunctionCall):
            function = self.model.expression_types[expression.expression.id]
            if isinstance(function, t.FunctionType) and function.kind == "array_push":
                array = function.self_type
                if isinstance(array, t.ArrayType) and array.is_byte_array and array.location == "storage":
                    counts["byte_accesses"] += 1
                    counts["pushes"] += 1
        elif isinstance(expression, nodes.IndexAccess):
            array = self.model.expression_types[expression.base_expression.id]
            if isinstance(array, t.ArrayType) and array.is_byte_array and array.location == "storage":
                counts["byte_accesses"] += 1


def _without_parentheses(expression: nodes.Expression | None) -> nodes.Expression | None:
    while isinstance(expression, nodes.TupleExpression) and len(expression.components) == 1:
        expression = expression.components[0]
    return expression


def _decomposition(type_: t.Type) -> list[t.Type]:
    """The type and all types inside, each once; nothing for types without parts."""
    if not isinstance(type_, t.ArrayType | t.StructType | t.MappingType):
        return []
    found: list[t.Type] = [type_]
    seen: set[t.Type] = {type_}
    for part in found:
        inner: list[t.Type] = []
        if isinstance(part, t.ArrayType):
            inner = [part.base_type]
        elif isinstance(part, t.MappingType):
            inner = [part.value_type]
        elif isinstance(part, t.StructType):
            inner = list(part.member_types().values())
        for item in inner:
            if item not in seen:
                seen.add(item)
                found.append(item)
    return found
