"""``emit``, ``revert``, ``require`` and ``assert`` (docs/contracts/events.rst, errors.rst,
control-structures.rst)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from smartvm.compiler.analysis import types
from smartvm.compiler.ast import nodes
from smartvm.compiler.lowering.builtin_calls import encoding_slots, evaluated, evaluated_arguments
from smartvm.compiler.lowering.calls import arguments_of, call_of
from smartvm.compiler.lowering.handlers import statement
from smartvm.compiler.lowering.memory import FREE_MEMORY_POINTER
from smartvm.compiler.lowering.reverts import ASSERT_FAILED, ERROR_SELECTOR
from smartvm.compiler.lowering.type_facts import STRING_MEMORY, event_topic, is_reference_type
from smartvm.compiler.lowering.values import Value
from smartvm.compiler.yul import ast as yul

if TYPE_CHECKING:
    from smartvm.compiler.lowering.function_lowering import FunctionLowering


# --- events ----------------------------------------------------------------------------------------


@statement(nodes.EmitStatement)
def emit_statement(f: FunctionLowering, node: nodes.EmitStatement) -> None:
    """``emit E(...)``."""
    with f.full_expression(node.event_call):
        f.value(node.event_call)


@call_of("event")
def event_call(f: FunctionLowering, node: nodes.FunctionCall, function: types.FunctionType) -> Value:
    """Logs the arguments: indexed ones as topics, the others ABI-encoded."""
    event = function.declaration
    assert isinstance(event, nodes.EventDefinition)
    values = evaluated_arguments(f, node)
    topics: list[yul.Expression] = []
    if not event.anonymous:
        topics.append(f.number(event_topic(function)))
    data: list[Value] = []
    data_types: list[types.Type] = []
    parameters = zip(values, event.parameters.parameters, function.parameter_types, strict=True)
    for value, parameter, type_ in parameters:
        if not parameter.indexed:
            data.append(value)
            data_types.append(type_)
        elif is_reference_type(type_):
            hashed = f.utilities.encoding.packed_hash([value.type], [type_])
            topics.append(f.writer.bind(f.call(hashed, *value.slots), "topic"))
        else:
            topics.append(f.writer.atom(f.one_word(f.convert(value, type_))))
    slots = [f.writer.atom(s) for s in encoding_slots(f, data)]
    if not data:
        f.writer.do(f.call(f"log{len(topics)}", f.number(0), f.number(0), *topics))
        return Value(f.model.type_of(node))
    start = f.writer.bind(f.call("mload", f.number(FREE_MEMORY_POINTER)), "start")
    encode = f.utilities.encoding.encode_tuple([v.type for v in data], data_types)
    end = f.writer.bind(f.call(encode, start, *slots), "end")
    f.writer.do(f.call(f"log{len(topics)}", start, f.call("sub", end, start), *topics))
    return Value(f.model.type_of(node))


# --- reverts ---------------------------------------------------------------------------------------


def revert_with(
    f: FunctionLowering, selector: int, values: Sequence[Value], to_types: Sequence[types.Type]
) -> None:
    """Revert with an error's selector and its encoded arguments."""
    slots = [f.writer.atom(s) for s in encoding_slots(f, values)]
    if not values:
        f.writer.do(f.call("mstore", f.number(0), f.number(selector << 224)))
        f.writer.do(f.call("revert", f.number(0), f.number(4)))
        return
    start = f.writer.bind(f.call("mload", f.number(FREE_MEMORY_POINTER)), "start")
    f.writer.do(f.call("mstore", start, f.number(selector << 224)))
    encode = f.utilities.encoding.encode_tuple([v.type for v in values], to_types)
    end = f.writer.bind(f.call(encode, f.call("add", start, f.number(4)), *slots), "end")
    f.writer.do(f.call("revert", start, f.call("sub", end, start)))


def _error_type(f: FunctionLowering, call: nodes.FunctionCall) -> types.FunctionType:
    function = f.model.type_of(call.expression)
    assert isinstance(function, types.FunctionType)
    return function


@statement(nodes.RevertStatement)
def revert_statement(f: FunctionLowering, node: nodes.RevertStatement) -> None:
    """``revert E(...)``."""
    function = _error_type(f, node.error_call)
    with f.full_expression(node.error_call):
        values = evaluated_arguments(f, node.error_call)
        revert_with(f, function.selector(), values, function.parameter_types)


@call_of("revert")
def revert_call(f: FunctionLowering, node: nodes.FunctionCall, function: types.FunctionType) -> Value:
    """``revert()`` and ``revert(reason)``."""
    arguments = arguments_of(f, node)
    values = evaluated(f, arguments)
    if not values or f.context.settings.revert_strings == "strip":
        f.writer.do(f.call("revert", f.number(0), f.number(0)))
    else:
        _revert_with_reason(f, values[0])
    return Value(f.model.type_of(node))


def _revert_with_reason(f: FunctionLowering, reason: Value) -> None:
    if isinstance(reason.type, types.StringLiteralType):
        f.writer.do(f.call(f.utilities.reverts.with_reason(reason.type.value)))
    else:
        revert_with(f, ERROR_SELECTOR, [reason], [STRING_MEMORY])


@call_of("assert")
def assert_call(f: FunctionLowering, node: nodes.FunctionCall, function: types.FunctionType) -> Value:
    """``assert(condition)``: Panic(0x01) when it does not hold."""
    (condition,) = arguments_of(f, node)
    f.panic_if(f.call("iszero", f.word_as(condition, types.BOOL)), ASSERT_FAILED)
    return Value(f.model.type_of(node))


@call_of("require")
def require_call(f: FunctionLowering, node: nodes.FunctionCall, function: types.FunctionType) -> Value:
    """``require(condition)``, with a reason or an error, whose arguments are evaluated in any case."""
    condition_node, *rest = arguments_of(f, node)
    condition = f.word_as(condition_node, types.BOOL)
    error_types: Sequence[types.Type] | None = None
    selector = ERROR_SELECTOR
    values: list[Value] = []
    if rest:
        (reason,) = rest
        reason_type = f.model.type_of(reason)
        if isinstance(reason_type, types.MagicType) and isinstance(reason, nodes.FunctionCall):
            error = _error_type(f, reason)
            values = [f.bound(v) for v in evaluated_arguments(f, reason)]
            error_types, selector = error.parameter_types, error.selector()
        else:
            values = [f.bound(v) for v in evaluated(f, [reason])]
    with f.writer.nested() as failure:
        if not rest or f.context.settings.revert_strings == "strip":
            f.writer.do(f.call("revert", f.number(0), f.number(0)))
        elif error_types is not None:
            revert_with(f, selector, values, error_types)
        else:
            _revert_with_reason(f, values[0])
    f.writer.if_(f.call("iszero", condition), failure)
    return Value(f.model.type_of(node))
