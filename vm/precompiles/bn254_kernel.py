"""The compiled machine that runs ``bn254_programs``: arithmetic modulo the prime on registers of one flat
array.

A program is an array of rows (operation, out, a, b, count). Registers are named by their offset in 64-bit
limbs; an output may be the same register as an input. One small function is compiled instead of a tower of
fifty; an operation takes ten times as long as its dispatch. Nothing here is secret, so nothing runs in
constant time.
"""

# mypy: ignore-errors
from __future__ import annotations

from llvmlite import ir
from smartvm.vm.precompiles.bn254_field import LIMBS, PRIME

#: Operations; those on vectors repeat ``count`` times over consecutive elements.
ADD, SUBTRACT, COPY, MULTIPLY, MULTIPLY2, SQUARE2 = range(6)

#: The first registers are scratch of the operations on Fp2.
SCRATCH_LIMBS = 4 * LIMBS

_I8 = ir.IntType(8)
_I64 = ir.IntType(64)
_I128 = ir.IntType(128)
_I256 = ir.IntType(256)
_REGISTER = _I256.as_pointer()
_ROW = 5
_NEGATED_INVERSE = -pow(PRIME, -1, 1 << 64) % (1 << 64)
_MASK = (1 << 64) - 1


def _define(module, name, emit):
    """A function ``(out*, a*, b*)`` of the field that ``emit(builder, a, b)`` computes; never inlined, for it
    is used dozens of times."""
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [_REGISTER] * 3), f"bn254_{name}")
    function.linkage = "internal"
    function.attributes.add("noinline")
    builder = ir.IRBuilder(function.append_basic_block())
    out, a, b = function.args
    builder.store(emit(builder, builder.load(a, align=8), builder.load(b, align=8)), out, align=8)
    builder.ret_void()
    return function


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


class _Emitter:
    """Emits one operation of the machine: registers are 64-bit offsets, scratch is named by number."""

    def __init__(self, builder, workspace, functions):
        self.builder = builder
        self.workspace = workspace
        self.functions = functions

    def register(self, offset):
        if isinstance(offset, int):
            offset = ir.Constant(_I64, offset)
        return self.builder.bitcast(self.builder.gep(self.workspace, [offset]), _REGISTER)

    def second(self, offset):
        """The imaginary part's register."""
        return self.builder.add(offset, ir.Constant(_I64, LIMBS))

    def do(self, name, out, a, b):
        self.builder.call(self.functions[name], [self.register(offset) for offset in (out, a, b)])

    def repeated(self, name, out, a, b, count):
        """The operation on ``count`` consecutive elements, at least one."""
        builder = self.builder
        before = builder.block
        loop, done = builder.append_basic_block(), builder.append_basic_block()
        builder.branch(loop)
        builder.position_at_end(loop)
        index = builder.phi(_I64)
        index.add_incoming(ir.Constant(_I64, 0), before)
        offset = builder.mul(index, ir.Constant(_I64, LIMBS))
        self.do(name, *(builder.add(place, offset) for place in (out, a, b)))
        following = builder.add(index, ir.Constant(_I64, 1))
        index.add_incoming(following, loop)
        builder.cbranch(builder.icmp_unsigned("<", following, count), loop, done)
        builder.position_at_end(done)

    def multiply2(self, out, a, b):
        """Karatsuba's product in Fp2."""
        self.do("add", 8, a, self.second(a))
        self.do("add", 12, b, self.second(b))
        self.do("multiply", 0, a, b)
        self.do("multiply", 4, self.second(a), self.second(b))
        self.do("multiply", 8, 8, 12)
        self.do("subtract", out, 0, 4)
        self.do("subtract", 8, 8, 0)
        self.do("subtract", self.second(out), 8, 4)

    def square2(self, out, a):
        """The square in Fp2."""
        self.do("add", 0, a, self.second(a))
        self.do("subtract", 4, a, self.second(a))
        self.do("multiply", 8, a, self.second(a))
        self.do("multiply", out, 0, 4)
        self.do("add", self.second(out), 8, 8)


def define_bn254(module: ir.Module) -> None:
    """``bn254_run(workspace*, code*, starts*, schedule*, length)``: run, one after another, the programs that
    the bytes of ``schedule`` name; program n is the rows of ``code`` from ``starts[n]`` to ``starts[n +
    1]``."""
    functions = {
        "add": _define(module, "add", _emit_add),
        "subtract": _define(module, "subtract", _emit_subtract),
        "copy": _define(module, "copy", _emit_copy),
        "multiply": _define(module, "multiply", _emit_multiply),
    }
    words = _I64.as_pointer()
    run = ir.Function(
        module, ir.FunctionType(ir.VoidType(), [words, words, words, _I8.as_pointer(), _I64]), "bn254_run"
    )
    workspace, code, starts, schedule, length = run.args
    entry, next_program, program, next_row, row_block, after_row, end = (
        run.append_basic_block(name)
        for name in ("entry", "next_program", "program", "next_row", "row", "after_row", "end")
    )
    builder = ir.IRBuilder(entry)
    zero, one = ir.Constant(_I64, 0), ir.Constant(_I64, 1)
    position, row = builder.alloca(_I64), builder.alloca(_I64)
    builder.store(zero, position)
    builder.branch(next_program)

    builder.position_at_end(next_program)
    at = builder.load(position)
    builder.cbranch(builder.icmp_unsigned("<", at, length), program, end)

    builder.position_at_end(program)
    number = builder.zext(builder.load(builder.gep(schedule, [at])), _I64)
    builder.store(builder.add(at, one), position)
    builder.store(builder.load(builder.gep(starts, [number])), row)
    last = builder.load(builder.gep(starts, [builder.add(number, one)]))
    builder.branch(next_row)

    builder.position_at_end(next_row)
    current = builder.load(row)
    builder.cbranch(builder.icmp_unsigned("<", current, last), row_block, next_program)

    builder.position_at_end(row_block)
    fields = builder.gep(code, [builder.mul(current, ir.Constant(_I64, _ROW))])
    operation, out, a, b, count = (
        builder.load(builder.gep(fields, [ir.Constant(_I64, i)])) for i in range(_ROW)
    )
    emitter = _Emitter(builder, workspace, functions)
    choice = builder.switch(operation, after_row)
    for number_of_operation, emit in (
        (ADD, lambda: emitter.repeated("add", out, a, b, count)),
        (SUBTRACT, lambda: emitter.repeated("subtract", out, a, b, count)),
        (COPY, lambda: emitter.repeated("copy", out, a, b, count)),
        (MULTIPLY, lambda: emitter.do("multiply", out, a, b)),
        (MULTIPLY2, lambda: emitter.multiply2(out, a, b)),
        (SQUARE2, lambda: emitter.square2(out, a)),
    ):
        block = run.append_basic_block(f"operation{number_of_operation}")
        choice.add_case(ir.Constant(_I64, number_of_operation), block)
        builder.position_at_end(block)
        emit()
        builder.branch(after_row)

    builder.position_at_end(after_row)
    builder.store(builder.add(current, one), row)
    builder.branch(next_row)

    builder.position_at_end(end)
    builder.ret_void()
