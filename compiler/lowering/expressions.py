"""Literals, names, tuples, conditionals and assignments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smartvm.compiler.analysis import types
from smartvm.compiler.analysis.model import MagicVariable
from smartvm.compiler.ast import nodes
from smartvm.compiler.lowering.compilation import fully_qualified_name
from smartvm.compiler.lowering.constants import constant_value
from smartvm.compiler.lowering.handlers import place_of, value_of
from smartvm.compiler.lowering.raw_words import assign_as_returned
from smartvm.compiler.lowering.type_facts import is_reference_type, is_value_type, variable_names
from smartvm.compiler.lowering.unimplemented import unimplemented
from smartvm.compiler.lowering.value_conversion import function_slots
from smartvm.compiler.lowering.values import (
    FunctionValue,
    ImmutablePlace,
    Place,
    StoragePlace,
    TuplePlace,
    Value,
)
from smartvm.compiler.lowering.yul_nodes import string
from smartvm.compiler.yul import ast as yul
from smartvm.errors import InternalError

if TYPE_CHECKING:
    from smartvm.compiler.lowering.function_lowering import FunctionLowering


# --- literals and names ----------------------------------------------------------------------------


def rational_word(type_: types.RationalNumberType) -> int:
    """The word of a number; a fraction has none, and is only converted to fixed point types, which do not
    exist."""
    return int(type_.value) % (1 << 256)


@value_of(nodes.Literal)
def literal(f: FunctionLowering, node: nodes.Literal) -> Value:
    """A literal. Strings have no slots until they are converted."""
    type_ = f.model.type_of(node)
    match type_:
        case types.StringLiteralType():
            return Value(type_)
        case types.BoolType():
            return Value(type_, (f.number(1 if node.text == "true" else 0),))
        case types.RationalNumberType():
            return Value(type_, (f.number(rational_word(type_)),))
        case types.AddressType():
            return Value(type_, (f.number(int(node.text, 16)),))
    raise unimplemented("Only integer, boolean and string literals are supported.", node.src)


def variable_place(
    f: FunctionLowering, declaration: nodes.VariableDeclaration, node: nodes.Expression
) -> Place | None:
    """The place of a variable; None for constants."""
    type_ = f.model.type_of_declaration(declaration)
    if declaration.id in f.locals:
        return f.local_place(declaration)
    if declaration.mutability == "constant":
        return None
    if declaration.mutability == "immutable":
        return ImmutablePlace(type_, declaration)
    if declaration.id in f.context.state_places:
        slot, offset, space = f.context.state_places[declaration.id]
        return StoragePlace(type_, f.number(slot), offset, space)
    raise InternalError(f"variable {declaration.name} at {node.src} is in no scope")


def variable_value(
    f: FunctionLowering, declaration: nodes.VariableDeclaration, node: nodes.Expression
) -> Value:
    """The value of a variable or constant."""
    place = variable_place(f, declaration, node)
    if place is None:
        return constant_value(f, declaration)
    value = f.read(place)
    return f.copied(value) if declaration.id in f.captured else value


def named_function(
    f: FunctionLowering, node: nodes.Expression, function: nodes.FunctionDefinition
) -> FunctionValue:
    """An internal function named by an expression, after the lookup that the expression asks for."""
    type_ = f.model.type_of(node)
    lookup = f.model.required_lookup.get(node.id, "static")
    compilation = f.context.compilation
    if lookup == "virtual":
        found = compilation.resolve_virtual(function, f.context.contract)
        assert isinstance(found, nodes.FunctionDefinition)
        function = found
    elif lookup == "super":
        calling = f.model.contract_of[node.id]
        function = compilation.resolve_super(function, f.context.contract, calling)
    return FunctionValue(type_, (), definition=function)


def library_address(f: FunctionLowering, library: nodes.ContractDefinition) -> yul.Expression:
    """The address at which a library is deployed, known to the linker."""
    return f.call("linkersymbol", string(fully_qualified_name(f.model, library), f.source))


@value_of(nodes.Identifier)
def identifier(f: FunctionLowering, node: nodes.Identifier) -> Value:
    """A name."""
    type_ = f.model.type_of(node)
    declaration = f.model.referenced_declaration.get(node.id)
    match declaration:
        case MagicVariable():
            if isinstance(type_, types.ContractType):
                return Value(type_, (f.call("address"),))
            return Value(type_)
        case nodes.FunctionDefinition():
            return named_function(f, node, declaration)
        case nodes.VariableDeclaration():
            return variable_value(f, declaration, node)
        case nodes.ContractDefinition(contract_kind="library"):
            return Value(type_, (library_address(f, declaration),))
    return Value(type_)


@place_of(nodes.Identifier)
def identifier_place(f: FunctionLowering, node: nodes.Identifier) -> Place:
    """A variable that is assigned to."""
    declaration = f.model.referenced_declaration[node.id]
    assert isinstance(declaration, nodes.VariableDeclaration)
    place = variable_place(f, declaration, node)
    if place is None:
        raise InternalError(f"constant {declaration.name} is assigned")
    return place


@value_of(nodes.ElementaryTypeNameExpression)
def elementary_type_name(f: FunctionLowering, node: nodes.ElementaryTypeNameExpression) -> Value:
    """A type's name."""
    return Value(f.model.type_of(node))


@value_of(nodes.NewExpression)
def new_expression(f: FunctionLowering, node: nodes.NewExpression) -> Value:
    """``new T``: the call does the work."""
    return FunctionValue(f.model.type_of(node))


