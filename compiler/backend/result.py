"""What the back end is asked for and what it returns."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Literal

from smartvm.compiler.source import NO_SOURCE, SourceRange
from smartvm.errors import SmartVMError
from smartvm.records import dataclass, field

#: solc's jump types: into a function, out of one, ordinary.
JumpKind = Literal["i", "o", "-"]


class StackTooDeepError(SmartVMError):
    """More values are needed at once than the stack can reach, and the code does not let the compiler use
    memory."""

    exit_code = 1

    def __init__(self, function: str, source: SourceRange = NO_SOURCE) -> None:
        where = f"function `{function}`" if function else "the object's code"
        super().__init__(
            f"Stack too deep: {where} needs more values at once than 16 stack slots reach.",
            hint="annotate inline assembly as `memory-safe`, so that the compiler may keep values in memory",
        )
        self.function = function
        self.source = source


@dataclass(frozen=True, slots=True)
class BackendSettings:
    """``optimize`` switches the SSA passes on; ``runs`` is how often each byte of deployed code is expected
    to run: gas of execution weighs ``runs`` times, gas of deployment (200 a byte) once."""

    optimize: bool = True
    runs: int = 200


@dataclass(frozen=True, slots=True)
class AssemblyItem:
    """One emitted instruction (or the data after the code, when ``opcode`` is None). ``immediate`` are the
    bytes after the opcode; ``note`` says in words what a pushed value stands for (a label, a data size
    ...)."""

    offset: int
    opcode: int | None
    name: str
    immediate: bytes
    source: SourceRange
    jump: JumpKind = "-"
    note: str = ""


@dataclass(frozen=True, slots=True)
class FunctionEntry:
    """Where a Yul function starts (solc's ``functionDebugData``): the offset of its JUMPDEST, how many stack
    slots its arguments and results take. ``source`` is the range of its definition."""

    name: str
    offset: int
    parameters: int
    returns: int
    source: SourceRange = NO_SOURCE


@dataclass(frozen=True)
class AssembledObject:
    """A Yul object as bytecode. Offsets are bytes from the start of ``bytecode``.

    ``bytecode`` is the code with everything the object holds (sub-objects and data), with 20 zero bytes where
    library addresses go (``link_references``: library to (offset, 20)) and 32 zero bytes for each use of an
    immutable (``immutable_references``: name to (offset, 32), of this object's own code only).
    """

    name: str
    bytecode: bytes
    link_references: Mapping[str, tuple[tuple[int, int], ...]]
    immutable_references: Mapping[str, tuple[tuple[int, int], ...]]
    sub_objects: Mapping[str, AssembledObject]
    items: tuple[AssemblyItem, ...]
    functions: tuple[FunctionEntry, ...] = ()
    #: Where sub-objects and data lie in ``bytecode``: name to (offset, size).
    sections: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    def source_map(self) -> str:
        """solc's compressed source map of the object's own code: ``start:length:file:jump:modifierDepth`` for
        each instruction, fields left out where they repeat the previous entry's."""
        entries: list[str] = []
        previous: tuple[str, ...] = ("", "", "", "", "")
        for item in self.items:
            if item.opcode is None:
                continue
            fields = (str(item.source.start), str(item.source.length), str(item.source.file), item.jump, "0")
            shown = [new if new != old else "" for new, old in zip(fields, previous, strict=True)]
            entries.append(":".join(shown).rstrip(":"))
            previous = fields
        return ";".join(entries)

    def assembly_text(self) -> str:
        """The code for people to read: offset, instruction, immediate, and what a pushed value stands for."""
        starts = {entry.offset: entry for entry in self.functions}
        lines = [f"object {self.name!r}: {len(self.bytecode)} bytes"]
        for item in self.items:
            entry = starts.get(item.offset)
            if entry is not None:
                lines.append(f"function {entry.name}:")
            text = f"  {item.offset:05x}  {item.name}"
            if item.immediate:
                text += f" 0x{item.immediate.hex()}"
            if item.note:
                text = f"{text:<40}  // {item.note}"
            lines.append(text)
        for sub in self.sub_objects.values():
            lines.extend("  " + line for line in sub.assembly_text().splitlines())
        return "\n".join(lines)

    @cached_property
    def code_size(self) -> int:
        """Bytes of the object's own code, without sub-objects and data."""
        instructions = [item for item in self.items if item.opcode is not None]
        if not instructions:
            return 0
        last = instructions[-1]
        return last.offset + 1 + len(last.immediate)
