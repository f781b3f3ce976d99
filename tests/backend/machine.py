"""What the back end's tests run code on: a small EVM for bytecode and an evaluator of Yul trees.

Both use the same instructions (written here, apart from the compiler's), on words of Python integers, and
know one account without calls. They share no code with the compiler but the syntax tree.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from Crypto.Hash import keccak
from smartvm.compiler.yul import ast as yul

WORD = 1 << 256
MAX_STEPS = 400_000


class Halt(Exception):
    """Execution has ended; the state says how."""


class OutOfSteps(Exception):
    """The program runs too long for a test."""


@dataclass
class State:
    """All that a program can touch or show."""

    calldata: bytes = b""
    memory: bytearray = field(default_factory=bytearray)
    storage: dict[int, int] = field(default_factory=dict)
    transient: dict[int, int] = field(default_factory=dict)
    logs: list[tuple[tuple[int, ...], bytes]] = field(default_factory=list)
    status: str = ""
    output: bytes = b""
    code: bytes = b""
    steps: int = 0
    gas: int = 0

    def step(self) -> None:
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise OutOfSteps

    def read(self, offset: int, size: int) -> bytes:
        if size == 0:
            return b""
        if offset + size > 1 << 20:
            self.halt("invalid")
        end = (offset + size + 31) // 32 * 32
        if end > len(self.memory):
            self.memory.extend(bytes(end - len(self.memory)))
        return bytes(self.memory[offset : offset + size])

    def write(self, offset: int, data: bytes) -> None:
        self.read(offset, len(data))
        self.memory[offset : offset + len(data)] = data

    def halt(self, status: str, output: bytes = b"") -> None:
        self.status = status
        self.output = output
        raise Halt

    def observed(self) -> tuple[object, ...]:
        """What counts: how it ended, and the changes unless it reverted."""
        if self.status in ("revert", "invalid"):
            return self.status, self.output
        storage = {k: v for k, v in self.storage.items() if v}
        return self.status, self.output, storage, tuple(self.logs)


def _signed(x: int) -> int:
    return x - WORD if x >> 255 else x


def _sdiv(a: int, b: int) -> int:
    x, y = _signed(a), _signed(b)
    if y == 0:
        return 0
    magnitude = abs(x) // abs(y)
    return -magnitude if (x < 0) != (y < 0) else magnitude


def _smod(a: int, b: int) -> int:
    x, y = _signed(a), _signed(b)
    if y == 0:
        return 0
    magnitude = abs(x) % abs(y)
    return -magnitude if x < 0 else magnitude


def _signextend(k: int, x: int) -> int:
    if k > 30:
        return x
    bits = 8 * k + 7
    return x | (WORD - (1 << bits)) if x >> bits & 1 else x & ((1 << bits) - 1)


def _copy(state: State, source: bytes, target: int, offset: int, size: int) -> None:
    if size > 1 << 20:
        state.halt("invalid")
    state.write(target, source[offset : offset + size].ljust(size, b"\0") if size else b"")


def _keccak(data: bytes) -> int:
    return int.from_bytes(keccak.new(digest_bits=256, data=data).digest(), "big")


OPERATIONS: dict[str, Callable[..., int | None]] = {
    "ADD": lambda s, a, b: a + b,
    "MUL": lambda s, a, b: a * b,
    "SUB": lambda s, a, b: a - b,
    "DIV": lambda s, a, b: a // b if b else 0,
    "SDIV": lambda s, a, b: _sdiv(a, b),
    "MOD": lambda s, a, b: a % b if b else 0,
    "SMOD": lambda s, a, b: _smod(a, b),
    "ADDMOD": lambda s, a, b, n: (a + b) % n if n else 0,
    "MULMOD": lambda s, a, b, n: (a * b) % n if n else 0,
    "EXP": lambda s, a, b: pow(a, b, WORD),
    "SIGNEXTEND": lambda s, k, x: _signextend(k, x),
    "LT": lambda s, a, b: int(a < b),
    "GT": lambda s, a, b: int(a > b),
    "SLT": lambda s, a, b: int(_signed(a) < _signed(b)),
    "SGT": lambda s, a, b: int(_signed(a) > _signed(b)),
    "EQ": lambda s, a, b: int(a == b),
    "ISZERO": lambda s, a: int(not a),
    "AND": lambda s, a, b: a & b,
    "OR": lambda s, a, b: a | b,
    "XOR": lambda s, a, b: a ^ b,
    "NOT": lambda s, a: ~a,
    "BYTE": lambda s, i, x: x.to_bytes(32, "big")[i] if i < 32 else 0,
    "SHL": lambda s, n, x: x << n if n < 256 else 0,
    "SHR": lambda s, n, x: x >> n if n < 256 else 0,
    "SAR": lambda s, n, x: _signed(x) >> min(n, 256),
    "KECCAK256": lambda s, p, n: _keccak(s.read(p, n)),
    "ADDRESS": lambda s: 0xADD7E55,
    "CALLER": lambda s: 0xCA11E7,
    "CALLVALUE": lambda s: 0,
    "CALLDATALOAD": lambda s, p: int.from_bytes(s.calldata[p : p + 32].ljust(32, b"\0"), "big"),
    "CALLDATASIZE": lambda s: len(s.calldata),
    "CALLDATACOPY": lambda s, t, p, n: _copy(s, s.calldata, t, p, n),
    "CODESIZE": lambda s: len(s.code),
    "CODECOPY": lambda s, t, p, n: _copy(s, s.code, t, p, n),
    "MLOAD": lambda s, p: int.from_bytes(s.read(p, 32), "big"),
    "MSTORE": lambda s, p, v: s.write(p, v.to_bytes(32, "big")),
    "MSTORE8": lambda s, p, v: s.write(p, bytes([v & 255])),
    "MCOPY": lambda s, t, p, n: s.write(t, s.read(p, n)),
    "SLOAD": lambda s, k: s.storage.get(k, 0),
    "SSTORE": lambda s, k, v: s.storage.__setitem__(k, v),
    "TLOAD": lambda s, k: s.transient.get(k, 0),
    "TSTORE": lambda s, k, v: s.transient.__setitem__(k, v),
    "POP": lambda s, x: None,
    "LOG0": lambda s, p, n: s.logs.append(((), s.read(p, n))),
    "LOG1": lambda s, p, n, a: s.logs.append(((a,), s.read(p, n))),
    "LOG2": lambda s, p, n, a, b: s.logs.append(((a, b), s.read(p, n))),
    "RETURN": lambda s, p, n: s.halt("return", s.read(p, n)),
    "REVERT": lambda s, p, n: s.halt("revert", s.read(p, n)),
    "STOP": lambda s: s.halt("stop"),
    "INVALID": lambda s: s.halt("invalid"),
    "GAS": lambda s: 1 << 40,
}

#: Opcodes (Yellow Paper, appendix H.2; EIP-145, 1153, 3855, 5656).
OPCODES = {
    0x00: "STOP", 0x01: "ADD", 0x02: "MUL", 0x03: "SUB", 0x04: "DIV", 0x05: "SDIV", 0x06: "MOD", 0x07: "SMOD",
    0x08: "ADDMOD", 0x09: "MULMOD", 0x0A: "EXP", 0x0B: "SIGNEXTEND", 0x10: "LT", 0x11: "GT", 0x12: "SLT",
    0x13: "SGT", 0x14: "EQ", 0x15: "ISZERO", 0x16: "AND", 0x17: "OR", 0x18: "XOR", 0x19: "NOT", 0x1A: "BYTE",
    0x1B: "SHL", 0x1C: "SHR", 0x1D: "SAR", 0x20: "KECCAK256", 0x30: "ADDRESS", 0x33: "CALLER",
    0x34: "CALLVALUE",
    0x35: "CALLDATALOAD", 0x36: "CALLDATASIZE", 0x37: "CALLDATACOPY", 0x38: "CODESIZE", 0x39: "CODECOPY",
    0x50: "POP", 0x51: "MLOAD", 0x52: "MSTORE", 0x53: "MSTORE8", 0x54: "SLOAD", 0x55: "SSTORE", 0x5A: "GAS",
    0x5C: "TLOAD", 0x5D: "TSTORE", 0x5E: "MCOPY", 0xA0: "LOG0", 0xA1: "LOG1", 0xA2: "LOG2", 0xF3: "RETURN",
    0xFD: "REVERT", 0xFE: "INVALID",
}  # fmt: skip


def _arity(name: str) -> int:
    return OPERATIONS[name].__code__.co_argcount - 1


def execute(code: bytes, calldata: bytes = b"") -> State:
    """Run bytecode to its end."""
    state = State(calldata=calldata, code=code)
    stack: list[int] = []
    targets = _jump_targets(code)
    position = 0
    try:
        while True:
            state.step()
            opcode = code[position] if position < len(code) else 0
            position += 1
            if 0x5F <= opcode <= 0x7F:
                size = opcode - 0x5F
                stack.append(int.from_bytes(code[position : position + size].ljust(size, b"\0"), "big"))
                position += size
            elif 0x80 <= opcode <= 0x8F:
                stack.append(stack[-(opcode - 0x7F)])
            elif 0x90 <= opcode <= 0x9F:
                depth = opcode - 0x8E
                stack[-1], stack[-depth] = stack[-depth], stack[-1]
            elif opcode in (0x56, 0x57):
                target = stack.pop()
                if opcode == 0x56 or stack.pop():
                    assert target in targets, f"jump to {target:#x}"
                    position = target
            elif opcode != 0x5B:
                name = OPCODES[opcode]
                result = OPERATIONS[name](state, *(stack.pop() for _ in range(_arity(name))))
                if result is not None and name not in ("MSTORE", "LOG0", "LOG1", "LOG2"):
                    stack.append(result % WORD)
            assert len(stack) <= 1024
    except Halt:
        return state


def _jump_targets(code: bytes) -> set[int]:
    targets: set[int] = set()
    position = 0
    while position < len(code):
        opcode = code[position]
        if opcode == 0x5B:
            targets.add(position)
        position += 1 + max(opcode - 0x5F, 0) * (0x60 <= opcode <= 0x7F)
    return targets


class _Break(Exception):
    pass


class _Continue(Exception):
    pass


class _Leave(Exception):
    pass


class Evaluator:
    """Runs a Yul tree as the specification tells, with a dictionary for variables."""

    def __init__(self, state: State) -> None:
        self.state = state

    def run(self, object_: yul.Object) -> State:
        """Run the object's code to its end."""
        try:
            self.block(object_.code, {}, {})
            self.state.halt("stop")
        except Halt:
            pass
        return self.state

    def block(self, block: yul.Block, variables: dict[str, int], functions: dict[str, object]) -> None:
        functions = dict(functions)
        outside = set(variables)
        self.statements(block.statements, variables, functions)
        for name in list(variables):
            if name not in outside:
                del variables[name]

    def statements(
        self, statements: tuple[yul.Statement, ...], variables: dict[str, int], functions: dict[str, object]
    ) -> None:
        for statement in statements:
            if isinstance(statement, yul.FunctionDefinition):
                functions[statement.name] = (statement, functions)
        for statement in statements:
            self.statement(statement, variables, functions)

    def statement(self, s: yul.Statement, variables: dict[str, int], functions: dict[str, object]) -> None:
        self.state.step()
        if isinstance(s, yul.ExpressionStatement):
            self.values(s.expression, variables, functions)
        elif isinstance(s, yul.VariableDeclaration):
            values = [0] * len(s.names) if s.value is None else self.values(s.value, variables, functions)
            variables.update(zip(s.names, values, strict=True))
        elif isinstance(s, yul.Assignment):
            variables.update(zip(s.names, self.values(s.value, variables, functions), strict=True))
        elif isinstance(s, yul.Block):
            self.block(s, variables, functions)
        elif isinstance(s, yul.If):
            if self.value(s.condition, variables, functions):
                self.block(s.body, variables, functions)
        elif isinstance(s, yul.Switch):
            value = self.value(s.expression, variables, functions)
            for case in s.cases:
                if case.value is None or case.value.value == value:
                    self.block(case.body, variables, functions)
                    break
        elif isinstance(s, yul.ForLoop):
            self.loop(s, variables, functions)
        elif isinstance(s, yul.Break):
            raise _Break
        elif isinstance(s, yul.Continue):
            raise _Continue
        elif isinstance(s, yul.Leave):
            raise _Leave

    def loop(self, s: yul.ForLoop, variables: dict[str, int], functions: dict[str, object]) -> None:
        outside = set(variables)
        functions = dict(functions)
        self.statements(s.pre.statements, variables, functions)
        inside = set(variables)
        try:
            while self.value(s.condition, variables, functions):
                try:
                    self.block(s.body, variables, functions)
                except _Continue:
                    for name in set(variables) - inside:
                        del variables[name]
                self.block(s.post, variables, functions)
        except _Break:
            pass
        for name in set(variables) - outside:
            del variables[name]

    def value(self, e: yul.Expression, variables: dict[str, int], functions: dict[str, object]) -> int:
        return self.values(e, variables, functions)[0]

    def values(self, e: yul.Expression, variables: dict[str, int], functions: dict[str, object]) -> list[int]:
        self.state.step()
        if isinstance(e, yul.Literal):
            assert e.value is not None
            return [e.value]
        if isinstance(e, yul.Identifier):
            return [variables[e.name]]
        if e.name == "memoryguard":
            return self.values(e.arguments[0], variables, functions)
        arguments = [self.value(a, variables, functions) for a in reversed(e.arguments)][::-1]
        found = functions.get(e.name)
        if found is None:
            result = OPERATIONS[e.name.upper()](self.state, *arguments)
            return [] if result is None else [result % WORD]
        definition, scope = found  # type: ignore[misc]
        local = dict(zip(definition.parameters, arguments, strict=True)) | dict.fromkeys(
            definition.returns, 0
        )
        with suppress(_Leave):
            self.block(definition.body, local, scope)
        return [local[name] for name in definition.returns]


def evaluate(object_: yul.Object, calldata: bytes = b"") -> State:
    """Run a Yul object's code by its tree."""
    return Evaluator(State(calldata=calldata)).run(object_)
