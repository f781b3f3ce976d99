"""Exact arithmetic on number literals (docs/types/value-types.rst, Rational and Integer Literals)."""

from __future__ import annotations

import re
from fractions import Fraction

from smartvm.compiler.ast import nodes

#: Numerator and denominator may have no more bits.
MAXIMUM_BITS = 4096

_UNITS = {
    None: 1, "": 1, "wei": 1, "gwei": 10**9, "ether": 10**18,
    "seconds": 1, "minutes": 60, "hours": 3600, "days": 86400, "weeks": 604800, "years": 31536000,
}  # fmt: skip

_DECIMAL = re.compile(r"(\d*)(?:\.(\d+))?(?:[eE](-?\d+))?\Z")


def _scaling_fits(mantissa: int, bits_per_step: float, exponent: int) -> bool:
    if mantissa == 0:
        return True
    bits = mantissa.bit_length() - 1
    return bits <= MAXIMUM_BITS and bits + int(bits_per_step * exponent) + 1 <= MAXIMUM_BITS


def literal_value(literal: nodes.Literal) -> Fraction | None:
    """The value of a number literal with its unit; None when it is malformed or too large."""
    text = literal.text.replace("_", "")
    value: Fraction
    if text[:2] in ("0x", "0X"):
        try:
            value = Fraction(int(text, 16))
        except ValueError:
            return None
    else:
        match = _DECIMAL.match(text)
        if match is None or not (match[1] or match[2]):
            return None
        whole, fraction, exponent_text = match[1], match[2] or "", match[3]
        digits = int((whole + fraction) or "0") if len(whole) + len(fraction) < 4000 else None
        if digits is None:
            return None
        value = Fraction(digits, 10 ** len(fraction))
        if exponent_text is not None and value != 0:
            exponent = int(exponent_text)
            if abs(exponent) >= 1 << 31:
                return None
            limited = value.denominator if exponent < 0 else value.numerator
            if exponent and not _scaling_fits(limited, 3.3219280948873624, abs(exponent)):
                return None
            value = value * 10**exponent if exponent >= 0 else value / 10**-exponent
    return value * _UNITS[literal.sub_denomination]


def _power(base: Fraction, exponent: Fraction) -> Fraction | None:
    if exponent.denominator != 1:
        return None
    power = exponent.numerator
    if power == 0:
        return Fraction(1)
    if base in (0, 1):
        return base
    if base == -1:
        return Fraction(-1 if power & 1 else 1)
    for part in (abs(base.numerator), base.denominator):
        bits = part.bit_length()
        if bits > 1 and (bits - 1 > MAXIMUM_BITS or abs(power) * bits > MAXIMUM_BITS):
            return None
    return base**power


def _shift(operator: str, left: Fraction, right: Fraction) -> Fraction | None:
    if right < 0 or right >= 1 << 32:
        return None
    amount = right.numerator
    value = left.numerator
    if value == 0:
        return Fraction(0)
    if operator == "<<":
        return Fraction(value << amount) if _scaling_fits(abs(value), 1.0, amount) else None
    return Fraction(value >> amount)


def evaluate_binary(operator: str, left: Fraction, right: Fraction) -> Fraction | None:
    """``left operator right``; None when the operation is not defined for the values or the result too
    large."""
    fractional = left.denominator != 1 or right.denominator != 1
    match operator:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "/":
            return left / right if right else None
        case "%":
            if not right:
                return None
            quotient = left / right
            truncated = abs(quotient.numerator) // quotient.denominator
            return left - (truncated if quotient >= 0 else -truncated) * right
        case "**":
            return _power(left, right)
    if fractional:
        return None
    match operator:
        case "|":
            return Fraction(left.numerator | right.numerator)
        case "&":
            return Fraction(left.numerator & right.numerator)
        case "^":
            return Fraction(left.numerator ^ right.numerator)
        case "<<" | ">>":
            return _shift(operator, left, right)
    return None


def evaluate_unary(operator: str, value: Fraction) -> Fraction | None:
    """``operator value``; None when not defined."""
    if operator == "-":
        return -value
    if operator == "~" and value.denominator == 1:
        return Fraction(~value.numerator)
    return None


def fits_precision(value: Fraction) -> bool:
    """Whether a result may still be used: 4096 bits for numerator and denominator."""
    if value == 0:
        return True
    return max(abs(value.numerator).bit_length(), value.denominator.bit_length()) - 1 <= MAXIMUM_BITS
