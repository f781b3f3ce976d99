"""Algebraic identities of the arithmetic instructions.

A rule looks at an operation's operands and answers with an equal value, an equal operation that costs
less (name and operands), or None. Rules see the definitions of operands through ``AlgebraView``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from smartvm.compiler.backend.arithmetic import FOLDING, MAX_WORD, MODULUS, RESULT_BITS, WORD_BITS

#: An equal value, or an equal operation.
Result = int | tuple[str, list[int]] | None


class BoundsView(Protocol):
    """What is known of values' sizes."""

    def number(self, value: int) -> int | None:
        """The number that a value is, if it is known."""

    def bits(self, value: int) -> int:
        """A bound: the value is less than 2 to this power."""


class AlgebraView(BoundsView, Protocol):
    """What rules may ask about values."""

    def constant(self, number: int) -> int:
        """The value of a number."""

    def definition(self, value: int) -> tuple[str, list[int]] | None:
        """Name and operands of the pure instruction that gives the value."""

    def apply(self, name: str, inputs: list[int]) -> int:
        """The value of a pure instruction that is to be computed before the present operation."""


def _log2(number: int) -> int:
    """The exponent of a power of two; -1 for other numbers."""
    return number.bit_length() - 1 if number and number & (number - 1) == 0 else -1


def _add(view: AlgebraView, inputs: list[int]) -> Result:
    a, b = inputs
    x, y = view.number(a), view.number(b)
    if x is not None:
        a, b, y = b, a, x
    if y is None:
        # (p - q) + q = p
        for one, other in ((a, b), (b, a)):
            made = view.definition(one)
            if made is not None and made[0] == "SUB" and made[1][1] == other:
                return made[1][0]
        return None
    if y == 0:
        return a
    made = view.definition(a)
    if made is not None:
        if made[0] == "ADD":  # (p + c) + d = p + (c + d)
            p, q = made[1]
            for one, rest in ((p, q), (q, p)):
                c = view.number(one)
                if c is not None:
                    return ("ADD", [rest, view.constant((c + y) % MODULUS)])
        if made[0] == "SUB":
            p, q = made[1]
            c, d = view.number(p), view.number(q)
            if c is not None:  # (c - q) + d = (c + d) - q
                return ("SUB", [view.constant((c + y) % MODULUS), q])
            if d is not None:  # (p - c) + d = p + (d - c), kept as a subtraction when negative
                return _offset(view, p, y - d)
    return None


def _offset(view: AlgebraView, value: int, offset: int) -> Result:
    """``value + offset`` in the form with the shorter constant."""
    offset %= MODULUS
    if offset == 0:
        return value
    if offset.bit_length() > WORD_BITS - 8:
        return ("SUB", [value, view.constant(MODULUS - offset)])
    return ("ADD", [value, view.constant(offset)])


def _sub(view: AlgebraView, inputs: list[int]) -> Result:
    a, b = inputs
    if a == b:
        return view.constant(0)
    y = view.number(b)
    if y == 0:
        return a
    made = view.definition(a)
    if made is not None and made[0] == "ADD":
        p, q = made[1]
        if p == b:  # (p + q) - p = q
            return q
        if q == b:
            return p
        if y is not None:  # (p + c) - d = p + (c - d)
            for one, rest in ((p, q), (q, p)):
                c = view.number(one)
                if c is not None:
                    return _offset(view, rest, c - y)
    if made is not None and made[0] == "SUB" and y is not None:
        c = view.number(made[1][1])
        if c is not None:
            return _offset(view, made[1][0], -c - y)
    other = view.definition(b)
    if other is not None and other[0] == "ADD":
        # (p + c) - (p + d) = c - d where one side is known
        p, q = other[1]
        if a in (p, q):
            rest = q if a == p else p
            return ("SUB", [view.constant(0), rest]) if view.number(rest) is not None else None
        if made is not None and made[0] == "ADD":
            for x in made[1]:
                if x in (p, q):
                    left = made[1][1] if x == made[1][0] else made[1][0]
                    right = q if x == p else p
                    if view.number(left) is not None and view.number(right) is not None:
                        return ("SUB", [left, right])
    return None


