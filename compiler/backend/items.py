"""Assembly items: what the stack coder emits and the assembler turns into bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from smartvm.compiler.backend.result import JumpKind
from smartvm.compiler.source import SourceRange
from smartvm.errors import SmartVMError

if TYPE_CHECKING:
    from smartvm.instructions.model import Instruction, InstructionTable

#: Kinds of items and what ``value`` holds: an ``Instruction``; an integer to push; a label to push; a label
#: that stands here; a ``Symbol`` to push; raw bytes (of ``verbatim``).
OPCODE, PUSH, PUSH_LABEL, LABEL, PUSH_SYMBOL, RAW = range(6)


class Item:
    """One assembly item."""

    __slots__ = ("jump", "kind", "source", "value")

    def __init__(self, kind: int, value: Any, source: SourceRange, jump: JumpKind = "-") -> None:
        self.kind = kind
        self.value = value
        self.source = source
        self.jump: JumpKind = jump

    def key(self) -> tuple[int, Any, str]:
        """What makes two items the same code."""
        return (self.kind, self.value, self.jump)


class MissingInstructionError(SmartVMError):
    """The instruction table (or the fork) lacks an instruction that the back end cannot do without."""


class InstructionSet:
    """The instructions that the back end itself emits, looked up by name in the table for one fork."""

    def __init__(self, table: InstructionTable, fork: str) -> None:
        available = {i.name: i for i in table.for_fork(fork).values()}

        def get(name: str) -> Instruction:
            try:
                return available[name]
            except KeyError:
                raise MissingInstructionError(
                    f"the instruction table `{table.name}` has no `{name}` at fork `{fork}`, "
                    "which every contract needs"
                ) from None

        #: By the number of immediate bytes; the first is PUSH0 or, where the fork lacks it, None.
        self.push: tuple[Instruction | None, ...] = (
            available.get("PUSH0"),
            *(get(f"PUSH{n}") for n in range(1, 33)),
        )
        self.dup = tuple(get(f"DUP{n}") for n in range(1, 17))
        self.swap = tuple(get(f"SWAP{n}") for n in range(1, 17))
        self.pop = get("POP")
        self.jump = get("JUMP")
        self.jumpi = get("JUMPI")
        self.jumpdest = get("JUMPDEST")
        self.iszero = get("ISZERO")
        self.mload = get("MLOAD")
        self.mstore = get("MSTORE")
        self.add = get("ADD")
        self.sub = get("SUB")
        self.eq = get("EQ")
        self.invalid = get("INVALID")
        self.by_name = available
        self.gas = {i.opcode: table.gas(i, fork) for i in available.values()}
