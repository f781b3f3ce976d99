"""Checks contracts, functions, modifiers, variables, events and errors."""

from __future__ import annotations

from smartvm.compiler.analysis import types as t
from smartvm.compiler.analysis.checking.statements import StatementChecks
from smartvm.compiler.ast import nodes


class DefinitionChecks(StatementChecks):
    """Everything that declares something."""

    # --- contracts --------------------------------------------------------------------------------

    def visit_ImportDirective(self, node: nodes.ImportDirective) -> None:
        """Imports are done already."""

    def visit_PragmaDirective(self, node: nodes.PragmaDirective) -> None:
        """Pragmas have no types."""

    def visit_StructuredDocumentation(self, node: nodes.StructuredDocumentation) -> None:
        """Documentation has no types."""

    def visit_OverrideSpecifier(self, node: nodes.OverrideSpecifier) -> None:
        """Checked with overrides."""
        for path in node.overrides:
            self.visit(path)

    def visit_ContractDefinition(self, node: nodes.ContractDefinition) -> None:
        """A contract and everything in it."""
        self.contract = node
        for base in node.base_contracts:
            self.visit(base)
        if node.storage_layout is not None:
            self.visit(node.storage_layout)
        for part in node.nodes:
            self.visit(part)
        self.contract = None

    def visit_InheritanceSpecifier(self, node: nodes.InheritanceSpecifier) -> None:
        """A base contract with the arguments of its constructor."""
        self.visit(node.base_name)
        for argument in node.arguments or ():
            self.visit(argument)
        base = self.model.referenced_declaration[node.base_name.id]
        assert isinstance(base, nodes.ContractDefinition)
        assert self.contract is not None
        is_interface = base.contract_kind == "interface"
        if self.contract.contract_kind == "interface" and not is_interface:
            self.context.type_error(6536, node, "The bases of an interface are interfaces.")
        if node.arguments is None:
            return
        expected = () if is_interface else t.creation_type(base, self.model).parameter_types
        if len(expected) != len(node.arguments):
            message = f"The constructor takes {len(expected)} arguments, {len(node.arguments)} are given."
            if not node.arguments:
                message += " Without parentheses the arguments can be given elsewhere."
            self.context.type_error(7927, node, message)
        for argument, parameter in zip(node.arguments, expected, strict=False):
            found = self.type_of(argument)
            if not t.is_implicitly_convertible_to(found, parameter):
                self.context.type_error(
                    9827,
                    argument,
                    f"The constructor's argument has type {found.human_readable_name()}, which cannot be "
                    f"converted "
                    f"implicitly to {parameter.human_readable_name()}{self.why_not(found, parameter)}",
                )

    # --- functions --------------------------------------------------------------------------------

    def visit_FunctionDefinition(self, node: nodes.FunctionDefinition) -> None:
        """A function with its parameters, modifiers and body."""
        self._check_header(node)
        for parameter in (*node.parameters.parameters, *node.return_parameters.parameters):
            self._check_parameter(node, parameter)
            self.visit(parameter)
        self._check_modifiers(node)
        self._check_place(node)
        if node.body is not None:
            self.visit(node.body)
        elif node.kind == "constructor":
            self.context.type_error(5700, node, "A constructor has a body.")
        elif self._in_library(node):
            self.context.type_error(9231, node, "Functions of libraries have a body.")
        elif not self._is_virtual(node) and node.kind != "freeFunction":
            self.context.type_error(5424, node, 'A function without body is "virtual".')
        if node.kind == "fallback":
            self._check_fallback(node)
        elif node.kind == "constructor":
            self._check_constructor(node)

    def _in_library(self, node: nodes.Declaration) -> bool:
        return t.is_library_function(node, self.model)

    def _is_virtual(self, node: nodes.FunctionDefinition) -> bool:
        return node.virtual or (self.contract is not None and self.contract.contract_kind == "interface")

    def _check_header(self, node: nodes.FunctionDefinition) -> None:
        free = node.kind == "freeFunction"
        if node.virtual:
            if free:
                self.context.syntax_error(4493, node, "Free functions are not virtual.")
            elif node.kind == "constructor":
                self.context.type_error(7001, node, "Constructors are not virtual.")
            elif self.contract is not None and self.contract.contract_kind == "interface":
                self.context.warning(5815, node, 'Functions of interfaces are "virtual" without saying so.')
            elif t.visibility_of(node) == "private":
                self.context.type_error(3942, node, 'Private functions are not "virtual".')
            elif self._in_library(node):
                self.context.type_error(7801, node, 'Functions of libraries are not "virtual".')
        if free and node.override is not None:
            self.context.syntax_error(1750, node, "Free functions override nothing.")
        if free and node.modifiers:
            self.context.syntax_error(5811, node, "Free functions have no modifiers.")
        if node.state_mutability == "payable":
            if self._in_library(node):
                self.context.type_error(7708, node, "Functions of libraries are not payable.")
            elif free:
                self.context.type_error(9559, node, "Free functions are not payable.")
            elif node.kind == "function" and not t.is_public(node):
                self.context.type_error(5587, node, "Internal and private functions are not payable.")

    def _check_parameter(self, node: nodes.FunctionDefinition, variable: nodes.VariableDeclaration) -> None:
        type_ = self.type_of_variable(variable)
        constructor = node.kind == "constructor"
        abstract = self.contract is not None and self.contract.abstract
        in_library = self._in_library(node)
        visible = not abstract if constructor else t.is_public(node)
        hint = " An abstract contract may have it." if constructor else ""
        if constructor and variable.storage_location == "storage" and not abstract:
            raise self.context.fatal_type_error(
                3644, variable, "The parameter has a type that exists only within contracts." + hint
            )
        if not visible:
            return
        if type_.interface_type(in_library) is None:
            raise self.context.fatal_type_error(
                4103,
                variable,
                f"{type_.human_readable_name()} cannot stand in the interface of a contract: it is internal, "
                f"recursive or holds a mapping.{hint}",
            )
        if not self.uses_abi_coder_v2 and not self.supported_by_old_abi_encoder(type_, in_library):
            self.context.type_error(4957, variable, f'This type needs "pragma abicoder v2;".{hint}')

    def _check_modifiers(self, node: nodes.FunctionDefinition) -> None:
        bases: tuple[nodes.ContractDefinition, ...] = ()
        if node.kind == "constructor" and self.contract is not None:
            bases = self.model.linearized_base_contracts(self.contract)[1:]
        seen: set[int] = set()
        for invocation in node.modifiers:
            self._check_modifier_invocation(invocation, bases)
            declaration = self.model.referenced_declaration[invocation.modifier_name.id]
            if declaration.id in seen and isinstance(declaration, nodes.ContractDefinition):
                self.context.declaration_error(1697, invocation, "The base's constructor is called already.")
            seen.add(declaration.id)

    def _check_modifier_invocation(
        self, node: nodes.ModifierInvocation, bases: tuple[nodes.ContractDefinition, ...]
    ) -> None:
        arguments = node.arguments or ()
        for argument in arguments:
            self.visit(argument)
        self.visit(node.modifier_name)
        declaration = self.model.referenced_declaration[node.modifier_name.id]
        parameters: tuple[nodes.VariableDeclaration, ...] | None = None
        if isinstance(declaration, nodes.ModifierDefinition):
            parameters = declaration.parameters.parameters
            home = self.model.scope.get(declaration.id)
            if self.contract is not None and home not in self.model.linearized_base_contracts(self.contract):
                self.context.type_error(
                    9428, node, "Only modifiers of the contract itself and of its bases can be used."
                )
            if self.model.required_lookup[node.modifier_name.id] == "static" and declaration.body is None:
                self.context.type_error(
                    1835,
                    node,
                    "The modifier has no body in this contract. Its plain name means the overriding one.",
                )
        elif isinstance(declaration, nodes.ContractDefinition) and declaration in bases:
            constructor = t.constructor_of(declaration)
            parameters = constructor.parameters.parameters if constructor is not None else ()
        if parameters is None:
            self.context.type_error(4659, node, "This is neither a modifier nor a base contract.")
            return
        self.model.sorted_arguments[node.id] = arguments
        if len(parameters) != len(arguments):
            self.context.type_error(
                2973, node, f"The modifier takes {len(parameters)} arguments, {len(arguments)} are given."
            )
            return
        for argument, parameter in zip(arguments, parameters, strict=True):
            found, expected = self.type_of(argument), self.type_of_variable(parameter)
            if not t.is_implicitly_convertible_to(found, expected):
                self.context.type_error(
                    4649,
                    argument,
                    f"The modifier's argument has type {found.human_readable_name()}, which cannot be "
                    f"converted "
                    f"implicitly to {expected.human_readable_name()}{self.why_not(found, expected)}",
                )

    def _check_place(self, node: nodes.FunctionDefinition) -> None:
        if self.contract is None:
            return
        constructor = node.kind == "constructor"
        if self.contract.contract_kind == "interface":
            if node.body is not None:
                self.context.type_error(4726, node, "Functions of interfaces have no body.")
            if constructor:
                self.context.type_error(6482, node, "Interfaces have no constructor.")
            elif t.visibility_of(node) != "external":
                self.context.type_error(1560, node, "Functions of interfaces are external.")
        elif self.contract.contract_kind == "library" and constructor:
            self.context.type_error(7634, node, "Libraries have no constructor.")

    def _check_fallback(self, node: nodes.FunctionDefinition) -> None:
        if self._in_library(node):
            self.context.type_error(5982, node, "Libraries have no fallback function.")
        if node.state_mutability not in ("nonpayable", "payable"):
            self.context.type_error(
                4575, node, f"A fallback function is payable or nothing, not {node.state_mutability}."
            )
        if t.visibility_of(node) != "external":
            self.context.type_error(1159, node, "A fallback function is external.")
        returned = [self.type_of_variable(v) for v in node.return_parameters.parameters]
        taken = [self.type_of_variable(v) for v in node.parameters.parameters]
        if (returned or taken) and (returned != [t.BYTES_MEMORY] or taken != [t.BYTES_CALLDATA]):
            self.context.type_error(
                5570,
                node.return_parameters,
                "A fallback function is `fallback()` or `fallback(bytes calldata) returns (bytes memory)`.",
            )

    def _check_constructor(self, node: nodes.FunctionDefinition) -> None:
        if node.override is not None:
            self.context.type_error(1209, node, "Constructors override nothing.")
        if node.return_parameters.parameters:
            self.context.type_error(9712, node.return_parameters, "Constructors return nothing.")
        if node.state_mutability not in ("nonpayable", "payable"):
            self.context.type_error(
                1558, node, f"A constructor is payable or nothing, not {node.state_mutability}."
            )
        if node.visibility == "default" or self.contract is None:
            return
        if node.visibility not in ("public", "internal"):
            self.context.type_error(9239, node, "Constructors have no visibility.")
        elif node.visibility == "public" and self.contract.abstract:
            self.context.declaration_error(
                8295, node, 'The constructor of an abstract contract is not public: remove "public".'
            )
        elif node.visibility == "internal" and not self.contract.abstract:
            self.context.declaration_error(
                1845,
                node,
                'An internal constructor makes no contract abstract: write "abstract" there instead.',
            )
        else:
            self.context.warning(
                2462, node, 'The visibility of a constructor has no effect; "abstract" prevents deployment.'
            )

    def visit_ModifierDefinition(self, node: nodes.ModifierDefinition) -> None:
        """A modifier."""
        self.visit_children(node)
        if self.contract is not None:
            if node.virtual and self.contract.contract_kind == "library":
                self.context.type_error(3275, node, "Modifiers of libraries are not virtual.")
            if self.contract.contract_kind == "interface":
                self.context.type_error(6408, node, "Interfaces have no modifiers.")
        if node.body is None and not node.virtual:
            self.context.type_error(8063, node, 'A modifier without body is "virtual".')

    # --- variables --------------------------------------------------------------------------------

    def visit_VariableDeclaration(self, node: nodes.VariableDeclaration) -> None:
        """Any variable."""
        if node.type_name is not None:
            self.visit(node.type_name)
        type_ = self.type_of_variable(node)
        state_variable = self.facts.is_state_variable(node)
        if node.value is not None:
            if state_variable and type_.contains_nested_mapping():
                self.context.type_error(6280, node, "What contains mappings has no initial value.")
                self.visit(node.value)
            else:
                self.expect_type(node.value, type_)
        if node.mutability == "constant":
            if node.value is None:
                self.context.type_error(4266, node, "A constant needs a value.")
            elif not self.is_pure(node.value):
                self.context.type_error(
                    8349, node.value, "The value of a constant is computed at compile time."
                )
        elif node.mutability == "immutable":
            self._check_immutable(node, type_)
        if not state_variable:
            if node.storage_location in ("calldata", "memory") and type_.contains_nested_mapping():
                raise self.context.fatal_type_error(
                    4061,
                    node,
                    f"{type_.human_readable_name()} holds a mapping, so it exists only in storage.",
                )
        elif t.is_public(node):
            self._check_getter(node)
        if isinstance(self.model.scope.get(node.id), nodes.StructDefinition):
            return
        if isinstance(type_, t.ArrayType | t.StructType):
            self._check_size(node, type_)

    def _check_immutable(self, node: nodes.VariableDeclaration, type_: t.Type) -> None:
        if not type_.is_value_type:
            self.context.type_error(6377, node, "Immutables are of value types.")
        if isinstance(type_, t.FunctionType) and type_.kind == "external":
            self.context.type_error(3366, node, "Immutables cannot be external functions.")

    def _check_getter(self, node: nodes.VariableDeclaration) -> None:
        getter = t.getter_type(node, self.model)
        if not self.uses_abi_coder_v2:
            unsupported = [
                type_.human_readable_name()
                for type_ in (*getter.parameter_types, *getter.return_types)
                if not self.supported_by_old_abi_encoder(type_, False)
            ]
            if unsupported:
                self.context.type_error(
                    2763, node, f"The getter needs ABI coder v2 for {', '.join(unsupported)}."
                )
        if getter.interface_function_type() is None:
            if not getter.return_types and not getter.parameter_types:
                self.context.type_error(5359, node, "The getter returns nothing: it leaves out all members.")
            else:
                self.context.type_error(
                    6744, node, "Public state variables have no internal or recursive types."
                )

    def _check_size(self, node: nodes.VariableDeclaration, type_: t.ArrayType | t.StructType) -> None:
        reason = type_.valid_for_location(type_.location)
        if reason is None:
            constructor_parameter = self.facts.is_constructor_parameter(node)
            abstract = self.contract is not None and self.contract.abstract
            if (
                (constructor_parameter or self.facts.is_public_callable_parameter(node))
                and not (constructor_parameter and abstract)
                and not (self.facts.is_library_function_parameter(node) and type_.location == "storage")
                and type_.interface_type(False) is not None
            ):
                reason = type_.valid_for_location("calldata")
        if reason is not None:
            self.context.type_error(1534, node, reason)

    # --- events and errors ------------------------------------------------------------------------

    def visit_EventDefinition(self, node: nodes.EventDefinition) -> None:
        """An event."""
        self._check_event_parameters(node.parameters, "events")
        indexed = sum(p.indexed for p in node.parameters.parameters)
        if node.anonymous and indexed > 4:
            self.context.type_error(8598, node, "An anonymous event has at most 4 indexed parameters.")
        elif not node.anonymous and indexed > 3:
            self.context.type_error(7249, node, "An event has at most 3 indexed parameters.")
        self.visit_children(node)

    def visit_ErrorDefinition(self, node: nodes.ErrorDefinition) -> None:
        """An error."""
        self._check_event_parameters(node.parameters, "errors")
        self.visit_children(node)

    def _check_event_parameters(self, parameters: nodes.ParameterList, kind: str) -> None:
        for variable in parameters.parameters:
            type_ = self.type_of_variable(variable)
            if type_.contains_nested_mapping():
                raise self.context.fatal_type_error(3448, variable, f"Parameters of {kind} hold no mappings.")
            if type_.interface_type(False) is None:
                self.context.type_error(
                    3417, variable, f"Parameters of {kind} are not internal or recursive."
                )
            if not self.uses_abi_coder_v2 and not self.supported_by_old_abi_encoder(type_, False):
                self.context.type_error(3061, variable, 'This type needs "pragma abicoder v2;".')

    def visit_FunctionTypeName(self, node: nodes.FunctionTypeName) -> None:
        """A function type: external ones have only types of the external interface."""
        self.visit_children(node)
        if node.visibility != "external":
            return
        for variable in (*node.parameter_types.parameters, *node.return_parameter_types.parameters):
            if self.type_of_variable(variable).interface_type(False) is None:
                raise self.context.fatal_type_error(
                    2582, variable, "External function types have no internal types as parameters."
                )
