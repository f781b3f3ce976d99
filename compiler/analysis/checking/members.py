"""Checks member access, index access and slices."""

from __future__ import annotations

from smartvm.compiler.analysis import types as t
from smartvm.compiler.analysis.checking.calls import CallChecks
from smartvm.compiler.ast import nodes

_PURE_META = frozenset({"creationCode", "runtimeCode", "name", "interfaceId", "min", "max"})


class AccessChecks(CallChecks):
    """``a.b``, ``a[b]``, ``a[b:c]``."""

    # --- members ----------------------------------------------------------------------------------

    def visit_MemberAccess(self, node: nodes.MemberAccess) -> None:
        """``expression.member``."""
        self.visit(node.expression)
        type_ = self.type_of(node.expression)
        arguments = self.arguments.get(node.id)
        possible = list(self.lookup.members(type_, self.definition_scope).get(node.member_name, ()))
        count = len(possible)
        if count > 1 and arguments is not None:
            possible = [
                member
                for member in possible
                if not isinstance(member.type, t.FunctionType)
                or t.can_take_arguments(member.type, arguments.types, arguments.names, type_)
            ]
        if not possible:
            self._member_missing(node, type_, count)
        if len(possible) > 1:
            raise self.context.fatal_type_error(
                6675,
                node,
                f'Several members "{node.member_name}" of {type_.human_readable_name()} take these '
                f"arguments.",
            )
        member = possible[0]
        if member.declaration is not None:
            self.model.referenced_declaration[node.id] = member.declaration
        self.model.required_lookup[node.id] = "static"
        if isinstance(member.type, t.FunctionType):
            self._check_function_member(node, type_, member)
        self.note(
            node,
            member.type,
            self._member_is_pure(node, type_, member),
            self._member_is_lvalue(type_, member),
        )
        self._check_availability(node, type_)

    def _check_function_member(self, node: nodes.MemberAccess, type_: t.Type, member: t.Member) -> None:
        function = member.type
        assert isinstance(function, t.FunctionType)
        if (
            isinstance(type_, t.FunctionType)
            and member.declaration is None
            and node.member_name in ("value", "gas")
        ):
            self.context.type_error(
                1621, node, f'".{node.member_name}(...)" is now written "{{{node.member_name}: ...}}".'
            )
        if function.kind in ("send", "transfer"):
            self.context.warning(
                9207,
                node,
                f'"{function.kind}" is deprecated and will be removed: use "call{{value: amount}}("")".',
            )
        arguments = self.arguments.get(node.id)
        if (
            function.kind == "array_push"
            and arguments is not None
            and arguments.types
            and type_.contains_nested_mapping()
        ):
            self.context.type_error(
                8871, node, "An array with mappings grows only by .push() without argument."
            )
        if (
            not function.bound
            and isinstance(type_, t.TypeType)
            and isinstance(type_.actual_type, t.ContractType)
            and type_.actual_type.is_super
        ):
            self.model.required_lookup[node.id] = "super"

    def _member_is_lvalue(self, type_: t.Type, member: t.Member) -> bool:
        if isinstance(type_, t.StructType):
            return type_.location != "calldata"
        if isinstance(type_, t.TypeType) and isinstance(type_.actual_type, t.ContractType):
            declaration = member.declaration
            return isinstance(declaration, nodes.VariableDeclaration) and declaration.mutability != "constant"
        return False

    def _member_is_pure(self, node: nodes.MemberAccess, type_: t.Type, member: t.Member) -> bool:
        if isinstance(type_, t.TypeType):
            if isinstance(type_.actual_type, t.EnumType | t.UserDefinedValueType | t.ArrayType):
                return True
            if (
                isinstance(type_.actual_type, t.ContractType)
                and isinstance(member.type, t.FunctionType)
                and member.type.kind == "declaration"
            ):
                return self.is_pure(node.expression)
        if isinstance(type_, t.ModuleType):
            return self.is_pure(node.expression)
        if isinstance(type_, t.FunctionType) and type_.kind in ("event", "error"):
            return node.member_name == "selector"
        if (
            isinstance(type_, t.FunctionType)
            and isinstance(type_.declaration, nodes.FunctionDefinition)
            and node.member_name == "selector"
            and isinstance(node.expression, nodes.MemberAccess)
        ):
            inner = node.expression.expression
            if isinstance(inner, nodes.Identifier) and inner.name in ("this", "super"):
                return True
            return self.is_pure(inner)
        declaration = member.declaration
        if isinstance(declaration, nodes.VariableDeclaration) and declaration.mutability == "constant":
            return True
        if isinstance(type_, t.MagicType):
            return type_.kind == "abi" or (type_.kind == "meta_type" and node.member_name in _PURE_META)
        return False

    def _check_availability(self, node: nodes.MemberAccess, type_: t.Type) -> None:
        name = node.member_name
        newer = self.settings.at_least
        if isinstance(type_, t.AddressType):
            if name == "codehash" and not newer("constantinople"):
                self._not_supported(7598, node)
            return
        if not isinstance(type_, t.MagicType):
            return
        if (
            type_.kind == "meta_type"
            and name == "runtimeCode"
            and isinstance(type_.type_argument, t.ContractType)
        ):
            bases = self.model.linearized_base_contracts(type_.type_argument.definition)
            if any(
                isinstance(v, nodes.VariableDeclaration) and v.mutability == "immutable"
                for base in bases
                for v in base.nodes
            ):
                self.context.type_error(
                    9274, node, '"runtimeCode" does not exist for contracts with immutable variables.'
                )
        if type_.kind != "block":
            return
        if name == "chainid" and not newer("istanbul"):
            self._not_supported(3081, node)
        elif name == "basefee" and not newer("london"):
            self._not_supported(5921, node)
        elif name == "blobbasefee" and not newer("cancun"):
            self._not_supported(1006, node)
        elif name == "prevrandao" and not newer("paris"):
            self.context.warning(
                9432, node, 'EVM versions before paris have no "prevrandao"; "difficulty" is used instead.'
            )
        elif name == "difficulty" and newer("paris"):
            self.context.warning(
                8417,
                node,
                'From the EVM version paris on "difficulty" is "prevrandao": a random number from the '
                "beacon chain.",
            )

    def _not_supported(self, code: int, node: nodes.MemberAccess) -> None:
        self.context.type_error(code, node, f'The EVM version has no "{node.member_name}".')

    def _member_missing(self, node: nodes.MemberAccess, type_: t.Type, count: int) -> None:
        name = node.member_name
        shown = type_.human_readable_name()
        if count == 0 and isinstance(type_, t.ArrayType | t.StructType):
            stored = t.with_location(type_, "storage", False)
            if name in self.lookup.members(stored, self.definition_scope):
                raise self.context.fatal_type_error(
                    4994, node, f'{shown} has no member "{name}"; it exists only in storage.'
                )
        code = 9582
        message = f'{shown} has no member "{name}"' + (" that takes these arguments." if count else ".")
        if isinstance(type_, t.FunctionType):
            returned = type_.return_types
            if name == "value":
                if type_.kind == "creation":
                    code = 8827
                    message = 'The constructor is not payable, so there is no member "value".'
                elif type_.kind in ("delegate_call", "bare_delegate_call"):
                    code = 8477
                    message = 'Delegated calls keep "msg.value" and have no member "value".'
                else:
                    code, message = 8820, 'Only payable functions have a member "value".'
            elif len(returned) == 1 and isinstance(returned[0], t.StructType | t.ContractType):
                code = 6005
                message += " Was the function to be called?"
        elif isinstance(type_, t.ContractType):
            if any(m.name == name for m in t.native_members(t.ADDRESS_PAYABLE, None, self.model)):
                shown_name = node.expression.name if isinstance(node.expression, nodes.Identifier) else "..."
                code = 3125
                message += f' It is a member of addresses: "address({shown_name}).{name}".'
        elif isinstance(type_, t.AddressType) and name in ("send", "transfer"):
            code = 9862
            message = f'"send" and "transfer" are members of "address payable", not of {shown}.'
        raise self.context.fatal_type_error(code, node, message)

    # --- indices ----------------------------------------------------------------------------------

    def visit_IndexAccess(self, node: nodes.IndexAccess) -> None:
        """``base[index]``, also of types."""
        self.visit(node.base_expression)
        base = self.type_of(node.base_expression)
        index = node.index_expression
        lvalue = False
        result: t.Type
        match base:
            case t.ArraySliceType() | t.ArrayType():
                if isinstance(base, t.ArraySliceType):
                    base = base.array_type
                    if base.location != "calldata" or base.length is not None:
                        self.context.type_error(
                            4802, node, "Only slices of dynamic calldata arrays have elements."
                        )
                self._array_index(node, base)
                result = base.base_type
                lvalue = base.location != "calldata"
            case t.MappingType():
                if index is None:
                    self.context.type_error(1267, node, "The index is missing.")
                else:
                    self.expect_type(index, base.key_type)
                result = base.value_type
                lvalue = True
            case t.TypeType():
                result = self._array_type(node, base)
            case t.FixedBytesType():
                if index is None:
                    self.context.type_error(8830, node, "The index is missing.")
                else:
                    if not self.expect_type(index, t.UINT256):
                        raise self.context.fatal_type_error(
                            6318, node, "The index is not an unsigned integer."
                        )
                    number = self.type_of(index)
                    if isinstance(number, t.RationalNumberType) and base.size <= number.value:
                        self.context.type_error(1859, node, "The index is beyond the end.")
                result = t.BYTES1
            case _:
                raise self.context.fatal_type_error(
                    2614,
                    node.base_expression,
                    f"Types, mappings and arrays have an index, {base.human_readable_name()} has none.",
                )
        pure = self.is_pure(node.base_expression) and (index is None or self.is_pure(index))
        self.note(node, result, pure, lvalue)

    def _array_index(self, node: nodes.IndexAccess, array: t.ArrayType) -> None:
        index = node.index_expression
        if index is None:
            self.context.type_error(9689, node, "The index is missing.")
        elif array.is_string:
            self.context.type_error(9961, node, "The characters of a string have no index.")
            self.visit(index)
        else:
            self.expect_type(index, t.UINT256)
            number = self.type_of(index)
            if (
                isinstance(number, t.RationalNumberType)
                and array.length is not None
                and array.length <= number.value
                and not self.context.sink.has_errors
            ):
                self.context.type_error(3383, node, "The index is beyond the end of the array.")

    def _array_type(self, node: nodes.IndexAccess, base: t.TypeType) -> t.Type:
        index = node.index_expression
        actual = base.actual_type
        if isinstance(actual, t.ContractType) and actual.definition.contract_kind == "library":
            self.context.type_error(2876, node, "There are no arrays of libraries.")
        if index is None:
            return t.TypeType(t.ArrayType(actual, "memory"))
        length = 1
        if self.expect_type(index, t.UINT256):
            number = self.type_of(index)
            if not isinstance(number, t.RationalNumberType):
                raise self.context.fatal_type_error(3940, index, "The length has to be an integer constant.")
            length = number.literal_value()
        return t.TypeType(t.ArrayType(actual, "memory", length))

    def visit_IndexRangeAccess(self, node: nodes.IndexRangeAccess) -> None:
        """``base[start:end]``."""
        self.visit(node.base_expression)
        pure = self.is_pure(node.base_expression)
        for bound in (node.start_expression, node.end_expression):
            if bound is not None:
                self.expect_type(bound, t.UINT256)
                pure = pure and self.is_pure(bound)
        base = self.type_of(node.base_expression)
        if isinstance(base, t.TypeType):
            self.context.type_error(1760, node, "Types have no slices.")
            self.note(node, base, pure)
            return
        array = base.array_type if isinstance(base, t.ArraySliceType) else base
        if not isinstance(array, t.ArrayType):
            raise self.context.fatal_type_error(4781, node, "Only arrays and slices of arrays have slices.")
        if array.location != "calldata" or array.length is not None:
            self.context.type_error(1227, node, "Only dynamic arrays in calldata have slices.")
        elif array.base_type.is_dynamically_encoded():
            self.context.type_error(2148, node, "Arrays of dynamically encoded values have no slices.")
        self.note(node, t.ArraySliceType(array), pure)
