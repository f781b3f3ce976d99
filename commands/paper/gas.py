"""Table 3: gas of each layer."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from smartvm.commands.paper.executed import counting_table
from smartvm.commands.paper.measurement import Measurement
from smartvm.commands.paper.plain import plain_instructions
from smartvm.commands.paper.subject import Subject
from smartvm.examples.networks.layer_events import shape_text
from smartvm.instructions.loader import load_table
from smartvm.vm import KernelEvent

FIGURE = "Table 3"
_DEFINITION = (
    "gas of the layer's instruction with the bias, division and activation that follow it; "
    "the rest is input, output, calldata and calls"
)

_EXECUTED = (
    "executed instructions, the plain Solidity contract compiled by smartvm with its optimizer "
    "(benchmarks/lenet5_plain.py has solc's code too)"
)
_WITHOUT = ("instructions, a call, EVM-only", "instructions, the first layer, EVM-only")

#: Instructions that begin a layer.
_LAYERS = frozenset({"CONV_SING", "CONV_MUL", "CONV_3D", "CONV_TPD", "FULL_CON", "POOL_MAX", "POOL_AVG", "POOL_OL"})


def layer_gas(subject: Subject) -> Iterator[Measurement]:
    """Gas by layer, layers of one kind counted in their order; steps of a recurrence are added up."""
    events: list[KernelEvent] = []
    with subject.chain() as chain:
        chain.machine.observer = events.append
        total = subject.call(chain).gas_used
        chain.machine.observer = None
    layers: dict[tuple[object, ...], list[int]] = {}
    names: dict[tuple[object, ...], str] = {}
    parts_of: dict[tuple[object, ...], set[int]] = {}  # the blocks of a dense layer in parts
    key: tuple[object, ...] = ()
    current: list[int] | None = None
    open_dense: tuple[int, ...] | None = None  # shape of a dense layer whose bias is still to come
    for event in events:
        if event.name == "BUF_BIAS":
            open_dense = None
        if event.name in _LAYERS and not (event.name == "FULL_CON" and event.operands[1:] == open_dense):
            # a step of a loop reads the same block again and is the same layer; pooling reads none
            key = (event.name, *event.operands)
            if event.name.startswith("POOL"):
                key = (*key, len(layers))
            names.setdefault(key, f"{len(layers) + 1:2} {event.name.lower()} {shape_text(event)}")
            current = layers.setdefault(key, [])
            open_dense = event.operands[1:] if event.name == "FULL_CON" else None
        if event.name == "FULL_CON":
            parts_of.setdefault(key, set()).add(event.operands[0])
            count = len(parts_of[key])
            if count > 1:
                inputs, outputs = prod(event.operands[1:4]), count * event.operands[4]
                names[key] = f"{names[key][:2]} full_con {inputs} -> {outputs} in {count} parts"
        if current is not None:
            current.append(event.gas)
    spent = 0
    for key, parts in layers.items():
        spent += sum(parts)
        yield Measurement(FIGURE, subject.network.folder, names[key], sum(parts), "gas", _DEFINITION)
    yield Measurement(FIGURE, subject.network.folder, "the rest", total - spent, "gas", _DEFINITION)
    yield Measurement(FIGURE, subject.network.folder, "a call", total, "gas", _DEFINITION)


def instructions(subject: Subject) -> Iterator[Measurement]:
    """How many instructions a call executes, and LeNet-5 without DNN instructions."""
    network = subject.network.folder
    with subject.chain(table=counting_table(load_table("default"))) as chain:
        executed = subject.call(chain).gas_used
    yield Measurement(FIGURE, network, "instructions, a call", executed, "", _EXECUTED)
    if network == "lenet5":
        for quantity, count in zip(_WITHOUT, plain_instructions(), strict=True):
            yield Measurement(FIGURE, network, quantity, count, "", _EXECUTED)
