"""The SemanticModel: everything analysis found out, keyed by node id; lowering and artifacts read it.

The names are those of solc's AST annotations. Every look-up of a node that analysis has visited succeeds; an
absent optional fact is None.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal as OneOf

from smartvm.compiler.analysis import types
from smartvm.compiler.ast import nodes
from smartvm.compiler.source import SourceText
from smartvm.records import dataclass, field

CallKind = OneOf["function_call", "type_conversion", "struct_constructor_call"]
Lookup = OneOf["static", "virtual", "super"]


@dataclass(frozen=True, slots=True)
class MagicVariable:
    """A builtin name (``msg``, ``this``, ``keccak256``, ``require`` ...) with its type. ``id`` is negative,
    as in solc's AST."""

    name: str
    type: types.Type
    id: int = 0


#: What a name can refer to.
Symbol = nodes.Declaration | nodes.ImportDirective | MagicVariable


@dataclass(frozen=True, slots=True)
class ExternalReference:
    """A Yul identifier that refers to a Solidity declaration (a variable, or a library for its address).
    ``suffix``: "", "slot", "offset", "length", "address" or "selector"."""

    declaration: nodes.Declaration
    suffix: str
    value_size: int = 1


@dataclass(frozen=True, slots=True)
class CatchKinds:
    """The clauses of a try statement by what they catch; None: absent."""

    success: nodes.TryCatchClause
    error: nodes.TryCatchClause | None
    panic: nodes.TryCatchClause | None
    fallback: nodes.TryCatchClause | None


@dataclass(frozen=True, slots=True)
class ContractFacts:
    """What is known of a contract besides its members."""

    #: most derived (itself) first, as solc's linearizedBaseContracts
    linearized_base_contracts: tuple[nodes.ContractDefinition, ...]
    #: for every base whose constructor takes arguments: where they are given and what they are
    base_constructor_arguments: Mapping[int, tuple[nodes.Node, tuple[nodes.Expression, ...]]]
    #: contracts whose creation code (``new``, ``type(C).creationCode``) or runtime code it needs
    creation_dependencies: tuple[nodes.ContractDefinition, ...]
    #: neither abstract nor an interface nor with unimplemented functions: code is made for it
    is_deployable: bool
    used_events: tuple[nodes.EventDefinition, ...]
    used_errors: tuple[nodes.ErrorDefinition, ...]
    #: slot at which storage starts (``layout at``)
    storage_base: int
    unimplemented: tuple[nodes.Declaration, ...] = ()


