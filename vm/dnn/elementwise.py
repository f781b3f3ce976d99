"""Item-wise instructions: ACT_RL, BUF_SCL0, BUF_SCL1, BUF_BIAS, BUF_ADD, BUF_MUL.

Each computes in the narrowest integer type that its result's proven bound allows, else on limbs.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from smartvm.vm.dnn import gas, native
from smartvm.vm.dnn import items as item_arrays
from smartvm.vm.dnn.blocks import WeightBlock
from smartvm.vm.dnn.buffer import Buffer
from smartvm.vm.dnn.items import ItemArray, truncated_quotient, wrap
from smartvm.vm.dnn.operands import require_block
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
        ends = (_rectified(low, cap), _rectified(high, cap))  # it is monotone
        buffer.replace(_clipped(buffer, cap if 0 < cap < high else None), ends)


def _rectified(value: int, cap: int) -> int:
    return min(max(value, 0), cap) if cap else max(value, 0)


def _clipped(buffer: Buffer, cap: int | None) -> ItemArray:
    array = buffer.array
    if not item_arrays.is_wide(array):
        result = np.maximum(array, 0)
        return (
            result if cap is None else np.minimum(result, cap, out=result)
        )  # a cap below an item fits the type
    result = array.copy()
    result[result[:, -1] >> np.uint64(63) == 1] = 0
    if cap is not None:
        row = item_arrays.widen(item_arrays.from_integers([cap]))[0]
        above = np.zeros(len(result), bool)
        for position in range(item_arrays.LIMBS):  # from the lowest limb up, the higher one decides
            column, limit = result[:, position], row[position]
            above = (column > limit) | ((column == limit) & above)
        result[above] = row
    return result


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
        low, high = (end * factor for end in buffer.extremes)
        products = item_arrays.as_type(buffer.array, dtype) * np.array(scale, dtype)
        buffer.replace(products, (min(low, high), max(low, high)))
        return
    out = np.zeros((len(buffer), item_arrays.LIMBS), np.uint64)
    factor_row = item_arrays.widen(item_arrays.from_integers([factor]))
    native.multiply_items_wide(np.ascontiguousarray(item_arrays.widen(buffer.array)), factor_row, 0, out)
    buffer.hold(out)


def buf_scl1(context: InstructionContext) -> None:
    """BUF_SCL1(v): x / v truncated toward zero; 0 when v = 0."""
    divisor = item_arrays.to_signed(context.operands[0])
    buffer = context.buffer
    gas.charge_items(context, len(buffer), buffer.bound)
    ends = divide_integers(buffer.extremes, divisor)  # the division is monotone but where it wraps
    wraps = divisor == -1 and buffer.extremes[0] == item_arrays.ITEM_MIN
    quotient = quotients(buffer, divisor)
    if wraps:
        buffer.hold(quotient)
    else:
        buffer.replace(quotient, (min(ends), max(ends)))


def divide_integers(values: Iterable[int], divisor: int) -> list[int]:
    """Truncated quotients of Python integers; −2^255 / −1 wraps, as with SDIV."""
    return [wrap(truncated_quotient(value, divisor)) for value in values]


def quotients(buffer: Buffer, divisor: int) -> ItemArray:
    """Each item over ``divisor``, truncated toward zero.

    In float64 the truncated quotient is exact below 2^51: where |a| ≥ |d|, a quotient that is no integer is
    at least 1/|d| away from the next integer q, and |q|/2^53 < |a/d|·2^-52 < 1/|d|, so rounding cannot reach
    it.
    """
    bound = buffer.bound
    if divisor == 0 or bound < abs(divisor):
        return item_arrays.zeros(len(buffer))
    low, high = divide_integers(buffer.extremes, divisor)
    dtype = item_arrays.narrow_type(min(low, high), max(low, high))
    if bound < 1 << 51:
        return (item_arrays.as_type(buffer.array, np.float64) / float(divisor)).astype(dtype)
    if bound < 1 << 63:
        values = item_arrays.as_type(buffer.array, np.int64)
        magnitudes = np.abs(values) // abs(divisor)
        signed = np.where((values < 0) != (divisor < 0), -magnitudes, magnitudes)
        return item_arrays.as_type(signed, dtype)
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
    return out


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
    buffer.hold(out)


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
    buffer.hold(out)


def _saved_of_same_length(context: InstructionContext) -> Buffer:
    if not context.saved_buffers:
        raise context.halt("a saved Buffer", "none")
    saved = context.saved_buffers[-1]
    if len(saved) != len(context.buffer):
        raise context.halt(f"a saved Buffer of {len(context.buffer)} items", f"{len(saved)} items")
    return saved
