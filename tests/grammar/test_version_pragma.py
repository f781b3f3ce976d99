"""Version pragmas: ranges as in npm."""

from __future__ import annotations

import pytest
from smartvm.compiler.diagnostics import DiagnosticSink, FatalDiagnostic
from smartvm.compiler.grammar.version_pragma import check_version
from smartvm.compiler.source import NO_SOURCE


def code(*words: str) -> int | None:
    sink = DiagnosticSink()
    try:
        check_version(words, NO_SOURCE, sink)
    except FatalDiagnostic as error:
        return error.diagnostic.code
    return None


@pytest.mark.parametrize(
    "words",
    [
        ("^", "0.8", ".0"), (">=", "0.4", ".22", "<", "0.9", ".0"), ("0.8", ".37"), ("0.8", ".", "*"),
        ("0.8", ".x"),
        ("~", "0.8", ".1"), ("0.7", ".0", "-", "0.8", ".40"), ("^", "0.7", ".0", "||", "^", "0.8", ".0"),
        ("*",),
        ("^", "0"), ("=", "0.8", ".37"), ("0",),
    ],
)  # fmt: skip
def test_range_that_holds_this_version_is_accepted(words: tuple[str, ...]) -> None:
    assert code(*words) is None


@pytest.mark.parametrize(
    "words",
    [("^", "0.7", ".0"), ("0.8", ".36"), ("<", "0.8", ".37"), (">", "0.8", ".37"), ("^", "0.8", ".38"),
     ("~", "0.7"),
     ("0.6", ".0", "-", "0.8", ".36"), ("^", "1.0", ".0"), (">", "0")],
)  # fmt: skip
def test_range_that_excludes_this_version_is_refused(words: tuple[str, ...]) -> None:
    assert code(*words) == 5333


@pytest.mark.parametrize(
    "words", [(), ("y",), ("0.8", ".0", "|", "0.9"), ("hello",), ("^",), ("99999999999",)]
)
def test_malformed_range_is_refused(words: tuple[str, ...]) -> None:
    assert code(*words) == 1684
