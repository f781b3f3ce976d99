"""The refusal of what the language has and this compiler does not support."""

from __future__ import annotations

from smartvm.compiler.diagnostics import Diagnostic, FatalDiagnostic
from smartvm.compiler.source import NO_SOURCE, SourceRange

#: solc's number for "Unimplemented feature".
UNIMPLEMENTED_FEATURE = 1834


def unimplemented(feature: str, source: SourceRange = NO_SOURCE) -> FatalDiagnostic:
    """The refusal of a feature, to be raised. Without a source it gets the statement's."""
    return FatalDiagnostic(
        Diagnostic("error", "UnimplementedFeatureError", UNIMPLEMENTED_FEATURE, feature, source)
    )
