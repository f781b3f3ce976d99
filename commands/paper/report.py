"""The measurements as tables beside the paper's values, and as JSON."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table
from smartvm.commands.paper.measurement import Measurement
from smartvm.commands.paper.published import PUBLISHED, REMARKS, published

#: Stands below a table without the paper's values.
NOTHING_KNOWN = "the paper's values are not known here"

#: Marks a quantity that is the calling thread's processor time.
_CPU = " (CPU)"


def print_tables(measurements: Sequence[Measurement], console: Console) -> None:
    """A table for each figure, then the definitions of its quantities, then remarks."""
    for figure in dict.fromkeys(m.figure for m in measurements):
        rows = [m for m in measurements if m.figure == figure]
        console.print(f"[bold]{figure}[/bold]", highlight=False)
        by_part = [row for row in rows if ": " in row.quantity]
        if by_part:
            console.print(_by_part(by_part))
        alone = [row for row in rows if ": " not in row.quantity]
        if alone:
            console.print(_alone(figure, alone))
        definitions: dict[str, list[str]] = {}
        for row in rows:
            name = row.quantity.partition(":")[0].removesuffix(_CPU)
            names = definitions.setdefault(row.definition, [])
            if name not in names:
                names.append(name)
        for definition, names in definitions.items():
            what = ", ".join(names[:3]) + (" ..." if len(names) > 3 else "")
            console.print(f"  [bold]{what}[/bold]: {definition}", highlight=False)
        console.print()
    for remark in REMARKS:
        console.print(remark, highlight=False)


def _alone(figure: str, rows: Sequence[Measurement]) -> Table:
    """A line for each quantity, beside the paper's values where one is known."""
    known = any((figure, row.network, row.quantity) in PUBLISHED for row in rows)
    table = Table("network", "quantity", *(["paper"] if known else []), "ours")
    table.columns[-1].justify = "right"
    for row in rows:
        paper = [PUBLISHED.get((figure, row.network, row.quantity), "")] if known else []
        table.add_row(row.network, row.quantity, *paper, shown(row))
    table.caption = "where nothing stands, the paper's value is not known here" if known else NOTHING_KNOWN
    return table


def _by_part(rows: Sequence[Measurement]) -> Table:
    """Quantities ``way: part`` and ``way: part (CPU)``, a line for each way and a column for each part."""
    values = {(row.network, row.quantity): row for row in rows}
    ways = dict.fromkeys((row.network, row.quantity.partition(": ")[0]) for row in rows)
    parts = [p for p in dict.fromkeys(row.quantity.partition(": ")[2] for row in rows) if not p.endswith(_CPU)]
    table = Table("network", "weights", *(f"{part}, wall{_CPU}" for part in parts), caption=NOTHING_KNOWN)
    for column in table.columns[2:]:
        column.justify = "right"
    for network, way in ways:
        cells = []
        for part in parts:
            wall, processor = values[network, f"{way}: {part}"], values[network, f"{way}: {part}{_CPU}"]
            also = "" if processor.value is None else f" ({shown(processor).removeprefix('about ')})"
            cells.append("-" if wall.value is None else shown(wall) + also)
        table.add_row(network, way, *cells)
    return table


def shown(row: Measurement) -> str:
    """A value with its unit; what was not measured says why."""
    if row.value is None:
        return f"- ({row.note})" if row.note else "-"
    value, unit = (row.value / 1000, "s") if row.unit == "ms" and row.value >= 10_000 else (row.value, row.unit)
    digits = 0 if value == int(value) or value >= 1000 else 1 if value >= 100 else 2 if value >= 1 else 3
    about = "about " if row.estimated else ""
    return f"{about}{value:,.{digits}f} {unit}".rstrip()


def write_json(measurements: Sequence[Measurement], path: Path) -> None:
    """All measurements with the paper's values."""
    from importlib.metadata import version

    document = {
        "smartvm": version("smartvm"),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "system": platform.platform(),
        "measurements": [{**asdict(m), "paper": published(m.figure, m.network, m.quantity)} for m in measurements],
        "remarks": list(REMARKS),
    }
    path.write_text(json.dumps(document, indent=1) + "\n", "utf-8")
