"""What the arithmetic instructions compute, for folding at compile time.

This module and ``algebra`` are the only places of the back end that know instructions' meaning by
name; an instruction that is not listed is left alone. Sources: Yellow Paper, appendix H.2; EIP-145
(shifts); EIP-7939 (CLZ).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

WORD_BITS = 256
MODULUS = 1 << WORD_BITS
MAX_WORD = MODULUS - 1
_SIGN = 1 << (WORD_BITS - 1)

#: Instructions of two operands and what equals them with the operands exchanged.
MIRRORED: Mapping[str, str] = {
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


def signed(word: int) -> int:
    """The two's complement reading of a word."""
    return word - MODULUS if word & _SIGN else word


def _divide_signed(a: int, b: int) -> int:
    if b == 0:
        return 0
    x, y = signed(a), signed(b)
    quotient = abs(x) // abs(y)
    return (quotient if (x < 0) == (y < 0) else -quotient) % MODULUS


def _modulo_signed(a: int, b: int) -> int:
    if b == 0:
        return 0
    x, y = signed(a), signed(b)
    rest = abs(x) % abs(y)
    return (-rest if x < 0 else rest) % MODULUS


def _extend_sign(size: int, word: int) -> int:
    if size >= 31:
        return word
    bits = 8 * (size + 1)
    word &= (1 << bits) - 1
    return word | (MAX_WORD ^ ((1 << bits) - 1)) if word >> (bits - 1) else word


#: Instruction name to its function on words (operands top of the stack first).
FOLDING: Mapping[str, Callable[..., int]] = {
    "ADD": lambda a, b: (a + b) % MODULUS,
    "MUL": lambda a, b: a * b % MODULUS,
    "SUB": lambda a, b: (a - b) % MODULUS,
    "DIV": lambda a, b: a // b if b else 0,
    "SDIV": _divide_signed,
    "MOD": lambda a, b: a % b if b else 0,
    "SMOD": _modulo_signed,
    "ADDMOD": lambda a, b, n: (a + b) % n if n else 0,
    "MULMOD": lambda a, b, n: a * b % n if n else 0,
    "EXP": lambda a, b: pow(a, b, MODULUS),
    "SIGNEXTEND": _extend_sign,
    "LT": lambda a, b: int(a < b),
    "GT": lambda a, b: int(a > b),
    "SLT": lambda a, b: int(signed(a) < signed(b)),
    "SGT": lambda a, b: int(signed(a) > signed(b)),
    "EQ": lambda a, b: int(a == b),
    "ISZERO": lambda a: int(a == 0),
    "AND": lambda a, b: a & b,
    "OR": lambda a, b: a | b,
    "XOR": lambda a, b: a ^ b,
    "NOT": lambda a: MAX_WORD ^ a,
    "BYTE": lambda i, x: (x >> (8 * (31 - i))) & 0xFF if i < 32 else 0,
    "SHL": lambda s, x: (x << s) % MODULUS if s < WORD_BITS else 0,
    "SHR": lambda s, x: x >> s if s < WORD_BITS else 0,
    "SAR": lambda s, x: (signed(x) >> min(s, WORD_BITS)) % MODULUS,
    "CLZ": lambda x: WORD_BITS - x.bit_length(),
}

#: Upper bounds, in bits, on results that depend on no operand (Yellow Paper: addresses have 160 bits;
#: sizes and gas are bounded by 64 bits on any machine).
RESULT_BITS: Mapping[str, int] = {
    "ADDRESS": 160,
    "ORIGIN": 160,
    "CALLER": 160,
    "COINBASE": 160,
    "CREATE": 160,
    "CREATE2": 160,
    "CALLDATASIZE": 64,
    "CODESIZE": 64,
    "RETURNDATASIZE": 64,
    "EXTCODESIZE": 64,
    "MSIZE": 64,
    "GAS": 64,
    "LT": 1,
    "GT": 1,
    "SLT": 1,
    "SGT": 1,
    "EQ": 1,
    "ISZERO": 1,
    "CALL": 1,
    "CALLCODE": 1,
    "DELEGATECALL": 1,
    "STATICCALL": 1,
    "BYTE": 8,
    "CLZ": 9,
}
