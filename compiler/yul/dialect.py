"""Yul's builtin functions, made from an instruction table: nothing about an instruction is written here.

Besides instructions there are the builtins of Yul objects (docs/yul.rst: datasize, dataoffset, datacopy,
setimmutable, loadimmutable, linkersymbol, memoryguard) and ``verbatim_<n>i_<m>o``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property, lru_cache
from typing import Any, Literal

from smartvm.compiler.yul import ast
from smartvm.instructions.forks import solc_name
from smartvm.instructions.model import Area, Effects, Instruction, InstructionTable, ResultCount, TableKey
from smartvm.records import dataclass

LiteralKind = Literal["string", "number"]

_VERBATIM = re.compile(r"verbatim_(0|[1-9][0-9]?)i_(0|[1-9][0-9]?)o")
_ALL_AREAS: frozenset[Area] = frozenset(
    (
        "memory",
        "memory_size",
        "storage",
        "transient",
        "blocks",
        "buffer",
        "returndata",
        "logs",
        "state",
        "gas",
    )
)
#: Before EIP-140 the opcode of REVERT is none, so that it ends the execution exceptionally and takes all gas: code
#: for those forks uses it all the same, as solc's does.
_IN_EVERY_FORK = frozenset({"revert"})
#: From this fork on solc leaves the names of new instructions to the user in older EVM versions.
_NAMES_FREE_SINCE = "london"


@dataclass(frozen=True, slots=True)
class BuiltinFunction:
    """A builtin. ``literal_arguments`` are the positions of arguments that must be literals,
    ``literal_kinds`` their kinds in the same order. ``returns`` are the results' names; a builtin with
    ``result_count`` returns as many values as a literal argument says, so ask ``return_count``.
    ``instruction`` is None for what is not one."""

    name: str
    parameters: tuple[str, ...]
    returns: tuple[str, ...]
    effects: Effects
    instruction: Instruction | None = None
    literal_arguments: tuple[int, ...] = ()
    literal_kinds: tuple[LiteralKind, ...] = ()
    result_count: ResultCount | None = None

    def return_count(self, call: ast.FunctionCall) -> int:
        """How many values a call returns; of a call that ``checker`` has accepted."""
        if self.result_count is None:
            return len(self.returns)
        argument = call.arguments[self.parameters.index(self.result_count.operand)]
        if not isinstance(argument, ast.Literal) or argument.value is None:
            return self.result_count.minimum
        return argument.value


def is_own_instruction(builtin: BuiltinFunction) -> bool:
    """Whether a builtin is an instruction that Ethereum does not have: a DNN instruction, or a user's."""
    return builtin.instruction is not None and builtin.instruction.implementation is not None


class _Builtins(dict[str, BuiltinFunction]):
    """Builtins by name; the 10,000 ``verbatim`` ones come into being when asked for."""

    def __init__(self, entries: Mapping[str, BuiltinFunction], *, verbatim: bool) -> None:
        super().__init__(entries)
        self.verbatim = verbatim

    def _make(self, name: object) -> BuiltinFunction | None:
        if not self.verbatim or not isinstance(name, str) or not name.startswith("verbatim_"):
            return None
        return _verbatim(name)

    def get(self, key: str, default: Any = None, /) -> Any:
        """As ``dict.get``."""
        if dict.__contains__(self, key):
            return dict.__getitem__(self, key)
        return self._make(key) or default

    def __missing__(self, key: str) -> BuiltinFunction:
        builtin = self._make(key)
        if builtin is None:
            raise KeyError(key)
        return builtin

    def __contains__(self, key: object) -> bool:
        return dict.__contains__(self, key) or self._make(key) is not None


