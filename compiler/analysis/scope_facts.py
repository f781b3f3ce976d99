"""What follows for a variable from where it is declared."""

from __future__ import annotations

from smartvm.compiler.analysis import types as t
from smartvm.compiler.analysis.model import SemanticModel
from smartvm.compiler.ast import nodes

_CALLABLES = (
    nodes.FunctionDefinition, nodes.ModifierDefinition, nodes.EventDefinition, nodes.ErrorDefinition,
)  # fmt: skip


class ScopeFacts:
    """Questions about variable declarations, named as in solc's ``VariableDeclaration``."""

    def __init__(self, model: SemanticModel) -> None:
        self.model = model

    def scope(self, variable: nodes.VariableDeclaration) -> nodes.Node | None:
        """What encloses the variable."""
        return self.model.scope.get(variable.id)

    def is_state_variable(self, variable: nodes.VariableDeclaration) -> bool:
        """Declared in a contract."""
        return isinstance(self.scope(variable), nodes.ContractDefinition)

    def is_file_level(self, variable: nodes.VariableDeclaration) -> bool:
        """Declared outside contracts."""
        return isinstance(self.scope(variable), nodes.SourceUnit)

    def is_event_or_error_parameter(self, variable: nodes.VariableDeclaration) -> bool:
        """A parameter of an event or error."""
        return isinstance(self.scope(variable), nodes.EventDefinition | nodes.ErrorDefinition)

    def is_local(self, variable: nodes.VariableDeclaration) -> bool:
        """A parameter or a variable within a function or function type."""
        return isinstance(
            self.scope(variable),
            (*_CALLABLES, nodes.FunctionTypeName, nodes.Block, nodes.TryCatchClause, nodes.ForStatement),
        )

    def is_return_parameter(self, variable: nodes.VariableDeclaration) -> bool:
        """A returned variable of a function or function type."""
        scope = self.scope(variable)
        if isinstance(scope, nodes.FunctionTypeName):
            return variable in scope.return_parameter_types.parameters
        return isinstance(scope, nodes.FunctionDefinition) and variable in scope.return_parameters.parameters

    def is_callable_or_catch_parameter(self, variable: nodes.VariableDeclaration) -> bool:
        """A parameter or returned variable of anything callable, or of a catch clause."""
        scope = self.scope(variable)
        if isinstance(scope, nodes.TryCatchClause) or self.is_return_parameter(variable):
            return True
        if isinstance(scope, nodes.FunctionTypeName):
            return variable in scope.parameter_types.parameters
        return isinstance(scope, _CALLABLES) and variable in scope.parameters.parameters

    def is_local_or_return(self, variable: nodes.VariableDeclaration) -> bool:
        """A local variable or a returned variable, not another parameter."""
        return self.is_return_parameter(variable) or (
            self.is_local(variable) and not self.is_callable_or_catch_parameter(variable)
        )

    def is_external_callable_parameter(self, variable: nodes.VariableDeclaration) -> bool:
        """A parameter of an external function."""
        scope = self.scope(variable)
        return (
            isinstance(scope, nodes.FunctionDefinition)
            and t.visibility_of(scope) == "external"
            and self.is_callable_or_catch_parameter(variable)
            and not self.is_return_parameter(variable)
        )

    def is_public_callable_parameter(self, variable: nodes.VariableDeclaration) -> bool:
        """A parameter of a public function (or of what counts as one: constructors, events, errors)."""
        scope = self.scope(variable)
        return (
            isinstance(scope, _CALLABLES)
            and t.visibility_of(scope) == "public"
            and self.is_callable_or_catch_parameter(variable)
            and not self.is_return_parameter(variable)
        )

    def is_internal_callable_parameter(self, variable: nodes.VariableDeclaration) -> bool:
        """A parameter of an internal or private function, a modifier or an internal function type."""
        if not self.is_callable_or_catch_parameter(variable):
            return False
        scope = self.scope(variable)
        if isinstance(scope, nodes.FunctionTypeName):
            return scope.visibility in ("internal", "default")
        return isinstance(scope, _CALLABLES) and t.visibility_of(scope) in ("internal", "private")

    def is_constructor_parameter(self, variable: nodes.VariableDeclaration) -> bool:
        """A parameter of a constructor."""
        scope = self.scope(variable)
        return (
            isinstance(scope, nodes.FunctionDefinition)
            and scope.kind == "constructor"
            and self.is_callable_or_catch_parameter(variable)
        )

    def is_library_function_parameter(self, variable: nodes.VariableDeclaration) -> bool:
        """A parameter of a library's function."""
        scope = self.scope(variable)
        return (
            isinstance(scope, nodes.FunctionDefinition)
            and t.is_library_function(scope, self.model)
            and self.is_callable_or_catch_parameter(variable)
        )

    def allowed_data_locations(
        self, variable: nodes.VariableDeclaration, written: t.Type
    ) -> list[nodes.DataLocation]:
        """The data locations that may be written for the variable; "default" is none written."""
        if self.is_state_variable(variable):
            return ["default", "transient"]
        is_reference = isinstance(written, t.ArrayType | t.StructType | t.MappingType)
        if not is_reference or self.is_event_or_error_parameter(variable):
            return ["default"]
        if self.is_callable_or_catch_parameter(variable):
            locations: list[nodes.DataLocation] = []
            in_constructor = self.is_constructor_parameter(variable)
            if (
                in_constructor
                or self.is_internal_callable_parameter(variable)
                or self.is_library_function_parameter(variable)
            ):
                locations.append("storage")
            locations.append("memory")
            if not in_constructor and not isinstance(self.scope(variable), nodes.TryCatchClause):
                locations.append("calldata")
            return locations
        return ["storage", "memory", "calldata"] if self.is_local(variable) else ["default"]

    def describe(self, variable: nodes.VariableDeclaration) -> str:
        """The variable's role, for messages."""
        if self.is_constructor_parameter(variable):
            return "constructor parameters"
        if self.is_callable_or_catch_parameter(variable):
            role = "return parameters" if self.is_return_parameter(variable) else "parameters"
            external = "external " if self.is_external_callable_parameter(variable) else ""
            return f"{role} of {external}functions"
        return "this variable"
