"""Checks that need the types of everything: constants defined by themselves, modifiers, events and errors out
of place, immutables written to."""

from __future__ import annotations

from smartvm.compiler.analysis import types as t
from smartvm.compiler.analysis.context import AnalysisContext
from smartvm.compiler.analysis.scope_facts import ScopeFacts
from smartvm.compiler.analysis.tree import children
from smartvm.compiler.analysis.type_names import type_of_symbol
from smartvm.compiler.ast import nodes


class PostTypeChecker:
    """One walk over each unit, and what is known at the end."""

    def __init__(self, context: AnalysisContext) -> None:
        self.context = context
        self.model = context.model
        self.facts = ScopeFacts(context.model)
        self._constants: dict[int, nodes.VariableDeclaration] = {}
        self._needs: dict[int, dict[int, nodes.VariableDeclaration]] = {}
        self._constant: nodes.VariableDeclaration | None = None
        self._in_modifier_invocation = False
        self._in_require = False
        self._statement: nodes.Statement | None = None
        self._interface = False
        self._struct_depth = 0

    def check_unit(self, unit: nodes.SourceUnit) -> None:
        """Check a unit."""
        for node in unit.nodes:
            self._visit(node)

    def finish(self) -> None:
        """Report constants that are defined by themselves."""
        for constant in self._constants.values():
            cycle = self._cycle(constant)
            if cycle is not None:
                self.context.type_error(
                    6161,
                    constant,
                    f'The value of "{constant.name}" depends on itself through "{cycle.name}".',
                )

    def _cycle(self, start: nodes.VariableDeclaration) -> nodes.VariableDeclaration | None:
        open_: set[int] = set()
        done: set[int] = set()

        def search(variable: nodes.VariableDeclaration, depth: int) -> nodes.VariableDeclaration | None:
            if depth >= 256:
                raise self.context.fatal_declaration_error(
                    7380, variable, "The constants depend too deeply on others."
                )
            if variable.id in open_:
                return variable
            if variable.id in done:
                return None
            open_.add(variable.id)
            for key in sorted(self._needs.get(variable.id, {})):
                following = self._needs[variable.id][key]
                found = search(following, depth + 1)
                if found is not None:
                    return following if variable is start else found
            open_.discard(variable.id)
            done.add(variable.id)
            return None

        return search(start, 1)

    # --- the walk ---------------------------------------------------------------------------------

    def _visit(self, node: nodes.Node) -> None:
        match node:
            case nodes.ImportDirective():
                return
            case nodes.ContractDefinition():
                self._interface = node.contract_kind == "interface"
                self._visit_children(node)
                self._interface = False
            case nodes.StructDefinition():
                self._struct_depth += 1
                self._visit_children(node)
                self._struct_depth -= 1
            case nodes.VariableDeclaration():
                self._variable(node)
            case nodes.OverrideSpecifier():
                self._override(node)
            case nodes.ModifierInvocation():
                self._in_modifier_invocation = True
                self._visit_children(node)
                self._in_modifier_invocation = False
            case nodes.EmitStatement() | nodes.RevertStatement():
                self._statement = node
                self._visit_children(node)
                self._statement = None
            case nodes.FunctionCall():
                self._call(node)
            case nodes.Identifier():
                self._identifier(node)
            case nodes.MemberAccess():
                self._note_constant(node)
                self._visit_children(node)
            case nodes.ErrorDefinition():
                self._visit_children(node)
                self._error(node)
            case _:
                self._visit_children(node)

    def _visit_children(self, node: nodes.Node) -> None:
        for child in children(node):
            self._visit(child)

    def _variable(self, node: nodes.VariableDeclaration) -> None:
        if self._interface and not self._struct_depth and not self.facts.is_callable_or_catch_parameter(node):
            self.context.type_error(8274, node, "Interfaces have no variables.")
        if node.mutability == "constant":
            self._constants[node.id] = node
            self._constant = node
            self._visit_children(node)
            self._constant = None
        else:
            self._visit_children(node)

    def _note_constant(self, node: nodes.Expression) -> None:
        if self._constant is None:
            return
        other = self.model.referenced_declaration.get(node.id)
        if isinstance(other, nodes.VariableDeclaration) and other.mutability == "constant":
            self._needs.setdefault(self._constant.id, {})[other.id] = other

    def _identifier(self, node: nodes.Identifier) -> None:
        self._note_constant(node)
        if not self._in_modifier_invocation and isinstance(
            self.model.expression_types.get(node.id), t.ModifierType
        ):
            self.context.type_error(3112, node, "Modifiers stand only in the headers of functions.")

    def _override(self, node: nodes.OverrideSpecifier) -> None:
        for path in node.overrides:
            symbol = self.model.referenced_declaration[path.id]
            if isinstance(symbol, nodes.ContractDefinition):
                continue
            found = type_of_symbol(symbol, self.model)
            shown = found.actual_type if isinstance(found, t.TypeType) else found
            self.context.type_error(9301, path, f"A contract is expected here, not {shown.text(True)}.")

    def _call(self, node: nodes.FunctionCall) -> None:
        kind = None
        if self.model.call_kind.get(node.id) == "function_call":
            function = self.model.expression_types[node.expression.id]
            if isinstance(function, t.FunctionType):
                kind = function.kind
        if kind == "event" and not isinstance(self._statement, nodes.EmitStatement):
            self.context.type_error(3132, node, 'Events are emitted with "emit".')
        elif (
            kind == "error"
            and not isinstance(self._statement, nodes.RevertStatement)
            and not self._in_require
        ):
            self.context.type_error(
                7757, node, 'Errors stand in "revert MyError(...);" and "require(condition, MyError(...))".'
            )
        self._statement = None
        if kind == "require":
            before, self._in_require = self._in_require, True
            self._visit_children(node)
            self._in_require = before
        else:
            self._visit_children(node)

    def _error(self, node: nodes.ErrorDefinition) -> None:
        if node.name in ("Error", "Panic"):
            self.context.syntax_error(1855, node, f'"{node.name}" is a builtin error and cannot be defined.')
            return
        selector = t.error_type(node, self.model).selector()
        if selector in (0, 0xFFFFFFFF):
            self.context.syntax_error(
                2855, node, f"The error's selector, {selector:#010x}, is reserved: give it another name."
            )


