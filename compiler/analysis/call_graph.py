"""What the code of a contract reaches: functions, events, errors, and contracts that it creates."""

from __future__ import annotations

from smartvm.compiler.analysis import types as t
from smartvm.compiler.analysis.model import SemanticModel
from smartvm.compiler.analysis.tree import walk
from smartvm.compiler.analysis.virtual_lookup import (
    resolve_virtual_function,
    resolve_virtual_modifier,
    super_contract,
)
from smartvm.compiler.ast import nodes
from smartvm.records import dataclass, field

_Callable = nodes.FunctionDefinition | nodes.ModifierDefinition


@dataclass
class CallGraph:
    """What was found reachable. ``dispatched`` are functions used as values, which any internal call may
    reach."""

    events: dict[int, nodes.EventDefinition] = field(default_factory=dict)
    errors: dict[int, nodes.ErrorDefinition] = field(default_factory=dict)
    #: contract whose code is needed -> the expression that needs it
    dependencies: dict[int, tuple[nodes.ContractDefinition, nodes.Expression]] = field(default_factory=dict)
    functions: dict[int, _Callable] = field(default_factory=dict)
    dispatched: dict[int, _Callable] = field(default_factory=dict)


_RELEVANT = (
    nodes.Identifier, nodes.MemberAccess, nodes.FunctionCall, nodes.EmitStatement, nodes.ModifierInvocation,
    nodes.NewExpression,
)  # fmt: skip


class RelevantNodes:
    """What of a callable matters for call graphs; found once for all contracts."""

    def __init__(self, model: SemanticModel) -> None:
        self.model = model
        self._known: dict[int, list[nodes.Node]] = {}

    def of(self, root: nodes.Node) -> list[nodes.Node]:
        """The nodes below ``root`` that may reach something."""
        known = self._known.get(root.id)
        if known is None:
            known = self._known[root.id] = [node for node in walk(root) if self._matters(node)]
        return known

    def _matters(self, node: nodes.Node) -> bool:
        if isinstance(node, nodes.Identifier):
            declaration = self.model.referenced_declaration.get(node.id)
            if isinstance(declaration, nodes.VariableDeclaration):
                return declaration.mutability == "constant"
            return isinstance(declaration, nodes.FunctionDefinition)
        if isinstance(node, nodes.FunctionCall):
            function = self.model.expression_types.get(node.expression.id)
            return isinstance(function, t.FunctionType) and function.kind == "error"
        if isinstance(node, nodes.UnaryOperation | nodes.BinaryOperation):
            return node.id in self.model.user_defined_function
        return isinstance(node, _RELEVANT)


