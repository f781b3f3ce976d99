"""The syntax tree as solc's AST JSON, with what analysis found out about it.

Keys whose value would be null are left out, as in solc. Follows solc 0.8.37's ``--ast-compact-json``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from smartvm.compiler.analysis.call_graph import CallGraphBuilder, RelevantNodes
from smartvm.compiler.analysis.types import FunctionType, Type
from smartvm.compiler.analysis.types.declarations import (
    function_type,
    getter_type,
    is_part_of_external_interface,
)
from smartvm.compiler.artifacts.abi import interface_errors, interface_events
from smartvm.compiler.artifacts.counter_loops import is_simple_counter_loop
from smartvm.compiler.artifacts.yul_ast_json import YulExporter
from smartvm.compiler.ast import nodes
from smartvm.compiler.keccak import keccak256
from smartvm.compiler.natspec import signature_of
from smartvm.compiler.source import SourceRange

if TYPE_CHECKING:
    from smartvm.compiler.analysis.model import SemanticModel
    from smartvm.compiler.grammar.tokens import Documentation
    from smartvm.compiler.pipeline import CompilationUnit

Json = dict[str, Any]


def source_unit_json(unit: CompilationUnit, name: str, *, analysed: bool) -> Json:
    """The tree of a source. ``analysed`` False: of its text alone (``stopAfter: parsing``)."""
    model = unit.model if analysed else None
    exporter = _Exporter(
        model,
        unit.documentation_comments(name),
        YulExporter(unit.sources[name].utf8, unit.settings.table),
        unit.settings.evm_version,
    )
    if model is None:
        exporter.units = {path: parsed.id for path, parsed in unit.units.items()}
    else:
        exporter.units = {path: parsed.id for path, parsed in model.units.items()}
    return exporter.node(unit.units[name])


def _present(entry: Json) -> Json:
    return {key: value for key, value in entry.items() if value is not None}


class _Exporter:
    def __init__(
        self,
        model: SemanticModel | None,
        comments: Mapping[int, Documentation],
        yul: YulExporter,
        evm_version: str,
    ) -> None:
        self.model = model
        self.comments = comments
        self.evm_version = evm_version
        self.yul = yul
        self.units: Mapping[str, int] = {}
        self.in_event = False
        self.relevant = None if model is None else RelevantNodes(model)

    # --- helpers
    # ---------------------------------------------------------------------------------------------------

    def node(self, node: nodes.Node) -> Json:
        """Any node."""
        attributes = _VISITORS[type(node)](self, node)
        entry = {"id": node.id, "nodeType": type(node).__name__, "src": _source(node.src)}
        entry.update(attributes)
        return _present(entry)

    def optional(self, node: nodes.Node | None) -> Json | None:
        return None if node is None else self.node(node)

    def nodes_json(self, listed: Iterable[nodes.Node | None]) -> list[Json | None]:
        return [self.optional(node) for node in listed]

    def statement(self, node: nodes.Statement | None) -> Json | None:
        """A statement where a comment may document it."""
        if node is None:
            return None
        entry = self.node(node)
        comment = self.comments.get(node.src.start)
        if comment is not None and comment.text:
            entry["documentation"] = comment.text
        return entry

    def scope(self, node: nodes.Node) -> int | None:
        if self.model is None:
            return None
        scope = self.model.scope_of(node)
        return None if scope is None else scope.id

    def declared(self, node: nodes.Declaration) -> Json:
        return {"name": node.name, "nameLocation": _source(node.name_location)}

    def canonical_name(self, node: nodes.Declaration) -> str | None:
        return None if self.model is None else self.model.canonical_name(node)

    def reference(self, node: nodes.Node) -> int | None:
        if self.model is None:
            return None
        return _symbol_id(self.model.referenced_declaration.get(node.id))

    def type_name(self, node: nodes.TypeName) -> Json:
        return _type_json(None if self.model is None else self.model.type_names.get(node.id), True)

    def expression(self, node: nodes.Expression) -> Json:
        """What every expression has."""
        if self.model is None:
            return {"typeDescriptions": {}}
        model = self.model
        entry: Json = {
            "typeDescriptions": _type_json(model.expression_types.get(node.id)),
            "argumentTypes": self.argument_types(node),
            "isLValue": model.is_lvalue.get(node.id),
            "isPure": model.is_pure.get(node.id),
            "lValueRequested": node.id in model.will_be_written_to,
        }
        if node.id in model.expression_types:
            entry["isConstant"] = node.id in model.is_constant
        return entry

    def argument_types(self, node: nodes.Expression) -> list[Json] | None:
        types = None if self.model is None else self.model.argument_types.get(node.id)
        return None if types is None else [_type_json(type_) for type_ in types]

    def selector(self, node: nodes.FunctionDefinition | nodes.VariableDeclaration) -> str | None:
        if self.model is None or not is_part_of_external_interface(node):
            return None
        if isinstance(node, nodes.VariableDeclaration):
            return f"{getter_type(node, self.model).selector():08x}"
        return f"{function_type(node, self.model, 'external').selector():08x}"

    def bases_of(self, node: nodes.Declaration) -> list[int] | None:
        bases = () if self.model is None else self.model.base_functions.get(node.id, ())
        return sorted(base.id for base in bases) or None

    # --- source units and contracts
    # ----------------------------------------------------------------------------------

    def source_unit(self, node: nodes.SourceUnit) -> Json:
        exported = None
        if self.model is not None:
            exported = {
                name: [_symbol_id(symbol) for symbol in symbols]
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
            _present(
                {
                    "foreign": self.imported_name(node, alias.foreign),
                    "local": alias.local,
                    "nameLocation": _source(
                        node.name_location if alias.local is None else alias.name_location
                    ),
                }
            )
            for alias in node.symbol_aliases
        ]
        return {
            "absolutePath": node.absolute_path,
            "file": node.file,
            "nameLocation": _source(node.name_location),
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
                entry["referencedDeclaration"] = _symbol_id(symbols[0])
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
            "nameLocations": [_source(location) for location in node.name_locations],
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
    # -------------------------------------------------------------------------------------

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
            "typeDescriptions": _type_json(type_, True),
            "typeName": self.optional(node.type_name),
            "value": self.optional(node.value),
            "visibility": "internal" if node.visibility == "default" else node.visibility,
        }

    # --- type names
    # ----------------------------------------------------------------------------------------------------

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
            "keyNameLocation": _source(node.key_name_location),
            "keyType": self.node(node.key_type),
            "typeDescriptions": self.type_name(node),
            "valueName": node.value_name,
            "valueNameLocation": _source(node.value_name_location),
            "valueType": self.node(node.value_type),
        }

    def array_type(self, node: nodes.ArrayTypeName) -> Json:
        return {
            "baseType": self.node(node.base_type),
            "length": self.optional(node.length),
            "typeDescriptions": self.type_name(node),
        }

    # --- statements
    # ------------------------------------------------------------------------------------------------------

    def block(self, node: nodes.Block) -> Json:
        entry: Json = {"statements": [self.statement(statement) for statement in node.statements]}
        if node.unchecked:
            entry["nodeType"] = "UncheckedBlock"
        return entry

    def nothing(self, node: nodes.Node) -> Json:
        del node
        return {}

    def if_statement(self, node: nodes.IfStatement) -> Json:
        return {
            "condition": self.node(node.condition),
            "falseBody": self.statement(node.false_body),
            "trueBody": self.statement(node.true_body),
        }

    def while_statement(self, node: nodes.WhileStatement) -> Json:
        entry: Json = {"body": self.statement(node.body), "condition": self.node(node.condition)}
        if node.is_do_while:
            entry["nodeType"] = "DoWhileStatement"
        return entry

    def for_statement(self, node: nodes.ForStatement) -> Json:
        return {
            "body": self.statement(node.body),
            "condition": self.optional(node.condition),
            "initializationExpression": self.optional(node.initialization_expression),
            "isSimpleCounterLoop": None if self.model is None else is_simple_counter_loop(node, self.model),
            "loopExpression": self.optional(node.loop_expression),
        }

    def try_statement(self, node: nodes.TryStatement) -> Json:
        return {"clauses": self.nodes_json(node.clauses), "externalCall": self.node(node.external_call)}

    def try_clause(self, node: nodes.TryCatchClause) -> Json:
        return {
            "block": self.node(node.block),
            "errorName": node.error_name,
            "parameters": self.optional(node.parameters),
        }

    def return_statement(self, node: nodes.Return) -> Json:
        returned = None if self.model is None else self.model.function_return_parameters.get(node.id)
        return {
            "expression": self.optional(node.expression),
            "functionReturnParameters": None if returned is None else returned.id,
        }

    def emit(self, node: nodes.EmitStatement) -> Json:
        return {"eventCall": self.node(node.event_call)}

    def revert(self, node: nodes.RevertStatement) -> Json:
        return {"errorCall": self.node(node.error_call)}

    def variables(self, node: nodes.VariableDeclarationStatement) -> Json:
        return {
            "assignments": [None if variable is None else variable.id for variable in node.declarations],
            "declarations": self.nodes_json(node.declarations),
            "initialValue": self.optional(node.initial_value),
        }

    def expression_statement(self, node: nodes.ExpressionStatement) -> Json:
        return {"expression": self.node(node.expression)}

    def assembly(self, node: nodes.InlineAssembly) -> Json:
        references: list[tuple[str, Json]] = []
        if self.model is not None:
            for (start, length), found in self.model.external_references.get(node.id, {}).items():
                entry: Json = {
                    "declaration": found.declaration.id,
                    "isOffset": found.suffix == "offset",
                    "isSlot": found.suffix == "slot",
                    "src": f"{start}:{length}:{node.src.file}",
                    "valueSize": found.value_size,
                }
                if found.suffix:
                    entry["suffix"] = found.suffix
                name = found.declaration.name + (f".{found.suffix}" if found.suffix else "")
                references.append((self.yul.text_at(start, length) or name, entry))
        return {
            "AST": self.yul.assembly(node.operations),
            "evmVersion": self.evm_version,
            "externalReferences": [entry for _, entry in sorted(references, key=_by_name_and_place)],
            "flags": None if node.flags is None else list(node.flags),
        }

    # --- expressions
    # -----------------------------------------------------------------------------------------------------

    def conditional(self, node: nodes.Conditional) -> Json:
        return {
            **self.expression(node),
            "condition": self.node(node.condition),
            "falseExpression": self.node(node.false_expression),
            "trueExpression": self.node(node.true_expression),
        }

    def assignment(self, node: nodes.Assignment) -> Json:
        return {
            **self.expression(node),
            "leftHandSide": self.node(node.left_hand_side),
            "operator": node.operator,
            "rightHandSide": self.node(node.right_hand_side),
        }

    def tuple(self, node: nodes.TupleExpression) -> Json:
        return {
            **self.expression(node),
            "components": self.nodes_json(node.components),
            "isInlineArray": node.is_inline_array,
        }

    def operator_function(self, node: nodes.Expression) -> int | None:
        function = None if self.model is None else self.model.user_defined_function.get(node.id)
        return None if function is None else function.id

    def unary(self, node: nodes.UnaryOperation) -> Json:
        return {
            **self.expression(node),
            "function": self.operator_function(node),
            "operator": node.operator,
            "prefix": node.prefix,
            "subExpression": self.node(node.sub_expression),
        }

    def binary(self, node: nodes.BinaryOperation) -> Json:
        return {
            **self.expression(node),
            "commonType": _type_json(None if self.model is None else self.model.common_type.get(node.id)),
            "function": self.operator_function(node),
            "leftExpression": self.node(node.left_expression),
            "operator": node.operator,
            "rightExpression": self.node(node.right_expression),
        }

    def call(self, node: nodes.FunctionCall) -> Json:
        kind = None if self.model is None else self.model.call_kind.get(node.id)
        return {
            **self.expression(node),
            "arguments": self.nodes_json(node.arguments),
            "expression": self.node(node.expression),
            "kind": None if kind is None else _CALL_KINDS[kind],
            "nameLocations": [_source(location) for location in node.name_locations],
            "names": list(node.names),
            "tryCall": self.model is not None and node.id in self.model.try_calls,
        }

    def call_options(self, node: nodes.FunctionCallOptions) -> Json:
        return {
            **self.expression(node),
            "expression": self.node(node.expression),
            "names": list(node.names),
            "options": self.nodes_json(node.options),
        }

    def new(self, node: nodes.NewExpression) -> Json:
        return {**self.expression(node), "typeName": self.node(node.type_name)}

    def member(self, node: nodes.MemberAccess) -> Json:
        return {
            **self.expression(node),
            "expression": self.node(node.expression),
            "memberLocation": _source(node.member_location),
            "memberName": node.member_name,
            "referencedDeclaration": self.reference(node),
        }

    def index(self, node: nodes.IndexAccess) -> Json:
        return {
            **self.expression(node),
            "baseExpression": self.node(node.base_expression),
            "indexExpression": self.optional(node.index_expression),
        }

    def index_range(self, node: nodes.IndexRangeAccess) -> Json:
        return {
            **self.expression(node),
            "baseExpression": self.node(node.base_expression),
            "endExpression": self.optional(node.end_expression),
            "startExpression": self.optional(node.start_expression),
        }

    def identifier(self, node: nodes.Identifier) -> Json:
        model = self.model
        overloads: Sequence[Any] = () if model is None else model.overloaded_declarations.get(node.id, ())
        type_ = None if model is None else model.expression_types.get(node.id)
        return {
            "argumentTypes": self.argument_types(node),
            "name": node.name,
            "overloadedDeclarations": [_symbol_id(symbol) for symbol in overloads],
            "referencedDeclaration": self.reference(node),
            "typeDescriptions": _type_json(type_),
        }

    def elementary(self, node: nodes.ElementaryTypeNameExpression) -> Json:
        type_name = {**self.node(node.type_name), "typeDescriptions": {}}
        return {**self.expression(node), "typeName": type_name}

    def literal(self, node: nodes.Literal) -> Json:
        data = node.value if node.value is not None else node.text.encode()
        try:
            value: str | None = data.decode("utf-8")
        except UnicodeDecodeError:
            value = None
        return {
            **self.expression(node),
            "hexValue": data.hex(),
            "kind": node.kind,
            "subdenomination": node.sub_denomination,
            "value": value,
        }

    def documentation(self, node: nodes.StructuredDocumentation) -> Json:
        return {"text": node.text}


_CALL_KINDS = {
    "function_call": "functionCall",
    "type_conversion": "typeConversion",
    "struct_constructor_call": "structConstructorCall",
}


def _source(source: SourceRange) -> str:
    return f"{source.start}:{source.length}:{source.file}"


def _by_name_and_place(reference: tuple[str, Json]) -> tuple[Any, ...]:
    name, entry = reference
    return name, entry["declaration"], entry["isOffset"], entry["isSlot"], entry["src"]


def _type_json(type_: Type | None, without_location: bool = False) -> Json:
    if type_ is None:
        return {}
    return {"typeIdentifier": type_.identifier(), "typeString": type_.text(without_location)}


def _symbol_id(symbol: Any) -> int | None:
    """The id of a declaration; builtin names have negative ids of their own."""
    if symbol is None:
        return None
    if isinstance(symbol, nodes.Node):
        return symbol.id
    return builtin_id(symbol.name)


#: Builtin names by solc's ids for them (the ids are negative, and stable between releases).
_BUILTIN_IDS = {
    "abi": -1,
    "addmod": -2,
    "assert": -3,
    "block": -4,
    "blockhash": -5,
    "ecrecover": -6,
    "gasleft": -7,
    "keccak256": -8,
    "msg": -15,
    "mulmod": -16,
    "now": -17,
    "require": -18,
    "revert": -19,
    "ripemd160": -20,
    "selfdestruct": -21,
    "sha256": -22,
    "sha3": -23,
    "suicide": -24,
    "super": -25,
    "tx": -26,
    "type": -27,
    "this": -28,
    "blobhash": -29,
}


def builtin_id(name: str) -> int | None:
    """solc's id of a builtin name."""
    return _BUILTIN_IDS.get(name)


