"""CONV_SING, CONV_MUL, CONV_3D, CONV_TPD and FULL_CON: checks, gas, and the choice of shape."""

from __future__ import annotations

from math import prod

from smartvm.vm.dnn.instructions import gas
from smartvm.vm.dnn.instructions.operands import require_block, require_block_length, require_length, require_size
from smartvm.vm.dnn.operations import Convolution, TransposedConvolution
from smartvm.vm.dnn.platforms.correlation import bound_of
from smartvm.vm.dnn.platforms.dispatcher import execute, load_block
from smartvm.vm.dnn.shapes import Correlation, Transposed, convolution, depthwise, full_connection, volume
from smartvm.vm.extension import InstructionContext


def output_side(
    context: InstructionContext, name: str, side: int, kernel: int, stride: int, padding: int
) -> int:
    """Positions of a window of ``kernel`` cells along a padded side; halts when it does not fit."""
    padded = side + 2 * padding
    if padded < kernel:
        raise context.halt(f"a window of at most {padded} cells, the {name} with its padding", str(kernel))
    return (padded - kernel) // stride + 1


def _output_sides(
    context: InstructionContext, height: int, width: int, kernel: int, stride: int, padding: int
) -> None:
    """Halt unless the window fits both sides."""
    output_side(context, "height", height, kernel, stride, padding)
    output_side(context, "width", width, kernel, stride, padding)


def conv_sing(context: InstructionContext) -> None:
    """CONV_SING(weights, C, O, H, W, k, s, p): depthwise convolution, O = C."""
    channels, kernels, height, width, kernel, stride, padding = _plane_operands(context)
    if kernels != channels:
        raise context.halt(f"as many output channels as input channels ({channels})", str(kernels))
    _output_sides(context, height, width, kernel, stride, padding)
    _correlate_block(context, depthwise(channels, height, width, kernel, stride, padding))


def conv_mul(context: InstructionContext) -> None:
    """CONV_MUL(weights, C, O, H, W, k, s, p): convolution of C input maps to O output maps."""
    sizes = _plane_operands(context)
    _output_sides(context, *sizes[2:])
    _correlate_block(context, convolution(*sizes))


def conv_3d(context: InstructionContext) -> None:
    """CONV_3D(weights, C, O, D, H, k, s, p): three-dimensional convolution, W = H."""
    channels, kernels, depth, height, kernel, stride, padding = _plane_operands(context, ("depth", "height"))
    for name, size in (("depth", depth), ("height", height)):
        output_side(context, name, size, kernel, stride, padding)
    shape = volume(channels, kernels, depth, height, kernel, stride, padding)
    _correlate_block(context, shape, dimensions=3)


def full_con(context: InstructionContext) -> None:
    """FULL_CON(weights, C, H, W, O): y[o] = Σ w[o][i]·x[i] over all C·H·W items."""
    _, channels, height, width, outputs = context.operands
    for name, value in (("channels", channels), ("height", height), ("width", width), ("outputs", outputs)):
        require_size(context, name, value, least=1)
    _correlate_block(context, full_connection(channels, height, width, outputs))


def conv_tpd(context: InstructionContext) -> None:
    """CONV_TPD(weights, C, O, H, W, k, s, p): transposed convolution, output side (n − 1)·s − 2p + k."""
    channels, kernels, height, width, kernel, stride, padding = _plane_operands(context)
    sides = []
    for name, side in (("height", height), ("width", width)):
        output = (side - 1) * stride - 2 * padding + kernel
        if output < 1:
            raise context.halt(f"an output {name} of at least 1", str(output))
        sides.append(output)
    shape = Transposed(
        inputs=channels,
        kernels=kernels,
        sizes=(height, width),
        kernel=kernel,
        outputs=(sides[0], sides[1]),
        stride=stride,
        padding=padding,
    )
    require_length(context, channels * height * width, f"{channels}x{height}x{width}")
    block = require_block(context, context.operands[0])
    require_block_length(context, block, shape.terms * kernels, f"{channels}x{kernels}x{kernel}x{kernel}")
    load_block(block, shape)
    length = kernels * sides[0] * sides[1]
    gas.charge_growth(context, length, len(context.buffer))
    reads = max(height * width * kernels * kernel * kernel, length)  # scattered products
    gas.charge_products(context, shape.products, reads, bound_of(context.buffer, block, shape.terms))
    execute(context.buffer, TransposedConvolution(block, shape))


def _plane_operands(
    context: InstructionContext, sides: tuple[str, str] = ("height", "width")
) -> tuple[int, int, int, int, int, int, int]:
    """The seven sizes after the block id, in range."""
    _, channels, kernels, first, second, kernel, stride, padding = context.operands
    names = ("input channels", "output channels", *sides, "kernel", "stride")
    for name, value in zip(names, (channels, kernels, first, second, kernel, stride), strict=True):
        require_size(context, name, value, least=1)
    require_size(context, "padding", padding)
    return channels, kernels, first, second, kernel, stride, padding


def _correlate_block(context: InstructionContext, shape: Correlation, dimensions: int = 2) -> None:
    """Charge and compute, once the operands are in range: the block is the first of them."""
    sizes, kernel = shape.sizes[-dimensions:], shape.kernel[-dimensions:]
    channels = shape.groups * shape.inputs
    require_length(context, channels * prod(sizes), _product(channels, *sizes))
    block = require_block(context, context.operands[0])
    inputs = (shape.inputs,) if shape.groups == 1 else ()
    require_block_length(context, block, shape.kernels * shape.terms, _product(shape.kernels, *inputs, *kernel))
    # reads the block but once, its extremes included, which gas depends on
    load_block(block, shape, context.buffer.extremes)
    gas.charge_growth(context, shape.kernels * shape.positions, len(context.buffer))
    reads = 0 if shape.is_matrix or shape.is_whole_map else shape.groups * shape.terms * shape.positions
    reads = max(reads, len(context.buffer))
    gas.charge_products(context, shape.products, reads, bound_of(context.buffer, block, shape.terms))
    execute(context.buffer, Convolution(block, shape))


def _product(*sizes: int) -> str:
    return "x".join(map(str, sizes))
