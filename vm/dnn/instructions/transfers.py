"""Instructions that move items: between Buffer, saved Buffers, Memory, stack and blocks, and MAT_MUL, which
reads Memory."""

from __future__ import annotations

from smartvm.vm.dnn import items as item_arrays
from smartvm.vm.dnn.buffer import Buffer
from smartvm.vm.dnn.instructions import gas
from smartvm.vm.dnn.instructions.operands import require_available, require_size
from smartvm.vm.dnn.items import ItemArray
from smartvm.vm.dnn.operations import MatrixProduct
from smartvm.vm.dnn.platforms.dispatcher import execute
from smartvm.vm.dnn.weights.blocks import WeightBlock
from smartvm.vm.extension import InstructionContext

_WORD = item_arrays.WORD_BYTES


def mtob(context: InstructionContext) -> None:
    """MTOB(offset, size): appends words of Memory."""
    offset, size = context.operands
    _append_from_memory(context, offset, size, _WORD)


def mtob_pack(context: InstructionContext) -> None:
    """MTOB_PACK(offset, size, width): appends items of ``width`` bytes."""
    offset, size, width = context.operands
    _append_from_memory(context, offset, size, _width(context, width))


def _append_from_memory(context: InstructionContext, offset: int, size: int, width: int) -> None:
    require_size(context, "size", size)
    gas.charge_items(context, size)
    gas.charge_growth(context, size)
    data = context.memory.read(offset, size * width) if size else b""
    context.buffer.append(item_arrays.from_big_endian(data, width))


def btom(context: InstructionContext) -> None:
    """BTOM(offset, size): the first items to Memory, as words."""
    offset, size = context.operands
    _write_to_memory(context, offset, size, _WORD)


def btom_pack(context: InstructionContext) -> None:
    """BTOM_PACK(offset, size, width): the first items to Memory at ``width`` bytes; each must fit."""
    offset, size, width = context.operands
    _write_to_memory(context, offset, size, _width(context, width))


def _write_to_memory(context: InstructionContext, offset: int, size: int, width: int) -> None:
    require_size(context, "size", size)
    require_available(context, size)
    gas.charge_items(context, size)
    if size == 0:
        return
    context.memory.expand(offset, size * width)
    array = context.buffer.array[:size]
    if width < _WORD:
        low, high = item_arrays.extremes(array)
        if not item_arrays.fits_width(low, high, width):
            misfit = low if not item_arrays.fits_width(low, low, width) else high
            raise context.halt(f"items of {width} bytes", str(misfit))
    context.memory.write(offset, item_arrays.to_big_endian(array, width))


def _width(context: InstructionContext, width: int) -> int:
    if not 1 <= width <= _WORD:
        raise context.halt("a width of 1 to 32 bytes", str(width))
    return width


def btos0(context: InstructionContext) -> tuple[int, ...]:
    """BTOS0(offset, size): pushes items, the one at ``offset`` ends on top."""
    offset, size = context.operands
    require_size(context, "offset", offset)
    require_size(context, "size", size)
    require_available(context, offset + size)
    if size > context.stack_room():
        raise context.halt(f"room for {size} words on the stack", f"room for {context.stack_room()}")
    gas.charge_items(context, size)
    values = item_arrays.to_integers(context.buffer.array[offset : offset + size])
    return tuple(value % item_arrays.WORD_MODULUS for value in values)


def btos1(context: InstructionContext) -> None:
    """BTOS1(block, size): stores the first items as a block; a size of 0 deletes it."""
    block_id, size = context.operands
    if context.is_static:
        raise context.halt("a call that may change state", "a static call")
    guard = context.constant("block_write_stipend_guard")
    if context.gas.remaining <= guard:
        raise context.halt(f"more than {guard} gas left", str(context.gas.remaining))
    require_size(context, "size", size)
    require_available(context, size)
    cold = context.blocks.touch(block_id)
    context.gas.charge(context.constant("block_cold_access" if cold else "block_warm_access"))
    if size == 0:
        context.blocks.store(block_id, None)
        return
    context.gas.charge(size * context.constant("block_write_byte"))  # at least one byte an item
    block = WeightBlock.of_array(context.buffer.array[:size])
    rest = block.stored_bytes - size
    context.gas.charge(rest * context.constant("block_write_byte"))
    context.blocks.store(block_id, block)


def buf_cls(context: InstructionContext) -> None:
    """BUF_CLS(n): the first n items become 0."""
    (count,) = context.operands
    require_size(context, "count", count)
    require_available(context, count)
    gas.charge_items(context, count)
    context.buffer.clear_first(count)


