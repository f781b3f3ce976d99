"""Uses of builtins' names that solc's parser refuses: as the name of a variable or function, as what is assigned to,
and as a value without a call. (``checker`` finds them too, in Yul that comes without a Solidity parser.)"""

from __future__ import annotations

from smartvm.compiler.diagnostics import DiagnosticSink
from smartvm.compiler.source import SourceRange, SourceText
from smartvm.compiler.yul import ast
from smartvm.compiler.yul.dialect import Dialect
from smartvm.compiler.yul.name_places import name_places, place_after
from smartvm.compiler.yul.walk import yul_nodes

AS_NAME = 5568
AS_TARGET = 6272
AS_VALUE = 7104


def check_builtin_names(block: ast.Block, dialect: Dialect, sink: DiagnosticSink, text: SourceText) -> None:
    """Report them in the order of the text. Raises FatalDiagnostic for the last kind, as solc's parser ends there."""

    def declared(names: tuple[str, ...], source: SourceRange, before: tuple[str, ...] = ()) -> None:
        if any(dialect.find(name) is not None for name in names):
            places = name_places((*before, *names), source, text)[len(before) :]
            for name, place in zip(names, places, strict=True):
                if dialect.find(name) is not None:
                    message = f'Cannot use builtin function name "{name}" as identifier name.'
                    sink.error("ParserError", AS_NAME, place, message)

    for node in yul_nodes(block):
        match node:
            case ast.VariableDeclaration(names, _, source):
                declared(names, source)
            case ast.FunctionDefinition(name, parameters, returns, _, source):
                keyword = len("function")
                rest = SourceRange(source.start + keyword, source.length - keyword, source.file)
                declared((name, *parameters, *returns), rest)
            case ast.Assignment(names, _, source):
                for name in names:
                    if dialect.find(name) is not None:
                        message = f'Cannot assign to builtin function "{name}".'
                        sink.error("ParserError", AS_TARGET, place_after(name, source, text), message)
            case ast.Identifier(name, source):
                if dialect.find(name) is not None:
                    message = f'Builtin function "{name}" must be called.'
                    raise sink.fatal("ParserError", AS_VALUE, source, message)
