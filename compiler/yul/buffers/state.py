"""What is known of a frame's Buffers at a point of the code, and what DNN instructions do to it."""

from __future__ import annotations

from math import prod

from smartvm.records import dataclass

#: The sizes of a map, outermost first; None: nothing is known.
Shape = tuple[int, ...] | None


def shape_text(shape: tuple[int, ...]) -> str:
    """``6x24x24``; a plain number of items as ``784 items``, none as ``an empty Buffer``."""
    if len(shape) > 1:
        return "x".join(map(str, shape))
    count = shape[0]
    return "an empty Buffer" if count == 0 else f"{count} item{'' if count == 1 else 's'}"


@dataclass(frozen=True, slots=True)
class BufferState:
    """``shape`` of the Buffer (its product is the number of items), and the shapes of the saved Buffers, the
    last saved at the end (None: how many there are is not known)."""

    shape: Shape = None
    saved: tuple[Shape, ...] | None = None

    @property
    def length(self) -> int | None:
        """The number of items."""
        return None if self.shape is None else prod(self.shape)


#: Nothing is known.
UNKNOWN = BufferState()
#: Where a frame starts.
EMPTY = BufferState((0,), ())


def join(a: BufferState | None, b: BufferState | None) -> BufferState | None:
    """What holds after two ways come together; None stands for a way that ends before."""
    if a is None or b is None:
        return b if a is None else a
    saved = None
    if a.saved is not None and b.saved is not None and len(a.saved) == len(b.saved):
        saved = tuple(_join(x, y) for x, y in zip(a.saved, b.saved, strict=True))
    return BufferState(_join(a.shape, b.shape), saved)


def _join(a: Shape, b: Shape) -> Shape:
    if a is None or b is None or a == b:
        return a if a == b else None
    return (prod(a),) if prod(a) == prod(b) else None
