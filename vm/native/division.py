"""Division of 256- and 512-bit words on 64-bit limbs: Knuth's algorithm D with Möller and Granlund's reciprocals.

LLVM's own expansion of wide division works bit by bit; this takes one multiplication and a bit per quotient limb and
uses no instruction of a certain machine. Sources: Knuth, The Art of Computer Programming 2, 4.3.1; Möller and Granlund,
"Improved division by invariant integers" (IEEE Transactions on Computers 2011), algorithms 3 and 4.
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


def _define_divide_limbs(module: ir.Module, reciprocal: ir.Function) -> ir.Function:
    """void (numerator*, limbs, divisor*, quotient*, remainder*): ``quotient`` (as long as the numerator) and
    ``remainder`` (4 limbs) hold zeros when called; the divisor has 4 limbs and is not 0."""
    e = define(module, "divide_limbs", ir.VoidType(), [POINTER, I64, POINTER, POINTER, POINTER])
    numerator, limbs, divisor, quotient, remainder = e.arguments

    def significant(limbs_at: Value, most: Value) -> Value:
        count = e.variable(I64, most)
        with e.loop() as loop:
            loop.break_if(count.value.equals(0))
            loop.break_if(e.load(limbs_at, I64, count.value - 1).differs(0))
            count.value = count.value - 1
        return count.value

    n = significant(numerator, limbs)
    m = significant(divisor, e.i64(LIMBS))
    with e.when(n < m):
        i = e.variable(I64, 0)
        with e.loop() as loop:
            loop.break_if(i.value >= n)
            e.store(e.load(numerator, I64, i.value), remainder, I64, i.value)
            i.value = i.value + 1
        e.give()
    top = e.load(divisor, I64, m - 1)
    shift = e.leading_zeros(top)

    def shifted(limbs_at: Value, i: Value) -> Value:
        """Limb i of the number shifted left, i >= 1."""
        return e.intrinsic("llvm.fshl", I64, e.load(limbs_at, I64, i), e.load(limbs_at, I64, i - 1), shift)

    highest = e.intrinsic("llvm.fshl", I64, 0, e.load(numerator, I64, n - 1), shift)
    with e.when(m.equals(1)):
        d = top << shift
        inverse = e.call(reciprocal, d)
        rest = e.variable(I64, highest)
        i = e.variable(I64, n - 1)
        with e.loop() as loop:
            loop.break_if(i.value.equals(0))
            q, r = _two_by_one(e, rest.value, shifted(numerator, i.value), d, inverse)
            e.store(q, quotient, I64, i.value)
            rest.value = r
            i.value = i.value - 1
        q, r = _two_by_one(e, rest.value, e.load(numerator) << shift, d, inverse)
        e.store(q, quotient)
        e.store(r >> shift, remainder)
        e.give()
    # Knuth D on u (n + 1 limbs) and v (m limbs), both shifted so that v's top bit is set
    u = e.stack_slot(I64, 10)
    v = e.stack_slot(I64, LIMBS)

    def copy_shifted(source: Value, target: Value, count: Value) -> None:
        e.store(e.load(source) << shift, target)
        i = e.variable(I64, 1)
        with e.loop() as loop:
            loop.break_if(i.value >= count)
            e.store(shifted(source, i.value), target, I64, i.value)
            i.value = i.value + 1

    copy_shifted(numerator, u, n)
    e.store(highest, u, I64, n)
    copy_shifted(divisor, v, m)
    v_top = e.load(v, I64, m - 1)
    v_next = e.load(v, I64, m - 2)
    inverse = e.call(reciprocal, v_top)
    j = e.variable(I64, n - m + 1)
    with e.loop() as loop:
        loop.break_if(j.value.equals(0))
        j.value = j.value - 1
        at = j.value
        u2 = e.load(u, I64, at + m)
        u1 = e.load(u, I64, at + m - 1)
        u0 = e.load(u, I64, at + m - 2)
        estimate = e.variable(I64, -1)
        with e.when(u2 < v_top):
            q, r = _two_by_one(e, u2, u1, v_top, inverse)
            estimate.value = q
            rest = e.variable(I64, r)
            with e.loop() as correction:
                product = _wide_product(estimate.value, v_next)
                correction.break_if(product <= ((rest.value.extend(I128) << 64) | u0.extend(I128)))
                estimate.value = estimate.value - 1
                sum_ = rest.value + v_top
                correction.break_if(sum_ < v_top)
                rest.value = sum_
        # u[at ... at+m] -= estimate * v
        borrow = e.variable(I64, 0)
        k = e.variable(I64, 0)
        with e.loop() as subtract:
            product = _wide_product(estimate.value, e.load(v, I64, k.value)) + borrow.value.extend(I128)
            low = _low(product)
            old = e.load(u, I64, at + k.value)
            e.store(old - low, u, I64, at + k.value)
            borrow.value = _high(product) + (old < low).extend(I64)
            k.value = k.value + 1
            subtract.break_if(k.value >= m)
        e.store(u2 - borrow.value, u, I64, at + m)
        with e.loop() as add_back:
            add_back.break_if(u2 >= borrow.value)
            estimate.value = estimate.value - 1
            carry = e.variable(I64, 0)
            k.value = 0
            with e.loop() as add:
                total = (
                    e.load(u, I64, at + k.value).extend(I128)
                    + e.load(v, I64, k.value).extend(I128)
                    + carry.value.extend(I128)
                )
                e.store(_low(total), u, I64, at + k.value)
                carry.value = _high(total)
                k.value = k.value + 1
                add.break_if(k.value >= m)
            limb = e.load(u, I64, at + m)
            e.store(limb + carry.value, u, I64, at + m)
            # the estimate is at most one too big here
            add_back.break_if(e.constant(ir.IntType(1), 1))
        e.store(estimate.value, quotient, I64, at)
    i = e.variable(I64, 0)
    with e.loop() as loop:
        low, high = e.load(u, I64, i.value), e.load(u, I64, i.value + 1)
        last = (i.value + 1).equals(m)
        low = e.intrinsic("llvm.fshr", I64, last.choose(0, high), low, shift)
        e.store(low, remainder, I64, i.value)
        i.value = i.value + 1
        loop.break_if(i.value >= m)
    e.give()
    return e.function


def _define_division(module: ir.Module, name: str, divide_limbs: ir.Function, *, remainder: bool) -> ir.Function:
    e = define(module, name, I256, [I256, I256])
    a, b = e.arguments
    with e.when(b.equals(0)):
        e.give(0)
    with e.when(a < b):
        e.give(a if remainder else 0)
    with e.when((a >> 64).equals(0)):
        small_a, small_b = a.truncate(I64), b.truncate(I64)
        e.give((small_a % small_b if remainder else small_a // small_b).extend(I256))
    arrays = [e.stack_slot(I256) for _ in range(4)]
    for array, value in zip(arrays, (a, b, e.word(0), e.word(0)), strict=True):
        e.store(value, array)
    e.call(divide_limbs, arrays[0], LIMBS, *arrays[1:])
    e.give(e.load(arrays[3 if remainder else 2], I256))
    return e.function


def _magnitude(value: Value) -> Value:
    return value.signed_less(0).choose(-value, value)


def _define_signed_division(module: ir.Module, name: str, unsigned: ir.Function, *, remainder: bool) -> ir.Function:
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
    numerator = e.stack_slot(I64, 5)
    quotient = e.stack_slot(I64, 5)
    divisor, rest = e.stack_slot(I256), e.stack_slot(I256)
    e.store(total, numerator)
    e.store(carry.extend(I64), numerator, I64, 4)
    e.store(modulus, divisor)
    e.store(e.word(0), rest)
    e.call(divide_limbs, numerator, 5, divisor, quotient, rest)
    e.give(e.load(rest, I256))
    return e.function


def _define_multiply_modulo(module: ir.Module, divide_limbs: ir.Function) -> ir.Function:
    e = define(module, "multiply_modulo", I256, [I256, I256, I256])
    a, b, modulus = e.arguments
    with e.when(modulus.equals(0)):
        e.give(0)
    limbs_a = [(a >> (64 * i)).truncate(I64) for i in range(LIMBS)]
    limbs_b = [(b >> (64 * i)).truncate(I64) for i in range(LIMBS)]
    product: list[Value] = [e.i64(0)] * (2 * LIMBS)
    for i in range(LIMBS):
        carry = e.i64(0)
        for j in range(LIMBS):
            total = _wide_product(limbs_a[i], limbs_b[j]) + product[i + j].extend(I128) + carry.extend(I128)
            product[i + j] = _low(total)
            carry = _high(total)
        product[i + LIMBS] = carry
    numerator = e.stack_slot(I64, 2 * LIMBS)
    quotient = e.stack_slot(I64, 2 * LIMBS)
    divisor, rest = e.stack_slot(I256), e.stack_slot(I256)
    for i, limb in enumerate(product):
        e.store(limb, numerator, I64, i)
    e.store(modulus, divisor)
    e.store(e.word(0), rest)
    e.call(divide_limbs, numerator, 2 * LIMBS, divisor, quotient, rest)
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
        multiply_modulo=_define_multiply_modulo(module, divide_limbs),
        power=_define_power(module),
    )
