"""Checks contracts as a whole: duplicates, missing implementations, base constructors, clashes of
signatures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from smartvm.compiler.analysis import types as t
from smartvm.compiler.analysis.constant_evaluation import ConstantEvaluator
from smartvm.compiler.analysis.context import AnalysisContext
from smartvm.compiler.analysis.overrides import (
    Overridable,
    OverrideChecker,
    Signature,
    functions_of,
    is_unimplemented,
    modifiers_of,
    state_variables_of,
)
from smartvm.compiler.ast import nodes
from smartvm.compiler.source import SourceRange

_Callable = TypeVar("_Callable", nodes.FunctionDefinition, nodes.EventDefinition)


class ContractLevelChecker:
    """Runs after declarations have types and before expressions have."""

    def __init__(self, context: AnalysisContext, constants: ConstantEvaluator) -> None:
        self.context = context
        self.model = context.model
        self.overrides = OverrideChecker(context)
        self.constants = constants
        #: what a contract leaves without body, and where its bases' constructors get their arguments
        self.unimplemented: dict[int, tuple[nodes.Declaration, ...]] = {}
        self.base_arguments: dict[int, dict[int, tuple[nodes.Node, tuple[nodes.Expression, ...]]]] = {}

    def check_unit(self, unit: nodes.SourceUnit) -> None:
        """Check a unit's contracts and free functions."""
        exported = self.model.exported_symbols_of(unit)
        functions = {
            name: [s for s in symbols if isinstance(s, nodes.FunctionDefinition)]
            for name, symbols in exported.items()
        }
        events = {
            name: [s for s in symbols if isinstance(s, nodes.EventDefinition)]
            for name, symbols in exported.items()
        }
        self._find_duplicates(functions, 1686, "function")
        self._find_duplicates(events, 5883, "event")
        for node in unit.nodes:
            if isinstance(node, nodes.ContractDefinition):
                self._check_contract(node)

    def _check_contract(self, contract: nodes.ContractDefinition) -> None:
        self._check_duplicate_functions(contract)
        self._check_duplicate_events(contract)
        self._check_receive(contract)
        self.overrides.check(contract)
        self._check_base_arguments(contract)
        self._check_abstract(contract)
        self._check_type_clashes(contract)
        self._check_selectors(contract)
        self._check_library(contract)
        self._check_abi_coder(contract)
        self._check_payable_fallback(contract)
        self._check_layout_specifier(contract)
        self._check_storage_size(contract)

    # --- duplicates -------------------------------------------------------------------------------

    def _find_duplicates(self, by_name: dict[str, list[_Callable]], code: int, kind: str) -> None:
        for name in sorted(by_name):
            overloads = by_name[name]
            if len(overloads) < 2:
                continue
            parameters = [self._external_parameters(item) for item in overloads]
            reported: set[int] = set()
            for first in range(len(overloads)):
                if first in reported:
                    break
                same = [j for j in range(first + 1, len(overloads)) if parameters[j] == parameters[first]]
                if same:
                    reported.update(same)
                    self.context.declaration_error(
                        code,
                        overloads[first],
                        f"There is another {kind} of the same name with the same parameter types.",
                        [("The other one:", overloads[j].src) for j in same],
                    )

    def _external_parameters(
        self, item: nodes.FunctionDefinition | nodes.EventDefinition
    ) -> tuple[t.Type, ...]:
        if isinstance(item, nodes.EventDefinition):
            return t.event_type(item, self.model).as_externally_callable_function(False).parameter_types
        return t.function_type(item, self.model).as_externally_callable_function(False).parameter_types

    def _check_duplicate_functions(self, contract: nodes.ContractDefinition) -> None:
        by_name: dict[str, list[nodes.FunctionDefinition]] = {}
        special: dict[str, nodes.FunctionDefinition] = {}
        codes = {"constructor": 7997, "fallback": 7301, "receive": 4046}
        for function in functions_of(contract):
            if function.kind in codes:
                other = special.get(function.kind)
                if other is not None:
                    what = "constructor" if function.kind == "constructor" else f"{function.kind} function"
                    self.context.declaration_error(
                        codes[function.kind],
                        function,
                        f"A contract has one {what}.",
                        [("The other one:", other.src)],
                    )
                special[function.kind] = function
            else:
                by_name.setdefault(function.name, []).append(function)
        self._find_duplicates(by_name, 1686, "function")

    def _check_duplicate_events(self, contract: nodes.ContractDefinition) -> None:
        by_name: dict[str, list[nodes.EventDefinition]] = {}
        for base in self.model.linearized_base_contracts(contract):
            for node in base.nodes:
                if isinstance(node, nodes.EventDefinition):
                    by_name.setdefault(node.name, []).append(node)
        self._find_duplicates(by_name, 5883, "event")

    def _check_receive(self, contract: nodes.ContractDefinition) -> None:
        for function in functions_of(contract):
            if function.kind != "receive":
                continue
            if contract.contract_kind == "library":
                self.context.declaration_error(4549, function, "Libraries have no receive function.")
            if function.state_mutability != "payable":
                self.context.declaration_error(
                    7793, function, f"A receive function is payable, not {function.state_mutability}."
                )
            if t.visibility_of(function) != "external":
                self.context.declaration_error(4095, function, "A receive function is external.")
            if function.return_parameters.parameters:
                raise self.context.fatal_declaration_error(
                    6899, function.return_parameters, "A receive function returns nothing."
                )
            if function.parameters.parameters:
                raise self.context.fatal_declaration_error(
                    6857, function.parameters, "A receive function takes no parameters."
                )

    # --- implementation ---------------------------------------------------------------------------

    def _check_abstract(self, contract: nodes.ContractDefinition) -> None:
        latest: dict[Signature, Overridable] = {}

        def register(item: Overridable) -> None:
            key = self.overrides.signature(item)
            if not is_unimplemented(item):
                latest.pop(key, None)
            latest.setdefault(key, item)

        for base in reversed(self.model.linearized_base_contracts(contract)):
            for variable in state_variables_of(base):
                if t.is_part_of_external_interface(variable):
                    register(variable)
            for function in functions_of(base):
                if function.kind != "constructor":
                    register(function)
            for modifier in modifiers_of(base):
                register(modifier)
        missing = tuple(
            item for _, item in sorted(latest.items(), key=_by_signature) if is_unimplemented(item)
        )
        self.unimplemented[contract.id] = missing
        if contract.abstract:
            if contract.contract_kind == "interface":
                self.context.type_error(
                    9348, contract, 'Interfaces are abstract without saying so: remove "abstract".'
                )
            elif contract.contract_kind == "library":
                self.context.type_error(9571, contract, "Libraries are not abstract.")
        elif contract.contract_kind == "contract" and missing:
            self.context.type_error(
                3656,
                contract,
                f'"{self.model.canonical_name(contract)}" does not implement everything: it has to be '
                f'"abstract".',
                [("Not implemented:", item.src) for item in missing],
            )

    def _check_base_arguments(self, contract: nodes.ContractDefinition) -> None:
        given: dict[int, tuple[nodes.Node, tuple[nodes.Expression, ...]]] = {}
        self.base_arguments[contract.id] = given
        bases = self.model.linearized_base_contracts(contract)
        for base in bases:
            constructor = t.constructor_of(base)
            for modifier in constructor.modifiers if constructor is not None else ():
                target = self.model.referenced_declaration.get(modifier.modifier_name.id)
                if not isinstance(target, nodes.ContractDefinition):
                    continue
                if modifier.arguments is None:
                    self.context.declaration_error(
                        1563, modifier, "The call of a base's constructor needs parentheses."
                    )
                elif t.constructor_of(target) is not None:
                    self._note_arguments(contract, target, modifier, modifier.arguments, given)
            for specifier in base.base_contracts:
                target = self.model.referenced_declaration.get(specifier.base_name.id)
                if (
                    isinstance(target, nodes.ContractDefinition)
                    and specifier.arguments
                    and t.constructor_of(target) is not None
                ):
                    self._note_arguments(contract, target, specifier, specifier.arguments, given)
        if contract.contract_kind != "contract" or contract.abstract:
            return
        for base in bases[1:]:
            constructor = t.constructor_of(base)
            if constructor is not None and constructor.parameters.parameters and base.id not in given:
                self.context.type_error(
                    3415,
                    contract,
                    f'The constructor of the base "{base.name}" gets no arguments: give them, or make '
                    f'"{self.model.canonical_name(contract)}" abstract.',
                    [("Its parameters:", constructor.parameters.src)],
                )

    def _note_arguments(
        self,
        contract: nodes.ContractDefinition,
        base: nodes.ContractDefinition,
        node: nodes.Node,
        arguments: tuple[nodes.Expression, ...],
        given: dict[int, tuple[nodes.Node, tuple[nodes.Expression, ...]]],
    ) -> None:
        if base.id not in given:
            given[base.id] = (node, arguments)
            return
        previous = given[base.id][0]
        where, notes = contract.src, [("First here:", node.src), ("Again here:", previous.src)]
        if _contains(contract.src, previous.src) or _contains(contract.src, node.src):
            where, notes = previous.src, [("Again here:", node.src)]
        self.context.declaration_error(
            3364, where, f'The constructor of the base "{base.name}" gets its arguments twice.', notes
        )

    # --- interface --------------------------------------------------------------------------------

    def _check_type_clashes(self, contract: nodes.ContractDefinition) -> None:
        by_signature: dict[str, list[tuple[nodes.Declaration, t.FunctionType]]] = {}
        for base in self.model.linearized_base_contracts(contract):
            members: Sequence[nodes.FunctionDefinition | nodes.VariableDeclaration] = [
                *functions_of(base),
                *state_variables_of(base),
            ]
            for member in members:
                if not t.is_part_of_external_interface(member):
                    continue
                function = self.overrides.external_type(member)
                original = (
                    t.function_type(member, self.model)
                    if isinstance(member, nodes.FunctionDefinition)
                    else t.getter_type(member, self.model)
                )
                if original.interface_function_type() is not None:
                    by_signature.setdefault(original.external_signature(), []).append((member, function))
        for signature in sorted(by_signature):
            listed = by_signature[signature]
            for first in range(len(listed)):
                for second in range(first + 1, len(listed)):
                    if listed[first][1].parameter_types != listed[second][1].parameter_types:
                        self.context.type_error(
                            9914,
                            listed[second][0],
                            f'Another function is "{signature}" in the external interface too.',
                        )

    def _check_selectors(self, contract: nodes.ContractDefinition) -> None:
        seen: set[int] = set()
        for selector, function in t.interface_functions(contract, self.model):
            if selector in seen:
                raise self.context.fatal_type_error(
                    1860,
                    contract,
                    f"The selector of {function.external_signature()} belongs to another function too.",
                )
            seen.add(selector)

    def _check_library(self, contract: nodes.ContractDefinition) -> None:
        if contract.contract_kind != "library":
            return
        if contract.base_contracts:
            self.context.type_error(9469, contract, "Libraries have no base contracts.")
        for variable in state_variables_of(contract):
            if variable.mutability != "constant":
                self.context.type_error(9957, variable, "State variables of libraries are constant.")

    def _uses_coder_v2(self, declaration: nodes.Node) -> bool:
        node: nodes.Node | None = declaration
        while node is not None and not isinstance(node, nodes.SourceUnit):
            node = self.model.parent.get(node.id)
        return node is None or self.model.abi_coder.get(node.id, 2) == 2

    def _check_abi_coder(self, contract: nodes.ContractDefinition) -> None:
        if self._uses_coder_v2(contract) or contract.contract_kind == "library":
            return
        notes = []
        for _, function in t.interface_functions(contract, self.model):
            declaration = function.declaration
            if declaration is None or not self._uses_coder_v2(declaration):
                continue
            if any(_needs_coder_v2(type_) for type_ in (*function.parameter_types, *function.return_types)):
                notes.append(("Needs ABI coder v2:", declaration.src))
        if notes:
            raise self.context.fatal_type_error(
                6594,
                contract,
                f'"{contract.name}" inherits functions that need ABI coder v2: it needs "pragma abicoder '
                f'v2;" too.',
                notes,
            )

    def _check_payable_fallback(self, contract: nodes.ContractDefinition) -> None:
        fallback = receive = None
        for base in self.model.linearized_base_contracts(contract):
            for function in functions_of(base):
                if function.kind == "fallback" and fallback is None:
                    fallback = function
                elif function.kind == "receive":
                    receive = function
        if fallback is None or fallback.state_mutability != "payable" or receive is not None:
            return
        if t.interface_functions(contract, self.model):
            self.context.warning(
                3628,
                contract,
                "The contract has a payable fallback function but no receive function; consider adding one.",
                [("The fallback function:", fallback.src)],
            )

    # --- storage ----------------------------------------------------------------------------------

    def _check_layout_specifier(self, contract: nodes.ContractDefinition) -> None:
        if contract.storage_layout is not None and contract.abstract:
            self.context.type_error(
                7587, contract.storage_layout, "Abstract contracts have no storage layout."
            )
        for specifier in contract.base_contracts:
            base = self.model.referenced_declaration.get(specifier.base_name.id)
            if isinstance(base, nodes.ContractDefinition) and base.storage_layout is not None:
                self.context.type_error(
                    8894,
                    specifier,
                    f'"{base.name}" has a storage layout of its own and cannot be a base contract.',
                )

    def _check_storage_size(self, contract: nodes.ContractDefinition) -> None:
        size = 0
        for base in reversed(self.model.linearized_base_contracts(contract)):
            for variable in state_variables_of(base):
                if variable.mutability == "mutable":
                    size += self.model.variable_types[variable.id].storage_size_upper_bound()
                    if size >= 1 << 256:
                        self.context.type_error(
                            7676, contract, "The contract needs more storage than there is."
                        )
                        return


def _by_signature(entry: tuple[Signature, Overridable]) -> tuple[str, str, list[str]]:
    (name, kind, parameters), _ = entry
    return name, kind, [p.rich_identifier() for p in parameters]


def _contains(outer: SourceRange, inner: SourceRange) -> bool:
    return outer.file == inner.file and outer.start <= inner.start and inner.end <= outer.end


def _needs_coder_v2(type_: t.Type) -> bool:
    if isinstance(type_, t.StructType):
        return True
    if isinstance(type_, t.ArrayType):
        base = type_.base_type
        return _needs_coder_v2(base) or (isinstance(base, t.ArrayType) and base.is_dynamically_sized())
    return False
