"""``smartvm-solc``: the compiler under solc's command line, for tools that start a ``solc``.

``--version`` and ``--help`` answer without loading the compiler; the rest is in ``solc_compilation``.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence

from smartvm.compiler.version import COMPILER_VERSION
from smartvm.errors import SmartVMError

#: The last line must be solc's: forge reads a semantic version from it.
VERSION_TEXT = (
    "solc, the solidity compiler commandline interface, as implemented by smartvm\n"
    f"Version: {COMPILER_VERSION}.Linux.g++\n"
)


def run(arguments: Sequence[str]) -> int:
    """Do what a command line asks for; the exit status, 0 or 1."""
    try:
        if list(arguments) == ["--version"]:
            sys.stdout.write(VERSION_TEXT)
            return 0
        from smartvm.commands.solc_options import help_text, read_command_line

        line = read_command_line(arguments)
        if "help" in line.flags:
            sys.stdout.write(help_text())
            return 0
        if "version" in line.flags:
            sys.stdout.write(VERSION_TEXT)
            return 0
        from smartvm.commands.solc_compilation import run_mode

        return run_mode(line)
    except SmartVMError as error:
        sys.stderr.write(f"Error: {error}\n")
        return 1


def main(arguments: Sequence[str] | None = None) -> None:
    """The console script: exits with 0, or with 1 after any error. A bug shows no traceback unless
    ``SMARTVM_DEBUG=1``."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # solc writes UTF-8 in every locale.
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        status = run(sys.argv[1:] if arguments is None else arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        status = 130
    except BrokenPipeError:
        # The reader of our output is gone: Python must not write to it again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 1
    except Exception as error:
        if os.environ.get("SMARTVM_DEBUG"):
            raise
        sys.stderr.write(f"Internal compiler error: {type(error).__name__}: {error}\n")
        status = 1
    sys.exit(status)


if __name__ == "__main__":
    main()
