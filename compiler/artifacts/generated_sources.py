"""``generatedSources``: the utility functions (ABI coding, checked arithmetic ...) that a contract's code contains, as
one Yul text, and the source map's references to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from smartvm.compiler.diagnostics import DiagnosticSink
from smartvm.compiler.source import SourceRange, SourceText
from smartvm.compiler.yul import ast as yul
from smartvm.compiler.yul.printer import print_statement
from smartvm.records import dataclass, replace

if TYPE_CHECKING:
    from smartvm.compiler.backend import AssembledObject
    from smartvm.instructions.model import InstructionTable

#: solc's name for the text.
NAME = "#utility.yul"


@dataclass(frozen=True)
class GeneratedSource:
    """The text, its index after the indices of the sources, and where in it each function stands."""

    text: str
    index: int
    functions: Mapping[str, SourceRange]
    table: InstructionTable

    def json(self) -> dict[str, Any]:
        """The entry of ``generatedSources``."""
        from smartvm.compiler.artifacts.yul_ast_json import YulExporter
        from smartvm.compiler.yul.parser import parse_yul

        source = SourceText(NAME, self.text, self.index)
        block = parse_yul(source, DiagnosticSink()).code
        return {
            "ast": YulExporter(source.utf8, self.table).block(block),
            "contents": self.text,
            "id": self.index,
            "language": "Yul",
            "name": NAME,
        }

    def placed(self, assembled: AssembledObject) -> AssembledObject:
        """The object, with the ranges of its utility functions where instructions have none."""
        entries = sorted(assembled.functions, key=lambda entry: entry.offset)
        position, items = 0, []
        current: SourceRange | None = None
        code_end = assembled.code_size
        for item in assembled.items:
            while position < len(entries) and entries[position].offset <= item.offset:
                current = self.functions.get(entries[position].name)
                position += 1
            if item.source.start < 0 and current is not None and item.offset < code_end:
                item = replace(item, source=current)
            items.append(item)
        return replace(assembled, items=tuple(items))


def generated_source(
    code: yul.Block, assembled: AssembledObject, index: int, table: InstructionTable
) -> GeneratedSource | None:
    """The utility functions of an object's ``code`` that are functions in its bytecode too; None when there are
    none. ``index`` is the text's index as a source."""
    emitted = {entry.name for entry in assembled.functions}
    text = "{\n"
    functions: dict[str, SourceRange] = {}
    for statement in code.statements:
        if (
            isinstance(statement, yul.FunctionDefinition)
            and statement.source.start < 0
            and statement.name in emitted
        ):
            lines = print_statement(statement).rstrip("\n").splitlines()
            printed = "\n".join(f"    {line}" if line else "" for line in lines).lstrip()
            text += "\n    "
            functions[statement.name] = SourceRange(len(text.encode()), len(printed.encode()), index)
            text += printed + "\n"
    return GeneratedSource(text + "\n}", index, functions, table) if functions else None
