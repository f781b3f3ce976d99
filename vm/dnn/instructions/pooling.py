"""POOL_MAX, POOL_AVG and POOL_OL: checks, gas, and the operation."""

from __future__ import annotations

from smartvm.vm.dnn.instructions import gas
from smartvm.vm.dnn.instructions.convolution import output_side
from smartvm.vm.dnn.instructions.operands import require_length, require_size
from smartvm.vm.dnn.operations import Pooling
from smartvm.vm.dnn.platforms.dispatcher import execute
from smartvm.vm.extension import InstructionContext

_Sides = tuple[int, int]


def pool_max(context: InstructionContext) -> None:
    """POOL_MAX(C, H, W, k, s): signed maximum of each window."""
    channels, sizes, kernel, stride, outputs = _plain_operands(context)
    _charge(context, channels, outputs, kernel, context.buffer.bound)
    execute(context.buffer, Pooling("maximum", channels, sizes, kernel, stride, 0, outputs))


def pool_avg(context: InstructionContext) -> None:
    """POOL_AVG(C, H, W, k, s): exact sum of each window over k², truncated toward zero."""
    channels, sizes, kernel, stride, outputs = _plain_operands(context)
    _charge(context, channels, outputs, kernel, context.buffer.bound * kernel * kernel)
    execute(context.buffer, Pooling("average", channels, sizes, kernel, stride, 0, outputs))


def pool_ol(context: InstructionContext) -> None:
    """POOL_OL(C, H, k, s, p): maximum of overlapping windows of square maps; padded cells never win."""
    channels, side, kernel, stride, padding = context.operands
    for name, value in (("channels", channels), ("height", side), ("kernel", kernel), ("stride", stride)):
        require_size(context, name, value, least=1)
    require_size(context, "padding", padding)
    if padding >= kernel:
        raise context.halt(f"padding below the kernel ({kernel})", str(padding))
    output = output_side(context, "height", side, kernel, stride, padding)
    require_length(context, channels * side * side, f"{channels}x{side}x{side}")
    _charge(context, channels, (output, output), kernel, context.buffer.bound)
    execute(context.buffer, Pooling("maximum", channels, (side, side), kernel, stride, padding, (output, output)))


def _plain_operands(context: InstructionContext) -> tuple[int, _Sides, int, int, _Sides]:
    """Channels, sides, kernel, stride and output sides of pooling without padding."""
    channels, height, width, kernel, stride = context.operands
    names = ("channels", "height", "width", "kernel", "stride")
    for name, value in zip(names, context.operands, strict=True):
        require_size(context, name, value, least=1)
    outputs = (
        output_side(context, "height", height, kernel, stride, 0),
        output_side(context, "width", width, kernel, stride, 0),
    )
    require_length(context, channels * height * width, f"{channels}x{height}x{width}")
    return channels, (height, width), kernel, stride, outputs


def _charge(context: InstructionContext, channels: int, outputs: _Sides, kernel: int, bound: int) -> None:
    length = channels * outputs[0] * outputs[1]
    gas.charge_growth(context, length, len(context.buffer))
    gas.charge_window_reads(context, max(length * kernel * kernel, len(context.buffer)), bound)
