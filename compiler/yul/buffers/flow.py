"""Follows the Buffers through Yul: inline assembly and Yul objects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from smartvm.compiler.diagnostics import DiagnosticSink
from smartvm.compiler.source import SourceRange
from smartvm.compiler.yul import ast as yul
from smartvm.compiler.yul.buffers.effects import Misfit, Operands, after, is_modelled
from smartvm.compiler.yul.buffers.state import EMPTY, UNKNOWN, BufferState, join
from smartvm.compiler.yul.dialect import BuiltinFunction, Dialect
from smartvm.compiler.yul.walk import YulNode, yul_nodes
from smartvm.records import dataclass, field

#: What sizes are computed with, on words. Everything else counts as not known.
_ARITHMETIC: Mapping[str, Callable[[int, int], int]] = {
    "add": lambda a, b: (a + b) % 2**256,
    "sub": lambda a, b: (a - b) % 2**256,
    "mul": lambda a, b: a * b % 2**256,
    "div": lambda a, b: a // b if b else 0,
    "mod": lambda a, b: a % b if b else 0,
    "shl": lambda by, a: a << by & 2**256 - 1 if by < 256 else 0,
    "shr": lambda by, a: a >> by if by < 256 else 0,
}

#: Calls of Yul functions within one another that are followed.
_DEPTH = 16

#: The note at the calls inside the one that is reported.
COMES_FROM = "The instruction is reached through this call."

#: Reports a misfit: where the instruction stands, and the calls that lead to it, outermost first.
Report = Callable[[Misfit, tuple[SourceRange, ...]], None]


def changes_buffers(builtin: BuiltinFunction | None) -> bool:
    """Whether a builtin may change the frame's Buffers or demand something of them."""
    return builtin is not None and ("buffer" in builtin.effects.writes or "buffer" in builtin.effects.reads)


