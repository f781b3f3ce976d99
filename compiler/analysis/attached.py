"""Members of types with those that ``using ... for`` attaches, and user-defined operators
(docs/contracts/using-for.rst)."""

from __future__ import annotations

from collections.abc import Iterator

from smartvm.compiler.analysis import types as t
from smartvm.compiler.analysis.model import SemanticModel
from smartvm.compiler.ast import nodes


class MemberLookup:
    """Answers what ``expression.name`` can mean; remembers the members of each type in each scope."""

    def __init__(self, model: SemanticModel) -> None:
        self.model = model
        self._members: dict[tuple[t.Type, int], dict[str, list[t.Member]]] = {}
        self._directives: dict[int, list[nodes.UsingForDirective]] = {}
        self._bound: dict[int, t.FunctionType] = {}

    def members(self, type_: t.Type, scope: nodes.Node) -> dict[str, list[t.Member]]:
        """All members of a type by name, as seen in a contract or source unit."""
        # Functions compare equal without what their members depend on, so they are not remembered.
        key = (type_, scope.id)
        remembered = None if isinstance(type_, t.FunctionType | t.MagicType) else self._members.get(key)
        if remembered is not None:
            return remembered
        result: dict[str, list[t.Member]] = {}
        for member in t.native_members(type_, scope, self.model):
            result.setdefault(member.name, []).append(member)
        for member in self._attached(type_, scope):
            result.setdefault(member.name, []).append(member)
        self._members[key] = result
        return result

    def _own_directives(
        self, node: nodes.ContractDefinition | nodes.SourceUnit
    ) -> list[nodes.UsingForDirective]:
        if node.id not in self._directives:
            self._directives[node.id] = [n for n in node.nodes if isinstance(n, nodes.UsingForDirective)]
        return self._directives[node.id]

    def directives_for(self, type_: t.Type, scope: nodes.Node) -> list[nodes.UsingForDirective]:
        """The using directives that apply to a type in a scope."""
        listed: list[nodes.UsingForDirective] = []
        unit: nodes.Node | None = scope
        if isinstance(scope, nodes.ContractDefinition):
            listed += self._own_directives(scope)
            unit = self.model.scope.get(scope.id)
        if isinstance(unit, nodes.SourceUnit):
            listed += self._own_directives(unit)
        definition = type_.type_definition()
        if definition is not None:
            home = self.model.scope.get(definition.id)
            if isinstance(home, nodes.SourceUnit):
                listed += [d for d in self._own_directives(home) if d.is_global and d.type_name is not None]
        if not listed:
            return listed
        location: t.Location = type_.location if isinstance(type_, t.ArrayType | t.StructType) else "storage"
        normal = t.with_location_if_reference(location, type_, True)
        result = []
        for directive in listed:
            if directive.type_name is not None:
                target = self.model.type_names.get(directive.type_name.id)
                if target is None or t.with_location_if_reference(location, target, True) != normal:
                    continue
            result.append(directive)
        return result

    def _attached(self, type_: t.Type, scope: nodes.Node) -> Iterator[t.Member]:
        seen: set[tuple[str, int]] = set()
        for directive in self.directives_for(type_, scope):
            for entry in directive.functions:
                if entry.operator is not None:
                    continue
                declaration = self.model.referenced_declaration.get(entry.path.id)
                functions: list[tuple[str, nodes.FunctionDefinition]] = []
                if isinstance(declaration, nodes.ContractDefinition):
                    functions = [
                        (f.name, f)
                        for f in declaration.nodes
                        if isinstance(f, nodes.FunctionDefinition)
                        and f.kind == "function"
                        and t.visibility_of(f) != "private"
                        and f.parameters.parameters
                    ]
                elif isinstance(declaration, nodes.FunctionDefinition) and declaration.parameters.parameters:
                    functions = [(entry.path.name_parts[-1], declaration)]
                for name, function in functions:
                    if (name, function.id) in seen:
                        continue
                    bound = self._bound_type(function)
                    if t.is_implicitly_convertible_to(type_, bound.self_type):
                        seen.add((name, function.id))
                        yield t.Member(name, bound, function)

    def _bound_type(self, function: nodes.FunctionDefinition) -> t.FunctionType:
        """A function's type with its first parameter bound; made once."""
        bound = self._bound.get(function.id)
        if bound is None:
            bound = t.attached_function_type(function, self.model).with_bound_first_argument()
            self._bound[function.id] = bound
        return bound

    def operator_definitions(
        self, type_: t.Type, operator: str, scope: nodes.Node, unary: bool
    ) -> list[nodes.FunctionDefinition]:
        """The functions that define an operator for a type in a scope, each once."""
        if type_.type_definition() is None:
            return []
        found: dict[int, nodes.FunctionDefinition] = {}
        for directive in self.directives_for(type_, scope):
            for entry in directive.functions:
                if entry.operator != operator:
                    continue
                definition = self.model.referenced_declaration.get(entry.path.id)
                if not isinstance(definition, nodes.FunctionDefinition):
                    continue
                function = t.attached_function_type(definition, self.model)
                count = len(definition.parameters.parameters)
                if count == (1 if unary else 2) and function.parameter_types[0] == type_:
                    found[definition.id] = definition
        return [found[key] for key in sorted(found)]
