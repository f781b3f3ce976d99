"""What an instruction table is: immutable rows and their look-ups. Reading and checking TOML is
``loader``'s."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Literal

from smartvm.records import dataclass

#: What an instruction may read or write besides its operands and results.
#: memory, storage, transient, blocks (weight blocks), buffer (Buffer and saved Buffers), returndata, logs,
#: state (balances, code, nonces of any account: calls, creates), gas (GAS, and what depends on gas left),
#: memory_size (MSIZE; whatever reads or writes memory may change it, which no row repeats).
Area = Literal[
    "memory", "memory_size", "storage", "transient", "blocks", "buffer", "returndata", "logs", "state", "gas"
]


@dataclass(frozen=True, slots=True)
class Effects:
    """Effect facts for the optimizer. ``pure``: the results depend on the operands alone and nothing is
    touched (the call may be moved, merged or dropped). ``terminates``: control never goes past it;
    ``reverts`` of these: it undoes the frame's changes."""

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
    """What implements an instruction that is not the EVM's own: a ``kernel`` named
    ``package.module:function``, or Yul text whose last expression or assignment to the results' names is
    the meaning; ``native`` marks the DNN instructions, implemented in ``vm.dnn`` under their own name."""

    kind: Literal["native", "kernel", "yul"]
    text: str


@dataclass(frozen=True, slots=True)
class ResultCount:
    """``operand`` says how many words the instruction pushes; in Yul it is a literal from ``minimum`` to
    ``maximum``."""

    operand: str
    minimum: int
    maximum: int


@dataclass(frozen=True, slots=True)
class GasRule:
    """A dynamic rule that rows may name: the constants that it needs and its formula in words."""

    name: str
    constants: tuple[str, ...]
    formula: str


@dataclass(frozen=True, slots=True)
class Instruction:
    """One row. ``operands`` and ``results`` are names, top of the stack first (Yul's order).
    ``result_count`` is set, and ``results`` empty, where an operand decides. ``control`` marks what moves
    the program counter; ``is_yul_builtin`` is False for what Yul has no builtin for. ``unavailable_code``
    is solc's error code for a use in a fork that lacks it, ``warning`` code and text of solc's warning
    about any use. ``defined_in`` is the file of a row that is the user's own."""

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
    control: Literal["jump", "conditional_jump", "jump_target"] | None = None
    is_yul_builtin: bool = True
    result_count: ResultCount | None = None
    unavailable_code: int | None = None
    warning: tuple[int, str] | None = None
    defined_in: str | None = None

    @property
    def yul_name(self) -> str:
        """The name in Yul and inline assembly."""
        return self.name.lower()


@dataclass(frozen=True)
class InstructionTable:
    """An immutable table. ``forks`` in order of activation; ``digest`` identifies what decides whether code
    means the same (names, opcodes, operands, results, forks, implementations; not gas, not texts):
    artifacts record it. ``constants`` are named numbers that rules share."""

    name: str
    description: str
    forks: tuple[str, ...]
    instructions: tuple[Instruction, ...]
    digest: str
    path: str | None = None
    constants: tuple[tuple[str, int], ...] = ()
    gas_rules: tuple[GasRule, ...] = ()

    @cached_property
    def _fork_positions(self) -> Mapping[str, int]:
        return {fork: index for index, fork in enumerate(self.forks)}

    def fork_index(self, fork: str) -> int:
        """Position of a fork; ``ValueError`` with the known names when there is none."""
        try:
            return self._fork_positions[fork]
        except KeyError:
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

    def constant(self, name: str) -> int:
        """A constant of the table; KeyError when it has none of that name."""
        return self._constants[name]

    @cached_property
    def _constants(self) -> Mapping[str, int]:
        return dict(self.constants)

    def gas(self, instruction: Instruction, fork: str) -> Gas:
        """The gas entry in force at ``fork``."""
        index = self.fork_index(fork)
        return [g for g in instruction.gas if self.fork_index(g.since) <= index][-1]


class TableKey:
    """A table as a key of caches: the same object, not merely the same digest, which leaves out gas. Hashing
    all rows for each look-up would take a millisecond."""

    __slots__ = ("table",)

    def __init__(self, table: InstructionTable) -> None:
        self.table = table

    def __hash__(self) -> int:
        return hash(self.table.digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TableKey) and self.table is other.table
