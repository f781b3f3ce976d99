"""A network's steps as the lines of its contract, for tests and for networks of other sizes."""

from __future__ import annotations

from smartvm.examples.networks.layers import (
    AddSaved,
    Convolution,
    Dense,
    GlobalAverage,
    MaximumPooling,
    Network,
    Recurrence,
    Relu,
    Save,
    Step,
    Swap,
    Weighted,
)


def calls(step: Step) -> list[str]:
    """The calls of ``smartvm/nn.sol`` that are a step."""
    shape: tuple[int, ...]
    match step:
        case Convolution(depthwise=True):
            shape = (step.block, step.channels, step.side, step.side, step.kernel, step.stride, step.padding)
            lines = [f"NN.depthwiseConv2d({_list(shape)})"]
        case Convolution():
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
        case Dense(parts=1):
            lines = [f"NN.dense({_list((step.block, step.inputs, step.items))})"]
        case Dense():
            lines = [f"NN.denseInParts({_list((step.block, step.inputs, step.items, step.parts))})"]
        case MaximumPooling(padding=0) if step.window == step.stride:
            lines = [f"NN.maxPool({_list((step.channels, step.side, step.side, step.window, step.stride))})"]
        case MaximumPooling():
            shape = (step.channels, step.side, step.window, step.stride, step.padding)
            lines = [f"NN.overlappingMaxPool({_list(shape)})"]
        case GlobalAverage():
            lines = [f"NN.globalAveragePool({_list((step.channels, step.side))})"]
        case Relu(cap=0):
            lines = ["NN.relu()"]
        case Relu():
            lines = ["NN.relu6(SCALE)"]
        case Save():
            lines = [f"NN.save(0, {step.channels} * {step.side} * {step.side})"]
        case Swap():
            lines = ["NN.swap()"]
        case AddSaved():
            lines = ["NN.addSaved()"]
        case Recurrence():
            raise TypeError("a recurrence is a loop, not a line")
    if isinstance(step, Weighted):
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
