"""BLAKE2b's compression function with any number of rounds, as an LLVM function (RFC 7693, section 3.2)."""

# mypy: ignore-errors
from __future__ import annotations

from llvmlite import ir

_I64 = ir.IntType(64)
_POINTER = _I64.as_pointer()

#: The initial values: the fractional parts of the first eight primes' square roots.
_INITIAL = (
    0x6A09E667F3BCC908,
    0xBB67AE8584CAA73B,
    0x3C6EF372FE94F82B,
    0xA54FF53A5F1D36F1,
    0x510E527FADE682D1,
    0x9B05688C2B3E6C1F,
    0x1F83D9ABFB41BD6B,
    0x5BE0CD19137E2179,
)

#: Which message words a round mixes in, by round modulo ten.
_SCHEDULE = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
    (14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3),
    (11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4),
    (7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8),
    (9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13),
    (2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9),
    (12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11),
    (13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10),
    (6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5),
    (10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0),
)

#: Which of the sixteen working words each of a round's eight mixings takes: columns, then diagonals.
_MIXED = (
    (0, 4, 8, 12),
    (1, 5, 9, 13),
    (2, 6, 10, 14),
    (3, 7, 11, 15),
    (0, 5, 10, 15),
    (1, 6, 11, 12),
    (2, 7, 8, 13),
    (3, 4, 9, 14),
)


def _mix(builder, v, places, x, y):
    rotate = builder.module.declare_intrinsic("llvm.fshr", [_I64], ir.FunctionType(_I64, [_I64] * 3))

    def turned(value, count):
        return builder.call(rotate, [value, value, ir.Constant(_I64, count)])

    a, b, c, d = (v[place] for place in places)
    for word, first, second in ((x, 32, 24), (y, 16, 63)):
        a = builder.add(builder.add(a, b), word)
        d = turned(builder.xor(d, a), first)
        c = builder.add(c, d)
        b = turned(builder.xor(b, c), second)
    for place, value in zip(places, (a, b, c, d), strict=True):
        v[place] = value


def define_blake2(module: ir.Module) -> None:
    """``blake2_compress(rounds, state*, message*, counter low, counter high, final)``: eight words of state,
    changed in place by sixteen of message."""
    function = ir.Function(
        module,
        ir.FunctionType(ir.VoidType(), [_I64, _POINTER, _POINTER, _I64, _I64, _I64]),
        "blake2_compress",
    )
    rounds, state, message, low, high, final = function.args
    builder = ir.IRBuilder(function.append_basic_block("entry"))

    def word(pointer, index):
        return builder.gep(pointer, [ir.Constant(_I64, index)])

    m = [builder.load(word(message, i), align=1) for i in range(16)]
    start = [builder.load(word(state, i), align=1) for i in range(8)]
    start += [ir.Constant(_I64, value) for value in _INITIAL]
    start[12] = builder.xor(start[12], low)
    start[13] = builder.xor(start[13], high)
    flag = builder.icmp_unsigned("!=", final, ir.Constant(_I64, 0))
    start[14] = builder.select(flag, builder.not_(start[14]), start[14])
    work = [builder.alloca(_I64) for _ in range(16)]
    left = builder.alloca(_I64)
    for place, value in zip(work, start, strict=True):
        builder.store(value, place)
    builder.store(rounds, left)

    tests = [function.append_basic_block(f"test{i}") for i in range(10)]
    end = function.append_basic_block("end")
    builder.branch(tests[0])
    for i, schedule in enumerate(_SCHEDULE):
        builder.position_at_end(tests[i])
        count = builder.load(left)
        body = function.append_basic_block(f"round{i}")
        builder.cbranch(builder.icmp_unsigned("==", count, ir.Constant(_I64, 0)), end, body)
        builder.position_at_end(body)
        builder.store(builder.sub(count, ir.Constant(_I64, 1)), left)
        v = [builder.load(place) for place in work]
        for j, places in enumerate(_MIXED):
            _mix(builder, v, places, m[schedule[2 * j]], m[schedule[2 * j + 1]])
        for place, value in zip(work, v, strict=True):
            builder.store(value, place)
        builder.branch(tests[(i + 1) % 10])

    builder.position_at_end(end)
    v = [builder.load(place) for place in work]
    for i in range(8):
        value = builder.xor(builder.load(word(state, i), align=1), builder.xor(v[i], v[i + 8]))
        builder.store(value, word(state, i), align=1)
    builder.ret_void()
