"""``smartvm-solc``: the compiler under solc's command line, for tools that start a ``solc``.

``--version`` and ``--help`` answer without loading the compiler; the rest is in ``solc_compilation``.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from importlib.util import cache_from_source

from smartvm.compiler.version import COMPILER_VERSION

#: The last line must be solc's: forge reads a semantic version from it.
VERSION_TEXT = (
    "solc, the solidity compiler commandline interface, as implemented by smartvm\n"
    f"Version: {COMPILER_VERSION}.Linux.g++\n"
)


def run(arguments: Sequence[str]) -> int:
    """Do what a command line asks for; the exit status, 0 or 1."""
    if list(arguments) == ["--version"]:
        sys.stdout.write(VERSION_TEXT)
        return 0
    _keep_bytecode()
    from smartvm.errors import SmartVMError

    try:
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


def _keep_bytecode() -> None:
    """Where Python may not keep the compiled form of this package beside it, keep it in the cache folder:
    otherwise each start would compile the compiler. (``PYTHONDONTWRITEBYTECODE`` is meant for source trees.)"""
    beside = cache_from_source(__file__)
    if os.path.exists(beside) or not (sys.dont_write_bytecode or not os.access(os.path.dirname(__file__), os.W_OK)):
        return
    from smartvm.disk_cache import private_folder

    if (folder := private_folder("bytecode")) is not None:
        sys.pycache_prefix, sys.dont_write_bytecode = folder, False


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
