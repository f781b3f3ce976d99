"""``try`` statements (docs/control-structures.rst, "try/catch")."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smartvm.compiler.ast import nodes
from smartvm.compiler.lowering.handlers import statement
from smartvm.compiler.lowering.reverts import ERROR_SELECTOR, PANIC_SELECTOR
from smartvm.compiler.lowering.statements import block_contents, declare
from smartvm.compiler.lowering.type_facts import BYTES_MEMORY, STRING_MEMORY, UINT256
from smartvm.compiler.lowering.utilities import Utilities
from smartvm.compiler.lowering.values import Value
from smartvm.compiler.yul import ast as yul

if TYPE_CHECKING:
    from smartvm.compiler.analysis.model import CatchKinds
    from smartvm.compiler.lowering.function_lowering import FunctionLowering


def return_data_selector(utilities: Utilities) -> str:
    """``() -> selector`` of the returned data; zero when there are fewer than four bytes."""
    return utilities.define(
        "return_data_selector",
        lambda: (
            f"""function return_data_selector() -> selector {{
            if gt(returndatasize(), 3) {{
                returndatacopy(0, 0, 4)
                selector := {utilities.text.shifts.right(224, "mload(0)")}
            }}
        }}"""
        ),
    )


def decode_error_message(utilities: Utilities) -> str:
    """``() -> message`` of ``Error(string)`` in the returned data; zero when it is not encoded properly."""

    def text() -> str:
        return f"""function decode_error_message() -> message {{
            if lt(returndatasize(), 0x44) {{ leave }}
            let data := mload(64)
            returndatacopy(data, 4, sub(returndatasize(), 4))
            let offset := mload(data)
            if or(gt(offset, 0xffffffffffffffff), gt(add(offset, 0x24), returndatasize())) {{ leave }}
            let start := add(data, offset)
            let length := mload(start)
            if gt(length, 0xffffffffffffffff) {{ leave }}
            if gt(add(add(start, 32), length), add(data, sub(returndatasize(), 4))) {{ leave }}
            {utilities.memory.finalize_allocation()}(data, add(add(offset, 32), length))
            message := start
        }}"""

    return utilities.define("decode_error_message", text)


def decode_panic_code(utilities: Utilities) -> str:
    """``() -> found, code`` of ``Panic(uint256)`` in the returned data."""
    return utilities.define(
        "decode_panic_code",
        lambda: (
            """function decode_panic_code() -> found, code {
            if gt(returndatasize(), 0x23) {
                returndatacopy(0, 4, 32)
                found := 1
                code := mload(0)
            }
        }"""
        ),
    )


@statement(nodes.TryStatement)
def try_statement(f: FunctionLowering, node: nodes.TryStatement) -> None:
    """The call, then the success clause or one of the catch clauses."""
    kinds = f.model.try_clauses[node.id]
    with f.full_expression(node.external_call):
        value = f.value(node.external_call)
    success = f.try_success
    assert success is not None
    f.try_success = None
    with f.writer.nested() as succeeded:
        clause = kinds.success
        with f.at(clause):
            if clause.parameters is not None:
                parameters = clause.parameters.parameters
                components = [value] if len(parameters) == 1 else f.split(value)
                for parameter, component in zip(parameters, components, strict=True):
                    assert component is not None
                    declare(f, parameter, component)
            block_contents(f, clause.block)
    with f.writer.nested() as failed:
        _catch(f, kinds)
    cases = (
        yul.Case(f.number(0), f.writer.block(failed), f.source),
        yul.Case(None, f.writer.block(succeeded), f.source),
    )
    f.writer.append(yul.Switch(success, cases, f.source))


def _catch(f: FunctionLowering, kinds: CatchKinds) -> None:
    if kinds.error is None and kinds.panic is None:
        _fallback(f, kinds)
        return
    run_fallback = f.writer.fresh("run_fallback")
    f.writer.let([run_fallback], f.number(1))
    cases: list[yul.Case] = []
    if kinds.error is not None:
        with f.at(kinds.error), f.writer.nested() as block:
            message = f.writer.bind(f.call(decode_error_message(f.utilities)), "message")
            _clause(f, kinds.error, message, Value(STRING_MEMORY, (message,)), run_fallback)
        cases.append(yul.Case(f.number(ERROR_SELECTOR), f.writer.block(block), f.source))
    if kinds.panic is not None:
        with f.at(kinds.panic), f.writer.nested() as block:
            found, code = f.writer.fresh("found"), f.writer.fresh("code")
            f.writer.let([found, code], f.call(decode_panic_code(f.utilities)))
            condition = yul.Identifier(found, f.source)
            _clause(
                f, kinds.panic, condition, Value(UINT256, (yul.Identifier(code, f.source),)), run_fallback
            )
        cases.append(yul.Case(f.number(PANIC_SELECTOR), f.writer.block(block), f.source))
    f.writer.append(yul.Switch(f.call(return_data_selector(f.utilities)), tuple(cases), f.source))
    with f.writer.nested() as fallback:
        _fallback(f, kinds)
    f.writer.if_(yul.Identifier(run_fallback, f.source), fallback)


def _clause(
    f: FunctionLowering,
    clause: nodes.TryCatchClause,
    condition: yul.Expression,
    argument: Value,
    run_fallback: str,
) -> None:
    with f.writer.nested() as body:
        f.writer.assign([run_fallback], f.number(0))
        if clause.parameters is not None:
            declare(f, clause.parameters.parameters[0], argument)
        block_contents(f, clause.block)
    f.writer.if_(condition, body)


def _fallback(f: FunctionLowering, kinds: CatchKinds) -> None:
    clause = kinds.fallback
    if clause is None:
        f.writer.do(f.call(f.utilities.reverts.forward()))
        return
    with f.at(clause):
        if clause.parameters is not None and clause.parameters.parameters:
            data = f.result(BYTES_MEMORY, f.call(f.utilities.memory.return_data()))
            declare(f, clause.parameters.parameters[0], data)
        block_contents(f, clause.block)
