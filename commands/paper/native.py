"""The networks as native code: onnxruntime in float32, one thread. It is optional (``pip install smartvm[bench]``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from smartvm.examples.networks.layers import Network

#: Why a native value is missing.
MISSING = "onnx and onnxruntime are not installed: pip install 'smartvm[bench]'"

Array = npt.NDArray[Any]


def is_available() -> bool:
    """Whether native runs can be measured."""
    from importlib.util import find_spec

    return find_spec("onnx") is not None and find_spec("onnxruntime") is not None


class NativeModel:
    """A network in an onnxruntime session."""

    def __init__(self, network: Network, parameters: Mapping[str, Array]) -> None:
        import onnxruntime
        from smartvm.examples.networks.onnx_model import onnx_model

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.network = network
        self._session = onnxruntime.InferenceSession(
            onnx_model(network, parameters).SerializeToString(), options, ["CPUExecutionProvider"]
        )

    def inputs(self, picture: Array) -> dict[str, Array]:
        """The model's input for a picture as the contract takes it."""
        from smartvm.examples.networks.onnx_model import float_input

        return {"input": float_input(self.network, picture)}

    def run(self, inputs: dict[str, Array]) -> Array:
        """The float scores: what is timed."""
        (scores,) = self._session.run(None, inputs)
        return np.asarray(scores).reshape(-1)
