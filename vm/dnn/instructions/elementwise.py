"""Item-wise instructions: ACT_RL, BUF_SCL0, BUF_SCL1, BUF_BIAS, BUF_ADD, BUF_MUL.

Each computes in the narrowest integer type that its result's proven bound allows, else on limbs; items stay in the
order in which they are stored. ACT_RL, BUF_SCL1 and BUF_BIAS join work that the Buffer put off (``deferred``).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from smartvm.vm.dnn import items as item_arrays
from smartvm.vm.dnn.buffer import Buffer, Deferred
from smartvm.vm.dnn.compiling.machine_code import native
from smartvm.vm.dnn.instructions import gas
from smartvm.vm.dnn.instructions.operands import require_block
from smartvm.vm.dnn.items import ItemArray, truncated_quotient, wrap
from smartvm.vm.dnn.weights.blocks import WeightBlock
from smartvm.vm.extension import InstructionContext


def act_rl(context: InstructionContext) -> None:
    """ACT_RL(cap): max(x, 0), and min(·, cap) when cap > 0."""
    cap = item_arrays.to_signed(context.operands[0])
    if cap < 0:
        raise context.halt("a cap of at least 0", str(cap))
    buffer = context.buffer
    work = _joinable(context)
    if work is not None:
        bound = work.bound
        if work.rectify(cap):
            gas.charge_items(context, len(buffer), bound)
            return
    gas.charge_items(context, len(buffer), buffer.bound)
    low, high = buffer.extremes
    if low < 0 or 0 < cap < high:
        ends = (_rectified(low, cap), _rectified(high, cap))  # it is monotone
        buffer.replace(_clipped(buffer, cap if 0 < cap < high else None), ends, buffer.layout)


def _joinable(context: InstructionContext, added: int = 0) -> Deferred | None:
    """The work that the Buffer put off, where an instruction's gas is certain without its result."""
    work = context.buffer.deferred
    return work if work is not None and gas.is_cheap_item(context, work.bound + added) else None


def _rectified(value: int, cap: int) -> int:
    return min(max(value, 0), cap) if cap else max(value, 0)


def _clipped(buffer: Buffer, cap: int | None) -> ItemArray:
    array = buffer.stored
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
    layout = buffer.layout
    dtype = item_arrays.narrow_type(-bound, bound)
    if dtype is not None:
        # bound = 0 with a factor that the type does not hold: every product is 0
        scale = factor if bound else 0
        low, high = (end * factor for end in buffer.extremes)
        products = item_arrays.as_type(buffer.stored, dtype) * np.array(scale, dtype)
        buffer.replace(products, (min(low, high), max(low, high)), layout)
        return
    out = np.zeros((len(buffer), item_arrays.LIMBS), np.uint64)
    factor_row = item_arrays.widen(item_arrays.from_integers([factor]))
    native.multiply_items_wide(np.ascontiguousarray(item_arrays.widen(buffer.stored)), factor_row, 0, out)
    buffer.hold(out, layout)


def buf_scl1(context: InstructionContext) -> None:
    """BUF_SCL1(v): x / v truncated toward zero; 0 when v = 0."""
    divisor = item_arrays.to_signed(context.operands[0])
    buffer = context.buffer
    work = _joinable(context)
    if work is not None:
        bound = work.bound
        if work.divide(divisor):
            gas.charge_items(context, len(buffer), bound)
            return
    gas.charge_items(context, len(buffer), buffer.bound)
    ends = divide_integers(buffer.extremes, divisor)  # the division is monotone but where it wraps
    wraps = divisor == -1 and buffer.extremes[0] == item_arrays.ITEM_MIN
    quotient = quotients(buffer, divisor)
    if wraps:
        buffer.hold(quotient, buffer.layout)
    else:
        buffer.replace(quotient, (min(ends), max(ends)), buffer.layout)


def divide_integers(values: Iterable[int], divisor: int) -> list[int]:
    """Truncated quotients of Python integers; −2^255 / −1 wraps, as with SDIV."""
    return [wrap(truncated_quotient(value, divisor)) for value in values]


