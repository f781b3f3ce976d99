"""``userdoc`` and ``devdoc``: a contract's NatSpec as JSON (docs/natspec-format.rst, "Documentation
Output")."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from smartvm.compiler.analysis.model import SemanticModel
from smartvm.compiler.analysis.types.declarations import constructor_of, getter_type, interface_functions
from smartvm.compiler.artifacts.abi import interface_errors
from smartvm.compiler.ast import nodes
from smartvm.compiler.natspec import Documentation, Tags, return_names, signature_of

_VERSION = 1

Json = dict[str, Any]


def user_documentation(contract: nodes.ContractDefinition, documentation: Documentation) -> Json:
    """The notices of a contract and its interface."""
    model = documentation.model
    result: Json = {"version": _VERSION, "kind": "user", "methods": {}}
    constructor = constructor_of(contract)
    if constructor is not None and (notice := _text(documentation.tags(constructor), "notice")):
        result["methods"]["constructor"] = {"notice": notice}
    if notice := _text(documentation.tags(contract), "notice"):
        result["notice"] = notice
    for _, function in interface_functions(contract, model):
        declaration = function.declaration
        assert isinstance(declaration, nodes.FunctionDefinition | nodes.VariableDeclaration)
        if notice := _text(documentation.tags(declaration), "notice"):
            result["methods"][function.external_signature()] = {"notice": notice}
    for event in _events(contract, model):
        if notice := _text(documentation.tags(event), "notice"):
            result.setdefault("events", {})[signature_of(event, model)] = {"notice": notice}
    for error in interface_errors(contract, model):
        if notice := _text(documentation.tags(error), "notice"):
            result.setdefault("errors", {}).setdefault(signature_of(error, model), []).append(
                {"notice": notice}
            )
    return result


def developer_documentation(contract: nodes.ContractDefinition, documentation: Documentation) -> Json:
    """Everything else that is documented about a contract, its interface and its state variables."""
    model = documentation.model
    tags = documentation.tags(contract)
    result: Json = {**_custom(tags), "version": _VERSION, "kind": "dev", "methods": {}}
    for tag, key in (("author", "author"), ("title", "title"), ("dev", "details")):
        if text := _text(tags, tag):
            result[key] = text
    constructor = constructor_of(contract)
    if constructor is not None and (described := _described(documentation.tags(constructor))):
        result["methods"]["constructor"] = described
    for _, function in interface_functions(contract, model):
        declaration = function.declaration
        if not isinstance(declaration, nodes.FunctionDefinition):
            continue
        function_tags = documentation.tags(declaration)
        described = _described(function_tags)
        if returns := _returns(function_tags, return_names(declaration, model)):
            described["returns"] = returns
        if described:
            result["methods"][function.external_signature()] = described
    if variables := _state_variables(contract, documentation, model):
        result["stateVariables"] = variables
    for event in _events(contract, model):
        if described := _described(documentation.tags(event)):
            result.setdefault("events", {})[signature_of(event, model)] = described
    for error in interface_errors(contract, model):
        if described := _described(documentation.tags(error)):
            result.setdefault("errors", {}).setdefault(signature_of(error, model), []).append(described)
    return result


def _state_variables(
    contract: nodes.ContractDefinition, documentation: Documentation, model: SemanticModel
) -> Json:
    variables: Json = {}
    for variable in contract.nodes:
        if not isinstance(variable, nodes.VariableDeclaration):
            continue
        tags = documentation.tags(variable)
        described = _described(tags)
        if len(tags.get("return", ())) == 1 and (text := _text(tags, "return")):
            described["return"] = text
        if variable.visibility == "public":
            names = getter_type(variable, model).return_names
            if returns := _returns(tags, names):
                described["returns"] = returns
        if described:
            variables[variable.name] = described
    return variables


def _events(contract: nodes.ContractDefinition, model: SemanticModel) -> Iterable[nodes.EventDefinition]:
    """Events by signature: those of the contract and its bases, then those only used, unless two of these
    clash."""
    facts = model.facts(contract)
    by_signature: dict[str, nodes.EventDefinition] = {}
    for base in facts.linearized_base_contracts:
        for node in base.nodes:
            if isinstance(node, nodes.EventDefinition):
                by_signature.setdefault(signature_of(node, model), node)
    used: dict[str, list[nodes.EventDefinition]] = {}
    for event in facts.used_events:
        used.setdefault(signature_of(event, model), []).append(event)
    for signature, events in used.items():
        if len(events) == 1:
            by_signature.setdefault(signature, events[0])
    return [event for _, event in sorted(by_signature.items())]


def _text(tags: Tags, name: str) -> str:
    return "".join(tag.content for tag in tags.get(name, ()))


def _custom(tags: Tags) -> Json:
    return {name: _text(tags, name) for name in tags if name.startswith("custom")}


def _described(tags: Tags) -> Json:
    described = _custom(tags)
    for tag, key in (("dev", "details"), ("author", "author")):
        if text := _text(tags, tag):
            described[key] = text
    if parameters := {tag.parameter: tag.content for tag in tags.get("param", ())}:
        described["params"] = parameters
    return described


def _returns(tags: Tags, names: tuple[str, ...]) -> Json:
    returns: Json = {}
    if not names:
        return returns
    for place, (tag, name) in enumerate(zip(tags.get("return", ()), names, strict=False)):
        if not name:
            returns[f"_{place}"] = tag.content
        else:
            word_end = next((i for i, c in enumerate(tag.content) if c in " \t"), None)
            returns[name] = tag.content if word_end is None else tag.content[word_end + 1 :]
    return returns
