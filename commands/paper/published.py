"""The paper's values, as far as they are known here: from its abstract and from the project's notes on it.

A value that is not in these tables was not seen by whoever wrote them; it is printed as "not known here".
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

#: By figure, network and quantity; with the unit.
PUBLISHED: Mapping[tuple[str, str, str], str] = MappingProxyType(
    {
        ("Fig. 16-17", "lenet5", "Buffer saves"): "84 %",
        ("Fig. 16-17", "alexnet", "Buffer saves"): "90.8 %",
        ("Fig. 16-17", "resnet18", "Buffer saves"): "93.7 %",
        ("Fig. 16-17", "mobilenet", "Buffer saves"): "93.7 %",
        ("Table 3", "lenet5", "instructions, the first layer, EVM-only"): "17.58 million (slides)",
    }
)

#: What to know when the paper's values are read beside ours.
REMARKS = (
    "The paper contradicts itself on MobileNet's pipelined latency; no value of it is taken from there.",
    "The paper contradicts itself on LeNet's input size; here it is 28x28, which the 44,190 weights fit.",
    "The paper's abstract says that on-chain inference is roughly as efficient as native code.",
    "Which layers the paper counts for what the Buffer saves is not known here: its values lie near those of products "
    "and pooling alone, and at most at those with activations.",
)


def published(figure: str, network: str, quantity: str) -> str:
    """The paper's value as text."""
    return PUBLISHED.get((figure, network, quantity), "not known here")