def quotients(buffer: Buffer, divisor: int) -> ItemArray:
    """Each item over ``divisor``, truncated toward zero, in the order in which they are stored.

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
        return (item_arrays.as_type(buffer.stored, np.float64) / float(divisor)).astype(dtype)
    if bound < 1 << 63:
        values = item_arrays.as_type(buffer.stored, np.int64)
        magnitudes = np.abs(values) // abs(divisor)
        signed = np.where((values < 0) != (divisor < 0), -magnitudes, magnitudes)
        return item_arrays.as_type(signed, dtype)
    return item_arrays.from_integers(divide_integers(item_arrays.to_integers(buffer.stored), divisor))


def buf_bias(context: InstructionContext) -> None:
    """BUF_BIAS(bias): item i of n gets bias[i / (n/B)]."""
    block = require_block(context, context.operands[0])
    buffer = context.buffer
    if len(buffer) % block.count:
        raise context.halt(f"a Buffer of a multiple of {block.count} items, the bias", f"{len(buffer)} items")
    work = _joinable(context, block.bound)
    if work is not None and work.add_bias(block):
        gas.charge_items(context, len(buffer), work.bound)
        return
    bound = buffer.bound + block.bound
    gas.charge_items(context, len(buffer), bound)
    if len(buffer):
        sums, layout = biased(buffer, block, bound)
        buffer.replace(sums, layout=layout)


def biased(buffer: Buffer, block: WeightBlock, bound: int) -> tuple[ItemArray, int]:
    """The items with the bias added, and their layout; ``bound`` limits the sums."""
    dtype = item_arrays.narrow_type(-bound, bound)
    if dtype is not None:
        bias = item_arrays.as_type(block.array, dtype)
        if buffer.layout == block.count:
            maps = item_arrays.as_type(buffer.stored, dtype).reshape(-1, block.count)
            return (maps + bias).reshape(-1), block.count
        maps = item_arrays.as_type(buffer.array, dtype).reshape(block.count, -1)
        return (maps + bias[:, None]).reshape(-1), 1
    out = item_arrays.widen(buffer.array).copy()
    limbs = np.ascontiguousarray(item_arrays.widen(block.array))
    native.add_items_wide(out, limbs, len(buffer) // block.count)
    return out, 1


def buf_add(context: InstructionContext) -> None:
    """BUF_ADD: adds the top saved Buffer, of the same length, and drops it."""
    buffer, saved = context.buffer, _saved_of_same_length(context)
    bound = buffer.bound + saved.bound
    gas.charge_items(context, len(buffer), bound)
    context.saved_buffers.pop()
    if len(buffer) == 0:
        return
    first, second, layout = _aligned(buffer, saved)
    dtype = item_arrays.narrow_type(-bound, bound)
    if dtype == np.int16 or (dtype == np.int32 and max(first.itemsize, second.itemsize) <= 2):
        out = np.empty(len(first), np.int16)
        low, high = native.add_items(
            item_arrays.as_type(first, np.int16), item_arrays.as_type(second, np.int16), out
        )
        if item_arrays.fits_width(low, high, 2):
            buffer.replace(out, (int(low), int(high)), layout)
            return
    if dtype is not None:
        sums = item_arrays.as_type(first, dtype) + item_arrays.as_type(second, dtype)
        buffer.replace(sums, layout=layout)
        return
    out = item_arrays.widen(first).copy()
    native.add_items_wide(out, np.ascontiguousarray(item_arrays.widen(second)), 1)
    buffer.hold(out, layout)


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
    first, second, layout = _aligned(buffer, saved)
    dtype = item_arrays.narrow_type(-bound, bound)
    if dtype is not None:
        products = item_arrays.as_type(first, dtype) * item_arrays.as_type(second, dtype)
        buffer.replace(products, layout=layout)
        return
    out = np.zeros((len(buffer), item_arrays.LIMBS), np.uint64)
    rows = np.ascontiguousarray(item_arrays.widen(first)), np.ascontiguousarray(item_arrays.widen(second))
    native.multiply_items_wide(*rows, 1, out)
    buffer.hold(out, layout)


def _aligned(buffer: Buffer, saved: Buffer) -> tuple[ItemArray, ItemArray, int]:
    """The items of both in one order, and that order."""
    if buffer.layout == saved.layout:
        return buffer.stored, saved.stored, buffer.layout
    if buffer.layout > 1:
        return buffer.stored, saved.channels_last(buffer.layout), buffer.layout
    return buffer.channels_last(saved.layout), saved.stored, saved.layout


def _saved_of_same_length(context: InstructionContext) -> Buffer:
    if not context.saved_buffers:
        raise context.halt("a saved Buffer", "none")
    saved = context.saved_buffers[-1]
    if len(saved) != len(context.buffer):
        raise context.halt(f"a saved Buffer of {len(context.buffer)} items", f"{len(saved)} items")
    return saved
