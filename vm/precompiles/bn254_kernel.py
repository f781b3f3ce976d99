"""The compiled machine that runs ``bn254_programs``: arithmetic modulo the prime on registers of one flat
array.

A program is an array of rows (operation, out, a, b, count). Registers are named by their offset in 64-bit
limbs; an output may be the same register as an input. One small function is compiled, in about a second,
instead of a tower of fifty; an operation takes ten times as long as its dispatch. Nothing here is secret, so
nothing runs in constant time.
"""

# mypy: ignore-errors
from __future__ import annotations

from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic
from smartvm.vm.precompiles.bn254_field import LIMBS, PRIME

#: Operations; those on vectors repeat ``count`` times over consecutive elements.
ADD, SUBTRACT, COPY, MULTIPLY, MULTIPLY2, SQUARE2 = range(6)

#: The first registers are scratch of the operations on Fp2.
SCRATCH_LIMBS = 4 * LIMBS

_I64 = ir.IntType(64)
_I128 = ir.IntType(128)
_I256 = ir.IntType(256)
_NEGATED_INVERSE = -pow(PRIME, -1, 1 << 64) % (1 << 64)
_MASK = (1 << 64) - 1


def _field_operation(name, emit):
    """An intrinsic ``(workspace, out, a, b)`` whose result ``emit(builder, a, b)`` makes from two 256-bit
    values.

    The body is a function of its own in LLVM that is never inlined: it is used dozens of times.
    """
    pointer = _I256.as_pointer()
    symbol = f"smartvm_bn254_{name}"

    def body(module):
        function = module.globals.get(symbol)
        if function is None:
            function = ir.Function(module, ir.FunctionType(ir.VoidType(), [pointer] * 3), symbol)
            function.linkage = "internal"
            function.attributes.add("noinline")
            builder = ir.IRBuilder(function.append_basic_block())
            out, a, b = function.args
            builder.store(emit(builder, builder.load(a, align=8), builder.load(b, align=8)), out, align=8)
            builder.ret_void()
        return function

    @intrinsic
    def operation(typing_context, workspace, out, a, b):
        def generate(context, builder, signature, arguments):
            array = context.make_array(signature.args[0])(context, builder, arguments[0])
            registers = [
                builder.bitcast(builder.gep(array.data, [offset]), pointer) for offset in arguments[1:]
            ]
            builder.call(body(builder.module), registers)
            return context.get_dummy_value()

        return types.none(workspace, types.int64, types.int64, types.int64), generate

    return operation


def _subtract_prime(builder, value):
    """``value`` reduced, where it is below twice the prime."""
    prime = ir.Constant(_I256, PRIME)
    small = builder.icmp_unsigned("<", value, prime)
    return builder.select(small, value, builder.sub(value, prime))


def _emit_add(builder, a, b):
    return _subtract_prime(builder, builder.add(a, b))  # the prime has 254 bits: no carry


def _emit_subtract(builder, a, b):
    difference = builder.sub(a, b)
    negative = builder.icmp_unsigned("<", a, b)
    return builder.select(negative, builder.add(difference, ir.Constant(_I256, PRIME)), difference)


def _emit_copy(builder, a, _b):
    return a


def _emit_multiply(builder, a, b):
    """Montgomery's product by operand scanning; the prime's two free top bits make carry words needless."""

    def limb(value, index):
        if index:
            value = builder.lshr(value, ir.Constant(_I256, 64 * index))
        return builder.trunc(value, _I64)

    def product_sum(x, y, *addends):
        total = builder.mul(builder.zext(x, _I128), builder.zext(y, _I128))
        for addend in addends:
            total = builder.add(total, builder.zext(addend, _I128))
        high = builder.trunc(builder.lshr(total, ir.Constant(_I128, 64)), _I64)
        return builder.trunc(total, _I64), high

    prime = [ir.Constant(_I64, PRIME >> (64 * i) & _MASK) for i in range(LIMBS)]
    a_limbs = [limb(a, i) for i in range(LIMBS)]
    total = [ir.Constant(_I64, 0)] * LIMBS
    for i in range(LIMBS):
        b_limb = limb(b, i)
        total[0], carry_a = product_sum(a_limbs[0], b_limb, total[0])
        factor = builder.mul(total[0], ir.Constant(_I64, _NEGATED_INVERSE))
        _, carry_m = product_sum(factor, prime[0], total[0])
        for j in range(1, LIMBS):
            total[j], carry_a = product_sum(a_limbs[j], b_limb, total[j], carry_a)
            total[j - 1], carry_m = product_sum(factor, prime[j], total[j], carry_m)
        total[LIMBS - 1] = builder.add(carry_a, carry_m)
    result = builder.zext(total[0], _I256)
    for i in range(1, LIMBS):
        part = builder.shl(builder.zext(total[i], _I256), ir.Constant(_I256, 64 * i))
        result = builder.or_(result, part)
    return _subtract_prime(builder, result)


_add = _field_operation("add", _emit_add)
_subtract = _field_operation("subtract", _emit_subtract)
_copy = _field_operation("copy", _emit_copy)
_multiply = _field_operation("multiply", _emit_multiply)


@njit(cache=True)
def run(w, code, starts, schedule):
    """Run, one after another, the programs that ``schedule`` names by number; program n is the rows of
    ``code`` from ``starts[n]`` to ``starts[n + 1]``."""
    for number in schedule:
        for row in range(starts[number], starts[number + 1]):
            operation, out, a, b, count = code[row, 0], code[row, 1], code[row, 2], code[row, 3], code[row, 4]
            if operation == ADD:
                for i in range(0, 4 * count, 4):
                    _add(w, out + i, a + i, b + i)
            elif operation == SUBTRACT:
                for i in range(0, 4 * count, 4):
                    _subtract(w, out + i, a + i, b + i)
            elif operation == COPY:
                for i in range(0, 4 * count, 4):
                    _copy(w, out + i, a + i, a + i)
            elif operation == MULTIPLY2:  # Karatsuba
                _add(w, 8, a, a + 4)
                _add(w, 12, b, b + 4)
                _multiply(w, 0, a, b)
                _multiply(w, 4, a + 4, b + 4)
                _multiply(w, 8, 8, 12)
                _subtract(w, out, 0, 4)
                _subtract(w, 8, 8, 0)
                _subtract(w, out + 4, 8, 4)
            elif operation == SQUARE2:
                _add(w, 0, a, a + 4)
                _subtract(w, 4, a, a + 4)
                _multiply(w, 8, a, a + 4)
                _multiply(w, out, 0, 4)
                _add(w, out + 4, 8, 8)
            else:
                for i in range(0, 4 * count, 4):
                    _multiply(w, out + i, a + i, b + i)
