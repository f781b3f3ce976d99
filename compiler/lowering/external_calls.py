"""Calls of other contracts: by function, low-level, transfers, creation (docs/control-structures.rst)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smartvm.compiler.analysis import types
from smartvm.compiler.ast import nodes
from smartvm.compiler.lowering.builtin_calls import all_gas, encoding_slots, evaluated_arguments, forward
from smartvm.compiler.lowering.calls import arguments_of, call_of, called_function
from smartvm.compiler.lowering.memory import FREE_MEMORY_POINTER, LARGEST_SIZE
from smartvm.compiler.lowering.reverts import RESOURCE
from smartvm.compiler.lowering.type_facts import (
    BYTES_MEMORY,
    bare,
    calldata_head_size,
    is_byte_array,
    is_dynamically_encoded,
    location_of,
    variable_names,
)
from smartvm.compiler.lowering.unimplemented import unimplemented
from smartvm.compiler.lowering.values import FunctionValue, Value
from smartvm.compiler.lowering.yul_nodes import literal_value, string
from smartvm.compiler.yul import ast as yul

if TYPE_CHECKING:
    from smartvm.compiler.lowering.function_lowering import FunctionLowering

#: Gas that a call with value gives to the callee by itself.
CALL_STIPEND = 2300


def _gas(f: FunctionLowering, called: FunctionValue, has_code: bool) -> yul.Expression:
    """The gas for a call: what was asked for, else everything. ``has_code``: the account is known to exist."""
    return called.options.get("gas") or all_gas(f, "value" in called.options, has_code)


@call_of("external", "delegate_call")
def external_call(f: FunctionLowering, node: nodes.FunctionCall, function: types.FunctionType) -> Value:
    """A call of an external function, or of a public function of a library."""
    called = called_function(f, node)
    values = evaluated_arguments(f, node)
    parameters = list(function.argument_types)
    if called.self_value is not None:
        values.insert(0, f.convert(called.self_value, function.self_type))
        parameters.insert(0, function.self_type)
    account, selector = called.slots
    settings = f.context.settings
    delegate = function.kind == "delegate_call"
    static = function.state_mutability in ("view", "pure") and settings.has_static_call
    returned = list(function.return_types)
    if not settings.has_return_data:
        returned = [t for t in returned if not is_dynamically_encoded(t)]
    dynamic = any(location_of(t) != "storage" and is_dynamically_encoded(t) for t in returned)
    head = sum(map(calldata_head_size, returned))
    # Without code there is no return data, and decoding would revert anyway.
    check_code = head == 0 or not settings.has_return_data or settings.debug_revert_strings
    slots = [f.writer.atom(s) for s in encoding_slots(f, values)]
    if check_code:
        has_code = f.call("iszero", f.call("extcodesize", account))
        f.revert_if(has_code, "Target contract does not contain code")
    start = f.writer.bind(f.call("mload", f.number(FREE_MEMORY_POINTER)), "start")
    known = literal_value(selector)
    word = f.number(known << 224) if known is not None else f.forms.shifts.left(224, selector)
    f.writer.do(f.call("mstore", start, word))
    encode = f.utilities.encoding.encode_tuple([v.type for v in values], parameters)
    end = f.writer.bind(f.call(encode, f.call("add", start, f.number(4)), *slots), "end")
    size = f.call("sub", end, start)
    memory = (start, size, start, f.number(0 if dynamic else head))
    gas = _gas(f, called, check_code)
    if delegate:
        outcome = f.call("delegatecall", gas, account, *memory)
    elif static:
        outcome = f.call("staticcall", gas, account, *memory)
    else:
        outcome = f.call("call", gas, account, called.options.get("value", f.number(0)), *memory)
    is_try = node.id in f.model.try_calls
    success = f.writer.bind(outcome, "success")
    if not is_try:
        forward(f, f.call("iszero", success))
    else:
        f.try_success = success
    type_ = f.model.type_of(node)
    return _decoded_results(f, type_, returned, start, head, dynamic, success if is_try else None)


def _decoded_results(
    f: FunctionLowering,
    type_: types.Type,
    returned: list[types.Type],
    start: yul.Expression,
    head: int,
    dynamic: bool,
    success: yul.Expression | None,
) -> Value:
    """Decode what a successful call returned; within ``if success`` for a try call."""
    names = tuple(f.writer.fresh("expr") for _ in variable_names("", types.TupleType(tuple(returned))))
    if success is None:
        _decode(f, names, returned, start, head, dynamic, declare=True)
    else:
        f.writer.let(names, None)
        with f.writer.nested() as statements:
            _decode(f, names, returned, start, head, dynamic, declare=False)
        f.writer.if_(success, statements)
    return Value(type_, f.names(names))


def _decode(
    f: FunctionLowering,
    names: tuple[str, ...],
    returned: list[types.Type],
    start: yul.Expression,
    head: int,
    dynamic: bool,
    declare: bool,
) -> None:
    decode = f.utilities.decoding.decode_tuple(returned, from_memory=True)
    if not returned:
        return
    size_name = f.writer.fresh("size")
    size = yul.Identifier(size_name, f.source)
    if dynamic:
        f.writer.let([size_name], f.call("returndatasize"))
        f.writer.do(f.call("returndatacopy", start, f.number(0), size))
    else:
        f.writer.let([size_name], f.number(head))
        if f.context.settings.has_return_data:
            with f.writer.nested() as shorter:
                f.writer.assign([size_name], f.call("returndatasize"))
            f.writer.if_(f.call("gt", size, f.call("returndatasize")), shorter)
    f.writer.do(f.call(f.utilities.memory.finalize_allocation(), start, size))
    results = f.call(decode, start, f.call("add", start, size))
    if declare:
        f.writer.let(names, results)
    else:
        f.writer.assign(names, results)


@call_of("bare_call", "bare_delegate_call", "bare_static_call")
def bare_call(f: FunctionLowering, node: nodes.FunctionCall, function: types.FunctionType) -> Value:
    """``address.call(data)`` and its relatives."""
    called = called_function(f, node)
    (argument,) = arguments_of(f, node)
    data = f.bound(f.value(argument))
    if is_byte_array(bare(data.type)) and location_of(data.type) == "memory":
        start: yul.Expression = f.call("add", data.slot, f.number(32))
        size: yul.Expression = f.call("mload", data.slot)
    else:
        encode = f.utilities.encoding.encode_packed([data.type], [BYTES_MEMORY])
        start = f.writer.bind(f.call("mload", f.number(FREE_MEMORY_POINTER)), "start")
        end = f.call(encode, start, *data.slots)
        size = f.writer.bind(f.call("sub", end, start), "size")
    (account,) = called.slots
    zero = f.number(0)
    memory = (start, size, zero, zero)
    gas = _gas(f, called, False)
    match function.kind:
        case "bare_call":
            outcome = f.call("call", gas, account, called.options.get("value", zero), *memory)
        case "bare_static_call":
            outcome = f.call("staticcall", gas, account, *memory)
        case _:
            outcome = f.call("delegatecall", gas, account, *memory)
    success = f.result(types.BOOL, outcome)
    returned = f.result(BYTES_MEMORY, f.call(f.utilities.memory.return_data()))
    return f.tuple_value([success, returned], f.model.type_of(node))


@call_of("bare_call_code")
def call_code(f: FunctionLowering, node: nodes.FunctionCall, function: types.FunctionType) -> Value:
    """``callcode`` does not exist since Solidity 0.5."""
    raise unimplemented("callcode is not supported.", node.src)


@call_of("transfer", "send")
def transfer(f: FunctionLowering, node: nodes.FunctionCall, function: types.FunctionType) -> Value:
    """``address.transfer(value)`` reverts on failure, ``address.send(value)`` tells of it."""
    called = called_function(f, node)
    (account,) = called.slots
    value = f.writer.atom(f.word_as(arguments_of(f, node)[0], types.UINT256))
    # The stipend comes by itself with value; without value it has to be given.
    gas = f.call("mul", f.call("iszero", value), f.number(CALL_STIPEND))
    zero = f.number(0)
    success = f.result(types.BOOL, f.call("call", gas, account, value, zero, zero, zero, zero))
    if function.kind == "send":
        return Value(f.model.type_of(node), success.slots)
    forward(f, f.call("iszero", success.slot))
    return Value(f.model.type_of(node))


@call_of("creation")
def creation(f: FunctionLowering, node: nodes.FunctionCall, function: types.FunctionType) -> Value:
    """``new C{value: v, salt: s}(arguments)``."""
    called = called_function(f, node)
    values = evaluated_arguments(f, node)
    (created,) = function.return_types
    assert isinstance(created, types.ContractType)
    name = string(f.context.sub_object(created.definition), f.source)
    slots = [f.writer.atom(s) for s in encoding_slots(f, values)]
    start = f.writer.bind(f.call("mload", f.number(FREE_MEMORY_POINTER)), "start")
    code_end = f.writer.bind(f.call("add", start, f.call("datasize", name)), "code_end")
    too_large = f.call("or", f.call("gt", code_end, f.number(LARGEST_SIZE)), f.call("lt", code_end, start))
    f.panic_if(too_large, RESOURCE)
    f.writer.do(f.call("datacopy", start, f.call("dataoffset", name), f.call("datasize", name)))
    encode = f.utilities.encoding.encode_tuple([v.type for v in values], list(function.parameter_types))
    end = f.writer.bind(f.call(encode, code_end, *slots), "end")
    size = f.call("sub", end, start)
    value = called.options.get("value", f.number(0))
    if "salt" in called.options:
        outcome = f.call("create2", value, start, size, called.options["salt"])
    else:
        outcome = f.call("create", value, start, size)
    result = f.result(f.model.type_of(node), outcome)
    if node.id in f.model.try_calls:
        f.try_success = f.writer.bind(f.call("iszero", f.call("iszero", result.slot)), "success")
    else:
        forward(f, f.call("iszero", result.slot))
    return result
