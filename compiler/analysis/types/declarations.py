"""The types that declarations have: as functions, getters, events, errors, constructors."""

from __future__ import annotations

from smartvm.compiler.analysis.types.base import DeclaredTypes, Type
from smartvm.compiler.analysis.types.elementary import UINT256
from smartvm.compiler.analysis.types.functions import FunctionKind, FunctionType, selector_of_signature
from smartvm.compiler.analysis.types.others import MagicType
from smartvm.compiler.analysis.types.reference import (
    ArrayType,
    MappingType,
    StructType,
    with_location,
    with_location_if_reference,
)
from smartvm.compiler.analysis.types.user_defined import ContractType
from smartvm.compiler.ast import nodes


def visibility_of(declaration: nodes.Declaration) -> nodes.Visibility:
    """The visibility with its default filled in."""
    if isinstance(declaration, nodes.FunctionDefinition):
        if declaration.visibility != "default":
            return declaration.visibility
        return "internal" if declaration.kind == "freeFunction" else "public"
    if isinstance(declaration, nodes.VariableDeclaration):
        return "internal" if declaration.visibility == "default" else declaration.visibility
    if isinstance(declaration, nodes.ModifierDefinition):
        return "internal"
    return "public"


def is_public(declaration: nodes.Declaration) -> bool:
    """Visible from outside: public or external."""
    return visibility_of(declaration) in ("public", "external")


def is_library_function(declaration: nodes.Declaration, declared: DeclaredTypes) -> bool:
    """Whether it is defined in a library."""
    scope = declared.scope_of(declaration)
    return isinstance(scope, nodes.ContractDefinition) and scope.contract_kind == "library"


def is_part_of_external_interface(declaration: nodes.Declaration) -> bool:
    """Whether it can be called from outside: public functions and getters."""
    if isinstance(declaration, nodes.FunctionDefinition):
        return declaration.kind == "function" and is_public(declaration)
    return isinstance(declaration, nodes.VariableDeclaration) and is_public(declaration)


def _types_of(parameters: nodes.ParameterList, declared: DeclaredTypes) -> tuple[Type, ...]:
    return tuple(declared.type_of_declaration(p) for p in parameters.parameters)


def _names_of(parameters: nodes.ParameterList) -> tuple[str, ...]:
    return tuple(p.name for p in parameters.parameters)


def function_type(
    definition: nodes.FunctionDefinition, declared: DeclaredTypes, kind: FunctionKind = "internal"
) -> FunctionType:
    """The type of a function as called internally, externally, or only named ("declaration")."""
    known: FunctionType | None = declared.function_types.get((definition.id, kind))
    if known is not None:
        return known
    mutability = definition.state_mutability
    if kind == "internal" and mutability == "payable":
        mutability = "nonpayable"
    result = FunctionType(
        _types_of(definition.parameters, declared),
        _types_of(definition.return_parameters, declared),
        kind,
        mutability,
        _names_of(definition.parameters),
        _names_of(definition.return_parameters),
        declaration=definition,
        declared=declared,
    )
    declared.function_types[definition.id, kind] = result
    return result


def type_via_contract_name(definition: nodes.FunctionDefinition, declared: DeclaredTypes) -> FunctionType:
    """The type of a function named through its contract or library (``L.f``)."""
    if not is_library_function(definition, declared):
        return function_type(definition, declared, "declaration")
    if is_public(definition):
        return function_type(definition, declared, "declaration").as_externally_callable_function(True)
    return function_type(definition, declared)


def attached_function_type(definition: nodes.FunctionDefinition, declared: DeclaredTypes) -> FunctionType:
    """The type of a function that a using directive names."""
    if is_library_function(definition, declared):
        return type_via_contract_name(definition, declared)
    return function_type(definition, declared)


def event_type(definition: nodes.EventDefinition, declared: DeclaredTypes) -> FunctionType:
    """The type of an event's name."""
    return FunctionType(
        _types_of(definition.parameters, declared),
        (),
        "event",
        "nonpayable",
        _names_of(definition.parameters),
        declaration=definition,
        declared=declared,
    )


def error_type(definition: nodes.ErrorDefinition, declared: DeclaredTypes) -> FunctionType:
    """The type of an error's name."""
    return FunctionType(
        _types_of(definition.parameters, declared),
        (MagicType("error"),),
        "error",
        "pure",
        _names_of(definition.parameters),
        declaration=definition,
        declared=declared,
    )


