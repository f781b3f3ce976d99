"""Which sequences of instructions the interpreter executes as one cell.

A cell's handler is made by emitting the bodies of its sequence one after another on one virtual stack. The
analysis extends a cell as long as the longer sequence is here too, so every prefix of a sequence is here
(single instructions are cells by themselves). At most one instruction of a sequence touches memory, so that a
cell whose memory must grow can be executed again from its start.
"""

from __future__ import annotations

#: Short names for cells that are no opcode.
_NAMES = {
    "PUSH": "PUSH_SMALL",
    "BEGIN": "BEGIN_BLOCK",
    "JUMPI_TO": "CONDITIONAL_JUMP_TO",
}

#: What follows a pushed constant or a copied word in any compiled code.
_BINARY = (
    "ADD",
    "SUB",
    "MUL",
    "LT",
    "GT",
    "SLT",
    "SGT",
    "EQ",
    "AND",
    "OR",
    "XOR",
    "SHL",
    "SHR",
    "SAR",
    "BYTE",
)

#: The sequences that compiled Solidity, Huff and Yul code executed most often: found by repeatedly adding the
#: most frequent pair of neighbouring cells, over loops, hashing, tokens, elliptic curves and a ray tracer.
_FREQUENT = """
ADD ADD
ADD DUP1
ADD JUMP_TO
ADD MLOAD
ADD PUSH DUP1 MLOAD PUSH
ADD SWAP1 MSTORE
ADD SWAP1 POP DUP1
ADD SWAP1 PUSH
AND JUMPI_TO
AND DUP1
AND OR
AND PUSH
BEGIN DUP1 DUP3 ADD DUP1
BEGIN DUP1 DUP3 MUL DUP2
BEGIN DUP1 PUSH
BEGIN DUP2 DUP2
BEGIN DUP3
BEGIN DUP4 DUP2 LT ISZERO
BEGIN DUP5 DUP1 JUMPI_TO
BEGIN POP PUSH
BEGIN PUSH ADD
BEGIN PUSH DUP1 MLOAD PUSH
BEGIN PUSH DUP2 LT ISZERO
BEGIN PUSH DUP3
BEGIN PUSH MUL PUSH
BEGIN PUSH PUSH DUP3
BEGIN PUSH PUSH PUSH SHL
BEGIN SDIV
BEGIN SWAP1 SWAP2 DUP3 ADD
BEGIN SWAP3 SWAP2 POP POP
DIV AND
DIV DUP5
DUP1 JUMPI_TO
DUP1 DUP3 GT
DUP1 DUP4 KECCAK256
DUP1 MLOAD PUSH DUP2
DUP1 MLOAD PUSH NOT DUP2
DUP1 PUSH
DUP2 ADD DUP4 SWAP1 MSTORE
DUP2 JUMPI_TO
DUP2 DUP2 MSTORE
DUP2 DUP5 SUB
DUP2 ISZERO
DUP2 LT ISZERO JUMPI_TO
DUP2 MSTORE PUSH
DUP3 ADD SWAP1 PUSH
DUP3 AND
DUP3 DIV
DUP3 DUP2
DUP3 DUP3
DUP3 GT ISZERO JUMPI_TO
DUP3 MULMOD
DUP3 SWAP1
DUP4 ADD
DUP4 SWAP1 MSTORE
DUP5 ADD
DUP5 DUP2
DUP5 EQ OR JUMPI_TO
DUP5 MULMOD
DUP5 SUB ADD SWAP1
DUP5 SWAP1
DUP6 AND
DUP6 DUP2
DUP6 PUSH
DUP7 ADD
DUP7 AND
EQ JUMPI_TO
EQ OR JUMPI_TO
GT ISZERO JUMPI_TO
ISZERO JUMPI_TO
ISZERO DUP3 DUP3 DIV DUP5
LT JUMPI_TO
LT ISZERO JUMPI_TO
MLOAD DUP1
MLOAD DUP2 LT JUMPI_TO
MLOAD PUSH DUP2 ADD
MLOAD PUSH NOT
MSTORE ADD PUSH
MSTORE DUP1
MSTORE PUSH ADD JUMP_TO
MSTORE PUSH ADD PUSH
MSTORE SWAP1
MUL PUSH
NOT DUP2 DUP5 SUB ADD
OR JUMPI_TO
OR SWAP5 POP
POP JUMP
POP POP JUMP
POP POP POP
POP PUSH
PUSH ADD ADD MLOAD
PUSH ADD JUMP_TO
PUSH AND
PUSH DUP1
PUSH DUP2 ADD
PUSH DUP3
PUSH DUP5
PUSH DUP7
PUSH JUMP_TO
PUSH MLOAD
PUSH NOT
PUSH PUSH SHL
PUSH SHL SUB
PUSH SHR AND
PUSH SWAP2 SWAP1 JUMP_TO
SHL SUB
SUB ADD SWAP1
SUB JUMPI_TO
SUB DUP3 AND
SUB DUP4
SUB SWAP1
SWAP1 DUP2 MSTORE PUSH
SWAP1 JUMP
SWAP1 JUMP_TO
SWAP1 MSTORE ADD
SWAP1 POP DUP1
SWAP1 POP JUMP_TO
SWAP1 PUSH ADD JUMP_TO
SWAP1 SHR
SWAP1 SWAP2
SWAP1 SWAP3
SWAP2 ADD
SWAP2 DUP3 ADD
SWAP2 POP POP JUMP
SWAP2 POP PUSH
SWAP2 SWAP1 JUMP_TO
SWAP3 DUP4
SWAP3 POP
SWAP3 SWAP2 POP POP
SWAP4 POP PUSH
SWAP5 POP
"""


def fused_sequences() -> list[tuple[str, ...]]:
    """All sequences of two or more, shorter ones first."""
    sequences = {tuple(_NAMES.get(n, n) for n in line.split()) for line in _FREQUENT.splitlines() if line}
    sequences |= {("PUSH_SMALL", operation) for operation in _BINARY}
    sequences |= {(f"DUP{depth}", operation) for depth in range(1, 6) for operation in _BINARY}
    sequences |= {(f"SWAP{depth}", "POP") for depth in range(1, 9)}
    # a jump back is a jump that is counted
    for jump, counted in (("JUMP_TO", "JUMP_BACK_TO"), ("CONDITIONAL_JUMP_TO", "CONDITIONAL_JUMP_BACK_TO")):
        sequences |= {(*s[:-1], counted) for s in sequences if s[-1] == jump}
    for sequence in list(sequences):
        for length in range(2, len(sequence)):
            sequences.add(sequence[:length])
    return sorted(sequences, key=lambda s: (len(s), s))
