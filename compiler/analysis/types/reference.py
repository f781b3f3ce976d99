"""Arrays, slices, structs and mappings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal as OneOf

from smartvm.compiler.analysis.types.base import DeclaredTypes, Location, StackItem, Type, identifier_list
from smartvm.compiler.analysis.types.elementary import BYTES1, UINT256
from smartvm.compiler.ast import nodes
from smartvm.records import dataclass, field

_UNSIGNED_LIMIT = (1 << 32) - 1


def storage_offsets(listed: Iterable[Type]) -> tuple[list[tuple[int, int] | None], int]:
    """Slot and byte of each value when stored in order (docs/internals/layout_in_storage.rst), and the slots
    used in all. What cannot be stored has None."""
    offsets: list[tuple[int, int] | None] = []
    slot = 0
    byte = 0
    for item in listed:
        if not item.can_be_stored:
            offsets.append(None)
            continue
        size = item.storage_bytes()
        if byte + size > 32:
            slot += 1
            byte = 0
        offsets.append((slot, byte))
        slots = item.storage_size()
        if slots == 1 and byte + size <= 32:
            byte += size
        else:
            slot += slots
            byte = 0
    return offsets, slot + (1 if byte else 0)


def with_location(type_: Type, location: Location, is_pointer: bool) -> Type:
    """An array or struct in another location; its nested references (not mappings) move along."""
    if isinstance(type_, ArrayType):
        if type_.location == location and type_.is_pointer == (is_pointer or location != "storage"):
            return type_
        return ArrayType(
            with_location_if_reference(location, type_.base_type),
            location,
            type_.length,
            type_.kind,
            is_pointer,
        )
    if isinstance(type_, StructType):
        if type_.location == location and type_.is_pointer == (is_pointer or location != "storage"):
            return type_
        return StructType(type_.definition, location, is_pointer, declared=type_.declared)
    raise TypeError(f"{type_.text()} has no location")


def with_location_if_reference(location: Location, type_: Type, is_pointer: bool = False) -> Type:
    """``with_location`` for arrays and structs, anything else as it is."""
    if isinstance(type_, ArrayType | StructType):
        return with_location(type_, location, is_pointer)
    return type_


def _location_text(location: Location, is_pointer: bool) -> str:
    if location == "storage":
        return "storage pointer" if is_pointer else "storage ref"
    return location


@dataclass(frozen=True, slots=True)
class ArrayType(Type):
    """An array, ``bytes`` or ``string``. ``length`` None is dynamic. ``is_pointer`` False: the storage
    variable itself ("storage ref") rather than a local that points to it ("storage pointer"); outside storage
    always True, as in solc's ReferenceType::isPointer."""

    base_type: Type
    location: Location
    length: int | None = None
    kind: OneOf["array", "bytes", "string"] = "array"
    is_pointer: bool = True

    def __post_init__(self) -> None:
        if self.location != "storage" and not self.is_pointer:
            object.__setattr__(self, "is_pointer", True)
        base = self.base_type
        if isinstance(base, ArrayType | StructType) and (
            base.location != self.location or (base.is_pointer and base.location == "storage")
        ):
            object.__setattr__(self, "base_type", with_location(base, self.location, False))

    @property
    def is_byte_array_or_string(self) -> bool:
        """``bytes`` or ``string``."""
        return self.kind != "array"

    @property
    def is_byte_array(self) -> bool:
        """``bytes``."""
        return self.kind == "bytes"

    @property
    def is_string(self) -> bool:
        """``string``."""
        return self.kind == "string"

    @property
    def nameable(self) -> bool:
        return True

    def _with_base(self, base: str) -> str:
        if self.kind != "array":
            return self.kind
        return f"{base}[{'' if self.length is None else self.length}]"

    def text(self, without_location: bool = False) -> str:
        name = self._with_base(self.base_type.text(without_location) if self.kind == "array" else "")
        return name if without_location else f"{name} {_location_text(self.location, self.is_pointer)}"

    def human_readable_name(self) -> str:
        return (
            f"{self._with_base(self.base_type.text(True))} {_location_text(self.location, self.is_pointer)}"
        )

    def canonical_name(self) -> str:
        return self._with_base(self.base_type.canonical_name() if self.kind == "array" else "")

    def signature_in_external_function(self, structs_by_name: bool) -> str:
        return self._with_base(self.base_type.signature_in_external_function(structs_by_name))

    def rich_identifier(self) -> str:
        if self.kind != "array":
            name = f"t_{self.kind}"
        else:
            name = f"t_array{identifier_list(self.base_type)}{'dyn' if self.length is None else self.length}"
        return f"{name}_{self.location}{'_ptr' if self.is_pointer else ''}"

    def stack_items(self) -> tuple[StackItem, ...]:
        if self.location == "calldata":
            return (
                (("offset", UINT256), ("length", UINT256)) if self.length is None else (("offset", UINT256),)
            )
        return (("mpos", UINT256),) if self.location == "memory" else (("slot", UINT256),)

    def is_dynamically_sized(self) -> bool:
        return self.length is None

    def is_dynamically_encoded(self) -> bool:
        return self.length is None or self.base_type.is_dynamically_encoded()

    def _static_calldata_size(self, padded: bool) -> int:
        size = (self.length or 0) * self.calldata_stride()
        return (size + 31) // 32 * 32 if padded else size

    def calldata_encoded_size(self, padded: bool = True) -> int:
        return self._static_calldata_size(padded)

    def calldata_encoded_tail_size(self) -> int:
        return 32 if self.length is None else self._static_calldata_size(False)

    def calldata_stride(self) -> int:
        """Bytes between elements in calldata."""
        return 1 if self.is_byte_array_or_string else self.base_type.calldata_head_size()

    def memory_stride(self) -> int:
        """Bytes between elements in memory."""
        return 1 if self.is_byte_array_or_string else self.base_type.memory_head_size()

    def storage_stride(self) -> int:
        """Bytes between elements that share a slot."""
        return 1 if self.is_byte_array_or_string else self.base_type.storage_bytes()

    def memory_head_size(self) -> int:
        return 32

    def memory_data_size(self) -> int:
        return (self.length or 0) * self.base_type.memory_head_size()

    def storage_size(self) -> int:
        if self.length is None:
            return 1
        base_bytes = self.base_type.storage_bytes()
        if base_bytes < 32:
            per_slot = 32 // base_bytes
            return max(1, (self.length + per_slot - 1) // per_slot)
        return max(1, self.length * self.base_type.storage_size())

    def storage_size_upper_bound(self) -> int:
        return 1 if self.length is None else self.length * self.base_type.storage_size_upper_bound()

    def contains_nested_mapping(self) -> bool:
        return self.base_type.contains_nested_mapping()

    def has_simple_zero_value_in_memory(self) -> bool:
        return False

    def mobile_type(self) -> Type | None:
        return with_location(self, self.location, True)

    def data_stored_in(self, location: Location) -> bool:
        return self.location == location

    def encoding_type(self) -> Type | None:
        return UINT256 if self.location == "storage" else with_location(self, "memory", True)

    def decoding_type(self) -> Type | None:
        return UINT256 if self.location == "storage" else self

    def interface_type(self, in_library: bool) -> Type | None:
        base = self.base_type.interface_type(in_library)
        if base is None:
            return None
        if in_library and self.location == "storage":
            return self
        if self.kind != "array":
            return with_location(self, "memory", True)
        return ArrayType(base, "memory", self.length)

    def final_base_type(self, stop_at_dynamic: bool = False) -> Type:
        """The element type below all array levels."""
        base: Type = self
        while isinstance(base, ArrayType) and not (stop_at_dynamic and base.length is None):
            base = base.base_type
        return base

    def valid_for_location(self, location: Location) -> str | None:
        if isinstance(self.base_type, ArrayType):
            reason = self.base_type.valid_for_location(location)
            if reason:
                return reason
        if self.length is None:
            return None
        if location == "memory":
            size = self.length
            base = self.base_type
            while isinstance(base, ArrayType) and base.length is not None:
                size *= base.length
                base = base.base_type
            size *= base.memory_head_size() if base.is_dynamically_sized() else base.memory_data_size()
            too_large = size >= _UNSIGNED_LIMIT
        elif location == "calldata":
            too_large = self._static_calldata_size(True) >= _UNSIGNED_LIMIT
        else:
            too_large = self.storage_size_upper_bound() >= 1 << 256
        return f"Type too large for {location}." if too_large else None


@dataclass(frozen=True, slots=True)
class ArraySliceType(Type):
    """A slice ``a[i:j]`` of a calldata array (on the stack: offset, length)."""

    array_type: ArrayType

    @property
    def location(self) -> Location:
        """Where the array is."""
        return self.array_type.location

    def text(self, without_location: bool = False) -> str:
        return self.array_type.text(without_location) + " slice"

    def human_readable_name(self) -> str:
        return self.array_type.human_readable_name() + " slice"

    def rich_identifier(self) -> str:
        return self.array_type.rich_identifier() + "_slice"

    def stack_items(self) -> tuple[StackItem, ...]:
        return (("offset", UINT256), ("length", UINT256))

    def calldata_encoded_tail_size(self) -> int:
        return 32

    def is_dynamically_sized(self) -> bool:
        return True

    def is_dynamically_encoded(self) -> bool:
        return True

    def memory_head_size(self) -> int:
        return 32

    def has_simple_zero_value_in_memory(self) -> bool:
        return False

    def data_stored_in(self, location: Location) -> bool:
        return self.array_type.location == location

    def mobile_type(self) -> Type | None:
        array = self.array_type
        if (
            array.location == "calldata"
            and array.length is None
            and not array.base_type.is_dynamically_encoded()
        ):
            return array
        return self


@dataclass(frozen=True, slots=True)
class StructType(Type):
    """A struct in a location."""

    definition: nodes.StructDefinition
    location: Location
    is_pointer: bool = True
    declared: DeclaredTypes = field(compare=False, repr=False, kw_only=True)

    def __post_init__(self) -> None:
        if self.location != "storage" and not self.is_pointer:
            object.__setattr__(self, "is_pointer", True)

    @property
    def nameable(self) -> bool:
        return True

    def text(self, without_location: bool = False) -> str:
        name = f"struct {self.canonical_name()}"
        return name if without_location else f"{name} {_location_text(self.location, self.is_pointer)}"

    def canonical_name(self) -> str:
        return self.declared.canonical_name(self.definition)

    def rich_identifier(self) -> str:
        definition = self.definition
        return (
            f"t_struct({definition.name}){definition.id}_{self.location}{'_ptr' if self.is_pointer else ''}"
        )

    def signature_in_external_function(self, structs_by_name: bool) -> str:
        if structs_by_name:
            return self.canonical_name()
        parts = []
        for member in self.memory_member_types():
            interface = member.interface_type(structs_by_name)
            if interface is None:
                raise TypeError(f"{member.text()} has no external type")
            parts.append(interface.signature_in_external_function(structs_by_name))
        return f"({','.join(parts)})"

    def stack_items(self) -> tuple[StackItem, ...]:
        name = {"calldata": "offset", "memory": "mpos", "storage": "slot", "transient": "slot"}[self.location]
        return ((name, UINT256),)

    @property
    def is_recursive(self) -> bool:
        """Whether the struct contains itself."""
        return self.declared.is_recursive_struct(self.definition)

    def member_types(self) -> dict[str, Type]:
        """The members in order, each in this struct's location."""
        declared = self.declared
        return {
            member.name: with_location_if_reference(self.location, declared.type_of_declaration(member))
            for member in self.definition.members
        }

    def memory_member_types(self) -> list[Type]:
        """The members' types in memory, in order."""
        declared = self.declared
        return [
            with_location_if_reference("memory", declared.type_of_declaration(m))
            for m in self.definition.members
        ]

    def calldata_encoded_size(self, padded: bool = True) -> int:
        return sum(member.calldata_encoded_size() for member in self.member_types().values())

    def calldata_encoded_tail_size(self) -> int:
        return sum(member.calldata_head_size() for member in self.member_types().values())

    def calldata_offset_of_member(self, name: str) -> int:
        """Bytes before a member in calldata; KeyError when there is no such member."""
        offset = 0
        for member, member_type in self.member_types().items():
            if member == name:
                return offset
            offset += member_type.calldata_head_size()
        raise KeyError(name)

    def memory_offset_of_member(self, name: str) -> int:
        """Bytes before a member in memory; KeyError when there is no such member."""
        offset = 0
        for member, member_type in self.member_types().items():
            if member == name:
                return offset
            offset += member_type.memory_head_size()
        raise KeyError(name)

    def storage_offsets_of_member(self, name: str) -> tuple[int, int]:
        """Slot (from the struct's first) and byte of a member; KeyError when there is no such member."""
        members = self.member_types()
        offsets, _ = storage_offsets(members.values())
        found = dict(zip(members, offsets, strict=True))[name]
        if found is None:
            raise KeyError(name)
        return found

    def is_dynamically_encoded(self) -> bool:
        if self.is_recursive:
            return True
        for member in self.memory_member_types():
            interface = member.interface_type(False)
            if interface is not None and interface.is_dynamically_encoded():
                return True
        return False

    def memory_head_size(self) -> int:
        return 32

    def memory_data_size(self) -> int:
        return sum(member.memory_head_size() for member in self.memory_member_types())

    def storage_size(self) -> int:
        return max(1, storage_offsets(self.member_types().values())[1])

    def storage_size_upper_bound(self) -> int:
        return 1 + sum(member.storage_size_upper_bound() for member in self.member_types().values())

    def contains_nested_mapping(self) -> bool:
        seen = {self.definition.id}
        waiting = [self.definition]
        while waiting:
            for member in waiting.pop().members:
                member_type = self.declared.type_of_declaration(member)
                if isinstance(member_type, ArrayType):
                    member_type = member_type.final_base_type()
                if isinstance(member_type, MappingType):
                    return True
                if isinstance(member_type, StructType) and member_type.definition.id not in seen:
                    seen.add(member_type.definition.id)
                    waiting.append(member_type.definition)
        return False

    def has_simple_zero_value_in_memory(self) -> bool:
        return False

    def mobile_type(self) -> Type | None:
        return with_location(self, self.location, True)

    def data_stored_in(self, location: Location) -> bool:
        return self.location == location

    def encoding_type(self) -> Type | None:
        return UINT256 if self.location == "storage" else self

    def interface_type(self, in_library: bool) -> Type | None:
        if self.is_recursive and not (in_library and self.location == "storage"):
            return None
        if not in_library:
            for member in self.definition.members:
                if self.declared.type_of_declaration(member).interface_type(False) is None:
                    return None
            return with_location(self, "memory", True)
        seen = {self.definition.id}
        waiting = [self.definition]
        while waiting:
            for member in waiting.pop().members:
                inner = self.declared.type_of_declaration(member)
                while isinstance(inner, ArrayType | MappingType):
                    inner = inner.final_base_type() if isinstance(inner, ArrayType) else inner.value_type
                if isinstance(inner, StructType):
                    if inner.definition.id not in seen:
                        seen.add(inner.definition.id)
                        waiting.append(inner.definition)
                elif inner.interface_type(True) is None:
                    return None
        return self if self.location == "storage" else with_location(self, "memory", True)

    def type_definition(self) -> nodes.Declaration | None:
        return self.definition

    def valid_for_location(self, location: Location) -> str | None:
        for member in self.definition.members:
            member_type = self.declared.type_of_declaration(member)
            if isinstance(member_type, ArrayType | StructType):
                if isinstance(member_type, StructType) and member_type.is_recursive:
                    continue
                reason = member_type.valid_for_location(location)
                if reason:
                    return reason
        if location == "storage" and not self.is_recursive and self.storage_size_upper_bound() >= 1 << 256:
            return "Type too large for storage."
        return None


@dataclass(frozen=True, slots=True)
class MappingType(Type):
    """A mapping (always in storage)."""

    key_type: Type
    value_type: Type
    key_name: str = field(default="", compare=False)
    value_name: str = field(default="", compare=False)

    @property
    def nameable(self) -> bool:
        return True

    def text(self, without_location: bool = False) -> str:
        return f"mapping({self.key_type.text(without_location)} => {self.value_type.text(without_location)})"

    def canonical_name(self) -> str:
        return f"mapping({self.key_type.canonical_name()} => {self.value_type.canonical_name()})"

    def rich_identifier(self) -> str:
        return "t_mapping" + identifier_list(self.key_type, self.value_type)

    def stack_items(self) -> tuple[StackItem, ...]:
        return (("slot", UINT256),)

    def calldata_encoded_size(self, padded: bool = True) -> int:
        raise TypeError("mappings are not encoded")

    def contains_nested_mapping(self) -> bool:
        return True

    def data_stored_in(self, location: Location) -> bool:
        return location == "storage"

    def encoding_type(self) -> Type | None:
        return UINT256

    def interface_type(self, in_library: bool) -> Type | None:
        return self if in_library and self.value_type.interface_type(True) is not None else None


BYTES_MEMORY = ArrayType(BYTES1, "memory", None, "bytes")
BYTES_STORAGE = ArrayType(BYTES1, "storage", None, "bytes", False)
BYTES_CALLDATA = ArrayType(BYTES1, "calldata", None, "bytes")
STRING_MEMORY = ArrayType(BYTES1, "memory", None, "string")
STRING_STORAGE = ArrayType(BYTES1, "storage", None, "string", False)
