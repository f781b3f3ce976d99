"""SSA program → Yul: the optimised program as a person would write it (``irOptimized``).

Values that are used once stand where they are used, block parameters become variables that each way assigns,
and control flow is structured again (``structure``). What leaves several loops at once says so in a variable that
is asked after each of them. A function whose graph has no structure becomes a loop around a ``switch`` over its
blocks. The text compiles to code of the same behaviour."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smartvm.compiler.backend.declarations import Compound, Declarer, Item, Set, negated
from smartvm.compiler.backend.effects import EffectFacts
from smartvm.compiler.backend.ssa import (
    BRANCH,
    JUMP,
    RETURN,
    STOP,
    Block,
    Function,
    Operation,
    Program,
    Symbol,
)
from smartvm.compiler.backend.structure import (
    Choice,
    Comparison,
    Exit,
    Final,
    Loop,
    Node,
    Pass,
    Scope,
    Selection,
    Straight,
    Structure,
)
from smartvm.compiler.backend.trees import Trees
from smartvm.compiler.source import NO_SOURCE, SourceRange
from smartvm.compiler.yul import ast as yul

if TYPE_CHECKING:
    from smartvm.compiler.backend.items import InstructionSet
    from smartvm.compiler.yul.dialect import Dialect

#: How deep expressions nest, and the statements of a block that is copied to each way that leads there.
_MAX_DEPTH = 6
_MAX_COPIED = 4
#: What follows a function's last statement.
_END = Block(-1)

#: A variable and the value that it is to hold.
_Move = tuple[str, int]


class NoStructure(Exception):
    """The graph cannot be written with Yul's loops and scopes alone."""


class _Frame:
    """A loop in the text: where ``continue`` and ``break`` lead, and what else is reached through it, by number."""

    __slots__ = ("after", "flag", "header", "is_left", "pending")

    def __init__(self, header: Block | None, after: Block | None) -> None:
        self.header = header
        self.after = after
        self.is_left = False
        self.flag = ""
        self.pending: dict[int, Block] = {}

    def leads_to(self, target: Block) -> bool:
        return target is self.header or target is self.after


def program_to_yul(program: Program, dialect: Dialect, instructions: InstructionSet) -> yul.Block:
    """The program as an object's code: a block with the code outside of functions, then the functions.

    Functions were built ``for_reading``."""
    facts = EffectFacts(program)
    names: dict[int, str] = {}
    taken: set[str] = set()
    for function in program.functions[1:]:
        names[function.number] = _unused(function.name, taken, dialect)
    statements: list[yul.Statement] = []
    for function in program.functions:
        trees = Trees(function, facts, instructions, _MAX_DEPTH)
        statements.append(_FunctionWriter(function, trees, names, taken, dialect).statement())
    return yul.Block(tuple(statements), statements[0].source)


def _unused(name: str, taken: set[str], dialect: Dialect) -> str:
    """The name, or a numbered variant that is free; it is taken then."""
    base, count = name, 0
    while name in taken or dialect.find(name) is not None or dialect.is_reserved(name):
        count += 1
        name = f"{base}_{count}"
    taken.add(name)
    return name


