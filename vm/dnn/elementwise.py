"""Item-wise instructions: ACT_RL, BUF_SCL0, BUF_SCL1, BUF_BIAS, BUF_ADD, BUF_MUL.

Each computes in the narrowest integer type that its result's proven bound allows, else on limbs.
"""

from __future__ import annotations

import numpy as np
from smartvm.vm.dnn import gas, native
from smartvm.vm.dnn import items as item_arrays
from smartvm.vm.dnn.blocks import WeightBlock
from smartvm.vm.dnn.buffer import Buffer
from smartvm.vm.dnn.items import ItemArray
from smartvm.vm.dnn.operands import require_block
from smartvm.vm.dnn.reference import buf_scl1 as divide_integers
from smartvm.vm.extension import InstructionContext


def act_rl(context: InstructionContext) -> None:
    """ACT_RL(cap): max(x, 0), and min(·, cap) when cap > 0."""
    cap = item_arrays.to_signed(context.operands[0])
    if cap < 0:
        raise context.halt("a cap of at least 0", str(cap))
    buffer = context.buffer
    gas.charge_items(context, len(buffer), buffer.bound)
    low, high = buffer.extremes
    if low < 0 or 0 < cap < high:
        buffer.replace(_clipped(buffer, cap if 0 < cap < high else None))


def _clipped(buffer: Buffer, cap: int | None) -> ItemArray:
    array = buffer.array
    if not item_arrays.is_wide(array):
        return np.clip(array, 0, cap)  # a cap below the greatest item fits the type
    result = array.copy()
    result[result[:, -1] >> np.uint64(63) == 1] = 0
    if cap is not None:
        row = item_arrays.widen(item_arrays.from_integers([cap]))[0]
        above = np.zeros(len(result), bool)
        for position in range(item_arrays.LIMBS):  # from the lowest limb up, the higher one decides
            column, limit = result[:, position], row[position]
            above = (column > limit) | ((column == limit) & above)
        result[above] = row
    return item_arrays.narrowed(result)[0]


def buf_scl0(context: InstructionContext) -> None:
    """BUF_SCL0(v): x·v."""
    factor = item_arrays.to_signed(context.operands[0])
    buffer = context.buffer
    bound = buffer.bound * abs(factor)
    gas.charge_items(context, len(buffer), bound)
    if len(buffer) == 0:
        return
    dtype = item_arrays.narrow_type(-bound, bound)
    if dtype is not None:
        # bound = 0 with a factor that the type does not hold: every product is 0
        scale = factor if bound else 0
        buffer.replace(item_arrays.as_type(buffer.array, dtype) * np.array(scale, dtype))
        return
    out = np.zeros((len(buffer), item_arrays.LIMBS), np.uint64)
    factor_row = item_arrays.widen(item_arrays.from_integers([factor]))
    native.multiply_items_wide(np.ascontiguousarray(item_arrays.widen(buffer.array)), factor_row, 0, out)
    buffer.replace(item_arrays.narrowed(out)[0])


def buf_scl1(context: InstructionContext) -> None:
    """BUF_SCL1(v): x / v truncated toward zero; 0 when v = 0."""
    divisor = item_arrays.to_signed(context.operands[0])
    buffer = context.buffer
    gas.charge_items(context, len(buffer), buffer.bound)
    buffer.replace(quotients(buffer, divisor))


def quotients(buffer: Buffer, divisor: int) -> ItemArray:
    """Each item over ``divisor``, truncated toward zero.

    In float64 the truncated quotient is exact below 2^51: where |a| ≥ |d|, a quotient that is no integer is
    at least 1/|d| away from the next integer q, and |q|/2^53 < |a/d|·2^-52 < 1/|d|, so rounding cannot reach
    it.
    """
    bound = buffer.bound
    if divisor == 0 or bound < abs(divisor):
        return item_arrays.zeros(len(buffer))
    if bound < 1 << 51:
        low, high = buffer.extremes
        ends = divide_integers([low, high], divisor)
        dtype = item_arrays.narrow_type(min(ends), max(ends))
        return (item_arrays.as_type(buffer.array, np.float64) / float(divisor)).astype(dtype)
    if bound < 1 << 63:
        values = item_arrays.as_type(buffer.array, np.int64)
        magnitudes = np.abs(values) // abs(divisor)
        return item_arrays.narrowed(np.where((values < 0) != (divisor < 0), -magnitudes, magnitudes))[0]
    return item_arrays.from_integers(divide_integers(buffer.to_integers(), divisor))


