"""Source units, contracts, functions, variables and type names in solc's AST JSON."""

from __future__ import annotations

from smartvm.compiler.analysis.call_graph import CallGraphBuilder
from smartvm.compiler.analysis.types import FunctionType
from smartvm.compiler.artifacts.abi import interface_errors, interface_events
from smartvm.compiler.artifacts.ast_json_nodes import (
    Json,
    NodeExporter,
    Visitors,
    present,
    source_text,
    symbol_id,
    type_json,
)
from smartvm.compiler.ast import nodes
from smartvm.compiler.natspec import signature_of
from smartvm.keccak import keccak256


class DeclarationExporter(NodeExporter):
    """The keys of what is declared."""

    # --- source units and contracts

    def source_unit(self, node: nodes.SourceUnit) -> Json:
        exported = None
        if self.model is not None:
            exported = {
                name: [symbol_id(symbol) for symbol in symbols]
                for name, symbols in sorted(self.model.exported_symbols_of(node).items())
            }
        return {
            "absolutePath": node.absolute_path,
            "exportedSymbols": exported,
            "license": node.license,
            "nodes": self.nodes_json(node.nodes),
        }

    def pragma(self, node: nodes.PragmaDirective) -> Json:
        return {"literals": list(node.literals)}

    def import_directive(self, node: nodes.ImportDirective) -> Json:
        aliases = [
            present(
                {
                    "foreign": self.imported_name(node, alias.foreign),
                    "local": alias.local,
                    "nameLocation": source_text(node.name_location if alias.local is None else alias.name_location),
                }
            )
            for alias in node.symbol_aliases
        ]
        return {
            "absolutePath": node.absolute_path,
            "file": node.file,
            "nameLocation": source_text(node.name_location),
            "scope": self.scope(node),
            "sourceUnit": self.units.get(node.absolute_path),
            "symbolAliases": aliases,
            "unitAlias": node.unit_alias,
        }

    def imported_name(self, directive: nodes.ImportDirective, name: nodes.Identifier) -> Json:
        entry = self.node(name)
        imported = None if self.model is None else self.model.units.get(directive.absolute_path)
        if self.model is not None and imported is not None:
            symbols = self.model.exported_symbols_of(imported).get(name.name, ())
            if symbols:
                entry["referencedDeclaration"] = symbol_id(symbols[0])
        return entry

    def contract(self, node: nodes.ContractDefinition) -> Json:
        entry = {
            **self.declared(node),
            "abstract": node.abstract,
            "baseContracts": self.nodes_json(node.base_contracts),
            "contractDependencies": [],
            "contractKind": node.contract_kind,
            "documentation": self.optional(node.documentation),
            "nodes": self.nodes_json(node.nodes),
            "scope": self.scope(node),
            "storageLayout": self.optional(node.storage_layout),
            "usedErrors": [],
            "usedEvents": [],
        }
        model = self.model
        if model is not None and node.id in model.contracts:
            facts = model.facts(node)
            entry["canonicalName"] = self.canonical_name(node)
            entry["contractDependencies"] = [other.id for other in facts.creation_dependencies]
            entry["internalFunctionIDs"] = self.internal_function_ids(node)
            entry["fullyImplemented"] = not facts.unimplemented
            entry["linearizedBaseContracts"] = [base.id for base in facts.linearized_base_contracts]
            entry["usedErrors"] = [error.id for error in interface_errors(node, model)]
            entry["usedEvents"] = [event.id for event in interface_events(node, model)]
        return entry

    def internal_function_ids(self, node: nodes.ContractDefinition) -> dict[str, int] | None:
        """The numbers by which values of internal function type name functions."""
        model = self.model
        if model is None or self.relevant is None:
            return None
        creation = CallGraphBuilder(node, model, self.relevant).creation()
        deployed = CallGraphBuilder(node, model, self.relevant).deployed(creation)
        functions = sorted(
            callable_.id
            for callable_ in deployed.dispatched.values()
            if isinstance(callable_, nodes.FunctionDefinition)
        )
        return {str(function): number for number, function in enumerate(functions, 1)} or None

    def storage_layout(self, node: nodes.StorageLayoutSpecifier) -> Json:
        return {"baseSlotExpression": self.node(node.base_slot_expression)}

    def path(self, node: nodes.IdentifierPath) -> Json:
        return {
            "name": node.name,
            "nameLocations": [source_text(location) for location in node.name_locations],
            "referencedDeclaration": self.reference(node),
        }

    def inheritance(self, node: nodes.InheritanceSpecifier) -> Json:
        return {
            "arguments": None if node.arguments is None else self.nodes_json(node.arguments),
            "baseName": self.node(node.base_name),
        }

    def using_for(self, node: nodes.UsingForDirective) -> Json:
        entry: Json = {"global": node.is_global, "typeName": self.optional(node.type_name)}
        if not node.uses_braces:
            entry["libraryName"] = self.node(node.functions[0].path)
            return entry
        entry["functionList"] = [
            {"function": self.node(function.path)}
            if function.operator is None
            else {"definition": self.node(function.path), "operator": function.operator}
            for function in node.functions
        ]
        return entry

    def struct(self, node: nodes.StructDefinition) -> Json:
        return {
            **self.declared(node),
            "canonicalName": self.canonical_name(node),
            "documentation": self.optional(node.documentation),
            "members": self.nodes_json(node.members),
            "scope": self.scope(node),
            "visibility": "public",
        }

    def enum(self, node: nodes.EnumDefinition) -> Json:
        return {
            **self.declared(node),
            "canonicalName": self.canonical_name(node),
            "documentation": self.optional(node.documentation),
            "members": self.nodes_json(node.members),
        }

    def enum_value(self, node: nodes.EnumValue) -> Json:
        return self.declared(node)

    def value_type(self, node: nodes.UserDefinedValueTypeDefinition) -> Json:
        return {
            **self.declared(node),
            "canonicalName": self.canonical_name(node),
            "underlyingType": self.node(node.underlying_type),
        }

    # --- functions and variables

    def parameter_list(self, node: nodes.ParameterList) -> Json:
        return {"parameters": self.nodes_json(node.parameters)}

    def override(self, node: nodes.OverrideSpecifier) -> Json:
        return {"overrides": self.nodes_json(node.overrides)}

    def function(self, node: nodes.FunctionDefinition) -> Json:
        visibility: str | None = node.visibility
        if node.kind == "constructor":
            contract = None if self.model is None else self.model.contract_of.get(node.id)
            visibility = None if contract is None else "internal" if contract.abstract else "public"
        elif visibility == "default":
            visibility = "internal" if node.kind == "freeFunction" else "public"
        return {
            **self.declared(node),
            "baseFunctions": self.bases_of(node),
            "body": self.optional(node.body),
            "documentation": self.optional(node.documentation),
            "functionSelector": self.selector(node),
            "implemented": node.body is not None,
            "kind": node.kind,
            "modifiers": self.nodes_json(node.modifiers),
            "overrides": self.optional(node.override),
            "parameters": self.node(node.parameters),
            "returnParameters": self.node(node.return_parameters),
            "scope": self.scope(node),
            "stateMutability": node.state_mutability,
            "virtual": node.virtual,
            "visibility": visibility,
        }

    def modifier(self, node: nodes.ModifierDefinition) -> Json:
        return {
            **self.declared(node),
            "baseModifiers": self.bases_of(node),
            "body": self.optional(node.body),
            "documentation": self.optional(node.documentation),
            "overrides": self.optional(node.override),
            "parameters": self.node(node.parameters),
            "virtual": node.virtual,
            "visibility": "internal",
        }

    def modifier_invocation(self, node: nodes.ModifierInvocation) -> Json:
        kind = None
        if self.model is not None:
            target = self.model.referenced_declaration.get(node.modifier_name.id)
            if isinstance(target, nodes.ModifierDefinition):
                kind = "modifierInvocation"
            elif isinstance(target, nodes.ContractDefinition):
                kind = "baseConstructorSpecifier"
        return {
            "arguments": None if node.arguments is None else self.nodes_json(node.arguments),
            "kind": kind,
            "modifierName": self.node(node.modifier_name),
        }

    def event(self, node: nodes.EventDefinition) -> Json:
        self.in_event = True
        parameters = self.node(node.parameters)
        self.in_event = False
        selector = None
        if self.model is not None:
            selector = keccak256(signature_of(node, self.model).encode()).hex()
        return {
            **self.declared(node),
            "anonymous": node.anonymous,
            "documentation": self.optional(node.documentation),
            "eventSelector": selector,
            "parameters": parameters,
        }

    def error(self, node: nodes.ErrorDefinition) -> Json:
        selector = None
        if self.model is not None:
            declared = self.model.type_of_declaration(node)
            assert isinstance(declared, FunctionType)
            selector = f"{declared.selector():08x}"
        return {
            **self.declared(node),
            "documentation": self.optional(node.documentation),
            "errorSelector": selector,
            "parameters": self.node(node.parameters),
        }

    def variable(self, node: nodes.VariableDeclaration) -> Json:
        type_ = None if self.model is None else self.model.variable_types.get(node.id)
        return {
            **self.declared(node),
            "baseFunctions": self.bases_of(node),
            "constant": node.mutability == "constant",
            "documentation": self.optional(node.documentation) if node.state_variable else None,
            "functionSelector": self.selector(node) if node.state_variable else None,
            "indexed": node.indexed if self.in_event else None,
            "mutability": node.mutability,
            "overrides": self.optional(node.override),
            "scope": self.scope(node),
            "stateVariable": node.state_variable,
            "storageLocation": node.storage_location,
            "typeDescriptions": type_json(type_, True),
            "typeName": self.optional(node.type_name),
            "value": self.optional(node.value),
            "visibility": "internal" if node.visibility == "default" else node.visibility,
        }

    # --- type names

    def elementary_type(self, node: nodes.ElementaryTypeName) -> Json:
        return {
            "name": node.name,
            "stateMutability": node.state_mutability,
            "typeDescriptions": self.type_name(node),
        }

    def user_defined_type(self, node: nodes.UserDefinedTypeName) -> Json:
        return {
            "pathNode": self.node(node.path_node),
            "referencedDeclaration": self.reference(node.path_node),
            "typeDescriptions": self.type_name(node),
        }

    def function_type(self, node: nodes.FunctionTypeName) -> Json:
        return {
            "parameterTypes": self.node(node.parameter_types),
            "returnParameterTypes": self.node(node.return_parameter_types),
            "stateMutability": node.state_mutability,
            "typeDescriptions": self.type_name(node),
            "visibility": "internal" if node.visibility == "default" else node.visibility,
        }

    def mapping(self, node: nodes.Mapping) -> Json:
        return {
            "keyName": node.key_name,
            "keyNameLocation": source_text(node.key_name_location),
            "keyType": self.node(node.key_type),
            "typeDescriptions": self.type_name(node),
            "valueName": node.value_name,
            "valueNameLocation": source_text(node.value_name_location),
            "valueType": self.node(node.value_type),
        }

    def array_type(self, node: nodes.ArrayTypeName) -> Json:
        return {
            "baseType": self.node(node.base_type),
            "length": self.optional(node.length),
            "typeDescriptions": self.type_name(node),
        }