class _FunctionWriter:
    def __init__(
        self, function: Function, trees: Trees, functions: dict[int, str], taken: set[str], dialect: Dialect
    ) -> None:
        self.function = function
        self.trees = trees
        self.functions = functions
        self.dialect = dialect
        self.taken = set(taken)
        self.counter = 0
        self.variables: dict[int, str] = {}
        self.results = [_unused(name, self.taken, dialect) for name in function.result_names]
        self.results += [self.fresh() for _ in range(function.return_count - len(self.results))]
        self.copied: set[int] = set()
        self._unite_results()

    def _unite_results(self) -> None:
        """Let a value that every return gives be the result's variable from its definition on."""
        returns = [block.arguments for block in self.function.blocks if block.kind == RETURN]
        for i, name in enumerate(self.results):
            values = {arguments[i] for arguments in returns}
            value = values.pop() if len(values) == 1 else -1
            if (
                value >= 0
                and value not in self.function.constants
                and value not in self.function.parameters
                and value not in self.trees.nested
            ):
                self.variables.setdefault(value, name)

    def statement(self) -> yul.Statement:
        """The function's definition; of the object's code its block."""
        function = self.function
        parameters = tuple(self.variable(value) for value in function.parameters)
        try:
            structure = Structure(function, self.comparison, self.may_copy)
            if not structure.is_reducible:
                raise NoStructure
            self.copied = structure.copied
            items, _ = self.emit(structure.nodes(), _END, [])
        except NoStructure:
            self.copied = set()
            items = self.dispatched()
        statements = Declarer([*parameters, *self.results]).statements(items)
        body = yul.Block(statements, function.source)
        if function.is_main:
            return body
        name = self.functions[function.number]
        return yul.FunctionDefinition(name, parameters, tuple(self.results), body, function.source)

    # ------------------------------------------------------------------ names

    def fresh(self, base: str = "") -> str:
        """A new name."""
        if base:
            return _unused(base, self.taken, self.dialect)
        while True:
            self.counter += 1
            if f"_{self.counter}" not in self.taken:
                self.taken.add(f"_{self.counter}")
                return f"_{self.counter}"

    def variable(self, value: int) -> str:
        """The variable that holds a value."""
        name = self.variables.get(value)
        if name is None:
            name = self.variables[value] = self.fresh(self.function.names.get(value, ""))
        return name

    # ------------------------------------------------------------------ expressions

    def expression(self, value: int, source: SourceRange = NO_SOURCE) -> yul.Expression:
        """An expression for a value."""
        constant = self.function.constants.get(value)
        if isinstance(constant, Symbol):
            if constant.kind == "memoryguard":
                return yul.FunctionCall(
                    "memoryguard", (yul.Literal("number", constant.number, source=source),), source
                )
            return yul.FunctionCall(constant.kind, (_string(constant.name, source),), source)
        if constant is not None:
            return yul.Literal("number", constant, source=source)
        nested = self.trees.nested.get(value)
        if nested is not None:
            return self.call(nested)
        return yul.Identifier(self.variable(value), source)

    def call(self, operation: Operation) -> yul.FunctionCall:
        """An operation as a call."""
        source = operation.source
        arguments = [self.expression(value, source) for value in operation.inputs]
        if operation.callee is not None:
            return yul.FunctionCall(self.functions[operation.callee.number], tuple(arguments), source)
        builtin = operation.builtin
        assert builtin is not None
        if operation.payload is not None:
            (position,) = builtin.literal_arguments
            payload = operation.payload
            literal = (
                _string(payload, source)
                if isinstance(payload, str)
                else yul.Literal("hex_string", None, payload, source=source)
            )
            arguments.insert(position, literal)
        return yul.FunctionCall(builtin.name, tuple(arguments), source)

    # ------------------------------------------------------------------ operations and moves

    def straight(self, block: Block) -> list[Item]:
        """The block's operations; what only the exit's variables take goes there at once."""
        direct = self.direct_targets(block)
        return [self.root(operation, direct) for operation in self.trees.roots[block.number]]

    def root(self, operation: Operation, direct: dict[int, str]) -> Item:
        """An operation as a statement of its own."""
        call, source = self.call(operation), operation.source
        outputs = operation.outputs
        callee = operation.callee
        if not outputs and callee is not None and callee.return_count:
            # It never returns, but Yul wants its results to be taken.
            return Set(tuple(self.fresh() for _ in range(callee.return_count)), call, source)
        if len(outputs) == 1 and not self.trees.uses.get(outputs[0]):
            return yul.ExpressionStatement(yul.FunctionCall("pop", (call,), source), source)
        if outputs:
            return Set(tuple(direct.get(value) or self.variable(value) for value in outputs), call, source)
        return yul.ExpressionStatement(call, source)

    def moves(self, block: Block) -> list[_Move]:
        """What the block's exit assigns."""
        if block.kind == RETURN:
            return list(zip(self.results, block.arguments, strict=True))
        if block.kind != JUMP:
            return []
        target = block.targets[0]
        passed = dict(zip(target.parameters, block.arguments, strict=True))
        if target.number in self.copied and target.kind == RETURN:
            values = [passed.get(value, value) for value in target.arguments]
            return list(zip(self.results, values, strict=True))
        return [(self.variable(parameter), value) for parameter, value in passed.items()]

    def direct_targets(self, block: Block) -> dict[int, str]:
        """Values that are computed in the block for one variable of its exit, which nothing reads in between."""
        moves = self.moves(block)
        if not moves:
            return {}
        uses = self.trees.uses
        made: dict[int, int] = {}
        last_read: dict[str, int] = {}
        for i, operation in enumerate(self.trees.roots[block.number]):
            for value in self.leaves(operation):
                last_read[self.variable(value)] = i
            if len(operation.outputs) == 1:
                made[operation.outputs[0]] = i
        moved = [value for _, value in moves]
        direct: dict[int, str] = {}
        for name, value in moves:
            if value not in made or uses.get(value) != 1 or moved.count(value) != 1:
                continue
            read_later = any(other != value and self.variables.get(other) == name for other in moved)
            if last_read.get(name, -1) <= made[value] and not read_later:
                direct[value] = name
        return direct

    def leaves(self, operation: Operation) -> list[int]:
        """The values held in variables that an operation reads, with those nested in it."""
        found: list[int] = []
        work = [operation]
        while work:
            for value in work.pop().inputs:
                if value in self.function.constants:
                    continue
                nested = self.trees.nested.get(value)
                if nested is not None:
                    work.append(nested)
                else:
                    found.append(value)
        return found

    def assign(self, block: Block) -> list[Item]:
        """The exit's assignments as if made at once."""
        direct = self.direct_targets(block)
        source = block.source
        pending: list[tuple[str, yul.Expression]] = []
        for name, value in self.moves(block):
            if value in direct:
                continue
            expression = self.expression(value, source)
            if not (isinstance(expression, yul.Identifier) and expression.name == name):
                pending.append((name, expression))
        items: list[Item] = []
        while pending:
            read = {e.name for _, e in pending if isinstance(e, yul.Identifier)}
            ready = next((i for i, (name, _) in enumerate(pending) if name not in read), None)
            if ready is None:
                # A cycle: the first variable's old value is kept elsewhere.
                name = pending[0][0]
                kept = yul.Identifier(self.fresh(), source)
                items.append(Set((kept.name,), yul.Identifier(name, source), source))
                pending = [
                    (n, kept if isinstance(e, yul.Identifier) and e.name == name else e) for n, e in pending
                ]
                ready = 0
            name, expression = pending.pop(ready)
            items.append(Set((name,), expression, source))
        return items

    # ------------------------------------------------------------------ what the structure asks

    def comparison(self, block: Block, is_chained: bool) -> Comparison | None:
        """What a branch compares, if it is a value with a number."""
        if block.kind != BRANCH or (is_chained and self.trees.roots[block.number]):
            return None
        nonzero, zero = block.targets
        made = self.trees.nested.get(block.condition)
        if made is None:
            return None if block.condition in self.function.constants else (block.condition, 0, zero, nonzero)
        if made.builtin is None or made.builtin.name != "eq":
            return None
        for value, other in (made.inputs, made.inputs[::-1]):
            number = self.function.constants.get(other)
            if (
                type(number) is int
                and value not in self.function.constants
                and value not in self.trees.nested
            ):
                return value, number, nonzero, zero
        return None

    def may_copy(self, block: Block) -> bool:
        """Whether a block that ends the function is short enough to be repeated."""
        roots = self.trees.roots[block.number]
        if block.kind == RETURN:
            return not roots
        return len(roots) <= _MAX_COPIED and not block.parameters and not any(o.outputs for o in roots)

    # ------------------------------------------------------------------ structure to items

    def emit(self, nodes: list[Node], follow: Block | None, frames: list[_Frame]) -> tuple[list[Item], bool]:
        """The nodes' items, and whether control may go on after them, to ``follow``."""
        items: list[Item] = []
        goes_on = True
        for i, node in enumerate(nodes):
            match node:
                case Straight(block):
                    items += self.straight(block)
                case Pass(block):
                    items += self.assign(block)
                case Final(block):
                    goes_on = self.final(block, follow, items)
                case Exit(block, target):
                    goes_on = self.exit(block, target, follow, frames, items)
                case Choice():
                    goes_on = self.choice(node, follow, frames, items)
                case Selection():
                    goes_on = self.selection(node, follow, frames, items)
                case Scope(target, body, is_left):
                    if is_left:
                        self.loop(_Frame(None, target), body, target, None, frames, items)
                    else:
                        items += self.emit(body, target, frames)[0]
                case Loop(header, body, after):
                    last = i == len(nodes) - 1
                    frame = _Frame(header, after if after is not None or not last else follow)
                    goes_on = self.loop(frame, body, header, follow if last else None, frames, items)
        return items, goes_on

    def final(self, block: Block, follow: Block | None, items: list[Item]) -> bool:
        """A return, or nothing after an operation that never returns control."""
        if block.kind != RETURN:
            return False
        items += self.assign(block)
        if follow is _END:
            return True
        items.append(yul.Leave(block.source))
        return False

    def exit(
        self, block: Block, target: Block, follow: Block | None, frames: list[_Frame], items: list[Item]
    ) -> bool:
        """Go to a block that stands elsewhere."""
        items += self.assign(block)
        if target.number in self.copied:
            items += [self.root(operation, {}) for operation in self.trees.roots[target.number]]
            if target.kind == STOP:
                return False
            if follow is _END:
                return True
            items.append(yul.Leave(target.source))
            return False
        return self.go(target, follow, frames, items, block.source)

    def go(
        self,
        target: Block,
        follow: Block | None,
        frames: list[_Frame],
        items: list[Item],
        source: SourceRange,
    ) -> bool:
        """Let control go to a block; whether it does by going on."""
        if target is follow:
            return True
        if not any(frame.leads_to(target) for frame in frames):
            raise NoStructure
        innermost = frames[-1]
        if target is innermost.header:
            items.append(yul.Continue(source))
            return False
        if target is innermost.after:
            innermost.is_left = True
        else:
            if not innermost.flag:
                innermost.flag = self.fresh("way_out")
            number = len(innermost.pending) + 1
            for known, other in innermost.pending.items():
                if other is target:
                    number = known
            innermost.pending[number] = target
            items.append(Set((innermost.flag,), yul.Literal("number", number, source=source), source))
        items.append(yul.Break(source))
        return False

    def loop(
        self,
        frame: _Frame,
        body: list[Node],
        inner_follow: Block,
        follow: Block | None,
        frames: list[_Frame],
        items: list[Item],
    ) -> bool:
        """A loop, or with no header a scope that is left by ``break``; what goes further out is sent on after it."""
        inner, goes_on = self.emit(body, inner_follow, [*frames, frame])
        source = body[0].block.source if isinstance(body[0], Straight) else NO_SOURCE
        if frame.header is None and goes_on:
            inner.append(yul.Break(source))
            frame.is_left = True
        if frame.flag:
            items.append(Set((frame.flag,), yul.Literal("number", 0, source=source), source))
        items.append(Compound(None, [inner], source=source))
        for number, target in frame.pending.items():
            way: list[Item] = []
            self.go(target, None, frames, way, source)
            chosen = yul.FunctionCall(
                "eq",
                (yul.Identifier(frame.flag, source), yul.Literal("number", number, source=source)),
                source,
            )
            items.append(Compound(chosen, [way], source=source))
        return frame.is_left or bool(frame.pending)

    def choice(self, node: Choice, follow: Block | None, frames: list[_Frame], items: list[Item]) -> bool:
        """A branch: ``if`` where one way does nothing or does not go on, else ``switch``."""
        source = node.block.source
        condition = self.expression(node.block.condition, source)
        nonzero, nonzero_goes_on = self.emit(node.nonzero, follow, frames)
        zero, zero_goes_on = self.emit(node.zero, follow, frames)
        if not nonzero and not zero:
            if isinstance(condition, yul.FunctionCall):
                items.append(yul.ExpressionStatement(yul.FunctionCall("pop", (condition,), source), source))
        elif not nonzero_goes_on and (zero_goes_on or len(nonzero) <= len(zero)):
            items.append(Compound(condition, [nonzero], source=source))
            items += zero
        elif not zero_goes_on:
            items.append(Compound(negated(condition), [zero], source=source))
            items += nonzero
        elif not zero:
            items.append(Compound(condition, [nonzero], source=source))
        elif not nonzero:
            items.append(Compound(negated(condition), [zero], source=source))
        else:
            cases = (yul.Literal("number", 0, source=source), None)
            items.append(Compound(condition, [zero, nonzero], cases, source))
        return nonzero_goes_on or zero_goes_on

    def selection(
        self, node: Selection, follow: Block | None, frames: list[_Frame], items: list[Item]
    ) -> bool:
        """A chain of comparisons: ``switch``."""
        source = node.blocks[0].source
        bodies: list[list[Item]] = []
        cases: list[yul.Literal | None] = []
        goes_on = False
        for number, way in node.cases:
            body, body_goes_on = self.emit(way, follow, frames)
            goes_on |= body_goes_on
            bodies.append(body)
            cases.append(yul.Literal("number", number, source=source))
        default, default_goes_on = self.emit(node.default, follow, frames)
        all_leave = not goes_on
        if default and not all_leave:
            bodies.append(default)
            cases.append(None)
        items.append(Compound(self.expression(node.value, source), bodies, tuple(cases), source))
        if all_leave:
            items += default
        return goes_on or default_goes_on

    # ------------------------------------------------------------------ without structure

    def dispatched(self) -> list[Item]:
        """The function as a loop around a ``switch`` over its blocks."""
        blocks = self.function.blocks
        numbers = {block.number: i for i, block in enumerate(blocks)}
        state = self.fresh("next")

        def goto(target: Block, source: SourceRange) -> Item:
            return Set((state,), yul.Literal("number", numbers[target.number], source=source), source)

        bodies: list[list[Item]] = []
        for block in blocks:
            body = [*self.straight(block), *self.assign(block)]
            if block.kind == JUMP:
                body.append(goto(block.targets[0], block.source))
            elif block.kind == BRANCH:
                nonzero, zero = ([goto(target, block.source)] for target in block.targets)
                cases = (yul.Literal("number", 0), None)
                condition = self.expression(block.condition, block.source)
                body.append(Compound(condition, [zero, nonzero], cases, block.source))
            elif block.kind == RETURN:
                body.append(yul.Leave(block.source))
            bodies.append(body)
        source = self.function.source
        parameters = set(self.function.parameters)
        zero_ = yul.Literal("number", 0, source=source)
        # What one block gives to another must outlive a turn of the loop.
        items: list[Item] = [
            Set((name,), zero_, source) for value, name in self.variables.items() if value not in parameters
        ]
        items.append(Set((state,), zero_, source))
        labels = tuple(yul.Literal("number", i, source=source) for i in range(len(blocks)))
        switch = Compound(yul.Identifier(state, source), bodies, labels, source)
        items.append(Compound(None, [[switch]], source=source))
        return items


def _string(text: str, source: SourceRange) -> yul.Literal:
    data = text.encode("utf-8", "surrogateescape")
    value = int.from_bytes(data.ljust(32, b"\0"), "big") if len(data) <= 32 else None
    return yul.Literal("string", value, data=data, source=source)
