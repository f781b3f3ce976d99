"""The compiled tier: decides what is hot, and puts compiled regions into the interpreter's streams."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from smartvm.vm.code import NO_COUNTER, AnalysedCode
from smartvm.vm.messages import Engine
from smartvm.vm.native.layout import UNFUSED, PseudoOpcode, Shape
from smartvm.vm.native.library import Interpreter
from smartvm.vm.native.machine_code import load
from smartvm.vm.native.regions import (
    REGION_LIMIT,
    BlockSource,
    CodeBlock,
    CodeInstruction,
    Region,
)
from smartvm.vm.plan import ExecutionPlan


@dataclass(frozen=True, slots=True)
class Patience:
    """How often a block is jumped back to, and code is executed from its start, before it is compiled; 0:
    never."""

    jumps_back: int
    entries: int


#: Automatically only what was often asked for is looked at, and then compiled only when the machine has
#: executed for as long already as compiling will take: in all it never takes much more than twice the time.
PATIENCE: dict[Engine, Patience] = {
    "interpreter": Patience(0, 0),
    "compiled": Patience(1, 1),
    "auto": Patience(1 << 21, 1 << 16),
}

#: What compiling takes, by the instructions of a region: measured, and rounded up.
_NANOSECONDS_PER_INSTRUCTION = 1_500_000

#: Regions that touch more stack words than this stay interpreted: compiling takes time in the square of the
#: words that live at once, 8 seconds at the stack's limit. So do regions whose first block alone is beyond
#: the limit.
_MOST_STACK_WORDS = 128

_ENDS_BLOCK = (
    Shape.JUMP,
    Shape.CONDITIONAL_JUMP,
    Shape.TERMINATOR,
    Shape.BLOCK_END,
    Shape.HOST,
    Shape.MAYBE_HOST,
    Shape.HOST_TERMINATOR,
    Shape.UNDEFINED,
)


class _PlainBlocks(BlockSource):
    """Blocks of a code, with the cells of its unfused stream."""

    def __init__(
        self, plan: ExecutionPlan, code: AnalysedCode, plain: AnalysedCode, begin_handler: int
    ) -> None:
        self._plan = plan
        self._code = code
        self._plain = plain
        self._begins: dict[int, int] = {}
        self._cells: dict[int, int] = {}
        counters = plain.counters[: plain.length].tolist()
        handlers = plain.stream_fields[: plain.length].tolist()
        for index, counter in enumerate(counters):
            if counter == NO_COUNTER:
                continue
            address = plain.stream + 8 * index
            if handlers[index] == begin_handler:
                self._begins.setdefault(counter, address)
            else:
                self._cells.setdefault(counter, address)
        self._blocks: dict[int, CodeBlock] = {}

    def is_target(self, counter: int) -> bool:
        return counter < self._plain.size and bool(self._plain.target_indexes[counter])

    def cell_of_block(self, counter: int) -> int:
        """Of the fused stream where a jump leads there too, so that execution is as fast as before."""
        if self.is_target(counter):
            return self._code.stream + 8 * int(self._code.target_indexes[counter])
        begin = self._begins.get(counter)
        return begin if begin is not None else self._cells[counter]

    def block(self, counter: int) -> CodeBlock | None:
        if counter not in self._begins:
            return None
        block = self._blocks.get(counter)
        if block is None:
            block = self._blocks[counter] = self._decode(counter)
        return block

    def _decode(self, start: int) -> CodeBlock:
        code, plan = self._plain.code_bytes, self._plan
        instructions: list[CodeInstruction] = []
        counter = start
        gas = need = height = growth = 0
        while counter < len(code):
            row = plan.instructions.get(code[counter])
            shape = plan.shape(row) if row else Shape.UNDEFINED
            if shape == Shape.JUMP_TARGET and counter != start:
                break
            size = row.immediate_bytes if row else 0
            immediate = int.from_bytes(code[counter + 1 : counter + 1 + size].ljust(size, b"\0"), "big")
            operands, results = (len(row.operands), len(row.results)) if row else (0, 0)
            instructions.append(
                CodeInstruction(
                    counter,
                    plan.body(row) if row else "INVALID",
                    shape,
                    operands,
                    results,
                    immediate,
                    self._cells.get(counter, 0),
                )
            )
            gas += plan.gas_rules[row.opcode].base if row else 0
            need = max(need, operands - height)
            height += results - operands
            growth = max(growth, height)
            counter += 1 + size
            if shape in _ENDS_BLOCK:
                break
        begin = self._begins[start]
        # code may end within an immediate
        return CodeBlock(start, begin, tuple(instructions), min(counter, len(code)), gas, need, growth)


class CompiledTier:
    """Compiles regions of a plan's code."""

    def __init__(self, interpreter: Interpreter, plan: ExecutionPlan) -> None:
        self._interpreter = interpreter
        self._plan = plan
        numbers = {sequence: number for number, sequence in enumerate(interpreter.sequences)}

        def handler(pseudo: PseudoOpcode) -> int:
            return interpreter.handler_address(numbers[pseudo.name,])

        self._begin_handler = handler(PseudoOpcode.BEGIN_BLOCK)
        self._static_jumps = np.array(
            [handler(PseudoOpcode.JUMP_TO), handler(PseudoOpcode.CONDITIONAL_JUMP_TO)], np.uint64
        )
        self._symbols: dict[str, int] = {}

    def compile(self, code: AnalysedCode, head: int, affordable_ns: float = math.inf) -> int | None:
        """Compile the region whose head is the block at a program counter, and let both streams go there.

        The nanoseconds spent; None when nothing was done because it would take more than ``affordable_ns``.
        """
        start = time.perf_counter_ns()
        if code.plain is None:
            code.plain = AnalysedCode(self._interpreter, self._plan, code.code_bytes, UNFUSED, 0)
            code.blocks = _PlainBlocks(self._plan, code, code.plain, self._begin_handler)
            self._lead_back(code, code.plain)
        source = code.blocks
        assert isinstance(source, _PlainBlocks)
        if head in code.compiled or source.block(head) is None:
            return 0
        region = Region(source, head)
        if max(region.growth, region.need) > _MOST_STACK_WORDS or region.size > REGION_LIMIT:
            code.compiled.add(head)  # never tried again
            return 0
        if region.size * _NANOSECONDS_PER_INSTRUCTION > affordable_ns:
            return None
        code.compiled.add(head)
        from smartvm.vm.native import jit, region_emitter  # imported late: they need LLVM

        if not self._symbols:
            self._symbols = {name: self._interpreter.code.address(name) for name in region_emitter.needed_names()}
        module = region_emitter.make_region(region, self._begin_handler)
        native = load(jit.compile_to_object(module), self._symbols)
        address = native.address(region_emitter.FUNCTION)
        code.kept.append(native)
        for stream in (code, code.plain):
            index = int(stream.target_indexes[head]) if source.is_target(head) else 1
            stream.stream_fields[index] = address
        return time.perf_counter_ns() - start

    def _lead_back(self, code: AnalysedCode, plain: AnalysedCode) -> None:
        """Let static jumps of the unfused stream go to the fused one."""
        length = plain.length
        fields, counters = plain.stream_fields[:length], plain.counters[:length]
        jumps = np.isin(fields, self._static_jumps) & (counters != NO_COUNTER)
        for index in np.flatnonzero(jumps).tolist():
            target = plain.program_counter(int(fields[index + 1]))
            cell = int(code.target_indexes[target]) if target < code.size else 0
            if cell:
                fields[index + 1] = code.stream + 8 * cell


@lru_cache(maxsize=64)
def compiled_tier(interpreter: Interpreter, plan: ExecutionPlan) -> CompiledTier:
    """The tier that all machines with this plan share."""
    return CompiledTier(interpreter, plan)
