"""Raw memory for compiled handlers: 64-bit fields at addresses, typed arrays over them, allocation."""

# mypy: ignore-errors
from __future__ import annotations

import numba
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from smartvm.vm.dnn.compiling.parts import helper

_I64 = ir.IntType(64)

#: C's malloc and free, as Numba's runtime exports them on every platform.
_allocate = types.ExternalFunction("NRT_Allocate", types.intp(types.intp))
_free = types.ExternalFunction("NRT_Free", types.void(types.intp))


@intrinsic
def load(typing_context, address, index):
    """The signed 64-bit field ``index`` of the structure at ``address``."""

    def generate(context, builder, signature, arguments):
        pointer = builder.inttoptr(arguments[0], _I64.as_pointer())
        return builder.load(builder.gep(pointer, [arguments[1]]))

    return types.int64(types.int64, types.int64), generate


@intrinsic
def store(typing_context, address, index, value):
    """Write a field."""

    def generate(context, builder, signature, arguments):
        pointer = builder.inttoptr(arguments[0], _I64.as_pointer())
        builder.store(arguments[2], builder.gep(pointer, [arguments[1]]))
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), generate


def _array(dtype):
    @intrinsic
    def pointer(typing_context, address):
        def generate(context, builder, signature, arguments):
            return builder.inttoptr(arguments[0], context.get_value_type(signature.return_type))

        return types.CPointer(dtype)(types.int64), generate

    @helper
    def view(address, count):
        return numba.carray(pointer(address), (count,))

    return view


int8_array = _array(types.int8)
int16_array = _array(types.int16)
int32_array = _array(types.int32)
int64_array = _array(types.int64)
byte_array = _array(types.uint8)


@intrinsic
def load_big_endian(typing_context, address):
    """The signed big-endian 64-bit integer at an address of any alignment."""

    def generate(context, builder, signature, arguments):
        value = builder.load(builder.inttoptr(arguments[0], _I64.as_pointer()), align=1)
        return builder.bswap(value)

    return types.int64(types.int64), generate


@intrinsic
def store_big_endian(typing_context, address, value):
    """Write a signed integer as eight big-endian bytes at an address of any alignment."""

    def generate(context, builder, signature, arguments):
        pointer = builder.inttoptr(arguments[0], _I64.as_pointer())
        builder.store(builder.bswap(arguments[1]), pointer, align=1)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), generate


@intrinsic
def call_function(typing_context, address, argument):
    """What the C function at an address gives for a number."""

    def generate(context, builder, signature, arguments):
        kind = ir.FunctionType(_I64, [_I64])
        return builder.call(builder.inttoptr(arguments[0], kind.as_pointer()), [arguments[1]])

    return types.int64(types.int64, types.int64), generate


def _move(name):
    @intrinsic
    def move(typing_context, target, source, size):
        def generate(context, builder, signature, arguments):
            byte = ir.IntType(8).as_pointer()
            target, source = (builder.inttoptr(a, byte) for a in arguments[:2])
            getattr(cgutils, name)(builder, target, source, arguments[2], 1)
            return context.get_dummy_value()

        return types.void(types.int64, types.int64, types.int64), generate

    return move


copy_bytes = _move("raw_memcpy")


@helper
def allocate(size):
    """Memory of ``size`` bytes; its address, 0 when there is none."""
    return numba.int64(_allocate(size))


@helper
def free(address):
    """Give memory back."""
    _free(address)
