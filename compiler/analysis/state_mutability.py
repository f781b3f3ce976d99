"""Checks that view functions do not write and pure functions do not read (docs/contracts/functions.rst)."""

from __future__ import annotations

from smartvm.compiler.analysis import types as t
from smartvm.compiler.analysis.context import AnalysisContext
from smartvm.compiler.analysis.model import MagicVariable
from smartvm.compiler.analysis.scope_facts import ScopeFacts
from smartvm.compiler.analysis.tree import children
from smartvm.compiler.ast import nodes
from smartvm.compiler.source import SourceRange
from smartvm.compiler.yul import ast as yul
from smartvm.compiler.yul.dialect import Dialect
from smartvm.compiler.yul.walk import yul_nodes

_ORDER = {"pure": 0, "view": 1, "nonpayable": 2, "payable": 3}
_NAMES = {order: name for name, order in _ORDER.items()}
PURE, VIEW, NONPAYABLE, PAYABLE = 0, 1, 2, 3

_PURE_MESSAGE_MEMBERS = frozenset({"data", "sig"})

#: Areas whose reading or writing shows outside of the call.
_OUTER_AREAS = frozenset({"storage", "transient", "state", "logs", "blocks"})

#: Instructions without side effects that tell about the transaction or block, which pure functions must not
#: know.
_ENVIRONMENT = frozenset(
    [
        "address",
        "selfbalance",
        "balance",
        "origin",
        "gasprice",
        "caller",
        "callvalue",
        "chainid",
        "basefee",
        "blobhash",
        "blobbasefee",
        "gas",
        "extcodesize",
        "extcodecopy",
        "extcodehash",
        "blockhash",
        "coinbase",
        "timestamp",
        "number",
        "difficulty",
        "prevrandao",
        "gaslimit",
        "staticcall",
    ]
)


