"""Where the heavy instructions are computed: the one interface behind which the platforms stand, and the choice.

A platform *loads* a weight block for a shape, in its own layout and its own memory; *runs* an operation on a
Buffer; and *gives back* the items, at once or when somebody looks at them (``buffer.Deferred``: the item-wise
instructions behind an operation may join it until then, on the platform's own memory). The first platform that takes
an operation gets it: the choice is made for each instruction, from its shape and the bounds of its operands, and never
shows in a result, since every platform computes the same exact integers. Operands are checked and gas is paid before.

``SMARTVM_PLATFORM=NAME`` forces one (read at each choice; what it does not take goes to ``plain``, which takes
everything). A GPU is another implementation of ``Platform``, before ``rows`` in ``PLATFORMS``.
"""

from __future__ import annotations

import os
from typing import Protocol

from smartvm.errors import SmartVMError
from smartvm.vm.dnn.buffer import Buffer
from smartvm.vm.dnn.operations import INSTRUCTIONS, Convolution, Operation
from smartvm.vm.dnn.platforms import deferred
from smartvm.vm.dnn.platforms.plain import Plain
from smartvm.vm.dnn.platforms.rows import Rows
from smartvm.vm.dnn.shapes import Correlation, Ends, Transposed
from smartvm.vm.dnn.weights.blocks import WeightBlock

#: The environment variable that forces a platform.
VARIABLE = "SMARTVM_PLATFORM"


class Platform(Protocol):
    """What computes operations."""

    name: str

    def load_block(self, block: WeightBlock, shape: Correlation | Transposed, ends: Ends | None = None) -> bool:
        """Have the block's weights ready for a shape that they fill, once for all its uses; whether the platform
        may take such a shape. ``ends``: between which the map's items are, as far as that is known: a hint. May be
        called from a second thread, ahead of ``run``."""
        ...

    def run(self, buffer: Buffer, operation: Operation) -> bool:
        """Let the Buffer hold the operation's result (``Buffer.replace``) or stand for it (``Buffer.defer``); False,
        with the Buffer as it was, where the platform cannot prove that it would be exact, or does not take it."""
        ...


class Panels:
    """The CPU's vector kernels on 16-bit and 8-bit items (``panels``), in the kernel set that the processor has."""

    name = "panels"

    def load_block(self, block: WeightBlock, shape: Correlation | Transposed, ends: Ends | None = None) -> bool:
        """See ``Platform``."""
        return isinstance(shape, Correlation) and deferred.prepare(block, shape, ends) is not None

    def run(self, buffer: Buffer, operation: Operation) -> bool:
        """See ``Platform``."""
        if not isinstance(operation, Convolution):
            return False
        work = deferred.work_for(buffer.stored, buffer.layout, buffer.extremes, operation.block, operation.shape)
        if work is None:
            return False
        buffer.defer(work)
        return True


_ROWS, _PANELS = Rows(), Panels()

#: In the order in which they are asked.
PLATFORMS: tuple[Platform, ...] = (_ROWS, _PANELS, Plain())


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


def handlers_may_take(name: str) -> bool:
    """Whether compiled handlers, which compute as ``panels`` does, may execute an instruction: not one that another
    platform is asked for first, beside ``rows``, whose shapes they leave alone."""
    if name not in INSTRUCTIONS:
        return True
    return next((platform is _PANELS for platform in available() if platform is not _ROWS), False)


def load_block(block: WeightBlock, shape: Correlation | Transposed, ends: Ends | None = None) -> None:
    """Have a block's weights ready on the platform that will most likely compute a shape with them, of a map whose
    items are between ``ends`` where that is known."""
    for platform in available():
        if platform.load_block(block, shape, ends):
            return


def execute(buffer: Buffer, operation: Operation) -> None:
    """Let the Buffer hold or stand for the result of an operation, on the first platform that takes it."""
    for platform in available():
        if platform.run(buffer, operation):
            return
