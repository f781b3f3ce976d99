"""How the sets of kernels multiply items with weights and sum the products in 32-bit lanes, as LLVM instructions.

Items and weights come in *steps* of 32 bits, one for each lane of sums: two of 16 bits or four of 8 bits, those of the
weights signed, in the order of the terms that they multiply. Every function here adds to lane i the sum of the products
of its step. Sums are taken modulo 2^32, in whatever order: so they are right where the last one fits 32 bits,
signed, whatever happened between. What the instructions hold besides:

- ``vpdpwssd`` and ``vpmaddwd`` sum two products of 16 bits in 32 bits. Only (-2^15)·(-2^15)·2 = 2^31 is beyond, and
  wraps.
- ``vpdpbusd`` and ``sdot`` sum four products exactly, the first of unsigned items and signed weights (within
  255·128·4 < 2^31), the second of signed ones.
- ``vpmaddubsw`` sums two products of unsigned items and signed weights in 16 bits, and saturates; ``smull`` multiplies
  signed ones to 16 bits, of which two are added. So the caller proves that two products stay within 2^15 - 1
  (``KernelSet.narrow_sums``).
"""

# mypy: ignore-errors
from __future__ import annotations

from llvmlite import ir

I8, I16, I32, I64 = (ir.IntType(bits) for bits in (8, 16, 32, 64))

#: Bits of a step.
STEP_BITS = 32


def splat(builder, value, count):
    """``value`` in each of ``count`` lanes."""
    vector = ir.VectorType(value.type, count)
    first = builder.insert_element(ir.Constant(vector, ir.Undefined), value, ir.Constant(I32, 0))
    return builder.shuffle_vector(
        first, ir.Constant(vector, ir.Undefined), ir.Constant(ir.VectorType(I32, count), [0] * count)
    )


def chosen(builder, a, b, lanes):
    """The lanes of two vectors, counted through both."""
    return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(I32, len(lanes)), list(lanes)))


def every(builder, vector, start, step):
    """Lanes ``start``, ``start + step`` … of a vector."""
    return chosen(builder, vector, ir.Constant(vector.type, ir.Undefined), range(start, vector.type.count, step))


def broadcast(builder, kernels, step, item):
    """A step, given as 32 bits, in every lane: a vector of items."""
    items = STEP_BITS // item.width
    if kernels.pairs != "smlal":
        return builder.bitcast(splat(builder, step, kernels.lanes), ir.VectorType(item, items * kernels.lanes))
    # as lanes of a small vector, from which LLVM selects multiplications by one element
    pair = ir.VectorType(I32, 2)
    small = builder.bitcast(
        builder.insert_element(ir.Constant(pair, ir.Undefined), step, ir.Constant(I32, 0)),
        ir.VectorType(item, 64 // item.width),
    )
    return chosen(builder, small, small, list(range(items)) * kernels.lanes)


def add_products(builder, kernels, total, items, weights):
    """``total[i] + Σ_j items[j]·weights[j]`` over the items of step i; vectors of steps."""
    emit = _EMITTERS[kernels.pairs if items.type.element.width == 16 else kernels.quads]
    return emit(builder, total, items, weights)


def _called(builder, name, result, operands, kinds=None):
    """A call of an LLVM intrinsic; operands are taken as ``kinds``."""
    kinds = kinds or [operand.type for operand in operands]
    function = builder.module.globals.get(name) or ir.Function(builder.module, ir.FunctionType(result, kinds), name)
    operands = [builder.bitcast(operand, kind) for operand, kind in zip(operands, kinds, strict=True)]
    return builder.call(function, operands)


def _fused(name):
    """An instruction that multiplies and adds to the sums."""

    def emit(builder, total, items, weights):
        bits = total.type.count * 32
        return _called(builder, f"llvm.x86.avx512.{name}.{bits}", total.type, [total, items, weights], [total.type] * 3)

    return emit


def _madd_words(builder, total, items, weights):
    name = "llvm.x86.avx512.pmaddw.d.512" if total.type.count == 16 else "llvm.x86.avx2.pmadd.wd"
    return builder.add(total, _called(builder, name, total.type, [items, weights]))


def _madd_bytes(builder, total, items, weights):
    words = ir.VectorType(I16, 2 * total.type.count)
    name = "llvm.x86.avx512.pmaddubs.w.512" if total.type.count == 16 else "llvm.x86.avx2.pmadd.ub.sw"
    halves = _called(builder, name, words, [items, weights])
    return _madd_words(builder, total, halves, ir.Constant(words, [1] * words.count))


def _sdot(builder, total, items, weights):
    return _called(builder, "llvm.aarch64.neon.sdot.v4i32.v16i8", total.type, [total, items, weights])


def _smull_bytes(builder, total, items, weights):
    """First halves of the steps, then second ones: 16-bit products, whose sums are added to 32 bits in pairs."""
    halves = ir.VectorType(I16, items.type.count // 2)
    lower = ir.VectorType(I8, items.type.count // 2)
    products = None
    for half in (0, 1):
        factors = [
            builder.bitcast(every(builder, builder.bitcast(vector, halves), half, 2), lower)
            for vector in (items, weights)
        ]
        wide = [builder.sext(factor, halves) for factor in factors]
        product = builder.mul(*wide)
        products = product if products is None else builder.add(products, product)
    summed = _called(builder, "llvm.aarch64.neon.saddlp.v4i32.v8i16", total.type, [products])
    return builder.add(total, summed)


def _plain(extend_items):
    """In LLVM's own instructions; products are widened to 32 bits by ``extend_items`` and sign."""

    def emit(builder, total, items, weights):
        steps = items.type.count // total.type.count
        for start in range(steps):
            item = getattr(builder, extend_items)(every(builder, items, start, steps), total.type)
            weight = builder.sext(every(builder, weights, start, steps), total.type)
            total = builder.add(total, builder.mul(item, weight))
        return total

    return emit


_EMITTERS = {
    "vpdpwssd": _fused("vpdpwssd"),
    "vpmaddwd": _madd_words,
    "smlal": _plain("sext"),  # with every second lane, LLVM selects smlal by element
    "plain words": _plain("sext"),
    "vpdpbusd": _fused("vpdpbusd"),
    "vpmaddubsw": _madd_bytes,
    "sdot": _sdot,
    "smull": _smull_bytes,
    "plain bytes": _plain("zext"),
}