def _mul(view: AlgebraView, inputs: list[int]) -> Result:
    a, b = inputs
    x, y = view.number(a), view.number(b)
    if x is not None:
        a, y = b, x
    if y is None:
        return None
    if y == 0:
        return view.constant(0)
    if y == 1:
        return a
    power = _log2(y)
    if power > 0:
        return ("SHL", [view.constant(power), a])
    return None


def _div(view: AlgebraView, inputs: list[int]) -> Result:
    a, b = inputs
    y = view.number(b)
    if y == 0 or view.number(a) == 0:
        return view.constant(0)
    if y == 1:
        return a
    if y is not None and _log2(y) > 0:
        return ("SHR", [view.constant(_log2(y)), a])
    return None


def _mod(view: AlgebraView, inputs: list[int]) -> Result:
    y = view.number(inputs[1])
    if y is None:
        return None
    if y <= 1:
        return view.constant(0)
    if _log2(y) > 0:
        return ("AND", [inputs[0], view.constant(y - 1)])
    return None


def _exp(view: AlgebraView, inputs: list[int]) -> Result:
    a, b = inputs
    x, y = view.number(a), view.number(b)
    if y == 0 or x == 1:
        return view.constant(1)
    if y == 1:
        return a
    if x == 2:
        return ("SHL", [b, view.constant(1)])
    if x == 0:
        return ("ISZERO", [b])
    if y == 2:
        return ("MUL", [a, a])
    return None


def _low_mask(number: int) -> int:
    """How many low bits the number consists of, if it is of the form 2^n - 1; else -1."""
    return number.bit_length() if number & (number + 1) == 0 else -1


def _and(view: AlgebraView, inputs: list[int]) -> Result:
    a, b = inputs
    if a == b:
        return a
    x, y = view.number(a), view.number(b)
    if x is not None:
        a, b, y = b, a, x
    if y is None:
        for one, other in ((a, b), (b, a)):
            made = view.definition(one)
            if made is not None and made[0] == "AND" and other in made[1]:
                return one
        return None
    if y == 0:
        return view.constant(0)
    if y == MAX_WORD:
        return a
    width = _low_mask(y)
    if width > 0 and view.bits(a) <= width:
        return a
    made = view.definition(a)
    if made is not None:
        name = made[0]
        if name in ("AND", "OR"):
            for one, other in ((made[1][0], made[1][1]), (made[1][1], made[1][0])):
                c = view.number(one)
                if c is None:
                    continue
                if name == "AND":  # (p & c) & d = p & (c & d)
                    return ("AND", [other, view.constant(c & y)])
                if c & y == 0:  # (p | c) & d = p & d where c and d share no bit
                    return ("AND", [other, view.constant(y)])
        if name == "SHR" and width > 0:
            shift = view.number(made[1][0])
            if shift is not None and shift + width >= WORD_BITS:
                return a
        if name == "SHL":
            shift = view.number(made[1][0])
            if shift is not None and shift < WORD_BITS:
                kept = (MAX_WORD << shift) & MAX_WORD
                if y & kept == kept:
                    return a
                if y & kept == 0:
                    return view.constant(0)
    if width < 0 and y & ((1 << view.bits(a)) - 1) == 0:
        return view.constant(0)
    return None


def _or(view: AlgebraView, inputs: list[int]) -> Result:
    a, b = inputs
    if a == b:
        return a
    for one, other in ((a, b), (b, a)):
        number = view.number(one)
        if number == 0:
            return other
        if number == MAX_WORD:
            return one
    return None


def _xor(view: AlgebraView, inputs: list[int]) -> Result:
    a, b = inputs
    if a == b:
        return view.constant(0)
    for one, other in ((a, b), (b, a)):
        number = view.number(one)
        if number == 0:
            return other
        if number == MAX_WORD:
            return ("NOT", [other])
    return None


