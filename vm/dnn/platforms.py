"""Where a correlation is computed: the one interface behind which the platforms stand, and the choice among them.

A platform *loads* a weight block for a shape, in its own layout and its own memory; *runs* the instruction, which gives
work that may take up the item-wise instructions behind it; and the work, carried out, *gives back* the items. The
first platform that takes a correlation gets it: the choice is made for each instruction, from its shape and the
bounds of its operands, and never shows in a result, since every platform computes the same exact integers.

``SMARTVM_PLATFORM=NAME`` forces one (read at each choice; what it does not take goes to ``plain``, which takes
everything). A GPU is another implementation of ``Platform``, before ``rows`` in ``PLATFORMS``.
"""

from __future__ import annotations

import os
from typing import Protocol

from smartvm.errors import SmartVMError
from smartvm.vm.dnn import correlation, deferred
from smartvm.vm.dnn.blocks import WeightBlock
from smartvm.vm.dnn.buffer import Buffer, Deferred
from smartvm.vm.dnn.rows import Rows
from smartvm.vm.dnn.shapes import Correlation

#: The environment variable that forces a platform.
VARIABLE = "SMARTVM_PLATFORM"


class Platform(Protocol):
    """What computes correlations."""

    name: str

    def load_block(self, block: WeightBlock, shape: Correlation) -> bool:
        """Have the block's weights ready for a shape that they fill, once for all its uses; whether the platform
        may take such a shape. May be called from a second thread, ahead of ``run``."""
        ...

    def run(self, buffer: Buffer, block: WeightBlock, shape: Correlation) -> Deferred | None:
        """The work whose result is the correlation of the Buffer's map; None where the platform cannot prove that
        it would be exact, or does not take it. The Buffer is left as it is."""
        ...


class Panels:
    """The CPU's vector kernels on 16-bit items (``panels``), in the kernel set that the processor has."""

    name = "panels"

    def load_block(self, block: WeightBlock, shape: Correlation) -> bool:
        """See ``Platform``."""
        return deferred.prepare(block, shape) is not None

    def run(self, buffer: Buffer, block: WeightBlock, shape: Correlation) -> Deferred | None:
        """See ``Platform``."""
        return deferred.work_for(buffer.stored, buffer.layout, buffer.extremes, block, shape)


class Plain:
    """BLAS in float64 where that is exact, 64-bit and 256-bit integers elsewhere: takes everything."""

    name = "plain"

    def load_block(self, block: WeightBlock, shape: Correlation) -> bool:
        """See ``Platform``."""
        return True

    def run(self, buffer: Buffer, block: WeightBlock, shape: Correlation) -> Deferred | None:
        """See ``Platform``."""
        return correlation.PlainWork(buffer, block, shape)


#: In the order in which they are asked.
PLATFORMS: tuple[Platform, ...] = (Rows(), Panels(), Plain())


def available() -> tuple[Platform, ...]:
    """The platforms to ask, in order: all, or the forced one and what takes everything."""
    name = os.environ.get(VARIABLE)
    if not name:
        return PLATFORMS
    forced = [platform for platform in PLATFORMS if platform.name == name]
    if not forced:
        names = ", ".join(platform.name for platform in PLATFORMS)
        raise SmartVMError(f"{VARIABLE} is `{name}`, which is no platform", hint=f"there are {names}")
    return (forced[0], PLATFORMS[-1])


def load_block(block: WeightBlock, shape: Correlation) -> None:
    """Have a block's weights ready on the platform that will most likely compute a shape with them."""
    for platform in available():
        if platform.load_block(block, shape):
            return


def convolve(buffer: Buffer, block: WeightBlock, shape: Correlation) -> None:
    """Let the Buffer stand for its map's correlation with the block's kernels."""
    for platform in available():
        work = platform.run(buffer, block, shape)
        if work is not None:
            buffer.defer(work)
            return
