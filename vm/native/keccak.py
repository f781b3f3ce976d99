"""KECCAK-256: Keccak-f[1600] with one unrolled round in a loop of 24. Source: FIPS 202; EVM's padding byte is
0x01."""

from __future__ import annotations

import llvmlite.ir as ir
from smartvm.vm.native.emit import I8, I64, I256, POINTER, Emitter, Value, define
from smartvm.vm.native.layout import DIGEST, DIGEST_TABLE_BITS, MACHINE

RATE = 136
ROUNDS = 24
LANES = 25


def _round_constants() -> list[int]:
    """FIPS 202's linear feedback shift register."""
    constants = []
    state = 1
    for _ in range(ROUNDS):
        constant = 0
        for j in range(7):
            if state & 1:
                constant |= 1 << ((1 << j) - 1)
            state <<= 1
            if state & 0x100:
                state ^= 0x171
        constants.append(constant)
    return constants


def _rotations() -> list[int]:
    """Rotation of lane x + 5 y."""
    rotations = [0] * LANES
    x, y = 1, 0
    for t in range(ROUNDS):
        rotations[x + 5 * y] = (t + 1) * (t + 2) // 2 % 64
        x, y = y, (2 * x + 3 * y) % 5
    return rotations


def _rotate(e: Emitter, value: Value, count: int) -> Value:
    return e.intrinsic("llvm.fshl", I64, value, value, count) if count else value


def _round(e: Emitter, lanes: list[Value], constant: Value) -> list[Value]:
    rotations = _rotations()
    columns = [lanes[x] ^ lanes[x + 5] ^ lanes[x + 10] ^ lanes[x + 15] ^ lanes[x + 20] for x in range(5)]
    parity = [columns[(x + 4) % 5] ^ _rotate(e, columns[(x + 1) % 5], 1) for x in range(5)]
    # row by row, so that few values are live at once
    result: list[Value] = []
    for y in range(5):
        row = []
        for x in range(5):
            # the lane that rho and pi bring to (x, y)
            source = (x + 3 * y) % 5 + 5 * x
            row.append(_rotate(e, lanes[source] ^ parity[source % 5], rotations[source]))
        result += [row[x] ^ (~row[(x + 1) % 5] & row[(x + 2) % 5]) for x in range(5)]
    result[0] = result[0] ^ constant
    return result


def _define_permutation(module: ir.Module) -> ir.Function:
    kind = ir.ArrayType(I64, ROUNDS)
    table = ir.GlobalVariable(module, kind, "keccak_round_constants")
    table.initializer = ir.Constant(kind, _round_constants())
    table.global_constant = True
    table.linkage = "internal"
    e = define(module, "keccak_permutation", ir.VoidType(), [POINTER])
    (state,) = e.arguments
    lanes = [e.variable(I64, e.load(state, I64, i)) for i in range(LANES)]
    number = e.variable(I64, 0)
    with e.loop() as loop:
        values = [lane.value for lane in lanes]
        values = _round(e, values, e.load(e.address_of(table), I64, number.value))
        values = _round(e, values, e.load(e.address_of(table), I64, number.value + 1))
        for lane, value in zip(lanes, values, strict=True):
            lane.value = value
        number.value = number.value + 2
        loop.break_if(number.value >= ROUNDS)
    for i, lane in enumerate(lanes):
        e.store(lane.value, state, I64, i)
    e.give()
    return e.function


def define_keccak(module: ir.Module) -> ir.Function:
    """void keccak256(data*, size, digest*): 32 bytes to ``digest``, in the hash's byte order."""
    permutation = _define_permutation(module)
    e = define(module, "keccak256", ir.VoidType(), [POINTER, I64, POINTER])
    data, size, digest = e.arguments
    state = e.stack_slot(I64, LANES)
    e.zero_memory(state, e.i64(8 * LANES))
    block = e.stack_slot(I64, RATE // 8)

    def absorb(source: Value) -> None:
        for i in range(RATE // 8):
            e.store(e.load(state, I64, i) ^ e.load(source, I64, i, align=1), state, I64, i)
        e.call(permutation, state)

    place = e.variable(POINTER, data)
    left = e.variable(I64, size)
    with e.loop() as loop:
        loop.break_if(left.value < RATE)
        absorb(place.value)
        place.value = place.value.offset(RATE)
        left.value = left.value - RATE
    e.zero_memory(block, e.i64(RATE))
    e.copy_memory(block, place.value, left.value)
    last = block.offset(left.value)
    e.store(e.constant(I8, 1), last, I8, align=1)
    end = block.offset(RATE - 1)
    e.store(e.load(end, I8, align=1) | 0x80, end, I8, align=1)
    absorb(block)
    for i in range(4):
        e.store(e.load(state, I64, i), digest, I64, i, align=1)
    e.give()
    return e.function


def define_remembered_keccak(module: ir.Module, keccak: ir.Function) -> ir.Function:
    """void (machine*, data*, size, digest*): like ``keccak``, but areas of 32 and 64 bytes, of which
    contracts hash the same ones again and again to find the slots of mappings and arrays, are looked up in
    the machine's table first."""
    e = define(module, "remembered_keccak", ir.VoidType(), [POINTER, POINTER, I64, POINTER])
    machine, data, size, digest = e.arguments
    is_pair = size.equals(64)
    with e.when(~(is_pair | size.equals(32))):
        e.call(keccak, data, size, digest)
        e.give()
    first = e.load(data, I256, align=1)
    second = e.variable(I256, 0)
    with e.when(is_pair):
        second.value = e.load(data.offset(32), I256, align=1)
    total = size
    for i in range(8):
        word = first if i < 4 else second.value
        key = e.load(machine, I64, MACHINE["hash_keys"] + i)
        total = total + (word >> (64 * (i % 4))).truncate(I64) * key
    index = total >> (64 - DIGEST_TABLE_BITS)
    entry = e.load(machine, POINTER, MACHINE["digests"]).offset(index * (8 * DIGEST.size))
    known = e.load(entry, I64, DIGEST["size"]).equals(size)
    known = known & e.load(entry, I256).equals(first) & e.load(entry.offset(32), I256).equals(second.value)
    place = entry.offset(8 * DIGEST["digest"])
    with e.when(~known):
        e.call(keccak, data, size, place)
        e.store(first, entry)
        e.store(second.value, entry.offset(32))
        e.store(size, entry, I64, DIGEST["size"])
    e.store(e.load(place, I256), digest, align=1)
    e.give()
    return e.function