@dataclass
class SemanticModel:
    """Facts about the nodes of all source units of one compilation. Filled by analysis, then only read."""

    sources: Sequence[SourceText]
    units: Mapping[str, nodes.SourceUnit]
    evm_version: str

    #: every node by id
    node_by_id: dict[int, nodes.Node] = field(default_factory=dict)
    #: enclosing node (block, function, contract, unit ...) by node id
    parent: dict[int, nodes.Node] = field(default_factory=dict)
    #: what encloses a declaration as a scope (solc's ``scope``): for a parameter its function, for a local
    #: variable its block, for a member its contract or struct, for the rest its source unit
    scope: dict[int, nodes.Node] = field(default_factory=dict)
    #: contract in which a node stands, by node id, for nodes within one
    contract_of: dict[int, nodes.ContractDefinition] = field(default_factory=dict)

    #: type of every expression
    expression_types: dict[int, types.Type] = field(default_factory=dict)
    #: type named by every TypeName (in its declared location where it has one)
    type_names: dict[int, types.Type] = field(default_factory=dict)
    #: type of every variable declaration
    variable_types: dict[int, types.Type] = field(default_factory=dict)
    #: type of functions, events, errors, modifiers (as seen internally), TypeTypes of contracts, structs,
    #: enums ...
    declaration_types: dict[int, types.Type] = field(default_factory=dict)

    #: Identifier, MemberAccess, IdentifierPath -> what it refers to (after overload resolution)
    referenced_declaration: dict[int, Symbol] = field(default_factory=dict)
    #: Identifier -> all candidates of overload resolution, where there were several
    overloaded_declarations: dict[int, tuple[Symbol, ...]] = field(default_factory=dict)
    #: IdentifierPath -> what each of its parts refers to
    path_declarations: dict[int, tuple[Symbol, ...]] = field(default_factory=dict)
    #: called expressions -> the types of the arguments (solc's ``argumentTypes``)
    argument_types: dict[int, tuple[types.Type, ...]] = field(default_factory=dict)
    #: Identifier, MemberAccess, IdentifierPath (modifiers): how the function found is called
    required_lookup: dict[int, Lookup] = field(default_factory=dict)
    call_kind: dict[int, CallKind] = field(default_factory=dict)
    #: arguments of calls, struct constructors and modifiers in the order of the parameters, by call's id
    sorted_arguments: dict[int, tuple[nodes.Expression, ...]] = field(default_factory=dict)
    #: calls that stand in a try statement
    try_calls: set[int] = field(default_factory=set)
    #: Conditional, Assignment-free BinaryOperation: the type in which the operation is done
    common_type: dict[int, types.Type] = field(default_factory=dict)
    #: Unary/BinaryOperation -> user-defined operator function
    user_defined_function: dict[int, nodes.FunctionDefinition] = field(default_factory=dict)
    is_pure: dict[int, bool] = field(default_factory=dict)
    is_lvalue: dict[int, bool] = field(default_factory=dict)
    #: identifiers that name constants (solc's ``isConstant``)
    is_constant: set[int] = field(default_factory=set)
    #: called expressions that name the function (needs no function pointer)
    called_directly: set[int] = field(default_factory=set)
    #: expressions that are assigned to (no value of them is read first unless compound)
    will_be_written_to: set[int] = field(default_factory=set)
    #: compile-time value of constant expressions (array lengths, ``layout at``, rational conversions)
    constant_values: dict[int, int] = field(default_factory=dict)

    contracts: dict[int, ContractFacts] = field(default_factory=dict)
    #: contract -> itself and its bases, most derived first (known before ``contracts`` is)
    linearized_bases: dict[int, tuple[nodes.ContractDefinition, ...]] = field(default_factory=dict)
    #: names of contracts, structs, enums ... with the enclosing contract's before them
    canonical_names: dict[int, str] = field(default_factory=dict)
    #: ids of structs that contain themselves
    recursive_structs: set[int] = field(default_factory=set)
    #: function, modifier or public state variable -> the base functions it overrides
    base_functions: dict[int, tuple[nodes.Declaration, ...]] = field(default_factory=dict)
    #: Return -> return parameters of its function (None in modifiers)
    function_return_parameters: dict[int, nodes.ParameterList | None] = field(default_factory=dict)
    try_clauses: dict[int, CatchKinds] = field(default_factory=dict)
    #: InlineAssembly id -> Yul identifier's range (start, length) -> reference
    external_references: dict[int, dict[tuple[int, int], ExternalReference]] = field(default_factory=dict)
    #: InlineAssembly ids marked or documented as memory-safe
    memory_safe_assembly: set[int] = field(default_factory=set)
    #: exported symbols of each source unit, by unit id
    exported_symbols: dict[int, Mapping[str, tuple[Symbol, ...]]] = field(default_factory=dict)
    #: units in the order in which they were analysed: what is imported before what imports it
    source_order: tuple[nodes.SourceUnit, ...] = ()
    #: variable -> ids of the InlineAssembly that reads it, and that assigns it, as a whole
    assembly_reads: dict[int, set[int]] = field(default_factory=dict)
    assembly_writes: dict[int, set[int]] = field(default_factory=dict)
    #: InlineAssembly ids whose code may read or write memory
    assembly_with_memory_effects: set[int] = field(default_factory=set)
    #: InlineAssembly ids whose code uses the DNN instructions' Buffer
    buffer_assembly: set[int] = field(default_factory=set)
    #: documented node -> the contract that its ``@inheritdoc`` names
    inheritdoc_reference: dict[int, nodes.ContractDefinition] = field(default_factory=dict)
    #: ABI coder of each source unit: 1 or 2
    abi_coder: dict[int, int] = field(default_factory=dict)

    _sources_by_index: dict[int, SourceText] = field(default_factory=dict, repr=False)
    #: signature, selector and type of functions of interfaces, by definition's id
    interface_entries: dict[int, tuple[str, int, types.FunctionType] | None] = field(
        default_factory=dict, repr=False
    )
    #: types of functions that were made already, by definition's id and kind (see ``types.function_type``)
    function_types: dict[tuple[int, str], types.FunctionType] = field(default_factory=dict, repr=False)

    def type_of(self, expression: nodes.Expression) -> types.Type:
        """The type of an expression."""
        return self.expression_types[expression.id]

    def type_of_declaration(self, declaration: nodes.Node) -> types.Type:
        """The type of a declaration (see ``types.DeclaredTypes``)."""
        if declaration.id in self.variable_types:
            return self.variable_types[declaration.id]
        return self.declaration_types[declaration.id]

    def type_of_type_name(self, type_name: nodes.TypeName) -> types.Type:
        """The type that a type name denotes."""
        return self.type_names[type_name.id]

    def scope_of(self, declaration: nodes.Node) -> nodes.Node | None:
        """The function, block, contract, struct or source unit in which a declaration stands."""
        return self.scope.get(declaration.id)

    def canonical_name(self, declaration: nodes.Declaration) -> str:
        """The name with that of the enclosing contract before it."""
        return self.canonical_names.get(declaration.id, declaration.name)

    def linearized_base_contracts(
        self, contract: nodes.ContractDefinition
    ) -> tuple[nodes.ContractDefinition, ...]:
        """The contract and its bases, most derived first."""
        return self.linearized_bases.get(contract.id, (contract,))

    def is_recursive_struct(self, definition: nodes.StructDefinition) -> bool:
        """Whether a struct contains itself through arrays or mappings."""
        return definition.id in self.recursive_structs

    def exported_symbols_of(self, unit: nodes.SourceUnit) -> Mapping[str, tuple[Symbol, ...]]:
        """The names that a source unit exports."""
        return self.exported_symbols.get(unit.id, {})

    def source_text(self, index: int) -> SourceText | None:
        """The source with an index (the ``file`` of ranges)."""
        if not self._sources_by_index:
            self._sources_by_index.update({source.index: source for source in self.sources})
        return self._sources_by_index.get(index)

    def facts(self, contract: nodes.ContractDefinition) -> ContractFacts:
        """The facts of a contract."""
        return self.contracts[contract.id]
