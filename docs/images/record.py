"""Draws what a command prints as an SVG: python docs/images/record.py OUT.svg WIDTH COMMAND [ARG ...]"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text


def main(out: str, width: str, *command: str) -> None:
    """Run the command as on a terminal of ``width`` columns and write its coloured output to ``out``."""
    environment = {**os.environ, "FORCE_COLOR": "1", "COLUMNS": width}
    shown = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    console = Console(record=True, width=int(width), file=open(os.devnull, "w"), force_terminal=True)  # noqa: SIM115
    console.print(Text.from_ansi(shown))
    Path(out).write_text(console.export_svg(title=" ".join(("$", *command))))


if __name__ == "__main__":
    main(*sys.argv[1:])