_VISITORS: dict[type, Callable[[_Exporter, Any], Json]] = {
    nodes.SourceUnit: _Exporter.source_unit,
    nodes.PragmaDirective: _Exporter.pragma,
    nodes.ImportDirective: _Exporter.import_directive,
    nodes.ContractDefinition: _Exporter.contract,
    nodes.StorageLayoutSpecifier: _Exporter.storage_layout,
    nodes.IdentifierPath: _Exporter.path,
    nodes.InheritanceSpecifier: _Exporter.inheritance,
    nodes.UsingForDirective: _Exporter.using_for,
    nodes.StructDefinition: _Exporter.struct,
    nodes.EnumDefinition: _Exporter.enum,
    nodes.EnumValue: _Exporter.enum_value,
    nodes.UserDefinedValueTypeDefinition: _Exporter.value_type,
    nodes.ParameterList: _Exporter.parameter_list,
    nodes.OverrideSpecifier: _Exporter.override,
    nodes.FunctionDefinition: _Exporter.function,
    nodes.ModifierDefinition: _Exporter.modifier,
    nodes.ModifierInvocation: _Exporter.modifier_invocation,
    nodes.EventDefinition: _Exporter.event,
    nodes.ErrorDefinition: _Exporter.error,
    nodes.VariableDeclaration: _Exporter.variable,
    nodes.ElementaryTypeName: _Exporter.elementary_type,
    nodes.UserDefinedTypeName: _Exporter.user_defined_type,
    nodes.FunctionTypeName: _Exporter.function_type,
    nodes.Mapping: _Exporter.mapping,
    nodes.ArrayTypeName: _Exporter.array_type,
    nodes.Block: _Exporter.block,
    nodes.PlaceholderStatement: _Exporter.nothing,
    nodes.IfStatement: _Exporter.if_statement,
    nodes.WhileStatement: _Exporter.while_statement,
    nodes.ForStatement: _Exporter.for_statement,
    nodes.Continue: _Exporter.nothing,
    nodes.Break: _Exporter.nothing,
    nodes.Return: _Exporter.return_statement,
    nodes.EmitStatement: _Exporter.emit,
    nodes.RevertStatement: _Exporter.revert,
    nodes.VariableDeclarationStatement: _Exporter.variables,
    nodes.ExpressionStatement: _Exporter.expression_statement,
    nodes.TryStatement: _Exporter.try_statement,
    nodes.TryCatchClause: _Exporter.try_clause,
    nodes.InlineAssembly: _Exporter.assembly,
    nodes.Conditional: _Exporter.conditional,
    nodes.Assignment: _Exporter.assignment,
    nodes.TupleExpression: _Exporter.tuple,
    nodes.UnaryOperation: _Exporter.unary,
    nodes.BinaryOperation: _Exporter.binary,
    nodes.FunctionCall: _Exporter.call,
    nodes.FunctionCallOptions: _Exporter.call_options,
    nodes.NewExpression: _Exporter.new,
    nodes.MemberAccess: _Exporter.member,
    nodes.IndexAccess: _Exporter.index,
    nodes.IndexRangeAccess: _Exporter.index_range,
    nodes.Identifier: _Exporter.identifier,
    nodes.ElementaryTypeNameExpression: _Exporter.elementary,
    nodes.Literal: _Exporter.literal,
    nodes.StructuredDocumentation: _Exporter.documentation,
}
