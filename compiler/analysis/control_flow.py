"""Reports storage pointers that are used before they point anywhere, returned values that stay unset, and
code that is never reached."""

from __future__ import annotations

from smartvm.compiler.analysis import types as t
from smartvm.compiler.analysis.context import AnalysisContext
from smartvm.compiler.analysis.control_flow_graph import FlowBuilder, FlowNode, FunctionFlow, Occurrence
from smartvm.compiler.analysis.virtual_lookup import (
    resolve_function_call,
    resolve_virtual_modifier,
)
from smartvm.compiler.ast import nodes
from smartvm.compiler.diagnostics import Diagnostic
from smartvm.compiler.source import SourceRange
from smartvm.compiler.yul.dialect import Dialect
from smartvm.records import dataclass, field

#: A function as it runs in a most derived contract (None: a free function).
_Key = tuple[int, int]


@dataclass(slots=True, eq=False)
class _Instance:
    function: nodes.FunctionDefinition
    contract: nodes.ContractDefinition | None
    flow: FunctionFlow
    #: node that ends in a call -> the instance called
    calls: dict[FlowNode, _Key] = field(default_factory=dict)
    reverts: bool | None = None


class ControlFlowChecker:
    """Analyses all functions in all contracts; what only differs in the contract is computed once."""

    def __init__(self, context: AnalysisContext, dialect: Dialect) -> None:
        self.context = context
        self.model = context.model
        self._builder = FlowBuilder(context.model, dialect)
        self._flows: dict[tuple[int, ...], FunctionFlow] = {}
        self._instances: dict[_Key, _Instance] = {}
        self._results: dict[tuple[int, frozenset[int]], tuple[list[Occurrence], list[SourceRange]]] = {}
        self._warned: set[tuple[int, SourceRange]] = set()

    def check(self, order: list[nodes.SourceUnit]) -> None:
        """Check all functions of all units."""
        for unit in order:
            for node in unit.nodes:
                if isinstance(node, nodes.FunctionDefinition) and node.body is not None:
                    self._add(node, None)
                elif isinstance(node, nodes.ContractDefinition):
                    for base in self.model.linearized_base_contracts(node):
                        for function in base.nodes:
                            if isinstance(function, nodes.FunctionDefinition) and function.body is not None:
                                self._add(function, node)
        for instance in self._instances.values():
            self._find_calls(instance)
        self._find_reverting()
        unit_of = {unit.src.file: unit.absolute_path for unit in order}
        for key in sorted(self._instances):
            instance = self._instances[key]
            owner = instance.contract or instance.function
            self.context.sink.turn(unit_of[owner.src.file], "parsed", 0 if instance.contract is None else 1)
            self._report(instance)

    # --- graphs -----------------------------------------------------------------------------------

    def _add(self, function: nodes.FunctionDefinition, contract: nodes.ContractDefinition | None) -> None:
        modifiers: list[nodes.ModifierDefinition | None] = []
        for invocation in function.modifiers:
            modifier = self.model.referenced_declaration.get(invocation.modifier_name.id)
            if not isinstance(modifier, nodes.ModifierDefinition):
                modifiers.append(None)
                continue
            if (
                contract is not None
                and self.model.required_lookup.get(invocation.modifier_name.id) == "virtual"
            ):
                modifier = resolve_virtual_modifier(modifier, contract, self.model)
            modifiers.append(modifier)
        shape = (function.id, *(m.id if m is not None else -1 for m in modifiers))
        if shape not in self._flows:
            self._flows[shape] = self._builder.build(function, modifiers)
        key = (contract.id if contract is not None else -1, function.id)
        self._instances[key] = _Instance(function, contract, self._flows[shape])

    def _find_calls(self, instance: _Instance) -> None:
        for node in instance.flow.calls:
            call = node.call
            target: nodes.FunctionDefinition | None = None
            if isinstance(call, nodes.FunctionDefinition):
                target = call
            elif isinstance(call, nodes.FunctionCall):
                target = resolve_function_call(call, instance.contract, self.model)
            if target is None or target.body is None:
                continue
            home = self.model.contract_of.get(target.id)
            contract = home
            if (
                home is not None
                and instance.contract is not None
                and home in self.model.linearized_base_contracts(instance.contract)
            ):
                contract = instance.contract
            key = (contract.id if contract is not None else -1, target.id)
            if key in self._instances:
                instance.calls[node] = key

    def _find_reverting(self) -> None:
        waiting = dict.fromkeys(sorted(self._instances))
        wake: dict[_Key, list[_Key]] = {}
        while waiting:
            key = next(iter(waiting))
            del waiting[key]
            instance = self._instances[key]
            if instance.reverts is not None:
                continue
            found_exit, unknown = self._search(instance)
            if found_exit:
                instance.reverts = False
            elif not unknown:
                instance.reverts = True
            else:
                for other in unknown:
                    wake.setdefault(other, []).append(key)
            if instance.reverts is not None:
                for other in wake.pop(key, ()):
                    if self._instances[other].reverts is None:
                        waiting[other] = None

    def _search(self, instance: _Instance) -> tuple[bool, list[_Key]]:
        unknown: list[_Key] = []
        found_exit = False
        seen = {instance.flow.entry}
        stack = [instance.flow.entry]
        while stack:
            node = stack.pop()
            if node is instance.flow.exit:
                found_exit = True
            called = instance.calls.get(node)
            if called is not None:
                state = self._instances[called].reverts
                if state is None:
                    unknown.append(called)
                    continue
                if state:
                    continue
            for following in node.exits:
                if following not in seen:
                    seen.add(following)
                    stack.append(following)
        return found_exit, unknown

    # --- reports ----------------------------------------------------------------------------------

    def _report(self, instance: _Instance) -> None:
        # Calls of functions that always revert end there; so do those that never come back from recursion.
        cut = frozenset(
            id(node) for node, key in instance.calls.items() if self._instances[key].reverts is not False
        )
        flow = instance.flow
        known = self._results.get((id(flow), cut))
        if known is None:
            known = self._unassigned(flow, cut), self._unreachable(flow, cut)
            self._results[id(flow), cut] = known
        unassigned, unreachable = known
        for occurrence in unassigned:
            self._report_unassigned(occurrence, instance)
        for place in unreachable:
            self._warn(5740, place, "This code is never reached.")

    def _report_unassigned(self, occurrence: Occurrence, instance: _Instance) -> None:
        variable = occurrence.variable
        type_ = self.model.variable_types[variable.id]
        location: t.Location = "storage" if type_.data_stored_in("storage") else "calldata"
        if type_.data_stored_in(location):
            what = "returned" if occurrence.kind == "return" else "used"
            notes = [("It is declared here:", variable.src)] if occurrence.place is not None else []
            self.context.type_error(
                3464,
                occurrence.place or variable,
                f"This {location} pointer can be {what} before it points anywhere.",
                notes,
            )
            return
        body = instance.function.body
        if variable.name or body is None or not body.statements:
            return
        contract = instance.contract
        where = ""
        if contract is not None and contract is not self.model.contract_of.get(instance.function.id):
            where = f' when "{contract.name}" is the most derived contract'
        self._warn(
            6321,
            variable.src,
            f"The unnamed returned value can stay unset{where}. Return a value on every way that does not "
            f"revert, or "
            "give it a name.",
        )

    def _warn(self, code: int, place: SourceRange, message: str) -> None:
        """Warn of a place once, whatever the contract in which it was found."""
        if (code, place) in self._warned:
            self.context.sink.repeat(Diagnostic("warning", "Warning", code, message, place))
            return
        self._warned.add((code, place))
        self.context.warning(code, place, message)

    def _interesting(self, variable: nodes.VariableDeclaration) -> bool:
        if not variable.name:
            return True
        type_ = self.model.variable_types.get(variable.id)
        return type_ is not None and (type_.data_stored_in("storage") or type_.data_stored_in("calldata"))

    def _unassigned(self, flow: FunctionFlow, cut: frozenset[int]) -> list[Occurrence]:
        declared = {
            o.variable.id
            for node in flow.all_nodes
            for o in node.occurrences
            if o.kind == "declaration" and self._interesting(o.variable)
        }
        if not declared:
            return []
        at_entry: dict[FlowNode, tuple[set[int], set[int]]] = {flow.entry: (set(), set())}
        by_identity: dict[int, Occurrence] = {}
        waiting = [flow.entry]
        while waiting:
            node = waiting.pop()
            before, accesses = at_entry[node]
            unassigned = set(before)
            accesses = set(accesses)
            for occurrence in node.occurrences:
                key = occurrence.variable.id
                if key not in declared:
                    continue
                if occurrence.kind == "declaration":
                    unassigned.add(key)
                elif occurrence.kind == "assignment":
                    unassigned.discard(key)
                elif key in unassigned:
                    accesses.add(id(occurrence))
                    by_identity[id(occurrence)] = occurrence
            if node is flow.exit:
                at_entry[node] = (before, accesses)
            for following in [flow.revert] if id(node) in cut else node.exits:
                known = at_entry.get(following)
                if known is None:
                    at_entry[following] = (set(unassigned), set(accesses))
                    waiting.append(following)
                elif not (unassigned <= known[0] and accesses <= known[1]):
                    known[0].update(unassigned)
                    known[1].update(accesses)
                    waiting.append(following)
        if flow.exit not in at_entry:
            return []
        found = [by_identity[key] for key in at_entry[flow.exit][1]]
        return sorted(found, key=_occurrence_order)

    @staticmethod
    def _unreachable(flow: FunctionFlow, cut: frozenset[int]) -> list[SourceRange]:
        reachable = {flow.entry}
        stack = [flow.entry]
        while stack:
            node = stack.pop()
            for following in [flow.revert] if id(node) in cut else node.exits:
                if following not in reachable:
                    reachable.add(following)
                    stack.append(following)
        if len(reachable) == len(flow.all_nodes):
            return []
        entries: dict[FlowNode, list[FlowNode]] = {}
        for node in flow.all_nodes:
            # Cut calls lead nowhere else, but only reachable ones are cut.
            exits = [flow.revert] if id(node) in cut and node in reachable else node.exits
            for following in exits:
                entries.setdefault(following, []).append(node)
        ends = [flow.exit, flow.revert, flow.transaction_return]
        seen = set(ends)
        places: set[SourceRange] = set()
        while ends:
            node = ends.pop()
            if node not in reachable and node.location is not None:
                places.add(node.location)
            for before in entries.get(node, ()):
                if before not in seen:
                    seen.add(before)
                    ends.append(before)
        return _joined(sorted(places, key=lambda p: (p.file, p.start, p.end)))


def _joined(places: list[SourceRange]) -> list[SourceRange]:
    """Overlapping ranges made one."""
    result: list[SourceRange] = []
    for place in places:
        if result and place.file == result[-1].file and place.start <= result[-1].end:
            last = result[-1]
            result[-1] = SourceRange(last.start, max(last.end, place.end) - last.start, last.file)
        else:
            result.append(place)
    return result


def _occurrence_order(occurrence: Occurrence) -> tuple[bool, int, int, int, int]:
    place = occurrence.place
    if place is None:
        return True, 0, 0, 0, occurrence.variable.id
    return False, place.file, place.start, place.end, occurrence.variable.id
