"""Solidity sources that come with the compiler: what ``import "smartvm/..."`` finds where the user has no such file."""

from __future__ import annotations

from pathlib import Path

from smartvm.compiler.imports import SourceMissing, SourceReader

#: Source unit names, and the files in this folder.
_SOURCES = {"smartvm/nn.sol": "nn.sol"}


def library_source(name: str) -> str | None:
    """The text of a source that comes with the compiler, by its source unit name; None for any other name."""
    file = _SOURCES.get(name)
    return None if file is None else Path(__file__).with_name(file).read_text("utf-8")


def with_library(reader: SourceReader) -> SourceReader:
    """``reader``, and for names of which it has no source the compiler's own: a user's file of the same name wins."""

    def read(name: str) -> str:
        try:
            return reader(name)
        except SourceMissing:
            text = library_source(name)
            if text is None:
                raise
            return text

    return read
