"""Finds a source's SPDX licence comment (docs/layout-of-source-files.rst, "SPDX License Identifier")."""

from __future__ import annotations

import re
from collections.abc import Sequence

from smartvm.compiler.diagnostics import DiagnosticSink
from smartvm.compiler.source import SourceRange

_DECLARATION = re.compile(r"SPDX-License-Identifier:\s*(.+?)(?:[\n\r]|\*/)")
_NAME = re.compile(r"[a-zA-Z0-9 ()+.-]+")


def find_license(text: str, covered: Sequence[SourceRange], file: int, sink: DiagnosticSink) -> str | None:
    """The licence named outside of the file's items (``covered``), or None. Reports a missing, malformed or
    repeated one for the file as a whole."""
    whole_file = SourceRange(-1, 0, file)
    found: list[str] = []
    if "SPDX-License-Identifier" in text:
        position = 0
        for item in [*covered, SourceRange(len(text), 0, file)]:
            found += [match[1].strip() for match in _DECLARATION.finditer(text, position, item.start)]
            position = item.end
    if not found:
        sink.warning(
            1878,
            whole_file,
            "The source names no licence. Add a comment `SPDX-License-Identifier: <licence>`, or "
            "`UNLICENSED` when "
            "it is not open source (https://spdx.org).",
        )
        return None
    if len(found) > 1:
        sink.error(
            "ParserError",
            3716,
            whole_file,
            "The source names more than one SPDX licence: join them by AND or OR.",
        )
        return None
    if not _NAME.fullmatch(found[0]):
        sink.error("ParserError", 1114, whole_file, "The SPDX licence identifier is malformed.")
        return None
    return found[0]
