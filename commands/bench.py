"""``smartvm bench``: experiments, measured on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from smartvm.commands.paper.measurement import Measurement

_NETWORKS = ("lenet5", "alexnet", "resnet18", "mobilenet", "lstm")
_EXPERIMENTS = ("code", "latency", "memory", "gas", "accuracy")


@click.group("bench")
def command() -> None:
    """Measure on this machine."""


@command.command("paper")
@click.option("--network", "networks", multiple=True, type=click.Choice(_NETWORKS), help="Only these networks.")
@click.option(
    "--experiment", "experiments", multiple=True, type=click.Choice(_EXPERIMENTS), help="Only these experiments."
)
@click.option(
    "--output", type=click.Path(path_type=Path), default=Path("paper-results"), show_default=True, metavar="DIR",
    help="Where the JSON file and the plots go.",
)  # fmt: skip
@click.option("--repetitions", default=5, show_default=True, type=click.IntRange(1), help="Runs, the least counts.")
@click.option("--no-plots", is_flag=True, help="Only tables and JSON.")
def paper(networks: Sequence[str], experiments: Sequence[str], output: Path, repetitions: int, no_plots: bool) -> None:
    """The experiments of the SmartVM paper: the paper's value, ours, and the definition used.

    Code size (Fig. 11), latency by where the weights are (Fig. 12-15, Table 2), memory (Fig. 16-17), gas of each layer
    (Table 3) and accuracy, of LeNet-5, AlexNet, ResNet-18, MobileNet and an LSTM. Native runs need onnxruntime, plots
    need matplotlib: pip install 'smartvm[bench]'. AlexNet takes minutes.
    """
    from rich.console import Console
    from smartvm.commands.options import UsageError
    from smartvm.commands.paper import plots, report

    console = Console()
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot write to `{output}`: {error.strerror}") from None
    measurements = list(_measured(networks or _NETWORKS, experiments or _EXPERIMENTS, repetitions))
    report.print_tables(measurements, console)
    path = output / "paper.json"
    report.write_json(measurements, path)
    console.print(f"written: {path}", highlight=False)
    if no_plots:
        return
    if not plots.is_available():
        click.echo(plots.MISSING, err=True)
        return
    written = plots.write_plots(measurements, output)
    console.print(f"written: {len(written)} plots in {output}", highlight=False)


def _measured(networks: Sequence[str], experiments: Sequence[str], repetitions: int) -> Iterator[Measurement]:
    import tempfile

    from smartvm.commands.paper import accuracy, code_size, gas, latency, memory, plain, process_memory
    from smartvm.commands.paper.subject import made_ready
    from smartvm.examples.networks import network_named

    slots: latency.SlotTimes | None = None
    plain_of_lenet5: plain.PlainTimes | None = None
    measurements: list[Measurement] = []
    for name in networks:
        network = network_named(name)
        if "code" in experiments:
            measurements += code_size.code_sizes(network)
        if set(experiments) == {"code"}:
            continue
        click.echo(f"{name}: making it ready", err=True)
        with tempfile.TemporaryDirectory() as folder:
            subject = made_ready(network, Path(folder))
            subject.check()
            if "latency" in experiments:
                click.echo(f"{name}: latency", err=True)
                if slots is None:
                    slots = latency.slot_times(subject, repetitions)
                if plain_of_lenet5 is None:
                    plain_of_lenet5 = plain.plain_times(min(repetitions, 3))
                measurements += latency.latencies(subject, slots, plain_of_lenet5, repetitions)
            if "memory" in experiments:
                click.echo(f"{name}: memory", err=True)
                if name != "lstm":
                    measurements += memory.buffer_memory(subject)
                    measurements += memory.plain_memory(subject)
                measurements += process_memory.process_memory(subject)
            if "gas" in experiments:
                measurements += gas.layer_gas(subject)
                measurements += gas.instructions(subject)
            if "accuracy" in experiments:
                click.echo(f"{name}: accuracy", err=True)
                measurements += accuracy.accuracies(subject)
    measurements += latency.fetch_ratios(measurements)
    figures = list(dict.fromkeys(m.figure for m in measurements))
    yield from sorted(measurements, key=lambda m: figures.index(m.figure))
