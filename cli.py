"""The command ``smartvm``: assembles the subcommands of ``smartvm.commands``.

A subcommand's module is imported when it is used, and imports what is heavy when it runs: ``smartvm
--help`` is fast.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from collections.abc import Sequence

import click
from smartvm.errors import SmartVMError

#: Subcommands in the order of ``--help``, each the object ``command`` of the module of its name.
_COMMANDS = ("compile", "run", "upload", "inspect", "table", "statetest", "fuzz", "bench", "solc-binary")

#: Exit statuses: of an interrupt (128 + SIGINT) and of a bug (sysexits.h: EX_SOFTWARE).
_INTERRUPTED, _INTERNAL = 130, 70


def _module(name: str) -> str:
    return f"smartvm.commands.{name.replace('-', '_')}"


class _LazyGroup(click.Group):
    def list_commands(self, context: click.Context) -> list[str]:
        return [name for name in _COMMANDS if importlib.util.find_spec(_module(name))]

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in self.list_commands(context):
            return None
        command: click.Command = importlib.import_module(_module(name)).command
        return command

    def resolve_command(
        self, context: click.Context, arguments: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = arguments[0] if arguments else ""
        if name and not name.startswith("-") and self.get_command(context, name) is None:
            from difflib import get_close_matches

            close = get_close_matches(name, self.list_commands(context), 1)
            hint = f" Did you mean `{close[0]}`?" if close else ""
            raise click.UsageError(f"No such command `{name}`.{hint}", context)
        return super().resolve_command(context, arguments)


def _version(context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if not value or context.resilient_parsing:
        return
    from importlib.metadata import version

    click.echo(f"smartvm {version('smartvm')}")
    context.exit()


@click.group(
    cls=_LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="`smartvm COMMAND --help` says more about each command.",
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Print the version."
)
def group() -> None:
    """A Solidity and Yul compiler, and an EVM with DNN instructions."""


def main(arguments: Sequence[str] | None = None) -> None:
    """The console script: runs a subcommand and exits with its status. Users' mistakes end in one message
    and never in a traceback; ``SMARTVM_DEBUG=1`` shows the traceback of a bug."""
    try:
        status = group.main(
            list(arguments) if arguments is not None else None, prog_name="smartvm", standalone_mode=False
        )
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        status = error.exit_code
    except (click.exceptions.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        status = _INTERRUPTED
    except SmartVMError as error:
        click.echo(f"Error: {error}", err=True)
        status = error.exit_code
    except BrokenPipeError:
        # The reader of our output is gone (`| head`): nothing is wrong. Python must not write to it again
        # at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 0
    except Exception as error:
        if os.environ.get("SMARTVM_DEBUG"):
            raise
        click.echo(
            f"Internal error: {type(error).__name__}: {error}\n"
            "This is a bug of smartvm. Please report it with what you ran; SMARTVM_DEBUG=1 shows where.",
            err=True,
        )
        status = _INTERNAL
    sys.exit(status if isinstance(status, int) else 0)


if __name__ == "__main__":
    main()
