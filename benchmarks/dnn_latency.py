"""Latency of the layers of the paper's networks: the DNN kernels (exact integers, scale 1,000) against onnxruntime
float32.

    python benchmarks/dnn_latency.py [--network NAME ...] [--quantised] [--repetitions N] [--json FILE]

A layer is a convolution or a full connection with its bias, scale-down and rectification (onnxruntime: convolution,
bias and rectification). One thread, batch 1, warm, CPU time (the machine may be shared); both sides are timed turn by
turn in the same run, the fastest of N counts. ``--quantised``: weights of -63 ... 63 and items of 0 ... 127, as models
quantised to 8 bits have them, instead of scale 1,000 (onnxruntime computes in float32 all the same). Without onnx and
onnxruntime ours alone is printed. Each integer result is checked against 64-bit arithmetic in NumPy. A network's sum
counts each layer as often as the network has it; pooling and additions, which are small, are left out.
"""

from __future__ import annotations

import os

os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")  # before NumPy loads its BLAS

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table
from smartvm.vm.dnn import Buffer, WeightBlock
from smartvm.vm.dnn.operations import Convolution
from smartvm.vm.dnn.platforms.dispatcher import execute
from smartvm.vm.dnn.platforms.kernel_sets import KERNELS
from smartvm.vm.dnn.shapes import Correlation

try:
    import onnx
    import onnxruntime
except ImportError:
    onnx = onnxruntime = None

SCALE = 1000


@dataclass(frozen=True)
class Numbers:
    """A layer's integers, drawn as a network would have them; sums are divided by ``divisor``, then items above ``cap``
    (0: none) are cut off."""

    x: npt.NDArray[np.int64]
    weights: npt.NDArray[np.int64]
    bias: npt.NDArray[np.int64]
    divisor: int
    cap: int


@dataclass(frozen=True)
class Layer:
    """A convolution, depthwise when ``groups`` = ``inputs``; dense layers are 1x1 maps. ``times`` it is in the
    network."""

    network: str
    inputs: int
    outputs: int
    side: int
    kernel: int
    stride: int
    padding: int
    times: int = 1
    groups: int = 1

    @property
    def name(self) -> str:
        """The layer in words."""
        if self.side == 1:
            return f"{self.inputs} -> {self.outputs}"
        kind = " depthwise" if self.groups > 1 else f"x{self.outputs}"
        sides = f"{self.side}x{self.side}"
        return f"{self.inputs}{kind} {sides}, {self.kernel}x{self.kernel} / {self.stride}"

    def shape(self) -> Correlation:
        """For the kernels."""
        output = (self.side + 2 * self.padding - self.kernel) // self.stride + 1
        return Correlation(
            self.groups,
            self.inputs // self.groups,
            self.outputs,
            (1, self.side, self.side),
            (1, self.kernel, self.kernel),
            (1, output, output),
            self.stride,
            (0, self.padding, self.padding),
        )


def _mobilenet() -> list[Layer]:
    layers = [Layer("MobileNet", 3, 32, 224, 3, 2, 1)]
    side, channels = 112, 32
    for outputs, stride, times in (
        (64, 1, 1),
        (128, 2, 1),
        (128, 1, 1),
        (256, 2, 1),
        (256, 1, 1),
        (512, 2, 1),
        (512, 1, 5),
        (1024, 2, 1),
        (1024, 1, 1),
    ):
        layers.append(Layer("MobileNet", channels, channels, side, 3, stride, 1, times, groups=channels))
        side = (side - 1) // stride + 1
        layers.append(Layer("MobileNet", channels, outputs, side, 1, 1, 0, times))
        channels = outputs
    return [*layers, Layer("MobileNet", 1024, 1000, 1, 1, 1, 0)]


def _resnet() -> list[Layer]:
    layers = [Layer("ResNet-18", 3, 64, 224, 7, 2, 3)]
    channels, side = 64, 56
    layers.append(Layer("ResNet-18", 64, 64, 56, 3, 1, 1, 4))
    for outputs in (128, 256, 512):
        layers.append(Layer("ResNet-18", channels, outputs, side, 3, 2, 1))
        layers.append(Layer("ResNet-18", channels, outputs, side, 1, 2, 0))
        channels, side = outputs, side // 2
        layers.append(Layer("ResNet-18", channels, channels, side, 3, 1, 1, 3))
    return [*layers, Layer("ResNet-18", 512, 1000, 1, 1, 1, 0)]


