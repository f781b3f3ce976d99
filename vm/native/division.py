"""Division of 256- and 512-bit words on 64-bit limbs: Knuth's algorithm D with Möller and Granlund's
reciprocals.

LLVM's own expansion of wide division works bit by bit; this takes one multiplication and a bit per quotient
limb and uses no instruction of a certain machine. Sources: Knuth, The Art of Computer Programming 2, 4.3.1;
Möller and Granlund, "Improved division by invariant integers" (IEEE Transactions on Computers 2011),
algorithms 3 and 4.
"""

from __future__ import annotations

from dataclasses import dataclass

import llvmlite.ir as ir
from smartvm.vm.native.emit import I64, I128, I256, POINTER, Emitter, Value, define

LIMBS = 4


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """Functions on 256-bit words; each gives 0 for a divisor or modulus of 0, as the EVM does."""

    divide: ir.Function
    remainder: ir.Function
    signed_divide: ir.Function
    signed_remainder: ir.Function
    add_modulo: ir.Function
    multiply_modulo: ir.Function
    power: ir.Function


def _wide_product(a: Value, b: Value) -> Value:
    return a.extend(I128) * b.extend(I128)


def _high(value: Value) -> Value:
    return (value >> 64).truncate(I64)


def _low(value: Value) -> Value:
    return value.truncate(I64)