class CallGraphBuilder:
    """Builds the graphs of creation and deployed code of one contract."""

    def __init__(
        self, contract: nodes.ContractDefinition, model: SemanticModel, relevant: RelevantNodes
    ) -> None:
        self.contract = contract
        self.model = model
        self.relevant = relevant
        self.graph = CallGraph()
        self._waiting: list[_Callable] = []

    def creation(self) -> CallGraph:
        """What constructors and initial values reach."""
        for base in reversed(self.model.linearized_base_contracts(self.contract)):
            for node in base.nodes:
                if isinstance(node, nodes.VariableDeclaration) and node.mutability != "constant":
                    self._visit(node)
            constructor = t.constructor_of(base)
            if constructor is not None:
                self._reach(constructor)
            for specifier in base.base_contracts:
                self._visit(specifier)
        self._finish()
        return self.graph

    def deployed(self, creation: CallGraph) -> CallGraph:
        """What the functions of the interface reach, and those that creation stored as values."""
        for _, function in t.interface_functions(self.contract, self.model):
            if isinstance(function.declaration, nodes.FunctionDefinition):
                self._reach(function.declaration)
        for kind in ("fallback", "receive"):
            found = _first_of_kind(self.contract, kind, self.model)
            if found is not None:
                self._reach(found)
        for callable_ in creation.dispatched.values():
            self._reach(callable_, directly=False)
        self._finish()
        return self.graph

    def _reach(self, callable_: _Callable, directly: bool = True) -> None:
        if not directly:
            self.graph.dispatched[callable_.id] = callable_
        if callable_.id not in self.graph.functions:
            self.graph.functions[callable_.id] = callable_
            self._waiting.append(callable_)

    def _finish(self) -> None:
        while self._waiting:
            self._visit(self._waiting.pop(0))

    def _visit(self, root: nodes.Node) -> None:
        for node in self.relevant.of(root):
            match node:
                case nodes.Identifier():
                    self._identifier(node)
                case nodes.MemberAccess():
                    self._member(node)
                case nodes.FunctionCall():
                    if self.model.call_kind.get(node.id) == "function_call":
                        function = self.model.expression_types[node.expression.id]
                        if (
                            isinstance(function, t.FunctionType)
                            and function.kind == "error"
                            and isinstance(function.declaration, nodes.ErrorDefinition)
                        ):
                            self.graph.errors[function.declaration.id] = function.declaration
                case nodes.EmitStatement():
                    event = self.model.expression_types[node.event_call.expression.id]
                    if isinstance(event, t.FunctionType) and isinstance(
                        event.declaration, nodes.EventDefinition
                    ):
                        self.graph.events[event.declaration.id] = event.declaration
                case nodes.UnaryOperation() | nodes.BinaryOperation():
                    operator = self.model.user_defined_function.get(node.id)
                    if operator is not None:
                        self._reach(operator)
                case nodes.ModifierInvocation():
                    modifier = self.model.referenced_declaration.get(node.modifier_name.id)
                    if isinstance(modifier, nodes.ModifierDefinition):
                        if self.model.required_lookup.get(node.modifier_name.id) == "virtual":
                            modifier = resolve_virtual_modifier(modifier, self.contract, self.model)
                        self._reach(modifier)
                case nodes.NewExpression():
                    type_ = self.model.type_names.get(node.type_name.id)
                    if isinstance(type_, t.ContractType):
                        self.graph.dependencies.setdefault(type_.definition.id, (type_.definition, node))

    def _identifier(self, node: nodes.Identifier) -> None:
        declaration = self.model.referenced_declaration.get(node.id)
        if isinstance(declaration, nodes.VariableDeclaration):
            if declaration.mutability == "constant" and declaration.value is not None:
                self._visit(declaration.value)
        elif isinstance(declaration, nodes.FunctionDefinition):
            type_ = self.model.expression_types.get(node.id)
            if isinstance(type_, t.FunctionType) and type_.kind == "internal":
                target = resolve_virtual_function(declaration, self.contract, self.model)
                self._reach(target, node.id in self.model.called_directly)

    def _member(self, node: nodes.MemberAccess) -> None:
        base = self.model.expression_types.get(node.expression.id)
        if (
            isinstance(base, t.MagicType)
            and isinstance(base.type_argument, t.ContractType)
            and node.member_name in ("creationCode", "runtimeCode")
        ):
            definition = base.type_argument.definition
            self.graph.dependencies.setdefault(definition.id, (definition, node))
        declaration = self.model.referenced_declaration.get(node.id)
        type_ = self.model.expression_types.get(node.id)
        if not isinstance(declaration, nodes.FunctionDefinition) or not isinstance(type_, t.FunctionType):
            return
        if type_.kind != "internal":
            return
        target = declaration
        if (
            self.model.required_lookup.get(node.id) == "super"
            and isinstance(base, t.TypeType)
            and isinstance(base.actual_type, t.ContractType)
        ):
            start = super_contract(base.actual_type.definition, self.contract, self.model)
            if start is not None:
                target = resolve_virtual_function(declaration, self.contract, self.model, start)
        self._reach(target, node.id in self.model.called_directly)


def _first_of_kind(
    contract: nodes.ContractDefinition, kind: str, model: SemanticModel
) -> nodes.FunctionDefinition | None:
    for base in model.linearized_base_contracts(contract):
        for node in base.nodes:
            if isinstance(node, nodes.FunctionDefinition) and node.kind == kind:
                return node
    return None
