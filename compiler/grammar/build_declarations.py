"""Actions for source units, contracts and everything declared in them."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from typing import Any

from smartvm.compiler.ast import nodes
from smartvm.compiler.grammar.build_statements import StatementActions
from smartvm.compiler.grammar.license import find_license
from smartvm.compiler.grammar.quoted import decode_string
from smartvm.compiler.grammar.version_pragma import check_version
from smartvm.compiler.source import NO_SOURCE, SourceRange

_VISIBILITIES = frozenset({"internal", "external", "private", "public"})
_MUTABILITIES = frozenset({"pure", "view", "payable"})
_USER_DEFINABLE = frozenset({"&", "~", "|", "^", "+", "/", "%", "*", "-", "==", ">", ">=", "<", "<=", "!="})

Attribute = int | nodes.OverrideSpecifier | nodes.ModifierInvocation
VariableAttributes = tuple[
    nodes.Visibility, nodes.DataLocation, nodes.Mutability, bool, nodes.OverrideSpecifier | None
]
Header = tuple[
    nodes.Visibility,
    nodes.StateMutability,
    bool,
    nodes.OverrideSpecifier | None,
    tuple[nodes.ModifierInvocation, ...],
]


class DeclarationActions(StatementActions):
    """Declarations: each action is named as its rule in solidity.lark."""

    # --- source units
    # -------------------------------------------------------------------------------------------------

    def source_unit(self, *items: Any) -> nodes.SourceUnit:
        units = tuple(item for item in items if isinstance(item, nodes.Node))
        size = len(self.text)
        license_ = find_license(self.text, [unit.src for unit in units], self.file, self.sink)
        source = self.span(self.starts[0], size)
        return nodes.SourceUnit(self.next_id(), source, self.source.name, license_, units)

    def pragma_directive(self, pragma: int, *tokens: int) -> nodes.PragmaDirective:
        *words, semicolon = tokens
        source = self.covering(pragma, semicolon)
        for word in words:
            if word in self.tokens.problems:
                self.error(6281, word, "This cannot stand in a pragma.")
        literals = tuple(
            self._pragma_literal(word) for word in words if word not in self.tokens.problems
        )
        if literals and literals[0] == "solidity":
            check_version(literals[1:], source, self.sink)
        return nodes.PragmaDirective(self.next_id(), source, literals)

    def _pragma_literal(self, token: int) -> str:
        text = self.spelling(token)
        if text[0] in "\"'":
            return decode_string(text).decode("utf-8", "replace")
        return text

    def import_path(
        self, import_: int, path: int, alias: int | None, semicolon: int
    ) -> nodes.ImportDirective:
        name, location = self.name(alias)
        return self._import(self.covering(import_, semicolon), path, name, location, ())

    def import_all(
        self, import_: int, alias: int, from_: int, path: int, semicolon: int
    ) -> nodes.ImportDirective:
        del from_
        name, location = self.name(alias)
        return self._import(self.covering(import_, semicolon), path, name, location, ())

    def import_symbols(self, import_: int, *rest: Any) -> nodes.ImportDirective:
        *aliases, _, path, semicolon = rest
        source = self.covering(import_, semicolon)
        return self._import(source, path, "", NO_SOURCE, tuple(aliases))

    def _import(
        self,
        source: SourceRange,
        path: int,
        alias: str,
        location: SourceRange,
        symbols: tuple[nodes.SymbolAlias, ...],
    ) -> nodes.ImportDirective:
        file = decode_string(self.spelling(path)).decode("utf-8", "replace")
        if not file:
            raise self.fatal(6326, path + 1, "An import path cannot be empty.")
        return nodes.ImportDirective(
            self.next_id(), source, file, self.resolve_import(file), alias, location, symbols
        )

    def import_alias(self, foreign: int, local: int | None) -> nodes.SymbolAlias:
        identifier = self.identifier(foreign)
        if local is None:
            return nodes.SymbolAlias(identifier, None, identifier.src)
        return nodes.SymbolAlias(identifier, self.spelling(local), self.at(local))

    def using_directive(
        self,
        using: int,
        used: nodes.IdentifierPath | list[nodes.UsingForFunction],
        type_name: nodes.TypeName | None,
        is_global: int | None,
        semicolon: int,
    ) -> nodes.UsingForDirective:
        uses_braces = isinstance(used, list)
        functions = tuple(used) if isinstance(used, list) else (nodes.UsingForFunction(used, None),)
        return nodes.UsingForDirective(
            self.next_id(),
            self.covering(using, semicolon),
            functions,
            uses_braces,
            type_name,
            is_global is not None,
        )

    def used_library(self, path: nodes.IdentifierPath) -> nodes.IdentifierPath:
        return path

    def used_list(self, opening: int, *functions: nodes.UsingForFunction) -> list[nodes.UsingForFunction]:
        del opening
        return list(functions)

    def used_function(self, path: nodes.IdentifierPath, operator: int | None) -> nodes.UsingForFunction:
        if operator is None:
            return nodes.UsingForFunction(path, None)
        self.check_operator(operator)
        return nodes.UsingForFunction(path, self.spelling(operator))

    def check_operator(self, operator: int) -> None:
        """Report an operator that users cannot define."""
        spelling = self.spelling(operator)
        if spelling not in _USER_DEFINABLE:
            shown = " ".join(sorted(_USER_DEFINABLE))
            self.error(
                4403, operator, f"`{spelling}` cannot be defined by users; these operators can: {shown}"
            )

    def every_type(self, star: int) -> None:
        del star

    def value_type_definition(
        self, type_: int, name: int, underlying: nodes.TypeName, semicolon: int
    ) -> nodes.UserDefinedValueTypeDefinition:
        return nodes.UserDefinedValueTypeDefinition(
            self.next_id(), self.covering(type_, semicolon), *self.name(name), underlying
        )

    # --- contracts
    # ----------------------------------------------------------------------------------------------------

    def contract_kind(self, *tokens: int) -> tuple[int, ...]:
        return tokens

    def contract_definition(
        self,
        kind: tuple[int, ...],
        name: int,
        *rest: Any,
    ) -> nodes.ContractDefinition:
        *parts, closing = rest
        start = self.starts[kind[0]]
        documentation = self.documentation(start)
        bases: list[nodes.InheritanceSpecifier] = []
        layout: nodes.StorageLayoutSpecifier | None = None
        members: list[nodes.Node] = []
        for part in parts:
            if isinstance(part, nodes.StorageLayoutSpecifier):
                if layout is not None:
                    word = self.span(part.src.start, part.src.start + len("layout"))
                    notes = [("It is given here.", layout.src)]
                    self.sink.error("ParserError", 8714, word, "The storage layout is given twice.", notes)
                layout = part
            elif isinstance(part, tuple):
                token, inherited = part
                if bases:
                    message = "The bases are given twice: list all of them after one `is`."
                    notes = [("The first one stands here.", bases[0].src)]
                    self.sink.error("ParserError", 6668, self.at(token), message, notes)
                bases.extend(inherited)
            else:
                members.append(part)
        return nodes.ContractDefinition(
            self.next_id(),
            self.span(start, self.ends[closing]),
            *self.name(name),
            self.keyword(kind[-1]),
            len(kind) > 1,
            tuple(bases),
            layout,
            tuple(members),
            documentation,
        )

    def inheritance(
        self, is_: int, *bases: nodes.InheritanceSpecifier
    ) -> tuple[int, list[nodes.InheritanceSpecifier]]:
        return is_, list(bases)

    def base(
        self,
        path: nodes.IdentifierPath,
        arguments: tuple[tuple[nodes.Expression, ...], int] | None = None,
    ) -> nodes.InheritanceSpecifier:
        if arguments is None:
            return nodes.InheritanceSpecifier(self.next_id(), path.src, path, None)
        expressions, end = arguments
        return nodes.InheritanceSpecifier(self.next_id(), self.span(path.src.start, end), path, expressions)

    def storage_layout(
        self, layout: int, at: int, expression: nodes.Expression
    ) -> nodes.StorageLayoutSpecifier:
        del at
        if self._is_for_code_alone(layout):
            raise self.fatal(2314, layout, "Expected `{` but found `layout`: only contracts have a storage layout.")
        source = self.span(self.starts[layout], expression.src.end)
        return nodes.StorageLayoutSpecifier(self.next_id(), source, expression)

    def _is_for_code_alone(self, token: int) -> bool:
        """Whether the header before a token is that of an interface or library."""
        names = self.tokens.names
        while token > 0:
            token -= 1
            kind = names[self.tokens.kinds[token]]
            if kind in ("CONTRACT", "INTERFACE", "LIBRARY"):
                return kind != "CONTRACT"
        return False

    def positional_arguments(self, *rest: Any) -> tuple[tuple[nodes.Expression, ...], int]:
        *expressions, closing = rest
        return tuple(expressions), self.ends[closing]

    def struct_definition(self, struct: int, name: int, *rest: Any) -> nodes.StructDefinition:
        *members, closing = rest
        documentation = self.documentation(self.starts[struct])
        source = self.covering(struct, closing)
        return nodes.StructDefinition(
            self.next_id(),
            source,
            *self.name(name),
            tuple(members),
            documentation,
        )

    def member(self, type_name: nodes.TypeName, *rest: int) -> nodes.VariableDeclaration:
        *attributes, name = rest
        return self.variable(type_name, attributes, name)

    def enum_definition(self, enum: int, name: int, *rest: Any) -> nodes.EnumDefinition:
        *members, closing = rest
        if not members:
            self.error(3147, closing, "An enum needs at least one member.")
        documentation = self.documentation(self.starts[enum])
        source = self.covering(enum, closing)
        return nodes.EnumDefinition(
            self.next_id(),
            source,
            *self.name(name),
            tuple(members),
            documentation,
        )

    def enum_value(self, token: int) -> nodes.EnumValue:
        name, source = self.name(token)
        return nodes.EnumValue(self.next_id(), source, name, source)

    def event_definition(
        self,
        event: int,
        name: int,
        parameters: nodes.ParameterList,
        anonymous: int | None,
        semicolon: int,
    ) -> nodes.EventDefinition:
        documentation = self.documentation(self.starts[event])
        return nodes.EventDefinition(
            self.next_id(),
            self.covering(event, semicolon),
            *self.name(name),
            parameters,
            anonymous is not None,
            documentation,
        )

    def error_definition(
        self, error: int, name: int, parameters: nodes.ParameterList, semicolon: int
    ) -> nodes.ErrorDefinition:
        documentation = self.documentation(self.starts[error])
        return nodes.ErrorDefinition(
            self.next_id(), self.covering(error, semicolon), *self.name(name), parameters, documentation
        )

    # --- functions and modifiers
    # --------------------------------------------------------------------------------------

    def free_function_definition(self, function: int, name: int, *rest: Any) -> nodes.FunctionDefinition:
        return self._named_function("freeFunction", function, name, *rest)

    def function_definition(self, function: int, name: int, *rest: Any) -> nodes.FunctionDefinition:
        return self._named_function("function", function, name, *rest)

    def _named_function(self, kind: Any, function: int, name: int, *rest: Any) -> nodes.FunctionDefinition:
        spelling = self.spelling(name)
        if spelling in ("constructor", "fallback", "receive"):
            message = (
                f"This function is named `{spelling}` but it is not the contract's {spelling}: "
                f"for that, leave out the word `function`."
            )
            if spelling == "constructor":
                self.error(3323, name, message)
            else:
                self.sink.warning(3445, self.at(name), message)
        return self._function(kind, function, name, *rest)

    def special_function_definition(self, kind: int, *rest: Any) -> nodes.FunctionDefinition:
        return self._function(self.spelling(kind), kind, None, *rest)

    def _function(self, kind: Any, first: int, name: int | None, *rest: Any) -> nodes.FunctionDefinition:
        parameters, header, return_parameters, body = rest
        documentation = self.documentation(self.starts[first])
        visibility, mutability, virtual, override, modifiers = header
        block = body if isinstance(body, nodes.Block) else None
        end = block.src.end if block is not None else self.ends[body]
        return nodes.FunctionDefinition(
            self.next_id(),
            self.span(self.starts[first], end),
            *self.name(name),
            kind,
            visibility,
            mutability,
            virtual,
            override,
            parameters,
            modifiers,
            return_parameters,
            block,
            documentation,
        )

    def abandoned(self, values: Sequence[Any]) -> None:
        """Report what is wrong with the attributes of a function or variable that is not complete."""
        for before, value, after in zip(values, values[1:], (*values[2:], None), strict=False):
            if isinstance(value, list) and isinstance(before, nodes.ParameterList):
                *_, override, _ = self.function_header(*value)
                if override is not None and isinstance(after, int) and self.spelling(after) == "override":
                    self.error(1827, after, "`override` is given twice.")
            elif isinstance(value, list) and (
                isinstance(before, nodes.TypeName)
                or (isinstance(before, nodes.Expression) and all(map(self._is_location, value)))
            ):
                self._variable_attributes(before, value)

    def _is_location(self, value: Any) -> bool:
        return isinstance(value, int) and self.spelling(value) in ("calldata", "memory", "storage")

    def no_function_header(self, next_token: int) -> Header:
        del next_token
        return self.function_header()

    def function_header(self, *attributes: Attribute) -> Header:
        """What stands between parameters and results. A rule of its own, so that it is checked before the body is
        read."""
        visibility: nodes.Visibility = "default"
        mutability: nodes.StateMutability = "nonpayable"
        virtual = False
        override: nodes.OverrideSpecifier | None = None
        modifiers: list[nodes.ModifierInvocation] = []
        for attribute in attributes:
            if isinstance(attribute, int):
                word = self.keyword(attribute)
                if word in _VISIBILITIES:
                    if visibility != "default":
                        self.error(9439, attribute, f"The visibility is already `{visibility}`.")
                    else:
                        visibility = word
                elif word in _MUTABILITIES:
                    if mutability != "nonpayable":
                        self.error(9680, attribute, f"The state mutability is already `{mutability}`.")
                    else:
                        mutability = word
                else:
                    if virtual:
                        self.error(6879, attribute, "`virtual` is given twice.")
                    virtual = True
            elif isinstance(attribute, nodes.OverrideSpecifier):
                if override is not None:
                    self._twice(1827, attribute)
                override = attribute
            else:
                modifiers.append(attribute)
        return visibility, mutability, virtual, override, tuple(modifiers)

    def _twice(self, code: int, override: nodes.OverrideSpecifier) -> None:
        source = SourceRange(override.src.start, len("override"), self.file)
        self.sink.error("ParserError", code, source, "`override` is given twice.")

    def no_body(self, semicolon: int) -> int:
        return semicolon

    def override(self, override: int, *rest: Any) -> nodes.OverrideSpecifier:
        if not rest:
            return nodes.OverrideSpecifier(self.next_id(), self.at(override), ())
        *paths, closing = rest
        source = self.covering(override, closing)
        return nodes.OverrideSpecifier(self.next_id(), source, tuple(paths))

    def modifier_invocation(
        self,
        path: nodes.IdentifierPath,
        arguments: tuple[tuple[nodes.Expression, ...], int] | None = None,
    ) -> nodes.ModifierInvocation:
        if arguments is None:
            return nodes.ModifierInvocation(self.next_id(), path.src, path, None)
        expressions, end = arguments
        return nodes.ModifierInvocation(self.next_id(), self.span(path.src.start, end), path, expressions)

    def modifier_definition(
        self,
        modifier: int,
        name: int,
        parameters: nodes.ParameterList,
        *rest: Any,
    ) -> nodes.ModifierDefinition:
        *attributes, body = rest
        documentation = self.documentation(self.starts[modifier])
        virtual = False
        override: nodes.OverrideSpecifier | None = None
        for attribute in attributes:
            if isinstance(attribute, int):
                if virtual:
                    self.error(2662, attribute, "`virtual` is given twice.")
                virtual = True
            elif isinstance(attribute, nodes.OverrideSpecifier):
                if override is not None:
                    self._twice(9102, attribute)
                override = attribute
        block = body if isinstance(body, nodes.Block) else None
        end = block.src.end if block is not None else self.ends[body]
        return nodes.ModifierDefinition(
            self.next_id(),
            self.span(self.starts[modifier], end),
            *self.name(name),
            parameters,
            virtual,
            override,
            block,
            documentation,
        )

    # --- variables and parameters
    # -------------------------------------------------------------------------------------

    def parameter_list(self, opening: int, *rest: Any) -> nodes.ParameterList:
        *parameters, closing = rest
        source = self.covering(opening, closing)
        return nodes.ParameterList(self.next_id(), source, tuple(parameters))

    def empty_parameters(self, next_token: int) -> nodes.ParameterList:
        return nodes.ParameterList(self.next_id(), SourceRange(self.starts[next_token], 0, self.file), ())

    def return_parameters(self, parameters: nodes.ParameterList) -> nodes.ParameterList:
        return parameters

    def parameter(self, type_name: nodes.TypeName, *rest: Any) -> nodes.VariableDeclaration:
        *attributes, name = rest
        return self.variable(type_name, attributes, name)

    def file_variable(self, type_name: nodes.TypeName, *rest: Any) -> nodes.VariableDeclaration:
        *attributes, name, value = rest
        return self.variable(type_name, attributes, name, value)

    def state_variable(self, type_name: nodes.TypeName, *rest: Any) -> nodes.VariableDeclaration:
        *attributes, name, value = rest
        return self.variable(type_name, attributes, name, value, state_variable=True)

    def _variable_attributes(
        self, type_name: nodes.Node, attributes: Sequence[int | nodes.OverrideSpecifier]
    ) -> VariableAttributes:
        """What a variable's attributes say; reports what is said twice."""
        visibility: nodes.Visibility = "default"
        location: nodes.DataLocation = "default"
        mutability: nodes.Mutability = "mutable"
        indexed = False
        override: nodes.OverrideSpecifier | None = None
        for attribute in attributes:
            if isinstance(attribute, nodes.OverrideSpecifier):
                if override is not None:
                    self._twice(9125, attribute)
                override = attribute
                continue
            word = self.keyword(attribute)
            if word in _VISIBILITIES:
                if isinstance(type_name, nodes.FunctionTypeName) and type_name.visibility in ("public", "private"):
                    message = f"The visibility of the function type is already `{type_name.visibility}`."
                    self.error(9439, attribute, message)
                elif visibility != "default":
                    self.error(4110, attribute, f"The visibility is already `{visibility}`.")
                else:
                    visibility = word
            elif word == "indexed":
                if indexed:
                    self.error(5399, attribute, "`indexed` is given twice.")
                indexed = True
            elif word in ("constant", "immutable"):
                if mutability != "mutable":
                    self.error(3109, attribute, f"The variable is already `{mutability}`.")
                else:
                    mutability = word
            elif location != "default":
                self.error(3548, attribute, "The data location is given twice.")
            else:
                location = word
        return visibility, location, mutability, indexed, override

    def variable(
        self,
        type_name: nodes.TypeName,
        attributes: list[int] | list[int | nodes.OverrideSpecifier],
        name: int | None,
        value: nodes.Expression | None = None,
        *,
        state_variable: bool = False,
    ) -> nodes.VariableDeclaration:
        """A variable with its attributes in the order written."""
        start, end = type_name.src.start, type_name.src.end
        documentation = self.documentation(start) if self.tokens.documentation else None
        facts = self._variable_attributes(type_name, attributes)
        visibility, location, mutability, indexed, override = facts
        if attributes:
            last = attributes[-1]
            end = last.src.end if isinstance(last, nodes.OverrideSpecifier) else self.ends[last]
        name_text, name_location = self.name(name)
        if name is not None:
            end = self.ends[name]
        if value is not None:
            end = value.src.end
        return nodes.VariableDeclaration(
            self.next_id(),
            self.span(start, end),
            name_text,
            name_location,
            type_name,
            value,
            visibility,
            location,
            mutability,
            indexed,
            state_variable,
            override,
            documentation,
        )

    # --- function types
    # -----------------------------------------------------------------------------------------------

    def function_type(
        self, function: int, parameters: nodes.ParameterList, *rest: Any
    ) -> nodes.FunctionTypeName:
        *mutabilities, visibility_part, returned = rest
        visibility: nodes.Visibility = "default"
        if visibility_part is not None:
            first, *more = visibility_part
            visibility = self.keyword(first)
            mutabilities += more
        mutability: nodes.StateMutability = "nonpayable"
        for token in mutabilities:
            if mutability != "nonpayable":
                self.error(9680, token, f"The state mutability is already `{mutability}`.")
            else:
                mutability = self.keyword(token)
        return_parameters, end = returned
        return nodes.FunctionTypeName(
            self.next_id(),
            self.span(self.starts[function], end),
            parameters,
            return_parameters,
            visibility,
            mutability,
        )

    def function_type_visibility(self, visibility: int, *mutabilities: int) -> list[int]:
        return [visibility, *mutabilities]

    def function_type_returns(self, parameters: nodes.ParameterList) -> tuple[nodes.ParameterList, int]:
        # solc's range of a function type takes the token in that follows it.
        return parameters, self.ends[bisect.bisect_left(self.starts, parameters.src.end)]

    def no_function_type_returns(self, next_token: int) -> tuple[nodes.ParameterList, int]:
        return self.empty_parameters(next_token), self.ends[next_token]
