"""ACT_SM0 (softmax), ACT_SM1 (sigmoid) and ACT_TANH, correctly rounded: checks, gas, and the operation."""

from __future__ import annotations

from typing import Literal

from smartvm.vm.dnn import items as item_arrays
from smartvm.vm.dnn.instructions import gas
from smartvm.vm.dnn.operations import Activation
from smartvm.vm.dnn.platforms.dispatcher import execute
from smartvm.vm.extension import InstructionContext


def act_sm0(context: InstructionContext) -> None:
    """ACT_SM0(v): softmax over the whole Buffer at scale v."""
    _activate(context, "softmax")


def act_sm1(context: InstructionContext) -> None:
    """ACT_SM1(v): sigmoid at scale v."""
    _activate(context, "sigmoid")


def act_tanh(context: InstructionContext) -> None:
    """ACT_TANH(v): tanh at scale v."""
    _activate(context, "tanh")


def _activate(context: InstructionContext, function: Literal["softmax", "sigmoid", "tanh"]) -> None:
    scale = item_arrays.to_signed(context.operands[0])
    if scale <= 0:
        raise context.halt("a scale of at least 1", str(scale))
    gas.charge_activation(context, len(context.buffer), scale)
    if len(context.buffer):
        execute(context.buffer, Activation(function, scale))
