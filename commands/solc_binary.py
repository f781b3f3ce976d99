"""``smartvm solc-binary``: writes ``smartvm-solc`` as one executable file, for tools that take no script."""

from __future__ import annotations

from pathlib import Path

import click
from smartvm.commands.options import UsageError


@click.command(short_help="Write the compiler as one executable file.")
@click.option("-o", "--output", required=True, metavar="FILE", help="The file to write; it is replaced when it exists.")
@click.option(
    "--python",
    default="/usr/bin/env python3",
    show_default=True,
    metavar="COMMAND",
    help="The interpreter that runs the file, Python 3.11 or later.",
)
def command(output: str, python: str) -> None:
    """Write `smartvm-solc` with all it needs as one compressed executable (a zipapp).

    Tools like Hardhat 3 take it for a native solc. When it first runs it unpacks itself into smartvm's
    cache folder. It holds a compiled hash function, and so works on this kind of system only.
    """
    from smartvm.commands.zipapp import write_zipapp

    if not python or "\n" in python:
        raise UsageError(f"`{python}` is no interpreter")
    path = Path(output)
    try:
        write_zipapp(path, python)
    except OSError as error:
        raise UsageError(f"cannot write to `{path}`: {error.strerror}") from None
    click.echo(f"wrote {path} ({path.stat().st_size} bytes)", err=True)
