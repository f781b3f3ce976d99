"""What the objects of one compilation share: the model, the settings, the utility functions, finished
objects."""

from __future__ import annotations

from functools import cached_property

from smartvm.compiler.analysis import types
from smartvm.compiler.analysis.model import SemanticModel
from smartvm.compiler.ast import nodes
from smartvm.compiler.lowering.settings import LoweringSettings
from smartvm.compiler.lowering.storage import Space
from smartvm.compiler.lowering.utilities import Utilities
from smartvm.compiler.yul import ast as yul


class Compilation:
    """Shared by all contracts that are lowered together. ``objects`` holds each contract's finished Yul
    object."""

    def __init__(self, model: SemanticModel, settings: LoweringSettings) -> None:
        self.model = model
        self.settings = settings
        self._utilities: dict[bool, Utilities] = {}
        self.objects: dict[int, yul.Object] = {}
        self._reachable: dict[int, frozenset[int]] = {}
        self._virtual_tables: dict[tuple[int, int], dict[object, nodes.Declaration]] = {}

    def utilities(self, contract: nodes.ContractDefinition) -> Utilities:
        """The utility functions of a contract's code. Where no source that it can use contains inline assembly,
        memory holds clean values only."""
        is_clean = self._files_with_assembly.isdisjoint(self._reachable_files(contract.src.file))
        if is_clean not in self._utilities:
            self._utilities[is_clean] = Utilities(self.settings, memory_is_clean=is_clean)
        return self._utilities[is_clean]

    def enums_in_assembly(self, contract: nodes.ContractDefinition) -> bool:
        """Whether inline assembly that the contract can use refers to a variable of an enum type, which it may
        set to no member."""
        return not self._files_with_enums_in_assembly.isdisjoint(self._reachable_files(contract.src.file))

    @cached_property
    def _files_with_assembly(self) -> frozenset[int]:
        return frozenset(
            node.src.file for node in self.model.node_by_id.values() if isinstance(node, nodes.InlineAssembly)
        )

    @cached_property
    def _files_with_enums_in_assembly(self) -> frozenset[int]:
        return frozenset(
            self.model.node_by_id[assembly].src.file
            for assembly, references in self.model.external_references.items()
            if any(
                isinstance(self.model.variable_types.get(reference.declaration.id), types.EnumType)
                for reference in references.values()
            )
        )

    def _reachable_files(self, file: int) -> frozenset[int]:
        """A source and all that it imports, directly or not, by index: a contract's code depends on no other."""
        known = self._reachable.get(file)
        if known is None:
            units = {unit.src.file: unit for unit in self.model.units.values()}
            found = {file}
            pending = [units[file]]
            while pending:
                for node in pending.pop().nodes:
                    if isinstance(node, nodes.ImportDirective):
                        imported = self.model.units[node.absolute_path]
                        if imported.src.file not in found:
                            found.add(imported.src.file)
                            pending.append(imported)
            known = self._reachable[file] = frozenset(found)
        return known

    # --- contracts -----------------------------------------------------------------------------------

    def constructor(self, contract: nodes.ContractDefinition) -> nodes.FunctionDefinition | None:
        """The contract's own constructor."""
        return next(
            (
                n
                for n in contract.nodes
                if isinstance(n, nodes.FunctionDefinition) and n.kind == "constructor"
            ),
            None,
        )

    def state_variables(
        self, contract: nodes.ContractDefinition, space: Space
    ) -> list[tuple[nodes.VariableDeclaration, int, int]]:
        """The contract's variables in storage or transient storage, bases first: each with slot and byte
        offset."""
        variables = [
            node
            for base in reversed(self.model.linearized_base_contracts(contract))
            for node in base.nodes
            if isinstance(node, nodes.VariableDeclaration)
            and node.mutability == "mutable"
            and (node.storage_location == "transient") == (space == "transient")
        ]
        placed, _ = types.storage_offsets(self.model.type_of_declaration(v) for v in variables)
        start = self.model.facts(contract).storage_base if space == "storage" else 0
        return [
            (variable, start + place[0], place[1])
            for variable, place in zip(variables, placed, strict=True)
            if place is not None
        ]

    def immutables(self, contract: nodes.ContractDefinition) -> list[nodes.VariableDeclaration]:
        """The contract's immutables, bases first."""
        return [
            node
            for base in reversed(self.model.linearized_base_contracts(contract))
            for node in base.nodes
            if isinstance(node, nodes.VariableDeclaration) and node.mutability == "immutable"
        ]

    # --- virtual lookup --------------------------------------------------------------------------------

    def _signature(self, declaration: nodes.Declaration) -> object:
        if isinstance(declaration, nodes.ModifierDefinition):
            return ("modifier", declaration.name)
        assert isinstance(declaration, nodes.FunctionDefinition)
        parameters = types.function_type(declaration, self.model).as_externally_callable_function(False)
        return (declaration.kind, declaration.name, parameters.parameter_types)

    def _table(self, most_derived: nodes.ContractDefinition, start: int) -> dict[object, nodes.Declaration]:
        """First declaration of each signature in the linearised bases from position ``start`` on."""
        key = (most_derived.id, start)
        table = self._virtual_tables.get(key)
        if table is None:
            table = {}
            for base in self.model.linearized_base_contracts(most_derived)[start:]:
                for node in base.nodes:
                    if isinstance(node, nodes.FunctionDefinition):
                        if node.kind == "constructor" or (start > 0 and node.body is None):
                            continue
                    elif not isinstance(node, nodes.ModifierDefinition):
                        continue
                    table.setdefault(self._signature(node), node)
            self._virtual_tables[key] = table
        return table

    def resolve_virtual(
        self,
        declaration: nodes.FunctionDefinition | nodes.ModifierDefinition,
        most_derived: nodes.ContractDefinition,
    ) -> nodes.Declaration:
        """The overriding function or modifier that a call by name reaches in the most derived contract."""
        contract = self.model.contract_of.get(declaration.id)
        if contract is None or not (declaration.virtual or contract.contract_kind == "interface"):
            return declaration
        return self._table(most_derived, 0).get(self._signature(declaration), declaration)

    def resolve_super(
        self,
        declaration: nodes.FunctionDefinition,
        most_derived: nodes.ContractDefinition,
        calling: nodes.ContractDefinition,
    ) -> nodes.FunctionDefinition:
        """The function that ``super.f`` in the contract ``calling`` reaches."""
        bases = self.model.linearized_base_contracts(most_derived)
        start = bases.index(calling) + 1
        found = self._table(most_derived, start).get(self._signature(declaration), declaration)
        assert isinstance(found, nodes.FunctionDefinition)
        return found

    def special_function(
        self, contract: nodes.ContractDefinition, kind: str
    ) -> nodes.FunctionDefinition | None:
        """The contract's ``receive`` or ``fallback`` function, own or inherited."""
        for base in self.model.linearized_base_contracts(contract):
            for node in base.nodes:
                if isinstance(node, nodes.FunctionDefinition) and node.kind == kind:
                    return node
        return None


def contract_name(contract: nodes.ContractDefinition) -> str:
    """The name of a contract's creation object."""
    return f"{contract.name}_{contract.id}"


def deployed_name(contract: nodes.ContractDefinition) -> str:
    """The name of a contract's deployed object."""
    return f"{contract.name}_{contract.id}_deployed"


def fully_qualified_name(model: SemanticModel, contract: nodes.ContractDefinition) -> str:
    """``unit:Contract``: what link references name."""
    unit: nodes.Node | None = contract
    while unit is not None and not isinstance(unit, nodes.SourceUnit):
        unit = model.parent.get(unit.id)
    path = unit.absolute_path if unit is not None else ""
    return f"{path}:{contract.name}"