@dataclass
class YulFlow:
    """One block of Yul, walked from a state. ``outside`` gives the value of a name that the block does not
    declare, by its place; ``assign`` takes note of what is written to such a name."""

    dialect: Dialect
    report: Report
    saved_limit: int
    outside: Callable[[yul.Identifier], int | None] = lambda _: None
    assign: Callable[[str, SourceRange, int | None], None] = lambda name, place, value: None
    chain: tuple[SourceRange, ...] = ()
    values: dict[str, int | None] = field(default_factory=dict)
    functions: dict[str, yul.FunctionDefinition] = field(default_factory=dict)
    depth: int = 0

    def run(self, block: yul.Block, state: BufferState | None) -> BufferState | None:
        """The state after a block; None where control does not get there."""
        self.functions.update(
            {part.name: part for part in block.statements if isinstance(part, yul.FunctionDefinition)}
        )
        for statement in block.statements:
            if state is None:
                return None
            state = self.statement(statement, state)
        return state

    def statement(self, statement: yul.Statement, state: BufferState) -> BufferState | None:
        """The state after a statement."""
        match statement:
            case yul.ExpressionStatement(expression):
                return self.expression(expression, state)[1]
            case yul.VariableDeclaration(names, value):
                found, after_value = (0, state) if value is None else self.expression(value, state)
                for name in names:
                    self.values[name] = found if value is None or len(names) == 1 else None
                return after_value
            case yul.Assignment(names, value, source):
                found, after_value = self.expression(value, state)
                for name in names:
                    self.set(name, source, found if len(names) == 1 else None)
                return after_value
            case yul.Block():
                return self.run(statement, state)
            case yul.If(condition, body):
                _, after_condition = self.expression(condition, state)
                return self.branches([body], after_condition, falls_through=True)
            case yul.Switch(expression, cases):
                _, after_condition = self.expression(expression, state)
                bodies = [case.body for case in cases]
                has_default = any(case.value is None for case in cases)
                return self.branches(bodies, after_condition, falls_through=not has_default)
            case yul.ForLoop():
                return self.loop(statement, state)
            case yul.FunctionDefinition():
                return state
            case _:  # break, continue, leave: whoever contains them counts with them
                return None

    def branches(
        self, bodies: list[yul.Block], state: BufferState | None, *, falls_through: bool
    ) -> BufferState | None:
        """The state after one of several blocks."""
        if state is None:
            return None
        result = state if falls_through else None
        before = dict(self.values)
        ends: list[BufferState | None] = []
        for body in bodies:
            self.values = dict(before)
            ends.append(self.run(body, state))
        self.values = before
        for body in bodies:
            self.forget_assigned(body)
        for end in ends:
            result = join(result, end)
        return result

    def loop(self, node: yul.ForLoop, state: BufferState) -> BufferState | None:
        """The state after a loop."""
        before = self.run(node.pre, state)
        if before is None:
            return None
        parts = (node.body, node.post)
        for part in parts:
            self.forget_assigned(part)
        touched = any(self.touches(part) for part in (*parts, node.condition))
        inside = UNKNOWN if touched else before
        kept = dict(self.values)
        _, checked = self.expression(node.condition, inside)
        if checked is not None:
            through = self.run(node.body, checked)
            if through is not None:
                self.run(node.post, through)
        self.values = kept
        return inside

    def forget_assigned(self, block: yul.Block) -> None:
        """Forget the values of all names that a block assigns to."""
        for node in yul_nodes(block):
            if isinstance(node, yul.Assignment):
                for name in node.names:
                    self.set(name, node.source, None)

    def set(self, name: str, place: SourceRange, value: int | None) -> None:
        """Note the value of a variable."""
        if name in self.values:
            self.values[name] = value
        else:
            self.assign(name, place, value)

    def touches(self, node: YulNode) -> bool:
        """Whether code may change the Buffers: functions of the block's own count as such."""
        return any(
            builtin is None or changes_buffers(builtin)
            for part in yul_nodes(node)
            if isinstance(part, yul.FunctionCall)
            for builtin in (self.dialect.find(part.name),)
        )

    # --- expressions ------------------------------------------------------------------------------

    def expression(self, node: yul.Expression, state: BufferState) -> tuple[int | None, BufferState | None]:
        """The value, where it is known, and the state after."""
        if isinstance(node, yul.Literal):
            return node.value, state
        if isinstance(node, yul.Identifier):
            if node.name in self.values:
                return self.values[node.name], state
            return self.outside(node), state
        values: list[int | None] = []
        current: BufferState | None = state
        for argument in reversed(node.arguments):
            if current is None:
                return None, None
            value, current = self.expression(argument, current)
            values.append(value)
        if current is None:
            return None, None
        values.reverse()
        builtin = self.dialect.find(node.name)
        if builtin is None:
            return self.call(node, values, current)
        return self.builtin(node, builtin, values, current)

    def builtin(
        self, node: yul.FunctionCall, builtin: BuiltinFunction, values: list[int | None], state: BufferState
    ) -> tuple[int | None, BufferState | None]:
        """A call of a builtin."""
        if builtin.effects.terminates:
            return None, None
        instruction = builtin.instruction
        if changes_buffers(builtin):
            native = instruction is not None and instruction.implementation is not None
            if not native or not is_modelled(builtin.name):
                return None, UNKNOWN
            named: Mapping[str, int | None] = dict(zip(builtin.parameters, values, strict=True))
            try:
                result = after(Operands(builtin.name, named, self.saved_limit), state)
            except Misfit as misfit:
                self.report(misfit, (*self.chain, node.source))
                return None, UNKNOWN
            return (state.length if builtin.name == "buf_size" else None), result
        compute = _ARITHMETIC.get(builtin.name)
        if compute is not None and values[0] is not None and values[1] is not None:
            return compute(values[0], values[1]), state
        return None, state

    def call(
        self, node: yul.FunctionCall, values: list[int | None], state: BufferState
    ) -> tuple[int | None, BufferState | None]:
        """A call of a function that the block defines."""
        function = self.functions.get(node.name)
        if function is None or self.depth >= _DEPTH:
            return None, UNKNOWN
        if not self.touches(function.body):
            return None, state
        inner = YulFlow(
            self.dialect,
            self.report,
            self.saved_limit,
            chain=(*self.chain, node.source),
            values={
                **dict(zip(function.parameters, values, strict=True)),
                **dict.fromkeys(function.returns, 0),
            },
            functions=dict(self.functions),
            depth=self.depth + 1,
        )
        end = inner.run(function.body, state)
        if any(isinstance(part, yul.Leave) for part in yul_nodes(function.body)):
            return None, UNKNOWN
        result = inner.values[function.returns[0]] if len(function.returns) == 1 else None
        return result, end


def check_yul_object(object_: yul.Object, dialect: Dialect, sink: DiagnosticSink) -> None:
    """Report the instructions of a Yul object (and of those in it) that are certain to halt. The object is
    right otherwise; each object's code starts a frame, with an empty Buffer."""
    pending = [object_]
    while pending:
        current = pending.pop()
        pending.extend(part for part in current.sub_objects if isinstance(part, yul.Object))
        flow = YulFlow(dialect, partial(_report_to, sink), dialect.table.constant("saved_buffers_limit"))
        if any(
            isinstance(node, yul.FunctionCall) and changes_buffers(dialect.find(node.name))
            for node in yul_nodes(current.code)
        ):
            flow.run(current.code, EMPTY)


def _report_to(sink: DiagnosticSink, misfit: Misfit, chain: tuple[SourceRange, ...]) -> None:
    notes = [(COMES_FROM, place) for place in chain[1:]]
    sink.error("TypeError", misfit.code, chain[0], misfit.message, notes)
