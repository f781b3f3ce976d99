"""What inline assembly leaves in variables of types that are narrower than a word.

solc leaves it alone: bits that the type lacks are cleared where Solidity code uses the variable, and assembly that
reads the variable later finds them, also through the result of a function. Solidity code finds variables clean here,
since each assembly block cleans what it assigned; where another block reads it, a second Yul variable keeps the raw
word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from smartvm.compiler.analysis import types
from smartvm.compiler.analysis.model import SemanticModel
from smartvm.compiler.ast import nodes
from smartvm.compiler.lowering.type_facts import bare
from smartvm.compiler.lowering.values import Value
from smartvm.compiler.yul import ast as yul

if TYPE_CHECKING:
    from smartvm.compiler.lowering.function_lowering import FunctionLowering

#: Types of which a word may have bits too many; of some, those as wide as a word, never.
NARROW_TYPES = types.IntegerType | types.FixedBytesType | types.BoolType | types.AddressType


def keep_raw_word(f: FunctionLowering, declaration: nodes.VariableDeclaration) -> None:
    """Declare the second variable of a local variable that was just declared, if it needs one."""
    writes = f.model.assembly_writes.get(declaration.id)
    if not writes:
        return
    reads: set[int] = f.model.assembly_reads.get(declaration.id, set())
    if (len(writes) > 1 and reads) or not reads <= writes:
        _add(f, declaration, None)


def _add(f: FunctionLowering, declaration: nodes.VariableDeclaration, word: yul.Expression | None) -> None:
    if not isinstance(bare(f.model.type_of_declaration(declaration)), NARROW_TYPES):
        return
    (name,) = f.locals[declaration.id]
    raw = f"raw_{name}"
    f.writer.let([raw], word if word is not None else yul.Identifier(name, f.source))
    f.raw_names[declaration.id] = raw


def declare_as_returned(
    f: FunctionLowering, declaration: nodes.VariableDeclaration, value: nodes.Expression
) -> bool:
    """Declare a variable with a function's raw result, if ``value`` is one and assembly reads the variable;
    whether it was declared."""
    if declaration.id not in f.model.assembly_reads:
        return False
    result = _raw_result(f, value, f.model.type_of_declaration(declaration))
    if result is None:
        return False
    names = f.new_local(declaration)
    f.writer.let(names, f.clean(result.type, result.slot))
    _add(f, declaration, result.slot)
    return True


def assign_as_returned(f: FunctionLowering, node: nodes.Assignment) -> Value | None:
    """Assign a function's raw result to a variable that keeps its raw word; None for other assignments."""
    target = node.left_hand_side
    if node.operator != "=" or not isinstance(target, nodes.Identifier):
        return None
    declaration = f.model.referenced_declaration.get(target.id)
    if declaration is None or declaration.id not in f.raw_names:
        return None
    type_ = f.model.type_of(target)
    result = _raw_result(f, node.right_hand_side, type_)
    if result is None:
        return None
    names = f.locals[declaration.id]
    f.writer.assign([f.raw_names[declaration.id]], result.slot)
    f.writer.assign(names, f.clean(type_, result.slot))
    return Value(type_, f.names(names))


def _raw_result(f: FunctionLowering, value: nodes.Expression, wanted: types.Type) -> Value | None:
    from smartvm.compiler.lowering.calls import call_internal
    from smartvm.compiler.lowering.functions import request_raw_function

    if not isinstance(value, nodes.FunctionCall) or f.model.call_kind[value.id] != "function_call":
        return None
    function = f.model.type_of(value.expression)
    if not isinstance(function, types.FunctionType) or function.kind != "internal":
        return None
    if f.model.type_of(value) != wanted or not isinstance(bare(wanted), NARROW_TYPES):
        return None
    called = f.model.referenced_declaration.get(value.expression.id)
    if not isinstance(called, nodes.FunctionDefinition) or not has_raw_result(f.model, called):
        return None
    with f.at(value):
        return call_internal(f, value, function, request_raw_function)


def has_raw_result(model: SemanticModel, function: nodes.FunctionDefinition) -> bool:
    """Whether assembly assigns the function's only result, of a narrow type, and no modifier is in between."""
    returns = function.return_parameters.parameters
    if function.body is None or function.modifiers or len(returns) != 1:
        return False
    narrow = isinstance(bare(model.type_of_declaration(returns[0])), NARROW_TYPES)
    return narrow and returns[0].id in model.assembly_writes
