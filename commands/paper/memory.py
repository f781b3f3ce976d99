"""Fig. 16-17: memory of the run without DNN instructions, of the Buffer, and of native code."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import smartvm
from smartvm.commands.paper.measurement import Measurement
from smartvm.commands.paper.subject import Subject
from smartvm.examples.networks import deploy_plain
from smartvm.examples.networks.layers import (
    Convolution,
    Dense,
    GlobalAverage,
    MaximumPooling,
    Relu,
)
from smartvm.examples.networks.parameters import EXAMPLES
from smartvm.examples.networks.reference import Map, feature_maps

FIGURE = "Fig. 16-17"
_SAVES = (
    "1 - mean items in the Buffer after each layer / mean items ever allocated until then; layers are products, "
    "pooling and activations, as frameworks list them"
)
_SAVES_STRICT = "the same with products and pooling alone as layers"
_EVM = "EVM memory that the plain Solidity contract has allocated after each layer (it frees none): weights and maps"
_PEAK = "input and output of a layer and saved Buffers, all live, at 32 bytes an item"
_REAL = "the same at the bytes an item that the VM keeps (1, 2, 4 or 8, whatever a map's items need)"

_KIB = 1024


def buffer_memory(subject: Subject) -> Iterator[Measurement]:
    """What the Buffer saves, its mean and its honest peak. Recurrences have one map of one size: nothing to tell."""
    network = subject.network.folder
    maps = list(feature_maps(subject.network, subject.parameters, subject.picture))
    products = (Convolution, Dense, MaximumPooling, GlobalAverage)
    for quantity, layers, definition in (
        ("Buffer saves", (*products, Relu), _SAVES),
        ("Buffer saves, products and pooling", products, _SAVES_STRICT),
    ):
        held = [x.size for step, x, _ in maps if step is None or isinstance(step, layers)]
        yield Measurement(FIGURE, network, quantity, 100 * saved_share(held), "%", definition)
    sizes = [x.size * 32 / _KIB for _, x, _ in maps]
    mean = "items in the Buffer after each layer, at 32 bytes"
    yield Measurement(FIGURE, network, "Buffer, mean", float(np.mean(sizes)), "KiB", mean)
    for quantity, width, definition in (
        ("Buffer, peak", _word_bytes, _PEAK),
        ("Buffer, peak in real bytes", item_bytes, _REAL),
    ):
        peaks = [
            sum(x.size * width(x) for x in (before, after, *saved)) / _KIB
            for (_, before, _), (_, after, saved) in pairwise(maps)
        ]
        yield Measurement(FIGURE, network, quantity, max(peaks), "KiB", definition)


def saved_share(items: Sequence[int]) -> float:
    """1 - mean items held after each layer / mean items ever allocated until then."""
    return 1 - float(np.mean(items) / np.mean(np.cumsum(items)))


def _word_bytes(x: Map) -> int:
    return 32


def item_bytes(x: Map) -> int:
    """Bytes of the narrowest type of a map's items."""
    low, high = int(x.min()), int(x.max())
    return next(width for width in (1, 2, 4, 8) if -(1 << 8 * width - 1) <= low and high < 1 << 8 * width - 1)


def plain_memory(subject: Subject) -> Iterator[Measurement]:
    """EVM memory of the contract without DNN instructions, where there is one."""
    network = subject.network
    path = EXAMPLES / network.folder / f"{network.name}Plain.sol"
    if not path.is_file():
        for quantity in ("EVM-only, mean", "EVM-only, peak"):
            note = "only LeNet-5 is written in plain Solidity"
            yield Measurement(FIGURE, network.folder, quantity, None, "KiB", _EVM, note)
        return
    chain = smartvm.Chain()
    contract = deploy_plain(chain, subject.parameters, path.read_text("utf-8") + _PROBE, "Probe")
    sizes = [size / _KIB for size in contract.memoryByLayer(subject.picture.reshape(-1))]
    yield Measurement(FIGURE, network.folder, "EVM-only, mean", float(np.mean(sizes)), "KiB", _EVM)
    yield Measurement(FIGURE, network.folder, "EVM-only, peak", max(sizes), "KiB", _EVM)


#: LeNet5Plain, telling after each layer how much memory is allocated.
_PROBE = """
contract Probe is LeNet5Plain {
    function memoryByLayer(int256[] calldata image) external view returns (uint256[8] memory sizes) {
        int256[] memory x = new int256[](784);
        for (uint256 i = 0; i < 784; i++) x[i] = image[i] * SCALE / 255;
        sizes[0] = allocated();
        x = relu(conv2d(x, 2, Shape(1, 6, 28, 5))); sizes[1] = allocated();
        x = maxPool(x, 6, 24); sizes[2] = allocated();
        x = relu(conv2d(x, 4, Shape(6, 16, 12, 5))); sizes[3] = allocated();
        x = maxPool(x, 16, 8); sizes[4] = allocated();
        x = relu(conv2d(x, 6, Shape(16, 120, 4, 4))); sizes[5] = allocated();
        x = relu(dense(x, 8, 84)); sizes[6] = allocated();
        x = dense(x, 10, 10); sizes[7] = allocated();
    }

    function allocated() private pure returns (uint256 size) {
        assembly ("memory-safe") { size := mload(0x40) }
    }
}
"""