LAYERS = [
    Layer("LeNet-5", 1, 6, 28, 5, 1, 0),
    Layer("LeNet-5", 6, 16, 12, 5, 1, 0),
    Layer("LeNet-5", 16, 120, 4, 4, 1, 0),
    Layer("LeNet-5", 120, 84, 1, 1, 1, 0),
    Layer("LeNet-5", 84, 10, 1, 1, 1, 0),
    Layer("LSTM", 144, 384, 1, 1, 1, 0, 28),
    *_resnet(),
    *_mobilenet(),
    Layer("AlexNet", 3, 96, 227, 11, 4, 0),
    Layer("AlexNet", 96, 256, 27, 5, 1, 2),
    Layer("AlexNet", 256, 384, 13, 3, 1, 1),
    Layer("AlexNet", 384, 384, 13, 3, 1, 1),
    Layer("AlexNet", 384, 256, 13, 3, 1, 1),
    Layer("AlexNet", 9216, 4096, 1, 1, 1, 0),
    Layer("AlexNet", 4096, 4096, 1, 1, 1, 0),
    Layer("AlexNet", 4096, 1000, 1, 1, 1, 0),
]


def fastest(runs: list[Callable[[], object]], repetitions: int) -> list[float]:
    """Microseconds of CPU time of each, taken turn by turn; short ones are timed several times together."""
    counts = []
    for run in runs:
        run()
        began = time.process_time_ns()
        run()
        counts.append(max(1, 500_000 // max(1, time.process_time_ns() - began)))
    best = [float("inf")] * len(runs)
    for _ in range(repetitions):
        for i, run in enumerate(runs):
            began = time.process_time_ns()
            for _ in range(counts[i]):
                run()
            best[i] = min(best[i], (time.process_time_ns() - began) / 1e3 / counts[i])
    return best


def float_layer(
    layer: Layer, x: npt.NDArray[np.float32], weights: npt.NDArray[np.float32], bias: npt.NDArray[np.float32]
) -> Callable[[], object]:
    """The layer in onnxruntime: its own way for dense layers (Gemm)."""
    from onnx import TensorProto, helper, numpy_helper

    if layer.side == 1:
        x, weights = x.reshape(1, -1), weights.reshape(layer.outputs, -1)
        node = helper.make_node("Gemm", ["x", "w", "b"], ["s"], transB=1)
    else:
        node = helper.make_node(
            "Conv",
            ["x", "w", "b"],
            ["s"],
            group=layer.groups,
            strides=[layer.stride] * 2,
            pads=[layer.padding] * 4,
            kernel_shape=[layer.kernel] * 2,
        )
    graph = helper.make_graph(
        [node, helper.make_node("Relu", ["s"], ["y"])],
        "layer",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, x.shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(weights, "w"), numpy_helper.from_array(bias, "b")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])
    return lambda: session.run(None, {"x": x})


def drawn(layer: Layer, quantised: bool, random: np.random.Generator) -> Numbers:
    """Random numbers for a layer."""
    terms = layer.inputs // layer.groups * layer.kernel**2
    kernels = layer.outputs, layer.inputs // layer.groups, layer.kernel, layer.kernel
    maps = layer.inputs, layer.side, layer.side
    if quantised:
        weights = np.clip(np.rint(random.normal(0, 24, kernels)), -63, 63)
        bias = np.rint(random.normal(0, 1000, layer.outputs))
        x = np.clip(random.normal(0, 50, maps), 0, 127)
        divisor, cap = max(1, int(24 * terms**0.5)), 127
    else:
        weights = np.rint(random.normal(0, SCALE * (2 / terms) ** 0.5, kernels))
        bias = np.rint(random.normal(0, SCALE * SCALE / 10, layer.outputs))
        x = np.clip(random.normal(0, 1200, maps), 0, 8_459)
        divisor, cap = SCALE, 0
    return Numbers(x.astype(np.int64), weights.astype(np.int64), bias.astype(np.int64), divisor, cap)


def finished(sums: npt.NDArray[np.float64], numbers: Numbers) -> npt.NDArray[np.int64]:
    """Bias, scale-down and rectification of sums below 2^51, a row for each channel."""
    results = np.maximum(np.trunc((sums + numbers.bias[:, None]) / numbers.divisor), 0)
    return (np.minimum(results, numbers.cap) if numbers.cap else results).astype(np.int64).reshape(-1)


def expected_items(layer: Layer, numbers: Numbers) -> npt.NDArray[np.int64]:
    """The layer in NumPy: sums below 2^53 are exact in float64."""
    p = layer.padding
    padded = np.pad(numbers.x, ((0, 0), (p, p), (p, p))).astype(np.float64)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (layer.kernel, layer.kernel), axis=(1, 2))
    windows = windows[:, :: layer.stride, :: layer.stride]
    weights = numbers.weights.astype(np.float64)
    if layer.groups > 1:
        sums = np.einsum("chwab,cab->chw", windows, weights[:, 0])
    else:
        rows = windows.transpose(0, 3, 4, 1, 2).reshape(-1, windows.shape[1] * windows.shape[2])
        sums = weights.reshape(layer.outputs, -1) @ rows
    return finished(sums.reshape(layer.outputs, -1), numbers)


