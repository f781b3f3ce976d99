"""Calls of builtin functions: hashes, arithmetic, arrays, ABI coding, wrapping, block data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from smartvm.compiler.analysis import types
from smartvm.compiler.analysis.types import keccak256
from smartvm.compiler.ast import nodes
from smartvm.compiler.lowering.calls import arguments_of, call_of, called_function, in_order_written
from smartvm.compiler.lowering.memory import FREE_MEMORY_POINTER
from smartvm.compiler.lowering.reverts import DIVISION_BY_ZERO
from smartvm.compiler.lowering.type_facts import (
    BYTES_CALLDATA,
    BYTES_MEMORY,
    bare,
    is_byte_array,
    is_value_type,
    items_per_slot,
    location_of,
    relocate,
)
from smartvm.compiler.lowering.unimplemented import unimplemented
from smartvm.compiler.lowering.value_conversion import function_slots
from smartvm.compiler.lowering.values import Place, StoragePlace, Value
from smartvm.compiler.yul import ast as yul

if TYPE_CHECKING:
    from smartvm.compiler.lowering.function_lowering import FunctionLowering


# --- values for encoding ---------------------------------------------------------------------------


def evaluated(f: FunctionLowering, arguments: Sequence[nodes.Expression]) -> list[Value]:
    """Argument values in their own types, ready to be encoded; pieces that may be used once."""
    return [_evaluated(f, argument) for argument in arguments]


def evaluated_arguments(f: FunctionLowering, call: nodes.FunctionCall) -> list[Value]:
    """The same for a call's arguments, in the order of the parameters."""
    return in_order_written(f, call, lambda argument, _: _evaluated(f, argument))


def _evaluated(f: FunctionLowering, argument: nodes.Expression) -> Value:
    value = f.value(argument)
    if isinstance(bare(value.type), types.EnumType) and f.context.enums_in_assembly:
        value = f.result(value.type, f.clean(value.type, value.slot))
    return value


def encoding_slots(f: FunctionLowering, values: Sequence[Value]) -> list[yul.Expression]:
    """The slots of values that an encoder takes: literals have none or are converted by the encoder."""
    return [slot for value in values for slot in function_slots(f, value)]


def encoding_type(type_: types.Type) -> types.Type:
    """The type as which ``abi.encode`` encodes a value."""
    if isinstance(type_, types.StringLiteralType):
        return BYTES_MEMORY
    if isinstance(type_, types.RationalNumberType):
        mobile = type_.mobile_type()
        assert mobile is not None
        return mobile
    if location_of(type_) is not None:
        return relocate(bare(type_), "memory")
    return type_


# --- hashes ----------------------------------------------------------------------------------------


@call_of("keccak256")
def keccak256_call(f: FunctionLowering, node: nodes.FunctionCall, function: types.FunctionType) -> Value:
    """``keccak256(bytes)``; of a literal at compile time."""
    type_ = f.model.type_of(node)
    (argument,) = arguments_of(f, node)
    value = f.value(argument)
    if isinstance(value.type, types.StringLiteralType):
        return Value(type_, (f.number(int.from_bytes(keccak256(value.type.value), "big")),))
    array = f.bound(f.convert(value, BYTES_MEMORY))
    data = f.call("add", array.slot, f.number(32))
    return f.result(type_, f.call("keccak256", data, f.call("mload", array.slot)))


_PRECOMPILES = {"ecrecover": (1, 0), "sha256": (2, 0), "ripemd160": (3, 12)}


#: Gas of CALL before EIP-150 with what computes its operand, of sending value, and of making an account.
_CALL_GAS, _VALUE_GAS, _ACCOUNT_GAS = 60, 9000, 25000


@call_of("ecrecover", "sha256", "ripemd160")
def precompiled_call(f: FunctionLowering, node: nodes.FunctionCall, function: types.FunctionType) -> Value:
    """Functions that are contracts at fixed addresses."""
    values = evaluated(f, arguments_of(f, node))
    listed = [v.type for v in values]
    encoding = f.utilities.encoding
    if function.kind == "ecrecover":
        encode = encoding.encode_tuple(listed, function.parameter_types)
    else:
        encode = encoding.encode_packed(listed, function.parameter_types)
    start = f.writer.bind(f.call("mload", f.number(FREE_MEMORY_POINTER)), "start")
    end = f.call(encode, start, *encoding_slots(f, values))
    size = f.writer.bind(f.call("sub", end, start), "size")
    if function.kind == "ecrecover":
        f.writer.do(f.call("mstore", f.number(0), f.number(0)))
    address, skipped = _PRECOMPILES[function.kind]
    memory = (start, size, f.number(0), f.number(32))
    account = f.number(address)
    if f.context.settings.has_static_call:
        outcome = f.call("staticcall", f.call("gas"), account, *memory)
    else:
        outcome = f.call("call", all_gas(f, False, False), account, f.number(0), *memory)
    success = f.writer.bind(outcome, "success")
    forward(f, f.call("iszero", success))
    word = f.forms.shifts.left(8 * skipped, f.call("mload", f.number(0)))
    return f.result(f.model.type_of(node), word)


