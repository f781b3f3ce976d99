"""What every node of solc's AST JSON has, and how references, types and places are written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from smartvm.compiler.analysis.call_graph import RelevantNodes
from smartvm.compiler.analysis.types import Type
from smartvm.compiler.analysis.types.declarations import (
    function_type,
    getter_type,
    is_part_of_external_interface,
)
from smartvm.compiler.artifacts.yul_ast_json import YulExporter
from smartvm.compiler.ast import nodes
from smartvm.compiler.source import SourceRange

if TYPE_CHECKING:
    from smartvm.compiler.analysis.model import SemanticModel
    from smartvm.compiler.grammar.tokens import Documentation

Json = dict[str, Any]

#: What tells a kind of node's own keys: the exporter's method.
Visitors = Mapping[type, Callable[[Any, Any], Json]]


def present(entry: Json) -> Json:
    """Without the keys whose value would be null."""
    return {key: value for key, value in entry.items() if value is not None}


class NodeExporter:
    """Exports nodes by ``visitors``; its own methods are what several kinds of nodes need."""

    visitors: ClassVar[Visitors]

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

    def node(self, node: nodes.Node) -> Json:
        """Any node."""
        attributes = self.visitors[type(node)](self, node)
        entry = {"id": node.id, "nodeType": type(node).__name__, "src": source_text(node.src)}
        entry.update(attributes)
        return present(entry)

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
        return {"name": node.name, "nameLocation": source_text(node.name_location)}

    def canonical_name(self, node: nodes.Declaration) -> str | None:
        return None if self.model is None else self.model.canonical_name(node)

    def reference(self, node: nodes.Node) -> int | None:
        if self.model is None:
            return None
        return symbol_id(self.model.referenced_declaration.get(node.id))

    def type_name(self, node: nodes.TypeName) -> Json:
        return type_json(None if self.model is None else self.model.type_names.get(node.id), True)

    def expression(self, node: nodes.Expression) -> Json:
        """What every expression has."""
        if self.model is None:
            return {"typeDescriptions": {}}
        model = self.model
        entry: Json = {
            "typeDescriptions": type_json(model.expression_types.get(node.id)),
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
        return None if types is None else [type_json(type_) for type_ in types]

    def selector(self, node: nodes.FunctionDefinition | nodes.VariableDeclaration) -> str | None:
        if self.model is None or not is_part_of_external_interface(node):
            return None
        if isinstance(node, nodes.VariableDeclaration):
            return f"{getter_type(node, self.model).selector():08x}"
        return f"{function_type(node, self.model, 'external').selector():08x}"

    def bases_of(self, node: nodes.Declaration) -> list[int] | None:
        bases = () if self.model is None else self.model.base_functions.get(node.id, ())
        return sorted(base.id for base in bases) or None


def source_text(source: SourceRange) -> str:
    """A place as ``start:length:file``."""
    return f"{source.start}:{source.length}:{source.file}"


def type_json(type_: Type | None, without_location: bool = False) -> Json:
    """A type's identifier and text."""
    if type_ is None:
        return {}
    return {"typeIdentifier": type_.identifier(), "typeString": type_.text(without_location)}


def symbol_id(symbol: Any) -> int | None:
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
