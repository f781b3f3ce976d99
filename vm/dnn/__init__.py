"""The DNN instructions: Buffers, weight blocks and the kernels that implement the table's native rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smartvm.vm.dnn.blocks import WeightBlock
from smartvm.vm.dnn.buffer import MAX_SAVED_BUFFERS, Buffer

if TYPE_CHECKING:
    from smartvm.vm.dnn.kernels import KERNELS as KERNELS

__all__ = ["KERNELS", "MAX_SAVED_BUFFERS", "Buffer", "WeightBlock"]


def __getattr__(name: str) -> object:
    """``KERNELS`` on first use: a program without DNN instructions need not import what is behind them."""
    if name == "KERNELS":
        from smartvm.vm.dnn.kernels import KERNELS

        return KERNELS
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
