"""A network as a sequence of steps, each of which is a call of ``smartvm/nn.sol`` and so a line of its contract.

From the same steps come the weights' shapes, the meaning in integers (``reference``), the float model that a
benchmark compares with, and the lines that the tests find in the contract.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod

Shape = tuple[int, ...]

#: Integers stand for reals times this, as in the paper.
SCALE = 1000


@dataclass(frozen=True, slots=True)
class Weighted:
    """A layer of products: ``block`` is the first of its weight blocks (``parts`` of them), the next one after
    these is its bias. ``gain`` scales random weights."""

    name: str
    block: int
    parts: int = field(default=1, kw_only=True)
    gain: float = field(default=1.0, kw_only=True)

    @property
    def bias_block(self) -> int:
        """The block of the biases."""
        return self.block + self.parts

    @property
    def weights_shape(self) -> Shape:
        """The order of the weights, as the instruction reads them."""
        raise NotImplementedError

    @property
    def outputs(self) -> int:
        """Channels or items that it makes; so many biases."""
        return self.weights_shape[0]

    @property
    def terms(self) -> int:
        """Products that an output sums."""
        return prod(self.weights_shape[1:])


@dataclass(frozen=True, slots=True)
class Convolution(Weighted):
    """``channels`` square maps of ``side`` become ``filters``; depthwise when each has one kernel of its own."""

    channels: int
    filters: int
    side: int
    kernel: int
    stride: int
    padding: int
    depthwise: bool = False

    @property
    def weights_shape(self) -> Shape:
        """[out][in][row][column]; depthwise [channel][1][row][column]."""
        return (self.filters, 1 if self.depthwise else self.channels, self.kernel, self.kernel)

    @property
    def output_side(self) -> int:
        """Rows, and columns, of an output map."""
        return (self.side + 2 * self.padding - self.kernel) // self.stride + 1


@dataclass(frozen=True, slots=True)
class Dense(Weighted):
    """``inputs`` items become ``items``."""

    inputs: int
    items: int

    @property
    def weights_shape(self) -> Shape:
        """[out][in]."""
        return (self.items, self.inputs)


@dataclass(frozen=True, slots=True)
class Recurrence(Weighted):
    """A long short-term memory: ``steps`` of ``inputs`` and ``hidden`` items; the last hidden state goes on
    (``lstm``)."""

    inputs: int
    hidden: int
    steps: int

    @property
    def weights_shape(self) -> Shape:
        """[gate and cell][hidden, then input]."""
        return (4 * self.hidden, self.hidden + self.inputs)


@dataclass(frozen=True, slots=True)
class MaximumPooling:
    """Overlapping where ``window`` > ``stride``; padded cells never win."""

    channels: int
    side: int
    window: int
    stride: int
    padding: int


@dataclass(frozen=True, slots=True)
class GlobalAverage:
    """Each map becomes its mean."""

    channels: int
    side: int


@dataclass(frozen=True, slots=True)
class Relu:
    """max(x, 0), and at most ``cap`` (an integer at the scale) unless that is 0."""

    cap: int = 0


@dataclass(frozen=True, slots=True)
class Save:
    """Keeps a copy of the feature map."""

    channels: int
    side: int


@dataclass(frozen=True, slots=True)
class Swap:
    """Goes on with what was saved last, and saves the feature map instead."""


@dataclass(frozen=True, slots=True)
class AddSaved:
    """Adds what was saved last."""


Step = Convolution | Dense | Recurrence | MaximumPooling | GlobalAverage | Relu | Save | Swap | AddSaved


@dataclass(frozen=True)
class Network:
    """``name`` is the contract's, ``folder`` its example's. The input is a map of ``input_shape``, whose items the
    contract takes packed in two bytes each; or (``gray``) gray values 0 ... 255 as words, which it brings to
    0 ... 1,000."""

    name: str
    folder: str
    input_shape: Shape
    outputs: int
    steps: tuple[Step, ...]
    gray: bool = False

    @property
    def weighted(self) -> tuple[Weighted, ...]:
        """The layers with weights."""
        return tuple(step for step in self.steps if isinstance(step, Weighted))

    @property
    def weight_count(self) -> int:
        """All weights, biases apart."""
        return sum(prod(layer.weights_shape) for layer in self.weighted)

    @property
    def products(self) -> int:
        """Multiply-accumulates of a call, those with padding included."""
        return sum(prod(layer.weights_shape) * _uses(layer) for layer in self.weighted)


def _uses(layer: Weighted) -> int:
    """How often each weight is used."""
    match layer:
        case Convolution():
            return layer.output_side**2
        case Recurrence():
            return layer.steps
        case _:
            return 1


class NetworkBuilder:
    """Adds steps one after the other, and keeps account of the feature map's shape and of block ids."""

    def __init__(self, input_shape: Shape) -> None:
        self.input_shape = input_shape
        self.channels, self.side = input_shape[0], input_shape[-1]
        self.steps: list[Step] = []
        self._next_block = 2
        self._layers = 0

    @property
    def items(self) -> int:
        """Items of the feature map."""
        return self.channels * self.side * self.side

    def _name(self, kind: str) -> str:
        self._layers += 1
        return f"{kind}{self._layers}"

    def convolution(
        self, filters: int, kernel: int, stride: int = 1, padding: int = 0, gain: float = 1.0
    ) -> None:
        """``filters`` kernels over all channels."""
        self._convolve(filters, kernel, stride, padding, gain, depthwise=False)

    def depthwise(self, kernel: int, stride: int, padding: int) -> None:
        """One kernel for each channel."""
        self._convolve(self.channels, kernel, stride, padding, 1.0, depthwise=True)

    def _convolve(
        self, filters: int, kernel: int, stride: int, padding: int, gain: float, *, depthwise: bool
    ) -> None:
        name = self._name("depthwise" if depthwise else "conv")
        layer = Convolution(
            name,
            self._next_block,
            self.channels,
            filters,
            self.side,
            kernel,
            stride,
            padding,
            depthwise,
            gain=gain,
        )
        self._next_block = layer.bias_block + 1
        self.steps.append(layer)
        self.channels, self.side = filters, layer.output_side

    def dense(self, items: int, parts: int = 1, gain: float = 1.0) -> None:
        """Fully connected, its weights in ``parts`` blocks."""
        layer = Dense(self._name("dense"), self._next_block, self.items, items, parts=parts, gain=gain)
        self._next_block = layer.bias_block + 1
        self.steps.append(layer)
        self.channels, self.side = items, 1

    def relu(self, cap: int = 0) -> None:
        """Rectify."""
        self.steps.append(Relu(cap))

    def maximum(self, window: int, stride: int, padding: int = 0) -> None:
        """Maximum pooling."""
        self.steps.append(MaximumPooling(self.channels, self.side, window, stride, padding))
        self.side = (self.side + 2 * padding - window) // stride + 1

    def average(self) -> None:
        """The mean of each map."""
        self.steps.append(GlobalAverage(self.channels, self.side))
        self.side = 1

    def residual(self, filters: int, stride: int, branch_gain: float) -> None:
        """A basic block of ResNet: two 3x3 convolutions beside the identity, or beside a 1x1 convolution where the
        shape changes."""
        channels, side = self.channels, self.side
        self.steps.append(Save(channels, side))
        self.convolution(filters, 3, stride, 1)
        self.relu()
        self.convolution(filters, 3, 1, 1, branch_gain)
        if stride != 1 or filters != channels:
            self.steps.append(Swap())
            self.channels, self.side = channels, side
            self.convolution(filters, 1, stride, 0, 0.5**0.5)
        self.steps.append(AddSaved())
        self.relu()

    def recurrence(self, inputs: int, hidden: int, steps: int) -> None:
        """A long short-term memory."""
        layer = Recurrence(self._name("gates"), self._next_block, inputs, hidden, steps)
        self._next_block = layer.bias_block + 1
        self.steps.append(layer)
        self.channels, self.side = hidden, 1

    def network(self, name: str, folder: str, *, gray: bool = False) -> Network:
        """What was built."""
        return Network(name, folder, self.input_shape, self.items, tuple(self.steps), gray)
