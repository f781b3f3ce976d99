"""Statements and expressions in solc's AST JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from smartvm.compiler.artifacts.ast_json_nodes import (
    Json,
    NodeExporter,
    Visitors,
    source_text,
    symbol_id,
    type_json,
)
from smartvm.compiler.artifacts.counter_loops import is_simple_counter_loop
from smartvm.compiler.ast import nodes


class BodyExporter(NodeExporter):
    """The keys of what stands in bodies."""

    # --- statements

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
            "commonType": type_json(None if self.model is None else self.model.common_type.get(node.id)),
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
            "nameLocations": [source_text(location) for location in node.name_locations],
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
            "memberLocation": source_text(node.member_location),
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
            "overloadedDeclarations": [symbol_id(symbol) for symbol in overloads],
            "referencedDeclaration": self.reference(node),
            "typeDescriptions": type_json(type_),
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


def _by_name_and_place(reference: tuple[str, Json]) -> tuple[Any, ...]:
    name, entry = reference
    return name, entry["declaration"], entry["isOffset"], entry["isSlot"], entry["src"]


BODY_VISITORS: Visitors = {
    nodes.Block: BodyExporter.block,
    nodes.PlaceholderStatement: BodyExporter.nothing,
    nodes.IfStatement: BodyExporter.if_statement,
    nodes.WhileStatement: BodyExporter.while_statement,
    nodes.ForStatement: BodyExporter.for_statement,
    nodes.Continue: BodyExporter.nothing,
    nodes.Break: BodyExporter.nothing,
    nodes.Return: BodyExporter.return_statement,
    nodes.EmitStatement: BodyExporter.emit,
    nodes.RevertStatement: BodyExporter.revert,
    nodes.VariableDeclarationStatement: BodyExporter.variables,
    nodes.ExpressionStatement: BodyExporter.expression_statement,
    nodes.TryStatement: BodyExporter.try_statement,
    nodes.TryCatchClause: BodyExporter.try_clause,
    nodes.InlineAssembly: BodyExporter.assembly,
    nodes.Conditional: BodyExporter.conditional,
    nodes.Assignment: BodyExporter.assignment,
    nodes.TupleExpression: BodyExporter.tuple,
    nodes.UnaryOperation: BodyExporter.unary,
    nodes.BinaryOperation: BodyExporter.binary,
    nodes.FunctionCall: BodyExporter.call,
    nodes.FunctionCallOptions: BodyExporter.call_options,
    nodes.NewExpression: BodyExporter.new,
    nodes.MemberAccess: BodyExporter.member,
    nodes.IndexAccess: BodyExporter.index,
    nodes.IndexRangeAccess: BodyExporter.index_range,
    nodes.Identifier: BodyExporter.identifier,
    nodes.ElementaryTypeNameExpression: BodyExporter.elementary,
    nodes.Literal: BodyExporter.literal,
    nodes.StructuredDocumentation: BodyExporter.documentation,
}
