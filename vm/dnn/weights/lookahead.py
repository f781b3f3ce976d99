"""Looking ahead in code: which DNN instructions a frame will come to, with the operands that are already certain.

From a program counter and the stack, instructions are followed with concrete words: pushed constants, copies,
arithmetic and jumps whose destination is known. What cannot be known without executing (memory, calldata, storage,
gas, results of calls) is an unknown word, which ends the walk only where a jump depends on it. Nothing is executed,
so a later instruction may still halt or never be reached: what is found may be prepared, never done.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from smartvm.instructions.model import Instruction
from smartvm.vm.native.layout import STACK_LIMIT

#: Instructions that one walk follows, and DNN instructions that it finds, unless the caller says otherwise.
STEP_LIMIT = 2000
FOUND_LIMIT = 256

_KEPT_WALKS = 1024

_WORD = 1 << 256
_MASK = _WORD - 1

#: Operands that are weight blocks' ids, by their names in the table.
_BLOCK_OPERANDS = frozenset({"weights", "bias", "block"})


@dataclass(frozen=True, slots=True)
class UpcomingInstruction:
    """A DNN instruction ahead. ``operands`` top first; None where an operand is not known yet."""

    program_counter: int
    instruction: Instruction
    operands: tuple[int | None, ...]

    @property
    def block_id(self) -> int | None:
        """The weight block that it reads; None when it reads none or the id is not known."""
        if "blocks" not in self.instruction.effects.reads:
            return None
        for name, value in zip(self.instruction.operands, self.operands, strict=True):
            if name in _BLOCK_OPERANDS:
                return value
        return None


def _signed(word: int) -> int:
    return word - _WORD if word >> 255 else word


def _truncated(a: int, b: int) -> int:
    quotient = abs(a) // abs(b)
    return -quotient if (a < 0) != (b < 0) else quotient


def _signed_remainder(a: int, b: int) -> int:
    remainder = abs(a) % abs(b)
    return -remainder if a < 0 else remainder


def _sign_extended(index: int, word: int) -> int:
    if index > 30:
        return word
    bits = 8 * (index + 1)
    low = word & ((1 << bits) - 1)
    return low - (1 << bits) if low >> (bits - 1) else low


#: Instructions of the EVM that depend on their operands alone.
_OPERATIONS: Mapping[str, Callable[..., int]] = MappingProxyType(
    {
        "ADD": lambda a, b: a + b,
        "MUL": lambda a, b: a * b,
        "SUB": lambda a, b: a - b,
        "DIV": lambda a, b: a // b if b else 0,
        "SDIV": lambda a, b: _truncated(_signed(a), _signed(b)) if b else 0,
        "MOD": lambda a, b: a % b if b else 0,
        "SMOD": lambda a, b: _signed_remainder(_signed(a), _signed(b)) if b else 0,
        "ADDMOD": lambda a, b, n: (a + b) % n if n else 0,
        "MULMOD": lambda a, b, n: a * b % n if n else 0,
        "EXP": lambda a, b: pow(a, b, _WORD),
        "SIGNEXTEND": _sign_extended,
        "LT": lambda a, b: a < b,
        "GT": lambda a, b: a > b,
        "SLT": lambda a, b: _signed(a) < _signed(b),
        "SGT": lambda a, b: _signed(a) > _signed(b),
        "EQ": lambda a, b: a == b,
        "ISZERO": lambda a: a == 0,
        "AND": lambda a, b: a & b,
        "OR": lambda a, b: a | b,
        "XOR": lambda a, b: a ^ b,
        "NOT": lambda a: ~a,
        "BYTE": lambda i, a: a >> (8 * (31 - i)) & 0xFF if i < 32 else 0,
        "SHL": lambda n, a: a << n if n < 256 else 0,
        "SHR": lambda n, a: a >> n if n < 256 else 0,
        "SAR": lambda n, a: _signed(a) >> min(n, 255),
    }
)


@dataclass(slots=True)
class _Word:
    """A word of the walked stack: its value, if known, and which entry words it depends on (a bit for each, counted
    from the top)."""

    value: int | None
    origins: int


_UNKNOWN = _Word(None, 0)


class _Walk:
    """One walk; ``used`` collects the entry words that decided anything."""

    def __init__(self, instructions: Mapping[int, Instruction], code: bytes, stack: Sequence[int]) -> None:
        self._instructions = instructions
        self._code = code
        depth = len(stack)
        self._stack = [_Word(word, 1 << (depth - 1 - place)) for place, word in enumerate(stack)]
        self.used = 0
        self.found: list[UpcomingInstruction] = []

    def run(self, counter: int, steps: int, count: int) -> None:
        """Follow the code from ``counter`` on."""
        code, instructions = self._code, self._instructions
        for _ in range(steps):
            if len(self.found) >= count or counter >= len(code):
                return
            instruction = instructions.get(code[counter])
            if instruction is None or len(self._stack) < len(instruction.operands):
                return
            following = self._step(counter, instruction)
            if following is None or len(self._stack) > STACK_LIMIT:
                return
            counter = following

    def _step(self, counter: int, instruction: Instruction) -> int | None:
        """Follow one instruction; the next one's program counter, None where the walk ends."""
        stack, name, family = self._stack, instruction.name, instruction.family
        following = counter + 1 + instruction.immediate_bytes
        if family == "push" and name.startswith("PUSH"):
            immediate = self._code[counter + 1 : following].ljust(instruction.immediate_bytes, b"\0")
            stack.append(_Word(int.from_bytes(immediate, "big"), 0))
            return following
        if name.startswith("DUP") and name[3:].isdigit():
            depth = int(name[3:])
            if depth > len(stack):
                return None
            stack.append(stack[-depth])
            return following
        if name.startswith("SWAP") and name[4:].isdigit():
            depth = int(name[4:]) + 1
            if depth > len(stack):
                return None
            stack[-1], stack[-depth] = stack[-depth], stack[-1]
            return following
        if instruction.control is not None:
            return self._jump(instruction, following)
        if instruction.effects.terminates:
            return None
        operands = [stack.pop() for _ in instruction.operands]
        if instruction.implementation is not None and instruction.implementation.kind == "native":
            for word in operands:
                self.used |= word.origins
            values = tuple(word.value for word in operands)
            self.found.append(UpcomingInstruction(counter, instruction, values))
        return following if self._push_results(counter, instruction, operands) else None

    def _push_results(self, counter: int, instruction: Instruction, operands: list[_Word]) -> bool:
        stack = self._stack
        if instruction.result_count is not None:
            word = operands[instruction.operands.index(instruction.result_count.operand)]
            self.used |= word.origins
            if word.value is None or word.value > STACK_LIMIT:
                return False
            stack.extend([_UNKNOWN] * word.value)
            return True
        if instruction.name == "PC":
            stack.append(_Word(counter, 0))
            return True
        operation = _OPERATIONS.get(instruction.name) if instruction.implementation is None else None
        values = [word.value for word in operands]
        if operation is None or None in values:
            stack.extend([_UNKNOWN] * len(instruction.results))
            return True
        origins = 0
        for word in operands:
            origins |= word.origins
        stack.append(_Word(int(operation(*values)) & _MASK, origins))
        return True

    def _jump(self, instruction: Instruction, following: int) -> int | None:
        if instruction.control == "jump_target":
            return following
        destination = self._stack.pop()
        if instruction.control == "conditional_jump":
            condition = self._stack.pop()
            self.used |= condition.origins
            if condition.value is None:
                return None
            if condition.value == 0:
                return following
        self.used |= destination.origins
        target = destination.value
        if target is None or target >= len(self._code):
            return None
        there = self._instructions.get(self._code[target])
        # a destination inside of an immediate is not told apart: the frame would halt there, and nothing is lost
        return target if there is not None and there.control == "jump_target" else None


