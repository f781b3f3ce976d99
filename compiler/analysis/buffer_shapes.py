"""Follows the Buffers through Solidity functions and reports instructions that are certain to halt.

Each function is walked by itself: with an empty Buffer where it starts a frame, else with nothing known. Calls
of internal functions are followed with the arguments' values, so that a library's function which wraps an
instruction is as good as the instruction. Where ways join, and in loops that use the Buffer, only what holds
on all of them is kept: what is reported halts whenever its statement runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import cached_property

from smartvm.compiler.analysis import types as t
from smartvm.compiler.analysis.constant_evaluation import convert
from smartvm.compiler.analysis.context import AnalysisContext
from smartvm.compiler.analysis.tree import children, walk
from smartvm.compiler.analysis.types import rationals
from smartvm.compiler.ast import nodes
from smartvm.compiler.source import SourceRange
from smartvm.compiler.yul import ast as yul
from smartvm.compiler.yul.buffers.effects import Misfit
from smartvm.compiler.yul.buffers.flow import COMES_FROM, YulFlow
from smartvm.compiler.yul.buffers.state import EMPTY, UNKNOWN, BufferState, join
from smartvm.compiler.yul.dialect import Dialect
from smartvm.compiler.yul.walk import yul_nodes
from smartvm.records import dataclass, field

#: Calls within one another that are followed, and calls that are followed at all.
_DEPTH = 16
_MOST_CALLS = 20_000

_Chain = tuple[SourceRange, ...]
_Arguments = tuple[int | None, ...]


@dataclass
class BufferChecker:
    """Checks all functions of a compilation that use the Buffer."""

    context: AnalysisContext
    dialect: Dialect
    _followed: dict[tuple[int, _Arguments, BufferState], _Outcome] = field(default_factory=dict)
    _calls: int = 0

    def check(self, units: list[nodes.SourceUnit]) -> None:
        """Report to the context's sink."""
        found: list[tuple[_Chain, Misfit, bool]] = []
        for unit in units:
            for node in walk(unit):
                if isinstance(node, nodes.FunctionDefinition) and self.touches(node):
                    state, is_certain = self.first_state(node)
                    walked = _FunctionFlow(self, node)
                    walked.run((None,) * len(node.parameters.parameters), state)
                    found.extend((chain, misfit, is_certain) for chain, misfit in walked.misfits)
        chains = {chain for chain, _, _ in found}
        for chain, misfit, is_certain in found:
            if any(chain[start:] in chains for start in range(1, len(chain))):
                continue  # reported where the mistake is made
            notes = [(COMES_FROM, place) for place in chain[1:]]
            if is_certain:
                self.context.type_error(misfit.code, chain[0], misfit.message, notes)
            else:
                message = f"{misfit.message} (Where the function is called from outside, with an empty Buffer.)"
                self.context.warning(misfit.code, chain[0], message, notes)

    def first_state(self, function: nodes.FunctionDefinition) -> tuple[BufferState, bool]:
        """What holds where a function starts, and whether it does in every call. A frame's Buffer is empty; a public
        function may also be called from within, by sources of which this one knows nothing."""
        if function.kind not in ("function", "fallback", "receive"):
            return UNKNOWN, True
        if self.context.model.contract_of.get(function.id) is None:
            return UNKNOWN, True
        if function.visibility == "external":
            return EMPTY, True
        is_internal = function.virtual or function.id in self._referenced_at_home
        return (EMPTY, False) if function.visibility == "public" and not is_internal else (UNKNOWN, True)

    @cached_property
    def _referenced_at_home(self) -> set[int]:
        """The functions that their own source refers to."""
        model = self.context.model
        return {
            symbol.id
            for node, symbol in model.referenced_declaration.items()
            if isinstance(symbol, nodes.FunctionDefinition)
            and node in model.node_by_id
            and model.node_by_id[node].src.file == symbol.src.file
        }

    # --- what touches the Buffers -----------------------------------------------------------------

    def touches(self, node: nodes.FunctionDefinition | nodes.ModifierDefinition) -> bool:
        """Whether running a function may change the frame's Buffers or depend on them."""
        return node.id in self._touching

    @cached_property
    def _touching(self) -> set[int]:
        """All functions and modifiers that may, directly or through what they call."""
        found: set[int] = set()
        callers: dict[int, list[int]] = {}
        for unit in self.context.model.units.values():
            for node in walk(unit):
                if not isinstance(node, nodes.FunctionDefinition | nodes.ModifierDefinition):
                    continue
                for target in self._called(node):
                    if target is None:
                        found.add(node.id)
                    else:
                        callers.setdefault(target.id, []).append(node.id)
        work = list(found)
        while work:
            for caller in callers.get(work.pop(), ()):
                if caller not in found:
                    found.add(caller)
                    work.append(caller)
        return found

    def _called(
        self, node: nodes.FunctionDefinition | nodes.ModifierDefinition
    ) -> Iterator[nodes.FunctionDefinition | nodes.ModifierDefinition | None]:
        """What a function runs in its own frame; None for code that uses the Buffers, or that is not known."""
        if isinstance(node, nodes.FunctionDefinition):
            for modifier in node.modifiers:
                yield self._modifier(modifier)
        for part in () if node.body is None else walk(node.body):
            if isinstance(part, nodes.InlineAssembly):
                if part.id in self.context.model.buffer_assembly:
                    yield None
            elif isinstance(part, nodes.FunctionCall):
                if self.is_internal_call(part):
                    yield self.target(part)
            elif isinstance(part, nodes.BinaryOperation | nodes.UnaryOperation):
                function = self.context.model.user_defined_function.get(part.id)
                if function is not None:
                    yield function

    def _modifier(self, modifier: nodes.ModifierInvocation) -> nodes.ModifierDefinition | None:
        target = self.context.model.referenced_declaration.get(modifier.modifier_name.id)
        if not isinstance(target, nodes.ModifierDefinition) or target.virtual or target.override is not None:
            return None
        return target

    def modifier_touches(self, modifier: nodes.ModifierInvocation) -> bool:
        """Whether a modifier (or a base constructor) may."""
        target = self._modifier(modifier)
        return target is None or self.touches(target)

    def part_touches(self, root: nodes.Node) -> bool:
        """Whether a statement or expression may."""
        return any(self._part_touches(part) for part in walk(root))

    def _part_touches(self, part: nodes.Node) -> bool:
        if isinstance(part, nodes.InlineAssembly):
            return part.id in self.context.model.buffer_assembly
        if not isinstance(part, nodes.FunctionCall):
            if isinstance(part, nodes.BinaryOperation | nodes.UnaryOperation):
                function = self.context.model.user_defined_function.get(part.id)
                return function is not None and self.touches(function)
            return False
        if not self.is_internal_call(part):
            return False
        target = self.target(part)
        return target is None or self.touches(target)

    def is_internal_call(self, call: nodes.FunctionCall) -> bool:
        """Whether a call runs Solidity code in the same frame."""
        model = self.context.model
        if model.call_kind.get(call.id) != "function_call":
            return False
        type_ = model.expression_types.get(call.expression.id)
        return isinstance(type_, t.FunctionType) and type_.kind == "internal"

    def target(self, call: nodes.FunctionCall) -> nodes.FunctionDefinition | None:
        """The function that an internal call is certain to run."""
        model, callee = self.context.model, call.expression
        symbol = model.referenced_declaration.get(callee.id)
        if not isinstance(symbol, nodes.FunctionDefinition) or symbol.body is None:
            return None
        lookup = model.required_lookup.get(callee.id)
        if lookup == "super" or (lookup == "virtual" and (symbol.virtual or symbol.override is not None)):
            return None
        return symbol

    # --- following calls --------------------------------------------------------------------------

    def follow(
        self, function: nodes.FunctionDefinition, arguments: _Arguments, state: BufferState, depth: int
    ) -> _Outcome:
        """What a call comes to."""
        key = (function.id, arguments, state)
        known = self._followed.get(key)
        if known is not None:
            return known
        self._calls += 1
        if depth >= _DEPTH or self._calls > _MOST_CALLS:
            return _Outcome(UNKNOWN, ())
        self._followed[key] = _Outcome(UNKNOWN, ())  # for a recursion
        walked = _FunctionFlow(self, function, depth)
        end = walked.run(arguments, state)
        self._followed[key] = _Outcome(end, tuple(walked.misfits))
        return self._followed[key]


