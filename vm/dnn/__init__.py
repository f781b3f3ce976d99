"""The DNN instructions: Buffers, weight blocks and the kernels that implement the table's native rows."""

from __future__ import annotations

from smartvm.vm.dnn.blocks import WeightBlock
from smartvm.vm.dnn.buffer import MAX_SAVED_BUFFERS, Buffer

__all__ = ["MAX_SAVED_BUFFERS", "Buffer", "WeightBlock"]