def _define_reciprocal(module: ir.Module) -> ir.Function:
    """(2**128 - 1) // d - 2**64 of a d whose top bit is set."""
    approximations = [0x7FD00 // d9 for d9 in range(256, 512)]
    kind = ir.ArrayType(ir.IntType(16), 256)
    table = ir.GlobalVariable(module, kind, "reciprocal_approximations")
    table.initializer = ir.Constant(kind, approximations)
    table.global_constant = True
    table.linkage = "internal"
    e = define(module, "reciprocal", I64, [I64])
    (d,) = e.arguments
    v0 = e.load(e.address_of(table), ir.IntType(16), (d >> 55) - 256, align=2).extend(I64)
    d40 = (d >> 24) + 1
    v1 = (v0 << 11) - ((v0 * v0 * d40) >> 40) - 1
    v2 = (v1 << 13) + ((v1 * (e.i64(1 << 60) - v1 * d40)) >> 47)
    odd = d & 1
    error = ((v2 >> 1) & -odd) - v2 * ((d >> 1) + odd)
    v3 = (_high(_wide_product(v2, error)) >> 1) + (v2 << 31)
    product = _wide_product(v3, d) + d.extend(I128)
    e.give(v3 - _high(product) - d)
    e.function.attributes.add("alwaysinline")
    return e.function


def _two_by_one(e: Emitter, high: Value, low: Value, d: Value, reciprocal: Value) -> tuple[Value, Value]:
    """Quotient and remainder of (high, low) by a normalised d > high."""
    estimate = _wide_product(reciprocal, high) + ((high.extend(I128) << 64) | low.extend(I128))
    fraction = _low(estimate)
    quotient = _high(estimate) + 1
    rest = low - quotient * d
    too_big = rest > fraction
    quotient = too_big.choose(quotient - 1, quotient)
    rest = too_big.choose(rest + d, rest)
    too_small = rest >= d
    return too_small.choose(quotient + 1, quotient), too_small.choose(rest - d, rest)


def _reciprocal_of_two(e: Emitter, d1: Value, d0: Value, reciprocal: ir.Function) -> Value:
    """(2**192 - 1) // (d1, d0) - 2**64 of a normalised (d1, d0): algorithm 6."""
    v = e.variable(I64, e.call(reciprocal, d1))
    p = e.variable(I64, d1 * v.value + d0)
    with e.when(p.value < d0):
        v.value = v.value - 1
        with e.when(p.value >= d1):
            v.value = v.value - 1
            p.value = p.value - d1
        p.value = p.value - d1
    t = _wide_product(v.value, d0)
    p.value = p.value + _high(t)
    with e.when(p.value < _high(t)):
        v.value = v.value - 1
        with e.when((p.value > d1) | (p.value.equals(d1) & (_low(t) >= d0))):
            v.value = v.value - 1
    return v.value


def _pair(high: Value, low: Value) -> Value:
    return (high.extend(I128) << 64) | low.extend(I128)


def _three_by_two(
    e: Emitter, u2: Value, u1: Value, u0: Value, divisor: Value, v: Value
) -> tuple[Value, Value]:
    """Quotient and remainder (of two limbs) of (u2, u1, u0) by a normalised divisor > (u2, u1): algorithm
    4."""
    d1, d0 = _high(divisor), _low(divisor)
    estimate = _wide_product(v, u2) + _pair(u2, u1)
    quotient, fraction = _high(estimate), _low(estimate)
    rest = _pair(u1 - quotient * d1, u0) - _wide_product(d0, quotient) - divisor
    quotient = quotient + 1
    too_big = _high(rest) >= fraction
    quotient = too_big.choose(quotient - 1, quotient)
    rest = too_big.choose(rest + divisor, rest)
    too_small = rest >= divisor
    return too_small.choose(quotient + 1, quotient), too_small.choose(rest - divisor, rest)


def _divide_step(e: Emitter, rest: Value, limb: Value, divisor: Value, v: Value) -> tuple[Value, Value]:
    """One digit: quotient and remainder of (rest, limb) by a normalised divisor of four limbs, greater than
    ``rest``."""
    top = (divisor >> 128).truncate(I128)
    u4, u3, u2 = ((rest >> (64 * i)).truncate(I64) for i in (3, 2, 1))
    digit = e.variable(I64, -1)
    left = e.variable(I256, 0)
    shifted = (rest << 64) | limb.extend(I256)
    with e.builder.if_else((rest >> 128).truncate(I128).equals(top).ir) as (limit, usual):
        with limit:
            # (rest, limb) - (2**64 - 1) * divisor: rest is less than the divisor by less than 2**128, so this
            # is exact
            left.value = shifted + divisor - (divisor << 64)
        with usual:
            q, high = _three_by_two(e, u4, u3, u2, top, v)
            p0 = _wide_product(q, divisor.truncate(I64))
            p1 = _wide_product(q, (divisor >> 64).truncate(I64)) + _high(p0).extend(I128)
            product = (p1.extend(I256) << 64) | _low(p0).extend(I256)
            minuend = (high.extend(I256) << 128) | shifted.truncate(I128).extend(I256)
            digit.value = q
            left.value = minuend - product
            with e.when(minuend < product, likely=False):
                digit.value = q - 1
                left.value = left.value + divisor
    return digit.value, left.value


def _define_divide_limbs(module: ir.Module, reciprocal: ir.Function) -> ir.Function:
    """void (numerator*, limbs, divisor, quotient*, remainder*): ``quotient`` (four limbs more than the
    numerator, or null) and ``remainder`` (4 limbs). The numerator has 2 to 8 limbs, and four limbs of 0
    before and one behind it; the divisor is not 0."""
    e = define(module, "divide_limbs", ir.VoidType(), [POINTER, I64, I256, POINTER, POINTER])
    numerator, limbs, divisor, quotient, remainder = e.arguments
    shift = e.leading_zeros(divisor)
    normal = divisor << shift
    top = (normal >> 192).truncate(I64)
    with e.when((divisor >> 64).equals(0)):
        bits = shift.truncate(I64) & 63
        inverse = e.call(reciprocal, top)

        def shifted_by_bits(i: Value) -> Value:
            low = e.load(numerator, I64, i - 1)
            return e.intrinsic("llvm.fshl", I64, e.load(numerator, I64, i), low, bits)

        rest = e.variable(I64, shifted_by_bits(limbs))
        i = e.variable(I64, limbs)
        with e.loop() as loop:
            i.value = i.value - 1
            q, r = _two_by_one(e, rest.value, shifted_by_bits(i.value), top, inverse)
            e.store(q, quotient, I64, i.value)
            rest.value = r
            loop.break_if(i.value.equals(0))
        e.store((rest.value >> bits).extend(I256), remainder)
        e.give()
    # Shift both so that the divisor's top bit is set; the quotient stays the same.
    v = _reciprocal_of_two(e, top, (normal >> 128).truncate(I64), reciprocal)
    amount = shift.truncate(I64)
    whole, bits = amount >> 6, amount & 63

    def shifted(i: Value) -> Value:
        """Limb i of the shifted numerator."""
        place = i - whole
        high, low = e.load(numerator, I64, place), e.load(numerator, I64, place - 1)
        return e.intrinsic("llvm.fshl", I64, high, low, bits)

    length = limbs + whole + 1
    first = e.word(0)
    for back in range(1, 5):
        first = (first << 64) | shifted(length - back).extend(I256)
    left = e.variable(I256, first)
    i = e.variable(I64, length - 4)
    with e.loop() as loop:
        loop.break_if(i.value.equals(0))
        i.value = i.value - 1
        q, r = _divide_step(e, left.value, shifted(i.value), normal, v)
        e.store(q, quotient, I64, i.value)
        left.value = r
    e.store(left.value >> shift, remainder)
    e.give()
    e.function.attributes.add("noinline")
    return e.function


#: Limbs of 0 before and behind a numerator.
_BEFORE, _BEHIND = 4, 1


def _numerator(e: Emitter, limbs: list[Value]) -> Value:
    """A numerator in native stack memory, as ``divide_limbs`` takes it."""
    array = e.stack_slot(I64, _BEFORE + len(limbs) + _BEHIND)
    for i in range(_BEFORE):
        e.store(0, array, I64, i)
    for i, limb in enumerate(limbs):
        e.store(limb, array, I64, _BEFORE + i)
    e.store(0, array, I64, _BEFORE + len(limbs))
    return array.offset(8 * _BEFORE)


def _limbs(word: Value) -> list[Value]:
    return [(word >> (64 * i)).truncate(I64) for i in range(LIMBS)]


def _define_division(
    module: ir.Module, name: str, divide_limbs: ir.Function, *, remainder: bool
) -> ir.Function:
    e = define(module, name, I256, [I256, I256])
    a, b = e.arguments
    with e.when(b.equals(0)):
        e.give(0)
    with e.when(a < b):
        e.give(a if remainder else 0)
    with e.when((a >> 64).equals(0)):
        small_a, small_b = a.truncate(I64), b.truncate(I64)
        e.give((small_a % small_b if remainder else small_a // small_b).extend(I256))
    with e.when((b & (b - 1)).equals(0)):
        e.give(a & (b - 1) if remainder else a >> e.intrinsic("llvm.cttz", I256, b, False))
    quotient, rest = e.stack_slot(I64, 2 * LIMBS), e.stack_slot(I256)
    for i in range(LIMBS):
        e.store(0, quotient, I64, i)
    length = (a >> 128).equals(0).choose(e.i64(2), LIMBS)
    e.call(divide_limbs, _numerator(e, _limbs(a)), length, b, quotient, rest)
    e.give(e.load(rest if remainder else quotient, I256))
    return e.function


def _magnitude(value: Value) -> Value:
    return value.signed_less(0).choose(-value, value)


def _define_signed_division(
    module: ir.Module, name: str, unsigned: ir.Function, *, remainder: bool
) -> ir.Function:
    """Truncating; the remainder has the dividend's sign. -2**255 / -1 wraps to itself."""
    e = define(module, name, I256, [I256, I256])
    a, b = e.arguments
    result = e.call(unsigned, _magnitude(a), _magnitude(b))
    sign = a if remainder else a ^ b
    e.give(sign.signed_less(0).choose(-result, result))
    return e.function


def _define_add_modulo(module: ir.Module, divide_limbs: ir.Function) -> ir.Function:
    e = define(module, "add_modulo", I256, [I256, I256, I256])
    a, b, modulus = e.arguments
    with e.when(modulus.equals(0)):
        e.give(0)
    total = a + b
    carry = total < a
    with e.when((a < modulus) & (b < modulus)):
        reduced = total - modulus
        e.give((carry | (total >= modulus)).choose(reduced, total))
    quotient, rest = e.stack_slot(I64, 3 * LIMBS), e.stack_slot(I256)
    numerator = _numerator(e, [*_limbs(total), carry.extend(I64)])
    e.call(divide_limbs, numerator, LIMBS + 1, modulus, quotient, rest)
    e.give(e.load(rest, I256))
    return e.function


def _define_multiply_modulo(
    module: ir.Module, divide_limbs: ir.Function, remainder: ir.Function
) -> ir.Function:
    e = define(module, "multiply_modulo", I256, [I256, I256, I256])
    a, b, modulus = e.arguments
    with e.when(modulus.equals(0)):
        e.give(0)
    limbs_a, limbs_b = _limbs(a), _limbs(b)
    product: list[Value] = [e.i64(0)] * (2 * LIMBS)
    for i in range(LIMBS):
        carry = e.i64(0)
        for j in range(LIMBS):
            total = _wide_product(limbs_a[i], limbs_b[j]) + product[i + j].extend(I128) + carry.extend(I128)
            product[i + j] = _low(total)
            carry = _high(total)
        product[i + LIMBS] = carry
    low, high = e.word(0), e.word(0)
    for i in reversed(range(LIMBS)):
        low = (low << 64) | product[i].extend(I256)
        high = (high << 64) | product[i + LIMBS].extend(I256)
    with e.when(high.equals(0)):
        e.give(e.call(remainder, low, modulus))
    quotient, rest = e.stack_slot(I64, 3 * LIMBS), e.stack_slot(I256)
    e.call(divide_limbs, _numerator(e, product), 2 * LIMBS, modulus, quotient, rest)
    e.give(e.load(rest, I256))
    return e.function


def _define_power(module: ir.Module) -> ir.Function:
    e = define(module, "power", I256, [I256, I256])
    base, exponent = e.arguments
    result = e.variable(I256, 1)
    square = e.variable(I256, base)
    left = e.variable(I256, exponent)
    with e.loop() as loop:
        loop.break_if(left.value.equals(0))
        with e.when((left.value & 1).equals(1)):
            result.value = result.value * square.value
        left.value = left.value >> 1
        loop.break_if(left.value.equals(0))
        square.value = square.value * square.value
    e.give(result.value)
    return e.function


def define_arithmetic(module: ir.Module) -> Arithmetic:
    """Define the functions in ``module``."""
    divide_limbs = _define_divide_limbs(module, _define_reciprocal(module))
    divide = _define_division(module, "divide", divide_limbs, remainder=False)
    remainder = _define_division(module, "remainder", divide_limbs, remainder=True)
    return Arithmetic(
        divide=divide,
        remainder=remainder,
        signed_divide=_define_signed_division(module, "signed_divide", divide, remainder=False),
        signed_remainder=_define_signed_division(module, "signed_remainder", remainder, remainder=True),
        add_modulo=_define_add_modulo(module, divide_limbs),
        multiply_modulo=_define_multiply_modulo(module, divide_limbs, remainder),
        power=_define_power(module),
    )
