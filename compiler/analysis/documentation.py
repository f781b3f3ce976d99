"""Reads NatSpec tags and checks them (docs/natspec-format.rst)."""

from __future__ import annotations

import re

from smartvm.compiler.analysis import types as t
from smartvm.compiler.analysis.context import AnalysisContext
from smartvm.compiler.analysis.references import ReferenceResolver
from smartvm.compiler.analysis.scope_facts import ScopeFacts
from smartvm.compiler.analysis.tree import walk
from smartvm.compiler.ast import nodes
from smartvm.compiler.source import SourceRange
from smartvm.records import dataclass, field

_IDENTIFIER = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*|.?", re.DOTALL)
_CUSTOM = re.compile(r"custom:[a-z][a-z-]*\Z")


@dataclass
class DocumentationTag:
    """``@name content``; ``parameter`` is what ``@param`` documents."""

    name: str
    content: str
    parameter: str = ""


@dataclass
class TagReader:
    """Splits the text of a documentation comment into tags; ``problems`` are codes with their messages."""

    tags: list[DocumentationTag] = field(default_factory=list)
    problems: list[tuple[int, str]] = field(default_factory=list)

    def read(self, text: str) -> list[DocumentationTag]:
        """The tags in order; text before any tag is ``@notice``."""
        position, end = 0, len(text)
        last: DocumentationTag | None = None
        while position < end:
            newline = text.find("\n", position)
            newline = end if newline < 0 else newline
            at = text.find("@", position)
            if 0 <= at < newline:
                name_end = re.compile(r"[ \t\n]|\Z").search(text, at)
                assert name_end is not None
                name = text[at + 1 : name_end.start()]
                position, last = self._tag(text, min(name_end.start() + 1, end), end, name, last)
            elif last is not None:
                if text[position] not in " \t":
                    last.content += " "
                last.content += text[position:newline]
                position = newline + 1
            elif position == 0:
                position, last = self._tag(text, position, end, "notice", last)
            else:
                position = newline + 1
        return self.tags

    def _tag(
        self, text: str, position: int, end: int, name: str, last: DocumentationTag | None
    ) -> tuple[int, DocumentationTag | None]:
        if name == "param":
            return self._parameter(text, position, end, last)
        if last is not None and name == "":
            newline = text.find("\n", position)
            newline = end if newline < 0 else newline
            if position < end and text[position] not in " \t":
                last.content += " "
            last.content += text[position:newline]
            return newline + 1, last
        tag = DocumentationTag(name, "")
        self.tags.append(tag)
        newline = text.find("\n", position)
        newline = end if newline < 0 else newline
        tag.content = text[position:newline].lstrip(" \t")
        return newline + 1, tag

    def _parameter(
        self, text: str, position: int, end: int, last: DocumentationTag | None
    ) -> tuple[int, DocumentationTag | None]:
        start = _skip_blanks(text, position, end)
        if start >= end:
            self.problems.append((3335, "A @param tag names no parameter."))
            return end, last
        match = _IDENTIFIER.match(text, start)
        name = match[0] if match is not None and (match[0][:1].isalpha() or match[0][:1] in "_$") else ""
        described = _skip_blanks(text, start + len(name), end)
        newline = text.find("\n", described)
        newline = end if newline < 0 else newline
        if described == newline:
            self.problems.append((9942, f'The @param tag of "{name}" has no description.'))
            return end, last
        tag = DocumentationTag("param", text[described:newline], name)
        self.tags.append(tag)
        return newline + 1, tag


def _skip_blanks(text: str, position: int, end: int) -> int:
    while position < end and text[position] in " \t":
        position += 1
    return position


_FUNCTION_TAGS = frozenset({"dev", "notice", "return", "param", "inheritdoc"})
_ALLOWED: dict[type, tuple[frozenset[str], str]] = {
    nodes.ContractDefinition: (frozenset({"author", "title", "dev", "notice"}), "contracts"),
    nodes.EventDefinition: (frozenset({"dev", "notice", "return", "param"}), "events"),
    nodes.ErrorDefinition: (frozenset({"dev", "notice", "param"}), "errors"),
    nodes.ModifierDefinition: (frozenset({"dev", "notice", "param", "inheritdoc"}), "modifiers"),
    nodes.FunctionDefinition: (_FUNCTION_TAGS, "functions"),
}


