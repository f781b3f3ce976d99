"""The process that compiles a group of sources: work comes through standard input, the answer leaves through standard
output, both pickled by and for the process that started this one."""

from __future__ import annotations

import pickle
import sys

from smartvm.compiler.incremental.compile_sources import compile_part
from smartvm.compiler.pipeline import CompilationUnit, deep_recursion
from smartvm.compiler.source_set import SourceSet


def main() -> None:
    """Do one piece of work."""
    state, settings, analysed, names, selection = pickle.loads(sys.stdin.buffer.read())
    unit = CompilationUnit.of(SourceSet.restored(state, settings.imports), settings, analysed)
    with deep_recursion():
        answer = compile_part(unit, names, selection)
    sys.stdout.buffer.write(pickle.dumps(answer, pickle.HIGHEST_PROTOCOL))
    sys.stdout.buffer.flush()
