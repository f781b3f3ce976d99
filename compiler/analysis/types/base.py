"""What every type can tell about itself, with the defaults; names after solc's ``Types.h`` in snake case."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol
from typing import Literal as OneOf

from smartvm.compiler.ast import nodes
from smartvm.records import dataclass

Location = OneOf["storage", "transient", "memory", "calldata"]

#: A named slot of a value on the stack; the type None stands for one plain word under no name.
StackItem = tuple[str, "Type | None"]


class DeclaredTypes(Protocol):
    """Knows the facts about declarations that types refer to: the SemanticModel."""

    @property
    def interface_entries(self) -> dict[int, Any]:
        """Signature, selector and type of functions of interfaces, by definition's id."""
        ...

    @property
    def function_types(self) -> dict[tuple[int, str], Any]:
        """The types of functions that were made already, by definition's id and kind."""
        ...

    def type_of_declaration(self, declaration: nodes.Node) -> Type:
        """The type of a variable, function, event ... (of a contract, struct or enum: its TypeType)."""
        ...

    def type_of_type_name(self, type_name: nodes.TypeName) -> Type:
        """The type that a type name denotes."""
        ...

    def scope_of(self, declaration: nodes.Node) -> nodes.Node | None:
        """The function, contract, struct or source unit in which a declaration stands."""
        ...

    def canonical_name(self, declaration: nodes.Declaration) -> str:
        """The name with that of the enclosing contract before it."""
        ...

    def linearized_base_contracts(
        self, contract: nodes.ContractDefinition
    ) -> tuple[nodes.ContractDefinition, ...]:
        """The contract and its bases, most derived first."""
        ...

    def is_recursive_struct(self, definition: nodes.StructDefinition) -> bool:
        """Whether the struct contains itself through arrays or mappings."""
        ...

    def exported_symbols_of(self, unit: nodes.SourceUnit) -> Mapping[str, tuple[Any, ...]]:
        """The names that a source unit exports."""
        ...


def escape_identifier(rich: str) -> str:
    """Turn a rich identifier (with parentheses and commas) into one of letters, digits, ``_`` and ``$``."""
    return rich.replace("$", "$$$").replace(",", "_$_").replace("(", "$_").replace(")", "_$")


def identifier_list(*listed: Type | None) -> str:
    """Rich identifiers in parentheses."""
    return "(" + ",".join("" if t is None else t.rich_identifier() for t in listed) + ")"


@dataclass(frozen=True, slots=True)
class Type:
    """Any type. Methods that make no sense for a kind of type raise ``TypeError``: asking is a mistake of
    ours."""

    def text(self, without_location: bool = False) -> str:
        """The type as messages and the AST's ``typeString`` show it (solc's ``toString``)."""
        raise NotImplementedError(type(self).__name__)

    def rich_identifier(self) -> str:
        """The unambiguous name with parentheses (solc's ``richIdentifier``)."""
        raise NotImplementedError(type(self).__name__)

    def identifier(self) -> str:
        """The unambiguous name usable in Yul and JSON (``typeIdentifier``):
        ``t_array$_t_uint256_$dyn_memory_ptr``."""
        return escape_identifier(self.rich_identifier())

    def canonical_name(self) -> str:
        """The name in signatures."""
        return self.text(without_location=True)

    def human_readable_name(self) -> str:
        """The name for messages."""
        return self.text()

    def signature_in_external_function(self, structs_by_name: bool) -> str:
        """The name within a function's signature; libraries write structs by name."""
        return self.canonical_name()

    @property
    def is_value_type(self) -> bool:
        """Whether values are always copied."""
        return False

    @property
    def nameable(self) -> bool:
        """Whether source text can name the type of a variable so."""
        return False

    def stack_items(self) -> tuple[StackItem, ...]:
        """The parts of which a value consists on the stack, each with its name and type."""
        return (("", None),)

    def size_on_stack(self) -> int:
        """How many words a value takes on the stack."""
        return sum(1 if part is None else part.size_on_stack() for _, part in self.stack_items())

    def calldata_encoded_size(self, padded: bool = True) -> int:
        """Bytes of a statically encoded value in ABI-encoded data."""
        raise TypeError(f"{self.text()} has no encoded size")

    def calldata_head_size(self) -> int:
        """Bytes in the head part: 32 for what is encoded dynamically."""
        return 32 if self.is_dynamically_encoded() else self.calldata_encoded_size(True)

    def calldata_encoded_tail_size(self) -> int:
        """Least number of bytes in the tail part of a dynamically encoded value."""
        raise TypeError(f"{self.text()} has no tail")

    def memory_head_size(self) -> int:
        """Bytes that an element or member of this type takes within its array or struct in memory."""
        return self.calldata_encoded_size()

    def memory_data_size(self) -> int:
        """Bytes that the value itself takes in memory."""
        return self.calldata_encoded_size()

    def is_dynamically_sized(self) -> bool:
        """Whether the number of elements varies."""
        return False

    def is_dynamically_encoded(self) -> bool:
        """Whether the ABI encodes it through an offset."""
        return False

    def storage_size(self) -> int:
        """Storage slots."""
        return 1

    def storage_size_upper_bound(self) -> int:
        """A bound of the storage slots that needs no layout (may exceed 2**256)."""
        return 1

    def storage_bytes(self) -> int:
        """Bytes within a slot; 32 for whatever starts a slot of its own."""
        return 32

    @property
    def left_aligned(self) -> bool:
        """Whether a value's bytes stand at the high end of a word."""
        raise TypeError(f"{self.text()} is not a value type")

    @property
    def can_be_stored(self) -> bool:
        """Whether a value can be in storage."""
        return True

    def contains_nested_mapping(self) -> bool:
        """Whether a mapping is somewhere inside."""
        return False

    def can_live_outside_storage(self) -> bool:
        """Whether values may be in memory or calldata."""
        return not self.contains_nested_mapping()

    def has_simple_zero_value_in_memory(self) -> bool:
        """Whether the default value in memory is one zero word."""
        return True

    def mobile_type(self) -> Type | None:
        """The type of a variable that takes the value: a literal's integer type, a reference's pointer. None:
        no variable can."""
        return self

    def data_stored_in(self, location: Location) -> bool:
        """Whether it refers to data in that location."""
        return False

    def encoding_type(self) -> Type | None:
        """The type as which the ABI encodes it, None when it cannot."""
        return None

    def decoding_type(self) -> Type | None:
        """The type as which the ABI decodes it."""
        return self.encoding_type()

    def interface_type(self, in_library: bool) -> Type | None:
        """The type in the external interface; None when it cannot stand there."""
        return None

    def full_encoding_type(self, in_library: bool, encoder_v2: bool, packed: bool = False) -> Type | None:
        """The type as which a value is encoded for a call, None when it cannot be encoded."""
        from smartvm.compiler.analysis.types.reference import ArrayType, StructType

        mobile = self.mobile_type()
        interface = mobile.interface_type(in_library) if mobile is not None else None
        encoding = interface.encoding_type() if interface is not None else None
        if encoding is None:
            return None
        if in_library and encoding.data_stored_in("storage"):
            return encoding
        base: Type = encoding
        while isinstance(base, ArrayType):
            base = base.base_type
            if not encoder_v2 and isinstance(base, ArrayType) and base.is_dynamically_sized():
                return None
        if not encoder_v2 and isinstance(base, StructType):
            return None
        return encoding

    def type_definition(self) -> nodes.Declaration | None:
        """The struct, enum or user-defined value type that defines it."""
        return None

    def valid_for_location(self, location: Location) -> str | None:
        """None, or why the type is too large for the location."""
        return None
