"""The back end's program form: functions as control-flow graphs over values that are assigned once.

Values are integers, numbered per function. A value is a constant, a block's parameter, or an output of one
operation. Blocks take parameters instead of phi nodes. Three invariants hold between all passes:

* only a jump passes arguments; the two targets of a branch have no parameters and that branch alone as
predecessor,
* a block that ends with ``STOP`` has an operation last that never returns control,
* a function's parameters are the parameters of its entry block, which nothing jumps to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from smartvm.compiler.source import NO_SOURCE, SourceRange

if TYPE_CHECKING:
    from smartvm.compiler.yul.dialect import BuiltinFunction

#: How a block ends.
JUMP, BRANCH, RETURN, STOP = range(4)
EXIT_NAMES = ("jump", "branch", "return", "stop")


class Symbol(NamedTuple):
    """A number that is known when the object is assembled: ``kind`` is the Yul builtin that stands for it
    (``dataoffset``, ``datasize``, ``linkersymbol``, ``loadimmutable``, ``memoryguard``), ``name`` its
    argument."""

    kind: str
    name: str
    number: int = 0

    def __str__(self) -> str:
        return f"{self.kind}({self.name or self.number})"


Constant = int | Symbol


class Operation:
    """A builtin's or a function's call: ``inputs`` in Yul's order, ``outputs`` likewise. ``payload`` is a
    literal argument that is no value: the bytes of ``verbatim``, the name that ``setimmutable`` sets."""

    __slots__ = ("builtin", "callee", "inputs", "outputs", "payload", "source")

    def __init__(
        self,
        builtin: BuiltinFunction | None,
        callee: Function | None,
        inputs: list[int],
        outputs: list[int],
        source: SourceRange = NO_SOURCE,
        payload: bytes | str | None = None,
    ) -> None:
        self.builtin = builtin
        self.callee = callee
        self.inputs = inputs
        self.outputs = outputs
        self.source = source
        self.payload = payload


class Block:
    """A straight run of operations. ``kind`` is the exit's: ``targets`` are the successors (of a branch:
    where to go on nonzero, then on zero), ``arguments`` what a jump passes or a return returns, ``condition``
    a branch's."""

    __slots__ = ("arguments", "condition", "kind", "number", "operations", "parameters", "source", "targets")

    def __init__(self, number: int) -> None:
        self.number = number
        self.parameters: list[int] = []
        self.operations: list[Operation] = []
        self.kind = STOP
        self.targets: list[Block] = []
        self.arguments: list[int] = []
        self.condition = -1
        self.source = NO_SOURCE

    def jump(self, target: Block, arguments: list[int], source: SourceRange = NO_SOURCE) -> None:
        """End with a jump."""
        self.kind, self.targets, self.arguments, self.condition, self.source = (
            JUMP,
            [target],
            arguments,
            -1,
            source,
        )

    def branch(self, condition: int, nonzero: Block, zero: Block, source: SourceRange = NO_SOURCE) -> None:
        """End with a branch."""
        self.kind, self.targets, self.arguments = BRANCH, [nonzero, zero], []
        self.condition, self.source = condition, source

    def give_back(self, values: list[int], source: SourceRange = NO_SOURCE) -> None:
        """End with a return from the function."""
        self.kind, self.targets, self.arguments, self.condition, self.source = RETURN, [], values, -1, source

    def stop(self) -> None:
        """End after an operation that never returns control."""
        self.kind, self.targets, self.arguments, self.condition = STOP, [], [], -1


class Function:
    """A Yul function, or an object's code (``is_main``), as a graph of blocks; ``blocks[0]`` is the entry."""

    __slots__ = (
        "block_count",
        "blocks",
        "can_return",
        "constant_values",
        "constants",
        "is_main",
        "name",
        "names",
        "number",
        "result_names",
        "return_count",
        "source",
        "value_count",
    )

    def __init__(
        self, name: str, number: int, return_count: int, source: SourceRange, is_main: bool = False
    ) -> None:
        self.name = name
        self.number = number
        self.return_count = return_count
        self.source = source
        self.is_main = is_main
        self.can_return = not is_main
        self.blocks: list[Block] = []
        self.block_count = 0
        self.value_count = 0
        #: Value to its number or symbol, for the values that are constants.
        self.constants: dict[int, Constant] = {}
        self.constant_values: dict[Constant, int] = {}
        #: Names of values and results in the Yul text, where the builder was asked to keep them.
        self.names: dict[int, str] = {}
        self.result_names: tuple[str, ...] = ()

    @property
    def parameters(self) -> list[int]:
        """The values of the function's parameters, first one first."""
        return self.blocks[0].parameters

    def new_block(self) -> Block:
        """A block of the function, added to its blocks."""
        block = Block(self.block_count)
        self.block_count += 1
        self.blocks.append(block)
        return block

    def new_value(self) -> int:
        """A fresh value."""
        value = self.value_count
        self.value_count = value + 1
        return value

    def constant(self, constant: Constant) -> int:
        """The value of a constant: the same one each time."""
        value = self.constant_values.get(constant)
        if value is None:
            value = self.value_count
            self.value_count = value + 1
            self.constant_values[constant] = value
            self.constants[value] = constant
        return value


class Program:
    """The functions of one object's code; the first is the code itself."""

    __slots__ = ("functions",)

    def __init__(self, functions: list[Function]) -> None:
        self.functions = functions

    @property
    def main(self) -> Function:
        """The object's code outside of functions."""
        return self.functions[0]


def format_function(function: Function) -> str:
    """The graph as text: what tests of passes compare. Values are numbered by their first appearance."""
    names: dict[int, str] = {}

    def show(value: int) -> str:
        constant = function.constants.get(value)
        if constant is not None:
            return str(constant) if isinstance(constant, Symbol) or constant < 1 << 16 else hex(constant)
        return names.setdefault(value, f"v{len(names)}")

    numbers = {block.number: i for i, block in enumerate(function.blocks)}
    lines = [f"function {function.name}:"]
    for block in function.blocks:
        lines.append(f"b{numbers[block.number]}({', '.join(show(p) for p in block.parameters)}):")
        for operation in block.operations:
            name = (
                operation.callee.name
                if operation.callee
                else operation.builtin.name
                if operation.builtin
                else ""
            )
            given = ", ".join(show(v) for v in operation.inputs)
            if operation.payload is not None:
                given = f"{operation.payload!r}, {given}"
            results = ", ".join(show(v) for v in operation.outputs)
            lines.append(f"    {results + ' = ' if results else ''}{name}({given})")
        given = ", ".join(show(v) for v in block.arguments)
        if block.kind == JUMP:
            lines.append(f"    jump b{numbers[block.targets[0].number]}({given})")
        elif block.kind == BRANCH:
            nonzero, zero = (numbers[t.number] for t in block.targets)
            lines.append(f"    branch {show(block.condition)} b{nonzero} b{zero}")
        elif block.kind == RETURN:
            lines.append(f"    return {given}".rstrip())
    return "\n".join(lines)