def all_gas(f: FunctionLowering, sends_value: bool, account_exists: bool) -> yul.Expression:
    """The gas that a call can have."""
    if f.context.settings.can_overcharge_gas_for_call:
        return f.call("gas")
    # Before EIP-150 a call that asks for more than there is fails.
    kept = _CALL_GAS + (_VALUE_GAS if sends_value else 0) + (0 if account_exists else _ACCOUNT_GAS)
    return f.call("sub", f.call("gas"), f.number(kept))


def forward(f: FunctionLowering, condition: yul.Expression) -> None:
    """``if condition { revert with the data of the failed call }``."""
    statement = yul.ExpressionStatement(f.call(f.utilities.reverts.forward()), f.source)
    f.writer.if_(condition, [statement])


# --- words -----------------------------------------------------------------------------------------

_INSTRUCTIONS = {
    "gas_left": "gas",
    "blockhash": "blockhash",
    "blobhash": "blobhash",
    "selfdestruct": "selfdestruct",
}


@call_of("gas_left", "blockhash", "blobhash", "selfdestruct")
def instruction_call(f: FunctionLowering, node: nodes.FunctionCall, function: types.FunctionType) -> Value:
    """Functions that are one instruction."""
    words = [
        f.word_as(argument, parameter)
        for argument, parameter in zip(arguments_of(f, node), function.parameter_types, strict=True)
    ]
    return f.result(f.model.type_of(node), f.call(_INSTRUCTIONS[function.kind], *words))


@call_of("add_mod", "mul_mod")
def modular_call(f: FunctionLowering, node: nodes.FunctionCall, function: types.FunctionType) -> Value:
    """``addmod`` and ``mulmod``: panics when the modulus is zero."""
    x, y, modulus = (f.writer.atom(f.word_as(a, types.UINT256)) for a in arguments_of(f, node))
    f.panic_if(f.call("iszero", modulus), DIVISION_BY_ZERO)
    instruction = "addmod" if function.kind == "add_mod" else "mulmod"
    return f.result(f.model.type_of(node), f.call(instruction, x, y, modulus))


@call_of("wrap", "unwrap")
def wrap_call(f: FunctionLowering, node: nodes.FunctionCall, function: types.FunctionType) -> Value:
    """``T.wrap`` and ``T.unwrap`` change the type alone."""
    (argument,) = arguments_of(f, node)
    return f.value_as(argument, f.model.type_of(node))


@call_of("erc7201")
def erc7201_call(f: FunctionLowering, node: nodes.FunctionCall, function: types.FunctionType) -> Value:
    """``erc7201(id)``: the storage namespace's root slot (ERC-7201)."""
    type_ = f.model.type_of(node)
    (argument,) = arguments_of(f, node)
    value = f.value(argument)
    if isinstance(value.type, types.StringLiteralType):
        inner = int.from_bytes(keccak256(value.type.value), "big") - 1
        root = int.from_bytes(keccak256((inner % (1 << 256)).to_bytes(32, "big")), "big") & ~0xFF
        return Value(type_, (f.number(root),))
    array = f.bound(f.convert(value, BYTES_MEMORY))
    data = f.call("add", array.slot, f.number(32))
    hashed = f.call("keccak256", data, f.call("mload", array.slot))
    f.writer.do(f.call("mstore", f.number(0), f.call("sub", hashed, f.number(1))))
    outer = f.call("keccak256", f.number(0), f.number(32))
    return f.result(type_, f.call("and", outer, f.call("not", f.number(0xFF))))


# --- arrays ----------------------------------------------------------------------------------------