class MutabilityChecker:
    """Infers what functions and modifiers do and compares it with what they declare."""

    def __init__(self, context: AnalysisContext, dialect: Dialect) -> None:
        self.context = context
        self.model = context.model
        self.facts = ScopeFacts(context.model)
        self.dialect = dialect
        self._function: nodes.FunctionDefinition | None = None
        self._best: tuple[int, SourceRange] = (PURE, SourceRange(-1, -1, -1))
        self._modifiers: dict[int, tuple[int, SourceRange]] = {}

    def check_unit(self, unit: nodes.SourceUnit) -> None:
        """Check all functions of a unit."""
        for node in unit.nodes:
            self._visit(node)

    # --- the walk ---------------------------------------------------------------------------------

    def _visit(self, node: nodes.Node) -> None:
        match node:
            case nodes.ImportDirective():
                return
            case nodes.FunctionDefinition():
                self._visit_function(node)
            case nodes.ModifierDefinition():
                self._visit_modifier(node)
            case nodes.MemberAccess():
                if not self._is_selector_of_this(node):
                    self._visit_children(node)
                self._member(node)
            case nodes.InlineAssembly():
                self._assembly(node)
            case _:
                self._visit_children(node)
                self._after(node)

    def _visit_children(self, node: nodes.Node) -> None:
        for child in children(node):
            self._visit(child)

    def _visit_function(self, node: nodes.FunctionDefinition) -> None:
        self._function = node
        self._best = (PURE, node.src)
        self._visit_children(node)
        self._function = None
        contract = self.model.contract_of.get(node.id)
        virtual = node.virtual or (contract is not None and contract.contract_kind == "interface")
        if (
            self._best[0] < _ORDER[node.state_mutability]
            and node.state_mutability != "payable"
            and node.body is not None
            and node.body.statements
            and node.kind in ("function", "freeFunction")
            and not virtual
        ):
            self.context.warning(2018, node, f'The function can be declared "{_NAMES[self._best[0]]}".')

    def _visit_modifier(self, node: nodes.ModifierDefinition) -> None:
        self._best = (PURE, node.src)
        self._visit_children(node)
        self._modifiers[node.id] = self._best

    def _modifier(self, node: nodes.ModifierDefinition) -> tuple[int, SourceRange]:
        if node.id not in self._modifiers:
            best, function = self._best, self._function
            self._function = None
            self._visit_modifier(node)
            self._best, self._function = best, function
        return self._modifiers[node.id]

    def _after(self, node: nodes.Node) -> None:
        match node:
            case nodes.Identifier():
                self._identifier(node)
            case nodes.FunctionCall():
                if self.model.call_kind.get(node.id) == "function_call":
                    function = self.model.expression_types[node.expression.id]
                    if isinstance(function, t.FunctionType):
                        self._report_call(function.state_mutability, node)
            case nodes.UnaryOperation() | nodes.BinaryOperation():
                operator = self.model.user_defined_function.get(node.id)
                if operator is not None:
                    self._report_call(operator.state_mutability, node)
            case nodes.IndexAccess() | nodes.IndexRangeAccess():
                if isinstance(node, nodes.IndexAccess) and node.index_expression is None:
                    return
                base = self.model.expression_types[node.base_expression.id]
                if base.data_stored_in("storage"):
                    writes = node.id in self.model.will_be_written_to
                    self._report(NONPAYABLE if writes else VIEW, node.src)
            case nodes.ModifierInvocation():
                modifier = self.model.referenced_declaration.get(node.modifier_name.id)
                if isinstance(modifier, nodes.ModifierDefinition):
                    mutability, where = self._modifier(modifier)
                    self._report(mutability, node.src, where)

    # --- what reads and writes --------------------------------------------------------------------

    def _identifier(self, node: nodes.Identifier) -> None:
        declaration = self.model.referenced_declaration.get(node.id)
        mutability = PURE
        if isinstance(declaration, nodes.VariableDeclaration):
            mutability = self._variable(declaration, node.id in self.model.will_be_written_to, True)
        elif isinstance(declaration, MagicVariable) and isinstance(
            declaration.type, t.ContractType | t.IntegerType
        ):
            mutability = VIEW
        self._report(mutability, node.src)

    def _variable(self, variable: nodes.VariableDeclaration, writes: bool, by_name: bool) -> int:
        if by_name and variable.mutability == "immutable":
            value = variable.value
            literal = value is not None and isinstance(
                self.model.expression_types[value.id], t.RationalNumberType
            )
            return PURE if literal else VIEW
        if self.facts.is_state_variable(variable) and variable.mutability != "constant":
            return NONPAYABLE if writes else VIEW
        return PURE

    def _is_selector_of_this(self, node: nodes.MemberAccess) -> bool:
        inner = node.expression
        return (
            node.member_name == "selector"
            and isinstance(self.model.expression_types[inner.id], t.FunctionType)
            and isinstance(inner, nodes.MemberAccess)
            and isinstance(inner.expression, nodes.Identifier)
            and inner.expression.name == "this"
        )

    def _member(self, node: nodes.MemberAccess) -> None:
        base = self.model.expression_types[node.expression.id]
        writes = node.id in self.model.will_be_written_to
        name = node.member_name
        mutability = PURE
        match base:
            case t.AddressType():
                if name in ("balance", "code", "codehash"):
                    mutability = VIEW
            case t.MagicType(kind="message"):
                mutability = PAYABLE if name == "value" else PURE if name in _PURE_MESSAGE_MEMBERS else VIEW
            case t.MagicType(kind="block" | "transaction"):
                mutability = VIEW
            case t.StructType():
                if base.location == "storage":
                    mutability = NONPAYABLE if writes else VIEW
            case t.ArrayType():
                if name == "length" and base.length is None and base.location == "storage":
                    mutability = VIEW
            case t.MagicType():
                mutability = PURE
            case _:
                declaration = self.model.referenced_declaration.get(node.id)
                if isinstance(declaration, nodes.VariableDeclaration):
                    mutability = self._variable(declaration, writes, False)
        self._report(mutability, node.src)

    def _assembly(self, node: nodes.InlineAssembly) -> None:
        for part in yul_nodes(node.operations):
            if not isinstance(part, yul.FunctionCall):
                continue
            builtin = self.dialect.find(part.name)
            if builtin is None:
                continue
            if builtin.effects.writes & _OUTER_AREAS:
                self._report(NONPAYABLE, part.source)
            elif builtin.effects.reads & _OUTER_AREAS or part.name in _ENVIRONMENT:
                self._report(VIEW, part.source)

    # --- reports ----------------------------------------------------------------------------------

    def _report_call(self, mutability: str, node: nodes.Node) -> None:
        self._report(min(_ORDER[mutability], NONPAYABLE), node.src)

    def _report(self, mutability: int, where: SourceRange, nested: SourceRange | None = None) -> None:
        if mutability > self._best[0]:
            self._best = (mutability, where)
        function = self._function
        if function is None or mutability <= _ORDER[function.state_mutability]:
            return
        if mutability == VIEW or (mutability == PAYABLE and function.state_mutability == "pure"):
            self.context.type_error(
                2527,
                where,
                'This reads the state or the environment: the function has to be "view", not "pure".',
            )
        elif mutability == NONPAYABLE:
            self.context.type_error(
                8961,
                where,
                f"This may modify the state, so the function cannot be {function.state_mutability}.",
            )
        elif (function.kind == "constructor" or t.is_public(function)) and not t.is_library_function(
            function, self.model
        ):
            self._report_value(function, where, nested)

    def _report_value(
        self, function: nodes.FunctionDefinition, where: SourceRange, nested: SourceRange | None
    ) -> None:
        what = "constructor" if function.kind == "constructor" else "function"
        hint = "" if what == "constructor" else " or internal"
        if nested is None:
            self.context.type_error(
                5887, where, f'This uses "msg.value": the {what} has to be payable{hint}.'
            )
        else:
            self.context.type_error(
                4006,
                where,
                f'The modifier uses "msg.value": the {what} has to be payable{hint}.',
                [("It is used here:", nested)],
            )
