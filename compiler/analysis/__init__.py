"""Semantic analysis: from syntax trees to the ``SemanticModel`` (see docs/architecture.md)."""

from smartvm.compiler.analysis.analysis import analyze
from smartvm.compiler.analysis.model import SemanticModel
from smartvm.compiler.analysis.settings import AnalysisSettings

__all__ = ["AnalysisSettings", "SemanticModel", "analyze"]
