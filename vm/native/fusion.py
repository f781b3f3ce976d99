"""Which sequences of instructions the interpreter executes as one cell.

A cell's handler is made by emitting the bodies of its sequence one after another on one virtual stack. The analysis
extends a cell as long as the longer sequence is here too, so every prefix of a sequence must be here (single instructions
are by themselves). At most one instruction of a sequence may leave or touch memory, and none after it may charge gas.
"""

from __future__ import annotations

PUSH = "PUSH_SMALL"

#: Sequences by how often compiled contracts execute them.
_TEXT = """
PUSH_SMALL ADD
PUSH_SMALL SHL
PUSH_SMALL SHR
PUSH_SMALL AND
PUSH_SMALL MLOAD
PUSH_SMALL MSTORE
DUP1 PUSH_SMALL
DUP2 PUSH_SMALL
SWAP1 POP
"""


def fused_sequences() -> list[tuple[str, ...]]:
    """All sequences of two or more, shorter ones first."""
    sequences = {tuple(line.split()) for line in _TEXT.splitlines() if line.strip()}
    for sequence in list(sequences):
        for length in range(2, len(sequence)):
            sequences.add(sequence[:length])
    return sorted(sequences, key=lambda s: (len(s), s))
