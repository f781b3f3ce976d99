"""A network's steps as the lines of its contract, for tests and for networks of other sizes."""

from __future__ import annotations

from smartvm.examples.networks import layers
from smartvm.examples.networks.layers import Network, Step


def calls(step: Step) -> list[str]:
    """The calls of ``smartvm/nn.sol`` that are a step."""
    shape: tuple[int, ...]
    match step:
        case layers.Convolution(depthwise=True):
            shape = (step.block, step.channels, step.side, step.side, step.kernel, step.stride, step.padding)
            lines = [f"NN.depthwiseConv2d({_list(shape)})"]
        case layers.Convolution():
            shape = (
                step.block,
                step.channels,
                step.filters,
                step.side,
                step.side,
                step.kernel,
                step.stride,
                step.padding,
            )
            lines = [f"NN.conv2d({_list(shape)})"]
        case layers.Dense(parts=1):
            lines = [f"NN.dense({_list((step.block, step.inputs, step.items))})"]
        case layers.Dense():
            lines = [f"NN.denseInParts({_list((step.block, step.inputs, step.items, step.parts))})"]
        case layers.MaximumPooling(padding=0) if step.window == step.stride:
            lines = [f"NN.maxPool({_list((step.channels, step.side, step.side, step.window, step.stride))})"]
        case layers.MaximumPooling():
            shape = (step.channels, step.side, step.window, step.stride, step.padding)
            lines = [f"NN.overlappingMaxPool({_list(shape)})"]
        case layers.GlobalAverage():
            lines = [f"NN.globalAveragePool({_list((step.channels, step.side))})"]
        case layers.Relu(cap=0):
            lines = ["NN.relu()"]
        case layers.Relu():
            lines = ["NN.relu6(SCALE)"]
        case layers.Save():
            lines = [f"NN.save(0, {step.channels} * {step.side} * {step.side})"]
        case layers.Swap():
            lines = ["NN.swap()"]
        case layers.AddSaved():
            lines = ["NN.addSaved()"]
        case layers.Recurrence():
            raise TypeError("a recurrence is a loop, not a line")
    if isinstance(step, layers.Weighted):
        lines.append(f"NN.biasAndScale({step.bias_block}, SCALE)")
    return lines


def _list(numbers: tuple[int, ...]) -> str:
    return ", ".join(map(str, numbers))


def contract_text(network: Network) -> str:
    """A contract of the network: ``logits(bytes picture)`` over items of two bytes."""
    lines = [f"        {call};" for step in network.steps for call in calls(step)]
    return "\n".join(
        [
            "// SPDX-License-Identifier: MIT",
            "pragma solidity ^0.8.0;",
            "",
            'import {NN, Network} from "smartvm/nn.sol";',
            "",
            f"contract {network.name} is Network {{",
            "    uint256 constant SCALE = 1000;",
            "",
            "    function logits(bytes calldata picture) external view returns (int256[] memory) {",
            "        NN.load(picture, 2);",
            *lines,
            f"        return NN.output({network.outputs});",
            "    }",
            "}",
            "",
        ]
    )
