"""Checks calls of ``abi.*``, ``type``, ``bytes.concat`` and ``string.concat``."""

from __future__ import annotations

from smartvm.compiler.analysis import types as t
from smartvm.compiler.analysis.checking.base import CheckerBase
from smartvm.compiler.ast import nodes

_WHY_NOT_CALLABLE = {
    "internal": " This function is internal.",
    "delegate_call": " This is a library function.",
    "creation": " This creates a contract.",
    "event": " This is an event.",
    "error": " This is an error.",
}


class BuiltinCallChecks(CheckerBase):
    """Builtins with rules of their own."""

    def check_arguments(self, node: nodes.FunctionCall, function: t.FunctionType) -> None:
        """Check number, names and types of arguments."""
        raise NotImplementedError

    def check_abi_decode(self, node: nodes.FunctionCall) -> tuple[t.Type, ...]:
        """``abi.decode(data, (T, ...))``; the types decoded."""
        arguments = node.arguments
        if len(arguments) != 2:
            self.context.type_error(
                5782, node, f"The function takes 2 arguments, {len(arguments)} are given."
            )
        if arguments:
            data = self.type_of(arguments[0])
            if not t.is_implicitly_convertible_to(
                data, t.BYTES_MEMORY
            ) and not t.is_implicitly_convertible_to(data, t.BYTES_CALLDATA):
                self.context.type_error(
                    1956,
                    arguments[0],
                    f'"abi.decode" decodes bytes in memory or calldata, not {data.human_readable_name()}.',
                )
        if len(arguments) < 2:
            return ()
        listed = arguments[1]
        if not isinstance(listed, nodes.TupleExpression):
            self.context.type_error(6444, listed, 'The second argument of "abi.decode" is a tuple of types.')
            return ()
        return tuple(self._decoded(part) for part in listed.components if part is not None)

    def _decoded(self, part: nodes.Expression) -> t.Type:
        part_type = self.type_of(part)
        if not isinstance(part_type, t.TypeType):
            self.context.type_error(1039, part, "This has to be the name of a type.")
            return t.EMPTY_TUPLE
        actual = t.with_location_if_reference("memory", part_type.actual_type)
        if isinstance(actual, t.AddressType):
            actual = t.ADDRESS_PAYABLE
        if actual.full_encoding_type(False, self.uses_abi_coder_v2) is None:
            self.context.type_error(
                9611, part, f"Values of type {actual.human_readable_name()} cannot be decoded."
            )
        if isinstance(actual, t.ArrayType | t.StructType):
            reason = actual.valid_for_location(actual.location)
            if reason:
                self.context.type_error(6118, part, reason)
        return actual

    def check_meta_type(self, node: nodes.FunctionCall) -> tuple[t.Type, ...]:
        """``type(T)``."""
        if len(node.arguments) != 1:
            raise self.context.fatal_type_error(
                8885, node, f"The function takes 1 argument, {len(node.arguments)} are given."
            )
        argument = node.arguments[0]
        type_ = self.type_of(argument)
        if isinstance(type_, t.TypeType):
            actual = type_.actual_type
            if isinstance(actual, t.IntegerType | t.EnumType) or (
                isinstance(actual, t.ContractType) and not actual.is_super
            ):
                return (t.MagicType("meta_type", actual),)
        raise self.context.fatal_type_error(
            4259,
            argument,
            f'"type" takes a contract, an enum or an integer type, not {type_.human_readable_name()}.',
        )

    def check_concat(self, node: nodes.FunctionCall, function: t.FunctionType) -> None:
        """``bytes.concat(...)`` and ``string.concat(...)``."""
        self.check_arguments(node, function)
        for argument in node.arguments:
            type_ = self.type_of(argument)
            if function.kind == "string_concat":
                if not t.is_implicitly_convertible_to(type_, t.STRING_MEMORY):
                    self.context.type_error(
                        9977, argument, f"string.concat takes strings, not {type_.human_readable_name()}."
                    )
            elif isinstance(type_, t.RationalNumberType) or not (
                t.is_implicitly_convertible_to(type_, t.BYTES32)
                or t.is_implicitly_convertible_to(type_, t.BYTES_MEMORY)
            ):
                self.context.type_error(
                    8015,
                    argument,
                    f"bytes.concat takes bytes and fixed bytes, not {type_.human_readable_name()}.",
                )

    # --- abi.encode... ----------------------------------------------------------------------------

    def check_abi_encode(self, node: nodes.FunctionCall, function: t.FunctionType) -> None:
        """All of ``abi.encode*``."""
        if node.names:
            self.context.type_error(2627, node, "This function takes any arguments, so they have no names.")
            return
        self.check_arguments(node, function)
        if function.kind == "abi_encode_call":
            self._check_encode_call(node)
            return
        packed = function.kind == "abi_encode_packed"
        for argument in node.arguments:
            type_ = self.type_of(argument)
            if isinstance(type_, t.RationalNumberType):
                if type_.is_fractional:
                    self.context.type_error(6090, argument, "Fractional numbers cannot be encoded.")
                    continue
                if type_.mobile_type() is None:
                    self.context.type_error(8009, argument, "The number is too large to be encoded.")
                    continue
                if packed:
                    self.context.type_error(
                        7279,
                        argument,
                        "A literal has no size of its own: convert it to a type to encode it packed.",
                    )
                    continue
            if packed and not self.supported_by_old_abi_encoder(type_, False):
                self.context.type_error(
                    9578, argument, f"{type_.human_readable_name()} cannot be encoded packed."
                )
            elif type_.full_encoding_type(False, self.uses_abi_coder_v2, packed) is None:
                self.context.type_error(2056, argument, f"{type_.human_readable_name()} cannot be encoded.")

    def _check_encode_call(self, node: nodes.FunctionCall) -> None:
        if len(node.arguments) != 2:
            self.context.type_error(
                6219, node, "abi.encodeCall takes two arguments: a function and a tuple of its arguments."
            )
            return
        first, second = node.arguments
        pointer = self.type_of(first)
        if not isinstance(pointer, t.FunctionType):
            self.context.type_error(
                5511, first, f"A function is expected, not {pointer.human_readable_name()}."
            )
            return
        function = pointer.as_externally_callable_function(False)
        if function.kind not in ("external", "declaration"):
            self._not_external(first, function)
            return
        second_type = self.type_of(second)
        arguments: tuple[nodes.Expression | None, ...] = (second,)
        if isinstance(second_type, t.TupleType):
            if not isinstance(second, nodes.TupleExpression):
                self.context.type_error(9062, second, "The tuple has to be written out here.")
                return
            arguments = second.components
        parameters = function.argument_types
        if len(parameters) != len(arguments):
            if isinstance(second_type, t.TupleType):
                self.context.type_error(
                    7788,
                    node,
                    f"The function takes {len(parameters)} arguments, the tuple has {len(arguments)}.",
                )
            else:
                self.context.type_error(7515, node, f"A tuple of {len(parameters)} arguments is expected.")
        for position, (argument, parameter) in enumerate(zip(arguments, parameters, strict=False)):
            if argument is None:
                continue
            found = self.type_of(argument)
            if not t.is_implicitly_convertible_to(found, parameter):
                self.context.type_error(
                    5407,
                    argument,
                    f"Component {position} has type {found.human_readable_name()}, which cannot be converted "
                    f"implicitly to {parameter.human_readable_name()}{self.why_not(found, parameter)}",
                )

    def _not_external(self, argument: nodes.Expression, function: t.FunctionType) -> None:
        message = "An external function is expected, or a public one seen from outside."
        message += _WHY_NOT_CALLABLE.get(function.kind, " This is a builtin function.")
        notes = []
        declaration = function.declaration
        if declaration is not None:
            notes.append(("The function:", declaration.src))
            home = self.model.scope.get(declaration.id)
            if home is self.contract and t.visibility_of(declaration) == "public":
                message += ' Is "this." missing?'
            elif self.contract is not None and home in self.model.linearized_base_contracts(self.contract):
                message += " Functions of bases have to be external."
        self.context.type_error(3509, argument, message, notes)