def measured(
    layer: Layer, quantised: bool, repetitions: int, random: np.random.Generator
) -> tuple[float, float | None]:
    """Microseconds of ours and of onnxruntime's."""
    numbers = drawn(layer, quantised, random)
    buffer = Buffer.of_array(numbers.x.reshape(-1).astype(np.int16))
    buffer.channels_last(layer.inputs)  # as the layer before leaves it
    block = WeightBlock.of_array(numbers.weights.reshape(-1))
    bias_block = WeightBlock.of_array(numbers.bias)
    convolution = Convolution(block, layer.shape())
    extremes = buffer.extremes

    def ours() -> Buffer:
        result = Buffer()
        result.replace(buffer.stored, extremes, buffer.layout)
        execute(result, convolution)
        work = result.deferred
        if work is not None and work.add_bias(bias_block) and work.divide(numbers.divisor):
            work.rectify(numbers.cap)
            result.settle()
        else:  # what is not joined
            sums = result.array.astype(np.float64).reshape(layer.outputs, -1)
            result.hold(finished(sums, numbers))
        return result

    if not np.array_equal(ours().array, expected_items(layer, numbers)):
        raise SystemExit(f"{layer.name}: the integer layer is wrong")
    if onnxruntime is None:
        return fastest([ours], repetitions)[0], None
    floats = (numbers.x[None] / SCALE, numbers.weights / SCALE, numbers.bias / SCALE**2)
    theirs = float_layer(layer, *(array.astype(np.float32) for array in floats))
    first, second = fastest([ours, theirs], repetitions)
    return first, second


def main() -> int:
    """Measure and print."""
    networks = list(dict.fromkeys(layer.network for layer in LAYERS))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--network", action="append", choices=networks)
    parser.add_argument("--quantised", action="store_true")
    parser.add_argument("--repetitions", type=int, default=20)
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    random = np.random.default_rng(1)
    rows: list[dict[str, Any]] = []
    table = Table("network", "layer", "times", "MACs", "µs", "MAC/ns", "onnxruntime µs", "ratio", title=KERNELS.name)
    for column in table.columns[2:]:
        column.justify = "right"
    for network in options.network or networks:
        total, total_float = 0.0, 0.0
        for layer in [layer for layer in LAYERS if layer.network == network]:
            ours, theirs = measured(layer, options.quantised, options.repetitions, random)
            products = layer.shape().products
            total += ours * layer.times
            total_float += (theirs or 0.0) * layer.times
            rows.append(
                {**asdict(layer), "layer": layer.name, "macs": products, "us": ours, "onnxruntime_us": theirs}
            )
            table.add_row(
                network,
                layer.name,
                str(layer.times),
                f"{products:,}",
                f"{ours:,.1f}",
                f"{products / ours / 1e3:.1f}",
                f"{theirs:,.1f}" if theirs else "-",
                f"{ours / theirs:.2f}" if theirs else "-",
            )
        ratio = f"{total / total_float:.2f}" if total_float else "-"
        table.add_row(network, "sum", "", "", f"{total:,.0f}", "", f"{total_float:,.0f}", ratio, style="bold")
        table.add_section()
    Console(width=110).print(table)
    if options.json:
        with open(options.json, "w") as file:
            json.dump({"kernels": KERNELS.name, "layers": rows}, file, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
