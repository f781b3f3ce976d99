"""Where state variables lie (docs/internals/layout_in_storage.rst, "JSON Output")."""

from __future__ import annotations

from typing import Any, Literal

from smartvm.compiler.analysis.model import SemanticModel
from smartvm.compiler.analysis.types import ArrayType, MappingType, StructType, Type
from smartvm.compiler.analysis.types.reference import storage_offsets
from smartvm.compiler.ast import nodes

Area = Literal["storage", "transient"]


def state_variables(
    contract: nodes.ContractDefinition, model: SemanticModel, area: Area
) -> list[tuple[nodes.VariableDeclaration, int, int]]:
    """The variables of an area with slot and byte, base contracts' first."""
    location = "transient" if area == "transient" else "default"
    facts = model.facts(contract)
    variables = [
        node
        for base in reversed(facts.linearized_base_contracts)
        for node in base.nodes
        if isinstance(node, nodes.VariableDeclaration)
        and node.mutability == "mutable"
        and node.storage_location == location
    ]
    offsets, _ = storage_offsets(model.variable_types[variable.id] for variable in variables)
    start = facts.storage_base if area == "storage" else 0
    return [
        (variable, start + offset[0], offset[1])
        for variable, offset in zip(variables, offsets, strict=True)
        if offset is not None
    ]


def storage_layout(
    contract: nodes.ContractDefinition, source_name: str, model: SemanticModel, area: Area = "storage"
) -> dict[str, Any]:
    """Variables and the types they use. Numbers too large for JSON readers are strings, as in solc."""
    layout = _Layout(f"{source_name}:{contract.name}", model)
    storage = [layout.entry(*placed) for placed in state_variables(contract, model, area)]
    return {"storage": storage, "types": layout.types or None}


class _Layout:
    def __init__(self, contract: str, model: SemanticModel) -> None:
        self.contract = contract
        self.model = model
        self.types: dict[str, dict[str, Any]] = {}

    def entry(self, variable: nodes.VariableDeclaration, slot: int, offset: int) -> dict[str, Any]:
        type_ = self.model.variable_types[variable.id]
        self.add(type_)
        return {
            "astId": variable.id,
            "contract": self.contract,
            "label": variable.name,
            "offset": offset,
            "slot": str(slot),
            "type": _key(type_),
        }

    def add(self, type_: Type) -> None:
        key = _key(type_)
        if key in self.types:
            return
        about: dict[str, Any] = {}
        self.types[key] = about  # before the members: a type can contain itself through a mapping
        about["label"] = type_.text(without_location=True)
        about["numberOfBytes"] = str(type_.storage_bytes() * type_.storage_size() % 2**256)
        about["encoding"] = "inplace"
        if isinstance(type_, StructType):
            members = []
            for member in type_.definition.members:
                members.append(self.entry(member, *type_.storage_offsets_of_member(member.name)))
            about["members"] = members
        elif isinstance(type_, MappingType):
            about["encoding"] = "mapping"
            about["key"] = _key(type_.key_type)
            about["value"] = _key(type_.value_type)
            self.add(type_.key_type)
            self.add(type_.value_type)
        elif isinstance(type_, ArrayType):
            if type_.is_byte_array_or_string:
                about["encoding"] = "bytes"
            else:
                about["base"] = _key(type_.base_type)
                about["encoding"] = "dynamic_array" if type_.is_dynamically_sized() else "inplace"
                self.add(type_.base_type)


def _key(type_: Type) -> str:
    from smartvm.compiler.analysis.types.reference import with_location

    if isinstance(type_, ArrayType | StructType):
        type_ = with_location(type_, type_.location, False)
    return type_.rich_identifier()
