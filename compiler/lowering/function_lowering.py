"""The state of lowering one Yul function, and the operations on values and places that all constructs
share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from smartvm.compiler.analysis import types
from smartvm.compiler.ast import nodes
from smartvm.compiler.diagnostics import FatalDiagnostic
from smartvm.compiler.lowering.conversions import ValueForms
from smartvm.compiler.lowering.handlers import PLACE_HANDLERS, STATEMENT_HANDLERS, VALUE_HANDLERS
from smartvm.compiler.lowering.local_writes import written_locals
from smartvm.compiler.lowering.notation import NodeNotation
from smartvm.compiler.lowering.object_context import ObjectContext
from smartvm.compiler.lowering.type_facts import (
    bare,
    declared_name,
    is_external_function,
    location_of,
    variable_names,
)
from smartvm.compiler.lowering.unimplemented import unimplemented
from smartvm.compiler.lowering.values import FunctionValue, LocalPlace, Place, TupleValue, Value
from smartvm.compiler.lowering.yul_nodes import YulWriter
from smartvm.compiler.source import NO_SOURCE, SourceRange
from smartvm.compiler.yul import ast as yul
from smartvm.records import replace


class FunctionLowering:
    """Writes the body of one Yul function."""

    def __init__(self, context: ObjectContext) -> None:
        self.context = context
        self.model = context.model
        self.utilities = context.utilities
        self.writer = YulWriter()
        self.locals: dict[int, tuple[str, ...]] = {}
        #: variables that keep what assembly assigned (see ``raw_words``), by the local variable
        self.raw_names: dict[int, str] = {}
        #: arithmetic panics on overflow (outside ``unchecked``)
        self.checked = True
        #: local variables of which reads must make copies
        self.captured: frozenset[int] = frozenset()
        #: what ``_;`` does in a modifier
        self.placeholder: Callable[[], None] | None = None
        #: variables that ``return`` assigns to
        self.return_places: tuple[LocalPlace, ...] = ()
        #: whether the external call of a try statement succeeded
        self.try_success: yul.Expression | None = None
        #: the expression whose value nobody uses (of an expression statement)
        self.discarded: frozenset[int] = frozenset()

    # --- positions -----------------------------------------------------------------------------------

    @contextmanager
    def at(self, node: nodes.Node) -> Iterator[None]:
        """What is written inside stands for the node's source range."""
        previous = self.writer.source
        self.writer.source = node.src
        try:
            yield
        finally:
            self.writer.source = previous

    @property
    def source(self) -> SourceRange:
        """The current source range."""
        return self.writer.source

    @property
    def forms(self) -> ValueForms[yul.Expression]:
        """Operations on value types as nodes at the current source range."""
        return ValueForms(self.utilities, NodeNotation(self.writer.source))

    # --- dispatch on nodes ---------------------------------------------------------------------------

    def value(self, expression: nodes.Expression) -> Value:
        """Evaluate an expression."""
        handler = VALUE_HANDLERS.get(type(expression))
        if handler is None:
            raise unimplemented(f"{type(expression).__name__} is not supported.", expression.src)
        with self.at(expression):
            return handler(self, expression)

    def place(self, expression: nodes.Expression) -> Place:
        """Find the place that an expression denotes."""
        handler = PLACE_HANDLERS.get(type(expression))
        if handler is None:
            raise unimplemented(
                f"Assignment to {type(expression).__name__} is not supported.", expression.src
            )
        with self.at(expression):
            return handler(self, expression)

    def statement(self, node: nodes.Statement) -> None:
        """Lower a statement."""
        handler = STATEMENT_HANDLERS.get(type(node))
        if handler is None:
            raise unimplemented(f"{type(node).__name__} is not supported.", node.src)
        with self.at(node):
            try:
                handler(self, node)
            except FatalDiagnostic as fatal:
                if fatal.diagnostic.source != NO_SOURCE:
                    raise
                raise FatalDiagnostic(replace(fatal.diagnostic, source=node.src)) from None

    @contextmanager
    def full_expression(self, *expressions: nodes.Expression | None) -> Iterator[None]:
        """Prepare for evaluating expressions that are not part of others."""
        previous = self.captured
        found: frozenset[int] = frozenset()
        for expression in expressions:
            if expression is not None:
                found |= written_locals(self.model, expression)
        self.captured = found
        try:
            yield
        finally:
            self.captured = previous

    def value_as(self, expression: nodes.Expression, type_: types.Type) -> Value:
        """Evaluate an expression and convert it."""
        value = self.value(expression)
        with self.at(expression):
            return self.convert(value, type_)

    def word_as(self, expression: nodes.Expression, type_: types.Type) -> yul.Expression:
        """Evaluate an expression as a value of a type that takes one variable."""
        return self.value_as(expression, type_).slot

    # --- variables -----------------------------------------------------------------------------------

    def new_local(self, declaration: nodes.VariableDeclaration) -> tuple[str, ...]:
        """The names of a local variable, which is declared by the caller."""
        prefix = f"var_{declared_name(declaration)}"
        names = variable_names(prefix, self.model.type_of_declaration(declaration))
        self.locals[declaration.id] = names
        return names

    def local_place(self, declaration: nodes.VariableDeclaration) -> LocalPlace:
        """The place of a local variable."""
        type_ = self.model.type_of_declaration(declaration)
        return LocalPlace(type_, self.locals[declaration.id], self.raw_names.get(declaration.id))

    def names(self, names: tuple[str, ...]) -> tuple[yul.Expression, ...]:
        """Variables as expressions."""
        return tuple(yul.Identifier(n, self.source) for n in names)

    def number(self, value: int) -> yul.Literal:
        """A number."""
        return self.writer.number(value)

    def call(self, function: str, *arguments: yul.Expression) -> yul.FunctionCall:
        """A call."""
        return self.writer.call(function, *arguments)

    # --- values --------------------------------------------------------------------------------------

    def result(self, type_: types.Type, call: yul.Expression) -> Value:
        """Put the results of a call into new variables: the value in order of evaluation."""
        names = tuple(self.writer.fresh("expr") for _ in variable_names("", type_))
        self.writer.let(names, call)
        return Value(type_, self.names(names))

    def bound(self, value: Value) -> Value:
        """The value in variables or literals, so that it may be used more than once."""
        if isinstance(value, TupleValue):
            return self.tuple_value([c and self.bound(c) for c in value.components], value.type)
        if isinstance(value, FunctionValue):
            return value
        return Value(value.type, tuple(self.writer.atom(slot) for slot in value.slots))

    def copied(self, value: Value) -> Value:
        """The value in new variables that nothing else changes."""
        if isinstance(value, TupleValue):
            return self.tuple_value([c and self.copied(c) for c in value.components], value.type)
        if isinstance(value, FunctionValue):
            return value
        return Value(
            value.type,
            tuple(s if isinstance(s, yul.Literal) else self.writer.bind(s) for s in value.slots),
        )

    def tuple_value(self, components: list[Value | None], type_: types.Type | None = None) -> TupleValue:
        """A tuple."""
        slots = tuple(slot for c in components if c is not None for slot in c.slots)
        listed = type_ or types.TupleType(tuple(c.type if c is not None else None for c in components))
        return TupleValue(listed, slots, tuple(components))

    def split(self, value: Value) -> list[Value | None]:
        """The components of a tuple; any other value is its own only component."""
        if isinstance(value, TupleValue):
            return list(value.components)
        if isinstance(value.type, types.TupleType):
            components: list[Value | None] = []
            position = 0
            for component in value.type.components:
                if component is None:
                    components.append(None)
                    continue
                size = len(variable_names("", component))
                components.append(Value(component, value.slots[position : position + size]))
                position += size
            return components
        return [value]

    def zero(self, type_: types.Type) -> tuple[yul.Expression, ...]:
        """The slots of a type's default value."""
        memory = self.utilities.memory
        inner = bare(type_)
        if location_of(inner) == "memory":
            if isinstance(inner, types.StructType):
                return (self.call(memory.allocate_zeroed_struct(inner)),)
            assert isinstance(inner, types.ArrayType)
            if inner.length is not None:
                return (self.call(memory.allocate_zeroed_array(inner), self.number(inner.length)),)
            return (self.number(0x60),)
        if location_of(inner) == "calldata":
            return (self.call("calldatasize"), self.number(0))[: len(variable_names("", inner))]
        return tuple(self.number(0) for _ in variable_names("", inner))

    # --- conversion ----------------------------------------------------------------------------------

    def convert(self, value: Value, to: types.Type) -> Value:
        """The value as another type, after a conversion that analysis has allowed."""
        from smartvm.compiler.lowering.value_conversion import convert

        return convert(self, value, to)

    def clean(self, type_: types.Type, word: yul.Expression) -> yul.Expression:
        """A word with the bits cleared that the type lacks."""
        return self.forms.clean(type_, word)

    def one_word(self, value: Value) -> yul.Expression:
        """A value of a value type as the word that it is in memory."""
        if is_external_function(bare(value.type)):
            return self.call(self.utilities.conversions.combine_external_function(), *value.slots)
        return value.slot

    # --- places --------------------------------------------------------------------------------------

    def read(self, place: Place) -> Value:
        """The value at a place."""
        from smartvm.compiler.lowering.places import read

        return read(self, place)

    def write(self, place: Place, value: Value) -> None:
        """Store a value at a place, converting it."""
        from smartvm.compiler.lowering.places import write

        write(self, place, value)

    # --- reverts -------------------------------------------------------------------------------------

    def panic_if(self, condition: yul.Expression, code: int) -> None:
        """``if condition { Panic(code) }``."""
        self.writer.if_(condition, self._statement(self.call(self.utilities.reverts.panic(code))))

    def revert_if(self, condition: yul.Expression, debug_reason: str) -> None:
        """``if condition { revert }``, with the reason under debug revert strings."""
        if self.context.settings.debug_revert_strings:
            body = self.call(self.utilities.reverts.with_reason(debug_reason.encode()))
        else:
            body = self.call("revert", self.number(0), self.number(0))
        self.writer.if_(condition, self._statement(body))

    def _statement(self, expression: yul.Expression) -> list[yul.Statement]:
        return [yul.ExpressionStatement(expression, self.source)]

    @contextmanager
    def arithmetic(self, checked: bool) -> Iterator[None]:
        """Arithmetic inside is checked or wraps."""
        previous = self.checked
        self.checked = checked
        try:
            yield
        finally:
            self.checked = previous
