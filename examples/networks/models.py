"""The paper's networks. Each can also be built smaller, of the same topology, for tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from smartvm.examples.networks.layers import SCALE, Network, NetworkBuilder


def lenet5() -> Network:
    """LeNet-5 for 28x28 pictures: 44,190 weights."""
    b = NetworkBuilder((1, 28, 28))
    for filters in (6, 16):
        b.convolution(filters, 5)
        b.relu()
        b.maximum(2, 2)
    b.convolution(120, 4)
    b.relu()
    b.dense(84)
    b.relu()
    b.dense(10)
    return b.network("LeNet5", "lenet5", gray=True)


def alexnet(side: int = 227, width: int = 96, hidden: int = 4096, classes: int = 1000) -> Network:
    """AlexNet without groups: 62,367,776 weights. Its first dense layers are in blocks of at most 4 million items: more
    would leave the linear price of a Buffer."""
    b = NetworkBuilder((3, side, side))
    b.convolution(width, 11, 4)
    b.relu()
    b.maximum(3, 2)
    b.convolution(width * 8 // 3, 5, 1, 2)
    b.relu()
    b.maximum(3, 2)
    for filters in (width * 4, width * 4, width * 8 // 3):
        b.convolution(filters, 3, 1, 1)
        b.relu()
    b.maximum(3, 2)
    b.dense(hidden, parts=16)
    b.relu()
    b.dense(hidden, parts=8)
    b.relu()
    b.dense(classes)
    return b.network("AlexNet", "alexnet")


def resnet18(side: int = 224, width: int = 64, classes: int = 1000) -> Network:
    """ResNet-18, batch normalisation folded into weights and biases: 11,678,912 weights."""
    b = NetworkBuilder((3, side, side))
    b.convolution(width, 7, 2, 3)
    b.relu()
    b.maximum(3, 2, 1)
    for stage in range(4):
        b.residual(width << stage, 1 if stage == 0 else 2, branch_gain=0.5)
        b.residual(width << stage, 1, branch_gain=0.5)
    b.average()
    b.dense(classes, gain=0.5**0.5)
    return b.network("ResNet18", "resnet18")


#: Stride of each depthwise layer of MobileNet, and by how much the pointwise layer after it multiplies the channels.
_SEPARABLE = (
    (1, 2),
    (2, 2),
    (1, 1),
    (2, 2),
    (1, 1),
    (2, 2),
    (1, 1),
    (1, 1),
    (1, 1),
    (1, 1),
    (1, 1),
    (2, 2),
    (1, 1),
)


def mobilenet(side: int = 224, width: int = 32, classes: int = 1000) -> Network:
    """MobileNet v1, batch normalisation folded: 4,209,088 weights."""
    b = NetworkBuilder((3, side, side))
    b.convolution(width, 3, 2, 1)
    b.relu(6 * SCALE)
    filters = width
    for stride, factor in _SEPARABLE:
        b.depthwise(3, stride, 1)
        b.relu(6 * SCALE)
        filters *= factor
        b.convolution(filters, 1)
        b.relu(6 * SCALE)
    b.average()
    b.dense(classes, gain=0.5**0.5)
    return b.network("MobileNet", "mobilenet")


def lstm() -> Network:
    """A long short-term memory over the rows of a 28x28 picture: 55,296 weights, and 960 that name the digit."""
    b = NetworkBuilder((1, 28, 28))
    b.recurrence(48, 96, 28)
    b.dense(10)
    return b.network("LSTM", "lstm", gray=True)


#: By the example's folder.
NETWORKS: Mapping[str, Callable[[], Network]] = MappingProxyType(
    {"lenet5": lenet5, "alexnet": alexnet, "resnet18": resnet18, "mobilenet": mobilenet, "lstm": lstm}
)


def network_named(folder: str) -> Network:
    """A network by its example's folder, at full size."""
    return NETWORKS[folder]()