DECLARATION_VISITORS: Visitors = {
    nodes.SourceUnit: DeclarationExporter.source_unit,
    nodes.PragmaDirective: DeclarationExporter.pragma,
    nodes.ImportDirective: DeclarationExporter.import_directive,
    nodes.ContractDefinition: DeclarationExporter.contract,
    nodes.StorageLayoutSpecifier: DeclarationExporter.storage_layout,
    nodes.IdentifierPath: DeclarationExporter.path,
    nodes.InheritanceSpecifier: DeclarationExporter.inheritance,
    nodes.UsingForDirective: DeclarationExporter.using_for,
    nodes.StructDefinition: DeclarationExporter.struct,
    nodes.EnumDefinition: DeclarationExporter.enum,
    nodes.EnumValue: DeclarationExporter.enum_value,
    nodes.UserDefinedValueTypeDefinition: DeclarationExporter.value_type,
    nodes.ParameterList: DeclarationExporter.parameter_list,
    nodes.OverrideSpecifier: DeclarationExporter.override,
    nodes.FunctionDefinition: DeclarationExporter.function,
    nodes.ModifierDefinition: DeclarationExporter.modifier,
    nodes.ModifierInvocation: DeclarationExporter.modifier_invocation,
    nodes.EventDefinition: DeclarationExporter.event,
    nodes.ErrorDefinition: DeclarationExporter.error,
    nodes.VariableDeclaration: DeclarationExporter.variable,
    nodes.ElementaryTypeName: DeclarationExporter.elementary_type,
    nodes.UserDefinedTypeName: DeclarationExporter.user_defined_type,
    nodes.FunctionTypeName: DeclarationExporter.function_type,
    nodes.Mapping: DeclarationExporter.mapping,
    nodes.ArrayTypeName: DeclarationExporter.array_type,
}
