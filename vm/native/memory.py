"""Growing a frame's memory, and reading byte areas beyond whose end there are zeros."""

from __future__ import annotations

import llvmlite.ir as ir
from smartvm.vm.native.emit import I8, I64, I256, POINTER, Value, define
from smartvm.vm.native.instruction import EXPAND_NEEDS_ARENA, EXPAND_OUT_OF_GAS, parameter
from smartvm.vm.native.layout import FRAME, MACHINE, WORD_BYTES


def define_expand_memory(module: ir.Module) -> ir.Function:
    """gas left (frame*, gas, memory*, size, end): pays for growth to ``end`` > size bytes and zeroes what is
    new; or one of the two negative results, with the frame's ``needed`` set to the bytes that the arena must
    hold behind ``memory``."""
    e = define(module, "expand_memory", I64, [POINTER, I64, POINTER, I64, I64])
    frame, gas, memory, size, end = e.arguments
    machine = e.load(frame, POINTER, FRAME["machine"])
    linear = parameter(e, machine, None, "memory_word")
    divisor = parameter(e, machine, None, "memory_quadratic_divisor")

    def price(words: Value) -> Value:
        return words * linear + words * words // divisor

    old_words = size >> 5
    new_words = (end + (WORD_BYTES - 1)) >> 5
    left = gas - (price(new_words) - price(old_words))
    with e.when(left.signed_less(0)):
        e.give(EXPAND_OUT_OF_GAS)
    new_size = new_words << 5
    with e.when(memory.to_integer() + new_size > e.load(machine, I64, MACHINE["memory_end"])):
        e.store(new_size, frame, I64, FRAME["needed"])
        e.give(EXPAND_NEEDS_ARENA)
    e.zero_memory(memory.offset(size), new_size - size)
    e.give(left)
    e.function.attributes.add("noinline")
    return e.function


def define_copy_padded(module: ir.Module) -> ir.Function:
    """void (target*, size, source*, source size, word offset): copy, with zeros for what is behind the
    source."""
    e = define(module, "copy_padded", ir.VoidType(), [POINTER, I64, POINTER, I64, I256])
    target, size, source, source_size, offset = e.arguments
    start = (offset < source_size.extend(I256)).choose(offset.truncate(I64), source_size)
    count = (source_size - start).minimum(size)
    e.copy_memory(target, source.offset(start), count)
    e.zero_memory(target.offset(count), size - count)
    e.give()
    e.function.attributes.add("noinline")
    return e.function


def define_load_padded(module: ir.Module) -> ir.Function:
    """word (source*, source size, word offset): 32 bytes, big-endian, with zeros for what is behind the
    source."""
    e = define(module, "load_padded", I256, [POINTER, I64, I256])
    source, source_size, offset = e.arguments
    with e.when(offset >= source_size.extend(I256)):
        e.give(0)
    start = offset.truncate(I64)
    left = source_size - start
    with e.when(left >= WORD_BYTES):
        e.give(e.byte_swap(e.load(source.offset(start), I256, align=1)))
    result = e.variable(I256, 0)
    i = e.variable(I64, 0)
    with e.loop() as loop:
        loop.break_if(i.value >= left)
        byte = e.load(source.offset(start + i.value), I8, align=1).extend(I256)
        result.value = result.value | (byte << ((e.i64(31) - i.value) << 3).extend(I256))
        i.value = i.value + 1
    e.give(result.value)
    e.function.attributes.add("noinline")
    return e.function