def _not(view: AlgebraView, inputs: list[int]) -> Result:
    made = view.definition(inputs[0])
    return made[1][0] if made is not None and made[0] == "NOT" else None


def _iszero(view: AlgebraView, inputs: list[int]) -> Result:
    made = view.definition(inputs[0])
    if made is None:
        return None
    name, operands = made
    if name == "ISZERO" and view.bits(operands[0]) <= 1:
        return operands[0]
    if name in ("SUB", "XOR"):
        return ("EQ", operands)
    if name in ("GT", "LT"):
        # Not above zero, not below one: is zero.
        left, right = operands if name == "GT" else operands[::-1]
        if view.number(right) == 0:
            return ("ISZERO", [left])
    if name == "SHL" and view.number(operands[0]) is not None:
        shift = view.number(operands[0]) or 0
        if view.bits(operands[1]) + shift <= WORD_BITS:
            return ("ISZERO", [operands[1]])
    return None


def _eq(view: AlgebraView, inputs: list[int]) -> Result:
    a, b = inputs
    if a == b:
        return view.constant(1)
    for one, other in ((a, b), (b, a)):
        number = view.number(one)
        if number is None:
            continue
        if number == 0:
            return ("ISZERO", [other])
        bits = view.bits(other)
        if number.bit_length() > bits:
            return view.constant(0)
        if bits == 1 and number == 1:
            return other
    for one, other in ((a, b), (b, a)):
        made = view.definition(other)
        if made is None:
            continue
        if made[0] == "AND" and one in made[1]:
            # Only the bits outside the mask may differ.
            mask = view.number(made[1][1] if made[1][0] == one else made[1][0])
            if mask is None:
                continue
            if _low_mask(mask) > 0:
                return ("ISZERO", [view.apply("SHR", [view.constant(_low_mask(mask)), one])])
            if mask and _low_mask(MAX_WORD ^ mask) > 0:
                width = _low_mask(MAX_WORD ^ mask)
                return ("ISZERO", [view.apply("SHL", [view.constant(WORD_BITS - width), one])])
        if made[0] == "ISZERO":
            inner = view.definition(made[1][0])
            if inner is not None and inner[0] == "ISZERO" and inner[1][0] == one:
                return ("LT", [one, view.constant(2)])
    return None


def _lt(view: AlgebraView, inputs: list[int]) -> Result:
    return _gt(view, inputs[::-1])


def _gt(view: AlgebraView, inputs: list[int]) -> Result:
    a, b = inputs
    if a == b:
        return view.constant(0)
    x, y = view.number(a), view.number(b)
    if x == 0 or y == MAX_WORD:
        return view.constant(0)
    if x == 1:
        return ("ISZERO", [b])
    if y is not None and (1 << view.bits(a)) - 1 <= y:
        return view.constant(0)
    if y == 0 and view.bits(a) <= 1:
        return a
    if x is not None and view.bits(b) < x.bit_length():
        return view.constant(1)
    return None


def _slt(view: AlgebraView, inputs: list[int]) -> Result:
    a, b = inputs
    if a == b:
        return view.constant(0)
    y = view.number(b)
    if y is not None and y < 1 << 128:
        # (p - c) < d = p < c + d where nothing overflows and both sides are positive
        made = view.definition(a)
        if made is not None and made[0] == "SUB":
            c = view.number(made[1][1])
            if c is not None and c < 1 << 128 and view.bits(made[1][0]) <= 128:
                return ("LT", [made[1][0], view.constant(c + y)])
    if view.bits(a) < WORD_BITS and view.bits(b) < WORD_BITS:
        return ("LT", [a, b])
    return None


def _sgt(view: AlgebraView, inputs: list[int]) -> Result:
    return _slt(view, inputs[::-1])


def _shl(view: AlgebraView, inputs: list[int]) -> Result:
    return _shift(view, inputs, "SHL", "SHR")


