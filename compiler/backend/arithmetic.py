"""What the arithmetic instructions compute, for folding and algebra at compile time.

This is the one place of the back end that knows instructions' meaning by name; an instruction that is not listed is
left alone. Sources: Yellow Paper, appendix H.2; EIP-145 (shifts); EIP-7939 (CLZ).
"""

from __future__ import annotations

#: Instructions of two operands and what equals them with the operands exchanged.
MIRRORED = {
    "ADD": "ADD",
    "MUL": "MUL",
    "AND": "AND",
    "OR": "OR",
    "XOR": "XOR",
    "EQ": "EQ",
    "LT": "GT",
    "GT": "LT",
    "SLT": "SGT",
    "SGT": "SLT",
}