@call_of("object_creation")
def new_array(f: FunctionLowering, node: nodes.FunctionCall, function: types.FunctionType) -> Value:
    """``new T[](length)``, ``new bytes(length)``."""
    type_ = f.model.type_of(node)
    array = bare(type_)
    assert isinstance(array, types.ArrayType)
    length = f.word_as(arguments_of(f, node)[0], types.UINT256)
    return f.result(type_, f.call(f.utilities.memory.allocate_zeroed_array(array), length))


def _pushed_array(function: types.FunctionType) -> types.ArrayType:
    array = function.self_type
    assert isinstance(array, types.ArrayType)
    return array


def push_place(f: FunctionLowering, node: nodes.FunctionCall) -> Place:
    """``array.push()``: appends a default element and gives its place."""
    function = f.model.type_of(node.expression)
    assert isinstance(function, types.FunctionType)
    if function.kind != "array_push":
        raise unimplemented("Assignment to a call's result is not supported.", node.src)
    array = _pushed_array(function)
    called = called_function(f, node)
    slot, offset = f.writer.fresh("slot"), f.writer.fresh("offset")
    f.writer.let([slot, offset], f.call(f.utilities.storage_arrays.push_default(array), *called.slots))
    packed = is_byte_array(array) or items_per_slot(array) > 1
    where: int | yul.Expression = yul.Identifier(offset, f.source) if packed else 0
    return StoragePlace(array.base_type, yul.Identifier(slot, f.source), where)


@call_of("array_push")
def push_call(f: FunctionLowering, node: nodes.FunctionCall, function: types.FunctionType) -> Value:
    """``array.push()`` and ``array.push(value)``."""
    arguments = arguments_of(f, node)
    if not arguments:
        return f.read(push_place(f, node))
    array = _pushed_array(function)
    called = called_function(f, node)
    result = Value(f.model.type_of(node))
    value = f.value(arguments[0])
    if is_value_type(array.base_type):
        converted = function_slots(f, f.convert(value, array.base_type))
        f.writer.do(f.call(f.utilities.storage_arrays.push(array), *called.slots, *converted))
        return result
    value = f.bound(value)
    slot, offset = f.writer.fresh("slot"), f.writer.fresh("offset")
    f.writer.let([slot, offset], f.call(f.utilities.storage_arrays.push_default(array), *called.slots))
    f.write(StoragePlace(array.base_type, yul.Identifier(slot, f.source), 0), value)
    return result


@call_of("array_pop")
def pop_call(f: FunctionLowering, node: nodes.FunctionCall, function: types.FunctionType) -> Value:
    """``array.pop()``."""
    called = called_function(f, node)
    f.writer.do(f.call(f.utilities.storage_arrays.pop(_pushed_array(function)), *called.slots))
    return Value(f.model.type_of(node))


@call_of("bytes_concat", "string_concat")
def concat_call(f: FunctionLowering, node: nodes.FunctionCall, function: types.FunctionType) -> Value:
    """``bytes.concat`` and ``string.concat``."""
    values: list[Value] = []
    for value in evaluated(f, arguments_of(f, node)):
        if isinstance(value.type, types.RationalNumberType):
            raise unimplemented("Number literals cannot be concatenated.", node.src)
        values.append(value)
    concatenate = f.utilities.encoding.concatenate([v.type for v in values])
    return f.result(f.model.type_of(node), f.call(concatenate, *encoding_slots(f, values)))


# --- ABI coding ------------------------------------------------------------------------------------


@call_of("abi_encode", "abi_encode_packed")
def encode_call(f: FunctionLowering, node: nodes.FunctionCall, function: types.FunctionType) -> Value:
    """``abi.encode(...)`` and ``abi.encodePacked(...)``."""
    values = evaluated(f, node.arguments)
    return encode_to_bytes(
        f,
        f.model.type_of(node),
        values,
        [encoding_type(v.type) for v in values],
        packed=function.kind == "abi_encode_packed",
    )


@call_of("abi_encode_with_selector", "abi_encode_with_signature")
def encode_with_selector(
    f: FunctionLowering, node: nodes.FunctionCall, function: types.FunctionType
) -> Value:
    """``abi.encodeWithSelector`` and ``abi.encodeWithSignature``."""
    first, *rest = node.arguments
    if function.kind == "abi_encode_with_selector":
        word = f.writer.atom(f.word_as(first, types.BYTES4))
        values = evaluated(f, rest)
    else:
        signature = f.value(first)
        if isinstance(signature.type, types.StringLiteralType):
            hashed = keccak256(signature.type.value)[:4]
            word = f.number(int.from_bytes(hashed, "big") << 224)
            values = evaluated(f, rest)
        else:
            values = [f.bound(v) for v in evaluated(f, rest)]
            word = _selector_of_signature(f, signature)
    return encode_to_bytes(
        f, f.model.type_of(node), values, [encoding_type(v.type) for v in values], selector_word=word
    )


