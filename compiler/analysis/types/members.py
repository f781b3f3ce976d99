"""The members of types that need no using directive (docs/units-and-global-variables.rst, docs/types.rst)."""

from __future__ import annotations

from smartvm.compiler.analysis.types.base import DeclaredTypes, Type
from smartvm.compiler.analysis.types.declarations import (
    function_type,
    interface_functions,
    is_part_of_external_interface,
    is_public,
    type_via_contract_name,
    visibility_of,
)
from smartvm.compiler.analysis.types.elementary import (
    ADDRESS,
    ADDRESS_PAYABLE,
    BOOL,
    BYTES4,
    BYTES32,
    UINT8,
    UINT256,
    AddressType,
    FixedBytesType,
    IntegerType,
)
from smartvm.compiler.analysis.types.functions import FunctionKind, FunctionType
from smartvm.compiler.analysis.types.others import MagicType, ModuleType, TypeType
from smartvm.compiler.analysis.types.reference import (
    BYTES_CALLDATA,
    BYTES_MEMORY,
    BYTES_STORAGE,
    STRING_MEMORY,
    ArrayType,
    StructType,
    with_location,
)
from smartvm.compiler.analysis.types.user_defined import ContractType, EnumType, UserDefinedValueType
from smartvm.compiler.ast import nodes
from smartvm.records import dataclass


@dataclass(frozen=True, slots=True)
class Member:
    """What ``expression.name`` may mean; overloads are several members of one name."""

    name: str
    type: Type
    declaration: nodes.Declaration | None = None


def _abi(
    kind: FunctionKind, parameters: tuple[Type, ...] = (), returns: tuple[Type, ...] = (BYTES_MEMORY,)
) -> Type:
    return FunctionType(parameters, returns, kind, "pure", arbitrary_parameters=True)


def _low_level(kind: FunctionKind, mutability: nodes.StateMutability) -> Type:
    return FunctionType((BYTES_MEMORY,), (BOOL, BYTES_MEMORY), kind, mutability)


_ADDRESS_MEMBERS = (
    Member("balance", UINT256),
    Member("code", BYTES_MEMORY),
    Member("codehash", BYTES32),
    Member("call", _low_level("bare_call", "payable")),
    Member("callcode", _low_level("bare_call_code", "payable")),
    Member("delegatecall", _low_level("bare_delegate_call", "nonpayable")),
    Member("staticcall", _low_level("bare_static_call", "view")),
)
_PAYABLE_MEMBERS = (
    *_ADDRESS_MEMBERS,
    Member("send", FunctionType((UINT256,), (BOOL,), "send")),
    Member("transfer", FunctionType((UINT256,), (), "transfer")),
)
_MAGIC_MEMBERS: dict[str, tuple[Member, ...]] = {
    "block": (
        Member("coinbase", ADDRESS_PAYABLE),
        Member("timestamp", UINT256),
        Member("blockhash", FunctionType((UINT256,), (BYTES32,), "blockhash", "view")),
        Member("difficulty", UINT256),
        Member("prevrandao", UINT256),
        Member("number", UINT256),
        Member("gaslimit", UINT256),
        Member("chainid", UINT256),
        Member("basefee", UINT256),
        Member("blobbasefee", UINT256),
    ),
    "message": (
        Member("sender", ADDRESS),
        Member("gas", UINT256),
        Member("value", UINT256),
        Member("data", BYTES_CALLDATA),
        Member("sig", BYTES4),
    ),
    "transaction": (Member("origin", ADDRESS), Member("gasprice", UINT256)),
    "abi": (
        Member("encode", _abi("abi_encode")),
        Member("encodePacked", _abi("abi_encode_packed")),
        Member("encodeWithSelector", _abi("abi_encode_with_selector", (BYTES4,))),
        Member("encodeCall", _abi("abi_encode_call")),
        Member("encodeWithSignature", _abi("abi_encode_with_signature", (STRING_MEMORY,))),
        Member("decode", _abi("abi_decode", (), ())),
    ),
    "error": (),
}


