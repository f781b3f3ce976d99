"""Bytes -> instructions, from the first byte to the last, by a table and a fork."""

from __future__ import annotations

from dataclasses import dataclass

from smartvm.errors import SmartVMError
from smartvm.instructions.model import Instruction, InstructionTable


class BytecodeError(SmartVMError):
    """The text is no bytecode."""


@dataclass(frozen=True, slots=True)
class DisassembledInstruction:
    """An instruction at byte ``offset``. ``instruction`` is None for a byte that is none in this table and
    fork. ``immediate`` holds the bytes after the opcode; ``is_truncated`` when the code ends within them
    (the EVM reads zeros there)."""

    offset: int
    opcode: int
    instruction: Instruction | None
    immediate: bytes
    is_truncated: bool = False

    @property
    def mnemonic(self) -> str:
        """The table's name, or what the byte is."""
        return self.instruction.name if self.instruction else f"UNDEFINED_{self.opcode:02X}"

    @property
    def size(self) -> int:
        """Bytes, as far as the code has them."""
        return 1 + len(self.immediate)

    @property
    def value(self) -> int | None:
        """The number that a PUSH pushes, None for other instructions."""
        if self.instruction is None or self.instruction.family != "push":
            return None
        missing = self.instruction.immediate_bytes - len(self.immediate)
        return int.from_bytes(self.immediate, "big") << (8 * missing)


@dataclass(frozen=True)
class Disassembly:
    """All instructions of ``code``, and ``metadata``: the CBOR data that solc and smartvm append, empty
    when there is none. The instructions end where the metadata starts."""

    table: InstructionTable
    fork: str
    code: bytes
    instructions: tuple[DisassembledInstruction, ...]
    metadata: bytes = b""


def bytes_from_hex(text: str) -> bytes:
    """Bytecode from hexadecimal digits, with or without ``0x``; raises ``BytecodeError`` that says what is
    wrong.

    Placeholders of libraries that are not linked (``__$...$__``) are refused by name.
    """
    digits = "".join(text.split())
    digits = digits[2:] if digits[:2] in ("0x", "0X") else digits
    if "__" in digits:
        at = digits.index("__")
        raise BytecodeError(
            f"the bytecode is not linked: a library's placeholder stands at byte {at // 2}",
            hint=f"replace `{digits[at : at + 40]}` by the library's address",
        )
    for position, character in enumerate(digits):
        if character not in "0123456789abcdefABCDEF":
            raise BytecodeError(f"`{character}` (digit {position}) is no hexadecimal digit")
    if len(digits) % 2:
        raise BytecodeError(f"{len(digits)} hexadecimal digits: the last byte is cut in half")
    return bytes.fromhex(digits)


def split_metadata(code: bytes) -> tuple[bytes, bytes]:
    """Code and the CBOR metadata after it: a map whose length in bytes stands in the last two
    (docs/metadata.rst)."""
    if len(code) < 4:
        return code, b""
    length = int.from_bytes(code[-2:], "big") + 2
    if not 4 <= length <= len(code):
        return code, b""
    start = len(code) - length
    # A CBOR map of one to four entries whose first key is a short text: solc, ipfs, bzzr0, bzzr1,
    # experimental.
    if 0xA1 <= code[start] <= 0xA4 and code[start + 1] in (0x64, 0x65, 0x6C):
        return code[:start], code[start:]
    return code, b""


def disassemble(code: bytes, table: InstructionTable, fork: str) -> Disassembly:
    """The instructions of ``code`` in ``fork``; every byte is accounted for."""
    by_opcode = table.for_fork(fork)
    body, metadata = split_metadata(code)
    instructions = []
    offset = 0
    while offset < len(body):
        opcode = body[offset]
        instruction = by_opcode.get(opcode)
        wanted = instruction.immediate_bytes if instruction else 0
        immediate = body[offset + 1 : offset + 1 + wanted]
        instructions.append(
            DisassembledInstruction(offset, opcode, instruction, immediate, len(immediate) < wanted)
        )
        offset += 1 + len(immediate)
    return Disassembly(table, fork, code, tuple(instructions), metadata)
