"""``smartvm table``: prints, checks and compares instruction tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from smartvm.commands.options import checked_fork, load_checked_table

if TYPE_CHECKING:
    from smartvm.instructions.model import Gas, Instruction, InstructionTable


@click.group(short_help="Print, check and compare instruction tables.")
def command() -> None:
    """Print, check and compare instruction tables: `default`, `evm`, `paper`, or TOML files of your own."""


def _gas_text(gas: Gas) -> str:
    return f"{gas.base} + {gas.dynamic}" if gas.dynamic else str(gas.base)


def _results_text(instruction: Instruction) -> str:
    if instruction.result_count is not None:
        return f"{instruction.result_count.operand} words"
    return ", ".join(instruction.results)


def _as_json(instruction: Instruction, table: InstructionTable, fork: str) -> dict[str, object]:
    gas = table.gas(instruction, fork)
    return {
        "name": instruction.name,
        "opcode": instruction.opcode,
        "operands": list(instruction.operands),
        "results": list(instruction.results),
        "immediate_bytes": instruction.immediate_bytes,
        "gas": {"base": gas.base, "dynamic": gas.dynamic, **dict(gas.constants)},
        "since": instruction.since,
        "family": instruction.family,
        "description": instruction.description,
    }


@command.command()
@click.argument("name", default="default", metavar="[NAME|FILE]")
@click.option(
    "--evm-version", default=None, metavar="FORK", help="Show the instructions of this fork.  [default: last]"
)
@click.option("--family", default=None, help="Show one family only, for example `dnn`.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(name: str, evm_version: str | None, family: str | None, as_json: bool) -> None:
    """Print a table: opcode, name, operands, results, gas."""
    table = load_checked_table(name)
    fork = checked_fork(table, evm_version) if evm_version else table.forks[-1]
    rows = [i for i in table.instructions if table.has(i, fork) and family in (None, i.family)]
    if as_json:
        import json

        document = {
            "name": table.name,
            "digest": table.digest,
            "fork": fork,
            "instructions": [_as_json(row, table, fork) for row in rows],
            "constants": dict(table.constants),
        }
        click.echo(json.dumps(document, indent=2))
        return
    from rich.console import Console
    from rich.table import Table

    shown = Table(title=f"{table.name}: {table.description} ({fork})", title_justify="left")
    for heading in ("opcode", "name", "operands", "results", "gas", "family"):
        shown.add_column(heading, overflow="fold")
    for row in rows:
        shown.add_row(
            f"0x{row.opcode:02x}",
            row.name,
            ", ".join(row.operands) if row.family not in ("dup", "swap") else f"{len(row.operands)} words",
            _results_text(row) if row.family not in ("dup", "swap") else f"{len(row.results)} words",
            _gas_text(table.gas(row, fork)),
            row.family,
        )
    console = Console()
    if not console.is_terminal:
        console = Console(width=140)
    console.print(shown)
    if not rows:
        click.echo("no instruction matches")


@command.command()
@click.argument("file", metavar="FILE")
def check(file: str) -> None:
    """Check a table: keys, opcodes, names, gas, and that its Yul compiles and its kernels can be imported."""
    from smartvm.extensions import own_instructions

    table = load_checked_table(file)
    own = own_instructions(table, "yul") + own_instructions(table, "kernel")
    click.echo(f"{file} is right: {len(table.instructions)} instructions, digest {table.digest[:16]}")
    for instruction in own:
        implementation = instruction.implementation
        kind = implementation.kind if implementation else ""
        arrow = f" -> {', '.join(instruction.results)}" if instruction.results else ""
        call = f"{instruction.yul_name}({', '.join(instruction.operands)}){arrow}"
        click.echo(f"  0x{instruction.opcode:02x} {call}: {kind}, gas {_gas_text(instruction.gas[-1])}")


def _facts(instruction: Instruction) -> dict[str, object]:
    return {
        "opcode": f"0x{instruction.opcode:02x}",
        "operands": ", ".join(instruction.operands) or "none",
        "results": _results_text(instruction) or "none",
        "immediate bytes": instruction.immediate_bytes,
        "gas": "; ".join(
            f"{_gas_text(g)}{''.join(f' {k}={v}' for k, v in g.constants)} since {g.since}"
            for g in instruction.gas
        ),
        "since": instruction.since,
        "until": instruction.until or "never",
        "implementation": instruction.implementation.text.strip()
        if instruction.implementation
        else "the EVM's",
    }


@command.command()
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
def diff(first: str, second: str) -> None:
    """Say what table B has that A has not, lacks, or has otherwise. Exits 1 when they differ."""
    before, after = load_checked_table(first), load_checked_table(second)
    lines = []
    for name in [i.name for i in before.instructions if i.name not in after.by_name]:
        lines.append(f"- {name} (0x{before.by_name[name].opcode:02x})")
    for instruction in after.instructions:
        old = before.by_name.get(instruction.name)
        if old is None:
            lines.append(f"+ {instruction.name} (0x{instruction.opcode:02x})")
            continue
        were, are = _facts(old), _facts(instruction)
        changes = [f"{key} {were[key]} -> {are[key]}" for key in are if were[key] != are[key]]
        if changes:
            lines.append(f"~ {instruction.name}: {'; '.join(changes)}")
    old_constants, new_constants = dict(before.constants), dict(after.constants)
    for key in sorted(old_constants.keys() | new_constants.keys()):
        if old_constants.get(key) != new_constants.get(key):
            lines.append(f"~ constant {key}: {old_constants.get(key)} -> {new_constants.get(key)}")
    for line in lines:
        click.echo(line)
    if not lines:
        click.echo("no difference")
        return
    click.get_current_context().exit(1)
