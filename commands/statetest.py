"""``smartvm statetest``: runs Ethereum state tests."""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING

import click
from smartvm.commands.options import load_checked_table, table_option

if TYPE_CHECKING:
    from smartvm.vm.messages import Engine


@click.command(short_help="Run Ethereum state tests.")
@click.option(
    "--fork", "forks", multiple=True, metavar="NAME", help="Only this fork; may be repeated.  [default: all]"
)
@click.option(
    "--engine",
    type=click.Choice(("interpreter", "compiled", "auto")),
    default="auto",
    show_default=True,
    help="Which tier executes the code.",
)
@click.option("--trace", is_flag=True, help="Write EIP-3155 lines to stderr, with a summary after each case.")
@table_option("evm")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
def command(
    forks: tuple[str, ...], engine: Engine, trace: bool, table_name: str, files: tuple[str, ...]
) -> None:
    """Run every case of every FILE (GeneralStateTests format) and print one JSON object for each: file, name,
    fork, index, pass, stateRoot, logsHash, exception (why the transaction is invalid, else null), gasUsed; or
    error, where the case could not be run. Exits 1 when a case does not pass.
    """
    from smartvm.vm.statetest import FixtureError, load_fixture, run_fixture
    from smartvm.vm.trace import StandardTracer

    tracer = StandardTracer(sys.stderr) if trace else None
    table = load_checked_table(table_name)
    gc.freeze()  # what is loaded by now stays: the collector need not walk it for each case
    all_passed = True
    for file in files:
        lines = []
        try:
            for result in run_fixture(load_fixture(file), table, forks=forks, engine=engine, tracer=tracer):
                all_passed = all_passed and result.passed
                lines.append(result.as_json(file))
        except FixtureError as error:
            all_passed = False
            click.echo(f"Error: {error}", err=True)
        sys.stdout.write("".join(line + "\n" for line in lines))
        sys.stdout.flush()
    if not all_passed:
        click.get_current_context().exit(1)
