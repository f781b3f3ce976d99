"""The DNN instructions: the Buffer and its items, shapes and operations, and their twins in Python integers.

``instructions`` has what implements the table's native rows, ``platforms`` what computes for them, ``rounding`` the
activations, ``weights`` the weight blocks; ``executor`` runs instructions inside the compiled interpreter, and
``compiling`` makes and keeps machine code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from smartvm.vm.dnn.buffer import MAX_SAVED_BUFFERS, Buffer
from smartvm.vm.dnn.weights.blocks import WeightBlock

if TYPE_CHECKING:
    from smartvm.vm.dnn.instructions.kernels import KERNELS as KERNELS

__all__ = ["KERNELS", "MAX_SAVED_BUFFERS", "Buffer", "WeightBlock"]


def __getattr__(name: str) -> object:
    """``KERNELS`` on first use: a program without DNN instructions need not import what is behind them."""
    if name == "KERNELS":
        from smartvm.vm.dnn.instructions.kernels import KERNELS

        return KERNELS
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
