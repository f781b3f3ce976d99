"""What an instruction table is: immutable rows and their look-ups. Reading and checking TOML is ``loader``'s."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

#: What an instruction may read or write besides its operands and results.
#: memory, storage, transient, blocks (weight blocks), buffer (Buffer and saved Buffers), returndata, logs,
#: state (balances, code, nonces of any account: calls, creates), gas (GAS, and what depends on gas left).
Area = Literal["memory", "storage", "transient", "blocks", "buffer", "returndata", "logs", "state", "gas"]


@dataclass(frozen=True, slots=True)
class Effects:
    """Effect facts for the optimizer. ``pure``: the results depend on the operands alone and nothing is touched
    (the call may be moved, merged or dropped). ``terminates``: control never goes past it; ``reverts`` of these:
    it undoes the frame's changes."""

    reads: frozenset[Area] = frozenset()
    writes: frozenset[Area] = frozenset()
    pure: bool = False
    terminates: bool = False
    reverts: bool = False


@dataclass(frozen=True, slots=True)
class Gas:
    """Gas from fork ``since`` on: a constant part and the name of the dynamic rule (computed in ``vm``), with
    the rule's own constants."""

    since: str
    base: int
    dynamic: str | None = None
    constants: tuple[tuple[str, int], ...] = ()

    def constant(self, name: str) -> int:
        """The rule's constant ``name``; KeyError when the row lacks it."""
        return dict(self.constants)[name]


@dataclass(frozen=True, slots=True)
class Implementation:
    """What implements an instruction that is not the EVM's own: a ``kernel`` named ``package.module:function``,
    or Yul text whose last expression or assignment to the results' names is the meaning; ``native`` marks the
    DNN instructions, implemented in ``vm.dnn`` under their own name."""

    kind: Literal["native", "kernel", "yul"]
    text: str


@dataclass(frozen=True, slots=True)
class Instruction:
    """One row. ``operands`` and ``results`` are names, top of the stack first (Yul's order)."""

    name: str
    opcode: int
    operands: tuple[str, ...]
    results: tuple[str, ...]
    immediate_bytes: int
    gas: tuple[Gas, ...]
    since: str
    until: str | None
    effects: Effects
    family: str
    implementation: Implementation | None
    description: str
    reference: str

    @property
    def yul_name(self) -> str:
        """The name in Yul and inline assembly."""
        return self.name.lower()


@dataclass(frozen=True)
class InstructionTable:
    """An immutable table. ``forks`` in order of activation; ``digest`` identifies the content (artifacts record
    it); ``constants`` are named numbers that rules share."""

    name: str
    description: str
    forks: tuple[str, ...]
    instructions: tuple[Instruction, ...]
    digest: str
    path: str | None = None
    constants: tuple[tuple[str, int], ...] = ()

    def fork_index(self, fork: str) -> int:
        """Position of a fork; ``ValueError`` with the known names when there is none."""
        try:
            return self.forks.index(fork)
        except ValueError:
            raise ValueError(f"unknown fork `{fork}`; known: {', '.join(self.forks)}") from None

    def has(self, instruction: Instruction, fork: str) -> bool:
        """Whether ``fork`` has the instruction."""
        index = self.fork_index(fork)
        if index < self.fork_index(instruction.since):
            return False
        return instruction.until is None or index < self.fork_index(instruction.until)

    def for_fork(self, fork: str) -> Mapping[int, Instruction]:
        """Opcode to instruction, of those that ``fork`` has."""
        return {i.opcode: i for i in self.instructions if self.has(i, fork)}

    @cached_property
    def by_name(self) -> Mapping[str, Instruction]:
        """Instructions of all forks by (upper-case) name."""
        return {i.name: i for i in self.instructions}

    def gas(self, instruction: Instruction, fork: str) -> Gas:
        """The gas entry in force at ``fork``."""
        index = self.fork_index(fork)
        return [g for g in instruction.gas if self.fork_index(g.since) <= index][-1]
