"""Intervals of 256-bit words: what a value may be, and what instructions make of them.

An interval is (least, greatest), both included. Each operation returns an interval that holds every result
for operands within theirs. Operands that are all constant are folded elsewhere (``backend.arithmetic``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

Interval = tuple[int, int]

_MASK = 2**256 - 1
_SIGN = 2**255
ANYTHING: Interval = (0, _MASK)
_BOOLEAN: Interval = (0, 1)


def constant(value: int) -> Interval:
    """The interval of one value."""
    return (value, value)


def union(a: Interval, b: Interval) -> Interval:
    """The smallest interval that holds both."""
    return (min(a[0], b[0]), max(a[1], b[1]))


def _wrapped(least: int, greatest: int) -> Interval:
    """The interval of numbers from ``least`` to ``greatest`` modulo 2^256."""
    if greatest - least > _MASK:
        return ANYTHING
    low, high = least & _MASK, greatest & _MASK
    return (low, high) if low <= high else ANYTHING


def _add(a: Interval, b: Interval) -> Interval:
    return _wrapped(a[0] + b[0], a[1] + b[1])


def _sub(a: Interval, b: Interval) -> Interval:
    return _wrapped(a[0] - b[1], a[1] - b[0])


def _mul(a: Interval, b: Interval) -> Interval:
    return _wrapped(a[0] * b[0], a[1] * b[1])


def _div(a: Interval, b: Interval) -> Interval:
    if b[1] == 0:
        return (0, 0)
    least = 0 if b[0] == 0 else a[0] // b[1]
    return (least, a[1] // max(b[0], 1))


def _mod(a: Interval, b: Interval) -> Interval:
    if b[1] == 0:
        return (0, 0)
    if b[0] > a[1]:
        return a
    return (0, min(a[1], b[1] - 1))


def _and(a: Interval, b: Interval) -> Interval:
    if a[0] == a[1]:
        a, b = b, a
    if b[0] == b[1]:
        mask = b[0]
        if mask & (mask + 1) == 0 and a[1] <= mask:
            return a
        upper = mask ^ _MASK
        if upper & (upper + 1) == 0:  # clears the lowest bits alone: keeps the order
            return (a[0] & mask, a[1] & mask)
    return (0, min(a[1], b[1]))


def _or(a: Interval, b: Interval) -> Interval:
    return (max(a[0], b[0]), (1 << (a[1] | b[1]).bit_length()) - 1)


def _xor(a: Interval, b: Interval) -> Interval:
    return (0, (1 << (a[1] | b[1]).bit_length()) - 1)


def _not(a: Interval) -> Interval:
    return (a[1] ^ _MASK, a[0] ^ _MASK)


def _less(a: Interval, b: Interval) -> Interval:
    if a[1] < b[0]:
        return (1, 1)
    return (0, 0) if a[0] >= b[1] else _BOOLEAN


def _signed(a: Interval) -> Interval | None:
    """As signed numbers, where the interval does not cross the sign."""
    if a[1] < _SIGN:
        return a
    return (a[0] - 2**256, a[1] - 2**256) if a[0] >= _SIGN else None


def _signed_less(a: Interval, b: Interval) -> Interval:
    left, right = _signed(a), _signed(b)
    return _BOOLEAN if left is None or right is None else _less(left, right)


def _equal(a: Interval, b: Interval) -> Interval:
    if a[1] < b[0] or b[1] < a[0]:
        return (0, 0)
    return (1, 1) if a[0] == a[1] == b[0] == b[1] else _BOOLEAN


def _is_zero(a: Interval) -> Interval:
    return (0, 0) if a[0] > 0 else (1, 1) if a[1] == 0 else _BOOLEAN


def _shift_left(by: Interval, a: Interval) -> Interval:
    if by[0] >= 256 or a[1] == 0:
        return (0, 0)
    if by[0] != by[1]:
        return ANYTHING
    return _wrapped(a[0] << by[0], a[1] << by[0])


def _shift_right(by: Interval, a: Interval) -> Interval:
    return (a[0] >> min(by[1], 256), a[1] >> min(by[0], 256))


def _shift_right_signed(by: Interval, a: Interval) -> Interval:
    return _shift_right(by, a) if a[1] < _SIGN else ANYTHING


def _extend_sign(width: Interval, a: Interval) -> Interval:
    if width[0] >= 31 or a[1] < 1 << 8 * width[0] + 7:
        return a
    return ANYTHING


#: By instruction: operands (the top of the stack first) to the result. Others give ANYTHING.
OPERATIONS: Mapping[str, Callable[..., Interval]] = {
    "ADD": _add,
    "SUB": _sub,
    "MUL": _mul,
    "DIV": _div,
    "MOD": _mod,
    "AND": _and,
    "OR": _or,
    "XOR": _xor,
    "NOT": _not,
    "LT": _less,
    "GT": lambda a, b: _less(b, a),
    "SLT": _signed_less,
    "SGT": lambda a, b: _signed_less(b, a),
    "EQ": _equal,
    "ISZERO": _is_zero,
    "SHL": _shift_left,
    "SHR": _shift_right,
    "SAR": _shift_right_signed,
    "BYTE": lambda index, a: (0, 0xFF),
    "SIGNEXTEND": _extend_sign,
}

#: Results that lie below 2^256 whatever the state: addresses, and sizes that gas bounds.
ENVIRONMENT: Mapping[str, Interval] = {
    **dict.fromkeys(("ADDRESS", "CALLER", "ORIGIN", "COINBASE"), (0, 2**160 - 1)),
    **dict.fromkeys(("CALLDATASIZE", "RETURNDATASIZE", "CODESIZE", "EXTCODESIZE", "GAS", "GASLIMIT"), (0, 2**64 - 1)),
    **dict.fromkeys(("CALL", "CALLCODE", "DELEGATECALL", "STATICCALL"), _BOOLEAN),
}
