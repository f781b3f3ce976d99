"""Finds the types of type names and variables, and checks data locations (docs/types/reference-types.rst)."""

from __future__ import annotations

import re

from smartvm.compiler.analysis import types as t
from smartvm.compiler.analysis.constant_evaluation import ConstantEvaluator
from smartvm.compiler.analysis.context import AnalysisContext
from smartvm.compiler.analysis.model import MagicVariable
from smartvm.compiler.analysis.scope_facts import ScopeFacts
from smartvm.compiler.analysis.tree import children
from smartvm.compiler.ast import nodes
from smartvm.compiler.diagnostics import FatalDiagnostic
from smartvm.errors import InternalError

_SIZED = re.compile(r"(u?int|bytes)(\d*)\Z")
_FIXED = re.compile(r"(u?)fixed(?:(\d+)x(\d+))?\Z")


def elementary_type(name: str, payable: bool = False) -> t.Type | None:
    """The type of an elementary type name (``bytes`` and ``string`` as pointers to storage); None for other
    names."""
    match name:
        case "address":
            return t.ADDRESS_PAYABLE if payable else t.ADDRESS
        case "bool":
            return t.BOOL
        case "bytes" | "string":
            return t.ArrayType(t.BYTES1, "storage", None, name)
        case "byte":
            return t.BYTES1
    match = _SIZED.match(name)
    if match is not None:
        size = int(match[2] or 256)
        if match[1] == "bytes":
            return t.FixedBytesType(size)
        return t.IntegerType(size, not match[1].startswith("u"))
    match = _FIXED.match(name)
    if match is not None:
        return t.FixedPointType(int(match[2] or 128), int(match[3] or 18), not match[1])
    return None


