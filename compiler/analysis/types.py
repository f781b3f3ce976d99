"""Solidity's types as immutable values (docs/types.rst). Two types are the same when they compare equal.

Struct, enum, contract and user-defined types refer to their definitions; what needs the types of a definition's members
goes through ``declared`` (the SemanticModel), which takes no part in comparison.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal as OneOf
from typing import Protocol

from smartvm.compiler.ast import nodes

Location = OneOf["storage", "transient", "memory", "calldata"]


class DeclaredTypes(Protocol):
    """Knows the types of declarations: the SemanticModel."""

    def type_of_declaration(self, declaration: nodes.Declaration) -> Type:
        """The type of a variable, function, event ... (of a contract, struct or enum: its TypeType)."""
        ...


@dataclass(frozen=True, slots=True)
class Type:
    """Any type."""


@dataclass(frozen=True, slots=True)
class AddressType(Type):
    """``address`` or ``address payable``."""

    payable: bool


@dataclass(frozen=True, slots=True)
class IntegerType(Type):
    """``uintN``, ``intN``."""

    bits: int
    signed: bool


@dataclass(frozen=True, slots=True)
class FixedPointType(Type):
    """``fixedMxN``, ``ufixedMxN``: declarable, not assignable (as in solc)."""

    bits: int
    fractional_digits: int
    signed: bool


@dataclass(frozen=True, slots=True)
class RationalNumberType(Type):
    """A number literal or a constant expression of them, exact. ``compatible_bytes`` is the N of the bytesN that a hex
    literal of that length converts to, else None."""

    value: Fraction
    compatible_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class StringLiteralType(Type):
    """A string, hex or unicode literal."""

    value: bytes


@dataclass(frozen=True, slots=True)
class BoolType(Type):
    """``bool``."""


@dataclass(frozen=True, slots=True)
class FixedBytesType(Type):
    """``bytes1`` to ``bytes32``."""

    size: int


@dataclass(frozen=True, slots=True)
class ArrayType(Type):
    """An array, ``bytes`` or ``string``. ``length`` None is dynamic. ``is_pointer`` False: the storage variable
    itself ("storage ref") rather than a local that points to it ("storage pointer"); outside storage True for local
    variables and values, as in solc's ReferenceType::isPointer."""

    base_type: Type
    location: Location
    length: int | None = None
    kind: OneOf["array", "bytes", "string"] = "array"
    is_pointer: bool = True


@dataclass(frozen=True, slots=True)
class ArraySliceType(Type):
    """A slice ``a[i:j]`` of a calldata array (on the stack: offset, length)."""

    array_type: ArrayType


@dataclass(frozen=True, slots=True)
class StructType(Type):
    """A struct in a location."""

    definition: nodes.StructDefinition
    location: Location
    is_pointer: bool = True
    declared: DeclaredTypes = field(compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class EnumType(Type):
    """An enum."""

    definition: nodes.EnumDefinition
    declared: DeclaredTypes = field(compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class UserDefinedValueType(Type):
    """``type T is U``."""

    definition: nodes.UserDefinedValueTypeDefinition
    declared: DeclaredTypes = field(compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class ContractType(Type):
    """A contract, interface or library instance; ``is_super`` for ``super``."""

    definition: nodes.ContractDefinition
    is_super: bool = False
    declared: DeclaredTypes = field(compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class MappingType(Type):
    """A mapping (always in storage)."""

    key_type: Type
    value_type: Type
    key_name: str = field(default="", compare=False)
    value_name: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class TupleType(Type):
    """Several values; None is a gap."""

    components: tuple[Type | None, ...]


#: solc's FunctionType::Kind, in snake case.
FunctionKind = OneOf[
    "internal", "external", "delegate_call", "bare_call", "bare_call_code", "bare_delegate_call", "bare_static_call",
    "creation", "send", "transfer", "keccak256", "selfdestruct", "revert", "ecrecover", "sha256", "ripemd160",
    "event", "error", "wrap", "unwrap", "blockhash", "blobhash", "add_mod", "mul_mod", "array_push", "array_pop",
    "bytes_concat", "string_concat", "object_creation", "assert", "require", "abi_encode", "abi_encode_packed",
    "abi_encode_with_selector", "abi_encode_call", "abi_encode_with_signature", "abi_decode", "gas_left",
    "metatype", "declaration", "erc7201",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class FunctionType(Type):
    """A function: declared, builtin, or a value of function type.

    ``bound``: the first parameter is taken from the expression before the dot (using-for, ``push``), so it is not in
    the argument list though it is in ``parameter_types``. ``gas_set``/``value_set``/``salt_set``: call options that stand
    on the stack with the function. ``declaration``: what it was made from (function, event, error, or a public state
    variable for its getter), without part in type equality of function values.
    """

    parameter_types: tuple[Type, ...]
    return_types: tuple[Type, ...]
    kind: FunctionKind
    state_mutability: nodes.StateMutability = "nonpayable"
    parameter_names: tuple[str, ...] = field(default=(), compare=False)
    return_names: tuple[str, ...] = field(default=(), compare=False)
    arbitrary_parameters: bool = False
    gas_set: bool = False
    value_set: bool = False
    salt_set: bool = False
    bound: bool = False
    declaration: nodes.Declaration | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class ModifierType(Type):
    """The type of a modifier's name."""

    parameter_types: tuple[Type, ...]


@dataclass(frozen=True, slots=True)
class TypeType(Type):
    """The type of an expression that names a type: ``uint8`` in ``uint8(x)``, a contract's or struct's name."""

    actual_type: Type


@dataclass(frozen=True, slots=True)
class ModuleType(Type):
    """``import "x" as M``: the type of ``M``."""

    source_unit: nodes.SourceUnit


@dataclass(frozen=True, slots=True)
class MagicType(Type):
    """``block``, ``msg``, ``tx``, ``abi`` or ``type(T)`` (then ``type_argument`` is T)."""

    kind: OneOf["block", "message", "transaction", "abi", "meta_type", "error"]
    type_argument: Type | None = None


@dataclass(frozen=True, slots=True)
class InaccessibleDynamicType(Type):
    """A dynamic value returned by a call under an EVM that cannot return it (before Byzantium)."""
