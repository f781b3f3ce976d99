"""Functions and modifiers: parameters, return variables, bodies, chains of modifiers (docs/contracts/*.rst).

A function with modifiers becomes a chain of Yul functions: the first modifier, whose placeholders call the
next one, and
so on to the body. Each gets the function's parameters as they were passed and returns its return values.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from smartvm.compiler.ast import nodes
from smartvm.compiler.lowering.function_lowering import FunctionLowering
from smartvm.compiler.lowering.local_writes import sub_expressions
from smartvm.compiler.lowering.object_context import ObjectContext, function_name
from smartvm.compiler.lowering.raw_words import has_raw_result, keep_raw_word
from smartvm.compiler.lowering.type_facts import declared_name, location_of
from smartvm.compiler.lowering.value_conversion import function_slots
from smartvm.compiler.lowering.yul_nodes import name
from smartvm.compiler.yul import ast as yul
from smartvm.errors import InternalError


def request_function(context: ObjectContext, function: nodes.FunctionDefinition) -> str:
    """The Yul function of a Solidity function, made when the object's functions are made. Returns its
    name."""
    return context.request(function_name(function), lambda: _make_function(context, function))


def request_raw_function(context: ObjectContext, function: nodes.FunctionDefinition) -> str:
    """As ``request_function``, of the function whose result is the word that assembly put there, if it has
    one."""
    if not has_raw_result(context.model, function):
        return request_function(context, function)
    raw_name = f"{function_name(function)}_raw"
    return context.request(raw_name, lambda: ModifierChain(context, function, []).body(raw_name, False, True))


def _make_function(context: ObjectContext, function: nodes.FunctionDefinition) -> yul.FunctionDefinition:
    if function.body is None:
        raise InternalError(f"function {function.name} has no body")
    modifiers = [m for m in function.modifiers if _modifier(context, m) is not None]
    chain = ModifierChain(context, function, modifiers)
    if not modifiers:
        return chain.body(function_name(function), with_passed=False)
    return chain.entry(function_name(function))


def _modifier(
    context: ObjectContext, invocation: nodes.ModifierInvocation
) -> nodes.ModifierDefinition | None:
    """The modifier that an invocation names, after virtual lookup; None for a base constructor."""
    declaration = context.model.referenced_declaration.get(invocation.modifier_name.id)
    if not isinstance(declaration, nodes.ModifierDefinition):
        return None
    if context.model.required_lookup.get(invocation.modifier_name.id, "virtual") == "virtual":
        found = context.compilation.resolve_virtual(declaration, context.contract)
        assert isinstance(found, nodes.ModifierDefinition)
        return found
    return declaration


def declare_parameters(f: FunctionLowering, parameters: nodes.ParameterList) -> tuple[str, ...]:
    """The names of a function's parameters."""
    return tuple(n for parameter in parameters.parameters for n in f.new_local(parameter))