def walk(
    instructions: Mapping[int, Instruction],
    code: bytes,
    program_counter: int,
    stack: Sequence[int],
    *,
    steps: int = STEP_LIMIT,
    count: int = FOUND_LIMIT,
) -> tuple[UpcomingInstruction, ...]:
    """The DNN instructions that ``code`` comes to from ``program_counter`` on with ``stack`` (bottom first), in the
    order of execution: at most ``count``, at most ``steps`` instructions away."""
    walked = _Walk(instructions, code, stack)
    walked.run(program_counter, steps, count)
    return tuple(walked.found)


class Lookahead:
    """Walks by one set of instructions (``ExecutionPlan.instructions``), kept: asked again at the same place with the
    same words where it matters, the answer is a look-up. A new walk takes about a microsecond an instruction, which
    no gas pays for: limit how often code can cause one."""

    def __init__(self, instructions: Mapping[int, Instruction]) -> None:
        self._instructions = instructions
        self._walks: OrderedDict[
            tuple[bytes, int, int, int], list[tuple[int, tuple[int, ...], tuple[UpcomingInstruction, ...]]]
        ] = OrderedDict()

    def upcoming(
        self,
        code: bytes,
        program_counter: int,
        stack: Sequence[int],
        *,
        steps: int = STEP_LIMIT,
        count: int = FOUND_LIMIT,
    ) -> tuple[UpcomingInstruction, ...]:
        """As ``walk``."""
        key = (code, program_counter, steps, count)
        kept = self._walks.get(key)
        depth = len(stack)
        if kept is not None:
            self._walks.move_to_end(key)
            for size, guard, found in kept:
                if size == depth and all(
                    stack[depth - 1 - place] == word for place, word in zip(guard[::2], guard[1::2], strict=True)
                ):
                    return found
        walked = _Walk(self._instructions, code, stack)
        walked.run(program_counter, steps, count)
        found = tuple(walked.found)
        places = [place for place in range(depth) if walked.used >> place & 1]
        guard = tuple(value for place in places for value in (place, stack[depth - 1 - place]))
        if kept is None:
            kept = self._walks[key] = []
            if len(self._walks) > _KEPT_WALKS:
                self._walks.popitem(last=False)
        kept.append((depth, guard, found))
        del kept[:-8]
        return found