@dataclass(frozen=True)
class Dialect:
    """The builtins that ``fork`` of ``table`` has. ``objects``: in Yul objects (standalone Yul and the
    compiler's own) there are builtins for data and immutables that inline assembly lacks."""

    table: InstructionTable
    fork: str
    objects: bool = True

    def __hash__(self) -> int:
        return hash((self.table.digest, self.fork, self.objects))

    @cached_property
    def builtins(self) -> Mapping[str, BuiltinFunction]:
        """All builtins by name."""
        entries = {
            i.yul_name: _from_instruction(i)
            for i in self.table.instructions
            if i.is_yul_builtin and self.table.has(i, self.fork)
        }
        for i in self.table.instructions:
            if i.yul_name in _IN_EVERY_FORK:
                entries.setdefault(i.yul_name, _from_instruction(i))
        if self.objects:
            entries.update(_object_builtins())
        return _Builtins(entries, verbatim=self.objects)

    def find(self, name: str) -> BuiltinFunction | None:
        """The builtin of that name, or None."""
        return self.builtins.get(name)

    @cached_property
    def _all_instructions(self) -> Mapping[str, Instruction]:
        return {i.yul_name: i for i in self.table.instructions}

    def is_reserved(self, name: str) -> bool:
        """Whether no variable or function may be called so, though it is no builtin here: instructions of
        other forks (not the newest ones), those that Yul has no builtin for, and the builtins of
        objects."""
        if name in _object_builtins():
            return name != "memoryguard"
        if name.startswith("verbatim") and self.objects:
            return True
        instruction = self._all_instructions.get(name)
        if instruction is None:
            return False
        if self.table.has(instruction, self.fork) or _NAMES_FREE_SINCE not in self.table.forks:
            return True
        return self.table.fork_index(instruction.since) < self.table.fork_index(_NAMES_FREE_SINCE)

    def unavailable(self, name: str) -> Instruction | None:
        """The instruction of that name when the table has it but the fork does not, or Yul has no builtin
        for it."""
        instruction = self._all_instructions.get(name)
        if instruction is None or (self.table.has(instruction, self.fork) and instruction.is_yul_builtin):
            return None
        return instruction

    @property
    def evm_version(self) -> str:
        """The fork in solc's spelling."""
        return solc_name(self.fork)


def dialect_for(table: InstructionTable, fork: str, objects: bool = True) -> Dialect:
    """The dialect; one object for the same table, fork and mode, so that its look-ups are made once."""
    return _dialect(TableKey(table), fork, objects)


@lru_cache(maxsize=32)
def _dialect(key: TableKey, fork: str, objects: bool) -> Dialect:
    return Dialect(key.table, fork, objects)


def _from_instruction(instruction: Instruction) -> BuiltinFunction:
    literals: tuple[int, ...] = ()
    if instruction.result_count is not None:
        literals = (instruction.operands.index(instruction.result_count.operand),)
    return BuiltinFunction(
        name=instruction.yul_name,
        parameters=instruction.operands,
        returns=instruction.results,
        effects=instruction.effects,
        instruction=instruction,
        literal_arguments=literals,
        literal_kinds=("number",) if literals else (),
        result_count=instruction.result_count,
    )


@lru_cache(maxsize=1)
def _object_builtins() -> Mapping[str, BuiltinFunction]:
    pure = Effects(pure=True)
    writes_memory = Effects(writes=frozenset(("memory",)))
    builtins = [
        BuiltinFunction("datasize", ("name",), ("size",), pure, None, (0,), ("string",)),
        BuiltinFunction("dataoffset", ("name",), ("offset",), pure, None, (0,), ("string",)),
        BuiltinFunction("datacopy", ("destination", "offset", "size"), (), writes_memory),
        BuiltinFunction(
            "setimmutable", ("offset", "name", "value"), (), writes_memory, None, (1,), ("string",)
        ),
        BuiltinFunction("loadimmutable", ("name",), ("value",), pure, None, (0,), ("string",)),
        BuiltinFunction("linkersymbol", ("library",), ("address",), pure, None, (0,), ("string",)),
        BuiltinFunction("memoryguard", ("size",), ("free",), pure, None, (0,), ("number",)),
    ]
    return {builtin.name: builtin for builtin in builtins}


@lru_cache(maxsize=256)
def _verbatim(name: str) -> BuiltinFunction | None:
    match = _VERBATIM.fullmatch(name)
    if match is None:
        return None
    parameters = ("code", *(f"input{i}" for i in range(int(match[1]))))
    returns = tuple(f"output{i}" for i in range(int(match[2])))
    everything = Effects(reads=_ALL_AREAS, writes=_ALL_AREAS)
    return BuiltinFunction(name, parameters, returns, everything, None, (0,), ("string",))
