"""Compiles groups of sources at the same time: one here, the others in processes of their own.

A process is this interpreter started anew (``worker``), not a copy of the running one: it works from any program that
uses smartvm, with or without threads, on every system, and runs nothing of that program. What it is told and what it
answers goes through pipes that only the two have.
"""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Sequence
from threading import Thread

from smartvm.compiler.incremental.compile_sources import compile_part
from smartvm.compiler.output_selection import OutputSelection
from smartvm.compiler.pipeline import CompilationUnit
from smartvm.errors import SmartVMError

#: The program of a process: modules are found where this one finds them.
_PROGRAM = (
    "import json, sys; "
    "sys.path[:], sys.pycache_prefix, sys.dont_write_bytecode = json.loads(sys.argv[1]); "
    "from smartvm.compiler.incremental.worker import main; main()"
)


class ProcessFailed(SmartVMError):
    """A process ended before it gave an answer."""

    exit_code = 1


class _Process:
    """A started process, which is told its work and listened to by a thread."""

    def __init__(self, work: bytes) -> None:
        found = json.dumps([sys.path, sys.pycache_prefix, sys.dont_write_bytecode])
        self._process = subprocess.Popen(
            # Nothing is imported from the current folder: it is a project's.
            [sys.executable, "-I" if sys.flags.isolated else "-P", "-c", _PROGRAM, found],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._answer = self._messages = b""
        self._thread = Thread(target=self._talk, args=(work,), daemon=True)
        self._thread.start()

    def _talk(self, work: bytes) -> None:
        self._answer, self._messages = self._process.communicate(work)

    def answer(self) -> dict[str, bytes] | None:
        """Packed results; None when the sources have errors. Raises ProcessFailed."""
        self._thread.join()
        status = self._process.returncode
        if status == 0:
            try:
                made: dict[str, bytes] | None = pickle.loads(self._answer)
            except (pickle.UnpicklingError, EOFError):
                pass
            else:
                return made
        raise ProcessFailed(
            f"A process of the compiler {_ending(status)} before it gave an answer.{_last_line(self._messages)}",
            hint="SMARTVM_JOBS=1 compiles in one process, which takes less memory",
        )

    def end(self) -> None:
        """Stop the process if it still runs."""
        if self._process.poll() is None:
            self._process.kill()
        self._thread.join()


def _ending(status: int) -> str:
    if status >= 0:
        return f"ended with status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = str(-status)
    return f"was ended by the signal {name}"


def _last_line(messages: bytes) -> str:
    lines = messages.decode("utf-8", "replace").strip().splitlines()
    return f" It said: {lines[-1]}" if lines else ""


def can_start() -> bool:
    """Whether there is an interpreter to start."""
    return bool(sys.executable) and os.path.exists(sys.executable)


def compile_in_processes(
    unit: CompilationUnit, groups: Sequence[Sequence[str]], selection: OutputSelection
) -> dict[str, bytes] | None:
    """Packed results of all groups, the first of which is compiled here; None when there are errors.

    Raises ProcessFailed.
    """
    sources = unit.source_set.state()
    processes: list[_Process] = []
    try:
        for group in groups[1:]:
            work = (sources, unit.settings, list(unit.analysed_names), list(group), selection)
            processes.append(_Process(pickle.dumps(work, pickle.HIGHEST_PROTOCOL)))
        packed = compile_part(unit, groups[0], selection)
        if packed is None:
            return None
        for process in processes:
            answer = process.answer()
            if answer is None:
                return None
            packed.update(answer)
        return packed
    except OSError as error:
        raise ProcessFailed(f"No process of the compiler could be started: {error.strerror}.") from None
    finally:
        for process in processes:
            process.end()
