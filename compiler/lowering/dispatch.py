"""What a deployed contract does with a call: selects the function, decodes, calls, encodes
(docs/abi-spec.rst)."""

from __future__ import annotations

from smartvm.compiler.analysis import types
from smartvm.compiler.ast import nodes
from smartvm.compiler.lowering.function_lowering import FunctionLowering
from smartvm.compiler.lowering.functions import request_function
from smartvm.compiler.lowering.getters import getter_types, request_getter
from smartvm.compiler.lowering.memory import FREE_MEMORY_POINTER
from smartvm.compiler.lowering.type_facts import variable_names
from smartvm.compiler.yul import ast as yul
from smartvm.records import dataclass

#: The immutable that holds a library's own address.
LIBRARY_ADDRESS = "library_deploy_address"
#: More functions than this are found by halving instead of one comparison after the other.
LARGEST_FLAT_SWITCH = 4


@dataclass(frozen=True)
class _Entry:
    selector: int
    declaration: nodes.Declaration
    payable: bool
    read_only: bool


def _entries(f: FunctionLowering) -> list[_Entry]:
    entries = [
        _Entry(
            selector,
            type_.declaration,
            type_.state_mutability == "payable",
            type_.state_mutability in ("view", "pure"),
        )
        for selector, type_ in types.interface_functions(f.context.contract, f.model)
        if type_.declaration is not None
    ]
    return sorted(entries, key=lambda entry: entry.selector)


def write_dispatch(f: FunctionLowering) -> None:
    """The deployed contract's code after memory is set up."""
    contract = f.context.contract
    compilation = f.context.compilation
    receive = compilation.special_function(contract, "receive")
    fallback = compilation.special_function(contract, "fallback")
    entries = _entries(f)
    is_library = contract.contract_kind == "library"
    accepts_value = (
        is_library
        or receive is not None
        or any(entry.payable for entry in entries)
        or (fallback is not None and fallback.state_mutability == "payable")
    )
    if not accepts_value and (entries or fallback is not None):
        _refuse_value(f)
    if entries:
        enough = f.call("iszero", f.call("lt", f.call("calldatasize"), f.number(4)))
        with f.writer.nested() as body:
            word = f.call("calldataload", f.number(0))
            selector = f.writer.bind(f.forms.shifts.right(224, word), "selector")
            _write_switch(f, selector, entries, check_value=accepts_value and not is_library)
        f.writer.if_(enough, body)
    if receive is not None:
        with f.at(receive), f.writer.nested() as body:
            f.writer.do(f.call(request_function(f.context, receive)))
            f.writer.do(f.call("stop"))
        f.writer.if_(f.call("iszero", f.call("calldatasize")), body)
    _write_fallback(f, fallback, receive, check_value=accepts_value)


def _refuse_value(f: FunctionLowering) -> None:
    f.revert_if(f.call("callvalue"), "Ether sent to non-payable function")


def _write_fallback(
    f: FunctionLowering,
    fallback: nodes.FunctionDefinition | None,
    receive: nodes.FunctionDefinition | None,
    check_value: bool,
) -> None:
    if fallback is None:
        reason = (
            "Contract does not have fallback nor receive functions"
            if receive is None
            else "Unknown signature and no fallback defined"
        )
        if f.context.settings.debug_revert_strings:
            f.writer.do(f.call(f.utilities.reverts.with_reason(reason.encode())))
        else:
            f.writer.do(f.call("revert", f.number(0), f.number(0)))
        return
    with f.at(fallback):
        if check_value and fallback.state_mutability != "payable":
            _refuse_value(f)
        function = request_function(f.context, fallback)
        if not fallback.parameters.parameters:
            f.writer.do(f.call(function))
            f.writer.do(f.call("stop"))
            return
        result = f.writer.bind(f.call(function, f.number(0), f.call("calldatasize")), "result")
        f.writer.do(f.call("return", f.call("add", result, f.number(32)), f.call("mload", result)))


def _write_switch(
    f: FunctionLowering, selector: yul.Expression, entries: list[_Entry], check_value: bool
) -> None:
    if len(entries) > LARGEST_FLAT_SWITCH:
        middle = len(entries) // 2
        branches = []
        for part in (entries[middle:], entries[:middle]):
            with f.writer.nested() as body:
                _write_switch(f, selector, part, check_value)
            branches.append(f.writer.block(body))
        below = f.call("lt", selector, f.number(entries[middle].selector))
        cases = (yul.Case(f.number(0), branches[0], f.source), yul.Case(None, branches[1], f.source))
        f.writer.append(yul.Switch(below, cases, f.source))
        return
    listed: list[yul.Case] = []
    for entry in entries:
        with f.writer.nested() as body, f.at(entry.declaration):
            _write_entry(f, entry, check_value)
        literal = yul.Literal("number", entry.selector, text=f"0x{entry.selector:08x}", source=f.source)
        listed.append(yul.Case(literal, f.writer.block(body), f.source))
    listed.append(yul.Case(None, f.writer.block([]), f.source))
    f.writer.append(yul.Switch(selector, tuple(listed), f.source))


def _write_entry(f: FunctionLowering, entry: _Entry, check_value: bool) -> None:
    """One function: its arguments from call data, the call, its results as return data."""
    declaration = entry.declaration
    if f.context.contract.contract_kind == "library" and not entry.read_only:
        f.revert_if(
            f.call("iszero", yul.Identifier("called_via_delegatecall", f.source)),
            "Non-view function of library called without DELEGATECALL",
        )
    if check_value and not entry.payable:
        _refuse_value(f)
    if isinstance(declaration, nodes.FunctionDefinition):
        parameters = [f.model.type_of_declaration(p) for p in declaration.parameters.parameters]
        returns = [f.model.type_of_declaration(p) for p in declaration.return_parameters.parameters]
        function = request_function(f.context, declaration)
    else:
        assert isinstance(declaration, nodes.VariableDeclaration)
        parameters, returns = getter_types(f.context, declaration)
        function = request_getter(f.context, declaration)
    arguments = tuple(n for i, t in enumerate(parameters) for n in variable_names(f"param_{i}", t))
    decode = f.utilities.decoding.decode_tuple(parameters)
    if parameters or f.context.settings.debug_revert_strings:
        f.writer.let(arguments, f.call(decode, f.number(4), f.call("calldatasize")))
    results = tuple(n for i, t in enumerate(returns) for n in variable_names(f"ret_{i}", t))
    f.writer.let(results, f.call(function, *f.names(arguments)))
    if not results:
        f.writer.do(f.call("return", f.number(0), f.number(0)))
        return
    start = f.writer.bind(f.call("mload", f.number(FREE_MEMORY_POINTER)), "start")
    encode = f.utilities.encoding.encode_tuple(returns, returns)
    end = f.call(encode, start, *f.names(results))
    f.writer.do(f.call("return", start, f.call("sub", f.writer.bind(end, "end"), start)))
