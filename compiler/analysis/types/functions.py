"""Functions of every kind, and modifiers."""

from __future__ import annotations

from typing import Literal as OneOf

from smartvm.compiler.analysis.types.base import DeclaredTypes, StackItem, Type, identifier_list
from smartvm.compiler.analysis.types.elementary import ADDRESS, BYTES32, UINT32, UINT256, keccak256
from smartvm.compiler.analysis.types.reference import ArrayType, StructType, with_location
from smartvm.compiler.ast import nodes
from smartvm.records import dataclass, field, replace

#: solc's FunctionType::Kind, in snake case.
FunctionKind = OneOf[
    "internal", "external", "delegate_call", "bare_call", "bare_call_code", "bare_delegate_call",
    "bare_static_call", "creation", "send", "transfer", "keccak256", "selfdestruct", "revert",
    "ecrecover", "sha256", "ripemd160", "event", "error", "wrap", "unwrap", "blockhash", "blobhash",
    "add_mod", "mul_mod", "array_push", "array_pop", "bytes_concat", "string_concat", "object_creation",
    "assert", "require", "abi_encode", "abi_encode_packed", "abi_encode_with_selector", "abi_encode_call",
    "abi_encode_with_signature", "abi_decode", "gas_left", "metatype", "declaration", "erc7201",
    "set_gas", "set_value",
]  # fmt: skip

_BARE_CALLS = frozenset({"bare_call", "bare_call_code", "bare_delegate_call", "bare_static_call"})
_PRECOMPILED = frozenset({"ecrecover", "sha256", "ripemd160"})
_UNPADDED = _BARE_CALLS | {"sha256", "ripemd160", "keccak256", "abi_encode_packed"}
_PURE = frozenset({
    "keccak256", "ecrecover", "sha256", "ripemd160", "add_mod", "mul_mod", "object_creation",
    "abi_encode", "abi_encode_packed", "abi_encode_with_selector", "abi_encode_call",
    "abi_encode_with_signature", "abi_decode", "metatype", "wrap", "unwrap", "erc7201", "bytes_concat",
    "string_concat",
})  # fmt: skip
_WITH_ADDRESS = _BARE_CALLS | {"transfer", "send"}


def selector_of_signature(signature: str) -> int:
    """The first four bytes of the signature's KECCAK-256, as a number (docs/abi-spec.rst, Function
    Selector)."""
    return int.from_bytes(keccak256(signature.encode("utf-8"))[:4], "big")


