"""The nodes of Solidity's syntax tree: frozen, text-level facts only, named as in solc's AST JSON.

What analysis finds out about a node (its type, what it refers to) stands in ``analysis.model.SemanticModel``
under the node's ``id``. Lists are tuples; an absent part is None. ``id`` is unique over all source units of a
compilation; ``src`` counts UTF-8 bytes.
"""

from __future__ import annotations

from typing import Literal as OneOf

from smartvm.compiler.source import NO_SOURCE, SourceRange
from smartvm.compiler.yul import ast as yul
from smartvm.records import dataclass

Visibility = OneOf["default", "private", "internal", "public", "external"]
StateMutability = OneOf["pure", "view", "nonpayable", "payable"]
DataLocation = OneOf["default", "storage", "transient", "memory", "calldata"]
Mutability = OneOf["mutable", "immutable", "constant"]


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """What every node has. Nodes compare and hash by identity."""

    id: int
    src: SourceRange


@dataclass(frozen=True, slots=True, eq=False)
class StructuredDocumentation(Node):
    """A ``///`` or ``/** */`` comment that documents what follows, as raw text without comment marks."""

    text: str


# --- source units and file level ------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class SourceUnit(Node):
    """A whole file. ``absolute_path`` is its source unit name."""

    absolute_path: str
    license: str | None
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True, eq=False)
class PragmaDirective(Node):
    """``pragma literals;`` with the tokens as written (``("solidity", "^", "0.8", ".20")``)."""

    literals: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class SymbolAlias:
    """``foreign as local`` in an import."""

    foreign: Identifier
    local: str | None
    name_location: SourceRange


