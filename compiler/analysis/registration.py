"""Enters all declarations into scopes, fills the model's tables of nodes, and performs imports."""

from __future__ import annotations

from collections.abc import Mapping

from smartvm.compiler.analysis import types as t
from smartvm.compiler.analysis.context import AnalysisContext, symbol_range
from smartvm.compiler.analysis.magic import magic_variables
from smartvm.compiler.analysis.model import MagicVariable, Symbol
from smartvm.compiler.analysis.scopes import Scope, is_visible_in_contract
from smartvm.compiler.analysis.tree import children
from smartvm.compiler.ast import nodes
from smartvm.compiler.source import SourceRange

SCOPE_OPENERS = (
    nodes.ContractDefinition, nodes.StructDefinition, nodes.EnumDefinition, nodes.FunctionDefinition,
    nodes.ModifierDefinition, nodes.EventDefinition, nodes.ErrorDefinition, nodes.FunctionTypeName,
    nodes.Block,
    nodes.TryCatchClause, nodes.ForStatement,
)  # fmt: skip

_RESERVED = frozenset({"_", "super", "this"})

_FUTURE_KEYWORDS = frozenset({"at", "error", "layout", "leave", "super", "this", "transient"})


class ScopeTable:
    """All scopes of a compilation by the node that opens them. Import directives stand for the imported
    unit's."""

    def __init__(self, context: AnalysisContext) -> None:
        self.context = context
        self.model = context.model
        self.root = Scope(None)
        self.by_node: dict[int, Scope] = {}
        for magic in magic_variables(context.settings):
            self.root.register(magic, context.model)
        self._empty_magic = {name: MagicVariable(name, t.EMPTY_TUPLE) for name in ("this", "super")}

    # --- registration -----------------------------------------------------------------------------

    def register_unit(self, unit: nodes.SourceUnit) -> None:
        """Enter a source unit's declarations."""
        model = self.model
        model.node_by_id[unit.id] = unit
        scope = self._unit_scope(unit)
        for node in unit.nodes:
            self._visit(node, unit, unit, scope, None)

    def _unit_scope(self, unit: nodes.SourceUnit) -> Scope:
        scope = self.by_node.get(unit.id)
        if scope is None:
            scope = self.by_node[unit.id] = Scope(self.root)
        return scope

    def _visit(
        self,
        node: nodes.Node,
        parent: nodes.Node,
        scope_node: nodes.Node,
        scope: Scope,
        contract: nodes.ContractDefinition | None,
    ) -> None:
        model = self.model
        model.node_by_id[node.id] = node
        model.parent[node.id] = parent
        if contract is not None:
            model.contract_of[node.id] = contract
        if isinstance(node, nodes.Declaration):
            model.scope[node.id] = scope_node
            inactive = isinstance(scope_node, nodes.Block | nodes.ForStatement)
            self._register(scope, node, inactive=inactive)
            if isinstance(
                node,
                nodes.ContractDefinition
                | nodes.StructDefinition
                | nodes.EnumDefinition
                | nodes.UserDefinedValueTypeDefinition,
            ):
                outer = f"{scope_node.name}." if isinstance(scope_node, nodes.ContractDefinition) else ""
                model.canonical_names[node.id] = outer + node.name
            if isinstance(node, nodes.ContractDefinition):
                contract = node
        elif isinstance(node, nodes.ImportDirective):
            model.scope[node.id] = scope_node
            imported = model.units.get(node.absolute_path)
            if imported is not None:
                self.by_node[node.id] = self._unit_scope(imported)
                model.declaration_types[node.id] = t.ModuleType(imported, declared=model)
            if node.unit_alias:
                self._register(scope, node)
            return
        if isinstance(node, SCOPE_OPENERS):
            model.scope.setdefault(node.id, scope_node)
            scope = self.by_node[node.id] = Scope(scope)
            scope_node = node
            if isinstance(node, nodes.ContractDefinition):
                self._set_contract_magic(self._empty_magic["this"], self._empty_magic["super"])
        for child in children(node):
            self._visit(child, node, scope_node, scope, contract)
        if isinstance(node, nodes.ContractDefinition):
            self._clear_contract_magic()

    def _register(
        self,
        scope: Scope,
        symbol: Symbol,
        name: str | None = None,
        location: SourceRange | None = None,
        inactive: bool = False,
    ) -> bool:
        location = location or symbol_range(symbol)
        shown = name or (symbol.unit_alias if isinstance(symbol, nodes.ImportDirective) else symbol.name)
        if shown in _RESERVED and not self._may_have_reserved_name(symbol):
            self.context.declaration_error(3726, location, f'"{shown}" is a reserved name.')
        elif shown in _FUTURE_KEYWORDS:
            self.context.warning(6335, location, f'"{shown}" will become a keyword: do not use it as a name.')
        invisible = inactive or not is_visible_in_contract(symbol)
        if scope.register(symbol, self.model, name, location, invisible):
            return True
        other = scope.conflicting(symbol, name)
        first, second = symbol_range(other) if other is not None else location, location
        if first.file == second.file and second.start < first.start:
            first, second = second, first
        self.context.declaration_error(
            2333, second, f'"{shown}" is already declared.', [("Declared before here:", first)]
        )
        return False

    def _may_have_reserved_name(self, symbol: Symbol) -> bool:
        if isinstance(symbol, nodes.FunctionDefinition):
            return symbol.kind != "freeFunction" and t.is_public(symbol)
        return isinstance(symbol, nodes.EventDefinition)

    # --- this and super ---------------------------------------------------------------------------

    def _set_contract_magic(self, this: MagicVariable, super_: MagicVariable | None) -> None:
        self._clear_contract_magic()
        for magic in (this, super_):
            if magic is not None:
                self.root.invisible.pop(magic.name, None)
                self.root.declarations[magic.name] = [magic]

    def _clear_contract_magic(self) -> None:
        for name in ("this", "super"):
            present = self.root.declarations.pop(name, None)
            if present is not None:
                self.root.invisible[name] = present

    def enter_contract(self, this: MagicVariable, super_: MagicVariable | None) -> None:
        """Give ``this`` and ``super`` the meaning that they have in a contract."""
        self._set_contract_magic(this, super_)

    def leave_contract(self) -> None:
        """Take ``this`` and ``super`` away again."""
        self._clear_contract_magic()

    # --- imports ----------------------------------------------------------------------------------

    def perform_imports(self, unit: nodes.SourceUnit, units: Mapping[str, nodes.SourceUnit]) -> bool:
        """Make the imported names known in a unit (docs/layout-of-source-files.rst); False on errors."""
        target = self.by_node[unit.id]
        success = True
        for node in unit.nodes:
            if not isinstance(node, nodes.ImportDirective):
                continue
            source = self.by_node[units[node.absolute_path].id]
            if node.symbol_aliases:
                for alias in node.symbol_aliases:
                    found = source.resolve(alias.foreign.name, self.model)
                    if not found:
                        self.context.declaration_error(
                            2904,
                            node,
                            f'"{node.absolute_path}" (imported as "{node.file}") does not declare '
                            f'"{alias.foreign.name}".',
                        )
                        success = False
                    name = alias.local or alias.foreign.name
                    location = alias.name_location if alias.name_location.start >= 0 else alias.foreign.src
                    for symbol in found:
                        success = self._register(target, symbol, name, location) and success
            elif not node.unit_alias:
                for name, symbols in list(source.declarations.items()):
                    for symbol in list(symbols):
                        success = self._register(target, symbol, name, node.src) and success
        self.model.exported_symbols[unit.id] = {
            name: tuple(symbols) for name, symbols in target.declarations.items() if symbols
        }
        return success

    # --- shadowing --------------------------------------------------------------------------------

    def warn_of_homonyms(self) -> None:
        """Warn where a declaration hides another of the same name."""
        for location, hidden in self.root.homonyms(self.model):
            if any(isinstance(symbol, MagicVariable) for symbol in hidden):
                self.context.warning(2319, location, "This declaration hides a builtin of the same name.")
            same_name = [
                ("The other declaration:", symbol_range(s))
                for s in hidden
                if not isinstance(s, MagicVariable) and not is_visible_in_contract(s)
            ]
            shadowed = [
                ("The hidden declaration:", symbol_range(s))
                for s in hidden
                if not isinstance(s, MagicVariable) and is_visible_in_contract(s)
            ]
            if same_name:
                self.context.warning(8760, location, "Another declaration has the same name.", same_name)
            if shadowed:
                self.context.warning(
                    2519, location, "This declaration hides another declaration of the same name.", shadowed
                )