def check_immutables(context: AnalysisContext, order: list[nodes.SourceUnit]) -> None:
    """Report assignments to immutables outside constructors (solc 1581)."""
    model = context.model
    written: dict[int, list[nodes.Node]] = {}
    for node_id in sorted(model.will_be_written_to):
        variable = model.referenced_declaration.get(node_id)
        if isinstance(variable, nodes.VariableDeclaration) and variable.mutability == "immutable":
            member = _enclosing_member(node_id, context)
            if member is not None:
                written.setdefault(member.id, []).append(model.node_by_id[node_id])
    if not written:
        return
    for unit in order:
        for contract in unit.nodes:
            if not isinstance(contract, nodes.ContractDefinition):
                continue
            for base in reversed(model.linearized_base_contracts(contract)):
                for member in base.nodes:
                    for node in written.get(member.id, ()):
                        context.type_error(
                            1581,
                            node,
                            "Immutables are assigned where they are declared or in the constructor, not "
                            "here.",
                        )


def _enclosing_member(node_id: int, context: AnalysisContext) -> nodes.Node | None:
    """The function or modifier in which an expression stands; None in constructors and outside of both."""
    node = context.model.parent.get(node_id)
    while node is not None:
        if isinstance(node, nodes.FunctionDefinition):
            return None if node.kind == "constructor" else node
        if isinstance(node, nodes.ModifierDefinition):
            return node
        node = context.model.parent.get(node.id)
    return None
