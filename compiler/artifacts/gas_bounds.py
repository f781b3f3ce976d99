"""Upper bounds of gas, by an abstract run over the control-flow graph of bytecode.

A *node* of the graph is a basic block together with the code addresses that lie on its stack: so a function
that is called from several places has a node for each, and returns to the right one. Each node keeps what
holds on every way into it: an interval for each stack slot, known words of memory, and the greatest size of
memory. The bound is the dearest way through the graph, plus memory's price at its greatest size. There is no
bound (None) where the graph has a cycle (a loop, recursion), where a jump's target is not known, and where an
instruction's price has none: gas that is passed on, sizes that come from outside, DNN instructions.

The bound holds for executions that do not halt exceptionally (INVALID, out of gas), which take all gas there
is; refunds are not counted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from smartvm.compiler.artifacts.intervals import (
    ANYTHING,
    ENVIRONMENT,
    OPERATIONS,
    Interval,
    constant,
    union,
)
from smartvm.compiler.backend.arithmetic import FOLDING
from smartvm.instructions.model import Gas, Instruction, InstructionTable
from smartvm.records import dataclass, field

#: Blocks that one analysis may run through before it gives up.
_MOST_STEPS = 20_000
#: How often one jump target may lie on the stack: a return address lies there once unless a function calls itself.
_MOST_RETURNS = 16
#: Beyond so many bytes of memory nobody can pay.
_MOST_MEMORY = 2**32
#: More gas than any frame has.
_MOST_GAS = 2**40
_STACK_LIMIT = 1024

Stack = tuple[Interval, ...]
NodeKey = tuple[int, int, tuple[tuple[int, int], ...]]


class Unbounded(Exception):
    """The code has no bound that this analysis finds."""


@dataclass(frozen=True)
class State:
    """What holds where a block starts: the stack (bottom first), words of memory by offset, and the greatest
    size of memory in bytes."""

    stack: Stack = ()
    memory: Mapping[int, Interval] = field(default_factory=dict)
    memory_size: int = 0


@dataclass
class _Node:
    state: State
    cost: int = 0
    successors: tuple[NodeKey, ...] = ()


class _Step(NamedTuple):
    position: int
    instruction: Instruction
    immediate: int | None
    gas: Gas


class CodeBounds:
    """Analyses of one code. ``placeholders`` are offsets of pushed bytes that linking or deployment fills
    in."""

    def __init__(
        self,
        code: bytes,
        table: InstructionTable,
        fork: str,
        placeholders: frozenset[int] = frozenset(),
    ) -> None:
        self.code = code
        self.table = table
        self.by_opcode = table.for_fork(fork)
        self.gas = {opcode: table.gas(i, fork) for opcode, i in self.by_opcode.items()}
        self.placeholders = placeholders
        self.jump_targets = self._jump_targets()
        self.blocks: dict[int, tuple[_Step, ...]] = {}
        self.memory_word = table.constant("memory_word")
        self.memory_divisor = table.constant("memory_quadratic_divisor")

    def _jump_targets(self) -> frozenset[int]:
        targets: list[int] = []
        position = 0
        while position < len(self.code):
            instruction = self.by_opcode.get(self.code[position])
            if instruction is not None:
                if instruction.control == "jump_target":
                    targets.append(position)
                position += instruction.immediate_bytes
            position += 1
        return frozenset(targets)

    def block(self, start: int) -> tuple[_Step, ...]:
        """The instructions from ``start`` up to a jump, an end, or the next jump target."""
        known = self.blocks.get(start)
        if known is not None:
            return known
        steps: list[_Step] = []
        position = start
        while position < len(self.code):
            if position != start and position in self.jump_targets:
                break
            instruction = self.by_opcode.get(self.code[position])
            if instruction is None:
                break
            size = instruction.immediate_bytes
            immediate: int | None = None
            if size and position + 1 not in self.placeholders:
                immediate = int.from_bytes(self.code[position + 1 : position + 1 + size].ljust(size, b"\0"), "big")
            steps.append(_Step(position, instruction, immediate, self.gas[instruction.opcode]))
            position += 1 + size
            if instruction.control in ("jump", "conditional_jump") or instruction.effects.terminates:
                break
        self.blocks[start] = tuple(steps)
        return self.blocks[start]

    def memory_price(self, size: int) -> int:
        """What memory of ``size`` bytes costs."""
        words = (size + 31) // 32
        return self.memory_word * words + words * words // self.memory_divisor

    def bound(
        self,
        entry: int = 0,
        stack: Stack = (),
        calldata: Callable[[Interval], Interval] = lambda _: ANYTHING,
        calldata_size: Interval = (0, 2**64 - 1),
    ) -> int | None:
        """The most gas from ``entry`` (with ``stack``) to any end, or to a jump to ``RETURN_ADDRESS``.
        ``calldata`` gives the interval of the calldata word at an offset, ``calldata_size`` its size."""
        try:
            return _Analysis(self, calldata, calldata_size).run(entry, State(stack))
        except Unbounded:
            return None


#: An address that no code has: where a function that is analysed by itself returns to.
RETURN_ADDRESS = 2**64


class _Analysis:
    """One abstract run."""

    def __init__(self, code: CodeBounds, calldata: Callable[[Interval], Interval], calldata_size: Interval) -> None:
        self.code = code
        self.calldata = calldata
        self.calldata_size = calldata_size
        self.nodes: dict[NodeKey, _Node] = {}
        self.memory_size = 0

    def run(self, entry: int, state: State) -> int:
        """The bound. Raises Unbounded."""
        first = self.key(entry, state.stack)
        self.nodes[first] = _Node(state)
        work = [first]
        steps = 0
        while work:
            steps += 1
            if steps > _MOST_STEPS:
                raise Unbounded
            current = work.pop()
            node = self.nodes[current]
            cost, leads = _BlockRun(self, node.state).run(current[0])
            successors = []
            for position, after in leads:
                key = self.key(position, after.stack)
                successors.append(key)
                known = self.nodes.get(key)
                if known is None:
                    self.nodes[key] = _Node(after)
                    work.append(key)
                    continue
                joined = _join(known.state, after)
                if joined != known.state:
                    known.state = joined
                    work.append(key)
            node.cost = cost
            fresh = set(successors) - set(node.successors)
            node.successors = tuple(dict.fromkeys(successors))
            if any(self.reaches(key, current) for key in fresh):
                raise Unbounded
        return self.dearest(first) + self.code.memory_price(self.memory_size)

    def key(self, position: int, stack: Stack) -> NodeKey:
        """Which node a block with a stack belongs to."""
        targets = self.code.jump_targets
        addresses = tuple(
            (i, low) for i, (low, high) in enumerate(stack) if low == high and (low in targets or low == RETURN_ADDRESS)
        )
        lows = [low for _, low in addresses]
        if len(lows) > _MOST_RETURNS and any(lows.count(low) > _MOST_RETURNS for low in set(lows)):
            raise Unbounded  # the same return address over and over: recursion
        return (position, len(stack), addresses)

    def reaches(self, start: NodeKey, goal: NodeKey) -> bool:
        """Whether a way leads from one node to another."""
        seen = {start}
        work = [start]
        while work:
            current = work.pop()
            if current == goal:
                return True
            for key in self.nodes[current].successors:
                if key not in seen:
                    seen.add(key)
                    work.append(key)
        return False

    def dearest(self, first: NodeKey) -> int:
        """The greatest sum of costs from a node on; the graph has no cycle."""
        totals: dict[NodeKey, int] = {}
        work = [first]
        while work:
            current = work[-1]
            node = self.nodes[current]
            missing = [key for key in node.successors if key not in totals]
            if missing:
                work.extend(missing)
                continue
            work.pop()
            totals[current] = node.cost + max((totals[key] for key in node.successors), default=0)
        return totals[first]


def _join(a: State, b: State) -> State:
    stack = tuple(union(x, y) for x, y in zip(a.stack, b.stack, strict=True))
    memory = {offset: union(value, b.memory[offset]) for offset, value in a.memory.items() if offset in b.memory}
    return State(stack, memory, max(a.memory_size, b.memory_size))


class _BlockRun:
    """One block, run on a state."""

    def __init__(self, analysis: _Analysis, state: State) -> None:
        self.analysis = analysis
        self.stack = list(state.stack)
        self.memory = dict(state.memory)
        self.memory_size = state.memory_size
        self.cost = 0

    def state(self) -> State:
        """The state reached."""
        return State(tuple(self.stack), self.memory, self.memory_size)

    def run(self, start: int) -> tuple[int, list[tuple[int, State]]]:
        """The block's cost, and the positions that follow with their states."""
        position = start
        for step in self.analysis.code.block(start):
            position = step.position + 1 + step.instruction.immediate_bytes
            instruction = step.instruction
            count = len(instruction.operands)
            if len(self.stack) < count or len(self.stack) > _STACK_LIMIT:
                return self.cost, []  # the frame halts here
            if instruction.control in ("jump", "conditional_jump"):
                self.cost += step.gas.base
                return self.cost, self.jump(instruction, position)
            self.step(step)
            if instruction.effects.terminates:
                return self.cost, []
        if position >= len(self.analysis.code.code) or position not in self.analysis.code.jump_targets:
            return self.cost, []  # past the end, which is STOP, or an undefined instruction
        return self.cost, [(position, self.state())]

    def jump(self, instruction: Instruction, following: int) -> list[tuple[int, State]]:
        """The ways on after a jump."""
        target = self.stack.pop()
        ways: list[tuple[int, State]] = []
        condition = (1, 1) if instruction.control == "jump" else self.stack.pop()
        if condition[0] == 0:
            ways.append((following, self.state()))
        if condition[1] > 0:
            if target[0] != target[1]:
                raise Unbounded
            if target[0] in self.analysis.code.jump_targets:
                ways.append((target[0], self.state()))
        return ways

    def step(self, step: _Step) -> None:
        """Any other instruction: its price, and what it does to stack and memory."""
        instruction = step.instruction
        name, stack = instruction.name, self.stack
        self.cost += step.gas.base
        if instruction.immediate_bytes or name == "PUSH0":
            stack.append(ANYTHING if step.immediate is None and name != "PUSH0" else constant(step.immediate or 0))
            return
        if name.startswith("DUP"):
            stack.append(stack[-int(name[3:])])
            return
        if name.startswith("SWAP"):
            depth = int(name[4:]) + 1
            stack[-1], stack[-depth] = stack[-depth], stack[-1]
            return
        count = len(instruction.operands)
        operands = stack[len(stack) - count :][::-1]
        if count:
            del stack[-count:]
        named = dict(zip(instruction.operands, operands, strict=True))
        if step.gas.dynamic is not None:
            self.cost += self.dynamic(instruction, step.gas, named)
        result = self.result(name, operands)
        if "memory" in instruction.effects.writes:
            self.write(name, named)
        if instruction.result_count is not None:
            raise Unbounded
        if instruction.results:
            stack.extend([ANYTHING] * (len(instruction.results) - 1))
            stack.append(result)

    def result(self, name: str, operands: list[Interval]) -> Interval:
        """The interval of an instruction's (first) result."""
        fold = FOLDING.get(name)
        if fold is not None and all(low == high for low, high in operands):
            return constant(fold(*(low for low, _ in operands)))
        operation = OPERATIONS.get(name)
        if operation is not None:
            return operation(*operands)
        if name == "MLOAD":
            low, high = operands[0]
            return self.memory.get(low, ANYTHING) if low == high else ANYTHING
        if name == "CALLDATALOAD":
            return self.analysis.calldata(operands[0])
        if name == "CALLDATASIZE":
            return self.analysis.calldata_size
        return ENVIRONMENT.get(name, ANYTHING)

    def write(self, name: str, operands: Mapping[str, Interval]) -> None:
        """Forget the words of memory that an instruction may change; note the one that MSTORE writes."""
        if name == "MSTORE":
            low, high = operands["offset"]
            self.forget(low, high + 32)
            if low == high:
                self.memory[low] = operands["value"]
            return
        start = operands.get("destination", operands.get("output_offset", operands.get("offset")))
        size = operands.get("size", operands.get("output_size", (1, 1) if name == "MSTORE8" else None))
        if start is None or size is None:
            self.memory.clear()
        elif size[1]:
            self.forget(start[0], start[1] + size[1])

    def forget(self, start: int, end: int) -> None:
        """Drop what is known of the memory from ``start`` up to ``end``."""
        for offset in [offset for offset in self.memory if offset + 32 > start and offset < end]:
            del self.memory[offset]

    def touch(self, offset: Interval, size: Interval) -> None:
        """Let memory grow to ``offset`` + ``size``."""
        if size[1] == 0:
            return
        end = offset[1] + size[1]
        if end > _MOST_MEMORY:
            raise Unbounded
        self.memory_size = max(self.memory_size, (end + 31) // 32 * 32)
        self.analysis.memory_size = max(self.analysis.memory_size, self.memory_size)

    def dynamic(self, instruction: Instruction, gas: Gas, operands: Mapping[str, Interval]) -> int:
        """The most that a gas rule of the table adds. Raises Unbounded."""
        constants = dict(gas.constants)
        rule = gas.dynamic
        surcharge = constants.get("cold_surcharge", 0)
        if rule in ("account_access", "storage_read"):
            return surcharge
        if rule in ("storage_write", "storage_write_net"):
            return surcharge + max(constants["noop"], constants["set"], constants["reset"])
        if rule == "exp":
            return constants["per_byte"] * ((operands["exponent"][1].bit_length() + 7) // 8)
        if rule == "selfdestruct":
            return surcharge + constants["new_account"]
        if rule == "call":
            passed = operands["gas"][1]
            if passed > _MOST_GAS:
                raise Unbounded
            self.touch(operands["input_offset"], operands["input_size"])
            self.touch(operands["output_offset"], operands["output_size"])
            return surcharge + constants["value_transfer"] + constants["new_account"] + passed
        if rule == "memory_expansion":
            self.touch(operands["offset"], operands.get("size", (1, 1) if instruction.name == "MSTORE8" else (32, 32)))
            return 0
        if rule in ("keccak256", "copy", "extcodecopy", "log"):
            size = operands["size"]
            self.touch(operands.get("destination", operands["offset"]), size)
            if instruction.name == "MCOPY":
                self.touch(operands["offset"], size)
            if rule == "log":
                return constants["per_byte"] * size[1]
            return surcharge + constants["per_word"] * ((size[1] + 31) // 32)
        raise Unbounded