def buf_fil(context: InstructionContext) -> None:
    """BUF_FIL(v): every item becomes v."""
    value = item_arrays.to_signed(context.operands[0])
    count = len(context.buffer)
    gas.charge_items(context, count, abs(value))
    if count:
        context.buffer.replace(item_arrays.filled(count, value), (value, value))


def buf_init(context: InstructionContext) -> None:
    """BUF_INIT(n): the Buffer becomes n zeros."""
    (count,) = context.operands
    require_size(context, "count", count)
    gas.charge_items(context, count)
    gas.charge_growth(context, count, len(context.buffer))
    context.buffer.replace(item_arrays.zeros(count), (0, 0))


def buf_allo(context: InstructionContext) -> None:
    """BUF_ALLO(n): appends n zeros."""
    (count,) = context.operands
    require_size(context, "count", count)
    gas.charge_items(context, count)
    gas.charge_growth(context, count)
    context.buffer.append_zeros(count)


def buf_free(context: InstructionContext) -> None:
    """BUF_FREE(n): drops the last n items."""
    (count,) = context.operands
    require_size(context, "count", count)
    require_available(context, count)
    context.buffer.drop_last(count)


def buf_copy(context: InstructionContext) -> None:
    """BUF_COPY(start, end): saves a copy of items start … end − 1."""
    start, end = context.operands
    require_size(context, "start", start)
    require_size(context, "end", end)
    if not start <= end <= len(context.buffer):
        raise context.halt(f"start <= end <= {len(context.buffer)}", f"{start} and {end}")
    limit = context.constant("saved_buffers_limit")
    if len(context.saved_buffers) >= limit:
        raise context.halt(f"fewer than {limit} saved Buffers", str(len(context.saved_buffers)))
    gas.charge_items(context, end - start)
    gas.charge_growth(context, end - start)
    context.saved_buffers.append(context.buffer.copy_of(start, end))


def buf_swap(context: InstructionContext) -> None:
    """BUF_SWAP: exchanges the Buffer and the top saved Buffer."""
    context.buffer.exchange(_top_saved(context))


def buf_cat(context: InstructionContext) -> None:
    """BUF_CAT: the top saved Buffer, then the Buffer; the saved one is dropped."""
    saved = _top_saved(context)
    gas.charge_items(context, len(saved) + len(context.buffer))
    context.saved_buffers.pop()
    context.buffer.replace(item_arrays.concatenated(saved.array, context.buffer.array))


def buf_size(context: InstructionContext) -> int:
    """BUF_SIZE: how many items the Buffer holds."""
    return len(context.buffer)


def _top_saved(context: InstructionContext) -> Buffer:
    if not context.saved_buffers:
        raise context.halt("a saved Buffer", "none")
    return context.saved_buffers[-1]


def mat_mul(context: InstructionContext) -> None:
    """MAT_MUL(a, b): the product of two matrices in Memory replaces the Buffer."""
    first, second = context.operands
    rows, inner = _matrix_shape(context, first, "a")
    inner_again, columns = _matrix_shape(context, second, "b")
    if inner != inner_again:
        raise context.halt(f"a second matrix of {inner} rows, the first one's columns", str(inner_again))
    words = rows * inner + inner * columns
    gas.charge_words_read(context, words)
    context.memory.expand(first, (2 + rows * inner) * _WORD)
    context.memory.expand(second, (2 + inner * columns) * _WORD)
    gas.charge_growth(context, rows * columns, len(context.buffer))
    a = Buffer.of_array(_matrix(context, first, rows * inner))
    b = Buffer.of_array(_matrix(context, second, inner * columns))
    gas.charge_products(context, rows * inner * columns, 0, a.bound * b.bound * inner)
    execute(context.buffer, MatrixProduct(a, b, rows, inner, columns))


def _matrix_shape(context: InstructionContext, offset: int, name: str) -> tuple[int, int]:
    head = context.memory.read(offset, 2 * _WORD)
    rows, columns = int.from_bytes(head[:_WORD], "big"), int.from_bytes(head[_WORD:], "big")
    require_size(context, f"rows of matrix {name}", rows, least=1)
    require_size(context, f"columns of matrix {name}", columns, least=1)
    return rows, columns


def _matrix(context: InstructionContext, offset: int, count: int) -> ItemArray:
    data = context.memory.read(offset + 2 * _WORD, count * _WORD)
    return item_arrays.from_big_endian(data, _WORD)