class TypeNameResolver:
    """Visits all declarations of a unit and sets the types of type names, variables and named
    declarations."""

    def __init__(self, context: AnalysisContext) -> None:
        self.context = context
        self.model = context.model
        self.facts = ScopeFacts(context.model)
        self.constants = ConstantEvaluator(context)
        self._inside_function_type = False
        self._open_structs: list[nodes.StructDefinition] = []
        self._known_structs: set[int] = set()
        self._recursion_seen = False

    def resolve_unit(self, unit: nodes.SourceUnit) -> bool:
        """Visit a unit; False when errors were reported."""
        errors = self.context.error_count
        for node in unit.nodes:
            self._visit(node)
        return self.context.error_count == errors

    # --- declarations -----------------------------------------------------------------------------

    def _visit(self, node: nodes.Node) -> None:
        model = self.model
        match node:
            case (
                nodes.Identifier()
                | nodes.Literal()
                | nodes.StructuredDocumentation()
                | nodes.InlineAssembly()
            ):
                return
            case nodes.ElementaryTypeName():
                self._elementary(node)
            case nodes.ImportDirective() | nodes.PragmaDirective():
                return
            case nodes.EnumDefinition():
                enum = t.EnumType(node, declared=model)
                model.declaration_types[node.id] = t.TypeType(enum)
                for value in node.members:
                    model.declaration_types[value.id] = enum
                if len(node.members) > 256:
                    self.context.declaration_error(1611, node, "An enum has at most 256 members.")
            case nodes.StructDefinition():
                self._struct(node)
            case nodes.UserDefinedValueTypeDefinition():
                self._user_defined_value_type(node)
            case nodes.UserDefinedTypeName():
                self._user_defined_type_name(node)
            case nodes.IdentifierPath():
                declaration = model.referenced_declaration.get(node.id)
                if (
                    isinstance(declaration, nodes.ContractDefinition)
                    and declaration.contract_kind == "library"
                ):
                    self.context.type_error(1130, node, f'The library "{node.name}" is not a type.')
            case nodes.FunctionTypeName():
                self._function_type_name(node)
            case nodes.Mapping():
                self._mapping(node)
            case nodes.ArrayTypeName():
                self._array(node)
            case nodes.VariableDeclaration():
                for child in children(node):
                    self._visit(child)
                self._variable(node)
            case nodes.UsingForDirective():
                self._using(node)
            case nodes.InheritanceSpecifier():
                base = model.referenced_declaration.get(node.base_name.id)
                if isinstance(base, nodes.ContractDefinition) and base.contract_kind == "library":
                    self.context.type_error(2571, node.base_name, "Libraries cannot be base contracts.")
                else:
                    for child in children(node):
                        self._visit(child)
            case nodes.ContractDefinition():
                model.declaration_types[node.id] = t.TypeType(t.ContractType(node, declared=model))
                for child in children(node):
                    self._visit(child)
            case _:
                for child in children(node):
                    self._visit(child)
                self._callable(node)

    def _callable(self, node: nodes.Node) -> None:
        model = self.model
        match node:
            case nodes.FunctionDefinition():
                model.declaration_types[node.id] = t.function_type(node, model)
            case nodes.EventDefinition():
                model.declaration_types[node.id] = t.event_type(node, model)
            case nodes.ErrorDefinition():
                model.declaration_types[node.id] = t.error_type(node, model)
            case nodes.ModifierDefinition():
                parameters = tuple(model.variable_types[p.id] for p in node.parameters.parameters)
                model.declaration_types[node.id] = t.ModifierType(parameters)

    def _using(self, node: nodes.UsingForDirective) -> None:
        model = self.model
        for function in node.functions:
            path = function.path
            declaration = model.referenced_declaration.get(path.id)
            if not node.uses_braces:
                if (
                    not isinstance(declaration, nodes.ContractDefinition)
                    or declaration.contract_kind != "library"
                ):
                    raise self.context.fatal_type_error(
                        4357, path, "A library is expected here; functions to attach stand in braces."
                    )
            elif isinstance(declaration, nodes.FunctionDefinition):
                if declaration.kind != "freeFunction" and not t.is_library_function(declaration, model):
                    self.context.type_error(
                        4167, path, 'Only free functions and library functions can be attached with "using".'
                    )
            else:
                raise self.context.fatal_type_error(8187, path, f'"{path.name}" is not a function.')
        if node.type_name is not None:
            self._visit(node.type_name)

    def _user_defined_value_type(self, node: nodes.UserDefinedValueTypeDefinition) -> None:
        self._visit(node.underlying_type)
        if not isinstance(node.underlying_type, nodes.ElementaryTypeName):
            raise self.context.fatal_type_error(
                8657,
                node.underlying_type,
                "A user-defined value type is defined by an elementary value type.",
            )
        underlying = self.model.type_names[node.underlying_type.id]
        self.model.declaration_types[node.id] = t.TypeType(t.UserDefinedValueType(node, declared=self.model))
        if not underlying.is_value_type:
            self.context.type_error(
                8129, node, f'The type under the user-defined value type "{node.name}" is no value type.'
            )

    # --- structs ----------------------------------------------------------------------------------

    def _struct(self, node: nodes.StructDefinition) -> None:
        model = self.model
        model.declaration_types.setdefault(node.id, t.TypeType(t.StructType(node, "storage", declared=model)))
        if node.id in self._known_structs:
            if self._open_structs and node.id in model.recursive_structs:
                self._recursion_seen = True
            return
        if any(open_ is node for open_ in self._open_structs):
            model.recursive_structs.add(node.id)
            self._known_structs.add(node.id)
            self._recursion_seen = True
            return
        before = self._recursion_seen
        recursive_member = False
        self._open_structs.append(node)
        for member in node.members:
            self._recursion_seen = False
            self._visit(member)
            recursive_member = recursive_member or self._recursion_seen
        if node.id not in self._known_structs:
            self._known_structs.add(node.id)
            if recursive_member:
                model.recursive_structs.add(node.id)
        self._recursion_seen = before or node.id in model.recursive_structs
        self._open_structs.pop()
        if not self._open_structs:
            self._recursion_seen = False
        self._check_direct_recursion(node, [])

    def _check_direct_recursion(
        self, node: nodes.StructDefinition, path: list[nodes.StructDefinition]
    ) -> None:
        if len(path) >= 256:
            raise self.context.fatal_declaration_error(
                5651, node, "The definitions of these structs nest too deeply."
            )
        path.append(node)
        for member in node.members:
            type_ = self.model.variable_types.get(member.id)
            if isinstance(type_, t.ArrayType):
                type_ = type_.final_base_type(True)
            if isinstance(type_, t.StructType):
                if any(open_ is type_.definition for open_ in path):
                    raise self.context.fatal_type_error(2046, path[0], "The struct contains itself.")
                self._check_direct_recursion(type_.definition, path)
        path.pop()

    # --- type names -------------------------------------------------------------------------------

    def _elementary(self, node: nodes.ElementaryTypeName) -> None:
        type_ = elementary_type(node.name, node.state_mutability == "payable")
        if type_ is None:
            raise InternalError(f'the grammar takes "{node.name}" for an elementary type')
        self.model.type_names[node.id] = type_
        if node.state_mutability in ("view", "pure"):
            self.context.type_error(2311, node, "Addresses are payable or non-payable.")

    def _user_defined_type_name(self, node: nodes.UserDefinedTypeName) -> None:
        if node.id in self.model.type_names:
            return
        self._visit(node.path_node)
        model = self.model
        declaration = model.referenced_declaration[node.path_node.id]
        match declaration:
            case nodes.StructDefinition():
                if not self._inside_function_type and self._open_structs:
                    self._struct(declaration)
                type_: t.Type = t.StructType(declaration, "storage", declared=model)
            case nodes.EnumDefinition():
                type_ = t.EnumType(declaration, declared=model)
            case nodes.ContractDefinition():
                type_ = t.ContractType(declaration, declared=model)
            case nodes.UserDefinedValueTypeDefinition():
                if isinstance(declaration.underlying_type, nodes.ElementaryTypeName):
                    self._visit(declaration.underlying_type)
                type_ = t.UserDefinedValueType(declaration, declared=model)
            case _:
                raise self.context.fatal_type_error(
                    5172, node, f'"{node.path_node.name}" does not name a type.'
                )
        model.type_names[node.id] = type_

    def _function_type_name(self, node: nodes.FunctionTypeName) -> None:
        if node.id in self.model.type_names:
            return
        before, self._inside_function_type = self._inside_function_type, True
        self._visit(node.parameter_types)
        self._visit(node.return_parameter_types)
        self._inside_function_type = before
        visibility = "internal" if node.visibility == "default" else node.visibility
        if visibility not in ("internal", "external"):
            raise self.context.fatal_type_error(6012, node, 'Function types are "internal" or "external".')
        if node.state_mutability == "payable" and visibility != "external":
            raise self.context.fatal_type_error(7415, node, "Only external function types can be payable.")
        types = self.model.variable_types
        self.model.type_names[node.id] = t.FunctionType(
            tuple(types[p.id] for p in node.parameter_types.parameters),
            tuple(types[p.id] for p in node.return_parameter_types.parameters),
            "external" if visibility == "external" else "internal",
            node.state_mutability,
        )

    def _mapping(self, node: nodes.Mapping) -> None:
        if node.id in self.model.type_names:
            return
        self._visit(node.key_type)
        self._visit(node.value_type)
        key, value = self.model.type_names[node.key_type.id], self.model.type_names[node.value_type.id]
        if not isinstance(node.key_type, nodes.ElementaryTypeName) and not isinstance(
            key, t.EnumType | t.ContractType | t.UserDefinedValueType
        ):
            raise self.context.fatal_type_error(
                7804,
                node.key_type,
                "Mapping keys are of elementary, contract or enum types or of user-defined value types.",
            )
        key = t.with_location_if_reference("memory", key)
        value = t.with_location_if_reference("storage", value)
        self.model.type_names[node.id] = t.MappingType(key, value, node.key_name, node.value_name)
        if node.key_name:
            self._check_mapping_names(node, value)

    def _check_mapping_names(self, node: nodes.Mapping, value: t.Type) -> None:
        inner: t.Type = value
        value_name = node.value_name
        while True:
            is_mapping = isinstance(inner, t.MappingType)
            other = inner.key_name if isinstance(inner, t.MappingType) else value_name
            if other == node.key_name:
                self.context.declaration_error(
                    1809, node, f'The parameter name "{node.key_name}" stands twice in the mapping.'
                )
            if not is_mapping:
                return
            assert isinstance(inner, t.MappingType)
            value_name = inner.value_name
            inner = inner.value_type

    def _array(self, node: nodes.ArrayTypeName) -> None:
        if node.id in self.model.type_names:
            return
        self._visit(node.base_type)
        base = self.model.type_names.get(node.base_type.id)
        if base is None:
            return
        length: int | None = None
        if node.length is not None:
            length = self._array_length(node.length)
        self.model.type_names[node.id] = t.ArrayType(base, "storage", length)

    def _array_length(self, expression: nodes.Expression) -> int:
        known = self.model.expression_types.get(expression.id)
        if isinstance(known, t.RationalNumberType):
            value = known.value
        else:
            result = self.constants.evaluate(expression)
            if result is None or isinstance(result.type, t.StringLiteralType):
                self.context.type_error(
                    5462, expression, "The length of an array is an integer literal or a constant expression."
                )
                return 0
            value = result.value
        if value == 0:
            self.context.type_error(1406, expression, "The length of the array is zero.")
        elif value.denominator != 1:
            self.context.type_error(3208, expression, "The length of the array is fractional.")
        elif value < 0:
            self.context.type_error(3658, expression, "The length of the array is negative.")
        elif value >= 1 << 256:
            self.context.type_error(1847, expression, "The length of an array is at most 2**256 - 1.")
        else:
            self.model.constant_values[expression.id] = value.numerator
            return value.numerator
        return 0

    # --- variables --------------------------------------------------------------------------------

    def _variable(self, node: nodes.VariableDeclaration) -> None:
        model, facts = self.model, self.facts
        if node.id in model.variable_types or node.type_name is None:
            return
        file_level = isinstance(model.scope.get(node.id), nodes.SourceUnit)
        state_variable = facts.is_state_variable(node)
        if file_level and node.mutability != "constant":
            self.context.declaration_error(8342, node, "At file level variables are constant.")
        if node.mutability == "constant" and not (state_variable or file_level):
            self.context.declaration_error(
                1788, node, "Only state variables and variables at file level can be constant."
            )
        if node.mutability == "immutable" and not state_variable:
            self.context.declaration_error(8297, node, "Only state variables can be immutable.")
        if node.storage_location == "transient" and not self.context.settings.at_least("cancun"):
            self.context.declaration_error(
                7985, node, "EVM versions before cancun have no transient storage."
            )
        written = model.type_names.get(node.type_name.id)
        if written is None:
            return
        given = node.storage_location
        allowed = facts.allowed_data_locations(node, written)
        if given not in allowed:
            self._wrong_location(node, written, allowed)
            given = allowed[0]
        type_ = written
        if isinstance(written, t.ArrayType | t.StructType):
            location = self._location(node, given, state_variable, file_level)
            if location == "transient":
                raise self.unimplemented(node, "Only variables of value types can be transient.")
            type_ = t.with_location(written, location, not state_variable)
        elif state_variable and given == "transient":
            self._check_transient(node)
            if not written.is_value_type:
                raise self.unimplemented(node, "Only variables of value types can be transient.")
        if (
            node.mutability == "constant"
            and not type_.is_value_type
            and not (isinstance(type_, t.ArrayType) and type_.is_byte_array_or_string)
        ):
            raise self.context.fatal_type_error(9259, node, "Constants are of value types, bytes or string.")
        model.variable_types[node.id] = type_

    def unimplemented(self, node: nodes.Node, message: str) -> FatalDiagnostic:
        """Report what the language has but no compiler of it implements (solc 1834)."""
        return self.context.sink.fatal("UnimplementedFeatureError", 1834, node.src, message)

    def _check_transient(self, node: nodes.VariableDeclaration) -> None:
        if node.mutability != "mutable":
            self.context.declaration_error(2197, node, "Constants and immutables cannot be transient.")
        if node.value is not None:
            self.context.declaration_error(9825, node, "Transient state variables have no initial value.")

    def _location(
        self,
        node: nodes.VariableDeclaration,
        given: nodes.DataLocation,
        state_variable: bool,
        file_level: bool,
    ) -> t.Location:
        if file_level or self.facts.is_event_or_error_parameter(node):
            return "memory"
        if state_variable:
            if given == "transient":
                self._check_transient(node)
                return "transient"
            return "storage" if node.mutability == "mutable" else "memory"
        if isinstance(self.model.scope.get(node.id), nodes.StructDefinition | nodes.EnumDefinition):
            return "storage"
        return "memory" if given == "default" else given

    def _wrong_location(
        self, node: nodes.VariableDeclaration, written: t.Type, allowed: list[nodes.DataLocation]
    ) -> None:
        given = "none" if node.storage_location == "default" else f'"{node.storage_location}"'
        if not isinstance(written, t.ArrayType | t.StructType | t.MappingType):
            message = "Only arrays, structs and mappings have a data location"
        else:
            names = ["none" if location == "default" else f'"{location}"' for location in allowed]
            choices = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
            message = f"The data location is {choices} for {self.facts.describe(node)}"
        self.context.type_error(6651, node, f"{message}; {given} is given.")


def type_of_symbol(symbol: object, declared: t.DeclaredTypes) -> t.Type:
    """The type of an expression that is the plain name of a declaration or builtin."""
    if isinstance(symbol, MagicVariable):
        return symbol.type
    assert isinstance(symbol, nodes.Node)
    return declared.type_of_declaration(symbol)