def is_visible_in_derived_contracts(declaration: nodes.Declaration) -> bool:
    """Whether contracts that derive from the one defining it can name it."""
    if isinstance(declaration, nodes.FunctionDefinition):
        if declaration.kind != "function":
            return False
        return visibility_of(declaration) in ("internal", "public")
    if isinstance(declaration, nodes.VariableDeclaration | nodes.ModifierDefinition):
        return visibility_of(declaration) in ("internal", "public")
    return True


def _is_visible_via_contract_type(declaration: nodes.Declaration) -> bool:
    if isinstance(declaration, nodes.FunctionDefinition):
        return declaration.kind == "function" and is_public(declaration)
    return not isinstance(declaration, nodes.VariableDeclaration | nodes.ModifierDefinition)


def _array_members(array: ArrayType) -> list[Member]:
    if array.is_string:
        return []
    members = [Member("length", UINT256)]
    if array.length is None and array.location == "storage":
        pointer = with_location(array, "storage", True)
        base = array.base_type
        members += [
            Member("push", FunctionType((pointer,), (base,), "array_push", bound=True)),
            Member("push", FunctionType((pointer, base), (), "array_push", bound=True)),
            Member("pop", FunctionType((pointer,), (), "array_pop", bound=True)),
        ]
    return members


def _function_members(
    function: FunctionType, scope: nodes.Node | None, declared: DeclaredTypes
) -> list[Member]:
    declaration = function.declaration
    selector = Member("selector", BYTES4)
    match function.kind:
        case "declaration":
            return (
                [selector] if declaration is not None and is_part_of_external_interface(declaration) else []
            )
        case "internal":
            if isinstance(declaration, nodes.FunctionDefinition) and scope is not None:
                contract = declared.scope_of(declaration)
                if (
                    isinstance(contract, nodes.ContractDefinition)
                    and contract is not scope
                    and is_part_of_external_interface(declaration)
                ):
                    return [selector]
            return []
        case (
            "external"
            | "creation"
            | "bare_call"
            | "bare_call_code"
            | "bare_delegate_call"
            | "bare_static_call"
        ):
            members: list[Member] = []
            if function.kind == "external":
                members += [selector, Member("address", ADDRESS)]
            if function.kind != "bare_delegate_call" and function.is_payable:
                members.append(Member("value", _option_setter(function, "set_value")))
            if function.kind != "creation":
                members.append(Member("gas", _option_setter(function, "set_gas")))
            return members
        case "delegate_call":
            return [selector] if isinstance(declaration, nodes.FunctionDefinition) else []
        case "error":
            return [selector]
        case "event":
            anonymous = isinstance(declaration, nodes.EventDefinition) and declaration.anonymous
            return [] if anonymous else [Member("selector", BYTES32)]
    return []


def _option_setter(function: FunctionType, kind: FunctionKind) -> FunctionType:
    return FunctionType(
        (UINT256,),
        (function.with_call_options(gas=kind == "set_gas", value=kind == "set_value"),),
        kind,
        "pure",
        gas_set=function.gas_set,
        value_set=function.value_set,
        salt_set=function.salt_set,
        bound=function.bound,
    )


def _super_members(contract: nodes.ContractDefinition, declared: DeclaredTypes) -> list[Member]:
    members: list[Member] = []
    found: dict[str, list[tuple[Type, ...]]] = {}
    for base in declared.linearized_base_contracts(contract)[1:]:
        for node in base.nodes:
            if not isinstance(node, nodes.FunctionDefinition) or node.body is None:
                continue
            if not is_visible_in_derived_contracts(node):
                continue
            internal = function_type(node, declared)
            seen = found.setdefault(node.name, [])
            if internal.parameter_types not in seen:
                seen.append(internal.parameter_types)
                members.append(Member(node.name, internal, node))
    return members