def _shr(view: AlgebraView, inputs: list[int]) -> Result:
    return _shift(view, inputs, "SHR", "SHL")


def _shift(view: AlgebraView, inputs: list[int], name: str, opposite: str) -> Result:
    amount, value = inputs
    if view.number(value) == 0:
        return view.constant(0)
    shift = view.number(amount)
    if shift is None:
        return None
    if shift == 0:
        return value
    if shift >= WORD_BITS or (name == "SHR" and view.bits(value) <= shift):
        return view.constant(0)
    made = view.definition(value)
    if made is None or made[0] not in (name, opposite):
        return None
    inner = view.number(made[1][0])
    if inner is None:
        return None
    if made[0] == name:
        if inner + shift >= WORD_BITS:
            return view.constant(0)
        return (name, [view.constant(inner + shift), made[1][1]])
    if inner == shift:
        if name == "SHR":  # the high bits go
            if view.bits(made[1][1]) + shift <= WORD_BITS:
                return made[1][1]
            return ("AND", [made[1][1], view.constant(MAX_WORD >> shift)])
        return ("AND", [made[1][1], view.constant((MAX_WORD << shift) & MAX_WORD)])
    return None


def _signextend(view: AlgebraView, inputs: list[int]) -> Result:
    size = view.number(inputs[0])
    if size is None:
        return None
    if size >= 31 or view.bits(inputs[1]) < 8 * (size + 1):
        return inputs[1]
    made = view.definition(inputs[1])
    if made is not None and made[0] == "SIGNEXTEND":
        inner = view.number(made[1][0])
        if inner is not None and inner <= size:
            return inputs[1]
    return None


def _byte(view: AlgebraView, inputs: list[int]) -> Result:
    index = view.number(inputs[0])
    if index is not None and index >= 32:
        return view.constant(0)
    if index == 31 and view.bits(inputs[1]) <= 8:
        return inputs[1]
    return None


RULES: Mapping[str, Callable[[AlgebraView, list[int]], Result]] = {
    "ADD": _add,
    "SUB": _sub,
    "MUL": _mul,
    "DIV": _div,
    "MOD": _mod,
    "EXP": _exp,
    "AND": _and,
    "OR": _or,
    "XOR": _xor,
    "NOT": _not,
    "ISZERO": _iszero,
    "EQ": _eq,
    "LT": _lt,
    "GT": _gt,
    "SLT": _slt,
    "SGT": _sgt,
    "SHL": _shl,
    "SHR": _shr,
    "SIGNEXTEND": _signextend,
    "BYTE": _byte,
}


def result_bits(view: BoundsView, name: str, inputs: list[int]) -> int:
    """A bound on an instruction's result, in bits."""
    known = RESULT_BITS.get(name)
    if known is not None:
        return known
    if name == "AND":
        return min(view.bits(inputs[0]), view.bits(inputs[1]))
    if name in ("OR", "XOR"):
        return max(view.bits(inputs[0]), view.bits(inputs[1]))
    if name == "SHR":
        shift = view.number(inputs[0])
        if shift is not None:
            return max(view.bits(inputs[1]) - shift, 0)
        return view.bits(inputs[1])
    if name == "SHL":
        shift = view.number(inputs[0])
        if shift is not None:
            return min(view.bits(inputs[1]) + shift, WORD_BITS)
        return WORD_BITS
    if name == "ADD":
        return min(max(view.bits(inputs[0]), view.bits(inputs[1])) + 1, WORD_BITS)
    if name == "MUL":
        return min(view.bits(inputs[0]) + view.bits(inputs[1]), WORD_BITS)
    if name in ("DIV", "MOD"):
        return view.bits(inputs[0]) if name == "DIV" else min(view.bits(inputs[0]), view.bits(inputs[1]))
    return WORD_BITS


def fold(name: str, numbers: Sequence[Any]) -> int | None:
    """The result of an instruction on known operands, if the instruction is one of arithmetic."""
    function = FOLDING.get(name)
    return function(*numbers) if function is not None else None
