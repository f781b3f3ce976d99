"""Latency of single layers: the DNN kernels (exact integers, scale 1,000) against float32 in onnxruntime or
NumPy.

    python benchmarks/dnn_latency.py [--repetitions N] [--json FILE]

One thread, batch 1, warm, CPU time (the machine may be shared); the fastest of several runs. onnxruntime is
used where it and onnx are installed. Each integer result is checked against 64-bit arithmetic in NumPy.
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

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table
from smartvm.vm.dnn import Buffer, WeightBlock
from smartvm.vm.dnn.correlation import correlate
from smartvm.vm.dnn.shapes import Correlation

try:
    import onnx
    import onnxruntime
except ImportError:
    onnx = onnxruntime = None


@dataclass(frozen=True)
class Layer:
    """A convolution, depthwise when ``groups`` = ``inputs``; dense layers are 1x1 maps."""

    name: str
    groups: int
    inputs: int
    outputs: int
    side: int
    kernel: int
    stride: int
    padding: int

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


LAYERS = [
    Layer("LeNet conv 1", 1, 1, 6, 28, 5, 1, 0),
    Layer("LeNet conv 2", 1, 6, 16, 12, 5, 1, 0),
    Layer("LeNet conv 3", 1, 16, 120, 4, 4, 1, 0),
    Layer("LeNet dense 1", 1, 120, 84, 1, 1, 1, 0),
    Layer("ResNet-18 conv 1", 1, 3, 64, 224, 7, 2, 3),
    Layer("ResNet-18 56x56", 1, 64, 64, 56, 3, 1, 1),
    Layer("ResNet-18 14x14", 1, 256, 256, 14, 3, 1, 1),
    Layer("ResNet-18 7x7", 1, 512, 512, 7, 3, 1, 1),
    Layer("ResNet-18 1x1 stride 2", 1, 128, 256, 28, 1, 2, 0),
    Layer("MobileNet depthwise 112x112", 32, 32, 32, 112, 3, 1, 1),
    Layer("MobileNet depthwise 14x14", 512, 512, 512, 14, 3, 1, 1),
    Layer("MobileNet pointwise 14x14", 1, 512, 512, 14, 1, 1, 0),
    Layer("AlexNet dense 4096", 1, 4096, 4096, 1, 1, 1, 0),
]


def fastest(run: Callable[[], object], repetitions: int) -> float:
    """Microseconds of CPU time: several runs are timed together until they take a millisecond."""
    run()
    count = 1
    best = float("inf")
    for _ in range(repetitions):
        began = time.process_time_ns()
        for _ in range(count):
            run()
        spent = (time.process_time_ns() - began) / 1e3
        if spent < 1000:
            count *= 2
        else:
            best = min(best, spent / count)
    return best


def float_layer(
    layer: Layer, x: npt.NDArray[np.float32], weights: npt.NDArray[np.float32]
) -> Callable[[], object]:
    """The layer in onnxruntime."""
    from onnx import TensorProto, helper, numpy_helper

    node = helper.make_node(
        "Conv",
        ["x", "w"],
        ["y"],
        group=layer.groups,
        strides=[layer.stride] * 2,
        pads=[layer.padding] * 4,
        kernel_shape=[layer.kernel] * 2,
    )
    graph = helper.make_graph(
        [node],
        "layer",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, x.shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(weights, "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])
    return lambda: session.run(None, {"x": x})


def checked(
    layer: Layer, x: npt.NDArray[np.int64], weights: npt.NDArray[np.int64], result: npt.NDArray[np.int64]
) -> None:
    """Stop when the result differs from 64-bit arithmetic."""
    p = layer.padding
    padded = np.pad(x, ((0, 0), (p, p), (p, p)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (layer.kernel, layer.kernel), axis=(1, 2))
    windows = windows[:, :: layer.stride, :: layer.stride]
    if layer.groups > 1:
        expected = np.einsum("chwab,cab->chw", windows, weights[:, 0])
    else:
        rows = windows.transpose(1, 2, 0, 3, 4).reshape(windows.shape[1] * windows.shape[2], -1)
        # exact in float64: sums below 2^53
        expected = (weights.reshape(layer.outputs, -1).astype(np.float64) @ rows.T.astype(np.float64)).astype(
            np.int64
        )
    if not np.array_equal(result, expected.reshape(-1)):
        raise SystemExit(f"{layer.name}: the integer layer is wrong")


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--repetitions", type=int, default=40)
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    random = np.random.default_rng(1)
    rows = []
    table = Table("layer", "MACs", "route", "µs", "ns/MAC", "onnxruntime float32 µs", "ratio")
    for column in table.columns[1:]:
        column.justify = "right"
    for layer in LAYERS:
        shape = layer.shape()
        x = random.integers(0, 8_000, (layer.inputs, layer.side, layer.side))
        weights = random.integers(
            -200, 201, (layer.outputs, layer.inputs // layer.groups, layer.kernel, layer.kernel)
        )
        buffer = Buffer()
        buffer.append(x.reshape(-1))
        block = WeightBlock.of_array(weights.reshape(-1))
        result = correlate(buffer, block, shape)
        checked(layer, x, weights, result.astype(np.int64))
        ours = fastest(
            lambda b=buffer, w=block, s=shape: Buffer().hold(correlate(b, w, s)), options.repetitions
        )
        theirs = None
        if onnxruntime is not None:
            run = float_layer(layer, x[None].astype(np.float32) / 1000, weights.astype(np.float32) / 1000)
            theirs = fastest(run, options.repetitions)
        route = (
            "depthwise"
            if layer.groups > 1
            else "panels"
        )
        rows.append(
            {**asdict(layer), "macs": shape.products, "route": route, "us": ours, "onnxruntime_us": theirs}
        )
        table.add_row(
            layer.name,
            f"{shape.products:,}",
            route,
            f"{ours:,.1f}",
            f"{ours * 1e3 / shape.products:.3f}",
            f"{theirs:,.1f}" if theirs else "-",
            f"{ours / theirs:.2f}" if theirs else "-",
        )
    Console().print(table)
    if options.json:
        with open(options.json, "w") as file:
            json.dump(rows, file, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
