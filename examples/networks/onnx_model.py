"""The example networks as ONNX models in float32: weights / 1,000 and biases / 1,000,000 of the contract's integers.

Needs onnx, which nothing else in smartvm does: imported only where a model is compared with.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper
from smartvm.examples.networks.layers import (
    SCALE,
    AddSaved,
    Convolution,
    Dense,
    GlobalAverage,
    MaximumPooling,
    Network,
    Recurrence,
    Relu,
    Save,
    Swap,
)
from smartvm.examples.networks.lstm import sequence

Array = npt.NDArray[Any]


class _Model:
    """Collects nodes and initializers; ``current`` names the feature map."""

    def __init__(self, parameters: Mapping[str, Array]) -> None:
        self.parameters = parameters
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []
        self.current = "input"
        self.is_flat = False
        self.saved: list[str] = []

    def node(self, kind: str, inputs: list[str], outputs: int = 1, **attributes: Any) -> list[str]:
        """Add a node; the names of its outputs."""
        names = [f"v{len(self.nodes)}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(kind, inputs, names, **attributes))
        return names

    def constant(self, name: str, value: Array) -> str:
        """Add an initializer."""
        self.initializers.append(numpy_helper.from_array(value, name))
        return name

    def weights(self, name: str) -> Array:
        """A layer's weights as float32."""
        return self.parameters[f"{name}_weights"].astype(np.float32) / np.float32(SCALE)

    def bias(self, name: str) -> Array:
        """A layer's biases as float32."""
        return self.parameters[f"{name}_bias"].astype(np.float32) / np.float32(SCALE**2)

    def add(self, step: Any) -> None:
        """Add a step."""
        match step:
            case Convolution():
                inputs = [
                    self.current,
                    self.constant(f"{step.name}.w", self.weights(step.name)),
                    self.constant(f"{step.name}.b", self.bias(step.name)),
                ]
                self.current = self.node(
                    "Conv",
                    inputs,
                    kernel_shape=[step.kernel] * 2,
                    strides=[step.stride] * 2,
                    pads=[step.padding] * 4,
                    group=step.channels if step.depthwise else 1,
                )[0]
            case Dense():
                if not self.is_flat:
                    (self.current,) = self.node("Flatten", [self.current])
                    self.is_flat = True
                # [in][out], as exporters leave it after folding the transposition
                weights = np.ascontiguousarray(self.weights(step.name).T)
                inputs = [
                    self.current,
                    self.constant(f"{step.name}.w", weights),
                    self.constant(f"{step.name}.b", self.bias(step.name)),
                ]
                (self.current,) = self.node("Gemm", inputs)
            case Recurrence():
                self._recurrence(step)
            case MaximumPooling():
                (self.current,) = self.node(
                    "MaxPool",
                    [self.current],
                    kernel_shape=[step.window] * 2,
                    strides=[step.stride] * 2,
                    pads=[step.padding] * 4,
                )
            case GlobalAverage():
                (self.current,) = self.node("GlobalAveragePool", [self.current])
            case Relu(cap=0):
                (self.current,) = self.node("Relu", [self.current])
            case Relu():
                low = self.constant(f"low{len(self.nodes)}", np.array(0, np.float32))
                high = self.constant(f"high{len(self.nodes)}", np.array(step.cap / SCALE, np.float32))
                (self.current,) = self.node("Clip", [self.current, low, high])
            case Save():
                self.saved.append(self.current)
            case Swap():
                self.saved[-1], self.current = self.current, self.saved[-1]
            case AddSaved():
                (self.current,) = self.node("Add", [self.current, self.saved.pop()])

    def _recurrence(self, step: Recurrence) -> None:
        """ONNX's gates are i, o, f, g; ours g, f, i, o."""
        order = [2, 3, 1, 0]
        weights = self.weights(step.name).reshape(4, step.hidden, -1)[order].reshape(4 * step.hidden, -1)
        bias = self.bias(step.name).reshape(4, step.hidden)[order].reshape(-1)
        inputs = [
            self.current,
            self.constant("w", np.ascontiguousarray(weights[None, :, step.hidden :])),
            self.constant("r", np.ascontiguousarray(weights[None, :, : step.hidden])),
            self.constant("b", np.concatenate([bias, np.zeros_like(bias)])[None]),
        ]
        _, last = self.node("LSTM", inputs, 2, hidden_size=step.hidden)
        shape = self.constant("shape", np.array([1, step.hidden], np.int64))
        (self.current,) = self.node("Reshape", [last, shape])
        self.is_flat = True


def onnx_model(network: Network, parameters: Mapping[str, Array]) -> Any:
    """The model: input ``input``, output ``output``."""
    model = _Model(parameters)
    for step in network.steps:
        model.add(step)
    graph = helper.make_graph(
        [*model.nodes, helper.make_node("Identity", [model.current], ["output"])],
        network.name,
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, float_input(network, None).shape)],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, network.outputs])],
        model.initializers,
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(made)
    return made


def float_input(network: Network, picture: Array | None) -> npt.NDArray[np.float32]:
    """The model's input for a picture as the contract takes it (None: zeros)."""
    if picture is None:
        picture = np.zeros(network.input_shape)
    divisor = 255 if network.gray else SCALE
    values = (picture.astype(np.float32) / np.float32(divisor)).reshape(1, *network.input_shape)
    if isinstance(network.steps[0], Recurrence):
        return np.ascontiguousarray(sequence(values[0]))
    return values
