"""A contract's ABI in JSON (docs/abi-spec.rst, "JSON"), in solc's order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from smartvm.compiler.analysis.model import SemanticModel
from smartvm.compiler.analysis.types import ArrayType, FunctionType, StructType, Type
from smartvm.compiler.analysis.types.declarations import function_type, interface_functions
from smartvm.compiler.ast import nodes

Entry = dict[str, Any]


def contract_abi(contract: nodes.ContractDefinition, model: SemanticModel) -> list[Entry]:
    """All entries, sorted by type and name; functions of one name by selector."""
    entries = [*_functions(contract, model), *_special_functions(contract, model)]
    for event in interface_events(contract, model):
        entries.append(
            {
                "type": "event",
                "name": event.name,
                "anonymous": event.anonymous,
                "inputs": [
                    {**_parameter(parameter, model), "indexed": parameter.indexed}
                    for parameter in event.parameters.parameters
                ],
            }
        )
    for error in interface_errors(contract, model):
        entries.append(
            {
                "type": "error",
                "name": error.name,
                "inputs": [_parameter(parameter, model) for parameter in error.parameters.parameters],
            }
        )
    return sorted(entries, key=lambda entry: (entry["type"], entry.get("name", "")))


def interface_events(contract: nodes.ContractDefinition, model: SemanticModel) -> list[nodes.EventDefinition]:
    """The events that the contract and its bases define, and those that its code emits, by id."""
    facts = model.facts(contract)
    events = {
        node.id: node
        for base in facts.linearized_base_contracts
        for node in base.nodes
        if isinstance(node, nodes.EventDefinition)
    }
    events.update({event.id: event for event in facts.used_events})
    return [event for _, event in sorted(events.items())]


def interface_errors(contract: nodes.ContractDefinition, model: SemanticModel) -> list[nodes.ErrorDefinition]:
    """The errors that the contract and its bases define, and those that its code uses, by id."""
    facts = model.facts(contract)
    errors = {
        node.id: node
        for base in facts.linearized_base_contracts
        for node in base.nodes
        if isinstance(node, nodes.ErrorDefinition)
    }
    errors.update({error.id: error for error in facts.used_errors})
    return [error for _, error in sorted(errors.items())]


def _functions(contract: nodes.ContractDefinition, model: SemanticModel) -> Iterator[Entry]:
    is_library = contract.contract_kind == "library"
    for _, function in sorted(interface_functions(contract, model), key=lambda pair: pair[0]):
        if is_library and (
            function.state_mutability not in ("pure", "view")
            or any(t.data_stored_in("storage") for t in (*function.parameter_types, *function.return_types))
        ):
            continue
        external = _external(function)
        assert function.declaration is not None
        yield {
            "type": "function",
            "name": function.declaration.name,
            "stateMutability": external.state_mutability,
            "inputs": _type_list(
                external.parameter_names, external.parameter_types, function.parameter_types, is_library
            ),
            "outputs": _type_list(
                external.return_names, external.return_types, function.return_types, is_library
            ),
        }


def _special_functions(contract: nodes.ContractDefinition, model: SemanticModel) -> Iterator[Entry]:
    is_library = contract.contract_kind == "library"
    for base in model.facts(contract).linearized_base_contracts:
        for node in base.nodes:
            if not isinstance(node, nodes.FunctionDefinition):
                continue
            if node.kind == "constructor" and base is contract and not contract.abstract:
                function = function_type(node, model, "internal")
                external = _external(function)
                yield {
                    "type": "constructor",
                    "stateMutability": node.state_mutability,
                    "inputs": _type_list(
                        external.parameter_names,
                        external.parameter_types,
                        function.parameter_types,
                        is_library,
                    ),
                }
    for kind in ("fallback", "receive"):
        definition = next(
            (
                node
                for base in model.facts(contract).linearized_base_contracts
                for node in base.nodes
                if isinstance(node, nodes.FunctionDefinition) and node.kind == kind
            ),
            None,
        )
        if definition is not None:
            yield {"type": kind, "stateMutability": definition.state_mutability}


def _external(function: FunctionType) -> FunctionType:
    external = function.interface_function_type()
    assert external is not None
    return external


def _parameter(parameter: nodes.VariableDeclaration, model: SemanticModel) -> Entry:
    type_ = model.variable_types[parameter.id]
    interface = type_.interface_type(False)
    assert interface is not None
    return type_entry(parameter.name, interface, type_, for_library=False)


def _type_list(
    names: Sequence[str], encoding: Sequence[Type], solidity: Sequence[Type], for_library: bool
) -> list[Entry]:
    return [
        type_entry(name, encoded, own, for_library=for_library)
        for name, encoded, own in zip(names, encoding, solidity, strict=True)
    ]


def type_entry(name: str, encoding: Type, solidity: Type, *, for_library: bool) -> Entry:
    """A parameter: ``encoding`` is its type in the ABI, ``solidity`` that of the source
    (``internalType``)."""
    entry: Entry = {"name": name, "internalType": solidity.text(without_location=True)}
    in_storage = for_library and encoding.data_stored_in("storage")
    suffix = " storage" if in_storage else ""
    if encoding.is_value_type or in_storage:
        entry["type"] = encoding.canonical_name() + suffix
    elif isinstance(encoding, ArrayType):
        if encoding.is_byte_array_or_string:
            entry["type"] = encoding.canonical_name()
        else:
            assert isinstance(solidity, ArrayType)
            base = type_entry("", encoding.base_type, solidity.base_type, for_library=for_library)
            length = "" if encoding.is_dynamically_sized() else str(encoding.length)
            entry["type"] = f"{base['type']}[{length}]"
            if "components" in base:
                entry["components"] = base["components"]
    elif isinstance(encoding, StructType):
        entry["type"] = "tuple"
        entry["components"] = []
        for member, type_ in encoding.member_types().items():
            interface = type_.interface_type(for_library)
            assert interface is not None
            entry["components"].append(type_entry(member, interface, type_, for_library=for_library))
    else:
        raise TypeError(f"{encoding.text()} cannot stand in an ABI")
    return entry
