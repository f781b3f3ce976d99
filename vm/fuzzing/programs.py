"""Random programs: mostly valid, so that they reach far, over whatever instructions a table has at a fork.

Operands are drawn by the names that the table gives them: an ``offset`` is mostly small, an ``address`` is
mostly somebody's, a ``shift`` is mostly below 256.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from smartvm.instructions.model import Instruction, InstructionTable
from smartvm.vm.forks import Fork

_WORD = 1 << 256
_CORNERS = sorted(
    {
        value % _WORD
        for bits in (0, 1, 7, 8, 15, 16, 31, 32, 63, 64, 127, 128, 160, 255, 256)
        for value in ((1 << bits) - 1, 1 << bits, (1 << bits) + 1, -(1 << bits))
    }
)
_MOST_STACK = 1000
_DEEPEST = 3


class Vocabulary:
    """The instructions that programs are made of, and the addresses that they name."""

    def __init__(self, table: InstructionTable, fork: Fork, addresses: Sequence[bytes]) -> None:
        rows = table.for_fork(fork.label).values()
        self.by_name = {row.name: row for row in rows}
        self.addresses = [int.from_bytes(address, "big") for address in addresses]
        self.computing = [
            row for row in rows if row.results and row.family in ("arithmetic", "comparison", "bitwise")
        ]
        special = {
            "JUMP",
            "JUMPI",
            "CREATE",
            "CREATE2",
            "SELFDESTRUCT",
            "RETURN",
            "REVERT",
            "STOP",
            "INVALID",
        }
        self.ordinary = [
            row
            for row in rows
            if row.family not in ("push", "dup", "swap", "call") and row.name not in special
        ]
        self.calls = [row for row in rows if row.family == "call" and "output_size" in row.operands]
        self.creations = [self.by_name[name] for name in ("CREATE", "CREATE2") if name in self.by_name]
        self.pushes_zero = "PUSH0" in self.by_name


class ProgramWriter:
    """Writes one program, keeping count of the stack."""

    def __init__(self, draw: Random, vocabulary: Vocabulary, nesting: int = 0) -> None:
        self.draw = draw
        self.vocabulary = vocabulary
        self.nesting = nesting
        self.code = bytearray()
        self.stack = 0
        self.labels: list[int] = []

    # ------------------------------------------------------------ values

    def word(self) -> int:
        """Any word, corners often."""
        draw = self.draw
        kind = draw.random()
        if kind < 0.5:
            return draw.choice(_CORNERS)
        if kind < 0.7:
            return draw.randrange(512)
        return draw.getrandbits(draw.randrange(1, 257)) * draw.choice((1, 1, -1)) % _WORD

    def _offset(self) -> int:
        kind = self.draw.random()
        if kind < 0.85:
            return self.draw.randrange(256)
        if kind < 0.985:
            return self.draw.choice((0, 31, 32, 33, 480, 1023, 2048, 5000))
        return self.draw.choice((1 << 16, 1 << 22, 1 << 32, (1 << 64) - 1, 1 << 64, _WORD - 1))

    def _size(self) -> int:
        if self.draw.random() < 0.99:
            return self.draw.choice((0, 0, 1, 20, 31, 32, 32, 33, 64, 96, 192, self.draw.randrange(400)))
        return self.draw.choice((1 << 14, 1 << 24, 1 << 64, _WORD - 1))

    def _address(self) -> int:
        kind = self.draw.random()
        if kind < 0.75:
            return self.draw.choice(self.vocabulary.addresses)
        if kind < 0.93:
            return self.draw.randrange(1, 19)
        return self.word()

    def _gas(self) -> int:
        return self.draw.choice((0, 700, 2_300, 9_000, 30_000, 100_000, _WORD - 1))

    def operand(self, row: Instruction, name: str) -> int:
        """A value for an operand of an instruction."""
        if name.endswith("offset") or name == "destination":
            return self._offset()
        if name.endswith("size"):
            return self._size()
        if name in ("address", "beneficiary"):
            return self._address()
        if name == "gas":
            return self._gas()
        if name == "key":
            return self.draw.choice((0, 1, 2, 3, self.draw.randrange(8), _WORD - 1))
        if name == "value" and row.family == "call":
            return self.draw.choice((0, 0, 0, 1, 2, 1_000, self.word()))
        if name == "value" and row.family == "storage":
            return self.draw.choice((0, 0, 1, self.word()))
        if name in ("shift", "index", "byte_index", "number"):
            return self.draw.choice((self.draw.randrange(35), self.draw.randrange(300), self.word()))
        if name == "exponent":
            return self.draw.choice((self.draw.randrange(4), self.draw.randrange(300), self.word()))
        return self.word()

    # ------------------------------------------------------------ emitting

    def push(self, value: int, width: int = 0) -> None:
        """PUSH of the least width, or of ``width`` bytes."""
        width = width or max((value.bit_length() + 7) // 8, 0 if self.vocabulary.pushes_zero else 1)
        if width < 32 and self.draw.random() < 0.02:
            width += 1
        self.code.append(0x5F + width)
        self.code += value.to_bytes(width, "big")
        self.stack += 1

    def emit(self, row: Instruction) -> None:
        """The instruction's opcode; its operands are there."""
        self.code.append(row.opcode)
        self.stack += len(row.results) - len(row.operands)

    def apply(self, row: Instruction) -> None:
        """The instruction with operands, some of which may be what lies on the stack."""
        kept = self.draw.randrange(len(row.operands) + 1) if self.draw.random() < 0.4 else 0
        kept = min(kept, self.stack)
        for name in reversed(row.operands[: len(row.operands) - kept]):
            self.push(self.operand(row, name))
        self.emit(row)

    def _named(self, name: str) -> None:
        row = self.vocabulary.by_name.get(name)
        if row is not None:
            self.apply(row)

    def _label(self) -> None:
        self.labels.append(len(self.code))
        self.code.append(0x5B)

    def _fill_stack_to(self, height: int) -> None:
        while self.stack > height:
            self.code.append(0x50)
            self.stack -= 1
        while self.stack < height:
            self.push(self.draw.randrange(3))

    # ------------------------------------------------------------ statements

    def _compute(self) -> None:
        for _ in range(self.draw.randrange(1, 8)):
            self.apply(self.draw.choice(self.vocabulary.computing))
        if self.draw.random() < 0.6:
            self.push(32 * self.draw.randrange(40))
            self.emit(self.vocabulary.by_name["MSTORE"])

    def _ordinary(self) -> None:
        self.apply(self.draw.choice(self.vocabulary.ordinary))

    def _shuffle(self) -> None:
        if self.stack < 2:
            self.push(self.word())
            return
        if self.draw.random() < 0.5:
            self.code.append(0x7F + self.draw.randrange(1, min(16, self.stack) + 1))
            self.stack += 1
        else:
            self.code.append(0x8F + self.draw.randrange(1, min(16, self.stack - 1) + 1))

    def _storage(self) -> None:
        self._named(self.draw.choice(("SSTORE", "SSTORE", "SLOAD", "TSTORE", "TLOAD")))

    def _branch(self) -> None:
        """A conditional jump over some statements, the stack level at both ends."""
        conditional = self.draw.random() < 0.85
        if conditional:
            self.push(self.draw.choice((0, 1, self.word())))
        at = len(self.code)
        self.code += b"\x61\0\0" + (b"\x57" if conditional else b"\x56")
        self.stack -= conditional
        height = self.stack
        self._nested(self.draw.randrange(1, 4))
        self._fill_stack_to(height)
        self.code[at + 1 : at + 3] = len(self.code).to_bytes(2, "big")
        self._label()

    def _loop(self) -> None:
        """A few rounds of some statements, counted on the stack."""
        self.push(self.draw.randrange(1, 6))
        start = len(self.code)
        self._label()
        height = self.stack
        self._nested(self.draw.randrange(1, 4))
        self._fill_stack_to(height)
        self.code += b"\x60\x01\x90\x03\x80\x61" + start.to_bytes(2, "big") + b"\x57"

    def _wild_jump(self) -> None:
        """To any jump destination so far, or to nowhere; the stack may then be anything."""
        target = (
            self.draw.choice(self.labels)
            if self.labels and self.draw.random() < 0.9
            else self.word() & 0xFFFF
        )
        self.push(self.draw.choice((0, 1)))
        self.push(target, 2)
        self.emit(self.vocabulary.by_name["JUMPI"])

    def _call(self) -> None:
        row = self.draw.choice(self.vocabulary.calls)
        gas = self.vocabulary.by_name["GAS"]
        for name in reversed(row.operands):
            if name == "gas" and self.draw.random() < 0.5:
                self.emit(gas)
            else:
                self.push(self.operand(row, name))
        self.emit(row)
        if self.draw.random() < 0.3:
            self._named("RETURNDATASIZE")
        if self.draw.random() < 0.2:
            self._named("RETURNDATACOPY")

    def _create(self) -> None:
        """Init code, written to memory, that runs a little and returns a little program; then perhaps a call
        of it."""
        if self.nesting >= 2:
            self._ordinary()
            return
        runtime = ProgramWriter(self.draw, self.vocabulary, self.nesting + 1).program(4)[:128]
        prelude = ProgramWriter(self.draw, self.vocabulary, self.nesting + 1)
        prelude.statements(self.draw.randrange(3))
        init = bytes(prelude.code)
        size = b"\x61" + len(runtime).to_bytes(2, "big")
        init += (
            size
            + b"\x61"
            + (len(init) + 15).to_bytes(2, "big")
            + b"\x60\0\x39"
            + size
            + b"\x60\0\xf3"
            + runtime
        )
        for offset in range(0, len(init), 32):
            self.push(int.from_bytes(init[offset : offset + 32].ljust(32, b"\0"), "big"), 32)
            self.push(offset)
            self.emit(self.vocabulary.by_name["MSTORE"])
        row = self.draw.choice(self.vocabulary.creations)
        if "salt" in row.operands:
            self.push(self.draw.randrange(2))
        self.push(len(init))
        self.push(0)
        self.push(self.draw.choice((0, 0, 1)))
        self.emit(row)
        if self.draw.random() < 0.5:
            for _ in range(5):
                self.push(0)
            self.code += b"\x85\x5a\xf1"  # DUP6 (the address), GAS, CALL
            self.stack -= 4

    def _end(self) -> None:
        if self.draw.random() < 0.3:
            self._named("SELFDESTRUCT")
        elif self.draw.random() < 0.5:
            self._named(self.draw.choice(("RETURN", "REVERT", "STOP")))
        else:
            self.code.append(self.draw.randrange(256))

    def statements(self, count: int) -> None:
        """``count`` statements, some of which hold others."""
        kinds: Sequence[tuple[float, Callable[[], None]]] = (
            (0.30, self._compute),
            (0.24, self._ordinary),
            (0.10, self._shuffle),
            (0.12, self._storage),
            (0.07, self._branch),
            (0.04, self._loop),
            (0.02, self._wild_jump),
            (0.085, self._call),
            (0.02, self._create),
            (0.005, self._end),
        )
        weights = [weight for weight, _ in kinds]
        for _ in range(count):
            if self.stack > _MOST_STACK:
                self._fill_stack_to(16)
            self.draw.choices([kind for _, kind in kinds], weights)[0]()

    def _nested(self, count: int) -> None:
        if self.nesting < _DEEPEST:
            self.nesting += 1
            self.statements(count)
            self.nesting -= 1

    def program(self, count: int) -> bytes:
        """A whole program, which at its end shows what it computed: in storage, and mostly as its output."""
        self.statements(count)
        for place in range(min(self.stack, 12)):
            self.push(1280 + 32 * place)
            self.emit(self.vocabulary.by_name["MSTORE"])
        self.push(1280 + 32 * 12)
        self.push(0)
        self.emit(self.vocabulary.by_name["KECCAK256"])
        self.push(77)
        self.emit(self.vocabulary.by_name["SSTORE"])
        if self.draw.random() < 0.6:
            self._named(self.draw.choice(("RETURN", "RETURN", "RETURN", "REVERT")))
        return bytes(self.code)