def buf_bias(context: InstructionContext) -> None:
    """BUF_BIAS(bias): item i of n gets bias[i / (n/B)]."""
    block = require_block(context, context.operands[0])
    buffer = context.buffer
    if len(buffer) % block.count:
        raise context.halt(f"a Buffer of a multiple of {block.count} items, the bias", f"{len(buffer)} items")
    bound = buffer.bound + block.bound
    gas.charge_items(context, len(buffer), bound)
    if len(buffer):
        buffer.replace(biased(buffer, block, bound))


def biased(buffer: Buffer, block: WeightBlock, bound: int) -> ItemArray:
    """The items with the bias added; ``bound`` limits the sums."""
    dtype = item_arrays.narrow_type(-bound, bound)
    if dtype is not None:
        maps = item_arrays.as_type(buffer.array, dtype).reshape(block.count, -1)
        sums: ItemArray = maps + item_arrays.as_type(block.array, dtype)[:, None]
        return sums.reshape(-1)
    out = item_arrays.widen(buffer.array).copy()
    bias = np.ascontiguousarray(item_arrays.widen(block.array))
    native.add_items_wide(out, bias, len(buffer) // block.count)
    return item_arrays.narrowed(out)[0]


def buf_add(context: InstructionContext) -> None:
    """BUF_ADD: adds the top saved Buffer, of the same length, and drops it."""
    buffer, saved = context.buffer, _saved_of_same_length(context)
    bound = buffer.bound + saved.bound
    gas.charge_items(context, len(buffer), bound)
    context.saved_buffers.pop()
    if len(buffer) == 0:
        return
    dtype = item_arrays.narrow_type(-bound, bound)
    if dtype is not None:
        buffer.replace(item_arrays.as_type(buffer.array, dtype) + item_arrays.as_type(saved.array, dtype))
        return
    out = item_arrays.widen(buffer.array).copy()
    native.add_items_wide(out, np.ascontiguousarray(item_arrays.widen(saved.array)), 1)
    buffer.replace(item_arrays.narrowed(out)[0])


def buf_mul(context: InstructionContext) -> None:
    """BUF_MUL: multiplies by the top saved Buffer, of the same length, and drops it."""
    buffer, saved = context.buffer, _saved_of_same_length(context)
    bound = buffer.bound * saved.bound
    gas.charge_items(context, len(buffer), bound)
    context.saved_buffers.pop()
    if len(buffer) == 0:
        return
    if bound == 0:
        buffer.replace(item_arrays.zeros(len(buffer)))
        return
    dtype = item_arrays.narrow_type(-bound, bound)
    if dtype is not None:
        buffer.replace(item_arrays.as_type(buffer.array, dtype) * item_arrays.as_type(saved.array, dtype))
        return
    out = np.zeros((len(buffer), item_arrays.LIMBS), np.uint64)
    first = np.ascontiguousarray(item_arrays.widen(buffer.array))
    native.multiply_items_wide(first, np.ascontiguousarray(item_arrays.widen(saved.array)), 1, out)
    buffer.replace(item_arrays.narrowed(out)[0])


def _saved_of_same_length(context: InstructionContext) -> Buffer:
    if not context.saved_buffers:
        raise context.halt("a saved Buffer", "none")
    saved = context.saved_buffers[-1]
    if len(saved) != len(context.buffer):
        raise context.halt(f"a saved Buffer of {len(context.buffer)} items", f"{len(saved)} items")
    return saved
