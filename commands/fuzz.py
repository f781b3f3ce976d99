"""``smartvm fuzz``: compares random programs with independent EVMs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click
from smartvm.commands.options import UsageError, checked_fork, load_checked_table

if TYPE_CHECKING:
    from smartvm.vm.fuzzing import Difference
    from smartvm.vm.messages import Engine

_REPORT_EVERY_S = 30.0


@click.command(short_help="Compare random programs with other EVMs.")
@click.option(
    "--seed", default="1", show_default=True, help="Any text; the same seed makes the same programs."
)
@click.option(
    "--count", type=click.IntRange(min=1), default=1000, show_default=True, help="How many programs."
)
@click.option(
    "--start", type=click.IntRange(min=0), default=0, show_default=True, help="The first program's number."
)
@click.option(
    "--fork", "fork_name", default="cancun", show_default=True, metavar="NAME", help="At which fork."
)
@click.option(
    "--against",
    "names",
    multiple=True,
    type=click.Choice(("pyrevm", "eels")),
    help="The EVM to compare with; may be repeated.  [default: both]",
)
@click.option(
    "--engine",
    type=click.Choice(("interpreter", "compiled", "auto")),
    default="auto",
    show_default=True,
    help="Which tier executes here.",
)
def command(
    seed: str, count: int, start: int, fork_name: str, names: tuple[str, ...], engine: Engine
) -> None:
    """Make random programs from a seed, run each here and by independent EVMs (which have to be installed:
    pyrevm, ethereum-execution), and compare results, gas, logs and state. Prints each difference with its
    program's number; exits 1 when there was one.
    """
    from smartvm.vm.forks import fork_named
    from smartvm.vm.fuzzing import PEERS, Tally, run_campaign

    table = load_checked_table("evm")
    fork = fork_named(checked_fork(table, fork_name))
    peers = {name: PEERS[name](table, fork, engine) for name in names or tuple(PEERS)}
    if not peers:
        raise UsageError("there is no EVM to compare with")

    def report(difference: Difference) -> None:
        click.echo(f"{seed}/{fork.label}/{difference.index} {difference.peer}: {difference.message}")

    total = Tally(dict.fromkeys(peers, 0))
    began = reported = time.monotonic()
    for first in range(start, start + count, 100):
        part = run_campaign(
            table, fork, peers, seed, range(first, min(first + 100, start + count)), on_difference=report
        )
        total.differences += part.differences
        for name, number in part.compared.items():
            total.compared[name] += number
        if time.monotonic() - reported > _REPORT_EVERY_S:
            reported = time.monotonic()
            click.echo(f"... {total.compared}, {len(total.differences)} differences", err=True)
    compared = ", ".join(f"{number} programs with {name}" for name, number in total.compared.items())
    click.echo(
        f"seed {seed}, {fork.label}: {compared}; {len(total.differences)} differences; "
        f"{time.monotonic() - began:.0f} s"
    )
    if total.differences:
        click.get_current_context().exit(1)
