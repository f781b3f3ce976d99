"""Resolves names to declarations, contract by contract, and linearises the bases on the way."""

from __future__ import annotations

from collections.abc import Sequence

from smartvm.compiler.analysis import types as t
from smartvm.compiler.analysis.context import AnalysisContext, symbol_range
from smartvm.compiler.analysis.linearization import merge
from smartvm.compiler.analysis.magic import super_of, this_of
from smartvm.compiler.analysis.model import Symbol
from smartvm.compiler.analysis.registration import ScopeTable
from smartvm.compiler.analysis.scopes import Scope
from smartvm.compiler.analysis.tree import children
from smartvm.compiler.analysis.yul_names import function_name_ranges, name_ranges
from smartvm.compiler.ast import nodes
from smartvm.compiler.diagnostics import FatalDiagnostic
from smartvm.compiler.source import SourceRange
from smartvm.compiler.yul import ast as yul
from smartvm.records import dataclass, field

SUFFIXES = ("slot", "offset", "length", "address", "selector")


@dataclass
class AssemblyNames:
    """What the names that an assembly block uses mean outside of it, at its place."""

    found: dict[str, tuple[Symbol, str]] = field(default_factory=dict)


class ReferenceResolver:
    """Fills ``referenced_declaration`` for names; identifiers with several meanings become candidates."""

    def __init__(self, context: AnalysisContext, scopes: ScopeTable) -> None:
        self.context = context
        self.model = context.model
        self.scopes = scopes
        self.scope: Scope = scopes.root
        self.assembly_names: dict[int, AssemblyNames] = {}
        self._functions: list[nodes.FunctionDefinition | None] = []
        self._inside_code = True

    # --- units and contracts ----------------------------------------------------------------------

    def resolve_unit(self, unit: nodes.SourceUnit) -> bool:
        """Resolve all names of a unit; False (after reporting) ends the analysis."""
        try:
            for node in unit.nodes:
                self.scope = self.scopes.by_node[unit.id]
                errors = self.context.error_count
                if isinstance(node, nodes.ContractDefinition):
                    if not self._resolve_contract(node, unit):
                        return False
                else:
                    self._resolve_part(node, True)
                    if self.context.error_count != errors:
                        return False
        except FatalDiagnostic:
            return False
        return True

    def _resolve_part(self, node: nodes.Node, inside_code: bool) -> bool:
        errors = self.context.error_count
        scope = self.scopes.by_node.get(node.id)
        if scope is not None and not isinstance(node, nodes.ImportDirective):
            self.scope = scope
        self._inside_code = inside_code
        self._visit(node)
        return self.context.error_count == errors

    def _resolve_contract(self, contract: nodes.ContractDefinition, unit: nodes.SourceUnit) -> bool:
        unit_scope = self.scopes.by_node[unit.id]
        this = this_of(contract, self.model)
        super_ = None if contract.contract_kind == "library" else super_of(contract, self.model)
        self.scopes.enter_contract(this, super_)
        success = True
        for base in contract.base_contracts:
            self.scope = unit_scope
            success = self._resolve_part(base, True) and success
        own_scope = self.scopes.by_node[contract.id]
        self.scope = own_scope
        if success:
            self._linearize(contract)
            for base_contract in self.model.linearized_bases[contract.id][1:]:
                self._import_inherited(base_contract, own_scope)
        if contract.storage_layout is not None:
            self.scope = unit_scope
            success = self._resolve_part(contract.storage_layout, True) and success
        for node in contract.nodes:
            self.scope = own_scope
            success = self._resolve_part(node, False) and success
        if not success:
            return False
        for node in contract.nodes:
            body = getattr(node, "body", None)
            if body is not None:
                self.scope = self.scopes.by_node[node.id]
                self._inside_code = True
                errors = self.context.error_count
                self._functions.append(node if isinstance(node, nodes.FunctionDefinition) else None)
                self._visit(body)
                self._functions.pop()
                success = success and self.context.error_count == errors
        self.scopes.leave_contract()
        return success

    def _linearize(self, contract: nodes.ContractDefinition) -> None:
        direct: list[nodes.ContractDefinition] = []
        sequences: list[list[nodes.ContractDefinition]] = []
        for specifier in contract.base_contracts:
            name = specifier.base_name
            base = self.model.referenced_declaration.get(name.id)
            if not isinstance(base, nodes.ContractDefinition):
                raise self.context.fatal_type_error(8758, name, f'"{name.name}" is not a contract.')
            direct.insert(0, base)
            bases = self.model.linearized_bases.get(base.id)
            if not bases:
                raise self.context.fatal_type_error(
                    2449,
                    name,
                    f'The base "{name.name}" has to be defined before the contract that derives from it.',
                )
            sequences.insert(0, list(bases))
        order = merge([*sequences, [contract, *direct]])
        if not order:
            raise self.context.fatal_type_error(
                5005, contract, f'The bases of "{contract.name}" cannot be put into one order of inheritance.'
            )
        self.model.linearized_bases[contract.id] = tuple(order)

    def _import_inherited(self, base: nodes.ContractDefinition, target: Scope) -> None:
        for symbols in list(self.scopes.by_node[base.id].declarations.values()):
            for symbol in symbols:
                if self.model.scope.get(symbol.id) is not base or not isinstance(symbol, nodes.Declaration):
                    continue
                if not t.is_visible_in_derived_contracts(symbol) or target.register(symbol, self.model):
                    continue
                other = target.conflicting(symbol)
                if isinstance(symbol, nodes.ModifierDefinition) and isinstance(
                    other, nodes.ModifierDefinition
                ):
                    continue
                if (
                    isinstance(other, nodes.VariableDeclaration)
                    and isinstance(symbol, nodes.FunctionDefinition)
                    and other.state_variable
                    and t.is_public(other)
                ):
                    continue
                first, second = symbol.src, symbol_range(other) if other is not None else symbol.src
                if first.start >= second.start:
                    first, second = second, first
                self.context.declaration_error(
                    9097, second, f'"{symbol.name}" is already declared.', [("Declared before here:", first)]
                )

    # --- nodes ------------------------------------------------------------------------------------

    def _visit(self, node: nodes.Node) -> None:
        match node:
            case nodes.Identifier():
                self._identifier(node)
            case nodes.IdentifierPath():
                self._path(node)
            case nodes.Block() | nodes.TryCatchClause() | nodes.ForStatement():
                if not self._inside_code:
                    return
                outer = self.scope
                self.scope = self.scopes.by_node[node.id]
                for child in children(node):
                    self._visit(child)
                self.scope = outer
            case nodes.VariableDeclarationStatement():
                for child in children(node):
                    self._visit(child)
                for variable in node.declarations:
                    if variable is not None:
                        self.scope.activate(variable.name)
            case nodes.FunctionDefinition() | nodes.ModifierDefinition():
                self._functions.append(node if isinstance(node, nodes.FunctionDefinition) else None)
                for child in children(node):
                    self._visit(child)
                self._functions.pop()
            case nodes.UsingForDirective():
                self._using(node)
            case nodes.InlineAssembly():
                self._assembly(node)
            case nodes.Return():
                function = self._functions[-1] if self._functions else None
                self.model.function_return_parameters[node.id] = (
                    function.return_parameters if function is not None else None
                )
                if node.expression is not None:
                    self._visit(node.expression)
            case _:
                for child in children(node):
                    self._visit(child)

    def _identifier(self, node: nodes.Identifier) -> None:
        found = self.scope.resolve(node.name, self.model, recursive=True)
        if len(found) == 1:
            self.model.referenced_declaration[node.id] = found[0]
        elif found:
            self.context.candidates[node.id] = tuple(found)
        else:
            message = f'"{node.name}" is not declared.'
            similar = self.scope.similar_names(node.name)
            if similar == [node.name]:
                message = f'"{node.name}" is not, or not yet, visible here.'
            elif similar:
                message += f" Did you mean {_alternatives(similar)}?"
            self.context.declaration_error(7576, node, message)

    def _resolve_path(self, parts: Sequence[str], also_invisible: bool = False) -> tuple[Symbol, ...]:
        candidates = self.scope.resolve(
            parts[0], self.model, recursive=True, also_invisible=also_invisible, only_unqualified=True
        )
        result: list[Symbol] = []
        for part in parts[1:]:
            if len(candidates) != 1:
                break
            inner = self.scopes.by_node.get(candidates[0].id)
            if inner is None:
                return ()
            result.append(candidates[0])
            candidates = inner.resolve(part, self.model, also_invisible=also_invisible)
        if len(candidates) != 1:
            return ()
        return (*result, candidates[0])

    def _path(self, node: nodes.IdentifierPath) -> None:
        found = self._resolve_path(node.name_parts)
        if not found:
            raise self.context.fatal_declaration_error(
                7920, node, f'"{node.name}" is not found or not unique.'
            )
        self.model.referenced_declaration[node.id] = found[-1]
        self.model.path_declarations[node.id] = found

    def _using(self, node: nodes.UsingForDirective) -> None:
        for function in node.functions:
            path = function.path
            found = self._resolve_path(path.name_parts, also_invisible=True)
            if not found:
                kind = "a function, or not unique" if node.uses_braces else "a library"
                raise self.context.fatal_declaration_error(
                    9589, path, f'"{path.name}" is not the name of {kind}.'
                )
            self.model.referenced_declaration[path.id] = found[-1]
            self.model.path_declarations[path.id] = found
        if node.type_name is not None:
            self._visit(node.type_name)

    def path_from(self, node: nodes.Node, parts: Sequence[str]) -> Symbol | None:
        """What a dotted name means in the scope in which ``node`` stands."""
        scope_node: nodes.Node | None = node
        while scope_node is not None and scope_node.id not in self.scopes.by_node:
            scope_node = self.model.parent.get(scope_node.id)
        if scope_node is None:
            return None
        previous, self.scope = self.scope, self.scopes.by_node[scope_node.id]
        found = self._resolve_path(parts)
        self.scope = previous
        return found[-1] if found else None

    # --- inline assembly --------------------------------------------------------------------------

    def _assembly(self, node: nodes.InlineAssembly) -> None:
        names = self.assembly_names[node.id] = AssemblyNames()
        self._yul_names = names
        self._yul_block(node.operations, False)

    def _yul_block(self, block: yul.Block, inside_function: bool) -> None:
        for statement in block.statements:
            self._yul_statement(statement, inside_function)

    def _yul_statement(self, statement: yul.Statement, inside_function: bool) -> None:
        match statement:
            case yul.ExpressionStatement(expression):
                self._yul_expression(expression, inside_function)
            case yul.VariableDeclaration(names, value, source):
                for name, place in zip(names, self._name_ranges(names, source), strict=True):
                    self._check_yul_name(name, place)
                    hidden = self.scope.resolve(name, self.model, recursive=True)
                    if hidden:
                        notes = [("The hidden declaration:", symbol_range(s)) for s in hidden]
                        self.context.declaration_error(
                            3859,
                            place,
                            f'"{name}" hides a declaration from outside the assembly block.',
                            notes,
                        )
                if value is not None:
                    self._yul_expression(value, inside_function)
            case yul.Assignment(names, value, source):
                for name, place in zip(names, self._name_ranges(names, source), strict=True):
                    self._yul_identifier(name, place, inside_function)
                self._yul_expression(value, inside_function)
            case yul.Block():
                self._yul_block(statement, inside_function)
            case yul.FunctionDefinition():
                places = function_name_ranges(statement, self.model.source_text(statement.source.file))
                places[0] = statement.source
                declared = (statement.name, *statement.parameters, *statement.returns)
                for name, place in zip(declared, places, strict=True):
                    self._check_yul_name(name, place)
                self._yul_block(statement.body, True)
            case yul.If(condition, body):
                self._yul_expression(condition, inside_function)
                self._yul_block(body, inside_function)
            case yul.Switch(expression, cases):
                self._yul_expression(expression, inside_function)
                for case in cases:
                    self._yul_block(case.body, inside_function)
            case yul.ForLoop(pre, condition, post, body):
                self._yul_block(pre, inside_function)
                self._yul_expression(condition, inside_function)
                self._yul_block(body, inside_function)
                self._yul_block(post, inside_function)

    def _name_ranges(self, names: tuple[str, ...], source: SourceRange) -> list[SourceRange]:
        return name_ranges(names, source, self.model.source_text(source.file))

    def _yul_expression(self, expression: yul.Expression, inside_function: bool) -> None:
        if isinstance(expression, yul.FunctionCall):
            for argument in expression.arguments:
                self._yul_expression(argument, inside_function)
        elif isinstance(expression, yul.Identifier):
            self._yul_identifier(expression.name, expression.source, inside_function)

    def _yul_identifier(self, name: str, place: SourceRange, inside_function: bool) -> None:
        suffix = next((s for s in SUFFIXES if name.endswith("." + s)), "")
        found = self.scope.resolve(name, self.model, recursive=True)
        if suffix:
            if found:
                return
            found = self.scope.resolve(name[: -len(suffix) - 1], self.model, recursive=True)
        if len(found) > 1:
            self.context.declaration_error(
                4718, place, f'"{name}" has several meanings; overloads are not resolved in inline assembly.'
            )
            return
        if not found:
            if name.endswith(("_slot", "_offset")):
                self.context.declaration_error(
                    9467,
                    place,
                    f'"{name}" is not found. Storage variables are accessed with ".slot" and ".offset".',
                )
            return
        symbol = found[0]
        if inside_function and isinstance(symbol, nodes.VariableDeclaration) and self._is_local(symbol):
            self.context.declaration_error(
                6578,
                place,
                f'"{name}" is a local Solidity variable; functions in assembly cannot access these.',
            )
            return
        self._yul_names.found[name] = (symbol, suffix)

    def _is_local(self, variable: nodes.VariableDeclaration) -> bool:
        scope = self.model.scope.get(variable.id)
        return not isinstance(
            scope, nodes.SourceUnit | nodes.ContractDefinition | nodes.StructDefinition | nodes.EnumDefinition
        )

    def _check_yul_name(self, name: str, place: SourceRange) -> None:
        if "." in name:
            self.context.declaration_error(
                3927, place, f'"{name}": names defined in inline assembly have no dots.'
            )
        if name in ("this", "super", "_"):
            self.context.declaration_error(4113, place, f'"{name}" is a reserved name.')


def _alternatives(names: list[str]) -> str:
    quoted = [f'"{name}"' for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"
