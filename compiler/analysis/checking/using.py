"""Checks using directives (docs/contracts/using-for.rst)."""

from __future__ import annotations

from smartvm.compiler.analysis import types as t
from smartvm.compiler.analysis.checking.base import CheckerBase
from smartvm.compiler.ast import nodes

_UNARY_ONLY = frozenset({"~", "!"})


class UsingChecks(CheckerBase):
    """Whether functions can be attached to types and define operators."""

    def visit_UsingForDirective(self, node: nodes.UsingForDirective) -> None:
        """A using directive."""
        if node.type_name is not None:
            self.visit(node.type_name)
        target = self.model.type_names.get(node.type_name.id) if node.type_name is not None else None
        if node.is_global:
            if self.contract is not None or target is None:
                return
            definition = target.type_definition()
            if definition is None:
                self.context.type_error(8841, node, 'Only user-defined types are used "global".')
            elif self.model.scope.get(definition.id) is not self.unit:
                self.context.type_error(
                    4117, node, 'Only types defined at file level of the same source unit are used "global".'
                )
        if not node.uses_braces or target is None:
            return
        for entry in node.functions:
            self._check_function(node, entry, target)

    def _check_function(
        self, node: nodes.UsingForDirective, entry: nodes.UsingForFunction, target: t.Type
    ) -> None:
        path = entry.path
        definition = self.model.referenced_declaration[path.id]
        assert isinstance(definition, nodes.FunctionDefinition)
        function = t.attached_function_type(definition, self.model)
        defined_here = [("The function:", definition.src)]
        if not definition.parameters.parameters:
            raise self.context.fatal_type_error(
                4731,
                path,
                f'"{path.name}" takes no parameter, so it cannot be attached to a type.',
                defined_here,
            )
        if (
            t.visibility_of(definition) == "private"
            and self.model.scope.get(definition.id) is not self.contract
        ):
            self.context.type_error(
                6772, path, f'"{path.name}" is private and is attached only within its library.', defined_here
            )
        self_type = function.with_bound_first_argument().self_type
        fits = t.is_implicitly_convertible_to(
            t.with_location_if_reference("storage", target),
            t.with_location_if_reference("storage", self_type),
        )
        if entry.operator is not None:
            self._check_operator(node, entry, entry.operator, target, function, definition)
        elif not fits:
            self.context.type_error(
                3100,
                path,
                f'"{path.name}" cannot be attached to {target.text(True)}: its first parameter has type '
                f"{self_type.human_readable_name()}.",
                defined_here,
            )

    def _check_operator(
        self,
        node: nodes.UsingForDirective,
        entry: nodes.UsingForFunction,
        operator: str,
        target: t.Type,
        function: t.FunctionType,
        definition: nodes.FunctionDefinition,
    ) -> None:
        path = entry.path
        used_here = [("Defines an operator here:", path.src)]
        if not node.is_global:
            self.context.type_error(3320, path, 'Operators are defined by "using ... global".')
        if function.state_mutability != "pure" or definition.kind != "freeFunction":
            self.context.type_error(
                7775,
                path,
                "Operators are defined by pure free functions.",
                [("The function:", definition.src)],
            )
        if not isinstance(target, t.UserDefinedValueType):
            self.context.type_error(5332, path, "Only user-defined value types have operators of their own.")
            return
        parameters = function.parameter_types
        count = len(parameters)
        same = count < 2 or parameters[0] == parameters[1]
        first_fits = parameters[0] == target
        name = target.canonical_name()
        wrong: str | None = None
        if operator in _UNARY_ONLY:
            if count != 1 or not first_fits:
                wrong = f"one parameter of type {name}"
        elif operator != "-" and operator not in t.COMPARISONS:
            if count != 2 or not same or not first_fits:
                wrong = f"two parameters of type {name}"
        elif count >= 3 or not first_fits or not same:
            wrong = f"one or two parameters of type {name}"
        if wrong is not None:
            self.context.type_error(
                1884, definition.parameters, f'"{path.name}" needs {wrong} to define {operator}.', used_here
            )
        returned = function.return_types
        gives_bool = operator in t.COMPARISONS or operator == "!"
        expected: t.Type = t.BOOL if gives_bool else target
        fits = len(returned) == 1 and returned[0] == expected and (gives_bool or returned[0] == parameters[0])
        if not fits:
            self.context.type_error(
                7743,
                definition.return_parameters,
                f'"{path.name}" needs to return one {expected.canonical_name()} to define {operator}.',
                used_here,
            )
        if count not in (1, 2):
            return
        matching = self.lookup.operator_definitions(target, operator, self.definition_scope, count == 1)
        if len(matching) >= 2:
            others = [("The other definition:", d.src) for d in matching if d is not definition]
            kind = "unary" if count == 1 else "binary"
            self.context.type_error(
                4705, path, f"The {kind} operator {operator} has several definitions for this type.", others
            )
