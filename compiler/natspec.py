"""NatSpec comments: the tags in them (docs/natspec-format.rst), and which of them a declaration inherits."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from smartvm.compiler.analysis.model import SemanticModel
from smartvm.compiler.analysis.types import FunctionType
from smartvm.compiler.analysis.types.declarations import function_type, getter_type
from smartvm.compiler.ast import nodes
from smartvm.records import dataclass, field

_NAME = re.compile(r"[a-zA-Z_$][a-zA-Z0-9_$]*")
_SPACE = re.compile(r"[ \t]")

#: What carries a documentation comment whose tags mean something.
Documented = (
    nodes.ContractDefinition
    | nodes.FunctionDefinition
    | nodes.ModifierDefinition
    | nodes.EventDefinition
    | nodes.ErrorDefinition
    | nodes.VariableDeclaration
)


@dataclass(frozen=True, slots=True)
class Tag:
    """One value of a tag; ``parameter`` is the name that follows ``@param``."""

    content: str
    parameter: str = ""


#: Tags by name, names sorted, values in the order written.
Tags = Mapping[str, tuple[Tag, ...]]


@dataclass(slots=True)
class ParsedComment:
    """The tags of a comment, and what is wrong with it: (solc's code, message)."""

    tags: dict[str, tuple[Tag, ...]] = field(default_factory=dict)
    problems: list[tuple[int, str]] = field(default_factory=list)


def parse_comment(text: str) -> ParsedComment:
    """Read the tags of a comment's text. Text before any tag is a ``notice``; a line without a tag goes on
    with the tag before it."""
    found: list[tuple[str, str, str]] = []
    problems: list[tuple[int, str]] = []
    lines = text.split("\n")
    number = 0
    while number < len(lines):
        line = lines[number]
        position = line.find("@")
        if position >= 0:
            name, content = _split_tag(line[position + 1 :])
            if content is None:
                # Nothing but the tag: its value starts on the next line.
                number += 1
                content = lines[number] if number < len(lines) else ""
            if name == "param":
                parameter = _parameter(content, problems)
                if parameter is None:
                    break
                found.append((name, *parameter))
            else:
                found.append((name, content.lstrip(" \t"), ""))
        elif found:
            name, content, parameter_name = found[-1]
            separator = " " if line and line[0] not in " \t" else ""
            found[-1] = (name, content + separator + line, parameter_name)
        elif number == 0:
            found.append(("notice", line.lstrip(" \t"), ""))
        number += 1
    tags: dict[str, tuple[Tag, ...]] = {}
    for name, content, parameter_name in sorted(found, key=lambda entry: entry[0]):
        tags[name] = (*tags.get(name, ()), Tag(content, parameter_name))
    return ParsedComment(tags, problems)


def _split_tag(text: str) -> tuple[str, str | None]:
    space = _SPACE.search(text)
    if space is None:
        return text, None
    return text[: space.start()], text[space.end() :]


def _parameter(text: str, problems: list[tuple[int, str]]) -> tuple[str, str] | None:
    text = text.lstrip(" \t")
    if not text:
        problems.append((3335, "`@param` names no parameter."))
        return None
    match = _NAME.match(text)
    name = match[0] if match else ""
    description = text[len(name) :].lstrip(" \t")
    if not description:
        problems.append((9942, f"`@param {name}` says nothing about the parameter."))
        return None
    return description, name


class Documentation:
    """The effective tags of declarations: their own, and those inherited from the functions they override."""

    def __init__(self, model: SemanticModel) -> None:
        self.model = model
        self._tags: dict[int, Tags] = {}

    def own_tags(self, declaration: Documented) -> Tags:
        """The tags of a declaration's own comment."""
        if declaration.documentation is None:
            return {}
        return parse_comment(declaration.documentation.text).tags

    def tags(self, declaration: Documented) -> Tags:
        """Own tags and inherited ones (``@inheritdoc``, or a single overridden function when there is no
        comment)."""
        known = self._tags.get(declaration.id)
        if known is None:
            known = self._inherit(declaration, self.own_tags(declaration))
            self._tags[declaration.id] = known
        return known

    def _inherit(self, declaration: Documented, own: Tags) -> Tags:
        if isinstance(declaration, nodes.ContractDefinition | nodes.EventDefinition | nodes.ErrorDefinition):
            return own
        if isinstance(declaration, nodes.FunctionDefinition) and declaration.kind == "constructor":
            return own
        bases = self.model.base_functions.get(declaration.id, ())
        named = own.get("inheritdoc")
        if named:
            source = self._find_base(bases, named[0].content.strip())
            return own if source is None else self._with_missing(declaration, own, source)
        if own or len(bases) != 1:
            return own
        (base,) = bases
        if isinstance(declaration, nodes.VariableDeclaration) or _same_parameter_names(declaration, base):
            return self._with_missing(declaration, own, base)
        return own

    def _find_base(self, bases: Iterable[nodes.Declaration], contract_name: str) -> nodes.Declaration | None:
        wanted = contract_name.rpartition(".")[2]
        for base in bases:
            if self.model.contract_of[base.id].name == wanted:
                return base
            deeper = self._find_base(self.model.base_functions.get(base.id, ()), contract_name)
            if deeper is not None:
                return deeper
        return None

    def _with_missing(self, declaration: Documented, own: Tags, base: nodes.Declaration) -> Tags:
        """``own`` with those tags of ``base`` that it lacks; custom tags are not inherited."""
        assert isinstance(base, Documented)
        merged = dict(own)
        for name, values in self.tags(base).items():
            if name == "inheritdoc" or name in own or name.startswith("custom"):
                continue
            if name == "return":
                values = tuple(
                    Tag(self._renamed_return(declaration, base, place, value.content))
                    for place, value in enumerate(values)
                )
            merged[name] = values
        return dict(sorted(merged.items()))

    def _renamed_return(
        self, declaration: Documented, base: nodes.Declaration, place: int, content: str
    ) -> str:
        """A ``@return`` with the name that the return parameter has here in the place of its name there."""
        names = return_names(declaration, self.model)
        first, _, rest = _first_word(content)
        if place >= len(names) or names[place] == first:
            return content
        base_parameters = (
            base.return_parameters.parameters if isinstance(base, nodes.FunctionDefinition) else ()
        )
        base_has_no_name = place < len(base_parameters) and not base_parameters[place].name
        description = content if not rest or base_has_no_name else rest
        return f"{names[place]} {description}" if names[place] else description


def _first_word(content: str) -> tuple[str, str, str]:
    space = _SPACE.search(content)
    if space is None:
        return content, "", ""
    return content[: space.start()], space[0], content[space.end() :]


def return_names(declaration: Documented, model: SemanticModel) -> tuple[str, ...]:
    """The names of a function's return parameters, or of a public state variable's getter."""
    if isinstance(declaration, nodes.FunctionDefinition):
        return tuple(parameter.name for parameter in declaration.return_parameters.parameters)
    if (
        isinstance(declaration, nodes.VariableDeclaration)
        and declaration.state_variable
        and declaration.visibility == "public"
    ):
        return getter_type(declaration, model).return_names
    return ()


def _same_parameter_names(declaration: nodes.Declaration, base: nodes.Declaration) -> bool:
    if not isinstance(declaration, nodes.FunctionDefinition | nodes.ModifierDefinition) or not isinstance(
        base, nodes.FunctionDefinition | nodes.ModifierDefinition
    ):
        return False
    return [p.name for p in declaration.parameters.parameters] == [p.name for p in base.parameters.parameters]


def signature_of(declaration: nodes.Declaration, model: SemanticModel) -> str:
    """The external signature of an event or error."""
    declared = model.type_of_declaration(declaration)
    if isinstance(declared, FunctionType):
        return declared.external_signature()
    assert isinstance(declaration, nodes.FunctionDefinition)
    return function_type(declaration, model, "external").external_signature()
