"""Yul → SSA: one graph per Yul function, built in one walk because Yul's control flow is structured.

Where paths join, exactly the variables that were assigned on one of them become parameters of the joining
block. Semantics as in "Specification of Yul": arguments are evaluated from right to left, functions are
visible in the whole block that defines them, results start as zero."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from smartvm.compiler.backend.algebra import fold
from smartvm.compiler.backend.ssa import Block, Function, Operation, Program, Symbol
from smartvm.compiler.source import SourceRange
from smartvm.compiler.yul import ast as yul
from smartvm.errors import InternalError

if TYPE_CHECKING:
    from smartvm.compiler.yul.dialect import Dialect

#: Builtins of objects whose value is known when the object is assembled; their argument is a name.
#: (Immutables and library addresses are so too, but wide: they are operations, whose results are kept rather
#: than repeated.)
_NAMED_SYMBOLS = frozenset({"dataoffset", "datasize"})

#: A switch with more cases than this is decided by halves when optimising.
_LINEAR_CASES = 5


class _Loop:
    """The blocks that ``break`` and ``continue`` go to, and the variables that both pass."""

    __slots__ = ("after", "names", "post")

    def __init__(self, after: Block, post: Block, names: tuple[str, ...]) -> None:
        self.after = after
        self.post = post
        self.names = names


def build_program(code: yul.Block, dialect: Dialect, optimize: bool, for_reading: bool = False) -> Program:
    """The graphs of an object's code and of all functions in it, in the order of definition. ``for_reading``:
    they will be printed, so values keep their names, and switches are not decided by halves."""
    builder = _ProgramBuilder(dialect, optimize, for_reading)
    main = Function("", 0, 0, code.source, is_main=True)
    builder.functions.append(main)
    _FunctionBuilder(builder, main, {}).build_main(code)
    while builder.pending:
        definition, function, scope = builder.pending.pop()
        _FunctionBuilder(builder, function, scope).build_function(definition)
    return Program(builder.functions)


class _ProgramBuilder:
    """What the builders of the single functions share."""

    def __init__(self, dialect: Dialect, optimize: bool, for_reading: bool) -> None:
        self.builtins = dialect.builtins
        self.optimize = optimize
        self.for_reading = for_reading
        self.functions: list[Function] = []
        self.pending: list[tuple[yul.FunctionDefinition, Function, dict[str, Function]]] = []
        self.assigned: dict[int, tuple[str, ...]] = {}

    def declare(self, definition: yul.FunctionDefinition) -> Function:
        function = Function(definition.name, len(self.functions), len(definition.returns), definition.source)
        self.functions.append(function)
        return function

    def assigned_names(self, node: yul.Block) -> tuple[str, ...]:
        """Variables declared outside of a block that it assigns, in the order of the text."""
        known = self.assigned.get(id(node))
        if known is None:
            names: dict[str, None] = {}
            self._collect(node.statements, names)
            known = self.assigned[id(node)] = tuple(names)
        return known

    def _collect(self, statements: Sequence[yul.Statement], names: dict[str, None]) -> None:
        declared: set[str] = set()
        found: dict[str, None] = {}
        for statement in statements:
            if isinstance(statement, yul.VariableDeclaration):
                declared.update(statement.names)
            elif isinstance(statement, yul.Assignment):
                found.update(dict.fromkeys(statement.names))
            elif isinstance(statement, yul.If):
                found.update(dict.fromkeys(self.assigned_names(statement.body)))
            elif isinstance(statement, yul.Block):
                found.update(dict.fromkeys(self.assigned_names(statement)))
            elif isinstance(statement, yul.Switch):
                for case in statement.cases:
                    found.update(dict.fromkeys(self.assigned_names(case.body)))
            elif isinstance(statement, yul.ForLoop):
                inner: dict[str, None] = {}
                for block in (statement.pre, statement.body, statement.post):
                    inner.update(dict.fromkeys(self.assigned_names(block)))
                own = {
                    n
                    for s in statement.pre.statements
                    if isinstance(s, yul.VariableDeclaration)
                    for n in s.names
                }
                found.update(dict.fromkeys(n for n in inner if n not in own))
        names.update(dict.fromkeys(n for n in found if n not in declared))


class _FunctionBuilder:
    """Builds one function. ``block`` is the block under construction, None where control cannot come."""

    def __init__(self, program: _ProgramBuilder, function: Function, scope: dict[str, Function]) -> None:
        self.program = program
        self.builtins = program.builtins
        self.function = function
        self.scope = scope
        self.block: Block | None = function.new_block()
        self.variables: dict[str, int] = {}
        self.loops: list[_Loop] = []
        self.returns: tuple[str, ...] = ()

    # ------------------------------------------------------------------ functions

    def build_main(self, code: yul.Block) -> None:
        """The object's code: its end stops execution."""
        self.statements(code.statements)
        if self.block is not None:
            self.block.operations.append(Operation(self.builtins["stop"], None, [], [], code.source))
            self.block.stop()

    def build_function(self, definition: yul.FunctionDefinition) -> None:
        """A function's body: its end returns the results."""
        assert self.block is not None
        for name in definition.parameters:
            self.variables[name] = value = self.function.new_value()
            self.block.parameters.append(value)
        zero = self.function.constant(0)
        for name in definition.returns:
            self.variables[name] = zero
        self.returns = definition.returns
        if self.program.for_reading:
            self.function.result_names = definition.returns
            self.keep_names(definition.parameters)
        self.statements(definition.body.statements)
        self.leave(definition.source)

    def keep_names(self, names: Iterable[str]) -> None:
        """Note that the values of variables bear their names, but for values that have one."""
        for name in names:
            self.function.names.setdefault(self.variables[name], name)

    def leave(self, source: SourceRange) -> None:
        """Return from the function."""
        if self.block is not None:
            self.block.give_back([self.variables[name] for name in self.returns], source)
            self.block = None

    # ------------------------------------------------------------------ statements

    def statements(self, statements: Sequence[yul.Statement]) -> None:
        """The statements of a block, with its functions hoisted."""
        outer = self.scope
        definitions = [s for s in statements if isinstance(s, yul.FunctionDefinition)]
        if definitions:
            self.scope = dict(outer)
            for definition in definitions:
                self.scope[definition.name] = self.program.declare(definition)
            for definition in definitions:
                self.program.pending.append((definition, self.scope[definition.name], self.scope))
        for statement in statements:
            self.statement(statement)
        self.scope = outer

    def statement(self, statement: yul.Statement) -> None:
        """One statement; nothing but function definitions counts where control cannot come."""
        if isinstance(statement, yul.VariableDeclaration):
            if self.block is None or statement.value is None:
                self.variables.update(dict.fromkeys(statement.names, self.function.constant(0)))
            else:
                self.assign(statement.names, statement.value)
        elif isinstance(statement, yul.Block):
            self.statements(statement.statements)
        elif self.block is None:
            return  # functions of blocks that are never reached are visible in those alone
        elif isinstance(statement, yul.Assignment):
            self.assign(statement.names, statement.value)
        elif isinstance(statement, yul.ExpressionStatement):
            self.effect(statement.expression)
        elif isinstance(statement, yul.If):
            self.if_(statement)
        elif isinstance(statement, yul.Switch):
            self.switch(statement)
        elif isinstance(statement, yul.ForLoop):
            self.for_loop(statement)
        elif isinstance(statement, yul.Leave):
            self.leave(statement.source)
        elif isinstance(statement, yul.Break):
            loop = self.loops[-1]
            self.go(loop.after, loop.names, statement.source)
        elif isinstance(statement, yul.Continue):
            loop = self.loops[-1]
            self.go(loop.post, loop.names, statement.source)

    def go(self, target: Block, names: tuple[str, ...], source: SourceRange) -> None:
        """Jump to a block that takes the values of ``names``."""
        assert self.block is not None
        self.block.jump(target, [self.variables[name] for name in names], source)
        self.block = None

    def enter(self, block: Block, names: tuple[str, ...], variables: dict[str, int]) -> None:
        """Go on in a block whose parameters are the values of ``names``; the others are as in
        ``variables``."""
        self.variables = dict(variables)
        for name in names:
            self.variables[name] = value = self.function.new_value()
            block.parameters.append(value)
        self.block = block
        if self.program.for_reading:
            self.keep_names(names)

    def assign(self, names: tuple[str, ...], expression: yul.Expression) -> None:
        """Bind the names to the expression's values."""
        if len(names) == 1:
            value = self.expression(expression)
            if value is not None:
                self.variables[names[0]] = value
            elif self.block is None:
                self.variables[names[0]] = self.function.constant(0)
            if self.program.for_reading:
                self.keep_names(names)
            return
        assert isinstance(expression, yul.FunctionCall)
        values = self.call(expression)
        if values is None:
            values = [self.function.constant(0)] * len(names)
        self.variables.update(zip(names, values, strict=True))
        if self.program.for_reading:
            self.keep_names(names)

    def effect(self, expression: yul.Expression) -> None:
        """An expression as a statement."""
        if isinstance(expression, yul.FunctionCall):
            self.call(expression)

    def if_(self, statement: yul.If) -> None:
        """``if``: the body joins what follows unless it never ends."""
        condition = self.expression(statement.condition)
        if condition is None or self.block is None:
            return
        body, skip = self.function.new_block(), self.function.new_block()
        self.block.branch(condition, body, skip, statement.condition.source)
        before = self.variables
        self.block, self.variables = body, dict(before)
        self.statements(statement.body.statements)
        changed = self.program.assigned_names(statement.body)
        self.join([(self.block, self.variables), (skip, before)], changed, before, statement.source)

    def join(
        self,
        ends: list[tuple[Block | None, dict[str, int]]],
        changed: Iterable[str],
        before: dict[str, int],
        source: SourceRange,
    ) -> None:
        """Go on where the given ends (those that are reached) meet; only ``changed`` may differ from
        before."""
        reached = [(block, variables) for block, variables in ends if block is not None]
        if not reached:
            self.block, self.variables = None, before
            return
        if len(reached) == 1:
            self.block, self.variables = reached[0][0], dict(reached[0][1])
            return
        names = tuple(
            name for name in changed if any(variables[name] != before[name] for _, variables in reached)
        )
        after = self.function.new_block()
        for block, variables in reached:
            block.jump(after, [variables[name] for name in names], source)
        self.enter(after, names, before)

    def switch(self, statement: yul.Switch) -> None:
        """``switch``: comparisons in order, or by halves when there are many."""
        value = self.expression(statement.expression)
        if value is None or self.block is None:
            return
        before = self.variables
        default: yul.Case | None = None
        cases: list[tuple[int, yul.Case]] = []
        for case in statement.cases:
            if case.value is None:
                default = case
            else:
                assert case.value.value is not None
                cases.append((case.value.value, case))
        ends: list[tuple[Block | None, dict[str, int]]] = []
        otherwise = self.function.new_block()
        self.select(value, cases, otherwise, before, ends, statement.expression.source)
        self.block, self.variables = otherwise, dict(before)
        if default is not None:
            self.statements(default.body.statements)
        ends.append((self.block, self.variables))
        changed: dict[str, None] = {}
        for case in statement.cases:
            changed.update(dict.fromkeys(self.program.assigned_names(case.body)))
        self.join(ends, changed, before, statement.source)

    def select(
        self,
        value: int,
        cases: list[tuple[int, yul.Case]],
        otherwise: Block,
        before: dict[str, int],
        ends: list[tuple[Block | None, dict[str, int]]],
        source: SourceRange,
    ) -> None:
        """Branch from the current block to the case that ``value`` equals, else to ``otherwise``."""
        assert self.block is not None
        if self.program.optimize and len(cases) > _LINEAR_CASES and not self.program.for_reading:
            cases = sorted(cases, key=lambda item: item[0])
            middle = len(cases) // 2
            upper, lower = self.function.new_block(), self.function.new_block()
            pivot = self.function.constant(cases[middle - 1][0])
            above = self.builtin_call("gt", [value, pivot], source)
            self.block.branch(above, upper, lower, source)
            for half, block in ((cases[:middle], lower), (cases[middle:], upper)):
                self.block = block
                missed = self.function.new_block()
                self.select(value, half, missed, before, ends, source)
                missed.jump(otherwise, [], source)
            return
        for number, case in cases:
            assert self.block is not None
            assert case.value is not None
            body, following = self.function.new_block(), self.function.new_block()
            equal = self.builtin_call("eq", [value, self.function.constant(number)], case.value.source)
            self.block.branch(equal, body, following, case.value.source)
            self.block, self.variables = body, dict(before)
            self.statements(case.body.statements)
            ends.append((self.block, self.variables))
            self.block = following
        assert self.block is not None
        self.block.jump(otherwise, [], source)

    def for_loop(self, statement: yul.ForLoop) -> None:
        """``for``: header (condition), body, post block, and the block after the loop."""
        outer_scope = self.scope
        definitions = [s for s in statement.pre.statements if isinstance(s, yul.FunctionDefinition)]
        if definitions:
            raise InternalError("a function in a loop's initialisation passed the Yul checker")
        self.statements(statement.pre.statements)
        if self.block is None:
            return
        names: dict[str, None] = {}
        for part in (statement.body, statement.post):
            names.update(dict.fromkeys(self.program.assigned_names(part)))
        changed = tuple(names)
        function = self.function
        header, after, post = function.new_block(), function.new_block(), function.new_block()
        self.go(header, changed, statement.source)
        self.enter(header, changed, self.variables)
        at_header = self.variables
        condition = self.expression(statement.condition)
        if condition is not None and self.block is not None:
            body, done = function.new_block(), function.new_block()
            constant = function.constants.get(condition)
            if isinstance(constant, int):
                self.block.jump(body if constant else done, [], statement.condition.source)
            else:
                self.block.branch(condition, body, done, statement.condition.source)
            done.jump(after, [at_header[name] for name in changed], statement.condition.source)
            self.loops.append(_Loop(after, post, changed))
            self.block, self.variables = body, dict(at_header)
            self.statements(statement.body.statements)
            if self.block is not None:
                self.go(post, changed, statement.body.source)
            self.enter(post, changed, at_header)
            self.statements(statement.post.statements)
            if self.block is not None:
                self.go(header, changed, statement.post.source)
            self.loops.pop()
        self.enter(after, changed, at_header)
        self.scope = outer_scope

    # ------------------------------------------------------------------ expressions

    def expression(self, expression: yul.Expression) -> int | None:
        """The value of an expression; None when its evaluation never ends."""
        if isinstance(expression, yul.Identifier):
            return self.variables[expression.name]
        if isinstance(expression, yul.Literal):
            if expression.value is None:
                raise InternalError(f"the literal {expression.text!r} is no 256-bit word")
            return self.function.constant(expression.value)
        values = self.call(expression)
        if values is None:
            return None
        if len(values) != 1:
            raise InternalError(f"`{expression.name}` does not give one value")
        return values[0]

    def call(self, call: yul.FunctionCall) -> list[int] | None:
        """The values that a call gives; None when control never comes back from it."""
        builtin = self.builtins.get(call.name) if call.name not in self.scope else None
        if builtin is None:
            callee = self.scope[call.name]
            inputs = self.arguments(call.arguments)
            if inputs is None or self.block is None:
                return None
            outputs = [self.function.new_value() for _ in range(callee.return_count)]
            self.block.operations.append(Operation(None, callee, inputs, outputs, call.source))
            return outputs
        if builtin.name in _NAMED_SYMBOLS:
            return [self.function.constant(Symbol(builtin.name, _literal_text(call.arguments[0])))]
        if builtin.name == "memoryguard":
            return [self.function.constant(Symbol("memoryguard", "", _literal_word(call.arguments[0])))]
        payload: bytes | str | None = None
        operands: Sequence[yul.Expression] = call.arguments
        if builtin.instruction is None and builtin.literal_arguments:
            # ``verbatim``'s code and the names of immutables and libraries are no operands of the emitted
            # code.
            (position,) = builtin.literal_arguments
            literal = operands[position]
            payload = (
                _literal_bytes(literal) if builtin.name.startswith("verbatim") else _literal_text(literal)
            )
            operands = [*operands[:position], *operands[position + 1 :]]
        inputs = self.arguments(operands)
        if inputs is None or self.block is None:
            return None
        if builtin.name == "datacopy":
            builtin = self.builtins["codecopy"]
        if self.program.optimize and inputs and builtin.effects.pure and builtin.instruction is not None:
            constants = self.function.constants
            numbers = [constants.get(value) for value in inputs]
            if all(type(number) is int for number in numbers):
                result = fold(builtin.instruction.name, numbers)
                if result is not None:
                    return [self.function.constant(result)]
        outputs = [self.function.new_value() for _ in range(builtin.return_count(call))]
        self.block.operations.append(Operation(builtin, None, inputs, outputs, call.source, payload))
        if builtin.effects.terminates:
            self.block.stop()
            self.block = None
            return None
        return outputs

    def arguments(self, arguments: Sequence[yul.Expression]) -> list[int] | None:
        """The values of arguments, evaluated from right to left."""
        values: list[int] = []
        for argument in reversed(arguments):
            value = self.expression(argument)
            if value is None:
                return None
            values.append(value)
        values.reverse()
        return values

    def builtin_call(self, name: str, inputs: list[int], source: SourceRange) -> int:
        """Append a builtin that gives one value."""
        assert self.block is not None
        output = self.function.new_value()
        self.block.operations.append(Operation(self.builtins[name], None, inputs, [output], source))
        return output


def _literal_text(argument: yul.Expression) -> str:
    assert isinstance(argument, yul.Literal)
    return _literal_bytes(argument).decode("utf-8", "surrogateescape")


def _literal_bytes(argument: yul.Expression) -> bytes:
    assert isinstance(argument, yul.Literal)
    assert argument.data is not None
    return argument.data


def _literal_word(argument: yul.Expression) -> int:
    assert isinstance(argument, yul.Literal)
    assert argument.value is not None
    return argument.value
