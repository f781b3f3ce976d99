"""What the subcommands' command lines share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from smartvm.errors import SmartVMError

if TYPE_CHECKING:
    from smartvm.instructions.model import InstructionTable


_Function = TypeVar("_Function", bound=Callable[..., Any])


class UsageError(SmartVMError):
    """The command line asks for what makes no sense."""


class CommandWithLists(click.Command):
    """A command some of whose options take several words: ``--args 1 2 3`` means ``--args 1 --args 2 --args
    3``.

    The list ends at the next option; a negative number is no option.
    """

    list_options: tuple[str, ...] = ()

    def parse_args(self, context: click.Context, arguments: list[str]) -> list[str]:
        """As ``click``, after spreading the lists."""
        return super().parse_args(context, spread_lists(arguments, self.list_options))


def spread_lists(arguments: Sequence[str], options: Sequence[str]) -> list[str]:
    """``arguments`` with the option's name repeated before each word of its list."""
    result: list[str] = []
    current: str | None = None
    for word in arguments:
        if word in options:
            current = word
        elif current is None or _is_option(word):
            current = None
            result.append(word)
        else:
            # As one word, so that a value that starts with a dash is not taken for an option.
            result.append(f"{current}={word}")
    return result


def _is_option(word: str) -> bool:
    return len(word) > 1 and word[0] == "-" and not (word[1].isdigit() or word[1] == ".")


def table_option(default: str | None = "default") -> Callable[[_Function], _Function]:
    """``--table``."""
    shown = f"  [default: {default}]" if default else ""
    return click.option(
        "--table",
        "table_name",
        default=default,
        metavar="NAME|FILE",
        help=f"Instruction table: default, evm, paper, or a TOML file.{shown}",
    )


def load_checked_table(name: str) -> InstructionTable:
    """The table, with its own instructions' Yul and kernels checked. Raises ``TableError``."""
    from smartvm.instructions.loader import load_table

    table = load_table(name)
    if any(i.implementation is not None and i.implementation.kind != "native" for i in table.instructions):
        from smartvm.extensions import check_extensions

        check_extensions(table)
    return table


def checked_fork(table: InstructionTable, name: str) -> str:
    """The table's name for a fork or EVM version. Raises ``UsageError`` for one that it lacks."""
    from smartvm.instructions.forks import canonical_fork, solc_name

    fork = canonical_fork(name)
    if fork not in table.forks:
        known = ", ".join(solc_name(f) for f in table.forks)
        raise UsageError(f"unknown EVM version `{name}`", hint=f"known: {known}")
    return fork


def read_text(path: str) -> str:
    """A text file's content; one error for whatever can go wrong."""
    try:
        return Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UsageError(f"no file `{path}`") from None
    except IsADirectoryError:
        raise UsageError(f"`{path}` is a folder, a file is expected") from None
    except OSError as error:
        raise UsageError(f"cannot read `{path}`: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"`{path}` is not UTF-8 text (byte {error.start})") from None


def hex_argument(text: str) -> bytes:
    """Bytes of ``0x...`` or of ``@FILE``, a file with hexadecimal text."""
    from smartvm.disassembler.linear import bytes_from_hex

    return bytes_from_hex(read_text(text[1:]) if text.startswith("@") else text)
