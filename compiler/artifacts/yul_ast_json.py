"""Inline assembly in solc's AST JSON (``YulBlock`` and below)."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from smartvm.compiler.source import SourceRange
from smartvm.compiler.yul import ast as yul
from smartvm.instructions.model import Instruction, InstructionTable

Json = dict[str, Any]

_COMMENT_OR_WORD = re.compile(rb"//[^\n\r]*|/\*.*?\*/|[a-zA-Z_$][a-zA-Z0-9_$.]*", re.DOTALL)


class YulExporter:
    """Makes the JSON of Yul trees whose ranges lie in ``text``. The tree keeps the names of declared
    variables without their places; these are found again in the text."""

    def __init__(self, text: bytes, table: InstructionTable) -> None:
        self.text = text
        self.table = table

    def text_at(self, start: int, length: int) -> str:
        """The text of a range."""
        return self.text[start : start + length].decode("utf-8", "replace")

    def assembly(self, block: yul.Block) -> Json:
        """An assembly's block. Clients that read Yul (slither) know Ethereum's builtins alone and fail on any
        other: each further instruction that the block calls is defined in front, as an empty function of its
        name."""
        entry = self.block(block)
        used = {name: self._instructions[name] for name in _called(block) if name in self._instructions}
        place = SourceRange(block.source.start, 0, block.source.file)
        empty = {**_head("YulBlock", place), "statements": []}
        definitions = []
        for name, instruction in sorted(used.items()):
            definition: Json = {**_head("YulFunctionDefinition", place), "body": empty, "name": name}
            for key, names in (
                ("parameters", instruction.operands),
                ("returnVariables", instruction.results),
            ):
                if names:
                    typed = [{**_head("YulTypedName", place), "name": word, "type": ""} for word in names]
                    definition[key] = typed
            definitions.append(definition)
        entry["statements"] = definitions + entry["statements"]
        return entry

    def object(self, node: yul.Object) -> Json:
        """A Yul object with all inside it."""
        code = {"block": self.block(node.code), "nodeType": "YulCode"}
        inside = [
            self.object(part)
            if isinstance(part, yul.Object)
            else {"nodeType": "YulData", "value": part.data.hex()}
            for part in node.sub_objects
        ]
        return {"code": code, "name": node.name, "nodeType": "YulObject", "subObjects": inside}

    @cached_property
    def _instructions(self) -> dict[str, Instruction]:
        """The table's instructions that are not Ethereum's, by name in Yul."""
        return {i.yul_name: i for i in self.table.instructions if i.implementation is not None}

    def block(self, block: yul.Block) -> Json:
        """A block."""
        return {**_head("YulBlock", block.source), "statements": self._list(block.statements)}

    def _list(self, listed: Sequence[yul.Statement | yul.Expression]) -> list[Json]:
        return [_WRITERS[type(item)](self, item) for item in listed]

    def _one(self, item: Any) -> Json:
        return _WRITERS[type(item)](self, item)

    def _words(self, start: int, end: int) -> list[tuple[int, str]]:
        """The words between two offsets with their places, comments left out."""
        return [
            (match.start(), match[0].decode())
            for match in _COMMENT_OR_WORD.finditer(self.text, start, end)
            if match[0][:1] != b"/"
        ]

    @staticmethod
    def _names(node_type: str, words: Sequence[tuple[int, str]], file: int) -> list[Json]:
        entries = []
        for start, name in words:
            entry = {**_head(node_type, SourceRange(start, len(name), file)), "name": name}
            if node_type == "YulTypedName":
                entry["type"] = ""
            entries.append(entry)
        return entries

    def literal(self, node: yul.Literal) -> Json:
        entry: Json = {**_head("YulLiteral", node.source), "type": ""}
        if node.kind in ("string", "hex_string"):
            data = node.data or b""
            entry["kind"] = "string"
            entry["hexValue"] = data.hex()
            try:
                entry["value"] = data.decode("utf-8")
            except UnicodeDecodeError:
                return entry  # solc leaves the value out
            return entry
        entry["kind"] = "bool" if node.kind == "boolean" else "number"
        entry["value"] = node.text if node.text is not None else str(node.value)
        return entry

    def identifier(self, node: yul.Identifier) -> Json:
        return {**_head("YulIdentifier", node.source), "name": node.name}

    def call(self, node: yul.FunctionCall) -> Json:
        name = SourceRange(node.source.start, len(node.name), node.source.file)
        return {
            **_head("YulFunctionCall", node.source),
            "arguments": self._list(node.arguments),
            "functionName": {**_head("YulIdentifier", name), "name": node.name},
        }

    def expression_statement(self, node: yul.ExpressionStatement) -> Json:
        return {**_head("YulExpressionStatement", node.source), "expression": self._one(node.expression)}

    def variable_declaration(self, node: yul.VariableDeclaration) -> Json:
        end = node.source.end if node.value is None else node.value.source.start
        words = self._words(node.source.start, end)[1:]
        entry = {
            **_head("YulVariableDeclaration", node.source),
            "variables": self._names("YulTypedName", words, node.source.file),
        }
        if node.value is not None:
            entry["value"] = self._one(node.value)
        return entry

    def assignment(self, node: yul.Assignment) -> Json:
        words = self._words(node.source.start, node.value.source.start)
        return {
            **_head("YulAssignment", node.source),
            "value": self._one(node.value),
            "variableNames": self._names("YulIdentifier", words, node.source.file),
        }

    def function(self, node: yul.FunctionDefinition) -> Json:
        words = self._words(node.source.start, node.body.source.start)[2:]
        count = len(node.parameters)
        entry: Json = {
            **_head("YulFunctionDefinition", node.source),
            "body": self.block(node.body),
            "name": node.name,
        }
        if node.parameters:
            entry["parameters"] = self._names("YulTypedName", words[:count], node.source.file)
        if node.returns:
            entry["returnVariables"] = self._names("YulTypedName", words[count:], node.source.file)
        return entry

    def if_(self, node: yul.If) -> Json:
        return {
            **_head("YulIf", node.source),
            "body": self.block(node.body),
            "condition": self._one(node.condition),
        }

    def switch(self, node: yul.Switch) -> Json:
        cases = [
            {
                **_head("YulCase", case.source),
                "body": self.block(case.body),
                "value": "default" if case.value is None else self.literal(case.value),
            }
            for case in node.cases
        ]
        return {**_head("YulSwitch", node.source), "cases": cases, "expression": self._one(node.expression)}

    def for_loop(self, node: yul.ForLoop) -> Json:
        return {
            **_head("YulForLoop", node.source),
            "body": self.block(node.body),
            "condition": self._one(node.condition),
            "post": self.block(node.post),
            "pre": self.block(node.pre),
        }

    def jump(self, node: yul.Break | yul.Continue | yul.Leave) -> Json:
        return _head(f"Yul{type(node).__name__}", node.source)


def _called(block: yul.Block) -> set[str]:
    """The names of all functions that a block calls."""
    names: set[str] = set()
    pending: list[object] = [block]
    while pending:
        thing = pending.pop()
        if isinstance(thing, tuple):
            pending.extend(thing)
        elif dataclasses.is_dataclass(thing) and not isinstance(thing, type):
            if isinstance(thing, yul.FunctionCall):
                names.add(thing.name)
            pending.extend(getattr(thing, field.name) for field in dataclasses.fields(thing))
    return names


def _head(node_type: str, source: SourceRange) -> Json:
    place = f"{source.start}:{source.length}:{source.file}"
    return {"nativeSrc": place, "nodeType": node_type, "src": place}


_WRITERS: dict[type, Callable[[YulExporter, Any], Json]] = {
    yul.Literal: YulExporter.literal,
    yul.Identifier: YulExporter.identifier,
    yul.FunctionCall: YulExporter.call,
    yul.ExpressionStatement: YulExporter.expression_statement,
    yul.VariableDeclaration: YulExporter.variable_declaration,
    yul.Assignment: YulExporter.assignment,
    yul.Block: YulExporter.block,
    yul.FunctionDefinition: YulExporter.function,
    yul.If: YulExporter.if_,
    yul.Switch: YulExporter.switch,
    yul.ForLoop: YulExporter.for_loop,
    yul.Break: YulExporter.jump,
    yul.Continue: YulExporter.jump,
    yul.Leave: YulExporter.jump,
}
