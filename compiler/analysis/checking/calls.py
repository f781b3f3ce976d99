"""Checks calls, conversions, struct constructors, call options and ``new``."""

from __future__ import annotations

from smartvm.compiler.analysis import types as t
from smartvm.compiler.analysis.checking.base import CallArguments
from smartvm.compiler.analysis.checking.builtin_calls import BuiltinCallChecks
from smartvm.compiler.analysis.constant_evaluation import erc7201
from smartvm.compiler.ast import nodes

_BARE_CALLS = frozenset({"bare_call", "bare_call_code", "bare_delegate_call", "bare_static_call"})
_HASHES = frozenset({"keccak256", "sha256", "ripemd160"})
_WITH_OPTIONS = _BARE_CALLS | {"creation", "external"}
_ABI_ENCODED = frozenset({"delegate_call", "external", "creation", "event", "error"})


class CallChecks(BuiltinCallChecks):
    """Everything with parentheses after it."""

    def visit_FunctionCall(self, node: nodes.FunctionCall) -> None:
        """A call, a type conversion, or a struct made from its members."""
        model = self.model
        for argument in node.arguments:
            self.visit(argument)
        pure_arguments = all(self.is_pure(argument) for argument in node.arguments)
        types = tuple(self.type_of(argument) for argument in node.arguments)
        callee = node.expression
        self.arguments[callee.id] = CallArguments(types, node.names)
        model.argument_types[callee.id] = types
        self.visit(callee)
        callee_type = self.type_of(callee)
        function: t.FunctionType
        if isinstance(callee_type, t.FunctionType):
            function = callee_type
            model.call_kind[node.id] = "function_call"
            if isinstance(callee, nodes.MemberAccess | nodes.Identifier) and isinstance(
                model.referenced_declaration.get(callee.id), nodes.FunctionDefinition
            ):
                model.called_directly.add(callee.id)
            pure = pure_arguments and self.is_pure(callee) and function.is_pure_function
            lvalue = function.kind == "array_push" and not function.argument_types
        elif isinstance(callee_type, t.TypeType):
            pure, lvalue = pure_arguments, False
            actual = callee_type.actual_type
            if not isinstance(actual, t.StructType):
                if isinstance(actual, t.ContractType) and actual.is_super:
                    raise self.context.fatal_type_error(1744, node, '"super" is not a type to convert to.')
                model.call_kind[node.id] = "type_conversion"
                self.note(node, self._conversion(node, actual), pure)
                model.sorted_arguments[node.id] = node.arguments
                return
            if actual.contains_nested_mapping():
                raise self.context.fatal_type_error(
                    9515, node, "Structs with mappings cannot be made in memory."
                )
            function = t.struct_constructor_type(actual)
            model.call_kind[node.id] = "struct_constructor_call"
        else:
            raise self.context.fatal_type_error(5704, node, "This cannot be called.")
        model.sorted_arguments[node.id] = self._sorted(node, function)
        returns = self._check_call(node, function)
        self.note(node, returns[0] if len(returns) == 1 else t.TupleType(returns), pure, lvalue)

    @staticmethod
    def _sorted(node: nodes.FunctionCall, function: t.FunctionType) -> tuple[nodes.Expression, ...]:
        if not node.names:
            return node.arguments
        by_name = dict(zip(node.names, node.arguments, strict=False))
        return tuple(by_name[name] for name in function.argument_names if name in by_name)

    def _check_call(self, node: nodes.FunctionCall, function: t.FunctionType) -> tuple[t.Type, ...]:
        match function.kind:
            case "abi_decode":
                return self.check_abi_decode(node)
            case (
                "abi_encode"
                | "abi_encode_packed"
                | "abi_encode_with_selector"
                | "abi_encode_with_signature"
                | "abi_encode_call"
            ):
                self.check_abi_encode(node, function)
            case "metatype":
                return self.check_meta_type(node)
            case "bytes_concat" | "string_concat":
                self.check_concat(node, function)
            case "wrap" | "unwrap":
                self.check_arguments(node, function)
            case _:
                self._check_function_call(node, function)
                if not self.settings.at_least("byzantium"):
                    return function.return_types_without_dynamic_types()
        return function.return_types

    def _check_function_call(self, node: nodes.FunctionCall, function: t.FunctionType) -> None:
        if function.kind == "declaration":
            declaration = function.declaration
            assert isinstance(declaration, nodes.FunctionDefinition)
            home = self.model.scope.get(declaration.id)
            if (
                self.contract is not None
                and home in self.model.linearized_base_contracts(self.contract)
                and declaration.body is None
            ):
                self.context.type_error(
                    7501, node, "This function of the base has no implementation to call."
                )
            else:
                self.context.type_error(
                    3419, node, "Functions cannot be called through the name of a contract type."
                )
            return
        if function.kind == "bare_static_call" and not self.settings.at_least("byzantium"):
            self.context.type_error(5052, node, 'EVM versions before byzantium have no "staticcall".')
        self.check_arguments(node, function)
        if function.kind == "erc7201":
            self._erc7201(node)

    def _erc7201(self, node: nodes.FunctionCall) -> None:
        argument = node.arguments[0] if len(node.arguments) == 1 else None
        if argument is not None and isinstance(known := self.type_of(argument), t.StringLiteralType):
            self.model.constant_values[node.id] = erc7201(known.value)

    # --- conversions ------------------------------------------------------------------------------

    def _conversion(self, node: nodes.FunctionCall, target: t.Type) -> t.Type:
        if len(node.arguments) != 1:
            self.context.type_error(2558, node, "A type conversion takes one argument.")
            return target
        if node.names:
            self.context.type_error(5153, node, "A type conversion takes no named arguments.")
            return target
        argument = node.arguments[0]
        source = self.type_of(argument)
        if isinstance(target, t.ArrayType | t.StructType):
            location: t.Location = "memory"
            if isinstance(source, t.ArrayType | t.StructType | t.ArraySliceType):
                location = source.location
            target = t.with_location(target, location, target.is_pointer)
        if t.is_explicitly_convertible_to(source, target):
            return target
        names = f"{source.human_readable_name()} to {target.human_readable_name()}"
        if isinstance(target, t.ContractType) and isinstance(source, t.AddressType):
            notes = []
            declaration = (
                self.model.referenced_declaration.get(argument.id)
                if isinstance(argument, nodes.Identifier)
                else None
            )
            if isinstance(declaration, nodes.VariableDeclaration):
                notes.append(('Should this variable be "address payable"?', declaration.src))
            self.context.type_error(
                7398,
                node,
                f"{names}: the contract receives Ether, so its address has to be payable.",
                notes,
            )
        elif (
            isinstance(source, t.FunctionType)
            and source.kind == "external"
            and isinstance(target, t.AddressType)
        ):
            self.context.type_error(
                5030,
                node,
                f'No conversion from {names}. The contract of a function is its member ".address".',
            )
        else:
            self.context.type_error(
                9640, node, f"No explicit conversion from {names}{self.why_not(source, target)}"
            )
        return target

    # --- arguments --------------------------------------------------------------------------------

    def check_arguments(self, node: nodes.FunctionCall, function: t.FunctionType) -> None:
        """Check number, names and types of arguments."""
        parameters = function.argument_types
        given, wanted = len(node.arguments), len(parameters)
        if given < wanted or (given > wanted and not function.arbitrary_parameters):
            code, message = self._wrong_count(node, function, given, wanted)
            self.context.type_error(code, node, message)
            return
        ordered = list(node.arguments[:wanted])
        if node.names:
            by_name = self._by_name(node, function)
            if by_name is None:
                return
            ordered = by_name
        for argument, parameter in zip(ordered, parameters, strict=True):
            found = self.type_of(argument)
            if t.is_implicitly_convertible_to(found, parameter):
                continue
            message = (
                f"The argument has type {found.human_readable_name()}, which cannot be converted implicitly "
                f"to "
                f"{parameter.human_readable_name()}{self.why_not(found, parameter)}"
            )
            code = 9553
            if function.kind in _BARE_CALLS:
                code = 8051
                message += " The function takes one bytes argument, such as abi.encode(...) makes."
            elif function.kind in _HASHES:
                code = 7556
                message += " The function takes one bytes argument, such as abi.encodePacked(...) makes."
            self.context.type_error(code, argument, message)
        if function.kind in _ABI_ENCODED and not self.uses_abi_coder_v2:
            self._check_old_encoder(node, function, ordered)

    def _wrong_count(
        self, node: nodes.FunctionCall, function: t.FunctionType, given: int, wanted: int
    ) -> tuple[int, str]:
        if self.model.call_kind.get(node.id) == "struct_constructor_call":
            return 9755, f"The struct has {wanted} members, {given} arguments are given."
        message = (
            f"The function takes {'at least ' if function.arbitrary_parameters else ''}{wanted} arguments, "
        )
        message += f"{given} are given."
        if function.kind in _BARE_CALLS:
            if not node.arguments:
                return 6138, message + ' The argument is of type bytes; "" sends no data.'
            return 8922, message + " The argument is of type bytes; abi.encode(...) makes it from several."
        if function.kind in _HASHES:
            return (
                4323,
                message + " The argument is of type bytes; abi.encodePacked(...) makes it from several.",
            )
        return (9308 if function.arbitrary_parameters else 6160), message

    def _by_name(self, node: nodes.FunctionCall, function: t.FunctionType) -> list[nodes.Expression] | None:
        names = node.names
        duplicate = False
        for first in range(len(names)):
            for second in range(first + 1, len(names)):
                if names[first] == names[second]:
                    duplicate = True
                    self.context.type_error(
                        6995, node.arguments[first], f'The argument "{names[first]}" is given twice.'
                    )
        if duplicate:
            return None
        by_name = dict(zip(names, node.arguments, strict=True))
        unknown = [name for name in names if name not in function.argument_names]
        for name in unknown:
            self.context.type_error(4974, node, f'The function has no parameter "{name}".')
        if unknown:
            return None
        return [by_name[name] for name in function.argument_names]

    def _check_old_encoder(
        self, node: nodes.FunctionCall, function: t.FunctionType, ordered: list[nodes.Expression]
    ) -> None:
        in_library = function.kind == "delegate_call"
        for argument, parameter in zip(ordered, function.argument_types, strict=True):
            if not self.supported_by_old_abi_encoder(parameter, in_library):
                self.context.type_error(
                    2443,
                    argument,
                    f"A parameter of type {parameter.human_readable_name()} needs ABI coder v2.",
                )
        for position, returned in enumerate(function.return_types, 1):
            if not self.supported_by_old_abi_encoder(returned, in_library):
                self.context.type_error(
                    2428,
                    node,
                    f"Returned value {position} has type {returned.human_readable_name()}, which needs ABI "
                    f"coder v2.",
                )

    # --- call options and new ---------------------------------------------------------------------

    def visit_FunctionCallOptions(self, node: nodes.FunctionCallOptions) -> None:
        """``f{value: v, gas: g, salt: s}``."""
        arguments = self.arguments.get(node.id)
        if arguments is not None:
            self.arguments[node.expression.id] = arguments
            self.model.argument_types[node.expression.id] = arguments.types
        self.visit(node.expression)
        function = self.type_of(node.expression)
        if not isinstance(function, t.FunctionType):
            raise self.context.fatal_type_error(2622, node, "Call options stand after what can be called.")
        if function.kind not in _WITH_OPTIONS:
            raise self.context.fatal_type_error(
                2193, node, "Only calls of external functions and creations of contracts have call options."
            )
        if function.value_set or function.gas_set or function.salt_set:
            self.context.type_error(1645, node, "Call options are given in one pair of braces.")
        done: set[str] = set()
        for name, option in zip(node.names, node.options, strict=True):
            self._option(node, function, name, option, done)
        if "salt" in done and not self.settings.at_least("constantinople"):
            self.context.type_error(5189, node, 'EVM versions before constantinople have no option "salt".')
        self.note(
            node, function.with_call_options(gas="gas" in done, value="value" in done, salt="salt" in done)
        )

    def _option(
        self,
        node: nodes.FunctionCallOptions,
        function: t.FunctionType,
        name: str,
        option: nodes.Expression,
        done: set[str],
    ) -> None:
        creation = function.kind == "creation"
        type_: t.Type = t.UINT256
        problem: tuple[int, str] | None = None
        if name == "salt":
            type_ = t.BYTES32
            if not creation:
                problem = 2721, 'The option "salt" belongs to "new".'
        elif name == "value":
            if function.kind == "bare_delegate_call":
                problem = 6189, '"delegatecall" sends no value.'
            elif function.kind == "bare_static_call":
                problem = 2842, '"staticcall" sends no value.'
            elif not function.is_payable:
                what = "constructor" if creation else "function"
                problem = 7006, f'The {what} is not payable, so "value" cannot be set.'
        elif name == "gas":
            if creation:
                problem = 9903, '"new" takes no option "gas".'
        else:
            problem = 9318, f'There is no call option "{name}"; the options are "salt", "value" and "gas".'
        if problem is not None:
            self.context.type_error(problem[0], node, problem[1])
            return
        self.expect_type(option, type_)
        if name in done:
            self.context.type_error(9886, node, f'The option "{name}" is given twice.')
        done.add(name)

    def visit_NewExpression(self, node: nodes.NewExpression) -> None:
        """``new T``."""
        self.visit(node.type_name)
        type_ = self.model.type_names[node.type_name.id]
        if isinstance(node.type_name, nodes.UserDefinedTypeName):
            contract = self.model.referenced_declaration.get(node.type_name.path_node.id)
            if not isinstance(contract, nodes.ContractDefinition):
                raise self.context.fatal_type_error(5540, node, "This is not a contract.")
            if contract.contract_kind == "interface":
                raise self.context.fatal_type_error(2971, node, "Interfaces cannot be created.")
            if contract.abstract:
                self.context.type_error(4614, node, "Abstract contracts cannot be created.")
            self.note(node, t.creation_type(contract, self.model))
            return
        if not isinstance(type_, t.ArrayType):
            raise self.context.fatal_type_error(8807, node, '"new" takes a contract or an array type.')
        if type_.contains_nested_mapping():
            raise self.context.fatal_type_error(
                1164, node.type_name, "Arrays of mappings exist only in storage."
            )
        if type_.length is not None:
            self.context.type_error(3904, node.type_name, "The length stands in parentheses after the type.")
        memory = t.with_location(type_, "memory", False)
        self.note(node, t.FunctionType((t.UINT256,), (memory,), "object_creation", "pure"), pure=True)
