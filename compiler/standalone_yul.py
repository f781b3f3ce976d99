"""Standalone Yul: one source with one object -> bytecode."""

from __future__ import annotations

from smartvm.compiler.backend import AssembledObject, BackendSettings, assemble_object, optimized_object
from smartvm.compiler.diagnostics import CompileError, Diagnostic, DiagnosticSink, FatalDiagnostic
from smartvm.compiler.pipeline import deep_recursion
from smartvm.compiler.source import SourceText
from smartvm.compiler.yul import ast
from smartvm.compiler.yul.buffers.flow import check_yul_object
from smartvm.compiler.yul.checker import check_object
from smartvm.compiler.yul.dialect import Dialect, dialect_for
from smartvm.compiler.yul.extensions import ExtensionExpander
from smartvm.compiler.yul.parser import parse_yul
from smartvm.instructions.forks import canonical_fork
from smartvm.instructions.model import InstructionTable
from smartvm.records import dataclass


@dataclass(frozen=True)
class CompiledYul:
    """The object as compiled, its bytecode, and the warnings about it."""

    yul_object: ast.Object
    assembled: AssembledObject
    warnings: tuple[Diagnostic, ...]
    dialect: Dialect
    settings: BackendSettings

    def optimized(self) -> ast.Object:
        """The object as the optimizer leaves it; the object itself without the optimizer."""
        with deep_recursion():
            return optimized_object(self.yul_object, self.dialect, self.settings)


def compile_yul(
    source: SourceText,
    table: InstructionTable,
    evm_version: str,
    settings: BackendSettings,
    *,
    expand_extensions: bool = False,
) -> CompiledYul:
    """Compile a Yul source. With ``expand_extensions`` the code needs no instruction that ``table`` gives
    in Yul.

    Raises ``CompileError`` with everything that is wrong.
    """
    dialect = dialect_for(table, canonical_fork(evm_version))
    sink = DiagnosticSink()
    yul_object: ast.Object | None = None
    with deep_recursion():
        try:
            yul_object = parse_yul(source, sink)
            if not sink.has_errors:
                check_object(yul_object, dialect, sink, source)
            if not sink.has_errors:
                check_yul_object(yul_object, dialect, sink)
            if not sink.has_errors and yul_object.source_names:
                yul_object = parse_yul(source, sink, origins=True)
        except FatalDiagnostic:
            yul_object = None
        if yul_object is None or sink.has_errors:
            raise CompileError(sink.items, {source.index: source})
        if expand_extensions:
            yul_object = ExtensionExpander(dialect).object(yul_object)
        assembled = assemble_object(yul_object, dialect, settings)
    return CompiledYul(yul_object, assembled, tuple(sink.items), dialect, settings)
