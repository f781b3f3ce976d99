"""Checks that functions, modifiers and getters override what they may (docs/contracts/inheritance.rst)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from smartvm.compiler.analysis import types as t
from smartvm.compiler.analysis.context import AnalysisContext, Note
from smartvm.compiler.ast import nodes
from smartvm.records import dataclass, field

#: What can override or be overridden.
Overridable = nodes.FunctionDefinition | nodes.ModifierDefinition | nodes.VariableDeclaration

#: What two members have in common when one overrides the other.
Signature = tuple[str, str, tuple[t.Type, ...]]

_MUTABILITY_ORDER = {"pure": 0, "view": 1, "nonpayable": 2, "payable": 3}


def _kind(item: Overridable) -> str:
    if isinstance(item, nodes.FunctionDefinition):
        return "function"
    return "modifier" if isinstance(item, nodes.ModifierDefinition) else "public state variable"


def is_unimplemented(item: Overridable) -> bool:
    """Whether it has no body though it could have one."""
    return not isinstance(item, nodes.VariableDeclaration) and item.body is None


def functions_of(contract: nodes.ContractDefinition) -> list[nodes.FunctionDefinition]:
    """The functions that a contract itself defines."""
    return [node for node in contract.nodes if isinstance(node, nodes.FunctionDefinition)]


def modifiers_of(contract: nodes.ContractDefinition) -> list[nodes.ModifierDefinition]:
    """The modifiers that a contract itself defines."""
    return [node for node in contract.nodes if isinstance(node, nodes.ModifierDefinition)]


def state_variables_of(contract: nodes.ContractDefinition) -> list[nodes.VariableDeclaration]:
    """The state variables that a contract itself declares."""
    return [node for node in contract.nodes if isinstance(node, nodes.VariableDeclaration)]


@dataclass
class OverrideChecker:
    """Checks overriding contract by contract, bases first, and fills ``base_functions``."""

    context: AnalysisContext
    _functions: dict[int, dict[Signature, list[Overridable]]] = field(default_factory=dict)
    _modifiers: dict[int, dict[Signature, list[Overridable]]] = field(default_factory=dict)
    _signatures: dict[int, Signature] = field(default_factory=dict)

    # --- facts ------------------------------------------------------------------------------------

    def signature(self, item: Overridable) -> Signature:
        """The key under which overriding is found: calldata and memory parameters count as the same."""
        known = self._signatures.get(item.id)
        if known is None:
            known = self._signatures[item.id] = self._compute_signature(item)
        return known

    def _compute_signature(self, item: Overridable) -> Signature:
        if isinstance(item, nodes.ModifierDefinition):
            return item.name, "modifier", ()
        if isinstance(item, nodes.FunctionDefinition) and item.kind != "function":
            return "", item.kind, ()
        return item.name, "function", self.external_type(item).parameter_types

    def external_type(self, item: nodes.FunctionDefinition | nodes.VariableDeclaration) -> t.FunctionType:
        """The type as seen from outside."""
        model = self.context.model
        if isinstance(item, nodes.VariableDeclaration):
            return t.getter_type(item, model)
        return t.function_type(item, model, "declaration").as_externally_callable_function(False)

    def _contract(self, item: Overridable) -> nodes.ContractDefinition:
        scope = self.context.model.scope[item.id]
        assert isinstance(scope, nodes.ContractDefinition)
        return scope

    def _is_virtual(self, item: Overridable) -> bool:
        if isinstance(item, nodes.VariableDeclaration):
            return False
        if isinstance(item, nodes.ModifierDefinition):
            return item.virtual
        return item.virtual or self._contract(item).contract_kind == "interface"

    @staticmethod
    def _visibility(item: Overridable) -> str:
        return "external" if isinstance(item, nodes.VariableDeclaration) else t.visibility_of(item)

    @staticmethod
    def _mutability(item: nodes.FunctionDefinition | nodes.VariableDeclaration) -> str:
        if isinstance(item, nodes.VariableDeclaration):
            return "pure" if item.mutability == "constant" else "view"
        return item.state_mutability

    def _direct_bases(self, contract: nodes.ContractDefinition) -> list[nodes.ContractDefinition]:
        found = []
        for specifier in contract.base_contracts:
            base = self.context.model.referenced_declaration.get(specifier.base_name.id)
            if isinstance(base, nodes.ContractDefinition):
                found.append(base)
        return found

    def inherited_functions(self, contract: nodes.ContractDefinition) -> dict[Signature, list[Overridable]]:
        """Functions and getters of the bases by signature, for each direct base the one that counts."""
        known = self._functions.get(contract.id)
        if known is not None:
            return known
        result: dict[Signature, list[Overridable]] = {}
        for base in self._direct_bases(contract):
            own: dict[Signature, Overridable] = {}
            for function in functions_of(base):
                if function.kind != "constructor":
                    own.setdefault(self.signature(function), function)
            for variable in state_variables_of(base):
                if t.is_public(variable):
                    own.setdefault(self.signature(variable), variable)
            for key, item in own.items():
                result.setdefault(key, []).append(item)
            for key, items in self.inherited_functions(base).items():
                if key not in own:
                    result.setdefault(key, []).extend(items)
        self._functions[contract.id] = result
        return result

    def inherited_modifiers(self, contract: nodes.ContractDefinition) -> dict[Signature, list[Overridable]]:
        """Modifiers of the bases by name, for each direct base the one that counts."""
        known = self._modifiers.get(contract.id)
        if known is not None:
            return known
        result: dict[Signature, list[Overridable]] = {}
        for base in self._direct_bases(contract):
            own: dict[Signature, Overridable] = {}
            for modifier in modifiers_of(base):
                own.setdefault(self.signature(modifier), modifier)
            for key, items in self.inherited_modifiers(base).items():
                own.setdefault(key, items[0])
            for key, item in own.items():
                result.setdefault(key, []).append(item)
        self._modifiers[contract.id] = result
        return result

    # --- checks -----------------------------------------------------------------------------------

    def check(self, contract: nodes.ContractDefinition) -> None:
        """Check what a contract overrides and what it would have to override."""
        self._check_own(contract)
        self._check_ambiguous(contract)

    def _check_own(self, contract: nodes.ContractDefinition) -> None:
        functions = self.inherited_functions(contract)
        modifiers = self.inherited_modifiers(contract)
        function_names = {key[0] for key in functions}
        modifier_names = {key[0] for key in modifiers}
        error = self.context.type_error
        for modifier in modifiers_of(contract):
            if modifier.name in function_names:
                error(5631, modifier, "A modifier cannot override a function or a public state variable.")
            self._check_list(modifier, modifiers)
        for function in functions_of(contract):
            if function.kind == "constructor":
                continue
            if function.name and function.name in modifier_names:
                error(1469, function, "A function cannot override a modifier.")
            self._check_list(function, functions)
        for variable in state_variables_of(contract):
            if not t.is_public(variable):
                if variable.override is not None:
                    error(8022, variable, "Only public state variables override.")
                continue
            if variable.name in modifier_names:
                error(1456, variable, "A public state variable cannot override a modifier.")
            self._check_list(variable, functions)

    def _check_list(self, item: Overridable, inherited: dict[Signature, list[Overridable]]) -> None:
        model = self.context.model
        specified: dict[int, nodes.ContractDefinition] = {}
        override = item.override
        if override is not None:
            paths = sorted(
                (p for p in override.overrides if p.id in model.referenced_declaration),
                key=lambda p: model.referenced_declaration[p.id].id,
            )
            for path in paths:
                target = model.referenced_declaration[path.id]
                if not isinstance(target, nodes.ContractDefinition):
                    continue
                if target.id in specified:
                    self.context.type_error(
                        4520, path, f'"{path.name}" stands twice in the list of overrides.'
                    )
                specified[target.id] = target
        expected: dict[int, nodes.ContractDefinition] = {}
        for base in inherited.get(self.signature(item), ()):
            self._check_pair(item, base)
            home = self._contract(base)
            expected[home.id] = home
        if override is not None and not expected:
            self.context.type_error(7792, override, f"This {_kind(item)} overrides nothing.")
        missing = [c for i, c in sorted(expected.items()) if i not in specified] if len(expected) > 1 else []
        where = override if override is not None else item
        if missing:
            self.context.type_error(
                4327, where, f"The list of overrides lacks {_names(missing)}.", _places(missing)
            )
        surplus = [c for i, c in sorted(specified.items()) if i not in expected]
        if surplus:
            self.context.type_error(
                2353,
                where,
                f"The list of overrides names {_names(surplus)}, where nothing is overridden.",
                _places(surplus),
            )

    def _check_pair(self, item: Overridable, base: Overridable) -> None:
        model = self.context.model
        if not isinstance(base, nodes.VariableDeclaration):
            known = model.base_functions.get(item.id, ())
            if base not in known:
                model.base_functions[item.id] = tuple(sorted((*known, base), key=lambda d: d.id))

        def error(code: int, message: str, at: Overridable = item, other: Overridable = base) -> None:
            self.context.type_error(code, at, message, [(f"The other {_kind(other)}:", other.src)])

        if isinstance(item, nodes.ModifierDefinition) and (
            model.declaration_types[item.id] != model.declaration_types[base.id]
        ):
            self.context.type_error(
                1078, item, "An overriding modifier has the parameters of the overridden one."
            )
        in_interface = self._contract(base).contract_kind == "interface"
        if item.override is None and not (isinstance(base, nodes.FunctionDefinition) and in_interface):
            error(9456, f'This {_kind(item)} overrides another, so it needs "override".')
        if isinstance(base, nodes.VariableDeclaration):
            error(1452, "Public state variables cannot be overridden.", base, item)
        elif not self._is_virtual(base):
            error(4334, f'This {_kind(base)} is overridden, so it has to be "virtual".', base, item)
        if isinstance(item, nodes.VariableDeclaration):
            if self._visibility(base) != "external":
                error(5225, "A public state variable overrides only external functions.")
        elif self._visibility(item) != self._visibility(base) and not (
            self._visibility(base) == "external" and self._visibility(item) == "public"
        ):
            error(9098, f"The visibility differs from that of the overridden {_kind(base)}.")
        if is_unimplemented(item) and not is_unimplemented(base):
            error(4593, "What has a body cannot be overridden by what has none.")
        if isinstance(base, nodes.FunctionDefinition) and not isinstance(item, nodes.ModifierDefinition):
            self._check_function_types(item, base, error)

    def _check_function_types(
        self,
        item: nodes.FunctionDefinition | nodes.VariableDeclaration,
        base: nodes.FunctionDefinition,
        error: Callable[[int, str], None],
    ) -> None:
        model = self.context.model
        is_fallback = isinstance(item, nodes.FunctionDefinition) and item.kind == "fallback"
        returns_differ = False
        if not is_fallback and self.external_type(item).return_types != self.external_type(base).return_types:
            returns_differ = True
            error(4822, "The returned types differ from those of the overridden function.")
        if (
            isinstance(item, nodes.FunctionDefinition)
            and not returns_differ
            and not is_fallback
            and self._visibility(base) != "external"
        ):
            own, other = t.function_type(item, model), t.function_type(base, model)
            where = "have the data locations of the overridden function unless that is external."
            if own.parameter_types != other.parameter_types:
                error(7723, "Parameters " + where)
            if own.return_types != other.return_types:
                error(1443, "Returned values " + where)
        own_mutability, base_mutability = self._mutability(item), self._mutability(base)
        if own_mutability != base_mutability and (
            _MUTABILITY_ORDER[own_mutability] > _MUTABILITY_ORDER[base_mutability]
            or base_mutability == "payable"
        ):
            error(6959, f'The mutability cannot change from "{base_mutability}" to "{own_mutability}".')

    # --- ambiguity --------------------------------------------------------------------------------

    def _check_ambiguous(self, contract: nodes.ContractDefinition) -> None:
        own = {self.signature(f) for f in functions_of(contract)}
        own |= {self.signature(v) for v in state_variables_of(contract) if t.is_public(v)}
        own |= {self.signature(m) for m in modifiers_of(contract)}
        for inherited in (self.inherited_functions(contract), self.inherited_modifiers(contract)):
            for key in sorted(inherited, key=lambda k: (k[0], k[1], [p.rich_identifier() for p in k[2]])):
                if key not in own:
                    self._check_signature({item.id: item for item in inherited[key]}, contract)

    def _base_functions(self, item: Overridable) -> Iterable[Overridable]:
        for base in self.context.model.base_functions.get(item.id, ()):
            assert isinstance(base, Overridable)
            yield base

    def _check_signature(self, items: dict[int, Overridable], contract: nodes.ContractDefinition) -> None:
        if len(items) <= 1:
            return
        for vertex in self._cut_vertices(items):
            waiting = list(self._base_functions(vertex))
            while waiting:
                base = waiting.pop()
                items.pop(base.id, None)
                waiting.extend(self._base_functions(base))
            if is_unimplemented(vertex):
                items.pop(vertex.id, None)
        if len(items) <= 1:
            return
        listed = [items[key] for key in sorted(items)]
        what = _kind(listed[0])
        if what == "public state variable":
            what = "function"
        message = f'Several bases define the {what} "{listed[0].name}": the contract has to override it.'
        if any(isinstance(item, nodes.VariableDeclaration) for item in listed):
            message += (
                " One of them is a public state variable, which cannot be overridden: change the inheritance."
            )
        notes = [(f'In "{self._contract(item).name}":', item.src) for item in listed]
        self.context.type_error(6480, contract, message, notes)

    def _cut_vertices(self, items: dict[int, Overridable]) -> list[Overridable]:
        """Members through which every way from the contract to the first definitions leads (articulation
        points of the graph of overriding, with the contract as root and a common top)."""
        root, top = -1, -2
        edges: dict[int, set[int]] = {root: set(), top: set()}
        known: dict[int, Overridable] = {}

        def connect(a: int, b: int) -> None:
            edges.setdefault(a, set()).add(b)
            edges.setdefault(b, set()).add(a)

        waiting: list[tuple[int, Overridable]] = [(root, item) for item in items.values()]
        while waiting:
            parent, item = waiting.pop()
            connect(parent, item.id)
            if item.id in known:
                continue
            known[item.id] = item
            bases = list(self._base_functions(item))
            if not bases:
                connect(item.id, top)
            waiting.extend((item.id, base) for base in bases)
        depth: dict[int, int] = {}
        low: dict[int, int] = {}
        cut: list[Overridable] = []

        def search(vertex: int, parent: int | None, level: int) -> None:
            depth[vertex] = low[vertex] = level
            for other in sorted(edges[vertex]):
                if other not in depth:
                    search(other, vertex, level + 1)
                    if parent is not None and low[other] >= depth[vertex] and vertex in known:
                        cut.append(known[vertex])
                    low[vertex] = min(low[vertex], low[other])
                elif other != parent:
                    low[vertex] = min(low[vertex], depth[other])

        search(root, None, 0)
        return cut


def _names(contracts: list[nodes.ContractDefinition]) -> str:
    quoted = sorted({f'"{contract.name}"' for contract in contracts})
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"


def _places(contracts: list[nodes.ContractDefinition]) -> list[Note]:
    return [("This contract:", contract.src) for contract in contracts]