def getter_type(variable: nodes.VariableDeclaration, declared: DeclaredTypes) -> FunctionType:
    """The type of a public state variable's getter (docs/contracts.rst, Getter Functions)."""
    returned = declared.type_of_declaration(variable)
    parameters: list[Type] = []
    names: list[str] = []
    return_name = ""
    while True:
        if isinstance(returned, MappingType):
            parameters.append(returned.key_type)
            names.append(returned.key_name)
            return_name = returned.value_name
            returned = returned.value_type
        elif isinstance(returned, ArrayType) and not returned.is_byte_array_or_string:
            parameters.append(UINT256)
            names.append("")
            returned = returned.base_type
        else:
            break
    returns: list[Type] = []
    return_names: list[str] = []
    if isinstance(returned, StructType):
        for member, member_type in returned.member_types().items():
            if isinstance(member_type, MappingType):
                continue
            if isinstance(member_type, ArrayType) and not member_type.is_byte_array_or_string:
                continue
            returns.append(with_location_if_reference("memory", member_type))
            return_names.append(member)
    else:
        returns.append(with_location_if_reference("memory", returned))
        return_names.append(return_name)
    return FunctionType(
        tuple(parameters),
        tuple(returns),
        "external",
        "view",
        tuple(names),
        tuple(return_names),
        declaration=variable,
        declared=declared,
    )


def constructor_of(contract: nodes.ContractDefinition) -> nodes.FunctionDefinition | None:
    """The constructor that the contract itself defines."""
    for node in contract.nodes:
        if isinstance(node, nodes.FunctionDefinition) and node.kind == "constructor":
            return node
    return None


def creation_type(contract: nodes.ContractDefinition, declared: DeclaredTypes) -> FunctionType:
    """The type of ``new C``."""
    constructor = constructor_of(contract)
    payable = constructor is not None and constructor.state_mutability == "payable"
    return FunctionType(
        _types_of(constructor.parameters, declared) if constructor else (),
        (ContractType(contract, declared=declared),),
        "creation",
        "payable" if payable else "nonpayable",
        _names_of(constructor.parameters) if constructor else (),
        declared=declared,
    )


def struct_constructor_type(struct: StructType) -> FunctionType:
    """The type of a struct's name as a function that makes it in memory."""
    members = struct.member_types()
    return FunctionType(
        tuple(with_location_if_reference("memory", m) for m in members.values()),
        (with_location(struct, "memory", False),),
        "internal",
        "nonpayable",
        tuple(members),
    )


def interface_functions(
    contract: nodes.ContractDefinition, declared: DeclaredTypes, include_inherited: bool = True
) -> list[tuple[int, FunctionType]]:
    """Selector and external type of every function of the contract's interface, most derived first, one for
    each signature. Functions whose parameters cannot stand in an interface are left out."""
    seen: set[str] = set()
    result: list[tuple[int, FunctionType]] = []
    for base in declared.linearized_base_contracts(contract):
        if base is not contract and not include_inherited:
            continue
        members: list[nodes.FunctionDefinition | nodes.VariableDeclaration] = []
        members += [node for node in base.nodes if isinstance(node, nodes.FunctionDefinition)]
        members += [node for node in base.nodes if isinstance(node, nodes.VariableDeclaration)]
        for member in members:
            if not is_part_of_external_interface(member):
                continue
            entry = _interface_entry(member, declared)
            if entry is None or entry[0] in seen:
                continue
            seen.add(entry[0])
            result.append((entry[1], entry[2]))
    return result


def _interface_entry(
    member: nodes.FunctionDefinition | nodes.VariableDeclaration, declared: DeclaredTypes
) -> tuple[str, int, FunctionType] | None:
    """Signature, selector and external type; None when a parameter cannot stand in an interface."""
    known: dict[int, tuple[str, int, FunctionType] | None] = declared.interface_entries
    if member.id not in known:
        function = (
            function_type(member, declared, "external")
            if isinstance(member, nodes.FunctionDefinition)
            else getter_type(member, declared)
        )
        if function.interface_function_type() is None:
            known[member.id] = None
        else:
            signature = function.external_signature()
            known[member.id] = signature, selector_of_signature(signature), function
    return known[member.id]


def interface_id(contract: nodes.ContractDefinition, declared: DeclaredTypes) -> int:
    """``type(I).interfaceId`` (EIP-165): all own selectors combined by exclusive or."""
    result = 0
    for selector, _ in interface_functions(contract, declared, include_inherited=False):
        result ^= selector
    return result
