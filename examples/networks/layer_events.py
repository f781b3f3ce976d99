"""What a machine's observer tells of a call: which DNN instruction took what."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from smartvm.vm import KernelEvent


def shape_text(event: KernelEvent) -> str:
    """What an instruction makes of what, from its operands."""
    operands = event.operands
    match event.name:
        case "CONV_MUL" | "CONV_SING":
            _, c, o, h, w, k, s, p = operands
            return f"{c}x{h}x{w} -> {o}x{(h + 2 * p - k) // s + 1}x{(w + 2 * p - k) // s + 1}"
        case "POOL_MAX" | "POOL_AVG":
            c, h, w, k, s = operands
            return f"{c}x{h}x{w} -> {c}x{(h - k) // s + 1}x{(w - k) // s + 1}"
        case "POOL_OL":
            c, h, k, s, p = operands
            side = (h + 2 * p - k) // s + 1
            return f"{c}x{h}x{h} -> {c}x{side}x{side}"
        case "FULL_CON":
            _, c, h, w, o = operands
            return f"{c * h * w} -> {o}"
        case "MTOB" | "BTOM" | "MTOB_PACK" | "BTOM_PACK":
            return f"{operands[1]} items"
        case "BUF_BIAS":
            return f"block {operands[0]}"
        case "BUF_SCL0":
            return f"x {operands[0]}"
        case "BUF_SCL1":
            return f"/ {operands[0]}"
        case "BUF_COPY":
            return f"{operands[0]} ... {operands[1] - 1}"
        case _:
            return ""


def layer_table(events: Sequence[KernelEvent], title: str) -> Table:
    """A line for each instruction of a call, and their sum."""
    table = Table("instruction", "shape", "gas", "µs", title=title)
    for column in table.columns[2:]:
        column.justify = "right"
    for event in events:
        table.add_row(event.name.lower(), shape_text(event), f"{event.gas:,}", f"{event.nanoseconds / 1e3:,.1f}")
    table.add_section()
    gas, spent = sum(event.gas for event in events), sum(event.nanoseconds for event in events)
    table.add_row("all", "", f"{gas:,}", f"{spent / 1e3:,.1f}")
    return table
