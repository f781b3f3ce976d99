"""What a table means at a fork, in the arrays that compiled code reads."""

from __future__ import annotations

from functools import cached_property, lru_cache

import numpy as np
from smartvm.instructions.model import Gas, Instruction, InstructionTable, TableKey
from smartvm.vm.dnn.weights.lookahead import Lookahead
from smartvm.vm.forks import Fork
from smartvm.vm.native.layout import DESCRIPTOR, PARAMETERS, TRANSITION_WIDTH, PseudoOpcode, Shape
from smartvm.vm.native.library import interpreter

#: The names of families whose rows are shaped alike.
_PSEUDO_NAMES = {pseudo.name: int(pseudo) for pseudo in PseudoOpcode}

#: Instructions that see or change the gas left, so that nothing behind them may be charged before.
_EXACT_GAS = {"GAS", "SSTORE"}

#: Instructions that compiled code executes where it knows the account, and Python else.
_ACCOUNT_READS = {"BALANCE", "SELFBALANCE", "EXTCODESIZE", "EXTCODEHASH"}

_SHAPES_BY_NAME = {
    "JUMPDEST": Shape.JUMP_TARGET,
    "JUMP": Shape.JUMP,
    "JUMPI": Shape.CONDITIONAL_JUMP,
    "PC": Shape.PROGRAM_COUNTER,
}


class ExecutionPlan:
    """A table at a fork: per opcode the instruction, its gas and its shape."""

    def __init__(self, table: InstructionTable, fork: Fork) -> None:
        self.table = table
        self.fork = fork
        self.instructions = dict(table.for_fork(fork.label))
        self.opcodes = {i.name: opcode for opcode, i in self.instructions.items()}
        self.gas_rules: dict[int, Gas] = {
            opcode: table.gas(i, fork.label) for opcode, i in self.instructions.items()
        }
        self.constants = dict(table.constants)
        self._sequences = interpreter().sequences
        self._bodies = {sequence[0] for sequence in self._sequences if len(sequence) == 1}
        self._symbols = self._body_symbols()
        self.descriptors = self._make_descriptors()
        self.transitions = self._make_transitions()
        self.parameters = [self._parameter(name, constant) for name, constant in PARAMETERS]

    @cached_property
    def lookahead(self) -> Lookahead:
        """Looks ahead in code for DNN instructions."""
        return Lookahead(self.instructions)

    def rule(self, name: str) -> Gas:
        """The gas rule of an instruction of this fork."""
        return self.gas_rules[self.opcodes[name]]

    def name(self, opcode: int) -> str:
        """The mnemonic, or how an undefined opcode is called."""
        instruction = self.instructions.get(opcode)
        return instruction.name if instruction else f"opcode 0x{opcode:02x}"

    def _parameter(self, name: str | None, constant: str) -> int:
        if name is None:
            return self.constants[constant]
        if name not in self.opcodes:
            return 0
        return dict(self.rule(name).constants).get(constant, 0)

    def body(self, instruction: Instruction) -> str:
        """The name of the body that executes it; ``HOST`` for Python's, ``DNN`` for Python's where no handler
        executes it."""
        if instruction.implementation is not None:
            return "DNN" if instruction.implementation.kind == "native" else "HOST"
        if instruction.name == "SSTORE":
            net = self.gas_rules[instruction.opcode].dynamic == "storage_write_net"
            return "SSTORE_NET" if net else "SSTORE_GROSS"
        return instruction.name if instruction.name in self._bodies else "HOST"

    def shape(self, instruction: Instruction) -> Shape:
        """What the analysis does with the instruction."""
        if instruction.name.startswith("PUSH") and instruction.family == "push":
            return Shape.PUSH
        if instruction.name in _SHAPES_BY_NAME:
            return _SHAPES_BY_NAME[instruction.name]
        terminates = instruction.effects.terminates
        if self.body(instruction) in ("HOST", "DNN"):
            return Shape.HOST_TERMINATOR if terminates else Shape.HOST
        if instruction.name in _ACCOUNT_READS:
            return Shape.MAYBE_HOST
        if terminates:
            return Shape.TERMINATOR
        return Shape.BLOCK_END if instruction.name in _EXACT_GAS else Shape.PLAIN

    def _make_descriptors(self) -> np.ndarray:
        rows = np.zeros((257, DESCRIPTOR.size), np.uint64)
        rows[:, DESCRIPTOR["shape"]] = Shape.UNDEFINED
        for opcode, instruction in self.instructions.items():
            row = rows[opcode]
            row[DESCRIPTOR["shape"]] = self.shape(instruction)
            row[DESCRIPTOR["gas"]] = self.gas_rules[opcode].base
            row[DESCRIPTOR["operands"]] = len(instruction.operands)
            # a number of results that an operand says is checked by the instruction
            row[DESCRIPTOR["results"]] = len(instruction.results)
            row[DESCRIPTOR["immediate"]] = instruction.immediate_bytes
        return rows

    def _body_symbols(self) -> dict[str, list[int]]:
        """Body to the symbols (opcodes and pseudo-opcodes) that stand for it."""
        symbols: dict[str, list[int]] = {name: [number] for name, number in _PSEUDO_NAMES.items()}
        for opcode, instruction in self.instructions.items():
            symbols.setdefault(self.body(instruction), []).append(opcode)
        undefined = [opcode for opcode in range(256) if opcode not in self.instructions]
        symbols.setdefault("INVALID", []).extend(undefined)
        return symbols

    def _make_transitions(self) -> np.ndarray:
        numbers = {sequence: number for number, sequence in enumerate(self._sequences)}
        table = np.zeros((len(self._sequences), TRANSITION_WIDTH), np.uint16)
        for sequence, number in numbers.items():
            if sequence:
                for symbol in self._symbols.get(sequence[-1], ()):
                    table[numbers[sequence[:-1]], symbol] = number
        return table


@lru_cache(maxsize=64)
def _plan(key: TableKey, fork: Fork) -> ExecutionPlan:
    return ExecutionPlan(key.table, fork)


def execution_plan(table: InstructionTable, fork: Fork) -> ExecutionPlan:
    """The plan, made once for each table and fork."""
    return _plan(TableKey(table), fork)