class ModifierChain:
    """The Yul functions of one Solidity function."""

    def __init__(
        self,
        context: ObjectContext,
        function: nodes.FunctionDefinition,
        modifiers: Sequence[nodes.ModifierInvocation],
    ) -> None:
        self.context = context
        self.model = context.model
        self.function = function
        self.modifiers = modifiers

    # --- names and variables -------------------------------------------------------------------------

    def _modifier_name(self, index: int) -> str:
        definition = _modifier(self.context, self.modifiers[index])
        assert definition is not None
        return f"modifier_{declared_name(definition)}_{self.modifiers[index].id}"

    def _body_name(self) -> str:
        return f"{function_name(self.function)}_inner"

    def _next(self, index: int) -> str:
        """Ask for the function that comes after ``index`` links of the chain."""
        if index < len(self.modifiers):
            return self.context.request(self._modifier_name(index), lambda: self._link(index))
        return self.context.request(self._body_name(), lambda: self.body(self._body_name(), True))

    @cached_property
    def _passed(self) -> list[nodes.VariableDeclaration]:
        """Return variables whose first value is passed along the chain: where that value is allocated,
        which the entry
        does once; all of them where an argument of a modifier uses one, so that it may have been assigned."""
        variables = list(self.function.return_parameters.parameters)
        if self._arguments_name({v.id for v in variables}):
            return variables
        return [v for v in variables if _is_allocated(self.context, v)]

    def _arguments_name(self, declarations: set[int]) -> bool:
        """Whether an argument of a modifier names one of the declarations."""
        pending: list[nodes.Expression | None] = [a for m in self.modifiers for a in m.arguments or ()]
        while pending:
            part = pending.pop()
            if part is None:
                continue
            if isinstance(part, nodes.Identifier):
                declaration = self.model.referenced_declaration.get(part.id)
                if isinstance(declaration, nodes.VariableDeclaration) and declaration.id in declarations:
                    return True
            pending.extend(sub_expressions(part))
        return False

    def _declare(self, f: FunctionLowering, with_passed: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Parameters (with the passed first values before them) and return variables, these with their
        values."""
        parameters = declare_parameters(f, self.function.parameters)
        returns = declare_parameters(f, self.function.return_parameters)
        f.return_places = tuple(f.local_place(v) for v in self.function.return_parameters.parameters)
        passed: list[str] = []
        for variable in self.function.return_parameters.parameters:
            names = f.locals[variable.id]
            if with_passed and variable in self._passed:
                for target in names:
                    passed.append(f"first_{target}")
                    f.writer.assign([target], name(passed[-1]))
                continue
            type_ = self.model.type_of_declaration(variable)
            if location_of(type_) == "storage":
                continue
            for target, value in zip(names, f.zero(type_), strict=True):
                # Yul's return variables start as zero.
                if not (isinstance(value, yul.Literal) and value.value == 0):
                    f.writer.assign([target], value)
        return (*passed, *parameters), returns

    def _definition(
        self,
        f: FunctionLowering,
        yul_name: str,
        parameters: tuple[str, ...],
        returns: tuple[str, ...],
        node: nodes.Node,
    ) -> yul.FunctionDefinition:
        body = yul.Block(f.writer.statements(), node.src)
        return yul.FunctionDefinition(yul_name, parameters, returns, body, node.src)

    # --- the functions ---------------------------------------------------------------------------------

    def entry(self, yul_name: str) -> yul.FunctionDefinition:
        """The function that callers call: allocates the defaults and calls the first modifier."""
        f = FunctionLowering(self.context)
        with f.at(self.function):
            parameters, returns = self._declare(f, with_passed=False)
            self._call_next(f, 0, parameters, returns)
            return self._definition(f, yul_name, parameters, returns, self.function)

    def _call_next(
        self, f: FunctionLowering, index: int, parameters: tuple[str, ...], returns: tuple[str, ...]
    ) -> None:
        passed = tuple(n for v in self._passed for n in f.locals[v.id])
        f.writer.assign(returns, f.call(self._next(index), *f.names((*passed, *parameters))))

    def first_link(self) -> str:
        """The name of the first modifier's function."""
        return self._next(0)

    def _link(self, index: int) -> yul.FunctionDefinition:
        """A modifier around the next link."""
        from smartvm.compiler.lowering.statements import block_contents

        invocation = self.modifiers[index]
        definition = _modifier(self.context, invocation)
        assert definition is not None
        assert definition.body is not None
        f = FunctionLowering(self.context)
        with f.at(definition):
            parameters, returns = self._declare(f, with_passed=True)
            # Arguments that use a return variable mean the value that is passed along.
            for variable in self._passed:
                f.locals[variable.id] = tuple(f"first_{n}" for n in f.locals[variable.id])
            arguments = self.model.sorted_arguments.get(invocation.id, invocation.arguments or ())
            with f.full_expression(*arguments):
                for argument, parameter in zip(arguments, definition.parameters.parameters, strict=True):
                    with f.at(argument):
                        value = f.value_as(argument, self.model.type_of_declaration(parameter))
                        slots = function_slots(f, value)
                        for target, slot in zip(f.new_local(parameter), slots, strict=True):
                            f.writer.let([target], slot)
                        keep_raw_word(f, parameter)

            def placeholder() -> None:
                next_name = self._next(index + 1)
                f.writer.assign(returns, f.call(next_name, *f.names(parameters)))

            f.placeholder = placeholder
            f.return_places = ()
            block_contents(f, definition.body)
            return self._definition(f, self._modifier_name(index), parameters, returns, definition)

    def body(self, yul_name: str, with_passed: bool, raw: bool = False) -> yul.FunctionDefinition:
        """The function's own statements; ``raw``: the only result is what assembly put there, not cleaned."""
        from smartvm.compiler.lowering.statements import block_contents

        assert self.function.body is not None
        f = FunctionLowering(self.context)
        with f.at(self.function):
            parameters, returns = self._declare(f, with_passed)
            returned = self.function.return_parameters.parameters
            if raw:
                (result,) = returns
                f.writer.let([result], f.number(0))
                f.raw_names[returned[0].id] = f"raw_{result}"
                returns = (f"raw_{result}",)
            for variable in (*self.function.parameters.parameters, *(() if raw else returned)):
                keep_raw_word(f, variable)
            f.return_places = tuple(f.local_place(v) for v in returned)
            block_contents(f, self.function.body)
            return self._definition(f, yul_name, parameters, returns, self.function)


def _is_allocated(context: ObjectContext, variable: nodes.VariableDeclaration) -> bool:
    """Whether a variable's default value takes memory of its own: structs and static arrays in memory."""
    from smartvm.compiler.analysis import types

    type_ = context.model.type_of_declaration(variable)
    if isinstance(type_, types.StructType):
        return type_.location == "memory"
    return isinstance(type_, types.ArrayType) and type_.location == "memory" and type_.length is not None