# --- tuples ----------------------------------------------------------------------------------------


@value_of(nodes.TupleExpression)
def tuple_expression(f: FunctionLowering, node: nodes.TupleExpression) -> Value:
    """Parentheses, tuples, inline arrays."""
    if node.is_inline_array:
        return inline_array(f, node)
    if len(node.components) == 1 and node.components[0] is not None:
        return f.value(node.components[0])
    components = [None if c is None else f.value(c) for c in node.components]
    return f.tuple_value(components, f.model.type_of(node))


@place_of(nodes.TupleExpression)
def tuple_place(f: FunctionLowering, node: nodes.TupleExpression) -> Place:
    """A tuple of places."""
    if len(node.components) == 1 and node.components[0] is not None:
        return f.place(node.components[0])
    places = tuple(None if c is None else f.place(c) for c in node.components)
    return TuplePlace(types.TupleType(tuple(p.type if p is not None else None for p in places)), places)


def inline_array(f: FunctionLowering, node: nodes.TupleExpression) -> Value:
    """``[a, b, c]``: a new static array in memory."""
    type_ = f.model.type_of(node)
    assert isinstance(type_, types.ArrayType)
    allocate = f.utilities.memory.allocate_array(type_)
    array = f.result(type_, f.call(allocate, f.number(len(node.components))))
    for index, component in enumerate(node.components):
        assert component is not None
        element = f.value_as(component, type_.base_type)
        address = array.slot if index == 0 else f.call("add", array.slot, f.number(32 * index))
        f.writer.do(f.call("mstore", address, memory_word(f, element)))
    return array


def memory_word(f: FunctionLowering, value: Value) -> yul.Expression:
    """The word that stands for a converted value within an array or struct in memory."""
    if is_value_type(value.type):
        return f.one_word(Value(value.type, function_slots(f, value)))
    return value.slot


# --- conditional -----------------------------------------------------------------------------------


@value_of(nodes.Conditional)
def conditional(f: FunctionLowering, node: nodes.Conditional) -> Value:
    """``condition ? a : b``."""
    type_ = f.model.type_of(node)
    condition = f.word_as(node.condition, types.BOOL)
    names = tuple(f.writer.fresh("expr") for _ in variable_names("", type_))
    f.writer.let(names, None)
    branches: list[yul.Block] = []
    for branch in (node.true_expression, node.false_expression):
        with f.writer.nested() as statements:
            value = f.value_as(branch, type_)
            for name, slot in zip(names, _slots(f, value), strict=True):
                f.writer.assign([name], slot)
        branches.append(f.writer.block(statements))
    cases = (yul.Case(f.number(0), branches[1], f.source), yul.Case(None, branches[0], f.source))
    f.writer.append(yul.Switch(condition, cases, f.source))
    return Value(type_, f.names(names))


def _slots(f: FunctionLowering, value: Value) -> tuple[yul.Expression, ...]:
    slots = [s for c in f.split(value) if c is not None for s in function_slots(f, c)]
    if len(slots) < 2:
        return tuple(slots)
    return tuple(f.writer.atom(slot) for slot in slots)


# --- assignment ------------------------------------------------------------------------------------


@value_of(nodes.Assignment)
def assignment(f: FunctionLowering, node: nodes.Assignment) -> Value:
    """``a = b`` and ``a += b``: the right side is evaluated first."""
    from smartvm.compiler.lowering.operators import binary_operation

    if (assigned := assign_as_returned(f, node)) is not None:
        return assigned
    right = f.value(node.right_hand_side)
    left_type = f.model.type_of(node.left_hand_side)
    operator = node.operator[:-1]
    if operator:
        shift = operator in ("<<", ">>")
        if not shift:
            with f.at(node):
                right = f.convert(right, left_type)
        right = f.bound(right)
        place = stable_place(f, f.place(node.left_hand_side))
        old = f.read(place)
        result = f.bound(binary_operation(f, operator, left_type, old, right))
        f.write(place, result)
        return result
    if is_value_type(left_type):
        right = f.bound(f.convert(right, left_type))
    elif isinstance(right.type, types.TupleType) or not isinstance(right, FunctionValue):
        right = f.bound(right)
    place = f.place(node.left_hand_side)
    if isinstance(place, TuplePlace):
        right = f.tuple_value([c and _component(f, c, p) for c, p in _pairs(f, right, place)])
    f.write(place, right)
    if is_reference_type(left_type):
        return f.read(place)
    return right


def _pairs(f: FunctionLowering, value: Value, place: TuplePlace) -> list[tuple[Value | None, Place | None]]:
    return list(zip(f.split(value), place.places, strict=True))


def _component(f: FunctionLowering, value: Value, place: Place | None) -> Value:
    # A function named in the tuple must be one value, whatever the other components assign.
    if place is not None and isinstance(value, FunctionValue):
        return f.convert(value, place.type)
    return value


def stable_place(f: FunctionLowering, place: Place) -> Place:
    """The place with its address in variables, to be read and then written."""
    from smartvm.compiler.lowering.values import MemoryPlace
    from smartvm.records import replace

    if isinstance(place, MemoryPlace):
        return replace(place, address=f.writer.atom(place.address))
    if isinstance(place, StoragePlace):
        offset = place.offset if isinstance(place.offset, int) else f.writer.atom(place.offset)
        return replace(place, slot=f.writer.atom(place.slot), offset=offset)
    return place