def _contract_name_members(
    contract: nodes.ContractDefinition, scope: nodes.Node | None, declared: DeclaredTypes
) -> list[Member]:
    in_deriving_scope = isinstance(
        scope, nodes.ContractDefinition
    ) and contract in declared.linearized_base_contracts(scope)
    is_library = contract.contract_kind == "library"
    members: list[Member] = []
    for node in contract.nodes:
        if (
            not isinstance(node, nodes.Declaration)
            or isinstance(node, nodes.ModifierDefinition)
            or not node.name
        ):
            continue
        is_function = isinstance(node, nodes.FunctionDefinition)
        if not is_library and in_deriving_scope and is_visible_in_derived_contracts(node):
            if isinstance(node, nodes.FunctionDefinition):
                if node.body is None:
                    members.append(Member(node.name, type_via_contract_name(node, declared), node))
                else:
                    members.append(Member(node.name, function_type(node, declared), node))
            else:
                members.append(Member(node.name, declared.type_of_declaration(node), node))
        elif (is_library and visibility_of(node) != "private") or _is_visible_via_contract_type(node):
            via = (
                type_via_contract_name(node, declared)
                if is_function and isinstance(node, nodes.FunctionDefinition)
                else declared.type_of_declaration(node)
            )
            members.append(Member(node.name, via, node))
    return members


def _type_members(actual: Type, scope: nodes.Node | None) -> list[Member]:
    match actual:
        case ContractType():
            if actual.is_super:
                return _super_members(actual.definition, actual.declared)
            return _contract_name_members(actual.definition, scope, actual.declared)
        case EnumType():
            return [Member(value.name, actual, value) for value in actual.definition.members]
        case UserDefinedValueType():
            underlying = actual.underlying_type
            return [
                Member("wrap", FunctionType((underlying,), (actual,), "wrap", "pure")),
                Member("unwrap", FunctionType((actual,), (underlying,), "unwrap", "pure")),
            ]
        case ArrayType() if actual.is_byte_array_or_string:
            kind: FunctionKind = "string_concat" if actual.is_string else "bytes_concat"
            returned = STRING_MEMORY if actual.is_string else BYTES_MEMORY
            return [Member("concat", FunctionType((), (returned,), kind, "pure", arbitrary_parameters=True))]
    return []


def _meta_type_members(argument: Type) -> list[Member]:
    if isinstance(argument, IntegerType | EnumType):
        return [Member("min", argument), Member("max", argument)]
    if isinstance(argument, ContractType):
        name = Member("name", STRING_MEMORY)
        definition = argument.definition
        if not definition.abstract and definition.contract_kind != "interface":
            return [Member("creationCode", BYTES_MEMORY), Member("runtimeCode", BYTES_MEMORY), name]
        return [Member("interfaceId", BYTES4), name]
    return []


def native_members(type_: Type, scope: nodes.Node | None, declared: DeclaredTypes) -> list[Member]:
    """The members of a type as seen from ``scope`` (a contract or a source unit), without using
    directives."""
    match type_:
        case AddressType():
            return list(_PAYABLE_MEMBERS if type_.payable else _ADDRESS_MEMBERS)
        case FixedBytesType():
            return [Member("length", UINT8)]
        case ArrayType():
            return _array_members(type_)
        case StructType():
            members = type_.member_types()
            return [Member(v.name, members[v.name], v) for v in type_.definition.members if v.name in members]
        case ContractType():
            if type_.is_super or type_.definition.contract_kind == "library":
                return []
            return [
                Member(f.declaration.name, f.as_externally_callable_function(False), f.declaration)
                for _, f in sorted(interface_functions(type_.definition, declared), key=lambda item: item[0])
                if f.declaration is not None
            ]
        case FunctionType():
            return _function_members(type_, scope, declared)
        case TypeType():
            return _type_members(type_.actual_type, scope)
        case ModuleType():
            return [
                Member(name, _module_member_type(declaration, declared), declaration)
                for name, declarations in declared.exported_symbols_of(type_.source_unit).items()
                for declaration in declarations
            ]
        case MagicType():
            if type_.type_argument is not None:
                return _meta_type_members(type_.type_argument)
            return list(_MAGIC_MEMBERS[type_.kind])
    return []


def _module_member_type(declaration: nodes.Declaration, declared: DeclaredTypes) -> Type:
    if isinstance(declaration, nodes.FunctionDefinition):
        return function_type(declaration, declared)
    return declared.type_of_declaration(declaration)


__all__ = ["BYTES_STORAGE", "Member", "is_visible_in_derived_contracts", "native_members"]
