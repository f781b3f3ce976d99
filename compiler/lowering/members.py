"""``expression.member``: struct members, members of addresses, functions, contracts, types and magic
names."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from smartvm.compiler.analysis import types
from smartvm.compiler.ast import nodes
from smartvm.compiler.lowering.arithmetic import maximum, minimum
from smartvm.compiler.lowering.compilation import deployed_name
from smartvm.compiler.lowering.expressions import (
    library_address,
    named_function,
    variable_place,
    variable_value,
)
from smartvm.compiler.lowering.handlers import place_of, value_of
from smartvm.compiler.lowering.type_facts import (
    bare,
    calldata_offset_of_member,
    event_topic,
    is_dynamically_encoded,
    is_value_type,
    memory_offset_of_member,
    struct_layout,
)
from smartvm.compiler.lowering.unimplemented import unimplemented
from smartvm.compiler.lowering.values import FunctionValue, MemoryPlace, Place, StoragePlace, Value
from smartvm.compiler.lowering.yul_nodes import string
from smartvm.compiler.yul import ast as yul
from smartvm.errors import InternalError

if TYPE_CHECKING:
    from smartvm.compiler.lowering.function_lowering import FunctionLowering


@value_of(nodes.MemberAccess)
def member_access(f: FunctionLowering, node: nodes.MemberAccess) -> Value:
    """The value of a member."""
    type_ = f.model.type_of(node)
    if isinstance(type_, types.FunctionType) and type_.bound:
        return _bound_function(f, node, type_)
    base_type = f.model.type_of(node.expression)
    match bare(base_type) if not isinstance(base_type, types.ContractType) else base_type:
        case types.ContractType():
            return _contract_member(f, node)
        case types.AddressType():
            return _address_member(f, node)
        case types.FunctionType() as function:
            return _function_member(f, node, function)
        case types.MagicType() as magic:
            return _magic_member(f, node, magic)
        case types.StructType() as struct:
            if struct.location == "calldata":
                return _calldata_member(f, node, struct)
            return f.read(struct_member_place(f, node))
        case types.ArrayType() as array:
            return _array_member(f, node, array)
        case types.FixedBytesType(size=size):
            f.value(node.expression)
            return Value(type_, (f.number(size),))
        case types.TypeType(actual_type=actual):
            return _type_member(f, node, actual)
        case types.ModuleType():
            return _named(f, node)
    raise unimplemented(f'Member "{node.member_name}" of {base_type.text()} is not supported.', node.src)


@place_of(nodes.MemberAccess)
def member_place(f: FunctionLowering, node: nodes.MemberAccess) -> Place:
    """The place of a struct member, or of a state variable named through its contract."""
    declaration = f.model.referenced_declaration.get(node.id)
    base_type = f.model.type_of(node.expression)
    if isinstance(base_type, types.StructType):
        return struct_member_place(f, node)
    if isinstance(declaration, nodes.VariableDeclaration):
        place = variable_place(f, declaration, node)
        if place is not None:
            return place
    raise InternalError(f"{node.member_name} at {node.src} is no place")


# --- structs ---------------------------------------------------------------------------------------


def struct_member_place(f: FunctionLowering, node: nodes.MemberAccess) -> Place:
    """The place of a member of a struct in storage or memory."""
    struct = f.model.type_of(node.expression)
    assert isinstance(struct, types.StructType)
    base = f.bound(f.value(node.expression)).slot
    type_ = f.model.type_of(node)
    if struct.location == "memory":
        offset = memory_offset_of_member(struct, node.member_name)
        return MemoryPlace(type_, f.call("add", base, f.number(offset)) if offset else base)
    slot, byte = struct_layout(struct)[node.member_name]
    place = f.writer.bind(f.call("add", base, f.number(slot)), "slot") if slot else base
    return StoragePlace(type_, place, byte)


def _calldata_member(f: FunctionLowering, node: nodes.MemberAccess, struct: types.StructType) -> Value:
    type_ = f.model.type_of(node)
    base = f.bound(f.value(node.expression)).slot
    offset = calldata_offset_of_member(struct, node.member_name)
    position = f.call("add", base, f.number(offset)) if offset else base
    if is_value_type(type_):
        return f.result(type_, f.call(f.utilities.calldata.read_value(type_), position))
    if is_dynamically_encoded(type_):
        return f.result(type_, f.call(f.utilities.calldata.tail(type_), base, position))
    return f.result(type_, position)


# --- functions -------------------------------------------------------------------------------------


def _bound_function(f: FunctionLowering, node: nodes.MemberAccess, type_: types.FunctionType) -> Value:
    self_value = f.bound(f.value(node.expression))
    if type_.kind in ("array_push", "array_pop"):
        return FunctionValue(type_, self_value.slots, self_value=self_value)
    if isinstance(self_value, FunctionValue):
        self_value = f.convert(self_value, type_.self_type)
    declaration = type_.declaration
    assert isinstance(declaration, nodes.FunctionDefinition)
    if type_.kind == "internal":
        function = named_function(f, node, declaration)
        return FunctionValue(type_, (), definition=function.definition, self_value=self_value)
    library = f.model.scope_of(declaration)
    assert isinstance(library, nodes.ContractDefinition)
    slots = (library_address(f, library), f.number(type_.selector()))
    return FunctionValue(type_, slots, self_value=self_value)


def _contract_member(f: FunctionLowering, node: nodes.MemberAccess) -> Value:
    declaration = f.model.referenced_declaration.get(node.id)
    type_ = f.model.type_of(node)
    if isinstance(declaration, nodes.FunctionDefinition):
        selector = types.function_type(declaration, f.model, "external").selector()
    elif isinstance(declaration, nodes.VariableDeclaration):
        selector = types.getter_type(declaration, f.model).selector()
    else:
        raise unimplemented(f'Member "{node.member_name}" is not supported.', node.src)
    return FunctionValue(type_, (f.bound(f.value(node.expression)).slot, f.number(selector)))


def _address_member(f: FunctionLowering, node: nodes.MemberAccess) -> Value:
    type_ = f.model.type_of(node)
    member = node.member_name
    account = f.value(node.expression).slot
    match member:
        case "balance":
            this = isinstance(account, yul.FunctionCall) and account.name == "address"
            if this and f.context.settings.since("istanbul"):
                return f.result(type_, f.call("selfbalance"))
            return f.result(type_, f.call("balance", account))
        case "codehash":
            return f.result(type_, f.call("extcodehash", account))
        case "code":
            return f.result(type_, f.call(f.utilities.memory.external_code(), account))
    return FunctionValue(type_, (f.writer.atom(account),))


def _function_member(f: FunctionLowering, node: nodes.MemberAccess, function: types.FunctionType) -> Value:
    type_ = f.model.type_of(node)
    if node.member_name == "address":
        return Value(type_, (f.bound(f.value(node.expression)).slots[0],))
    if node.member_name == "selector":
        if function.kind == "event":
            return Value(type_, (f.number(event_topic(function)),))
        if function.kind in ("external", "delegate_call"):
            selector: yul.Expression = f.value(node.expression).slots[1]
        else:
            if not isinstance(node.expression, nodes.Identifier):
                f.value(node.expression)
            selector = f.number(_external_selector(f, function))
        known = selector.value if isinstance(selector, yul.Literal) else None
        if known is not None:
            return Value(type_, (f.number(known << 224),))
        return Value(type_, (f.forms.shifts.left(224, selector),))
    raise unimplemented(f'Member "{node.member_name}" of a function is not supported.', node.src)


def _external_selector(f: FunctionLowering, function: types.FunctionType) -> int:
    declaration = function.declaration
    if function.kind != "error" and isinstance(declaration, nodes.FunctionDefinition):
        return types.function_type(declaration, f.model, "external").selector()
    return function.selector()


# --- types and modules -----------------------------------------------------------------------------


def _named(f: FunctionLowering, node: nodes.MemberAccess) -> Value:
    """What a name with a dot names: a constant, a function, a library."""
    if not isinstance(node.expression, nodes.Identifier | nodes.MemberAccess):
        f.value(node.expression)
    type_ = f.model.type_of(node)
    declaration = f.model.referenced_declaration.get(node.id)
    match declaration:
        case nodes.VariableDeclaration():
            return variable_value(f, declaration, node)
        case nodes.FunctionDefinition():
            return named_function(f, node, declaration)
        case nodes.ContractDefinition(contract_kind="library"):
            return Value(type_, (library_address(f, declaration),))
    return Value(type_)


def _type_member(f: FunctionLowering, node: nodes.MemberAccess, actual: types.Type) -> Value:
    type_ = f.model.type_of(node)
    if isinstance(actual, types.EnumType):
        return Value(type_, (f.number(actual.member_value(node.member_name)),))
    if isinstance(actual, types.ContractType):
        declaration = f.model.referenced_declaration.get(node.id)
        if isinstance(declaration, nodes.VariableDeclaration):
            return variable_value(f, declaration, node)
        if isinstance(type_, types.FunctionType):
            if type_.kind == "internal" and isinstance(declaration, nodes.FunctionDefinition):
                return named_function(f, node, declaration)
            if type_.kind == "delegate_call":
                address = library_address(f, actual.definition)
                return FunctionValue(type_, (address, f.number(type_.selector())))
    return FunctionValue(type_) if isinstance(type_, types.FunctionType) else Value(type_)


# --- arrays ----------------------------------------------------------------------------------------


def _array_member(f: FunctionLowering, node: nodes.MemberAccess, array: types.ArrayType) -> Value:
    type_ = f.model.type_of(node)
    if node.member_name != "length":
        return FunctionValue(type_, f.bound(f.value(node.expression)).slots)
    inner = node.expression
    if isinstance(inner, nodes.MemberAccess) and inner.member_name == "code":
        inner_base = f.model.type_of(inner.expression)
        if isinstance(inner_base, types.AddressType):
            # The code itself is not needed.
            return f.result(type_, f.call("extcodesize", f.value(inner.expression).slot))
    value = f.value(node.expression)
    if array.length is not None:
        return Value(type_, (f.number(array.length),))
    if array.location == "calldata":
        return Value(type_, (value.slots[1],))
    if array.location == "memory":
        return f.result(type_, f.call("mload", value.slot))
    word = f.call("sload", value.slot)
    if array.kind != "array":
        return f.result(type_, f.call(f.utilities.storage_arrays.byte_array_length(), word))
    return f.result(type_, word)


# --- magic -----------------------------------------------------------------------------------------

_INSTRUCTIONS = {
    "coinbase": "coinbase",
    "timestamp": "timestamp",
    "number": "number",
    "gaslimit": "gaslimit",
    "sender": "caller",
    "value": "callvalue",
    "origin": "origin",
    "gasprice": "gasprice",
    "chainid": "chainid",
    "basefee": "basefee",
    "blobbasefee": "blobbasefee",
}


def _magic_member(f: FunctionLowering, node: nodes.MemberAccess, magic: types.MagicType) -> Value:
    type_ = f.model.type_of(node)
    member = node.member_name
    if magic.kind == "meta_type":
        assert magic.type_argument is not None
        return _META_MEMBERS[member](f, node, magic.type_argument)
    if member in _INSTRUCTIONS:
        return Value(type_, (f.call(_INSTRUCTIONS[member]),))
    if member in ("difficulty", "prevrandao"):
        name = "prevrandao" if f.context.settings.since("paris") else "difficulty"
        return Value(type_, (f.call(name),))
    if member == "data":
        return Value(type_, (f.number(0), f.call("calldatasize")))
    if member == "sig":
        word = f.call("calldataload", f.number(0))
        return Value(type_, (f.call("and", word, f.number(0xFFFFFFFF << 224)),))
    return FunctionValue(type_)


def _code(deployed: bool) -> Callable[[FunctionLowering, nodes.MemberAccess, types.Type], Value]:
    def member(f: FunctionLowering, node: nodes.MemberAccess, argument: types.Type) -> Value:
        assert isinstance(argument, types.ContractType)
        contract = argument.definition
        name = f.context.sub_object(contract)
        if deployed:
            name += "." + deployed_name(contract)
        label = string(name, f.source)
        size = f.writer.bind(f.call("datasize", label), "size")
        allocate = f.utilities.memory.allocate()
        code = f.result(f.model.type_of(node), f.call(allocate, f.call("add", size, f.number(32))))
        f.writer.do(f.call("mstore", code.slot, size))
        target = f.call("add", code.slot, f.number(32))
        f.writer.do(f.call("datacopy", target, f.call("dataoffset", label), size))
        return code

    return member


def _name(f: FunctionLowering, node: nodes.MemberAccess, argument: types.Type) -> Value:
    assert isinstance(argument, types.ContractType)
    name = argument.definition.name.encode("utf-8")
    return f.result(f.model.type_of(node), f.call(f.utilities.memory.copy_literal(name)))


def _interface_id(f: FunctionLowering, node: nodes.MemberAccess, argument: types.Type) -> Value:
    assert isinstance(argument, types.ContractType)
    identifier = types.interface_id(argument.definition, f.model)
    return Value(f.model.type_of(node), (f.number(identifier << 224),))


def _limit(greatest: bool) -> Callable[[FunctionLowering, nodes.MemberAccess, types.Type], Value]:
    def member(f: FunctionLowering, node: nodes.MemberAccess, argument: types.Type) -> Value:
        if isinstance(argument, types.EnumType):
            value = len(argument.definition.members) - 1 if greatest else 0
        else:
            assert isinstance(argument, types.IntegerType)
            value = maximum(argument) if greatest else minimum(argument)
        return Value(f.model.type_of(node), (f.number(value),))

    return member


_META_MEMBERS: dict[str, Callable[[FunctionLowering, nodes.MemberAccess, types.Type], Value]] = {
    "creationCode": _code(False),
    "runtimeCode": _code(True),
    "name": _name,
    "interfaceId": _interface_id,
    "min": _limit(False),
    "max": _limit(True),
}
