"""Function calls: conversions, struct constructors, internal calls; the other kinds go to their modules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from smartvm.compiler.analysis import types
from smartvm.compiler.ast import nodes
from smartvm.compiler.lowering.expressions import memory_word
from smartvm.compiler.lowering.functions import request_function
from smartvm.compiler.lowering.handlers import place_of, value_of
from smartvm.compiler.lowering.type_facts import (
    location_of,
    memory_offset_of_member,
    stack_size,
    struct_members,
)
from smartvm.compiler.lowering.unimplemented import unimplemented
from smartvm.compiler.lowering.value_conversion import function_slots
from smartvm.compiler.lowering.values import FunctionValue, Place, Value
from smartvm.compiler.yul import ast as yul
from smartvm.records import replace

if TYPE_CHECKING:
    from smartvm.compiler.lowering.function_lowering import FunctionLowering
    from smartvm.compiler.lowering.object_context import ObjectContext

Evaluated = TypeVar("Evaluated")
CallHandler = Callable[["FunctionLowering", nodes.FunctionCall, types.FunctionType], Value]

#: functions that lower calls, by kind of function
CALL_HANDLERS: dict[str, CallHandler] = {}


def call_of(*kinds: str) -> Callable[[CallHandler], CallHandler]:
    """Registers a function that lowers calls of these kinds."""

    def register(handler: CallHandler) -> CallHandler:
        for kind in kinds:
            CALL_HANDLERS[kind] = handler
        return handler

    return register


def arguments_of(f: FunctionLowering, node: nodes.FunctionCall) -> Sequence[nodes.Expression]:
    """The arguments in the order of the parameters."""
    return f.model.sorted_arguments.get(node.id, node.arguments)


def in_order_written(
    f: FunctionLowering, node: nodes.FunctionCall, evaluate: Callable[[nodes.Expression, int], Evaluated]
) -> list[Evaluated]:
    """What ``evaluate`` (which is given an argument and the position of its parameter) makes of the arguments, in the
    order of the parameters. Named arguments are evaluated in the order in which they are written."""
    positions = {argument.id: i for i, argument in enumerate(arguments_of(f, node))}
    results = {positions[argument.id]: evaluate(argument, positions[argument.id]) for argument in node.arguments}
    return [results[i] for i in range(len(results))]


@value_of(nodes.FunctionCall)
def function_call(f: FunctionLowering, node: nodes.FunctionCall) -> Value:
    """Anything with an argument list."""
    kind = f.model.call_kind[node.id]
    if kind == "type_conversion":
        return f.value_as(node.arguments[0], _conversion_target(f, node))
    if kind == "struct_constructor_call":
        return _struct_constructor(f, node)
    function = f.model.type_of(node.expression)
    assert isinstance(function, types.FunctionType)
    handler = CALL_HANDLERS.get(function.kind)
    if handler is None:
        raise unimplemented(f"Calls of kind {function.kind} are not supported.", node.src)
    return handler(f, node, function)


@place_of(nodes.FunctionCall)
def call_place(f: FunctionLowering, node: nodes.FunctionCall) -> Place:
    """``array.push()`` gives the new element's place."""
    from smartvm.compiler.lowering.builtin_calls import push_place

    return push_place(f, node)


def _conversion_target(f: FunctionLowering, node: nodes.FunctionCall) -> types.Type:
    type_ = f.model.type_of(node)
    argument = f.model.type_of(node.arguments[0])
    if isinstance(argument, types.ArraySliceType) and location_of(type_) == "calldata":
        return type_
    return type_


@value_of(nodes.FunctionCallOptions)
def function_call_options(f: FunctionLowering, node: nodes.FunctionCallOptions) -> Value:
    """``f{value: v, gas: g, salt: s}``."""
    function = f.value(node.expression)
    assert isinstance(function, Value)
    options = dict(function.options) if isinstance(function, FunctionValue) else {}
    slots = tuple(f.writer.atom(slot) for slot in function.slots)
    for name, option in zip(node.names, node.options, strict=True):
        type_ = types.BYTES32 if name == "salt" else types.UINT256
        options[name] = f.writer.atom(f.word_as(option, type_))
    type_of_call = f.model.type_of(node)
    if isinstance(function, FunctionValue):
        return replace(function, type=type_of_call, slots=slots, options=options)
    return FunctionValue(type_of_call, slots, options=options)


def called_function(f: FunctionLowering, node: nodes.FunctionCall) -> FunctionValue:
    """The function that a call calls."""
    value = f.value(node.expression)
    if isinstance(value, FunctionValue):
        return value
    return FunctionValue(value.type, f.bound(value).slots)


def _struct_constructor(f: FunctionLowering, node: nodes.FunctionCall) -> Value:
    named = f.model.type_of(node.expression)
    assert isinstance(named, types.TypeType)
    struct = types.with_location(named.actual_type, "memory", True)
    assert isinstance(struct, types.StructType)
    members = [member for _, member in struct_members(struct)]
    values = in_order_written(f, node, lambda argument, i: f.value_as(argument, members[i]))
    type_ = f.model.type_of(node)
    result = f.result(type_, f.call(f.utilities.memory.allocate_struct(struct)))
    for value, (member_name, _) in zip(values, struct_members(struct), strict=True):
        offset = memory_offset_of_member(struct, member_name)
        address = f.call("add", result.slot, f.number(offset)) if offset else result.slot
        f.writer.do(f.call("mstore", address, memory_word(f, value)))
    return result


@call_of("internal")
def internal_call(f: FunctionLowering, node: nodes.FunctionCall, function: types.FunctionType) -> Value:
    """A call of a function of this contract, of an internal library function, of a free function, of a
    pointer."""
    return call_internal(f, node, function, request_function)


def call_internal(
    f: FunctionLowering,
    node: nodes.FunctionCall,
    function: types.FunctionType,
    request: Callable[[ObjectContext, nodes.FunctionDefinition], str],
) -> Value:
    """An internal call; ``request`` makes the function's Yul function and gives its name."""
    called = called_function(f, node)
    arguments: list[yul.Expression] = []
    if called.self_value is not None:
        arguments += f.convert(called.self_value, function.self_type).slots
    parameters = function.argument_types
    for slots in in_order_written(f, node, lambda a, i: function_slots(f, f.value_as(a, parameters[i]))):
        arguments += slots
    type_ = f.model.type_of(node)
    if called.definition is not None:
        return f.result(type_, f.call(request(f.context, called.definition), *arguments))
    arity = (
        sum(map(stack_size, function.parameter_types)),
        sum(map(stack_size, function.return_types)),
    )
    dispatch = f.context.dispatch_function(arity)
    return f.result(type_, f.call(dispatch, called.slot, *arguments))


@call_of("declaration", "error", "metatype")
def no_code(f: FunctionLowering, node: nodes.FunctionCall, function: types.FunctionType) -> Value:
    """``type(T)`` and error instances, which others use."""
    return Value(f.model.type_of(node))