@dataclass(frozen=True, slots=True)
class FunctionType(Type):
    """A function: declared, builtin, or a value of function type.

    ``bound``: the first parameter is taken from the expression before the dot (using-for, ``push``), so it is
    not in the argument list (``argument_types``) though it is in ``parameter_types``.
    ``gas_set``/``value_set``/``salt_set``: call options that stand on the stack with the function.
    ``declaration``: what it was made from (function, event, error, or a public state variable for its
    getter), without part in type equality of function values."""

    parameter_types: tuple[Type, ...]
    return_types: tuple[Type, ...]
    kind: FunctionKind
    state_mutability: nodes.StateMutability = "nonpayable"
    parameter_names: tuple[str, ...] = field(default=(), compare=False)
    return_names: tuple[str, ...] = field(default=(), compare=False)
    arbitrary_parameters: bool = field(default=False, compare=False)
    gas_set: bool = False
    value_set: bool = False
    salt_set: bool = False
    bound: bool = False
    declaration: nodes.Declaration | None = field(default=None, compare=False)
    declared: DeclaredTypes | None = field(default=None, compare=False, repr=False, kw_only=True)

    def __post_init__(self) -> None:
        if len(self.parameter_names) != len(self.parameter_types):
            object.__setattr__(self, "parameter_names", ("",) * len(self.parameter_types))
        if len(self.return_names) != len(self.return_types):
            object.__setattr__(self, "return_names", ("",) * len(self.return_types))

    # --- parameters -------------------------------------------------------------------------------

    @property
    def argument_types(self) -> tuple[Type, ...]:
        """The parameters that the argument list fills (without the bound one)."""
        return self.parameter_types[1:] if self.bound else self.parameter_types

    @property
    def argument_names(self) -> tuple[str, ...]:
        """The names of ``argument_types``."""
        return self.parameter_names[1:] if self.bound else self.parameter_names

    @property
    def self_type(self) -> Type:
        """The type of the bound first parameter."""
        if not self.bound:
            raise TypeError("not a bound function")
        return self.parameter_types[0]

    # --- text -------------------------------------------------------------------------------------

    def text(self, without_location: bool = False) -> str:
        name = "function "
        if self.kind == "declaration" and self.declaration is not None and self.declared is not None:
            scope = self.declared.scope_of(self.declaration)
            if isinstance(scope, nodes.ContractDefinition):
                name += self.declared.canonical_name(scope) + "."
            name += self.declaration.name
        name += f"({','.join(p.text(without_location) for p in self.parameter_types)})"
        if self.state_mutability != "nonpayable":
            name += " " + self.state_mutability
        if self.kind == "external":
            name += " external"
        if self.return_types:
            name += f" returns ({','.join(r.text(without_location) for r in self.return_types)})"
        return name

    def human_readable_name(self) -> str:
        if self.kind in ("event", "error") and self.declaration is not None:
            parameters = ",".join(p.text(True) for p in self.parameter_types)
            return f"{self.kind} {self.declaration.name}({parameters})"
        return self.text()

    def canonical_name(self) -> str:
        return "function"

    def rich_identifier(self) -> str:
        kind = self.kind.replace("_", "")
        name = f"t_function_{kind}_{self.state_mutability}{identifier_list(*self.parameter_types)}"
        name += f"returns{identifier_list(*self.return_types)}"
        for is_set, option in ((self.gas_set, "gas"), (self.value_set, "value"), (self.salt_set, "salt")):
            if is_set:
                name += option
        if self.bound:
            name += "attached_to" + identifier_list(self.self_type)
        return name

    # --- layout -----------------------------------------------------------------------------------

    @property
    def is_value_type(self) -> bool:
        return True

    @property
    def nameable(self) -> bool:
        return (
            self.kind in ("internal", "external")
            and not self.bound
            and not self.arbitrary_parameters
            and not (self.gas_set or self.value_set or self.salt_set)
        )

    def stack_items(self) -> tuple[StackItem, ...]:
        items: list[StackItem] = []
        kind: str = self.kind
        if kind in ("set_gas", "set_value") and isinstance(self.return_types[0], FunctionType):
            kind = self.return_types[0].kind
        if kind in ("external", "delegate_call"):
            items += [("address", ADDRESS), ("functionSelector", UINT32)]
        elif kind in _WITH_ADDRESS:
            items.append(("address", ADDRESS))
        elif kind == "internal":
            items.append(("functionIdentifier", UINT256))
        if self.gas_set:
            items.append(("gas", UINT256))
        if self.value_set:
            items.append(("value", UINT256))
        if self.salt_set:
            items.append(("salt", BYTES32))
        if self.bound:
            items.append(("self", self.parameter_types[0]))
        return tuple(items)

    def storage_bytes(self) -> int:
        if self.kind == "external":
            return 24
        if self.kind == "internal":
            return 8
        raise TypeError(f"{self.text()} cannot be stored")

    def calldata_encoded_size(self, padded: bool = True) -> int:
        return 32 if padded else self.storage_bytes()

    @property
    def left_aligned(self) -> bool:
        return self.kind == "external"

    @property
    def can_be_stored(self) -> bool:
        return self.kind in ("internal", "external")

    def has_simple_zero_value_in_memory(self) -> bool:
        return False

    def mobile_type(self) -> Type | None:
        if self.gas_set or self.value_set or self.salt_set or self.bound:
            return None
        if self.kind not in ("internal", "external", "delegate_call"):
            return None
        return FunctionType(
            self.parameter_types,
            self.return_types,
            self.kind,
            self.state_mutability,
            arbitrary_parameters=self.arbitrary_parameters,
        )

    def encoding_type(self) -> Type | None:
        if self.gas_set or self.value_set or self.kind != "external":
            return None
        return self

    def interface_type(self, in_library: bool) -> Type | None:
        return self if self.kind == "external" else None

    # --- variants ---------------------------------------------------------------------------------

    def with_call_options(self, gas: bool = False, value: bool = False, salt: bool = False) -> FunctionType:
        """The same function with further call options set."""
        return replace(
            self,
            gas_set=self.gas_set or gas,
            value_set=self.value_set or value,
            salt_set=self.salt_set or salt,
        )

    def with_bound_first_argument(self) -> FunctionType:
        """The function as a member of a value of its first parameter's type."""
        return replace(self, bound=True)

    def as_externally_callable_function(self, in_library: bool) -> FunctionType:
        """The function as called from outside: calldata parameters are passed from memory."""

        def moved(type_: Type) -> Type:
            if isinstance(type_, ArrayType | StructType) and type_.location == "calldata":
                return with_location(type_, "memory", True)
            return type_

        parameters = tuple(map(moved, self.parameter_types))
        returns = tuple(map(moved, self.return_types))
        if not in_library and parameters == self.parameter_types and returns == self.return_types:
            return self
        kind = "delegate_call" if in_library else self.kind
        return replace(self, parameter_types=parameters, return_types=returns, kind=kind)

    def return_types_without_dynamic_types(self) -> tuple[Type, ...]:
        """What calls of external functions return under an EVM without RETURNDATACOPY."""
        from smartvm.compiler.analysis.types.others import InaccessibleDynamicType

        if self.kind not in ("external", "delegate_call") and self.kind not in _BARE_CALLS:
            return self.return_types
        result: list[Type] = []
        for item in self.return_types:
            decoded = item.decoding_type()
            result.append(
                InaccessibleDynamicType()
                if decoded is not None and decoded.is_dynamically_encoded()
                else item
            )
        return tuple(result)

    # --- facts ------------------------------------------------------------------------------------

    @property
    def is_bare_call(self) -> bool:
        """A low-level call or a precompiled contract."""
        return self.kind in _BARE_CALLS or self.kind in _PRECOMPILED

    @property
    def is_pure_function(self) -> bool:
        """A builtin whose result depends on its arguments alone (solc's FunctionType::isPure)."""
        return self.kind in _PURE

    @property
    def pad_arguments(self) -> bool:
        """Whether arguments are encoded padded to words."""
        return self.kind not in _UNPADDED

    @property
    def is_payable(self) -> bool:
        """Whether value may be sent."""
        return self.state_mutability == "payable"

    def equal_excluding_state_mutability(self, other: FunctionType) -> bool:
        """Equality but for the mutability."""
        return replace(self, state_mutability=other.state_mutability) == other

    # --- external interface -----------------------------------------------------------------------

    def _is_in_library(self) -> bool:
        if self.declaration is None or self.declared is None or self.kind in ("event", "error"):
            return False
        scope = self.declared.scope_of(self.declaration)
        return isinstance(scope, nodes.ContractDefinition) and scope.contract_kind == "library"

    def interface_function_type(self) -> FunctionType | None:
        """The type in the ABI; None when a parameter cannot stand there."""
        in_library = self._is_in_library()
        parameters = [p.interface_type(in_library) for p in self.parameter_types]
        returns = [r.interface_type(in_library) for r in self.return_types]
        if None in parameters or None in returns:
            return None
        if isinstance(self.declaration, nodes.VariableDeclaration) and not returns:
            return None
        return replace(
            self,
            parameter_types=tuple(p for p in parameters if p is not None),
            return_types=tuple(r for r in returns if r is not None),
        )

    def external_signature(self) -> str:
        """``name(type,...)`` as hashed for the selector (docs/abi-spec.rst). ``TypeError`` when a parameter
        has no external type."""
        if self.declaration is None:
            raise TypeError("only declared functions have a signature")
        in_library = self._is_in_library()
        parts = []
        for parameter in self.parameter_types:
            interface = parameter.interface_type(in_library)
            if interface is None:
                raise TypeError(f"{parameter.text()} has no external type")
            part = interface.signature_in_external_function(in_library)
            if in_library and interface.data_stored_in("storage"):
                part += " storage"
            parts.append(part)
        return f"{self.declaration.name}({','.join(parts)})"

    def selector(self) -> int:
        """The function selector as a number."""
        return selector_of_signature(self.external_signature())


@dataclass(frozen=True, slots=True)
class ModifierType(Type):
    """The type of a modifier's name."""

    parameter_types: tuple[Type, ...]

    def text(self, without_location: bool = False) -> str:
        return f"modifier ({','.join(p.text(without_location) for p in self.parameter_types)})"

    def rich_identifier(self) -> str:
        return "t_modifier" + identifier_list(*self.parameter_types)

    def stack_items(self) -> tuple[StackItem, ...]:
        return ()

    @property
    def can_be_stored(self) -> bool:
        return False
