"""The figures as PNG and SVG. matplotlib is an extra (``pip install smartvm[bench]``) and imported here alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from smartvm.commands.paper import code_size, gas, latency, memory
from smartvm.commands.paper.measurement import Measurement

#: What is said where it is absent.
MISSING = "no plots: matplotlib is not installed (pip install 'smartvm[bench]')"

_WAYS = ("off-chain", "EVM-only", "per slot", "per slot, SLOAD alone", "blocks", "blocks + prefetch")


def is_available() -> bool:
    """Whether figures can be drawn."""
    from importlib.util import find_spec

    return find_spec("matplotlib") is not None


def write_plots(measurements: Sequence[Measurement], folder: Path) -> list[Path]:
    """Draw what the measurements have; the files written."""
    import matplotlib

    matplotlib.use("Agg")
    values = {(m.figure, m.network, m.quantity): m.value for m in measurements if m.value is not None}
    networks = list(dict.fromkeys(m.network for m in measurements))
    written: list[Path] = []
    for quantity in ("source lines", "bytecode"):
        series = {
            which: [values.get((code_size.FIGURE, n, f"{quantity} {which}")) for n in networks]
            for which in ("with DNN instructions", "without")
        }
        unit = "lines" if quantity == "source lines" else "bytes"
        written += _bars(f"fig11-{quantity.replace(' ', '-')}", f"Fig. 11: {quantity}", unit, networks, series, folder)
    for number, part in ((12, "end to end"), (13, "weight fetch"), (14, "compute")):
        series = {way: [values.get((latency.FIGURE, n, f"{way}: {part}")) for n in networks] for way in _WAYS}
        title = f"Fig. 12-15: {part}"
        written += _bars(f"fig{number}-{part.replace(' ', '-')}", title, "ms", networks, series, folder)
    series = {
        name: [values.get((memory.FIGURE, n, name)) for n in networks]
        for name in ("EVM-only, mean", "EVM-only, peak", "Buffer, mean", "Buffer, peak", "Buffer, peak in real bytes")
    }
    written += _bars("fig16-buffer", "Fig. 16-17: memory of feature maps", "KiB", networks, series, folder)
    series = {
        name: [values.get((memory.FIGURE, n, name)) for n in networks]
        for name in ("process, peak", "native process, peak")
    }
    written += _bars("fig17-process", "Fig. 16-17: memory of the process", "MiB", networks, series, folder)
    for network in networks:
        layers = [m for m in measurements if m.figure == gas.FIGURE and m.network == network and m.quantity != "a call"]
        if layers:
            series = {network: [m.value for m in layers]}
            names = [m.quantity.strip() for m in layers]
            written += _bars(f"table3-gas-{network}", f"Table 3: gas of {network}", "gas", names, series, folder)
    return written


def _bars(
    name: str,
    title: str,
    unit: str,
    groups: Sequence[str],
    series: dict[str, list[float | None]],
    folder: Path,
) -> list[Path]:
    """Groups of bars on a logarithmic scale; nothing where nothing was measured."""
    from matplotlib import pyplot

    series = {label: found for label, found in series.items() if any(v is not None and v > 0 for v in found)}
    if not series:
        return []
    lying = len(groups) > 8  # long names beside lying bars
    size = (8, 1.5 + 0.25 * len(groups)) if lying else (7, 4.5)
    figure, axes = pyplot.subplots(figsize=size, layout="constrained")
    width = 0.8 / len(series)
    for position, (label, found) in enumerate(series.items()):
        places = [i + (position - (len(series) - 1) / 2) * width for i in range(len(groups))]
        drawn: Any = [v if v is not None and v > 0 else float("nan") for v in found]
        (axes.barh if lying else axes.bar)(places, drawn, width, label=label)
    if lying:
        axes.set_yticks(range(len(groups)), groups, fontsize="small")
        axes.invert_yaxis()
        axes.set_xscale("log")
        axes.set_xlabel(unit)
    else:
        axes.set_xticks(range(len(groups)), groups)
        axes.set_yscale("log")
        axes.set_ylabel(unit)
    axes.set_title(title)
    if len(series) > 1:
        figure.legend(loc="outside lower center", ncols=3, fontsize="small")
    paths = [folder / f"{name}.{kind}" for kind in ("png", "svg")]
    for path in paths:
        figure.savefig(path)
    pyplot.close(figure)
    return paths