@dataclass(frozen=True, slots=True, eq=False)
class ImportDirective(Node):
    """Every form of import. ``absolute_path`` is the resolved source unit name (filled by the import resolver)."""

    file: str
    absolute_path: str
    unit_alias: str
    name_location: SourceRange
    symbol_aliases: tuple[SymbolAlias, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Declaration(Node):
    """Whatever introduces a name."""

    name: str
    name_location: SourceRange


@dataclass(frozen=True, slots=True, eq=False)
class IdentifierPath(Node):
    """A dotted name outside expressions (types, bases, modifiers, using): parts and the range of each."""

    name_parts: tuple[str, ...]
    name_locations: tuple[SourceRange, ...]

    @property
    def name(self) -> str:
        """The path as written, with dots."""
        return ".".join(self.name_parts)


@dataclass(frozen=True, slots=True, eq=False)
class InheritanceSpecifier(Node):
    """A base with its constructor arguments (None: no parentheses were written)."""

    base_name: IdentifierPath
    arguments: tuple[Expression, ...] | None


@dataclass(frozen=True, slots=True, eq=False)
class StorageLayoutSpecifier(Node):
    """``layout at expression``."""

    base_slot_expression: Expression


@dataclass(frozen=True, slots=True, eq=False)
class ContractDefinition(Declaration):
    """A contract, interface or library."""

    contract_kind: OneOf["contract", "interface", "library"]
    abstract: bool
    base_contracts: tuple[InheritanceSpecifier, ...]
    storage_layout: StorageLayoutSpecifier | None
    nodes: tuple[Node, ...]
    documentation: StructuredDocumentation | None


@dataclass(frozen=True, slots=True, eq=False)
class UsingForFunction:
    """A function (or library) in a using directive, with the operator it defines."""

    path: IdentifierPath
    operator: str | None


@dataclass(frozen=True, slots=True, eq=False)
class UsingForDirective(Node):
    """``using L for T``, ``using {f, g as +} for T global``. ``type_name`` None is ``*``; ``uses_braces`` tells
    the forms apart."""

    functions: tuple[UsingForFunction, ...]
    uses_braces: bool
    type_name: TypeName | None
    is_global: bool


@dataclass(frozen=True, slots=True, eq=False)
class StructDefinition(Declaration):
    """A struct."""

    members: tuple[VariableDeclaration, ...]
    documentation: StructuredDocumentation | None


@dataclass(frozen=True, slots=True, eq=False)
class EnumValue(Declaration):
    """A member of an enum."""


@dataclass(frozen=True, slots=True, eq=False)
class EnumDefinition(Declaration):
    """An enum."""

    members: tuple[EnumValue, ...]
    documentation: StructuredDocumentation | None


@dataclass(frozen=True, slots=True, eq=False)
class UserDefinedValueTypeDefinition(Declaration):
    """``type name is underlying_type;``"""

    underlying_type: TypeName


@dataclass(frozen=True, slots=True, eq=False)
class ParameterList(Node):
    """Parameters or return parameters."""

    parameters: tuple[VariableDeclaration, ...]


@dataclass(frozen=True, slots=True, eq=False)
class OverrideSpecifier(Node):
    """``override`` or ``override(A, B)``."""

    overrides: tuple[IdentifierPath, ...]


@dataclass(frozen=True, slots=True, eq=False)
class ModifierInvocation(Node):
    """A modifier or base constructor in a function's header (arguments None: no parentheses)."""

    modifier_name: IdentifierPath
    arguments: tuple[Expression, ...] | None


@dataclass(frozen=True, slots=True, eq=False)
class FunctionDefinition(Declaration):
    """A function, constructor, ``receive``, ``fallback`` or free function. ``state_mutability`` is what is
    written or its default; ``visibility`` "default" when none is written."""

    kind: OneOf["function", "constructor", "receive", "fallback", "freeFunction"]
    visibility: Visibility
    state_mutability: StateMutability
    virtual: bool
    override: OverrideSpecifier | None
    parameters: ParameterList
    modifiers: tuple[ModifierInvocation, ...]
    return_parameters: ParameterList
    body: Block | None
    documentation: StructuredDocumentation | None


@dataclass(frozen=True, slots=True, eq=False)
class ModifierDefinition(Declaration):
    """A modifier."""

    parameters: ParameterList
    virtual: bool
    override: OverrideSpecifier | None
    body: Block | None
    documentation: StructuredDocumentation | None


@dataclass(frozen=True, slots=True, eq=False)
class EventDefinition(Declaration):
    """An event."""

    parameters: ParameterList
    anonymous: bool
    documentation: StructuredDocumentation | None


@dataclass(frozen=True, slots=True, eq=False)
class ErrorDefinition(Declaration):
    """An error."""

    parameters: ParameterList
    documentation: StructuredDocumentation | None


@dataclass(frozen=True, slots=True, eq=False)
class VariableDeclaration(Declaration):
    """Any variable: state, local, parameter, struct member, file-level constant. ``name`` may be empty (unnamed
    parameter)."""

    type_name: TypeName | None
    value: Expression | None
    visibility: Visibility
    storage_location: DataLocation
    mutability: Mutability
    indexed: bool
    state_variable: bool
    override: OverrideSpecifier | None
    documentation: StructuredDocumentation | None


# --- type names -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class TypeName(Node):
    """A type as written."""


@dataclass(frozen=True, slots=True, eq=False)
class ElementaryTypeName(TypeName):
    """``uint256``, ``bytes``, ``address`` ...; ``state_mutability`` is "payable" for ``address payable``, else None."""

    name: str
    state_mutability: StateMutability | None


@dataclass(frozen=True, slots=True, eq=False)
class UserDefinedTypeName(TypeName):
    """A contract, struct, enum or user-defined value type by its path."""

    path_node: IdentifierPath


@dataclass(frozen=True, slots=True, eq=False)
class FunctionTypeName(TypeName):
    """``function (parameters) visibility mutability returns (...)``."""

    parameter_types: ParameterList
    return_parameter_types: ParameterList
    visibility: Visibility
    state_mutability: StateMutability


@dataclass(frozen=True, slots=True, eq=False)
class Mapping(TypeName):
    """``mapping(K name => V name)``."""

    key_type: TypeName
    key_name: str
    key_name_location: SourceRange
    value_type: TypeName
    value_name: str
    value_name_location: SourceRange


@dataclass(frozen=True, slots=True, eq=False)
class ArrayTypeName(TypeName):
    """``T[]`` or ``T[length]``."""

    base_type: TypeName
    length: Expression | None


# --- statements -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Statement(Node):
    """A statement."""


@dataclass(frozen=True, slots=True, eq=False)
class Block(Statement):
    """``{ ... }`` or, when ``unchecked``, ``unchecked { ... }`` (solc's UncheckedBlock)."""

    statements: tuple[Statement, ...]
    unchecked: bool


@dataclass(frozen=True, slots=True, eq=False)
class PlaceholderStatement(Statement):
    """``_;`` in a modifier."""


@dataclass(frozen=True, slots=True, eq=False)
class IfStatement(Statement):
    """``if``."""

    condition: Expression
    true_body: Statement
    false_body: Statement | None


@dataclass(frozen=True, slots=True, eq=False)
class WhileStatement(Statement):
    """``while``; ``is_do_while`` for ``do ... while`` (solc's DoWhileStatement)."""

    condition: Expression
    body: Statement
    is_do_while: bool


@dataclass(frozen=True, slots=True, eq=False)
class ForStatement(Statement):
    """``for``."""

    initialization_expression: Statement | None
    condition: Expression | None
    loop_expression: ExpressionStatement | None
    body: Statement


@dataclass(frozen=True, slots=True, eq=False)
class Continue(Statement):
    """``continue;``"""


@dataclass(frozen=True, slots=True, eq=False)
class Break(Statement):
    """``break;``"""


@dataclass(frozen=True, slots=True, eq=False)
class Return(Statement):
    """``return expression;``"""

    expression: Expression | None


@dataclass(frozen=True, slots=True, eq=False)
class EmitStatement(Statement):
    """``emit call;``"""

    event_call: FunctionCall


@dataclass(frozen=True, slots=True, eq=False)
class RevertStatement(Statement):
    """``revert Error(...);``"""

    error_call: FunctionCall


@dataclass(frozen=True, slots=True, eq=False)
class VariableDeclarationStatement(Statement):
    """Declares variables (None: a gap in a tuple) with an optional value."""

    declarations: tuple[VariableDeclaration | None, ...]
    initial_value: Expression | None


@dataclass(frozen=True, slots=True, eq=False)
class ExpressionStatement(Statement):
    """An expression as a statement."""

    expression: Expression


@dataclass(frozen=True, slots=True, eq=False)
class TryCatchClause(Node):
    """The success clause (first, ``error_name`` "") or a catch clause ("Error", "Panic" or "")."""

    error_name: str
    parameters: ParameterList | None
    block: Block


@dataclass(frozen=True, slots=True, eq=False)
class TryStatement(Statement):
    """``try call returns (...) { } catch ...``; ``clauses[0]`` is the success clause."""

    external_call: Expression
    clauses: tuple[TryCatchClause, ...]


@dataclass(frozen=True, slots=True, eq=False)
class InlineAssembly(Statement):
    """``assembly "dialect" (flags) { ... }``. Names like ``x.slot`` stand in the Yul tree as the identifier
    "x.slot". ``operations`` is the Yul block."""

    dialect: str | None
    flags: tuple[str, ...] | None
    operations: yul.Block
    documentation: StructuredDocumentation | None


# --- expressions ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Expression(Node):
    """An expression."""


@dataclass(frozen=True, slots=True, eq=False)
class Conditional(Expression):
    """``condition ? true_expression : false_expression``."""

    condition: Expression
    true_expression: Expression
    false_expression: Expression


@dataclass(frozen=True, slots=True, eq=False)
class Assignment(Expression):
    """``left operator right`` with ``=``, ``+=`` ..."""

    operator: str
    left_hand_side: Expression
    right_hand_side: Expression


@dataclass(frozen=True, slots=True, eq=False)
class TupleExpression(Expression):
    """``(a, , b)`` or, when ``is_inline_array``, ``[a, b]``. A single component is a parenthesised expression."""

    components: tuple[Expression | None, ...]
    is_inline_array: bool


@dataclass(frozen=True, slots=True, eq=False)
class UnaryOperation(Expression):
    """``operator`` is one of ``! ~ - ++ -- delete``."""

    operator: str
    prefix: bool
    sub_expression: Expression


@dataclass(frozen=True, slots=True, eq=False)
class BinaryOperation(Expression):
    """``left operator right``."""

    operator: str
    left_expression: Expression
    right_expression: Expression


@dataclass(frozen=True, slots=True, eq=False)
class FunctionCall(Expression):
    """A call, type conversion or struct constructor (the model tells). ``names`` is empty for positional
    arguments."""

    expression: Expression
    arguments: tuple[Expression, ...]
    names: tuple[str, ...]
    name_locations: tuple[SourceRange, ...]


@dataclass(frozen=True, slots=True, eq=False)
class FunctionCallOptions(Expression):
    """``expression{value: v, gas: g, salt: s}``."""

    expression: Expression
    names: tuple[str, ...]
    options: tuple[Expression, ...]


@dataclass(frozen=True, slots=True, eq=False)
class NewExpression(Expression):
    """``new T``."""

    type_name: TypeName


@dataclass(frozen=True, slots=True, eq=False)
class MemberAccess(Expression):
    """``expression.member_name``."""

    expression: Expression
    member_name: str
    member_location: SourceRange


@dataclass(frozen=True, slots=True, eq=False)
class IndexAccess(Expression):
    """``base[index]``; index is None in a type such as ``uint[]``."""

    base_expression: Expression
    index_expression: Expression | None


@dataclass(frozen=True, slots=True, eq=False)
class IndexRangeAccess(Expression):
    """``base[start:end]``."""

    base_expression: Expression
    start_expression: Expression | None
    end_expression: Expression | None


@dataclass(frozen=True, slots=True, eq=False)
class Identifier(Expression):
    """A name in an expression (``this``, ``super``, ``msg`` ... too)."""

    name: str


@dataclass(frozen=True, slots=True, eq=False)
class ElementaryTypeNameExpression(Expression):
    """A type name as an expression: ``uint8`` in ``uint8(x)``."""

    type_name: ElementaryTypeName


@dataclass(frozen=True, slots=True, eq=False)
class Literal(Expression):
    """``kind`` "number" (``text`` as written, ``sub_denomination`` such as "ether"), "bool", "string",
    "hexString", "unicodeString". ``value`` is the decoded bytes of the string kinds, else None."""

    kind: OneOf["number", "bool", "string", "hexString", "unicodeString"]
    text: str
    value: bytes | None
    sub_denomination: str | None


__all__ = [name for name, thing in list(globals().items()) if isinstance(thing, type) and issubclass(thing, Node)]
__all__ += ["NO_SOURCE", "SymbolAlias", "UsingForFunction"]
