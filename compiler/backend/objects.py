"""The back end's pipeline for one Yul object and the objects inside it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from smartvm.compiler.backend.assembler import Assembler, Sections
from smartvm.compiler.backend.builder import build_program
from smartvm.compiler.backend.coding_context import CodingContext, FunctionCode
from smartvm.compiler.backend.effects import EffectFacts, recursive_groups
from smartvm.compiler.backend.function_coder import code_function
from smartvm.compiler.backend.items import PUSH_SYMBOL, InstructionSet, Item
from smartvm.compiler.backend.literals import LiteralEncoder
from smartvm.compiler.backend.peephole import improve_items
from smartvm.compiler.backend.pipeline import optimize_program, prepare_program, uses_memory_guard
from smartvm.compiler.backend.placement import Placement, settle_shared_ranges
from smartvm.compiler.backend.ranges import settle_ranges
from smartvm.compiler.backend.result import AssembledObject, BackendSettings, FunctionEntry, StackTooDeepError
from smartvm.compiler.backend.spill_frames import frame_offsets
from smartvm.compiler.backend.ssa import Program, Symbol
from smartvm.compiler.backend.yul_form import program_to_yul
from smartvm.compiler.yul import ast as yul
from smartvm.records import replace

if TYPE_CHECKING:
    from smartvm.compiler.yul.dialect import Dialect

#: Python frames that nested Yul may take; the parser bounds the nesting.
_RECURSION_LIMIT = 20_000


@contextmanager
def deep_recursion() -> Iterator[None]:
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, _RECURSION_LIMIT))
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)


class ObjectAssembler:
    """Compiles objects under one dialect and one group of settings."""

    def __init__(self, dialect: Dialect, settings: BackendSettings) -> None:
        self.dialect = dialect
        self.settings = settings
        self.instructions = InstructionSet(dialect.table, dialect.fork)

    def assemble(self, object_: yul.Object) -> AssembledObject:
        """The object with all its sub-objects."""
        with deep_recursion():
            return self._assemble(object_)

    def _assemble(self, object_: yul.Object) -> AssembledObject:
        sub_objects = {
            sub.name: self._assemble(sub) for sub in object_.sub_objects if isinstance(sub, yul.Object)
        }

        def immutable_offsets(name: str) -> tuple[int, ...]:
            for sub in sub_objects.values():
                if name in sub.immutable_references:
                    return tuple(offset for offset, _ in sub.immutable_references[name])
            return ()

        context = CodingContext(self.instructions, immutable_offsets)
        items, entries, numbers = self._code_with_retries(object_, context, self._literals(object_))
        referenced = {
            item.value.name for item in items if item.kind == PUSH_SYMBOL and isinstance(item.value, Symbol)
        }
        sections = Sections(object_, sub_objects, referenced)
        return Assembler(self.instructions, object_.name, sections).assemble(
            items, numbers, sub_objects, entries
        )

    def _literals(self, object_: yul.Object) -> LiteralEncoder | None:
        """How numbers are encoded; None: as they are."""
        if not self.settings.optimize:
            return None
        # A constructor runs once; its code is paid for as data.
        creation = any(sub.name == object_.name + "_deployed" for sub in object_.sub_objects)
        return LiteralEncoder(self.instructions, self.settings.runs, creation)

    def optimized_object(self, object_: yul.Object) -> yul.Object:
        """The object with its code, and that of all its sub-objects, as the passes leave it."""
        with deep_recursion():
            return self._optimized_object(object_)

    def _optimized_object(self, object_: yul.Object) -> yul.Object:
        parts = tuple(
            self._optimized_object(part) if isinstance(part, yul.Object) else part
            for part in object_.sub_objects
        )
        program = self.optimized_program(object_, for_reading=True)
        if not uses_memory_guard(program) and not self._fits_stack(program):
            program = self.optimized_program(object_, inline=False, for_reading=True)
        code = program_to_yul(program, self.dialect, self.instructions)
        return replace(object_, code=code, sub_objects=parts)

    def _fits_stack(self, program: Program) -> bool:
        """Whether all functions can be coded without memory."""
        facts = EffectFacts(program)
        context = CodingContext(self.instructions, lambda _: ())
        try:
            for function in program.functions:
                code_function(function, context, facts, False)
        except StackTooDeepError:
            return False
        return True

    def optimized_program(
        self, object_: yul.Object, inline: bool = True, for_reading: bool = False
    ) -> Program:
        """The SSA form of the object's code after all passes that the settings ask for."""
        program = build_program(object_.code, self.dialect, self.settings.optimize, for_reading)
        prepare_program(program)
        if self.settings.optimize:
            optimize_program(program, self.dialect.builtins, self.settings, inline)
        settle_ranges(program)
        return program

    def _code_with_retries(
        self, object_: yul.Object, context: CodingContext, literals: LiteralEncoder | None
    ) -> tuple[list[Item], list[tuple[int, FunctionEntry]], dict[Symbol, int]]:
        """Code the object's functions. Where the stack does not suffice and memory must not be used, try
        again with functions left apart, each of which reaches its own slots."""
        try:
            return self._code(self.optimized_program(object_), context, literals)
        except StackTooDeepError:
            if not self.settings.optimize:
                raise
        return self._code(self.optimized_program(object_, inline=False), context, literals)

    def _code(
        self, program: Program, context: CodingContext, literals: LiteralEncoder | None
    ) -> tuple[list[Item], list[tuple[int, FunctionEntry]], dict[Symbol, int]]:
        """The items of all functions, their entries, and the numbers of symbols that memory decides."""
        guards = sorted(
            {
                constant.number
                for function in program.functions
                for constant in function.constants.values()
                if isinstance(constant, Symbol) and constant.kind == "memoryguard"
            }
        )
        facts = EffectFacts(program)
        for group, members in enumerate(recursive_groups(program)):
            for number in members:
                context.recursive_group[number] = group
        codes = [code_function(function, context, facts, bool(guards)) for function in program.functions]
        numbers = self._memory_numbers(program, codes, guards)
        settle_shared_ranges(codes)
        items: list[Item] = []
        entries: list[tuple[int, FunctionEntry]] = []
        merged: dict[tuple[object, ...], int] = {}
        for code in codes:
            items.extend(Placement(code, self.instructions, merged, literals).items())
            function = code.function
            if not function.is_main:
                entry = FunctionEntry(
                    function.name, 0, len(function.parameters), function.return_count, function.source
                )
                entries.append((context.function_label(function), entry))
        items = improve_items(items, self.instructions)
        return items, entries, numbers

    def _memory_numbers(
        self, program: Program, codes: list[FunctionCode], guards: list[int]
    ) -> dict[Symbol, int]:
        """Where spilled values lie, and what each ``memoryguard`` gives: the end of that area."""
        sizes = {code.function.number: code.slots for code in codes}
        offsets, total = frame_offsets(program, sizes)
        numbers: dict[Symbol, int] = {}
        if not guards:
            return numbers
        base = guards[-1]
        for guard in guards:
            numbers[Symbol("memoryguard", "", guard)] = guard if not total else base + 32 * total
        for number, size in sizes.items():
            for slot in range(size):
                numbers[Symbol("spill", str(number), slot)] = base + 32 * (offsets[number] + slot)
        return numbers