def _selector_of_signature(f: FunctionLowering, signature: Value) -> yul.Expression:
    free = f.writer.bind(f.call("mload", f.number(FREE_MEMORY_POINTER)), "free_memory")
    array = f.bound(f.convert(signature, BYTES_MEMORY))
    data = f.call("add", array.slot, f.number(32))
    hashed = f.writer.bind(f.call("keccak256", data, f.call("mload", array.slot)), "hash")
    # The copy of the signature, if one was made, is not needed any more.
    f.writer.do(f.call("mstore", f.number(FREE_MEMORY_POINTER), free))
    return f.writer.bind(f.clean(types.BYTES4, hashed))


@call_of("abi_encode_call")
def encode_call_of_function(
    f: FunctionLowering, node: nodes.FunctionCall, function: types.FunctionType
) -> Value:
    """``abi.encodeCall(f, (arguments))``."""
    named, tuple_ = node.arguments
    target = f.model.type_of(named)
    assert isinstance(target, types.FunctionType)
    called = f.value(named)
    if target.kind in ("external", "delegate_call"):
        slots = function_slots(f, called)
        word = f.writer.atom(f.forms.shifts.left(224, slots[1]))
    else:
        declaration = target.declaration
        if isinstance(declaration, nodes.FunctionDefinition):
            number = types.function_type(declaration, f.model, "external").selector()
        else:
            number = target.selector()
        word = f.number(number << 224)
    if isinstance(f.model.type_of(tuple_), types.TupleType) and isinstance(tuple_, nodes.TupleExpression):
        arguments = [c for c in tuple_.components if c is not None]
    else:
        arguments = [tuple_]
    values = evaluated(f, arguments)
    parameters = target.as_externally_callable_function(False).parameter_types
    return encode_to_bytes(f, f.model.type_of(node), values, list(parameters), selector_word=word)


def encode_to_bytes(
    f: FunctionLowering,
    type_: types.Type,
    values: Sequence[Value],
    to_types: Sequence[types.Type],
    packed: bool = False,
    selector_word: yul.Expression | None = None,
) -> Value:
    """A new ``bytes`` in memory with the encoded values, after a selector if one is given."""
    encoding = f.utilities.encoding
    listed = [v.type for v in values]
    encode = encoding.encode_packed(listed, to_types) if packed else encoding.encode_tuple(listed, to_types)
    slots = [f.writer.atom(s) for s in encoding_slots(f, values)]
    data = f.result(type_, f.call("mload", f.number(FREE_MEMORY_POINTER)))
    content = f.writer.bind(f.call("add", data.slot, f.number(32)), "start")
    start: yul.Expression = content
    if selector_word is not None:
        f.writer.do(f.call("mstore", content, selector_word))
        start = f.call("add", content, f.number(4))
    end = f.writer.bind(f.call(encode, start, *slots), "end")
    f.writer.do(f.call("mstore", data.slot, f.call("sub", end, content)))
    finalize = f.utilities.memory.finalize_allocation()
    f.writer.do(f.call(finalize, data.slot, f.call("sub", end, data.slot)))
    return data


@call_of("abi_decode")
def decode_call(f: FunctionLowering, node: nodes.FunctionCall, function: types.FunctionType) -> Value:
    """``abi.decode(data, (types))``."""
    type_ = f.model.type_of(node)
    listed = list(type_.components) if isinstance(type_, types.TupleType) else [type_]
    targets = [t for t in listed if t is not None]
    data = f.value(node.arguments[0])
    if location_of(data.type) == "calldata":
        data = f.bound(f.convert(data, BYTES_CALLDATA))
        decode = f.utilities.decoding.decode_tuple(targets, from_memory=False)
        start, length = data.slots
    else:
        data = f.bound(f.convert(data, BYTES_MEMORY))
        decode = f.utilities.decoding.decode_tuple(targets, from_memory=True)
        start = f.writer.bind(f.call("add", data.slot, f.number(32)), "start")
        length = f.call("mload", data.slot)
    return f.result(type_, f.call(decode, start, f.call("add", start, length)))