@dataclass(frozen=True, slots=True)
class _Outcome:
    """The state after a call (None: it does not return), and the misfits in it."""

    state: BufferState | None
    misfits: tuple[tuple[_Chain, Misfit], ...]


class _FunctionFlow:
    """One function, walked from a state with the values of its parameters."""

    def __init__(self, checker: BufferChecker, function: nodes.FunctionDefinition, depth: int = 0) -> None:
        self.checker = checker
        self.model = checker.context.model
        self.function = function
        self.depth = depth
        self.values: dict[int, int | None] = {}
        self.ends: BufferState | None = None
        self.misfits: list[tuple[_Chain, Misfit]] = []
        self.state: BufferState | None = UNKNOWN

    def run(self, arguments: _Arguments, state: BufferState) -> BufferState | None:
        """The state where the function returns; None when it does not."""
        if self.function.body is None:
            return UNKNOWN
        surrounded = any(map(self.checker.modifier_touches, self.function.modifiers))
        for parameter, value in zip(self.function.parameters.parameters, arguments, strict=True):
            self.values[parameter.id] = value
        for parameter in self.function.return_parameters.parameters:
            self.values[parameter.id] = 0
        self.state = UNKNOWN if surrounded else state
        self.statement(self.function.body)
        return UNKNOWN if surrounded else join(self.ends, self.state)

    # --- statements -------------------------------------------------------------------------------

    def statement(self, node: nodes.Statement | None) -> None:
        """Walk a statement; ``state`` is None afterwards when control does not go on."""
        if node is None or self.state is None:
            return
        match node:
            case nodes.Block():
                for statement in node.statements:
                    self.statement(statement)
            case nodes.ExpressionStatement():
                self.value(node.expression)
            case nodes.VariableDeclarationStatement():
                value = None if node.initial_value is None else self.value(node.initial_value)
                for declaration in node.declarations:
                    if declaration is not None:
                        single = len(node.declarations) == 1
                        self.values[declaration.id] = (0 if node.initial_value is None else value) if single else None
            case nodes.IfStatement():
                self.value(node.condition)
                self.branches([node.true_body, node.false_body])
            case nodes.WhileStatement():
                self.loop(node, [node.condition, node.body])
            case nodes.ForStatement():
                self.statement(node.initialization_expression)
                self.loop(node, [node.condition, node.body, node.loop_expression])
            case nodes.Return():
                if node.expression is not None:
                    self.value(node.expression)
                self.ends, self.state = join(self.ends, self.state), None
            case nodes.RevertStatement():
                self.value(node.error_call)
                self.state = None
            case nodes.EmitStatement():
                self.value(node.event_call)
            case nodes.TryStatement():
                self.value(node.external_call)
                self.branches([clause.block for clause in node.clauses])
            case nodes.InlineAssembly():
                self.assembly(node)
            case nodes.Break() | nodes.Continue():
                self.state = None  # the loop counts with it
            case _:
                self.state = UNKNOWN

    def branches(self, bodies: list[nodes.Statement | None]) -> None:
        """One of several statements runs."""
        start, before = self.state, dict(self.values)
        end: BufferState | None = None
        for body in bodies:
            self.state, self.values = start, dict(before)
            self.statement(body)
            end = join(end, self.state)
        self.state, self.values = end, before
        for body in bodies:
            if body is not None:
                self.forget_assigned(body)

    def loop(self, node: nodes.Statement, parts: list[nodes.Node | None]) -> None:
        """Any number of rounds."""
        if self.state is None:
            return
        for part in parts:
            if part is not None:
                self.forget_assigned(part)
        touched = any(part is not None and self.checker.part_touches(part) for part in parts)
        start = UNKNOWN if touched else self.state
        kept = dict(self.values)
        self.state = start
        for part in parts:
            if isinstance(part, nodes.Statement):
                self.statement(part)
            elif isinstance(part, nodes.Expression) and self.state is not None:
                self.value(part)
        self.state, self.values = start, kept

    def forget_assigned(self, root: nodes.Node) -> None:
        """Forget the values of all variables that code assigns to."""
        for node in walk(root):
            if isinstance(node, nodes.InlineAssembly):
                for part in yul_nodes(node.operations):
                    if isinstance(part, yul.Assignment):
                        for name in part.names:
                            self.assign_outside(node, name, part.source, None)
            elif isinstance(node, nodes.Expression) and node.id in self.model.will_be_written_to:
                symbol = self.model.referenced_declaration.get(node.id)
                if isinstance(symbol, nodes.VariableDeclaration):
                    self.values[symbol.id] = None

    def assembly(self, node: nodes.InlineAssembly) -> None:
        """Inline assembly."""
        references = self.model.external_references.get(node.id, {})

        def outside(name: yul.Identifier) -> int | None:
            found = references.get((name.source.start, name.source.length))
            if found is None or found.suffix or not isinstance(found.declaration, nodes.VariableDeclaration):
                return None
            return self.variable(found.declaration)

        def report(misfit: Misfit, chain: _Chain) -> None:
            self.misfits.append((chain, misfit))

        def assign(name: str, place: SourceRange, value: int | None) -> None:
            self.assign_outside(node, name, place, value)

        limit = self.checker.dialect.table.constant("saved_buffers_limit")
        flow = YulFlow(self.checker.dialect, report, limit, outside, assign)
        if self.state is not None:
            self.state = flow.run(node.operations, self.state)

    def assign_outside(self, node: nodes.InlineAssembly, name: str, place: SourceRange, value: int | None) -> None:
        """Note that assembly writes a variable: the reference by that name within the assignment."""
        for (start, length), found in self.model.external_references.get(node.id, {}).items():
            inside = place.start <= start and start + length <= place.end
            declaration = found.declaration
            if inside and declaration.name == name and isinstance(declaration, nodes.VariableDeclaration):
                self.values[declaration.id] = self.fitting(declaration, value)

    def fitting(self, variable: nodes.VariableDeclaration, word: int | None) -> int | None:
        """A word as the value of a variable; None where the variable's type has cleaner values."""
        type_ = self.model.variable_types.get(variable.id)
        return word if isinstance(type_, t.IntegerType) and not type_.signed and type_.bits == 256 else None

    # --- expressions ------------------------------------------------------------------------------

    def value(self, node: nodes.Expression) -> int | None:
        """Evaluate an expression for its effects on the Buffers; its value as a word where it is known."""
        type_ = self.model.expression_types.get(node.id)
        if isinstance(type_, t.RationalNumberType):
            return None if type_.is_fractional else type_.value.numerator % 2**256
        match node:
            case nodes.Identifier() | nodes.MemberAccess():
                if isinstance(node, nodes.MemberAccess):
                    self.value(node.expression)
                symbol = self.model.referenced_declaration.get(node.id)
                return self.variable(symbol) if isinstance(symbol, nodes.VariableDeclaration) else None
            case nodes.TupleExpression(components=(nodes.Expression() as only,), is_inline_array=False):
                return self.value(only)
            case nodes.FunctionCall():
                return self.call(node)
            case nodes.Assignment():
                return self.assignment(node)
            case nodes.BinaryOperation(operator="&&" | "||"):
                self.value(node.left_expression)
                self.optional([node.right_expression])
                return None
            case nodes.Conditional():
                self.value(node.condition)
                self.optional([node.true_expression, node.false_expression])
                return None
            case nodes.BinaryOperation():
                return self.binary(node)
            case nodes.UnaryOperation():
                self.value(node.sub_expression)
                self.forget_assigned(node)
                return None
        for child in children(node):
            if isinstance(child, nodes.Expression):
                self.value(child)
        return None

    def optional(self, parts: list[nodes.Expression]) -> None:
        """Expressions of which not each is evaluated."""
        for part in parts:
            self.forget_assigned(part)
        start, kept = self.state, dict(self.values)
        end = start
        for part in parts:
            self.state, self.values = start, dict(kept)
            if self.state is not None:
                self.value(part)
            end = join(end, self.state)
        self.state, self.values = end, kept

    def variable(self, variable: nodes.VariableDeclaration) -> int | None:
        """The value of a variable: of a constant, or of a local one that is followed."""
        if variable.mutability == "constant" and variable.value is not None:
            type_ = self.model.variable_types.get(variable.id)
            if variable.id not in self.values:
                self.values[variable.id] = None  # it may be defined by itself
                self.values[variable.id] = self.value(variable.value)
            return self.values[variable.id] if isinstance(type_, t.IntegerType) else None
        return self.values.get(variable.id)

    def assignment(self, node: nodes.Assignment) -> int | None:
        """An assignment."""
        value = self.value(node.right_hand_side)
        left = node.left_hand_side
        symbol = self.model.referenced_declaration.get(left.id)
        if not isinstance(left, nodes.Identifier):
            self.value(left)
        self.forget_assigned(left)
        if isinstance(symbol, nodes.VariableDeclaration) and symbol.id in self.values:
            self.values[symbol.id] = value if node.operator == "=" else None
            return self.values[symbol.id]
        return None

    def binary(self, node: nodes.BinaryOperation) -> int | None:
        """An arithmetic operation whose result lies in its type (in a checked or unchecked block alike)."""
        left, right = self.value(node.left_expression), self.value(node.right_expression)
        type_ = self.model.expression_types.get(node.id)
        if left is None or right is None or not isinstance(type_, t.IntegerType) or type_.signed:
            return None
        if node.id in self.model.user_defined_function or node.operator in t.COMPARISONS:
            return None
        if node.operator in ("**", "<<") and right > 256:
            return None
        result = rationals.evaluate_binary(node.operator, Fraction(left), Fraction(right))
        whole = None if result is None else convert(result, type_)
        return None if whole is None else whole.value.numerator

    def call(self, node: nodes.FunctionCall) -> int | None:
        """A call of any kind."""
        checker, kind = self.checker, self.model.call_kind.get(node.id)
        if kind == "type_conversion":
            values = [self.value(argument) for argument in node.arguments]
            type_ = self.model.expression_types.get(node.id)
            if isinstance(type_, t.IntegerType) and values[0] is not None and values[0] <= type_.maximum:
                return values[0]
            return None
        internal = checker.is_internal_call(node)
        callee = node.expression
        target = checker.target(node) if internal else None
        type_ = self.model.expression_types.get(callee.id)
        bound = isinstance(type_, t.FunctionType) and type_.bound
        arguments: list[int | None] = []
        if isinstance(callee, nodes.MemberAccess) and bound:
            arguments.append(self.value(callee.expression))
        else:
            self.value(callee)
        arguments.extend(self.value(argument) for argument in self.model.sorted_arguments.get(node.id, node.arguments))
        if self.state is None:
            return None
        if not internal:
            if isinstance(type_, t.FunctionType) and type_.kind in ("revert", "selfdestruct"):
                self.state = None
            return None
        if target is None:
            self.state = UNKNOWN
        elif checker.touches(target):
            outcome = checker.follow(target, tuple(arguments), self.state, self.depth + 1)
            self.misfits.extend(((node.src, *chain), misfit) for chain, misfit in outcome.misfits)
            self.state = outcome.state
        return None
