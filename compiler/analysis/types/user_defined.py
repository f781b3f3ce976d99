"""Contracts, enums and user-defined value types."""

from __future__ import annotations

from smartvm.compiler.analysis.types.base import DeclaredTypes, StackItem, Type
from smartvm.compiler.analysis.types.elementary import ADDRESS, ADDRESS_PAYABLE, UINT8
from smartvm.compiler.ast import nodes
from smartvm.records import dataclass, field


@dataclass(frozen=True, slots=True)
class ContractType(Type):
    """A contract, interface or library instance; ``is_super`` for ``super``."""

    definition: nodes.ContractDefinition
    is_super: bool = False
    declared: DeclaredTypes = field(compare=False, repr=False, kw_only=True)

    @property
    def is_payable(self) -> bool:
        """Whether it has a receive function or a payable fallback function, so that its address is
        payable."""
        fallback: nodes.FunctionDefinition | None = None
        for contract in self.declared.linearized_base_contracts(self.definition):
            for node in contract.nodes:
                if isinstance(node, nodes.FunctionDefinition):
                    if node.kind == "receive":
                        return True
                    if node.kind == "fallback" and fallback is None:
                        fallback = node
        return fallback is not None and fallback.state_mutability == "payable"

    @property
    def is_value_type(self) -> bool:
        return not self.is_super

    @property
    def nameable(self) -> bool:
        return not self.is_super

    def text(self, without_location: bool = False) -> str:
        kind = "library" if self.definition.contract_kind == "library" else "contract"
        return f"{kind} {'super ' if self.is_super else ''}{self.definition.name}"

    def rich_identifier(self) -> str:
        return f"{'t_super' if self.is_super else 't_contract'}({self.definition.name}){self.definition.id}"

    def canonical_name(self) -> str:
        return self.declared.canonical_name(self.definition)

    def stack_items(self) -> tuple[StackItem, ...]:
        return () if self.is_super else (("address", ADDRESS_PAYABLE if self.is_payable else ADDRESS),)

    def calldata_encoded_size(self, padded: bool = True) -> int:
        return 32 if padded else 20

    def storage_bytes(self) -> int:
        return 20

    @property
    def left_aligned(self) -> bool:
        return False

    def encoding_type(self) -> Type | None:
        if self.is_super:
            return None
        return ADDRESS_PAYABLE if self.is_payable else ADDRESS

    def interface_type(self, in_library: bool) -> Type | None:
        if self.is_super:
            return None
        return self if in_library else self.encoding_type()


@dataclass(frozen=True, slots=True)
class EnumType(Type):
    """An enum."""

    definition: nodes.EnumDefinition
    declared: DeclaredTypes = field(compare=False, repr=False, kw_only=True)

    @property
    def number_of_members(self) -> int:
        """How many values it has."""
        return len(self.definition.members)

    def member_value(self, name: str) -> int:
        """The number of a member; KeyError when there is none of that name."""
        for index, member in enumerate(self.definition.members):
            if member.name == name:
                return index
        raise KeyError(name)

    @property
    def is_value_type(self) -> bool:
        return True

    @property
    def nameable(self) -> bool:
        return True

    def text(self, without_location: bool = False) -> str:
        return f"enum {self.canonical_name()}"

    def rich_identifier(self) -> str:
        return f"t_enum({self.definition.name}){self.definition.id}"

    def canonical_name(self) -> str:
        return self.declared.canonical_name(self.definition)

    def calldata_encoded_size(self, padded: bool = True) -> int:
        return 32 if padded else 1

    def storage_bytes(self) -> int:
        return 1

    @property
    def left_aligned(self) -> bool:
        return False

    def encoding_type(self) -> Type | None:
        return UINT8

    def interface_type(self, in_library: bool) -> Type | None:
        return self if in_library else UINT8

    def type_definition(self) -> nodes.Declaration | None:
        return self.definition


@dataclass(frozen=True, slots=True)
class UserDefinedValueType(Type):
    """``type T is U``."""

    definition: nodes.UserDefinedValueTypeDefinition
    declared: DeclaredTypes = field(compare=False, repr=False, kw_only=True)

    @property
    def underlying_type(self) -> Type:
        """U."""
        return self.declared.type_of_type_name(self.definition.underlying_type)

    @property
    def is_value_type(self) -> bool:
        return True

    @property
    def nameable(self) -> bool:
        return True

    def text(self, without_location: bool = False) -> str:
        return self.canonical_name()

    def rich_identifier(self) -> str:
        return f"t_userDefinedValueType({self.definition.name}){self.definition.id}"

    def canonical_name(self) -> str:
        return self.declared.canonical_name(self.definition)

    def stack_items(self) -> tuple[StackItem, ...]:
        return self.underlying_type.stack_items()

    def calldata_encoded_size(self, padded: bool = True) -> int:
        return self.underlying_type.calldata_encoded_size(padded)

    def storage_bytes(self) -> int:
        return self.underlying_type.storage_bytes()

    @property
    def left_aligned(self) -> bool:
        return self.underlying_type.left_aligned

    def encoding_type(self) -> Type | None:
        return self.underlying_type

    def interface_type(self, in_library: bool) -> Type | None:
        return self.underlying_type

    def type_definition(self) -> nodes.Declaration | None:
        return self.definition