class DocumentationChecker:
    """Checks the tags of documented declarations and of assembly blocks."""

    def __init__(self, context: AnalysisContext) -> None:
        self.context = context
        self.model = context.model
        self.facts = ScopeFacts(context.model)
        #: documented nodes by the id of their source unit
        self._documented: dict[int, list[nodes.Declaration]] = {}
        #: tags by the id of the documented node
        self.tags: dict[int, list[DocumentationTag]] = {}

    def _error(self, code: int, where: nodes.Node | SourceRange, message: str) -> None:
        place = where.src if isinstance(where, nodes.Node) else where
        self.context.sink.error("DocstringParsingError", code, place, message)

    # --- tags -------------------------------------------------------------------------------------

    def read_unit(self, unit: nodes.SourceUnit) -> None:
        """Read and check all tags of a unit, without knowing types."""
        documented = self._documented[unit.id] = []
        for node in walk(unit):
            if isinstance(node, nodes.InlineAssembly):
                self._assembly(node)
                continue
            documentation = getattr(node, "documentation", None)
            if isinstance(node, nodes.StructDefinition | nodes.EnumDefinition):
                continue
            if isinstance(documentation, nodes.StructuredDocumentation) and isinstance(
                node, nodes.Declaration
            ):
                self._declaration(node, documentation)
                documented.append(node)

    def _allowed(self, node: nodes.Declaration) -> tuple[frozenset[str], str] | None:
        if isinstance(node, nodes.FunctionDefinition) and node.kind == "constructor":
            return frozenset({"author", "dev", "notice", "param"}), "constructors"
        if isinstance(node, nodes.VariableDeclaration):
            if self.facts.is_state_variable(node):
                allowed = frozenset({"dev", "notice", "inheritdoc"})
                if t.is_public(node):
                    return allowed | {"return"}, "public state variables"
                return allowed, "state variables that are not public"
            if self.facts.is_file_level(node):
                return frozenset({"dev"}), "variables at file level"
            return None
        return _ALLOWED.get(type(node))

    def _declaration(self, node: nodes.Declaration, documentation: nodes.StructuredDocumentation) -> None:
        allowed = self._allowed(node)
        if allowed is None:
            return
        reader = TagReader()
        tags = self.tags[node.id] = reader.read(documentation.text)
        for code, message in reader.problems:
            self._error(code, documentation, message)
        for tag in sorted(tags, key=lambda item: item.name):
            if tag.name in ("custom", "custom:"):
                self._error(6564, documentation, "A custom tag has a name of its own: @custom:name.")
            elif tag.name.startswith("custom:"):
                if not _CUSTOM.match(tag.name):
                    self._error(
                        2968, documentation, f'@{tag.name}: custom tags have only lower-case letters and "-".'
                    )
            elif tag.name not in allowed[0]:
                self._error(6546, documentation, f"The tag @{tag.name} is not for {allowed[1]}.")
        parameters = getattr(node, "parameters", None)
        if isinstance(parameters, nodes.ParameterList):
            names = {p.name for p in parameters.parameters}
            returned = getattr(node, "return_parameters", None)
            if isinstance(returned, nodes.ParameterList):
                names |= {p.name for p in returned.parameters}
            for tag in tags:
                if tag.name == "param" and tag.parameter not in names:
                    self._error(3881, documentation, f'There is no parameter "{tag.parameter}".')

    def _assembly(self, node: nodes.InlineAssembly) -> None:
        if node.documentation is None:
            return
        reader = TagReader()
        tags = reader.read(node.documentation.text)
        if reader.problems:
            notes = [(message, node.src) for _, message in reader.problems]
            self.context.warning(7828, node, "The documentation of the assembly is malformed.", notes)
        for tag in tags:
            if tag.name != "solidity":
                self.context.warning(
                    6269, node, f'The tag "@{tag.name}" with "{tag.content}" means nothing in assembly.'
                )
                continue
            seen: set[str] = set()
            repeated: set[str] = set()
            for value in tag.content.split():
                if value in seen:
                    if value not in repeated:
                        repeated.add(value)
                        self.context.warning(4377, node, f"The tag @solidity has the value twice: {value}")
                    continue
                seen.add(value)
                if value != "memory-safe-assembly":
                    self.context.warning(8787, node, f"The tag @solidity has no such value: {value}")
                    continue
                if node.id in self.model.memory_safe_assembly:
                    self.context.warning(
                        8544,
                        node,
                        "The assembly is marked memory-safe by a tag and by a flag; the flag is enough.",
                    )
                self.model.memory_safe_assembly.add(node.id)
                self.context.warning(
                    2424,
                    node,
                    'The tag for memory-safe assembly is deprecated: write `assembly ("memory-safe")`.',
                )

    # --- inheritdoc -------------------------------------------------------------------------------

    def resolve_inheritdoc(self, unit: nodes.SourceUnit, references: ReferenceResolver) -> None:
        """Find the contracts that ``@inheritdoc`` names; once names are resolved."""
        for node in self._documented[unit.id]:
            named = [tag for tag in self.tags.get(node.id, ()) if tag.name == "inheritdoc"]
            if not named or isinstance(node, nodes.EventDefinition | nodes.ErrorDefinition):
                continue
            documentation = getattr(node, "documentation", None)
            assert isinstance(documentation, nodes.StructuredDocumentation)
            name = named[0].content
            if len(named) > 1:
                self._error(5142, documentation, "The tag @inheritdoc stands once.")
            elif not name:
                self._error(1933, documentation, "The tag @inheritdoc names a contract.")
            elif not all(name.split(".")):
                self._error(5967, documentation, f'@inheritdoc: "{name}" is not a name.')
            else:
                symbol = references.path_from(node, name.split("."))
                if symbol is None:
                    self._error(9397, documentation, f'@inheritdoc: there is no contract "{name}".')
                elif isinstance(symbol, nodes.ContractDefinition):
                    self.model.inheritdoc_reference[node.id] = symbol
                else:
                    self._error(1430, documentation, f'@inheritdoc: "{name}" is not a contract.')

    # --- with types -------------------------------------------------------------------------------

    def check_returns(self, unit: nodes.SourceUnit) -> None:
        """Check ``@return`` tags against the returned values."""
        for node in self._documented[unit.id]:
            returned = [tag for tag in self.tags.get(node.id, ()) if tag.name == "return"]
            documentation = getattr(node, "documentation", None)
            if not returned or documentation is None:
                continue
            names: tuple[str, ...]
            if isinstance(node, nodes.FunctionDefinition):
                names = tuple(p.name for p in node.return_parameters.parameters)
            elif isinstance(node, nodes.VariableDeclaration) and t.is_public(node):
                names = t.getter_type(node, self.model).return_names
            else:
                continue
            for position, tag in enumerate(returned):
                if position >= len(names):
                    self._error(2604, documentation, f'"@return {tag.content}" documents no returned value.')
                elif names[position] and names[position] != re.split(r"[ \t]", tag.content, maxsplit=1)[0]:
                    self._error(
                        5856, documentation, f'"@return {tag.content}" has to begin with "{names[position]}".'
                    )

    def check_inherited(self, unit: nodes.SourceUnit) -> None:
        """Check that ``@inheritdoc`` names a contract of which the function overrides one."""
        for node in self._documented[unit.id]:
            contract = self.model.inheritdoc_reference.get(node.id)
            documentation = getattr(node, "documentation", None)
            if contract is None or documentation is None:
                continue
            if isinstance(node, nodes.FunctionDefinition) and node.kind == "constructor":
                continue
            if not self._overrides_from(node.id, contract):
                self._error(
                    4682,
                    documentation,
                    f'@inheritdoc: this overrides nothing of the contract "{contract.name}".',
                )

    def _overrides_from(self, node_id: int, contract: nodes.ContractDefinition) -> bool:
        return any(
            self.model.contract_of.get(base.id) is contract or self._overrides_from(base.id, contract)
            for base in self.model.base_functions.get(node_id, ())
        )
